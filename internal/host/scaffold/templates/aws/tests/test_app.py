# Run by skep test, on a virtual module: functions whose names begin with test_.
import app


class FakeClient:
    def __init__(self):
        self.published = []

    def set_callback(self, f):
        self.callback = f

    def publish(self, topic, msg):
        self.published.append((topic, msg))

    def check_msg(self):
        pass


def test_endpoint():
    assert app.endpoint("abc", "us-east-2", True) == "abc-ats.iot.us-east-2.amazonaws.com"
    assert app.endpoint("abc", "us-east-2", False) == "abc.iot.us-east-2.amazonaws.com"


def test_delta():
    c = FakeClient()
    a = app.App({"thing": "t"}, c)
    a.changed = False
    c.callback(b"$aws/things/t/shadow/update/delta", b'{"state": {"interval": 0, "other": 1}}')
    assert a.changed
    assert a.state == {"interval": 0}, a.state


def test_round():
    c = FakeClient()
    a = app.App({"thing": "t"}, c)
    a.state["interval"] = 0
    a.round()
    a.round()
    topics = [topic for topic, _ in c.published]
    assert topics == ["$aws/things/t/shadow/update", "dt/t", "dt/t"], topics
