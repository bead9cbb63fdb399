package broker

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"testing"
)

// FuzzServe sends anything at all, cut in two, with and without a CONNECT before it.
func FuzzServe(f *testing.F) {
	f.Add(connectBytes("c", true, 60), uint8(3), false)
	f.Add([]byte("\x30\x05\x00\x01tab\x82\x06\x00\x01\x00\x01t\x01\xc0\x00\xe0\x00"), uint8(7), true)
	f.Add([]byte("\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x03\x21\x00\x14\x00\x00"), uint8(1), false)
	f.Add([]byte("\xa2\x05\x00\x01\x00\x01t\x40\x02\x00\x01\x32\x05\x00\x01a\x00\x01"), uint8(0), true)
	f.Fuzz(func(t *testing.T, data []byte, cut uint8, connected bool) {
		r := newRig(t, nil)
		client, server := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.Serve(server, func() (Peer, error) { return Peer{CertID: "x"}, nil })
		}()
		go io.Copy(io.Discard, client)
		if connected {
			client.Write(connectBytes("me", true, 60))
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
	f.Add("t", []byte("payload"), uint16(7), true)
	f.Fuzz(func(t *testing.T, topic string, payload []byte, id uint16, retain bool) {
		if len(topic) > 65535 {
			return
		}
		for qos := range byte(2) {
			b := appendPublish(nil, &Message{Topic: topic, Payload: payload}, qos, retain, id)
			h, body, err := readPacket(bufio.NewReader(bytes.NewReader(b)), 1<<28)
			if err != nil || h.Qos != qos || h.Retain != retain || len(body) != h.Remaining {
				t.Fatalf("%+v %v", h, err)
			}
			if !bytes.HasSuffix(body, payload) || string(body[2:2+len(topic)]) != topic {
				t.Fatal("body differs")
			}
		}
	})
}
