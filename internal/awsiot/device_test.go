package awsiot

import (
	"bufio"
	"crypto/tls"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestUmqttWrites replays, write for write, what Digi's umqtt.simple sends: CONNECT in four
// writes with keep-alive 0, PUBLISH in three, SUBSCRIBE in four, and reads as it reads.
func TestUmqttWrites(t *testing.T) {
	c := newCloud(t, nil)
	other, _ := c.connect(0, "other", options{})
	other.subscribe(0, "sample/xbee")

	x := c.dial(0)
	str := func(s string) { // umqtt's _send_str
		x.write([]byte{byte(len(s) >> 8), byte(len(s))})
		x.write([]byte(s))
	}
	x.write([]byte{0x10, 12 + 8})
	x.write([]byte("\x00\x04MQTT\x04\x02\x00\x00"))
	str("clientID")
	if got := x.bytes(4); string(got) != "\x20\x02\x00\x00" {
		t.Fatalf("CONNACK % x", got)
	}
	c.said("connected", "clientID", "keep-alive 20m0s")

	topic, msg := "sample/xbee", `{"message": "AWS Sample Message"}`
	x.write([]byte{0x30, byte(2 + len(topic) + len(msg))})
	str(topic)
	x.write([]byte(msg))
	other.expect(topic + " " + msg)

	x.write([]byte{0x82, byte(2 + 2 + len(topic) + 1), 0, 1})
	str(topic)
	x.write([]byte{0})
	if got := x.bytes(5); string(got) != "\x90\x03\x00\x01\x00" {
		t.Fatalf("SUBACK % x", got)
	}
	other.publish(topic, "hello", 1, false)
	x.expect(topic + " hello")
	x.write([]byte("\xe0\x00"))
	x.closed()
	c.said("disconnected", "clientID", "CLIENT_INITIATED_DISCONNECT")
}

// TestHTTP10Get replays the request of Digi's aws_https sample and reads as it does: one read
// of up to 1024 bytes has the whole answer, in the form its README shows.
func TestHTTP10Get(t *testing.T) {
	c := newCloud(t, nil)
	_, err := c.UpdateShadow("thing0", []byte(`{"state":null}`))
	must(t, err)
	for _, endpoint := range []string{endpointATS, endpointLegacy} {
		cfg := c.tlsConfig(0)
		cfg.ServerName = endpoint
		nc, err := tls.Dial("tcp", c.https, cfg)
		must(t, err)
		defer nc.Close()
		_, err = nc.Write([]byte("GET /things/thing0/shadow HTTP/1.0\r\nHost: " + endpoint + "\r\n\r\n"))
		must(t, err)
		must(t, nc.SetReadDeadline(time.Now().Add(patience)))
		buf := make([]byte, 1024)
		n, err := nc.Read(buf)
		must(t, err)
		want := regexp.MustCompile("^HTTP/1\\.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 61\r\n" +
			"date: \\w{3}, \\d\\d \\w{3} \\d{4} \\d\\d:\\d\\d:\\d\\d GMT\r\nx-amzn-RequestId: [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\r\n" +
			"connection: keep-alive\r\n\r\n" + `\{"state":\{\},"metadata":\{\},"version":1,"timestamp":\d{10}\}$`)
		if !want.Match(buf[:n]) {
			t.Fatalf("answer is\n%s", buf[:n])
		}
		// Keep-alive is meant: a second request on the same connection is answered.
		_, err = nc.Write([]byte("GET /things/nothere/shadow HTTP/1.0\r\nConnection: close\r\n\r\n"))
		must(t, err)
		r := bufio.NewReader(nc)
		got := readAnswer(t, r)
		if !strings.HasPrefix(got, "HTTP/1.1 404 Not Found\r\n") || !strings.Contains(got, `{"message":"No shadow exists with name: 'nothere'","traceId":"`) ||
			!strings.Contains(got, "connection: close") {
			t.Fatalf("answer is\n%s", got)
		}
		if _, err := r.ReadByte(); err == nil {
			t.Fatal("the connection stayed open")
		}
	}
}

// TestShadowOverMQTT follows a device and the cloud side through the life of a shadow.
func TestShadowOverMQTT(t *testing.T) {
	c := newCloud(t, nil)
	const base = "$aws/things/thing0/shadow/"
	x, _ := c.connect(0, "thing0", options{})
	x.subscribe(1, base+"update/delta", base+"update/accepted", base+"update/rejected", base+"get/+", base+"delete/+")

	wants := func(end, pattern string) {
		t.Helper()
		m := x.message()
		if m.Topic != base+end || !regexp.MustCompile("^"+pattern+"$").Match(m.Payload) {
			t.Fatalf("got %s %s\nwant %s %s", m.Topic, m.Payload, base+end, pattern)
		}
	}
	x.publish(base+"get", "", 0, false)
	wants("get/rejected", `\{"code":404,"message":"No shadow exists with name: 'thing0'","timestamp":\d+\}`)

	x.publish(base+"update", `{"state":{"reported":{"led":0,"big":12345678901234567890,"f":0.10}},"clientToken":"t1"}`, 1, false)
	wants("update/accepted", `\{"state":\{"reported":\{"led":0,"big":12345678901234567890,"f":0\.10\}\},"metadata":\{"reported":\{"led":\{"timestamp":\d+\},"big":\{"timestamp":\d+\},"f":\{"timestamp":\d+\}\}\},"version":1,"timestamp":\d+,"clientToken":"t1"\}`)

	accepted, err := c.UpdateDesired("thing0", []byte(`{"led":1}`))
	must(t, err)
	if !strings.Contains(string(accepted), `"version":2`) {
		t.Fatalf("accepted is %s", accepted)
	}
	wants("update/accepted", `\{"state":\{"desired":\{"led":1\}\},.*"version":2,.*`)
	wants("update/delta", `\{"version":2,"timestamp":\d+,"state":\{"led":1\},"metadata":\{"led":\{"timestamp":\d+\}\}\}`)

	x.publish(base+"update", `{"state":{"reported":{"led":1}},"version":1}`, 0, false)
	wants("update/rejected", `\{"code":409,"message":"Version conflict","timestamp":\d+\}`)
	c.said("refused", "Version conflict")
	x.publish(base+"update", `{"state":{"reported":{"led":1}},"version":2}`, 0, false)
	wants("update/accepted", `.*"version":3.*`)

	x.publish(base+"get", "", 0, false)
	wants("get/accepted", `\{"state":\{"desired":\{"led":1\},"reported":\{"led":1,"big":12345678901234567890,"f":0\.10\}\},.*"version":3,.*`)
	x.publish(base+"delete", "", 0, false)
	wants("delete/accepted", `\{"version":3,"timestamp":\d+\}`)
	x.publish(base+"update", `{"state":{"reported":{"led":1}}}`, 0, false)
	wants("update/accepted", `.*"version":4,.*`)
	x.silent()
}
