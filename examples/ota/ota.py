"""Updates over the air by AWS IoT Jobs.

A job's document says which version of the application is wanted, and where it is:
  {"operation": "update", "version": 2, "host": "updates.example.com",
   "path": "/app.mpy", "size": 345, "sha256": "..."}

check() takes the next job. What it does can be cut off anywhere: a job that was
begun is what AWS IoT answers with again, and a file counts only once its hash does.
"""
import gc
import machine
import ubinascii
import ujson
import uos
import usocket
import ussl
import utime
import xbee
from network import Cellular
from umqtt import MQTTClient

CERT = "/flash/cert/"
TLS = {"keyfile": CERT + "aws.key", "certfile": CERT + "aws.crt", "ca_certs": CERT + "aws.ca"}
NEW = "/flash/app.mpy.new"
JOB = "/flash/ota.job"
BAD = "/flash/ota.bad"
TRIES = 3


def endpoint(config):
    # The Cat 1 module's TLS needs the old form of the name, the LTE-M module's
    # the new one, which ends in -ats.
    name, rest = config["endpoint"].split(".", 1)
    ats = (xbee.atcmd("HV") >> 8) not in (0x49, 0x4D)
    return name + ("-ats." if ats else ".") + rest


class Jobs:
    """The jobs of a thing, over one connection."""

    def __init__(self, config):
        thing = config["thing"]
        self.base = "$aws/things/%s/jobs/" % thing
        self.answer = None
        self.mqtt = MQTTClient(thing, endpoint(config), ssl=True, ssl_params=TLS)
        self.mqtt.set_callback(self.received)
        self.mqtt.connect()

    def received(self, topic, msg):
        # Answers come without a subscription; whatever else comes is not ours.
        topic = topic.decode()
        if topic.startswith(self.base):
            self.answer = (topic[len(self.base):], msg)

    def ask(self, what, request):
        self.answer = None
        self.mqtt.publish(self.base + what, ujson.dumps(request))
        while self.answer is None or not self.answer[0].startswith(what + "/"):
            self.mqtt.wait_msg()
        topic, msg = self.answer
        self.answer = None
        answer = ujson.loads(msg.decode())
        if topic.endswith("/rejected"):
            # such as a job that was cancelled meanwhile
            print(what, "refused:", answer["code"], answer["message"])
            return {}
        return answer

    def next(self):
        return self.ask("start-next", {}).get("execution")

    def report(self, job, status, **details):
        print("Job", job["jobId"], status, details)
        self.ask(job["jobId"] + "/update", {"status": status, "statusDetails": details})

    def close(self):
        self.mqtt.disconnect()
        self.mqtt = None
        gc.collect()


def wait_for_network():
    modem = Cellular()
    while not modem.isconnected():
        utime.sleep(2)


def remove(path):
    try:
        uos.remove(path)
    except OSError:
        pass


def content(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return None


def bad_update(job):
    # why main.py went back from this job's version, None if it did not
    bad = content(BAD)
    return bad if content(JOB) == job["jobId"] else None


def download(doc, config):
    """Fetch the file piece by piece: it need not fit into memory."""
    # S3's chain ends at the root that AWS IoT's does; "ca" names another.
    ca = CERT + config.get("ca", "aws.ca")
    s = usocket.socket(usocket.AF_INET, usocket.SOCK_STREAM, usocket.IPPROTO_SEC)
    s = ussl.wrap_socket(s, ca_certs=ca)
    try:
        s.connect((doc["host"], doc.get("port", 443)))
        s.write("GET %s?thing=%s HTTP/1.0\r\nHost: %s\r\n\r\n" % (doc["path"], config["thing"], doc["host"]))
        status = s.readline().split(None, 2)[1]
        if status != b"200":
            raise ValueError("the server answers " + status.decode())
        while s.readline() not in (b"\r\n", b""):
            pass
        left = doc["size"]
        with open(NEW, "wb") as f:
            while left:
                piece = s.read(min(left, 256))
                if not piece:
                    raise ValueError("%d bytes are missing" % left)
                f.write(piece)
                left -= len(piece)
    finally:
        s.close()
    if ubinascii.hexlify(uos.hash(NEW)).decode() != doc["sha256"]:
        raise ValueError("the hash is wrong")


def fetch(doc, config):
    # None, or why there is no file
    for n in range(TRIES):
        try:
            download(doc, config)
            return None
        except (OSError, ValueError) as e:
            why = str(e)
            print("Download", n + 1, "failed:", why)
            gc.collect()
            utime.sleep(10 * (n + 1))
    remove(NEW)
    return why


def check(version):
    """Do the jobs there are. Returns when this version is to work."""
    wait_for_network()
    with open("/flash/aws.json") as f:
        config = ujson.loads(f.read())
    jobs = Jobs(config)
    while True:
        job = jobs.next()
        if not job:
            break
        doc = job["jobDocument"]
        bad = bad_update(job)
        if doc.get("operation") != "update":
            jobs.report(job, "REJECTED", reason="not an update")
        elif bad:
            jobs.report(job, "FAILED", reason=bad, version=str(version))
            remove(BAD)
        elif doc["version"] == version:
            jobs.report(job, "SUCCEEDED", version=str(version))
            remove("/flash/app.mpy.old")
        else:
            # The download has the modem and the memory for itself.
            jobs.close()
            why = fetch(doc, config)
            jobs = Jobs(config)
            if why:
                jobs.report(job, "FAILED", reason=why, version=str(version))
                continue
            jobs.report(job, "IN_PROGRESS", step="installing")
            jobs.close()
            remove(BAD)
            with open(JOB, "w") as f:
                f.write(job["jobId"])
            uos.replace(NEW, "/flash/app.mpy.ok")
            machine.reset()
    jobs.close()
