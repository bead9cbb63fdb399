# Run by skep test, on a virtual module with the local AWS IoT.
import tracker
import uhttp
import utime


def test_endpoint():
    config = {"endpoint": "abc.iot.us-east-2.amazonaws.com"}
    config["ats"] = True
    assert tracker.endpoint(config) == "abc-ats.iot.us-east-2.amazonaws.com"
    config["ats"] = False
    assert tracker.endpoint(config) == "abc.iot.us-east-2.amazonaws.com"


def test_waits_for_the_network():
    # world: at 0s network lost
    # world: at 1m network back
    begin = utime.ticks_ms()
    tracker.wait_for_network()
    assert utime.ticks_diff(utime.ticks_ms(), begin) >= 60000


def test_delta():
    t = tracker.Tracker(tracker.load_config())
    t.received(b"$aws/things/tracker/shadow/update/delta", b'{"state": {"interval": 5}}')
    assert t.delta == {"interval": 5}


def test_shadow():
    # The local AWS IoT asks for what skep.toml says.
    tracker.wait_for_network()
    t = tracker.Tracker(tracker.load_config())
    t.mqtt.connect()
    t.mqtt.subscribe(t.shadow + "update/delta")
    t.report()
    while t.delta is None:
        t.mqtt.wait_msg()
    t.mqtt.disconnect()
    assert t.delta == {"interval": 15, "led": True}, t.delta


def test_no_other_host():  # expect: OSError
    # AWS IoT is all the network that tests have.
    uhttp.request("GET", "example.com", "/", 80)
