package broker

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"testing"
)

// connect5Bytes is a CONNECT of MQTT 5 with a session of a minute and two topic aliases.
const connect5Bytes = "\x10\x17\x00\x04MQTT\x05\x00\x00\x3c\x08\x11\x00\x00\x00\x3c\x22\x00\x02\x00\x02me"

// FuzzServe sends anything at all, cut in two, with and without a CONNECT before it.
func FuzzServe(f *testing.F) {
	f.Add(connectBytes("c", true, 60), uint8(3), uint8(0))
	f.Add([]byte("\x30\x05\x00\x01tab\x82\x06\x00\x01\x00\x01t\x01\xc0\x00\xe0\x00"), uint8(7), uint8(4))
	f.Add([]byte("\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x03\x21\x00\x14\x00\x00"), uint8(1), uint8(0))
	f.Add([]byte("\xa2\x05\x00\x01\x00\x01t\x40\x02\x00\x01\x32\x05\x00\x01a\x00\x01"), uint8(0), uint8(4))
	f.Add([]byte("\x82\x0f\x00\x01\x00\x00\x09$share/g/t\x01\x30\x0b\x00\x01t\x07\x23\x00\x01\x26\x00\x01k\x00\x01vx\x30\x06\x00\x00\x03\x23\x00\x01x"), uint8(9), uint8(5))
	f.Add([]byte("\x32\x0c\x00\x01t\x00\x01\x05\x02\x00\x00\x00\x09ab\x40\x04\x00\x01\x10\x00\xe0\x07\x04\x05\x11\x00\x00\x00\x09"), uint8(2), uint8(5))
	f.Add([]byte("\xa2\x06\x00\x01\x00\x00\x01t\xf0\x02\x18\x00"), uint8(2), uint8(5))
	f.Fuzz(func(t *testing.T, data []byte, cut, version uint8) {
		r := newRig(t, nil)
		client, server := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.Serve(server, func() (Peer, error) { return Peer{CertID: "x"}, nil })
		}()
		go io.Copy(io.Discard, client)
		switch version {
		case 4:
			client.Write(connectBytes("me", true, 60))
		case 5:
			client.Write([]byte(connect5Bytes))
		}
		n := min(int(cut), len(data))
		client.Write(data[:n])
		client.Write(data[n:])
		client.Close()
		<-done
		if r.count() != 0 {
			t.Fatal("a connection is left")
		}
	})
}

// FuzzReadPacket: what is read back from our own writing is what was written.
func FuzzReadPacket(f *testing.F) {
	f.Add("t", []byte("payload"), uint16(7), true, "text/plain", uint32(9), uint16(3))
	f.Fuzz(func(t *testing.T, topic string, payload []byte, id uint16, retain bool, content string, expiry uint32, alias uint16) {
		if len(topic) > 65535 || len(content) > 65535 {
			return
		}
		m := &Message{Topic: topic, Payload: payload}
		m5 := &Message{Topic: topic, Payload: payload, deadline: int64(expiry) * 1000, Properties: &Properties{
			ContentType: content, Correlation: payload[:min(len(payload), 9)], User: []UserProperty{{content, content}}}}
		for qos := range byte(2) {
			for version, b := range map[byte][]byte{4: appendPublish(nil, m, qos, retain, id), 5: appendPublish5(nil, m5, qos, retain, id, alias, false, 0)} {
				h, body, err := readPacket(bufio.NewReader(bytes.NewReader(b)), 1<<28)
				if err != nil || h.Qos != qos || h.Retain != retain || len(body) != h.Remaining {
					t.Fatalf("%+v %v", h, err)
				}
				p, err := readPublish(h, body, version)
				if _, _, valid := cutText(appendString(nil, topic)); !valid {
					if err == nil {
						t.Fatal("a topic that is not text is taken")
					}
					continue
				}
				if _, _, valid := cutText(appendString(nil, content)); version == 5 && !valid {
					continue
				}
				if err != nil || string(p.topic) != topic || !bytes.Equal(p.payload, payload) || qos > 0 && p.id != id {
					t.Fatalf("%+v, %v", p, err)
				}
				if version == 5 && (p.alias != alias || p.props.ContentType != content || expiry > 0 && p.props.Expiry != expiry) {
					t.Fatalf("%+v", p.props)
				}
			}
		}
	})
}

// FuzzHello: no CONNECT breaks its reader.
func FuzzHello(f *testing.F) {
	f.Add(connectBytes("c", true, 60)[2:])
	f.Add([]byte("\x00\x04MQTT\x05\x36\x00\x3c\x03\x21\x00\x14\x00\x01c\x05\x18\x00\x00\x00\x05\x00\x01w\x00\x02hi"))
	f.Add([]byte("\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01c"))
	f.Fuzz(func(t *testing.T, body []byte) {
		l := DefaultLimits()
		h, err := l.readHello(body)
		if err == nil && (len(h.id) > l.ClientID || h.version != 4 && h.version != 5 || h.will != nil && h.will.QoS > 1) {
			t.Fatalf("%+v", h)
		}
	})
}
