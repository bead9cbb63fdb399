package broker

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// v3 makes a client speak MQTT 3.1.1.
func v3(pk *packets.Packet) { pk.ProtocolVersion = 4 }

// persistent asks for a session of so many seconds.
func persistent(seconds uint32) func(*packets.Packet) {
	return func(pk *packets.Packet) {
		pk.Connect.Clean = false
		pk.Properties.SessionExpiryInterval, pk.Properties.SessionExpiryIntervalFlag = seconds, true
	}
}

// TestProperties5: what an MQTT 5 message has besides topic and payload reaches MQTT 5
// subscribers as it was, and not those of MQTT 3.1.1.
func TestProperties5(t *testing.T) {
	r := newRig(t, nil)
	pub, new5, old := r.dial5("pub", nil), r.dial5("new", nil), r.dial5("old", v3)
	new5.subscribe(filter("t", 1))
	old.subscribe(filter("t", 1))
	sent := packets.Properties{
		PayloadFormat: 1, PayloadFormatFlag: true, MessageExpiryInterval: 60, ContentType: "text/plain", ResponseTopic: "re/ply",
		CorrelationData: []byte{1, 0, 2}, User: []packets.UserProperty{{Key: "a", Val: "1"}, {Key: "a", Val: "2"}, {Key: "", Val: ""}},
	}
	if code := pub.publish("t", "hello", 1, func(pk *packets.Packet) { pk.Properties = sent }); code != 0 {
		t.Fatalf("PUBACK %#x", code)
	}
	got := new5.expect("t hello")
	if fmt.Sprintf("%+v", got.Properties) != fmt.Sprintf("%+v", sent) {
		t.Errorf("got  %+v\nsent %+v", got.Properties, sent)
	}
	old.expect("t hello")
	// The other way round: an MQTT 3.1.1 message has none.
	if code := old.publish("t", "old", 1, nil); code != 0 {
		t.Fatalf("PUBACK %#x", code)
	}
	if got := new5.expect("t old"); fmt.Sprintf("%+v", got.Properties) != fmt.Sprintf("%+v", packets.Properties{}) {
		t.Errorf("%+v", got.Properties)
	}
}

func TestMessageExpiry5(t *testing.T) {
	r := newRig(t, nil)
	sub := r.dial5("sub", persistent(3600))
	sub.subscribe(filter("t", 1))
	sub.nc.Close()
	r.until("the end", func() bool { return r.count() == 0 })
	pub := r.dial5("pub", nil)
	for _, seconds := range []uint32{10, 0, 100} {
		pub.publish("t", fmt.Sprint(seconds), 1, props(func(p *packets.Properties) { p.MessageExpiryInterval = seconds }))
	}
	pub.publish("t", "keeps", 1, func(pk *packets.Packet) { pk.FixedHeader.Retain, pk.Properties.MessageExpiryInterval = true, 10 })
	r.idle()
	r.clock.Advance(30 * time.Second)
	sub = r.dial5("sub", persistent(3600))
	sub.expect("t 0")
	if left := sub.expectPaced("t 100").Properties.MessageExpiryInterval; left > 70 || left < 69 {
		t.Errorf("%d seconds are left of 100, of which 30 to 31 have passed", left)
	}
	r.clock.Advance(time.Second)
	sub.silent()
	sub.subscribe(filter("t", 1)) // its retained message has expired, too
	sub.silent()
}

func TestTopicAlias5(t *testing.T) {
	r := newRig(t, nil)
	pub := r.dial5("pub", nil)
	sub := r.dial5("sub", props(func(p *packets.Properties) { p.TopicAliasMaximum = 2 }))
	sub.subscribe(filter("#", 0))
	alias := func(n uint16) func(*packets.Packet) {
		return props(func(p *packets.Properties) { p.TopicAlias, p.TopicAliasFlag = n, true })
	}
	pub.publish("a", "1", 0, alias(8))
	pub.publish("", "2", 0, alias(8))
	pub.publish("b", "3", 0, alias(8)) // it stands for another topic now
	pub.publish("", "4", 0, alias(8))
	pub.publish("c", "5", 0, nil)
	for _, want := range []struct {
		topic   string
		alias   uint16
		payload string
	}{{"a", 1, "1"}, {"", 1, "2"}, {"b", 2, "3"}, {"", 2, "4"}, {"c", 0, "5"}} {
		m := sub.message()
		if m.TopicName != want.topic || m.Properties.TopicAlias != want.alias || string(m.Payload) != want.payload {
			t.Errorf("got %q alias %d %q, want %+v", m.TopicName, m.Properties.TopicAlias, m.Payload, want)
		}
	}
}

// TestFlow5: a client is sent no more, and nothing longer, than it said it takes.
func TestFlow5(t *testing.T) {
	r := newRig(t, nil)
	sub := r.dial5("sub", props(func(p *packets.Properties) { p.ReceiveMaximum, p.MaximumPacketSize = 2, 60 }))
	sub.subscribe(filter("t", 1))
	for _, payload := range []string{"1", "2", string(make([]byte, 60)), "3"} {
		if err := r.Publish(Message{Topic: "t", Payload: []byte(payload), QoS: 1}); err != nil {
			t.Fatal(err)
		}
	}
	r.said("takes packets of 60 bytes at most")
	one := sub.next(packets.Publish)
	sub.next(packets.Publish)
	sub.silent()
	sub.send(&packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: one.PacketID})
	sub.expect("t 3")
}

func TestSubscribeOptions5(t *testing.T) {
	r := newRig(t, nil)
	f, other := r.dial5("f", nil), r.dial5("other", nil)
	keep := func(pk *packets.Packet) { pk.FixedHeader.Retain = true }
	f.publish("r", "kept", 1, keep)
	sub := func(handling byte, change func(*packets.Subscription)) {
		s := packets.Subscription{Filter: "r", Qos: 1, RetainHandling: handling}
		if change != nil {
			change(&s)
		}
		f.subscribe(s)
	}
	sub(2, nil)
	f.silent()
	sub(1, nil) // not new
	f.silent()
	sub(0, nil)
	if m := f.expect("r kept"); !m.FixedHeader.Retain {
		t.Error("a retained message comes without RETAIN")
	}
	other.publish("r", "live", 1, keep)
	if m := f.expect("r live"); m.FixedHeader.Retain {
		t.Error("RETAIN is set on a live message")
	}
	sub(2, func(s *packets.Subscription) { s.RetainAsPublished, s.NoLocal = true, true })
	other.publish("r", "live", 1, keep)
	if m := f.expect("r live"); !m.FixedHeader.Retain {
		t.Error("RETAIN is not kept as published")
	}
	f.publish("r", "own", 1, nil)
	f.silent() // no local
	f.send(&packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Unsubscribe, Qos: 1}, PacketID: 1, Filters: packets.Subscriptions{{Filter: "r"}}})
	f.next(packets.Unsuback)
	sub(1, nil) // new
	f.expect("r live")
}

// TestShared: each message goes to one of a group, in turn; those who are away get some only
// when all are.
func TestShared(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.ShareMembers = 3 })
	var members []*five
	for i := range 3 {
		change := v3
		if i > 0 {
			change = nil
		}
		members = append(members, r.dial5(fmt.Sprint("m", i), change))
		if codes := members[i].subscribe(filter("$share/g/t/+", 1)); codes[0] != 1 {
			t.Fatalf("SUBACK % x", codes)
		}
	}
	one := r.dial5("alone", nil)
	one.subscribe(filter("$share/h/t/x", 0), filter("t/#", 0)) // two groups and a plain one
	if codes := r.dial5("fourth", nil).subscribe(filter("$share/g/t/+", 0)); codes[0] != 0x97 {
		t.Errorf("the fourth of three: SUBACK % x", codes)
	}
	for i := range 9 {
		if err := r.Publish(Message{Topic: "t/x", Payload: []byte{'0' + byte(i)}, QoS: 1}); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for _, m := range members {
		for range 3 {
			seen[string(m.message().Payload)] = true
		}
		m.silent()
	}
	if len(seen) != 9 {
		t.Errorf("%d of 9 messages came", len(seen))
	}
	for range 9 {
		one.message()
	}
	one.silent()
	for _, m := range members[1:] {
		m.send(&packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}})
	}
	r.until("two less", func() bool { return r.count() == 3 })
	for range 4 {
		if err := r.Publish(Message{Topic: "t/y", QoS: 1}); err != nil {
			t.Fatal(err)
		}
		members[0].expect("t/y ")
	}
	if codes := members[0].subscribe(filter("a", 0)); !bytes.Equal(codes, []byte{0}) {
		t.Error("no SUBACK")
	}
}

// TestSharedAway: when all members are away, the sessions that are kept queue.
func TestSharedAway(t *testing.T) {
	r := newRig(t, nil)
	f := r.dial5("f", persistent(60))
	f.subscribe(filter("$share/g/t", 1))
	f.nc.Close()
	r.until("the end", func() bool { return r.count() == 0 })
	if err := r.Publish(Message{Topic: "t", Payload: []byte("x"), QoS: 1}); err != nil {
		t.Fatal(err)
	}
	r.dial5("f", persistent(60)).expect("t x")
}

// delayedWill connects with a session, and a will on will/ID that waits; both in seconds.
func delayedWill(id string, delay, expiry uint32) func(*packets.Packet) {
	return func(pk *packets.Packet) {
		persistent(expiry)(pk)
		pk.Connect.WillFlag, pk.Connect.WillTopic, pk.Connect.WillPayload = true, "will/"+id, []byte("gone")
		pk.Connect.WillProperties = packets.Properties{WillDelayInterval: delay, ContentType: "c", User: []packets.UserProperty{{Key: "k", Val: "v"}}}
	}
}

func TestWill5(t *testing.T) {
	r := newRig(t, nil)
	w, err := r.Watch("will/+")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	will := func(id string, delay, expiry uint32) *five { return r.dial5(id, delayedWill(id, delay, expiry)) }
	leave := func(f *five, code byte) {
		f.send(&packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}, ReasonCode: code})
		r.until("the end", func() bool { return r.count() == 0 })
	}
	next := func(want string) {
		t.Helper()
		var m Message
		select {
		case m = <-w.C():
		case <-time.After(time.Minute):
			t.Fatalf("%s does not come", want)
		}
		if m.Topic != want || m.Properties == nil || m.Properties.ContentType != "c" || len(m.Properties.User) != 1 {
			t.Errorf("got %+v, want %s", m, want)
		}
	}
	leave(will("polite", 0, 60), 0)
	leave(will("asks", 0, 60), 0x04)
	next("will/asks")
	leave(will("late", 20, 60), 0x04)
	r.clock.Advance(19 * time.Second)
	leave(will("ends", 100, 30), 0x04) // the session ends before the delay
	next2 := func(want string, d time.Duration) {
		t.Helper()
		r.clock.Advance(d)
		next(want)
	}
	next2("will/late", 3*time.Second)
	next2("will/ends", 30*time.Second)
	leave(will("back", 20, 60), 0x04)
	back := will("back", 20, 60) // in time
	r.clock.Advance(25 * time.Second)
	back.silent()
	leave(back, 0)
	leave(will("anew", 20, 60), 0x04)
	r.dial5("anew", nil) // a clean start ends the session, and the delay with it
	next("will/anew")
	go r.dial5("taken", nil).drain()
	if n := len(w.C()); n != 0 {
		t.Errorf("%d wills too many: %+v", n, <-w.C())
	}
}

// TestSession5: how long a session is kept is the client's to say, up to the limit, also when
// it leaves.
func TestSession5(t *testing.T) {
	r := newRig(t, nil)
	for _, tt := range []struct {
		name    string
		connect func(*packets.Packet)
		leave   packets.Properties
		after   time.Duration
		present bool
	}{
		{"none", nil, packets.Properties{}, 0, false},
		{"not asked for", func(pk *packets.Packet) { pk.Connect.Clean = false }, packets.Properties{}, 0, false},
		{"in time", persistent(100), packets.Properties{}, 90 * time.Second, true},
		{"too late", persistent(100), packets.Properties{}, 110 * time.Second, false},
		{"capped", persistent(1 << 31), packets.Properties{}, 2 * time.Hour, false},
		{"ended", persistent(100), packets.Properties{SessionExpiryIntervalFlag: true}, 0, false},
		{"longer", persistent(10), packets.Properties{SessionExpiryIntervalFlag: true, SessionExpiryInterval: 200}, 150 * time.Second, true},
	} {
		f := r.dial5(tt.name, tt.connect)
		f.subscribe(filter("t", 1))
		f.send(&packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}, Properties: tt.leave})
		f.ends()
		r.until("the end", func() bool { return r.count() == 0 })
		r.clock.Advance(tt.after)
		f = r.dial5(tt.name, func(pk *packets.Packet) { pk.Connect.Clean = false })
		if f.ack.SessionPresent != tt.present {
			t.Errorf("%s: session present %v", tt.name, f.ack.SessionPresent)
		}
		f.nc.Close()
		r.until("the end", func() bool { return r.count() == 0 })
	}
}

// TestUnacknowledged: a message its receiver never acknowledges is dropped after an hour.
func TestUnacknowledged(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.InFlight = 1 })
	f := r.dial5("f", nil)
	f.subscribe(filter("t", 1))
	for _, p := range []string{"lost", "next"} {
		if err := r.Publish(Message{Topic: "t", Payload: []byte(p), QoS: 1}); err != nil {
			t.Fatal(err)
		}
	}
	f.next(packets.Publish)
	for range 6 {
		f.silent()
		r.idle()
		r.clock.Advance(10 * time.Minute)
	}
	r.clock.Advance(5 * time.Second)
	f.expect("t next")
	r.said("1 messages were not acknowledged within 1h0m0s")
}
