package broker

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/mochi-mqtt/server/v2/packets"
)

// hello is a CONNECT as it came.
type hello struct {
	version    byte // 4 is MQTT 3.1.1, 5 is MQTT 5
	id         string
	clean      bool // clean session, or clean start
	keepAlive  uint16
	hasExpiry  bool
	expiry     uint32 // seconds
	receiveMax uint16 // 0 when not given
	maxPacket  uint32
	aliasMax   uint16
	will       *Message
	willDelay  uint32
}

// readHello reads the first packet's body and checks it against MQTT and AWS's limits. h is
// what was understood before the error.
func (l *Limits) readHello(body []byte) (h *hello, err error) {
	h = &hello{}
	rest, err := h.protocol(body)
	if err != nil {
		return h, err
	}
	if len(rest) < 3 {
		return h, malformed("CONNECT ends in its flags")
	}
	flags := rest[0]
	h.clean, h.keepAlive, rest = flags&2 != 0, binary.BigEndian.Uint16(rest[1:]), rest[3:]
	if h.version == 5 {
		if rest, err = readProperties(rest, h.property); err != nil {
			return h, err
		}
	}
	id, rest, ok := cutText(rest)
	if !ok {
		return h, fault(codeClientID, "malformed packet: the client id is not there or not UTF-8 text")
	}
	h.id = string(id)
	if err := checkFlags(flags, h.version); err != nil {
		return h, err
	}
	if flags&4 != 0 {
		if rest, err = h.readWill(flags, rest); err != nil {
			return h, err
		}
	}
	for _, flag := range [...]byte{0x80, 0x40} { // user name and password, of which there is no use
		if flags&flag != 0 {
			if _, rest, ok = cutBytes(rest); !ok {
				return h, malformed("CONNECT has no user name or password, which its flags promise")
			}
		}
	}
	if len(rest) > 0 {
		return h, malformed("CONNECT has %d bytes more than its fields need", len(rest))
	}
	if len(h.id) > l.ClientID {
		return h, fault(codeClientID, "the client id has %d bytes, the limit is %d", len(h.id), l.ClientID)
	}
	return h, nil
}

// protocol reads name and level: what follows them differs between versions.
func (h *hello) protocol(body []byte) (rest []byte, err error) {
	name, rest, ok := cutBytes(body)
	if !ok || len(rest) == 0 {
		return nil, malformed("CONNECT ends in its protocol")
	}
	level, rest := rest[0], rest[1:]
	switch {
	case bytes.Equal(name, []byte("MQTT")) && (level == 4 || level == 5):
		h.version = level
		return rest, nil
	case bytes.Equal(name, []byte("MQTT")), bytes.Equal(name, []byte("MQIsdp")):
		return nil, fault(codeVersion, "protocol %s level %d is not served: make the client speak MQTT 3.1.1 (level 4) or 5", name, level)
	}
	return nil, fault(codeProtocol, "protocol %q is not MQTT", name)
}

// checkFlags checks the connect flags against each other.
func checkFlags(flags, version byte) error {
	will, qos := flags&4 != 0, flags>>3&3
	switch {
	case flags&1 != 0:
		return fault(codeMalformed, "the reserved bit of the connect flags is set")
	case !will && (qos != 0 || flags&0x20 != 0):
		return fault(codeMalformed, "will QoS or retain is set without a will")
	case version == 4 && flags&0x40 != 0 && flags&0x80 == 0:
		return fault(codeMalformed, "a password without a user name")
	case qos == 2:
		return fault(codeQoS, "the will has QoS 2: AWS IoT has QoS 0 and 1 only")
	case qos == 3:
		return fault(codeMalformed, "the will has QoS 3")
	}
	return nil
}

// property takes a property of CONNECT.
func (h *hello) property(p property) error {
	switch p.id {
	case packets.PropSessionExpiryInterval:
		h.hasExpiry, h.expiry = true, p.number
	case packets.PropReceiveMaximum:
		if h.receiveMax = uint16(p.number); p.number == 0 {
			return fault(codeProtocol, "the receive maximum is 0")
		}
	case packets.PropMaximumPacketSize:
		if h.maxPacket = p.number; p.number == 0 {
			return fault(codeProtocol, "the maximum packet size is 0")
		}
	case packets.PropTopicAliasMaximum:
		h.aliasMax = uint16(p.number)
	case packets.PropRequestResponseInfo, packets.PropRequestProblemInfo:
		if p.number > 1 {
			return fault(codeProtocol, "property %d is %d, not 0 or 1", p.id, p.number)
		}
	case packets.PropUser:
	case packets.PropAuthenticationMethod, packets.PropAuthenticationData:
		return fault(codeMethod, "enhanced authentication is not part of AWS IoT")
	default:
		return fault(codeProtocol, "property %d is not one of CONNECT", p.id)
	}
	return nil
}

// readWill reads the will at the front of b.
func (h *hello) readWill(flags byte, b []byte) (rest []byte, err error) {
	m := &Message{QoS: flags >> 3 & 3, Retain: flags&0x20 != 0}
	if h.version == 5 {
		props, some := &Properties{}, false
		b, err = readProperties(b, func(p property) error {
			if p.id == packets.PropWillDelayInterval {
				h.willDelay = p.number
				return nil
			}
			some = true
			return props.set(p, "the will")
		})
		if err != nil {
			return nil, err
		}
		if some {
			m.Properties = props
		}
	}
	topic, b, ok := cutText(b)
	if !ok {
		return nil, malformed("the will's topic is not there or not UTF-8 text")
	}
	payload, b, ok := cutBytes(b)
	if !ok {
		return nil, malformed("the will has no message")
	}
	m.Topic, m.Payload = strings.Clone(string(topic)), payload
	h.will = m
	return b, nil
}
