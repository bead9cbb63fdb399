package awsiot

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"regexp"
	"strings"
	"testing"
	"time"
)

// umqtt writes as Digi's umqtt.simple does, in the same pieces: each is a TLS record.
type umqtt struct{ *client }

// str is _send_str.
func (x umqtt) str(s string) {
	x.write([]byte{byte(len(s) >> 8), byte(len(s))})
	x.write([]byte(s))
}

// connect is MQTTClient.connect: a fixed header, with the first byte of the protocol's name
// behind it, the rest of the variable header, and the strings.
func (x umqtt) connect(flags byte, keepAlive uint16, payload ...string) {
	x.t.Helper()
	n := 10
	for _, s := range payload {
		n += 2 + len(s)
	}
	x.write(append(binary.AppendUvarint([]byte{0x10}, uint64(n)), 0))
	x.write([]byte{4, 'M', 'Q', 'T', 'T', 4, flags, byte(keepAlive >> 8), byte(keepAlive)})
	for _, s := range payload {
		x.str(s)
	}
	if got := x.bytes(4); string(got) != "\x20\x02\x00\x00" {
		x.t.Fatalf("CONNACK % x", got)
	}
}

// publish is MQTTClient.publish.
func (x umqtt) publish(topic, msg string, qos byte, id uint16) {
	x.t.Helper()
	n := 2 + len(topic) + len(msg) + 2*int(qos)
	x.write(binary.AppendUvarint([]byte{0x30 | qos<<1}, uint64(n)))
	x.str(topic)
	if qos > 0 {
		x.write([]byte{byte(id >> 8), byte(id)})
	}
	x.write([]byte(msg))
	if qos > 0 {
		if got := x.bytes(4); !bytes.Equal(got, []byte{0x40, 2, byte(id >> 8), byte(id)}) {
			x.t.Fatalf("PUBACK % x", got)
		}
	}
}

// subscribe is MQTTClient.subscribe.
func (x umqtt) subscribe(topic string, qos byte, id uint16) {
	x.t.Helper()
	x.write([]byte{0x82, byte(2 + 2 + len(topic) + 1), byte(id >> 8), byte(id)})
	x.str(topic)
	x.write([]byte{qos})
	if got := x.bytes(5); !bytes.Equal(got, []byte{0x90, 3, byte(id >> 8), byte(id), qos}) {
		x.t.Fatalf("SUBACK % x", got)
	}
}

// TestUmqttWrites replays, write for write, what Digi's umqtt.simple sends for its samples, and
// what else it can send: it reads exactly what it waits for.
func TestUmqttWrites(t *testing.T) {
	c := newCloud(t, nil)
	other, _ := c.connect(0, "other", options{})
	other.subscribe(0, "sample/xbee", "will/#", "long")

	x := umqtt{c.dial(0)}
	x.connect(2, 0, "clientID") // the samples: clean, no keep-alive
	c.said("connected", "clientID", "keep-alive 20m0s")
	topic, msg := "sample/xbee", `{"message": "AWS Sample Message"}`
	x.publish(topic, msg, 0, 0)
	other.expect(topic + " " + msg)
	x.subscribe(topic, 0, 1)
	other.publish(topic, "hello", 0, false)
	x.expect(topic + " hello")
	other.expect(topic + " hello")
	x.publish("long", strings.Repeat("x", 20000), 1, 2) // three bytes of length
	other.expect("long " + strings.Repeat("x", 20000))
	x.write([]byte("\xc0\x00"))
	if got := x.bytes(2); string(got) != "\xd0\x00" {
		t.Fatalf("PINGRESP % x", got)
	}
	x.write([]byte("\xe0\x00"))
	x.closed()
	c.said("disconnected", "clientID", "CLIENT_INITIATED_DISCONNECT")

	// A persistent session, keep-alive, a will so long that the length has two bytes, a user.
	x = umqtt{c.dial(0)}
	x.connect(0x04|0xc0, 60, "clientID", "will/of/it", strings.Repeat("w", 200), "user", "password")
	x.subscribe("q/1", 1, 1)
	other.publish("q/1", "sure", 1, false)
	if m, id := x.unacked(); m.QoS != 1 || string(m.Payload) != "sure" {
		t.Fatalf("%+v", m)
	} else {
		x.write([]byte{0x40, 2, byte(id >> 8), byte(id)})
	}
	x.write([]byte("\xc0\x00"))
	if got := x.bytes(2); string(got) != "\xd0\x00" {
		t.Fatalf("PINGRESP % x", got)
	}
	x.conn.(*tls.Conn).NetConn().Close()
	other.expect("will/of/it " + strings.Repeat("w", 200))
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
