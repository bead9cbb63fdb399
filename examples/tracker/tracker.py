"""Reports to AWS IoT: telemetry over MQTT, its shadow over MQTT and HTTPS."""
import gc
import ujson
import utime
import xbee
from network import Cellular
from umqtt import MQTTClient
import uhttp

TLS = {
    "keyfile": "/flash/cert/aws.key",
    "certfile": "/flash/cert/aws.crt",
    "ca_certs": "/flash/cert/aws.ca",
}


def load_config():
    with open("/flash/aws.json") as f:
        return ujson.loads(f.read())


def endpoint(config):
    # The Cat 1 module's TLS needs the old form of the name, the LTE-M module's
    # the new one, which ends in -ats.
    name, rest = config["endpoint"].split(".", 1)
    ats = config.get("ats")
    if ats is None:
        ats = (xbee.atcmd("HV") >> 8) not in (0x49, 0x4D)
    return name + ("-ats." if ats else ".") + rest


def wait_for_network():
    modem = Cellular()
    while not modem.isconnected():
        print("Waiting for the network, AI is %#x" % xbee.atcmd("AI"))
        utime.sleep(2)
    print("Connected,", modem.ifconfig()[0])


class Tracker:
    def __init__(self, config):
        self.thing = config["thing"]
        self.host = endpoint(config)
        self.shadow = "$aws/things/%s/shadow/" % self.thing
        self.state = {"interval": 60, "led": False}
        self.delta = None
        self.mqtt = MQTTClient(self.thing, self.host, ssl=True, ssl_params=TLS)
        self.mqtt.set_callback(self.received)

    def received(self, topic, msg):
        topic = topic.decode()
        if topic.endswith("/delta"):
            self.delta = ujson.loads(msg.decode())["state"]
        elif topic.endswith("/rejected"):
            print("Shadow update refused:", msg.decode())

    def telemetry(self):
        volts = xbee.atcmd("%V")
        message = {"millivolts": volts, "celsius": xbee.atcmd("TP"), "free": gc.mem_free()}
        self.mqtt.publish("tracker/%s/telemetry" % self.thing, ujson.dumps(message))
        print("Published", message)

    def report(self):
        self.mqtt.publish(self.shadow + "update", ujson.dumps({"state": {"reported": self.state}}))
        print("Reported", self.state)

    def wait_for_delta(self, seconds):
        end = utime.ticks_add(utime.ticks_ms(), seconds * 1000)
        while self.delta is None and utime.ticks_diff(end, utime.ticks_ms()) > 0:
            self.mqtt.check_msg()
            utime.sleep_ms(50)

    def run(self):
        print("Connecting to", self.host)
        self.mqtt.connect()
        self.mqtt.subscribe(self.shadow + "update/delta")
        self.mqtt.subscribe(self.shadow + "update/rejected")
        self.telemetry()
        self.report()
        self.wait_for_delta(10)
        if self.delta:
            print("Asked for", self.delta)
            self.state.update(self.delta)
            self.report()
        else:
            print("Nothing to change")
        self.mqtt.disconnect()

    def read_back(self):
        path = "/things/%s/shadow" % self.thing
        status, body = uhttp.request("GET", self.host, path, 8443, ssl_params=TLS)
        doc = ujson.loads(body.decode())
        print("Shadow over HTTPS:", status, "version", doc["version"], doc["state"]["reported"])


def main():
    wait_for_network()
    t = Tracker(load_config())
    t.run()
    t.mqtt = None
    gc.collect()
    t.read_back()
    print("Memory free, used:", (gc.mem_free(), gc.mem_alloc()))
