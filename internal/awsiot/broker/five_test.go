package broker

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/skep-sim/skep/internal/awsiot/policy"
)

// five is a client in memory that speaks MQTT 5, or 3.1.1, with the codec's own encoder.
type five struct {
	r       *rig
	nc      net.Conn
	br      *bufio.Reader
	version byte
	ack     packets.Packet // CONNACK
}

// dial5 connects. change may alter the CONNECT.
func (r *rig) dial5(id string, change func(*packets.Packet)) *five {
	r.t.Helper()
	f := r.try5(id, change)
	if f.ack.ReasonCode != 0 {
		r.t.Fatalf("CONNACK %#x", f.ack.ReasonCode)
	}
	return f
}

func (r *rig) try5(id string, change func(*packets.Packet)) *five {
	r.t.Helper()
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Connect}, ProtocolVersion: 5}
	pk.Connect = packets.ConnectParams{ProtocolName: []byte("MQTT"), ClientIdentifier: id, Clean: true}
	if change != nil {
		change(&pk)
	}
	f := &five{r: r, nc: r.pipe(), version: pk.ProtocolVersion}
	f.br = bufio.NewReader(f.nc)
	f.send(&pk)
	f.ack = f.next(packets.Connack)
	return f
}

func (f *five) send(pk *packets.Packet) {
	f.r.t.Helper()
	pk.ProtocolVersion = f.version
	pk.Mods.AllowResponseInfo = true
	var b bytes.Buffer
	encode := map[byte]func(*bytes.Buffer) error{
		packets.Connect: pk.ConnectEncode, packets.Publish: pk.PublishEncode, packets.Subscribe: pk.SubscribeEncode,
		packets.Unsubscribe: pk.UnsubscribeEncode, packets.Puback: pk.PubackEncode, packets.Disconnect: pk.DisconnectEncode,
		packets.Pingreq: pk.PingreqEncode,
	}[pk.FixedHeader.Type]
	if err := encode(&b); err != nil {
		f.r.t.Fatal(err)
	}
	f.r.write(f.nc, b.Bytes())
}

// read gives the next packet.
func (f *five) read() (pk packets.Packet, err error) {
	h, body, err := readPacket(f.br, 1<<20)
	if err != nil {
		return pk, err
	}
	pk = packets.Packet{FixedHeader: h, ProtocolVersion: f.version}
	decode := map[byte]func([]byte) error{
		packets.Connack: pk.ConnackDecode, packets.Publish: pk.PublishDecode, packets.Suback: pk.SubackDecode,
		packets.Unsuback: pk.UnsubackDecode, packets.Puback: pk.PubackDecode, packets.Disconnect: pk.DisconnectDecode,
		packets.Pingresp: pk.PingrespDecode,
	}[h.Type]
	err = decode(body)
	return pk, err
}

// next reads a packet of a type.
func (f *five) next(kind byte) packets.Packet {
	f.r.t.Helper()
	pk, err := f.read()
	if err != nil {
		f.r.t.Fatalf("no %s: %v", packets.PacketNames[kind], err)
	}
	if pk.FixedHeader.Type != kind {
		f.r.t.Fatalf("got %s (%#x, %q), want %s", packets.PacketNames[pk.FixedHeader.Type], pk.ReasonCode, pk.Payload, packets.PacketNames[kind])
	}
	return pk
}

func (f *five) subscribe(filters ...packets.Subscription) []byte {
	f.r.t.Helper()
	f.send(&packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 3, Filters: filters})
	return f.next(packets.Suback).ReasonCodes
}

// publish sends a message; with QoS 1 it gives the PUBACK's code.
func (f *five) publish(topic, payload string, qos byte, change func(*packets.Packet)) byte {
	f.r.t.Helper()
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: qos}, TopicName: topic, Payload: []byte(payload)}
	if qos > 0 {
		pk.PacketID = 9
	}
	if change != nil {
		change(&pk)
	}
	f.send(&pk)
	if qos == 0 {
		return 0
	}
	return f.next(packets.Puback).ReasonCode
}

// message reads a PUBLISH and acknowledges it.
func (f *five) message() packets.Packet {
	f.r.t.Helper()
	pk := f.next(packets.Publish)
	if pk.FixedHeader.Dup {
		f.r.t.Fatal("DUP is set")
	}
	if pk.FixedHeader.Qos == 1 {
		f.send(&packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: pk.PacketID})
	}
	return pk
}

func (f *five) expect(want string) packets.Packet {
	f.r.t.Helper()
	pk := f.message()
	if got := pk.TopicName + " " + string(pk.Payload); got != want {
		f.r.t.Fatalf("got %q, want %q", got, want)
	}
	return pk
}

// expectPaced is expect for a message that the replay's pace holds back. The clock moves until it is there, and not
// once: the writer asks it after the message before.
func (f *five) expectPaced(want string) packets.Packet {
	f.r.t.Helper()
	there, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		for {
			select {
			case <-there:
				return
			case <-time.After(5 * time.Millisecond):
				f.r.clock.Advance(10 * time.Millisecond)
			}
		}
	}()
	defer func() { close(there); <-over }()
	return f.expect(want)
}

// silent makes sure that nothing is on the way.
func (f *five) silent() {
	f.r.t.Helper()
	f.send(&packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}})
	f.next(packets.Pingresp)
}

// ends reads up to the end of the connection and gives the DISCONNECT's code, 0 without one.
func (f *five) ends() byte {
	f.r.t.Helper()
	code := byte(0)
	for {
		pk, err := f.read()
		if err != nil {
			if err != io.EOF {
				f.r.t.Fatalf("the connection does not end: %v", err)
			}
			return code
		}
		if pk.FixedHeader.Type == packets.Disconnect {
			code = pk.ReasonCode
		}
	}
}

// drain reads on until the connection ends, as clients do.
func (f *five) drain() { io.Copy(io.Discard, f.br) }

func props(change func(*packets.Properties)) func(*packets.Packet) {
	return func(pk *packets.Packet) { change(&pk.Properties) }
}

func filter(f string, qos byte) packets.Subscription {
	return packets.Subscription{Filter: f, Qos: qos}
}

func TestConnack5(t *testing.T) {
	r := newRig(t, nil)
	f := r.dial5("", func(pk *packets.Packet) {
		pk.Connect.Keepalive = 5
		pk.Properties.SessionExpiryInterval, pk.Properties.SessionExpiryIntervalFlag = 1<<31, true
	})
	p := f.ack.Properties
	if p.ReceiveMaximum != 100 || p.MaximumQos != 1 || !p.MaximumQosFlag || p.RetainAvailable != 1 || p.MaximumPacketSize != 149504 ||
		p.TopicAliasMaximum != 8 || p.WildcardSubAvailable != 1 || p.SubIDAvailable != 0 || !p.SubIDAvailableFlag || p.SharedSubAvailable != 1 {
		t.Errorf("%+v", p)
	}
	if !strings.HasPrefix(p.AssignedClientID, "$GEN/") || len(p.AssignedClientID) != 41 {
		t.Errorf("assigned client id %q", p.AssignedClientID)
	}
	if p.ServerKeepAlive != 30 || p.SessionExpiryInterval != 3600 {
		t.Errorf("keep-alive %d, expiry %d", p.ServerKeepAlive, p.SessionExpiryInterval)
	}
	plain := r.dial5("plain", func(pk *packets.Packet) { pk.Connect.Keepalive = 60 }).ack.Properties
	if plain.ServerKeepAliveFlag || plain.SessionExpiryIntervalFlag || plain.AssignedClientID != "" {
		t.Errorf("%+v", plain)
	}
}

// TestRefused5: what a client of MQTT 5 is told.
func TestRefused5(t *testing.T) {
	doc, err := policy.Parse("some", []byte(`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
		{"Effect":"Deny","Action":"*","Resource":["arn:aws:iot:*:*:client/no*","arn:aws:iot:*:*:topic/no","arn:aws:iot:*:*:topicfilter/no"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(c *Config) {
		c.Authorize = func(p Peer, id string, attributes []string) (*policy.Compiled, error) {
			return policy.Compile([]*policy.Document{doc}, &policy.Vars{ClientID: id, HasClientID: true}), nil
		}
		c.ThrottleClose, c.Limits.PublishRate, c.Limits.ConnectRate = true, 20, 1
	})
	will := func(change func(*packets.ConnectParams)) func(*packets.Packet) {
		return func(pk *packets.Packet) {
			pk.Connect.WillFlag, pk.Connect.WillTopic = true, "w"
			change(&pk.Connect)
		}
	}
	for _, tt := range []struct {
		id     string
		change func(*packets.Packet)
		code   byte
		says   string
	}{
		{"nobody", nil, 0x87, `explicitly denied by policy "some", statement 2`},
		{strings.Repeat("x", 129), nil, 0x85, "the limit is 128"},
		{"c", will(func(p *packets.ConnectParams) { p.WillQos = 2 }), 0x9b, "QoS 2"},
		{"c", will(func(p *packets.ConnectParams) { p.WillTopic = "a/#" }), 0x90, "wildcard"},
		{"c", props(func(p *packets.Properties) { p.AuthenticationMethod = "x" }), 0x8c, "enhanced authentication"},
	} {
		if got := r.try5(tt.id, tt.change).ack.ReasonCode; got != tt.code {
			t.Errorf("%.20q: CONNACK %#x, want %#x", tt.id, got, tt.code)
		}
		r.said(tt.says)
	}
	for range 10 {
		r.dial5("often", nil)
	}
	if got := r.try5("often", nil).ack.ReasonCode; got != 0x97 {
		t.Errorf("CONNECT too often: CONNACK %#x", got)
	}
	r.said("connects more often than 1 times a second")

	f := r.dial5("c", nil)
	if code := f.publish("no", "x", 1, nil); code != 0x87 {
		t.Errorf("PUBACK %#x", code)
	}
	if codes := f.subscribe(filter("no", 1), filter("yes", 1), filter("a#", 0), filter("1/2/3/4/5/6/7/8/9", 0)); !bytes.Equal(codes, []byte{0x87, 1, 0x8f, 0x8f}) {
		t.Errorf("SUBACK % x", codes)
	}
	f.send(&packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Unsubscribe, Qos: 1}, PacketID: 3, Filters: packets.Subscriptions{{Filter: "yes"}, {Filter: "never"}}})
	if codes := f.next(packets.Unsuback).ReasonCodes; !bytes.Equal(codes, []byte{0, 0x11}) {
		t.Errorf("UNSUBACK % x", codes)
	}
	publish := func(topic string, qos byte, change func(*packets.Packet)) func(*five) {
		return func(f *five) {
			pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: qos}, TopicName: topic, PacketID: 1}
			if change != nil {
				change(&pk)
			}
			f.send(&pk)
		}
	}
	alias := func(n uint16) func(*packets.Packet) {
		return props(func(p *packets.Properties) { p.TopicAlias, p.TopicAliasFlag = n, true })
	}
	raw := func(b ...byte) func(*five) { return func(f *five) { r.write(f.nc, b) } }
	subscribe := func(n int, s packets.Subscription, change func(*packets.Packet)) func(*five) {
		return func(f *five) {
			pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 1}
			for range n {
				pk.Filters = append(pk.Filters, s)
			}
			if change != nil {
				change(&pk)
			}
			f.send(&pk)
		}
	}
	for _, tt := range []struct {
		name string
		do   func(*five)
		code byte
	}{
		{"denied-qos0", publish("no", 0, nil), 0x87},
		{"qos2", publish("a", 2, nil), 0x9b},
		{"wildcard", publish("a/+", 0, nil), 0x90},
		{"empty-topic", publish("", 0, nil), 0x90},
		{"large", publish("a", 0, func(pk *packets.Packet) { pk.Payload = make([]byte, 128<<10+1) }), 0x95},
		{"alias-9", publish("a", 0, alias(9)), 0x94},
		{"alias-unknown", publish("", 0, alias(3)), 0x82},
		{"alias-0", raw(0x30, 7, 0, 1, 'a', 3, 0x23, 0, 0), 0x94},
		{"format-2", raw(0x30, 6, 0, 1, 'a', 2, 1, 2), 0x82},
		{"property-twice", raw(0x30, 8, 0, 1, 'a', 4, 1, 1, 1, 1), 0x82},
		{"property-too-long", raw(0x30, 7, 0, 1, 'a', 2, 3, 0, 1), 0x81},
		{"property-of-another-packet", raw(0x30, 9, 0, 1, 'a', 5, 0x11, 0, 0, 0, 0), 0x82},
		{"response-to-wildcard", publish("a", 0, func(pk *packets.Packet) { pk.Properties.ResponseTopic = "r" }), 0},
		{"second-connect", func(f *five) { f.send(&packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Connect}}) }, 0x82},
		{"auth", raw(0xf0, 2, 0x18, 0), 0x82},
		{"pubrel", raw(0x62, 2, 0, 1), 0x9b},
		{"subscription-id", subscribe(1, filter("a", 0), props(func(p *packets.Properties) { p.SubscriptionIdentifier = []int{5} })), 0xa1},
		{"subscribe-qos2", subscribe(1, filter("a", 2), nil), 0x9b},
		{"subscribe-9", subscribe(9, filter("a", 0), nil), 0x97},
		{"retain-handling-3", subscribe(1, packets.Subscription{Filter: "a", RetainHandling: 3}, nil), 0x82},
		{"no-local-shared", subscribe(1, packets.Subscription{Filter: "$share/g/a", NoLocal: true}, nil), 0x82},
		{"too-fast", func(f *five) {
			for range 21 {
				publish("a", 0, nil)(f)
			}
		}, 0x97},
		{"expiry-at-the-end", func(f *five) {
			f.send(&packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}, Properties: packets.Properties{SessionExpiryInterval: 9, SessionExpiryIntervalFlag: true}})
		}, 0x82},
	} {
		f := r.dial5("f-"+tt.name, nil)
		if tt.code == 0 {
			tt.do(f)
			f.silent()
			continue
		}
		go tt.do(f)
		if got := f.ends(); got != tt.code {
			t.Errorf("%s: DISCONNECT %#x, want %#x", tt.name, got, tt.code)
		}
	}
	r.said("THROTTLED")
}

// TestDisconnects5: what a client is told that is sent away.
func TestDisconnects5(t *testing.T) {
	r := newRig(t, nil)
	first := r.dial5("a", nil)
	second := r.dial5("a", nil)
	if got := first.ends(); got != 0x8e {
		t.Errorf("taken over: %#x", got)
	}
	go second.drain()
	f := r.dial5("b", nil)
	if !r.Disconnect("b", false, false, "the test") || f.ends() != 0x98 {
		t.Error("not disconnected through the API")
	}
	if r.Disconnect("b", false, false, "the test") {
		t.Error("disconnected twice")
	}
	r.said("API_INITIATED_DISCONNECT")
	f = r.dial5("c", func(pk *packets.Packet) { pk.Connect.Keepalive = 30 })
	r.idle()
	r.clock.Advance(46 * time.Second) // not further: the farewell's time would pass as well
	if got := f.ends(); got != 0x8d {
		t.Errorf("keep-alive: %#x", got)
	}
	f = r.dial5("d", nil)
	done := make(chan byte)
	go func() { done <- f.ends() }()
	r.Close()
	if got := <-done; got != 0x8b {
		t.Errorf("closing: %#x", got)
	}
}
