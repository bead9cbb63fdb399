package broker

import (
	"fmt"
	"strings"

	"github.com/skep-sim/skep/internal/awsiot/event"
)

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

// request hands a message on a reserved topic to the service. c is the client's connection,
// nil for one that came over HTTPS and for the program inside.
func (b *Broker) request(m *Message, c *conn) {
	if b.cfg.Service == nil || !strings.HasPrefix(m.Topic, "$aws/things/") {
		return
	}
	r := &Request{Topic: m.Topic, Payload: m.Payload, Done: func() {}, Reply: func(string, []byte) {}}
	if m.From != nil {
		r.From = *m.From
	}
	if c == nil {
		b.cfg.Service.Handle(r)
		return
	}
	s := c.sess
	r.Reply = func(topic string, payload []byte) { s.reply(&Message{Topic: topic, Payload: payload, QoS: m.QoS}) }
	if strings.Contains(m.Topic, "/shadow/") {
		limit := int32(b.cfg.Limits.ShadowInFlight)
		if n := c.requests.Add(1); limit > 0 && n > limit {
			c.requests.Add(-1)
			b.log(event.Refused, c.peer, s.id, fmt.Sprintf("%d requests of this connection are not answered yet: 429 on %s", n-1, m.Topic))
			b.cfg.Service.Overload(r)
			return
		}
		r.Done = func() { c.requests.Add(-1) }
	}
	b.cfg.Service.Handle(r)
}
