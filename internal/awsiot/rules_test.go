package awsiot

import (
	"bytes"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// TestClosingRules lists what AWS IoT closes a connection for, after CONNECT: the bytes sent,
// and the words of the log line that says why. Nothing comes back before the close.
func TestClosingRules(t *testing.T) {
	c := newCloud(t, nil)
	levels := func(n int) string { return strings.Repeat("a/", n) + "a" }
	raw := func(s string) []byte { return []byte(s) }
	qos2 := publishBytes("a", "x", 1, false)
	qos2[0] = 0x34
	longPayload := publishBytes("a", strings.Repeat("x", 128<<10+1), 0, false)
	for _, tt := range []struct {
		name string
		send []byte
		says string
	}{
		{"publish qos 2", qos2, "QoS 2"},
		{"publish qos 3", raw("\x36\x05\x00\x01a\x00\x01"), "qos out of range"},
		{"publish with id 0", raw("\x32\x05\x00\x01a\x00\x00"), "packet identifier 0"},
		{"publish dup qos 0", raw("\x38\x03\x00\x01a"), "dup"},
		{"publish without topic", raw("\x30\x02\x00\x00"), "topic is empty"},
		{"publish to a wildcard", publishBytes("a/+", "x", 0, false), "wildcard"},
		{"publish to a NUL", publishBytes("a\x00b", "x", 0, false), "UTF-8"},
		{"publish to bad UTF-8", publishBytes("a\xff", "x", 0, false), "UTF-8"},
		{"publish 8 slashes", publishBytes(levels(8), "x", 0, false), "8 slashes, the limit is 7"},
		{"publish 257 byte topic", publishBytes(strings.Repeat("t", 257), "x", 0, false), "257 bytes, the limit is 256"},
		{"publish 128 KB + 1", longPayload, "131073 bytes of payload, the limit is 131072"},
		{"packet of 200 MB", raw("\x30\xff\xff\xff\x7f"), "longer than any"},
		{"five length bytes", raw("\x30\xff\xff\xff\xff\x01"), "remaining length"},
		{"retain on $aws", publishBytes("$aws/things/thing0/shadow/update", "{}", 0, true), "RETAIN on the reserved topic"},
		{"publish to $aws/events", publishBytes("$aws/events/x", "x", 0, false), "reserved"},
		{"publish to $SYS", publishBytes("$SYS/x", "x", 0, false), "reserved"},
		{"publish an answer", publishBytes("$aws/things/thing0/shadow/update/accepted", "x", 0, false), "only AWS IoT itself"},
		{"publish an answer of jobs", publishBytes("$aws/things/thing0/jobs/get/accepted", "{}", 0, false), "only AWS IoT itself"},
		{"bad thing name", publishBytes("$aws/things/a b/shadow/get", "", 0, false), "reserved"},
		{"subscribe 9 filters", subscribeBytes(0, "1", "2", "3", "4", "5", "6", "7", "8", "9"), "9 topic filters, the limit is 8"},
		{"subscribe no filter", raw("\x82\x02\x00\x01"), "no topic filter"},
		{"subscribe id 0", raw("\x82\x06\x00\x00\x00\x01a\x00"), "packet identifier 0"},
		{"subscribe qos 2", subscribeBytes(2, "a"), "QoS 2"},
		{"subscribe qos 3", raw("\x82\x06\x00\x01\x00\x01a\x03"), "qos out of range"},
		{"subscribe flags", raw("\x80\x06\x00\x01\x00\x01a\x00"), "malformed"},
		{"subscribe a#", subscribeBytes(0, "a#"), "not a whole level"},
		{"subscribe #/a", subscribeBytes(0, "#/a"), "not its last level"},
		{"subscribe 8 slashes", subscribeBytes(0, levels(8)), "8 slashes"},
		{"subscribe empty", subscribeBytes(0, ""), "empty"},
		{"subscribe $SYS", subscribeBytes(0, "$SYS/#"), "reserved"},
		{"subscribe basic ingest", subscribeBytes(0, "$aws/rules/r/#"), "Basic Ingest"},
		{"subscribe shared without a filter", subscribeBytes(0, "$share/group"), "$share/GROUP/FILTER"},
		{"unsubscribe flags", raw("\xa0\x05\x00\x01\x00\x01a"), "malformed"},
		{"second connect", encode(connectPacket("again", options{})), "second CONNECT"},
		{"pubrec", raw("\x50\x02\x00\x01"), "QoS 0 and 1 only"},
		{"suback from a client", raw("\x90\x03\x00\x01\x00"), "does not send"},
		{"truncated publish", raw("\x30\x03\x00\x09a"), "malformed"},
		{"reserved type", raw("\x00\x00"), "does not send"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id := strings.ReplaceAll(tt.name, " ", "-")
			id = strings.NewReplacer("#", "", "+", "").Replace(id)
			x, _ := c.connect(0, id, options{})
			x.t = t
			x.write(tt.send)
			x.closed()
			c.said("refused", `"`+id+`"`, tt.says)
			c.said("disconnected", `"`+id+`"`, "CLIENT_ERROR")
		})
	}
}

// TestConnectRules lists what is refused at CONNECT, with the bytes that come back.
func TestConnectRules(t *testing.T) {
	c := newCloud(t, nil)
	with := func(change func(*packets.Packet)) []byte {
		pk := connectPacket("ccc", options{})
		change(pk)
		return encode(pk)
	}
	flags := func(f byte) []byte { // the connect flags of a CONNECT without will, user and password
		b := encode(connectPacket("ccc", options{}))
		b[9] = f
		return b
	}
	for _, tt := range []struct {
		name, answer, says string
		send               []byte
	}{
		{"mqtt 3.1", "\x20\x02\x00\x01", "level 3", with(func(p *packets.Packet) { p.ProtocolVersion, p.Connect.ProtocolName = 3, []byte("MQIsdp") })},
		{"level 6", "\x20\x02\x00\x01", "level 6", with(func(p *packets.Packet) { p.ProtocolVersion = 6 })},
		{"not mqtt", "", "is not MQTT", with(func(p *packets.Packet) { p.Connect.ProtocolName = []byte("AMQP") })},
		{"empty id", "\x20\x02\x00\x02", "client id is empty", with(func(p *packets.Packet) { p.Connect.ClientIdentifier = "" })},
		{"129 byte id", "", "129 bytes, the limit is 128", with(func(p *packets.Packet) { p.Connect.ClientIdentifier = strings.Repeat("i", 129) })},
		{"reserved flag", "", "reserved bit", flags(3)},
		{"will qos without will", "", "without a will", flags(2 | 1<<3)},
		{"password without user", "", "a password without a user name", flags(2 | 1<<6)},
		{"trailing bytes", "", "its fields need", func() []byte { b := append(flags(2), 'x'); b[1]++; return b }()},
		{"will qos 2", "", "will has QoS 2", encode(connectPacket("ccc", options{will: &broker.Message{Topic: "w", Payload: []byte("x"), QoS: 2}}))},
		{"will on a wildcard", "", "wildcard", encode(connectPacket("ccc", options{will: &broker.Message{Topic: "w/#", Payload: []byte("x")}}))},
		{"publish first", "", "not CONNECT", publishBytes("a", "x", 0, false)},
		{"http", "", "malformed", []byte("GET / HTTP/1.1\r\n\r\n")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.mu.Lock()
			c.events = nil
			c.mu.Unlock()
			x := c.dial(0)
			x.t = t
			x.write(tt.send)
			if tt.answer != "" {
				if got := x.bytes(len(tt.answer)); string(got) != tt.answer {
					t.Fatalf("answer is % x", got)
				}
			}
			x.closed()
			c.said("refused", tt.says)
		})
	}
	t.Run("128 byte id", func(t *testing.T) { c.connect(0, strings.Repeat("i", 128), options{}) })
}

// TestDelivery covers who gets which message, where AWS differs from MQTT and where not.
func TestDelivery(t *testing.T) {
	c := newCloud(t, nil)
	pub, _ := c.connect(0, "pub", options{})
	sub := func(id string, qos byte, filters ...string) *client {
		x, _ := c.connect(0, id, options{})
		x.subscribe(qos, filters...)
		return x
	}
	hash := sub("hash", 0, "a/#")
	all := sub("all", 1, "#", "+/+", "a/+")
	odd := sub("odd", 0, "*", "dt/>/s", "a b", "a.b", "/x", "y/")
	pub.publish("a", "1", 1, false)
	hash.silent() // AWS: a/# does not match a
	pub.publish("a/b", "2", 1, false)
	hash.expect("a/b 2")
	hash.silent()
	all.expect("a 1")
	all.expect("a/b 2") // one copy, though three filters match
	all.silent()
	pub.publish("$aws/things/thing0/shadow/get", "", 0, false)
	all.silent() // wildcards in front do not reach $ topics
	for _, topic := range []string{"*", "dt/>/s", "a b", "a.b", "/x", "y/"} {
		pub.publish(topic, "odd", 0, false)
		odd.expect(topic + " odd")
	}
	pub.publish("dt/x/s", "no", 0, false)
	pub.publish("x", "no", 0, false)
	pub.publish("y", "no", 0, false)
	odd.silent()

	// QoS is the smaller of published and granted.
	pub.publish("q", "at 1", 1, false)
	for m := all.message(); string(m.Payload) != "at 1"; m = all.message() {
		if m.QoS != 0 {
			t.Fatalf("%s was published with QoS 0 and came with %d", m.Topic, m.QoS)
		}
	}
	// The largest payload and the deepest topic pass.
	deep := sub("deep", 1, "1/2/3/4/5/6/7/8")
	pub.publish("1/2/3/4/5/6/7/8", strings.Repeat("x", 128<<10), 1, false)
	if m := deep.message(); len(m.Payload) != 128<<10 {
		t.Fatalf("payload of %d bytes came", len(m.Payload))
	}
	// Unsubscribing ends it.
	deep.write(encode(&packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Unsubscribe, Qos: 1}, PacketID: 5,
		Filters: packets.Subscriptions{{Filter: "1/2/3/4/5/6/7/8"}}}))
	if got := deep.bytes(4); !bytes.Equal(got, []byte{0xb0, 2, 0, 5}) {
		t.Fatalf("UNSUBACK is % x", got)
	}
	pub.publish("1/2/3/4/5/6/7/8", "x", 1, false)
	deep.silent()
	// Basic Ingest is accepted and delivered to nobody.
	pub.publish("$aws/rules/myrule/a/b", "x", 1, false)
	hash.silent()
}

func TestSubscriptionLimit(t *testing.T) {
	c := newCloud(t, nil)
	x, _ := c.connect(0, "many", options{})
	for i := range 50 {
		if got := x.subscribe(1, strings.Repeat("s", i+1)); got[0] != 1 {
			t.Fatalf("subscription %d got %x", i+1, got)
		}
	}
	if got := x.subscribe(1, "one more"); got[0] != 0x80 {
		t.Fatalf("subscription 51 got %x", got)
	}
	if got := x.subscribe(0, "s"); got[0] != 0 { // replacing is not adding
		t.Fatalf("replacing got %x", got)
	}
	c.said("refused", "50 subscriptions")
}

func TestRetained(t *testing.T) {
	c := newCloud(t, nil)
	x, _ := c.connect(0, "x", options{})
	x.publish("r/1", "kept", 1, true)
	y, _ := c.connect(0, "y", options{})
	y.subscribe(1, "r/+", "r/#")
	y.silent() // AWS: never to wildcards
	y.subscribe(1, "r/1")
	if m := y.message(); !m.Retain || m.QoS != 1 || string(m.Payload) != "kept" {
		t.Fatalf("got %+v", m)
	}
	x.publish("r/1", "live", 1, true)
	if m := y.message(); m.Retain {
		t.Fatal("a live message has RETAIN set")
	}
	x.publish("r/1", "", 1, true) // removes, and is delivered
	y.expect("r/1 ")
	y.subscribe(1, "r/1")
	y.silent()
	if _, ok := c.broker.Retained("r/1"); ok {
		t.Fatal("it is still there")
	}

	off := newCloud(t, func(c *Config) { c.RetainOff = true })
	z, _ := off.connect(0, "z", options{})
	z.write(publishBytes("r/1", "x", 0, true))
	z.closed()
	off.said("refused", "RETAIN is not supported")
}

func TestWill(t *testing.T) {
	c := newCloud(t, nil)
	must(t, c.store.PutPolicy("nowill", []byte(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"iot:*","Resource":"*"},
		{"Effect":"Deny","Action":"iot:Publish","Resource":"arn:aws:iot:*:*:topic/forbidden"}]}`)))
	c.addDevice(1, "thing1", "nowill")
	sub, _ := c.connect(0, "sub", options{})
	sub.subscribe(1, "will/+", "forbidden")
	will := func(topic string) options {
		return options{will: &broker.Message{Topic: topic, Payload: []byte("gone"), QoS: 1}}
	}
	abrupt, _ := c.connect(0, "abrupt", will("will/abrupt"))
	abrupt.conn.(*tls.Conn).NetConn().Close()
	sub.expect("will/abrupt gone")
	polite, _ := c.connect(0, "polite", will("will/polite"))
	polite.disconnect()
	taken, _ := c.connect(0, "taken", will("will/taken"))
	c.connect(0, "taken", options{})
	taken.closed()
	sub.expect("will/taken gone")
	c.said("disconnected", `"taken"`, "DUPLICATE_CLIENTID")
	bad, _ := c.connect(0, "bad", will("will/bad"))
	bad.write([]byte{0, 0})
	sub.expect("will/bad gone")
	denied, _ := c.connect(1, "denied", will("forbidden"))
	denied.conn.Close()
	c.said("refused", `"denied"`, "the will is not sent", `policy "nowill", statement 2`)
	sub.silent()
	empty, _ := c.connect(0, "empty", options{will: &broker.Message{Topic: "will/empty"}})
	empty.conn.Close()
	sub.expect("will/empty ")
}

func TestPersistentSession(t *testing.T) {
	c := newCloud(t, nil)
	pub, _ := c.connect(0, "pub", options{})
	x, present := c.connect(0, "x", options{persistent: true})
	if present {
		t.Fatal("session present at first")
	}
	x.subscribe(1, "p/1")
	x.subscribe(0, "p/0")
	// Three messages reach the client, which acknowledges the second only.
	for _, m := range []string{"a", "b", "c"} {
		pub.publish("p/1", m, 1, false)
	}
	var ids []uint16
	for range 3 {
		_, id := x.unacked()
		ids = append(ids, id)
	}
	x.puback(ids[1])
	x.silent()
	x.conn.Close()
	c.said("disconnected", `"x"`)
	for _, m := range []string{"d", "e", "f"} {
		pub.publish("p/1", m, 1, false)
	}
	pub.publish("p/1", "qos 0 is not queued", 0, false)
	pub.publish("p/0", "nor is what was subscribed with 0", 1, false)
	x, present = c.connect(0, "x", options{persistent: true})
	if !present {
		t.Fatal("the session is not present")
	}
	for i, want := range []string{"a", "c", "d", "e", "f"} {
		m, id := x.unacked()
		if string(m.Payload) != want {
			t.Fatalf("message %d is %q, want %q", i, m.Payload, want)
		}
		if i == 0 && id != ids[0] || i == 1 && id != ids[2] {
			t.Fatalf("message %q is sent again with identifier %d", m.Payload, id)
		}
		x.puback(id)
	}
	x.silent()
	x.disconnect()
	_, present = c.connect(0, "x", options{})
	if present {
		t.Fatal("a clean session says session present")
	}
	x, present = c.connect(0, "x", options{persistent: true}) // takes over and starts anew
	if present {
		t.Fatal("a session is present after a clean one")
	}
	x.silent()
}

// TestInFlight: no more than 100 messages are sent without an acknowledgement.
func TestInFlight(t *testing.T) {
	c := newCloud(t, func(c *Config) { c.Limits.PublishRate = 0 })
	x, _ := c.connect(0, "x", options{})
	x.subscribe(1, "t")
	for range 130 {
		must(t, c.Publish(Message{Topic: "t", Payload: []byte("m"), QoS: 1}))
	}
	var first uint16
	for i := range 100 {
		_, id := x.unacked()
		if i == 0 {
			first = id
		}
	}
	x.silent()
	x.puback(first)
	x.unacked()
	x.silent()
}

func TestLifecycleEvents(t *testing.T) {
	c := newCloud(t, nil)
	w, err := c.Watch("$aws/events/#")
	must(t, err)
	defer w.Close()
	next := func(want ...string) {
		t.Helper()
		select {
		case m := <-w.C():
			line := m.Topic + " " + string(m.Payload)
			for _, s := range want {
				if !strings.Contains(line, s) {
					t.Fatalf("event is\n%s\nand lacks %s", line, s)
				}
			}
		case <-time.After(patience):
			t.Fatalf("no event; want %v", want)
		}
	}
	x, _ := c.connect(0, "x", options{})
	id := testDevice(t, 0).ID
	next("$aws/events/presence/connected/x ", `"clientId":"x"`, `"eventType":"connected"`, `"principalIdentifier":"`+id, `"ipAddress":"127.0.0.1"`, `"versionNumber":1`, `"sessionIdentifier":"`)
	x.subscribe(0, "a", "b")
	next("$aws/events/subscriptions/subscribed/x ", `"topics":["a","b"]`)
	x.disconnect()
	next("$aws/events/presence/disconnected/x ", `"clientInitiatedDisconnect":true`, `"disconnectReason":"CLIENT_INITIATED_DISCONNECT"`)
	c.connect(0, "with+plus", options{}) // no event for such an id
	c.connect(0, "z", options{})
	next("connected/z ")
}

// TestStateSurvives: shadows and retained messages are there after a restart.
func TestStateSurvives(t *testing.T) {
	dir := stateDir(t)
	run := func(f func(c *cloud)) {
		t.Run("", func(t *testing.T) {
			st, err := store.Open(dir, store.Options{NoSync: true})
			must(t, err)
			c := newCloud(t, nil)
			cfg := c.cfg
			cfg.State = st
			s, err := New(cfg)
			must(t, err)
			defer st.Close()
			defer s.Close()
			f(&cloud{Server: s, t: t, store: st})
		})
	}
	run(func(c *cloud) {
		_, err := c.UpdateDesired("t", []byte(`{"a":1}`))
		must(t, err)
		must(t, c.Publish(Message{Topic: "r", Payload: []byte("kept"), Retain: true}))
	})
	run(func(c *cloud) {
		if doc, err := c.Shadow("t"); err != nil || !strings.Contains(string(doc), `"desired":{"a":1}`) {
			t.Fatalf("shadow is %s, %v", doc, err)
		}
		if m, ok := c.broker.Retained("r"); !ok || string(m.Payload) != "kept" {
			t.Fatalf("retained is %v", m)
		}
		must(t, c.DeleteShadow("t"))
	})
	run(func(c *cloud) {
		if got, err := c.UpdateDesired("t", []byte(`{"a":1}`)); err != nil || !strings.Contains(string(got), `"version":2`) {
			t.Fatalf("after delete and restart: %s, %v", got, err)
		}
	})
}
