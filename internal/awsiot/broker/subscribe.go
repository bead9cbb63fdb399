package broker

import (
	"fmt"
	"strings"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/policy"
)

func (c *conn) subscribe(pk *packets.Packet) error {
	l := &c.b.cfg.Limits
	switch {
	case pk.PacketID == 0:
		return fault(codeProtocol, "SUBSCRIBE has packet identifier 0")
	case len(pk.Filters) == 0:
		return fault(codeProtocol, "SUBSCRIBE has no topic filter")
	case len(pk.Filters) > l.Filters:
		return fault(codeQuota, "SUBSCRIBE has %d topic filters, the limit is %d", len(pk.Filters), l.Filters)
	case len(pk.Properties.SubscriptionIdentifier) > 0:
		return fault(codeSubscriptionIDs, "SUBSCRIBE has a subscription identifier, which AWS IoT does not have")
	}
	for i := range pk.Filters {
		if err := checkOptions(&pk.Filters[i]); err != nil {
			return err
		}
	}
	codes := make([]byte, len(pk.Filters))
	var granted []string
	var kept []packets.Subscription // whose retained messages the client gets
	for i := range pk.Filters {
		f := &pk.Filters[i]
		code, text, known := c.grant(f)
		codes[i] = code
		switch {
		case code >= 0x80 && c.version != 5 && !(code == codeNotAuthorized && c.b.cfg.RefuseSubscribe) && code != codeQuota:
			reason := reasonError
			if code == codeNotAuthorized {
				reason = reasonAuth
			}
			return closure{reason, code, text}
		case code >= 0x80:
			if c.version != 5 {
				codes[i] = suback3Refused
			}
			c.b.log(event.Refused, c.peer, c.sess.id, fmt.Sprintf("%s; SUBACK %#02x", text, codes[i]))
			continue
		}
		granted = append(granted, f.Filter)
		if f.RetainHandling == 0 || f.RetainHandling == 1 && !known {
			kept = append(kept, *f)
		}
	}
	if len(granted) > 0 && c.b.cfg.Backbone != nil {
		c.b.cfg.Backbone.AwaitInterest()
	}
	send, as := c.b.retainedFor(kept)
	if err := c.confirm(func(b []byte) []byte { return appendSuback(b, pk.PacketID, c.version, codes) }); err != nil {
		return err
	}
	if len(granted) > 0 {
		c.b.subscriptionEvent(c, true, granted)
	}
	for i, m := range send {
		c.sess.deliver(m, as[i])
	}
	return nil
}

// retainedFor gives the retained messages for filters, and how to send each. AWS sends them to exact filters only.
func (b *Broker) retainedFor(filters []packets.Subscription) (send []*Message, as []subOptions) {
	for i := range filters {
		if m := b.retained.get(filters[i].Filter); m != nil && !m.expired(b.cfg.Clock.Now()) {
			send, as = append(send, m), append(as, subOptions(filters[i].Qos)|optRetained)
		}
	}
	return send, as
}

// checkOptions checks what a filter asks for.
func checkOptions(f *packets.Subscription) error {
	switch {
	case f.Qos == 2:
		return fault(codeQoS, "SUBSCRIBE to %q asks for QoS 2: AWS IoT has QoS 0 and 1 only", f.Filter)
	case f.Qos > 2:
		return malformed("SUBSCRIBE to %q asks for QoS %d", f.Filter, f.Qos)
	case f.RetainHandling > 2:
		return fault(codeProtocol, "SUBSCRIBE to %q asks for retain handling 3", f.Filter)
	case f.NoLocal && strings.HasPrefix(f.Filter, "$share/"):
		return fault(codeProtocol, "SUBSCRIBE to %q: a shared subscription cannot have no local", f.Filter)
	}
	return nil
}

// grant subscribes to one filter. code is the granted QoS, or why not, and then text says it;
// known says that the client had subscribed to it before.
func (c *conn) grant(f *packets.Subscription) (code byte, text string, known bool) {
	l := &c.b.cfg.Limits
	if broken := l.checkFilter(f.Filter); broken != "" {
		return codeFilterInvalid, "SUBSCRIBE: " + broken, false
	}
	s := c.sess
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known = s.subs[f.Filter]
	shared := strings.HasPrefix(f.Filter, "$share/")
	d := s.policy.Check(policy.Subscribe, f.Filter)
	switch {
	case !d.Allowed:
		return codeNotAuthorized, fmt.Sprintf("iot:Subscribe on topicfilter/%s: %s", f.Filter, d), known
	case !known && l.Subscriptions > 0 && len(s.subs) >= l.Subscriptions:
		return codeQuota, fmt.Sprintf("SUBSCRIBE to %q: the connection has %d subscriptions, the limit", f.Filter, len(s.subs)), known
	case !known && shared && l.ShareMembers > 0 && c.b.tree.members(f.Filter) >= l.ShareMembers:
		return codeQuota, fmt.Sprintf("SUBSCRIBE to %q: the group has %d subscribers, the limit", f.Filter, l.ShareMembers), known
	}
	// Under the session's lock: a taken-over connection must not leave anything behind.
	if s.conn == c {
		o := subOptions(f.Qos)
		if f.NoLocal {
			o |= optNoLocal
		}
		if f.RetainAsPublished {
			o |= optRetainAsPublished
		}
		filter := strings.Clone(f.Filter) // not the packet's memory
		s.subs[filter] = o
		c.b.subscribe(filter, s, o)
		f.Filter = filter
	}
	if shared {
		known = true // no retained message for those
	}
	return f.Qos, "", known || shared
}

func (c *conn) unsubscribe(pk *packets.Packet) error {
	l := &c.b.cfg.Limits
	switch {
	case pk.PacketID == 0:
		return fault(codeProtocol, "UNSUBSCRIBE has packet identifier 0")
	case len(pk.Filters) == 0:
		return fault(codeProtocol, "UNSUBSCRIBE has no topic filter")
	case len(pk.Filters) > l.Filters:
		return fault(codeQuota, "UNSUBSCRIBE has %d topic filters, the limit is %d", len(pk.Filters), l.Filters)
	}
	var ended []string
	codes := make([]byte, len(pk.Filters))
	s := c.sess
	for i, f := range pk.Filters {
		codes[i] = codeNoSubscription
		s.mu.Lock()
		if _, ok := s.subs[f.Filter]; ok && s.conn == c {
			delete(s.subs, f.Filter)
			c.b.unsubscribe(f.Filter, s)
			ended = append(ended, strings.Clone(f.Filter))
			codes[i] = 0
		}
		s.mu.Unlock()
	}
	if err := c.confirm(func(b []byte) []byte { return appendUnsuback(b, pk.PacketID, c.version, codes) }); err != nil {
		return err
	}
	if len(ended) > 0 {
		c.b.subscriptionEvent(c, false, ended)
	}
	return nil
}

// confirm saves what the session is now and answers once that is safe.
func (c *conn) confirm(write func([]byte) []byte) error {
	if err := c.waitFor(func() bool { return len(c.control) < maxControl }); err != nil {
		return err
	}
	s := c.sess
	if s.clean || s.conn != c || c.b.cfg.Sessions == nil || c.b.cfg.RelaxedQoS1 {
		if s.conn == c {
			s.save()
		}
		c.control = write(c.control)
		c.wake()
		s.mu.Unlock()
		return nil
	}
	s.save()
	s.mu.Unlock()
	safe := make(chan error, 1)
	c.b.cfg.Sessions.Barrier(func(err error) { safe <- err })
	if err := <-safe; err != nil || c.b.storeFails.Load() {
		return closure{reasonTrouble, codeUnspecified, "the session could not be stored"}
	}
	return c.answer(write)
}

// subscribe adds a filter of a subscriber's; a backbone is told of the first.
func (b *Broker) subscribe(filter string, s subscriber, o subOptions) {
	if b.cfg.Backbone == nil {
		b.tree.add(filter, s, o)
		return
	}
	b.interest.Lock()
	defer b.interest.Unlock()
	if b.tree.add(filter, s, o) {
		b.cfg.Backbone.Interest(filter, true)
	}
}

// unsubscribe ends what subscribe began; a backbone is told of the last.
func (b *Broker) unsubscribe(filter string, s subscriber) {
	if b.cfg.Backbone == nil {
		b.tree.remove(filter, s)
		return
	}
	b.interest.Lock()
	defer b.interest.Unlock()
	if b.tree.remove(filter, s) {
		b.cfg.Backbone.Interest(filter, false)
	}
}

// Filters are all filters that have a subscriber here, in order: what a backbone that starts
// anew has interest in.
func (b *Broker) Filters() []string { return b.tree.filters() }
