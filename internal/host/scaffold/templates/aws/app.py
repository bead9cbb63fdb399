"""The application: telemetry and a shadow on AWS IoT."""
import gc
import ujson
import utime
import xbee
from network import Cellular
from umqtt import MQTTClient

TLS = {
    "keyfile": "/flash/cert/aws.key",
    "certfile": "/flash/cert/aws.crt",
    "ca_certs": "/flash/cert/aws.ca",
}


def load_config():
    with open("/flash/aws.json") as f:
        return ujson.loads(f.read())


def endpoint(prefix, region, ats):
    return "%s%s.iot.%s.amazonaws.com" % (prefix, "-ats" if ats else "", region)


def wants_ats():
    # The Cat 1 module's TLS needs the old form of the name, the LTE-M module's the
    # new one, which ends in -ats.
    return (xbee.atcmd("HV") >> 8) not in (0x49, 0x4D)


def wait_for_network(modem, seconds):
    while seconds > 0 and not modem.isconnected():
        print("Waiting for the network, AI is %#x" % xbee.atcmd("AI"))
        utime.sleep(2)
        seconds -= 2
    return modem.isconnected()


class App:
    def __init__(self, config, client):
        self.shadow = "$aws/things/%s/shadow/" % config["thing"]
        self.telemetry = "dt/%s" % config["thing"]
        self.state = {"interval": 2}
        self.changed = True
        self.mqtt = client
        client.set_callback(self.received)

    def received(self, topic, msg):
        if topic.endswith(b"/delta"):
            self.apply(ujson.loads(msg.decode())["state"])
        elif topic.endswith(b"/rejected"):
            print("Refused:", msg.decode())

    def apply(self, asked):
        print("Asked for", asked)
        for name in asked:
            if name in self.state:
                self.state[name] = asked[name]
                self.changed = True

    def start(self):
        self.mqtt.connect()
        self.mqtt.subscribe(self.shadow + "update/delta")
        self.mqtt.subscribe(self.shadow + "update/rejected")

    def round(self):
        if self.changed:
            self.mqtt.publish(self.shadow + "update", ujson.dumps({"state": {"reported": self.state}}))
            self.changed = False
            print("Reported", self.state)
        message = {"celsius": xbee.atcmd("TP"), "millivolts": xbee.atcmd("%V"), "free": gc.mem_free()}
        self.mqtt.publish(self.telemetry, ujson.dumps(message))
        print("Published", message)
        end = utime.ticks_add(utime.ticks_ms(), self.state["interval"] * 1000)
        while utime.ticks_diff(end, utime.ticks_ms()) > 0:
            self.mqtt.check_msg()
            utime.sleep_ms(50)


def session(config, rounds):
    host = endpoint(config["prefix"], config["region"], wants_ats())
    print("Connecting to", host)
    client = MQTTClient(config["thing"], host, ssl=True, ssl_params=TLS)
    a = App(config, client)
    a.start()
    try:
        for _ in range(rounds):
            a.round()
    finally:
        client.disconnect()


def main(rounds=3, tries=5):
    # A connection that is lost is made again, after a pause that grows: a module that
    # calls without a pause drains its battery and is locked out.
    config = load_config()
    pause = 5
    for _ in range(tries):
        if wait_for_network(Cellular(), 120):
            try:
                session(config, rounds)
                print("@NAME@ is done")
                return
            except OSError as e:
                print("The connection failed:", e)
        gc.collect()
        utime.sleep(pause)
        pause = min(pause * 2, 600)
    raise RuntimeError("no connection after %d tries" % tries)
