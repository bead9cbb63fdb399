# Run by skep test, on a virtual module: functions whose names begin with test_.
import app


def test_describe():
    text = app.describe({"celsius": 21, "millivolts": 3300, "free": 20000})
    assert text == "21 C, 3300 mV, 20000 bytes of heap free", text


def test_reading():
    r = app.reading()
    assert 1000 < r["millivolts"] < 10000, r
    assert r["free"] > 8000, r
