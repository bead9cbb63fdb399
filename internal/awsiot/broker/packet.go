package broker

import (
	"fmt"
	"strings"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/policy"
)

// packet serves one packet of an established connection. An error ends the connection.
func (c *conn) packet(h packets.FixedHeader, body []byte) error {
	pk := packets.Packet{FixedHeader: h, ProtocolVersion: 4}
	switch h.Type {
	case packets.Publish:
		if err := decode(pk.PublishDecode, body); err != nil {
			return err
		}
		return c.publish(&pk)
	case packets.Puback:
		if err := decode(pk.PubackDecode, body); err != nil {
			return err
		}
		c.sess.acknowledged(pk.PacketID)
		return nil
	case packets.Subscribe:
		if err := decode(pk.SubscribeDecode, body); err != nil {
			return err
		}
		return c.subscribe(&pk)
	case packets.Unsubscribe:
		if err := decode(pk.UnsubscribeDecode, body); err != nil {
			return err
		}
		return c.unsubscribe(&pk)
	case packets.Pingreq:
		return c.answer(appendPingresp)
	case packets.Disconnect:
		return closure{reasonClient, "the client sent DISCONNECT"}
	case packets.Connect:
		return fault("a second CONNECT on the same connection")
	case packets.Pubrec, packets.Pubrel, packets.Pubcomp:
		return fault("%s: AWS IoT has QoS 0 and 1 only", strings.ToUpper(packets.PacketNames[h.Type]))
	}
	return fault("a client does not send %s", strings.ToUpper(packets.PacketNames[h.Type]))
}

// PublishRule says which rule, policies aside, forbids clients to publish to a topic; "" for
// none.
func (b *Broker) PublishRule(topic string, retain bool) string {
	if broken := b.cfg.Limits.checkTopic(topic); broken != "" {
		return broken
	}
	if retain && b.cfg.RetainOff {
		return "RETAIN is not supported in this era"
	}
	if topic[0] != '$' {
		return ""
	}
	if retain {
		return fmt.Sprintf("RETAIN on the reserved topic %q", topic)
	}
	if _, rest, ok := basicIngest(topic); ok {
		if rest == "" {
			return fmt.Sprintf("topic %q: a Basic Ingest topic goes on after the rule's name", topic)
		}
		return ""
	}
	if strings.HasPrefix(topic, "$aws/things/") && b.cfg.Service != nil {
		return b.cfg.Service.Accepts(topic)
	}
	return fmt.Sprintf("topic %q: topics that begin with $ are reserved", topic)
}

func (c *conn) publish(pk *packets.Packet) error {
	topic, retain, qos := pk.TopicName, pk.FixedHeader.Retain, pk.FixedHeader.Qos
	switch {
	case qos > 1:
		return fault("PUBLISH to %q has QoS 2: AWS IoT has QoS 0 and 1 only", topic)
	case qos == 1 && pk.PacketID == 0:
		return fault("PUBLISH to %q has packet identifier 0", topic)
	case len(pk.Payload) > c.b.cfg.Limits.Payload:
		return fault("PUBLISH to %q has %d bytes of payload, the limit is %d", topic, len(pk.Payload), c.b.cfg.Limits.Payload)
	}
	if broken := c.b.PublishRule(topic, retain); broken != "" {
		return fault("PUBLISH: %s", broken)
	}
	if refused := c.mayPublish(topic, retain); refused != "" {
		return closure{reasonAuth, refused}
	}
	if err := c.throttle(len(pk.Payload)); err != nil {
		return err
	}
	m := &Message{Topic: topic, Payload: pk.Payload, QoS: qos, Retain: retain, From: &c.sender}
	if retain {
		if err := c.b.retain(m); err != nil {
			c.b.log(event.Trouble, c.peer, c.sess.id, "the retained message could not be stored: "+err.Error())
			return closure{reasonTrouble, "the retained message could not be stored"}
		}
	}
	c.pass(m)
	if qos == 1 {
		return c.answer(func(b []byte) []byte { return appendPuback(b, pk.PacketID) })
	}
	return nil
}

// pass routes a client's message and, if it is a request to the service, hands it over.
func (c *conn) pass(m *Message) {
	if c.b.ingest(m) {
		return
	}
	c.b.route(m)
	if c.b.cfg.Service == nil || !strings.HasPrefix(m.Topic, "$aws/things/") {
		return
	}
	s := c.sess
	r := &Request{Topic: m.Topic, Payload: m.Payload, From: *m.From, Done: func() {}, Reply: func(topic string, payload []byte) {
		s.reply(&Message{Topic: topic, Payload: payload, QoS: m.QoS})
	}}
	if strings.Contains(m.Topic, "/shadow/") {
		limit := int32(c.b.cfg.Limits.ShadowInFlight)
		if n := c.requests.Add(1); limit > 0 && n > limit {
			c.requests.Add(-1)
			c.b.log(event.Refused, c.peer, s.id, fmt.Sprintf("%d requests of this connection are not answered yet: 429 on %s", n-1, m.Topic))
			c.b.cfg.Service.Overload(r)
			return
		}
		r.Done = func() { c.requests.Add(-1) }
	}
	c.b.cfg.Service.Handle(r)
}

// ingest takes Basic Ingest messages straight to the rules: nobody can subscribe to them.
func (b *Broker) ingest(m *Message) bool {
	if m.Topic[0] != '$' {
		return false
	}
	rule, topic, ok := basicIngest(m.Topic)
	if ok && b.cfg.Ingest != nil {
		b.cfg.Ingest(rule, topic, m)
	}
	return ok
}

// mayPublish asks the policy; "" means yes.
func (c *conn) mayPublish(topic string, retain bool) string {
	c.sess.mu.Lock()
	p := c.sess.policy
	c.sess.mu.Unlock()
	if d := p.Check(policy.Publish, topic); !d.Allowed {
		return fmt.Sprintf("iot:Publish on topic/%s: %s", topic, d)
	}
	if retain {
		if d := p.Check(policy.RetainPublish, topic); !d.Allowed {
			return fmt.Sprintf("iot:RetainPublish on topic/%s: %s", topic, d)
		}
	}
	return ""
}

// publishWill sends the will of a client that is gone, if it may.
func (b *Broker) publishWill(c *conn) {
	m := c.will
	if refused := c.mayPublish(m.Topic, m.Retain); refused != "" {
		b.log(event.Refused, c.peer, c.sess.id, refused+"; the will is not sent")
		return
	}
	if m.Retain {
		if err := b.retain(m); err != nil {
			b.log(event.Trouble, c.peer, c.sess.id, "the retained will could not be stored: "+err.Error())
		}
	}
	c.pass(m)
}

func (c *conn) subscribe(pk *packets.Packet) error {
	l := &c.b.cfg.Limits
	switch {
	case pk.PacketID == 0:
		return fault("SUBSCRIBE has packet identifier 0")
	case len(pk.Filters) == 0:
		return fault("SUBSCRIBE has no topic filter")
	case len(pk.Filters) > l.Filters:
		return fault("SUBSCRIBE has %d topic filters, the limit is %d", len(pk.Filters), l.Filters)
	}
	for _, f := range pk.Filters {
		if broken := l.checkFilter(f.Filter); broken != "" {
			return fault("SUBSCRIBE: %s", broken)
		}
		if f.Qos > 1 {
			return fault("SUBSCRIBE to %q asks for QoS 2: AWS IoT has QoS 0 and 1 only", f.Filter)
		}
	}
	codes := make([]byte, len(pk.Filters))
	var granted []string
	s := c.sess
	for i, f := range pk.Filters {
		refused := ""
		s.mu.Lock()
		d := s.policy.Check(policy.Subscribe, f.Filter)
		_, known := s.subs[f.Filter]
		switch {
		case !d.Allowed:
			refused = fmt.Sprintf("iot:Subscribe on topicfilter/%s: %s", f.Filter, d)
			if !c.b.cfg.RefuseSubscribe {
				s.mu.Unlock()
				return closure{reasonAuth, refused}
			}
		case !known && len(s.subs) >= l.Subscriptions:
			refused = fmt.Sprintf("SUBSCRIBE to %q: the connection has %d subscriptions, the limit", f.Filter, len(s.subs))
		case s.conn == c:
			filter := strings.Clone(f.Filter) // not the packet's memory
			s.subs[filter] = f.Qos
			// Under the session's lock: a taken-over connection must not leave anything behind.
			c.b.tree.add(filter, s, f.Qos)
			granted = append(granted, filter)
		}
		s.mu.Unlock()
		codes[i] = f.Qos
		if refused != "" {
			codes[i] = 0x80
			c.b.log(event.Refused, c.peer, s.id, refused+"; SUBACK 0x80")
		}
	}
	if err := c.answer(func(b []byte) []byte { return appendSuback(b, pk.PacketID, codes) }); err != nil {
		return err
	}
	if len(granted) > 0 {
		c.b.subscriptionEvent(c, true, granted)
	}
	for i, f := range pk.Filters {
		if codes[i] == 0x80 {
			continue
		}
		// AWS sends retained messages to exact filters only.
		if m := c.b.retained.get(f.Filter); m != nil {
			s.send(m, min(f.Qos, m.QoS), true)
		}
	}
	return nil
}

func (c *conn) unsubscribe(pk *packets.Packet) error {
	l := &c.b.cfg.Limits
	switch {
	case pk.PacketID == 0:
		return fault("UNSUBSCRIBE has packet identifier 0")
	case len(pk.Filters) == 0:
		return fault("UNSUBSCRIBE has no topic filter")
	case len(pk.Filters) > l.Filters:
		return fault("UNSUBSCRIBE has %d topic filters, the limit is %d", len(pk.Filters), l.Filters)
	}
	var ended []string
	s := c.sess
	for _, f := range pk.Filters {
		s.mu.Lock()
		if _, ok := s.subs[f.Filter]; ok && s.conn == c {
			delete(s.subs, f.Filter)
			c.b.tree.remove(f.Filter, s)
			ended = append(ended, f.Filter)
		}
		s.mu.Unlock()
	}
	if err := c.answer(func(b []byte) []byte { return appendUnsuback(b, pk.PacketID) }); err != nil {
		return err
	}
	if len(ended) > 0 {
		c.b.subscriptionEvent(c, false, ended)
	}
	return nil
}
