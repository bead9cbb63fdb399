package broker

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/skep-sim/skep/internal/awsiot/event"
)

// packet serves one packet of an established connection. An error ends the connection.
func (c *conn) packet(h header, body []byte) error {
	switch h.Type {
	case packets.Publish:
		return c.publish(h, body)
	case packets.Puback:
		return c.puback(body)
	case packets.Subscribe:
		pk := packets.Packet{FixedHeader: h, ProtocolVersion: c.version}
		if c.version == 5 && len(body) > 2 {
			if err := checkProperties(body[2:], "SUBSCRIBE", packets.PropSubscriptionIdentifier, packets.PropUser); err != nil {
				return err
			}
		}
		if err := decode(pk.SubscribeDecode, body); err != nil {
			return err
		}
		if c.version == 5 && reservedOptions(body) {
			return malformed("SUBSCRIBE sets reserved bits of a filter's options")
		}
		return c.subscribe(&pk)
	case packets.Unsubscribe:
		pk := packets.Packet{FixedHeader: h, ProtocolVersion: c.version}
		if c.version == 5 && len(body) > 2 {
			if err := checkProperties(body[2:], "UNSUBSCRIBE", packets.PropUser); err != nil {
				return err
			}
		}
		if err := decode(pk.UnsubscribeDecode, body); err != nil {
			return err
		}
		return c.unsubscribe(&pk)
	case packets.Pingreq:
		if len(body) > 0 {
			return malformed("PINGREQ has %d bytes", len(body))
		}
		return c.answer(appendPingresp)
	case packets.Disconnect:
		return c.disconnect(body)
	case packets.Connect:
		return fault(codeProtocol, "a second CONNECT on the same connection")
	case packets.Auth:
		return fault(codeProtocol, "AUTH: enhanced authentication is not part of AWS IoT")
	case packets.Pubrec, packets.Pubrel, packets.Pubcomp:
		return fault(codeQoS, "%s: AWS IoT has QoS 0 and 1 only", strings.ToUpper(packets.PacketNames[h.Type]))
	}
	return fault(codeProtocol, "a client does not send %s", strings.ToUpper(packets.PacketNames[h.Type]))
}

// reservedOptions looks at bits of a SUBSCRIBE of MQTT 5 that the codec, which has decoded it,
// drops.
func reservedOptions(body []byte) bool {
	n, size := readLength(body[2:])
	for rest := body[2+size+n:]; ; rest = rest[1:] {
		var ok bool
		if _, rest, ok = cutBytes(rest); !ok || len(rest) == 0 {
			return false
		}
		if rest[0]&0xc0 != 0 {
			return true
		}
	}
}

func (c *conn) puback(body []byte) error {
	if len(body) < 2 || c.version != 5 && len(body) > 2 {
		return malformed("PUBACK has %d bytes", len(body))
	}
	if len(body) > 3 {
		if err := checkProperties(body[3:], "PUBACK", packets.PropReasonString, packets.PropUser); err != nil {
			return err
		}
	}
	c.sess.acknowledged(binary.BigEndian.Uint16(body))
	return nil
}

// disconnect ends the connection as the client wishes. One of MQTT 5 may ask for the will
// (0x04) or report an error, which also sends it, and change how long the session is kept.
func (c *conn) disconnect(body []byte) error {
	code := byte(0)
	if c.version == 5 && len(body) > 0 {
		code = body[0]
		expiry, given := uint32(0), false
		if len(body) > 1 {
			_, err := readProperties(body[1:], func(p property) error {
				switch p.id {
				case packets.PropSessionExpiryInterval:
					expiry, given = p.number, true
				case packets.PropReasonString, packets.PropUser, packets.PropServerReference:
				default:
					return fault(codeProtocol, "DISCONNECT: property %d is not one of it", p.id)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		if given {
			if err := c.newExpiry(expiry); err != nil {
				return err
			}
		}
	}
	if code == 0 {
		c.preventWill.Store(true)
		return closure{reasonClient, 0, "the client sent DISCONNECT"}
	}
	return closure{reasonClient, 0, fmt.Sprintf("the client sent DISCONNECT %#02x, which sends its will", code)}
}

func (c *conn) newExpiry(seconds uint32) error {
	s := c.sess
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != c {
		return nil
	}
	if s.clean && seconds > 0 {
		return fault(codeProtocol, "DISCONNECT asks for a session that CONNECT had not asked for")
	}
	if seconds == 0 {
		s.unsave()
		s.clean = true
	}
	s.expiry = min(time.Duration(seconds)*time.Second, c.b.cfg.Limits.SessionExpiry)
	return nil
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

func (c *conn) publish(h header, body []byte) error {
	p, err := readPublish(h, body, c.version)
	if err != nil {
		return err
	}
	topic, err := c.topicOf(&p)
	if err != nil {
		return err
	}
	retain, qos := h.Retain, h.Qos
	switch {
	case qos > 1:
		return fault(codeQoS, "PUBLISH to %q has QoS 2: AWS IoT has QoS 0 and 1 only", topic)
	case qos == 1 && p.id == 0:
		return fault(codeProtocol, "PUBLISH to %q has packet identifier 0", topic)
	case len(p.payload) > c.b.cfg.Limits.Payload:
		return fault(codeTooLarge, "PUBLISH to %q has %d bytes of payload, the limit is %d", topic, len(p.payload), c.b.cfg.Limits.Payload)
	case c.version == 5 && h.Remaining > c.b.cfg.Limits.Packet:
		return fault(codeTooLarge, "PUBLISH to %q has %d bytes, the limit of a packet is %d", topic, h.Remaining, c.b.cfg.Limits.Packet)
	}
	if broken := c.b.PublishRule(topic, retain); broken != "" {
		return fault(codeTopicInvalid, "PUBLISH: %s", broken)
	}
	if err := c.throttle(len(p.payload)); err != nil {
		return err
	}
	if refused := c.sess.mayPublish(topic, retain); refused != "" {
		if c.version == 5 && qos == 1 {
			c.b.log(event.Refused, c.peer, c.sess.id, refused+"; PUBACK 0x87")
			return c.ackNow(p.id, codeNotAuthorized)
		}
		return closure{reasonAuth, codeNotAuthorized, refused}
	}
	m := &Message{Topic: topic, Payload: p.payload, QoS: qos, Retain: retain, Properties: p.props, From: &c.sender}
	if p.props != nil && p.props.HasExpiry {
		m.received(c.b.cfg.Clock.Now())
	}
	return c.take(m, p.id)
}

// topicOf is the topic a PUBLISH names, itself or by an alias.
func (c *conn) topicOf(p *published) (string, error) {
	if len(p.topic) > 0 && string(p.topic) != c.lastTopic {
		c.lastTopic = string(p.topic)
	}
	if !p.aliased {
		if len(p.topic) == 0 {
			return "", fault(codeTopicInvalid, "PUBLISH: the topic is empty")
		}
		return c.lastTopic, nil
	}
	most := c.b.cfg.Limits.TopicAlias
	if p.alias == 0 || int(p.alias) > most {
		return "", fault(codeAliasInvalid, "PUBLISH: topic alias %d: aliases are 1 to %d", p.alias, most)
	}
	if c.aliasIn == nil {
		c.aliasIn = make([]string, most+1)
	}
	if len(p.topic) > 0 {
		c.aliasIn[p.alias] = c.lastTopic
	} else if c.aliasIn[p.alias] == "" {
		return "", fault(codeProtocol, "PUBLISH: topic alias %d stands for no topic", p.alias)
	}
	return c.aliasIn[p.alias], nil
}

// take keeps, routes and acknowledges a message of the client's that is allowed.
func (c *conn) take(m *Message, id uint16) error {
	if m.Retain {
		if err := c.b.retain(m); err != nil {
			c.b.log(event.Trouble, c.peer, c.sess.id, "the retained message could not be stored: "+err.Error())
			return closure{reasonTrouble, codeUnspecified, "the retained message could not be stored"}
		}
	}
	if m.QoS == 0 {
		c.pass(m, nil)
		return nil
	}
	if err := c.roomForAck(); err != nil {
		return err
	}
	if c.b.cfg.Backbone == nil {
		if storing := c.pass(m, nil); !storing || c.b.cfg.RelaxedQoS1 {
			return c.ackNow(id, 0)
		}
		c.b.cfg.Sessions.Barrier(c.ackLater(id, 1))
		return nil
	}
	done := c.ackLater(id, 2) // of the other nodes, of our store
	if c.pass(m, done) && !c.b.cfg.RelaxedQoS1 {
		c.b.cfg.Sessions.Barrier(done)
	} else {
		done(nil)
	}
	return nil
}

// pass routes a client's message and, if it is a request to the service, hands it over. done is
// for the other nodes and is called once, unless it is nil. It says whether the message is on
// its way to the store here.
func (c *conn) pass(m *Message, done func(error)) (storing bool) {
	if c.b.ingest(m) {
		if done != nil {
			done(nil)
		}
		return false
	}
	storing = c.b.route(m, done)
	c.b.request(m, c)
	return storing
}
