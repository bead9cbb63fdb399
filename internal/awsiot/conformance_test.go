package awsiot

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/skep-sim/skep/internal/awsiot/broker"
)

var update = flag.Bool("update", false, "write docs/aws-conformance.md anew from what the test sees")

const conformanceDoc = "../../docs/aws-conformance.md"

// probe is the cloud that a check looks at: certificate 0 may do everything, certificate 1
// what conformancePolicy says.
type probe struct {
	*cloud
	clock *skewed
}

// skewed is the machine's clock, which can be put forward.
type skewed struct {
	realClock
	ahead atomic.Int64
}

func (s *skewed) Now() time.Time { return s.realClock.Now().Add(time.Duration(s.ahead.Load())) }

const conformancePolicy = `{"Version":"2012-10-17","Statement":[
	{"Effect":"Allow","Action":"iot:Connect","Resource":"arn:aws:iot:*:*:client/${iot:ClientId}"},
	{"Effect":"Allow","Action":["iot:Publish","iot:Receive"],"Resource":"arn:aws:iot:*:*:topic/room*"},
	{"Effect":"Allow","Action":"iot:Subscribe","Resource":"arn:aws:iot:*:*:topicfilter/room*"},
	{"Effect":"Deny","Action":"*","Resource":["arn:aws:iot:*:*:client/no*","arn:aws:iot:*:*:topic/room/secret/*"]}]}`

// check is one row: what AWS does, where that is known from, and a run that says what was seen
// here in the same words.
type check struct {
	name, aws, source string
	run               func(p *probe) string
}

// TestConformance compares what the local AWS IoT does with what AWS does, as far as it is
// known, and keeps the page that shows it.
func TestConformance(t *testing.T) {
	clock := &skewed{}
	c := newCloud(t, func(c *Config) {
		c.Clock = clock
		c.Limits.ReplayRate = 0
		c.Limits.PublishRate, c.Limits.ConnectRate = 0, 0
	})
	must(t, c.store.PutPolicy("rooms", []byte(conformancePolicy)))
	c.addDevice(1, "thing1", "rooms")
	var page strings.Builder
	page.WriteString(conformanceHead)
	for _, k := range conformanceChecks() {
		t.Run(strings.ReplaceAll(k.name, " ", "-"), func(t *testing.T) {
			p := &probe{c, clock}
			p.t = t
			got := k.run(p)
			if got != k.aws {
				t.Errorf("%s: %s; AWS: %s", k.name, got, k.aws)
			}
			fmt.Fprintf(&page, "| %s | %s | %s | %s |\n", k.name, k.aws, got, k.source)
		})
	}
	if t.Failed() {
		return
	}
	if *update {
		must(t, os.WriteFile(conformanceDoc, []byte(page.String()), 0o644))
	}
	have, err := os.ReadFile(conformanceDoc)
	must(t, err)
	if string(have) != page.String() {
		t.Errorf("%s is not what this test sees: run it with -update", conformanceDoc)
	}
}

const conformanceHead = `# What AWS IoT Core does, and what is served here

Made by ` + "`go test ./internal/awsiot -run TestConformance -update`" + `: the third column is what the test has seen, over TLS.
Sources: *doc* is AWS's developer guide, *issue* a public thread named in [aws-iot-facts.md](aws-iot-facts.md), *?* a choice that
was not verified against AWS.

| check | AWS | here | source |
|---|---|---|---|
`

// after says what becomes of a connection that has sent something: whether it closes, or
// answers a PINGREQ.
func (cl *client) after() string {
	if _, err := cl.conn.Write([]byte{0xc0, 0}); err != nil {
		return "closes"
	}
	switch first, err := cl.r.ReadByte(); {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "hangs"
	case err != nil:
		return "closes"
	case first != 0xd0:
		return fmt.Sprintf("packet %#02x", first)
	}
	cl.bytes(1)
	return "stays open"
}

// ends5 says how a connection of MQTT 5 ends. It sends nothing: that could overtake.
func (cl *client) ends5() string {
	return fmt.Sprintf("DISCONNECT %#02x", cl.packet5(packets.Disconnect).ReasonCode)
}

// waiting reads all messages that are on the way. An answer may overtake the messages queued
// before it, but not those before the answer before.
func (cl *client) waiting() (out []broker.Message) {
	for range 2 {
		cl.write([]byte{0xc0, 0})
		for {
			first, err := cl.r.Peek(1)
			must(cl.t, err)
			if first[0] == 0xd0 {
				cl.bytes(2)
				break
			}
			out = append(out, cl.message())
		}
	}
	return out
}

// got says whether this message is on the way, and no other.
func (cl *client) got(topic, payload string) string {
	list := cl.waiting()
	switch {
	case len(list) == 0:
		return "no"
	case len(list) == 1 && list[0].Topic == topic && string(list[0].Payload) == payload:
		return "yes"
	}
	return fmt.Sprintf("%d messages, the first on %s", len(list), list[0].Topic)
}

// five connects a client of MQTT 5 and gives the CONNACK; the rest is bytes.
func (p *probe) five(n int, id string, change func(*packets.Packet)) (*client, packets.Packet) {
	p.t.Helper()
	pk := connectPacket(id, options{})
	pk.ProtocolVersion = 5
	if change != nil {
		change(pk)
	}
	x := p.dial(n)
	x.write(encode(pk))
	ack := x.packet5(packets.Connack)
	return x, ack
}

// packet5 reads a packet of MQTT 5 of a type.
func (cl *client) packet5(kind byte) packets.Packet {
	cl.t.Helper()
	head := cl.bytes(1)[0]
	n, _, err := packets.DecodeLength(cl.r)
	must(cl.t, err)
	pk := packets.Packet{ProtocolVersion: 5}
	must(cl.t, pk.FixedHeader.Decode(head))
	pk.FixedHeader.Remaining = n
	body := cl.bytes(n)
	if pk.FixedHeader.Type != kind {
		cl.t.Fatalf("packet type %d: % x", pk.FixedHeader.Type, body)
	}
	switch kind {
	case packets.Connack:
		err = pk.ConnackDecode(body)
	case packets.Publish:
		err = pk.PublishDecode(body)
	case packets.Suback:
		err = pk.SubackDecode(body)
	case packets.Puback:
		err = pk.PubackDecode(body)
	case packets.Disconnect:
		err = pk.DisconnectDecode(body)
	}
	must(cl.t, err)
	return pk
}

// send5 writes a packet of MQTT 5.
func (cl *client) send5(pk packets.Packet) {
	pk.ProtocolVersion = 5
	pk.Mods.AllowResponseInfo = true
	cl.write(encode(&pk))
}

func (cl *client) subscribe5(filters ...string) string {
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 9}
	for _, f := range filters {
		pk.Filters = append(pk.Filters, packets.Subscription{Filter: f, Qos: 1})
	}
	cl.send5(pk)
	return fmt.Sprintf("SUBACK %#02x", cl.packet5(packets.Suback).ReasonCodes[0])
}

// publish5 publishes with QoS 1 and gives the PUBACK.
func (cl *client) publish5(topic, payload string) string {
	cl.send5(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, PacketID: 7, TopicName: topic, Payload: []byte(payload)})
	return fmt.Sprintf("PUBACK %#02x", cl.packet5(packets.Puback).ReasonCode)
}

// does connects a client with certificate n, sends b and says what becomes of the connection.
func (p *probe) does(n int, id string, b []byte) string {
	x, _ := p.connect(n, id, options{})
	x.write(b)
	return x.after()
}

// delivers says whether a message published to a topic reaches a subscriber of a filter.
func (p *probe) delivers(filter, topic string) string {
	sub, _ := p.connect(0, "sub", options{})
	defer sub.disconnect()
	sub.subscribe(0, filter)
	must(p.t, p.Publish(Message{Topic: topic, Payload: []byte("x")}))
	return sub.got(topic, "x")
}

// refuses says how a CONNECT ends.
func (p *probe) refuses(n int, connect []byte) string {
	x := p.dial(n)
	x.write(connect)
	first, err := x.r.ReadByte()
	if err != nil {
		return "closes without CONNACK"
	}
	if first != 0x20 {
		return fmt.Sprintf("packet %#02x", first)
	}
	rest := x.bytes(3)
	if rest[2] == 0 {
		return "accepted"
	}
	return fmt.Sprintf("CONNACK %#02x", rest[2])
}

// silentFor says whether a connection that says nothing is closed.
func (p *probe) silentFor(nc net.Conn) string {
	defer nc.Close()
	must(p.t, nc.SetDeadline(time.Now().Add(60*time.Second)))
	p.clock.ahead.Add(int64(11 * time.Second))
	if _, err := nc.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
		return "stays open"
	}
	return "closes"
}

// will is a will on a topic.
func will(topic string, qos byte) options {
	return options{will: &broker.Message{Topic: topic, Payload: []byte("gone"), QoS: qos}}
}

// both joins what two runs have shown.
func both(a, b string) string { return a + " / " + b }
