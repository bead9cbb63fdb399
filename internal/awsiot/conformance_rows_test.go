package awsiot

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/skep-sim/skep/internal/awsiot/broker"
)

// conformanceChecks are the rows of the page, in its order.
func conformanceChecks() []check {
	return append(topicChecks(), append(messageChecks(), append(refusalChecks(), fiveChecks()...)...)...)
}

func topicChecks() []check {
	return []check{
		{"publish to `$aws/things/x/shadow/update` is answered", "yes", "doc", func(p *probe) string {
			x, _ := p.connect(0, "x", options{})
			x.subscribe(0, "$aws/things/x/shadow/update/accepted")
			x.publish("$aws/things/x/shadow/update", `{"state":{"reported":{"a":1}}}`, 1, false)
			if m := x.message(); strings.Contains(string(m.Payload), `"reported":{"a":1}`) {
				return "yes"
			}
			return "no"
		}},
		{"dots in a topic", "yes", "doc", func(p *probe) string { return p.delivers("a.b/c.d", "a.b/c.d") }},
		{"a space in a topic", "yes", "doc", func(p *probe) string { return p.delivers("a b/+", "a b/c d") }},
		{"`*` and `>` are no wildcards", "no / no", "doc", func(p *probe) string {
			return both(p.delivers("dt/*/s", "dt/x/s"), p.delivers("dt/>", "dt/x/y"))
		}},
		{"`#` / `+/things/..` see `$aws/things/..`", "no / no", "doc", func(p *probe) string {
			topic := "$aws/things/x/shadow/get"
			return both(p.delivers("#", topic), p.delivers("+/things/x/shadow/get", topic))
		}},
		{"`a/#` matches `a` / `a/b`", "no / yes", "doc", func(p *probe) string {
			return both(p.delivers("a/#", "a"), p.delivers("a/#", "a/b"))
		}},
		{"overlapping filters deliver a message", "once", "?", func(p *probe) string {
			sub, _ := p.connect(0, "sub", options{})
			sub.subscribe(0, "o/+", "o/#", "o/x")
			must(p.t, p.Publish(Message{Topic: "o/x", Payload: []byte("x")}))
			if sub.got("o/x", "x") == "yes" {
				return "once"
			}
			return "more than once"
		}},
		{"retained to an exact / a wildcard filter", "yes / no", "doc", func(p *probe) string {
			must(p.t, p.Publish(Message{Topic: "keep/r", Payload: []byte("x"), Retain: true}))
			x, _ := p.connect(0, "x", options{})
			x.subscribe(0, "keep/+")
			wild := x.got("keep/r", "x")
			x.subscribe(0, "keep/r")
			exact := "no"
			if m := x.message(); m.Retain && string(m.Payload) == "x" {
				exact = "yes"
			}
			return both(exact, wild)
		}},
		{"an empty retained message deletes / is delivered", "yes / yes", "doc", func(p *probe) string {
			x, _ := p.connect(0, "x", options{})
			x.subscribe(0, "keep/s")
			must(p.t, p.Publish(Message{Topic: "keep/s", Payload: []byte("x"), Retain: true}))
			x.message()
			must(p.t, p.Publish(Message{Topic: "keep/s", Retain: true}))
			delivered := x.got("keep/s", "")
			if _, there := p.broker.Retained("keep/s"); there {
				return both("no", delivered)
			}
			return both("yes", delivered)
		}},
		{"Basic Ingest (`$aws/rules/r/t`) reaches subscribers of `t` / may be subscribed to", "no / closes", "doc", func(p *probe) string {
			x, _ := p.connect(0, "x", options{})
			x.subscribe(0, "t")
			x.publish("$aws/rules/r/t", "x", 1, false)
			return both(x.got("t", "x"), p.does(0, "y", subscribeBytes(0, "$aws/rules/r/#")))
		}},
		{"shared subscription, MQTT 3.1.1: 10 messages to a group of two", "10, each once", "doc", func(p *probe) string {
			var got int
			var members []*client
			for i := range 2 {
				m, _ := p.connect(0, fmt.Sprint("member", i), options{})
				m.subscribe(0, "$share/g/job")
				members = append(members, m)
			}
			for range 10 {
				must(p.t, p.Publish(Message{Topic: "job", Payload: []byte("x")}))
			}
			for _, m := range members {
				got += len(m.waiting())
			}
			return fmt.Sprintf("%d, each once", got)
		}},
	}
}

func messageChecks() []check {
	return []check{
		{"will after a cut connection / after DISCONNECT", "sent / not sent", "doc", func(p *probe) string {
			sub, _ := p.connect(0, "sub", options{})
			sub.subscribe(0, "will/+")
			a, _ := p.connect(0, "a", will("will/a", 0))
			a.conn.Close()
			p.said("disconnected", `"a"`)
			first := "not sent"
			if m := sub.message(); m.Topic == "will/a" {
				first = "sent"
			}
			b, _ := p.connect(0, "b", will("will/b", 0))
			b.disconnect()
			p.said("disconnected", `"b"`)
			if sub.got("will/b", "gone") == "yes" {
				return both(first, "sent")
			}
			return both(first, "not sent")
		}},
		{"will of a connection that is taken over", "sent", "doc", func(p *probe) string {
			sub, _ := p.connect(0, "sub", options{})
			sub.subscribe(0, "will/taken")
			p.connect(0, "taken", will("will/taken", 1))
			p.connect(0, "taken", options{})
			sub.expect("will/taken gone")
			return "sent"
		}},
		{"will on a topic the policy denies", "not sent", "doc", func(p *probe) string {
			sub, _ := p.connect(0, "sub", options{})
			sub.subscribe(0, "room/secret/#")
			x, _ := p.connect(1, "x", will("room/secret/x", 0))
			x.conn.Close()
			p.said("refused", "the will is not sent")
			if sub.got("room/secret/x", "gone") == "no" {
				return "not sent"
			}
			return "sent"
		}},
		{"60 QoS 1 messages queued for a persistent session", "60, in order", "doc: order mostly", func(p *probe) string {
			x, _ := p.connect(0, "away", options{persistent: true})
			x.subscribe(1, "q")
			x.disconnect()
			p.said("disconnected", `"away"`)
			for i := range 60 {
				must(p.t, p.Publish(Message{Topic: "q", Payload: fmt.Append(nil, i), QoS: 1}))
			}
			x, _ = p.connect(0, "away", options{persistent: true})
			n := 0
			for n < 60 && string(x.message().Payload) == fmt.Sprint(n) {
				n++
			}
			return fmt.Sprintf("%d, in order", n)
		}},
		{"an unacknowledged QoS 1 message after a reconnect", "sent again, DUP not set", "doc", func(p *probe) string {
			x, _ := p.connect(0, "again", options{persistent: true})
			x.subscribe(1, "q")
			must(p.t, p.Publish(Message{Topic: "q", Payload: []byte("x"), QoS: 1}))
			_, id := x.unacked()
			x.conn.Close()
			y, _ := p.connect(0, "again", options{persistent: true})
			if _, second := y.unacked(); second != id { // fails on DUP
				return fmt.Sprintf("sent again with identifier %d for %d", second, id)
			}
			y.disconnect()
			return "sent again, DUP not set"
		}},
		{"two connections with one client id", "the new one wins, the old one closes", "doc", func(p *probe) string {
			old, _ := p.connect(0, "same", options{})
			x, _ := p.connect(0, "same", options{})
			if got := both(x.after(), old.after()); got != "stays open / closes" {
				return got
			}
			return "the new one wins, the old one closes"
		}},
		{"policy allows a filter, Receive is denied for a topic in it", "not delivered", "doc", func(p *probe) string {
			x, _ := p.connect(1, "x", options{})
			x.subscribe(0, "room/#")
			must(p.t, p.Publish(Message{Topic: "room/secret/1", Payload: []byte("x")}))
			must(p.t, p.Publish(Message{Topic: "room/1", Payload: []byte("x")}))
			if x.got("room/1", "x") != "yes" {
				return "delivered"
			}
			return "not delivered"
		}},
		{"policy `topic/room*` covers `room1/a/b` / excepts `room/secret/x`", "stays open / closes", "doc", func(p *probe) string {
			return both(p.does(1, "x", publishBytes("room1/a/b", "x", 0, false)), p.does(1, "y", publishBytes("room/secret/x", "x", 0, false)))
		}},
		{"lifecycle event of a connection made / ended", "yes / CLIENT_INITIATED_DISCONNECT", "doc", func(p *probe) string {
			w, err := p.Watch("$aws/events/presence/+/life")
			must(p.t, err)
			defer w.Close()
			x, _ := p.connect(0, "life", options{})
			made := "no"
			if m := <-w.C(); strings.HasPrefix(m.Topic, "$aws/events/presence/connected/") {
				made = "yes"
			}
			x.disconnect()
			_, reason, _ := strings.Cut(string((<-w.C()).Payload), `"disconnectReason":"`)
			reason, _, _ = strings.Cut(reason, `"`)
			return both(made, reason)
		}},
		{"HTTPS `GET /things/x/shadow`", "200", "doc", func(p *probe) string {
			_, err := p.UpdateDesired("x", []byte(`{"a":1}`))
			must(p.t, err)
			answer := p.request(0, "GET /things/x/shadow HTTP/1.0\r\nHost: "+endpointATS+"\r\n\r\n")
			return strings.Fields(answer)[1]
		}},
	}
}

func refusalChecks() []check {
	levels := func(n int) string { return strings.Repeat("a/", n) + "a" }
	qos2 := publishBytes("a", "x", 1, false)
	qos2[0] = 0x34
	return []check{
		{"QoS 2: PUBLISH / SUBSCRIBE / will", "closes / closes / closes without CONNACK", "issue", func(p *probe) string {
			return both(p.does(0, "x", qos2), both(p.does(0, "x", subscribeBytes(2, "a")), p.refuses(0, encode(connectPacket("x", will("w", 2))))))
		}},
		{"RETAIN on `$aws/..`", "closes", "doc", func(p *probe) string {
			return p.does(0, "x", publishBytes("$aws/things/x/shadow/update", "{}", 0, true))
		}},
		{"publish to `$SYS/x` / subscribe to `$SYS/#`", "closes / closes", "doc", func(p *probe) string {
			return both(p.does(0, "x", publishBytes("$SYS/x", "x", 0, false)), p.does(0, "x", subscribeBytes(0, "$SYS/#")))
		}},
		{"denied PUBLISH, QoS 0 / QoS 1", "closes / closes", "issue", func(p *probe) string {
			return both(p.does(1, "x", publishBytes("hall", "x", 0, false)), p.does(1, "x", publishBytes("hall", "x", 1, false)))
		}},
		{"denied SUBSCRIBE (a switch makes it SUBACK 0x80)", "closes", "issue; ? today", func(p *probe) string {
			return p.does(1, "x", subscribeBytes(0, "hall"))
		}},
		{"denied CONNECT", "closes without CONNACK", "doc", func(p *probe) string {
			return p.refuses(1, encode(connectPacket("nobody", options{})))
		}},
		{"`iot:Connect` on `client/${iot:ClientId}`", "accepted", "doc", func(p *probe) string {
			return p.refuses(1, encode(connectPacket("anything", options{})))
		}},
		{"payload of 128 KB / 128 KB + 1", "stays open / closes", "doc", func(p *probe) string {
			return both(p.does(0, "x", publishBytes("a", strings.Repeat("x", 128<<10), 0, false)), p.does(0, "x", publishBytes("a", strings.Repeat("x", 128<<10+1), 0, false)))
		}},
		{"7 / 8 slashes in a topic", "stays open / closes", "doc", func(p *probe) string {
			return both(p.does(0, "x", publishBytes(levels(7), "x", 0, false)), p.does(0, "x", publishBytes(levels(8), "x", 0, false)))
		}},
		{"topic of 256 / 257 bytes", "stays open / closes", "doc", func(p *probe) string {
			return both(p.does(0, "x", publishBytes(strings.Repeat("t", 256), "x", 0, false)), p.does(0, "x", publishBytes(strings.Repeat("t", 257), "x", 0, false)))
		}},
		{"9 filters in a SUBSCRIBE", "closes", "doc", func(p *probe) string {
			return p.does(0, "x", subscribeBytes(0, strings.Split("123456789", "")...))
		}},
		{"the 51st subscription", "SUBACK 0x80", "doc; ? how", func(p *probe) string {
			x, _ := p.connect(0, "x", options{})
			var codes []byte
			for i := range 51 {
				codes = x.subscribe(0, fmt.Sprint("n/", i))
			}
			return fmt.Sprintf("SUBACK %#02x", codes[0])
		}},
		{"client id of 128 / 129 bytes", "accepted / closes without CONNACK", "doc", func(p *probe) string {
			id := func(n int) []byte { return encode(connectPacket(strings.Repeat("i", n), options{})) }
			return both(p.refuses(0, id(128)), p.refuses(0, id(129)))
		}},
		{"MQTT 3.1 (MQIsdp)", "CONNACK 0x01", "?", func(p *probe) string {
			pk := connectPacket("x", options{})
			pk.ProtocolVersion, pk.Connect.ProtocolName = 3, []byte("MQIsdp")
			return p.refuses(0, encode(pk))
		}},
		{"UNSUBSCRIBE with wrong flags", "closes", "issue", func(p *probe) string {
			return p.does(0, "x", []byte("\xa0\x05\x00\x01\x00\x01a"))
		}},
		{"CONNECTs of one client id: 11 at once, at AWS 1 a second", "the 11th closes without CONNACK", "doc; ? burst", func(p *probe) string {
			q := &probe{newCloud(p.t, nil), nil}
			for i := 1; ; i++ {
				if how := q.refuses(0, encode(connectPacket("x", options{}))); how != "accepted" {
					return fmt.Sprintf("the %dth %s", i, how)
				}
			}
		}},
		{"silent TCP / TLS without CONNECT", "closes / closes", "doc; ? when", func(p *probe) string {
			raw, err := net.Dial("tcp", p.mqtt)
			must(p.t, err)
			return both(p.silentFor(raw), p.silentFor(p.dial(0).conn))
		}},
		{"the 101st QoS 1 message to a client that acknowledges none", "waits", "doc", func(p *probe) string {
			x, _ := p.connect(0, "x", options{})
			x.subscribe(1, "n")
			for range 101 {
				must(p.t, p.Publish(Message{Topic: "n", QoS: 1}))
			}
			for range 100 {
				x.unacked()
			}
			if len(x.waiting()) == 0 {
				return "waits"
			}
			return "comes"
		}},
	}
}

func fiveChecks() []check {
	return []check{
		{"MQTT 5 CONNACK: receive maximum, maximum QoS, retain, alias maximum, wildcards, subscription ids, shared", "100 1 1 8 1 0 1", "doc", func(p *probe) string {
			_, ack := p.five(0, "x", nil)
			a := ack.Properties
			return fmt.Sprint(a.ReceiveMaximum, a.MaximumQos, a.RetainAvailable, a.TopicAliasMaximum, a.WildcardSubAvailable, a.SubIDAvailable, a.SharedSubAvailable)
		}},
		{"MQTT 5 CONNACK: server keep alive for 0 / 5 / 60 asked", "1200 / 30 / -", "doc", func(p *probe) string {
			ask := func(seconds uint16) string {
				_, ack := p.five(0, "x", func(pk *packets.Packet) { pk.Connect.Keepalive = seconds })
				if !ack.Properties.ServerKeepAliveFlag {
					return "-"
				}
				return fmt.Sprint(ack.Properties.ServerKeepAlive)
			}
			return both(ask(0), both(ask(5), ask(60)))
		}},
		{"MQTT 5: empty client id", "assigned", "doc", func(p *probe) string {
			if _, ack := p.five(0, "", nil); ack.Properties.AssignedClientID == "" {
				return "refused"
			}
			return "assigned"
		}},
		{"MQTT 5: denied CONNECT", "CONNACK 0x87", "doc", func(p *probe) string {
			_, ack := p.five(1, "nobody", nil)
			return fmt.Sprintf("CONNACK %#02x", ack.ReasonCode)
		}},
		{"MQTT 5: denied PUBLISH, QoS 0 / QoS 1", "DISCONNECT 0x87 / PUBACK 0x87", "doc has both codes; ? when", func(p *probe) string {
			x, _ := p.five(1, "x", nil)
			x.send5(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish}, TopicName: "hall"})
			y, _ := p.five(1, "y", nil)
			return both(x.ends5(), y.publish5("hall", "x"))
		}},
		{"MQTT 5: denied SUBSCRIBE", "SUBACK 0x87", "doc", func(p *probe) string {
			x, _ := p.five(1, "x", nil)
			return x.subscribe5("hall")
		}},
		{"MQTT 5: subscription identifier", "DISCONNECT 0xa1", "doc", func(p *probe) string {
			x, _ := p.five(0, "x", nil)
			x.send5(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 1,
				Filters: packets.Subscriptions{{Filter: "a"}}, Properties: packets.Properties{SubscriptionIdentifier: []int{1}}})
			return x.ends5()
		}},
		{"MQTT 5: QoS 2", "DISCONNECT 0x9b", "doc", func(p *probe) string {
			x, _ := p.five(0, "x", nil)
			x.send5(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 2}, PacketID: 1, TopicName: "a"})
			return x.ends5()
		}},
		{"MQTT 5: taken over", "DISCONNECT 0x8e", "doc", func(p *probe) string {
			x, _ := p.five(0, "x", nil)
			p.five(0, "x", nil)
			return x.ends5()
		}},
		{"MQTT 5 message to MQTT 5 / 3.1.1, and back", "with its properties / without / yes", "doc", func(p *probe) string {
			five, _ := p.five(0, "five", nil)
			five.subscribe5("x/+")
			old, _ := p.connect(0, "old", options{})
			old.subscribe(0, "x/+")
			five.send5(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish}, TopicName: "x/1", Payload: []byte("m"), Properties: packets.Properties{
				ContentType: "c", ResponseTopic: "r", CorrelationData: []byte{1}, User: []packets.UserProperty{{Key: "k", Val: "v"}}}})
			got := five.packet5(packets.Publish).Properties
			seen := "without"
			if got.ContentType == "c" && got.ResponseTopic == "r" && bytes.Equal(got.CorrelationData, []byte{1}) && len(got.User) == 1 {
				seen = "with its properties"
			}
			bare := "with"
			if old.got("x/1", "m") == "yes" {
				bare = "without"
			}
			old.publish("x/2", "back", 0, false)
			if string(five.packet5(packets.Publish).Payload) != "back" {
				return both(seen, both(bare, "no"))
			}
			return both(seen, both(bare, "yes"))
		}},
		{"MQTT 5: message expiry of 1 s, delivered after more", "not delivered", "doc", func(p *probe) string {
			persistent := func(pk *packets.Packet) {
				pk.Connect.Clean = false
				pk.Properties.SessionExpiryInterval, pk.Properties.SessionExpiryIntervalFlag = 600, true
			}
			x, _ := p.five(0, "late", persistent)
			x.subscribe5("late")
			x.conn.Close()
			p.said("disconnected", `"late"`)
			must(p.t, p.Publish(Message{Topic: "late", QoS: 1, Properties: &broker.Properties{HasExpiry: true, Expiry: 1}}))
			p.clock.ahead.Add(int64(2 * time.Second))
			must(p.t, p.Publish(Message{Topic: "late", Payload: []byte("new"), QoS: 1}))
			x, _ = p.five(0, "late", persistent)
			if string(x.packet5(packets.Publish).Payload) == "new" {
				return "not delivered"
			}
			return "delivered"
		}},
	}
}
