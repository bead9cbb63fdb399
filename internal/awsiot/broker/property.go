package broker

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/mochi-mqtt/server/v2/packets"
)

// form is how a property of MQTT 5 is written.
type form byte

const (
	formNone form = iota
	formByte
	formTwo
	formFour
	formLength // variable byte integer
	formText
	formBinary
	formPair // two texts; may repeat
)

// propertyForms are the forms by identifier (MQTT 5, 2.2.2.2).
var propertyForms = [43]form{
	packets.PropPayloadFormat: formByte, packets.PropMessageExpiryInterval: formFour,
	packets.PropContentType: formText, packets.PropResponseTopic: formText, packets.PropCorrelationData: formBinary,
	packets.PropSubscriptionIdentifier: formLength, packets.PropSessionExpiryInterval: formFour,
	packets.PropAssignedClientID: formText, packets.PropServerKeepAlive: formTwo,
	packets.PropAuthenticationMethod: formText, packets.PropAuthenticationData: formBinary,
	packets.PropRequestProblemInfo: formByte, packets.PropWillDelayInterval: formFour,
	packets.PropRequestResponseInfo: formByte, packets.PropResponseInfo: formText, packets.PropServerReference: formText,
	packets.PropReasonString: formText, packets.PropReceiveMaximum: formTwo, packets.PropTopicAliasMaximum: formTwo,
	packets.PropTopicAlias: formTwo, packets.PropMaximumQos: formByte, packets.PropRetainAvailable: formByte,
	packets.PropUser: formPair, packets.PropMaximumPacketSize: formFour, packets.PropWildcardSubAvailable: formByte,
	packets.PropSubIDAvailable: formByte, packets.PropSharedSubAvailable: formByte,
}

// property is one property of a packet; its texts are the packet's memory.
type property struct {
	id     byte
	number uint32
	text   []byte
	value  []byte // the second text of a pair
}

// malformed is a packet that is not MQTT.
func malformed(format string, args ...any) error {
	return fault(codeMalformed, "malformed packet: "+format, args...)
}

// readProperties calls f for each property at the front of b and gives what follows them. It
// is strict where the codec is not: a property may not reach beyond the properties' length,
// nor be there twice.
func readProperties(b []byte, f func(property) error) (rest []byte, err error) {
	n, size := readLength(b)
	if size == 0 || n > len(b)-size {
		return nil, malformed("the properties' length")
	}
	rest, b = b[size+n:], b[size:size+n]
	var seen uint64
	for len(b) > 0 {
		p := property{id: b[0]}
		if int(p.id) >= len(propertyForms) || propertyForms[p.id] == formNone {
			return nil, malformed("there is no property %d", p.id)
		}
		kind := propertyForms[p.id]
		if seen&(1<<p.id) != 0 && kind != formPair {
			return nil, fault(codeProtocol, "property %d is there twice", p.id)
		}
		seen |= 1 << p.id
		ok := false
		if b, ok = p.read(kind, b[1:]); !ok {
			return nil, malformed("property %d", p.id)
		}
		if err := f(p); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// read takes the property's value from b and gives what follows it.
func (p *property) read(kind form, b []byte) (rest []byte, ok bool) {
	switch kind {
	case formByte:
		if len(b) < 1 {
			return nil, false
		}
		p.number = uint32(b[0])
		return b[1:], true
	case formTwo:
		if len(b) < 2 {
			return nil, false
		}
		p.number = uint32(binary.BigEndian.Uint16(b))
		return b[2:], true
	case formFour:
		if len(b) < 4 {
			return nil, false
		}
		p.number = binary.BigEndian.Uint32(b)
		return b[4:], true
	case formLength:
		n, size := readLength(b)
		p.number = uint32(n)
		return b[size:], size > 0
	case formBinary:
		p.text, b, ok = cutBytes(b)
		return b, ok
	case formPair:
		if p.text, b, ok = cutText(b); !ok {
			return nil, false
		}
		p.value, b, ok = cutText(b)
		return b, ok
	}
	p.text, b, ok = cutText(b)
	return b, ok
}

// cutBytes takes bytes with their length in front.
func cutBytes(b []byte) (v, rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(b))
	if len(b) < 2+n {
		return nil, nil, false
	}
	return b[2 : 2+n : 2+n], b[2+n:], true
}

// cutText is cutBytes for text: UTF-8 without U+0000.
func cutText(b []byte) (v, rest []byte, ok bool) {
	v, rest, ok = cutBytes(b)
	return v, rest, ok && utf8.Valid(v) && bytes.IndexByte(v, 0) < 0
}

// readLength reads a variable byte integer; size 0 says that there is none.
func readLength(b []byte) (n, size int) {
	for i := range min(4, len(b)) {
		n |= int(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			return n, i + 1
		}
	}
	return 0, 0
}

// published is a PUBLISH as it came.
type published struct {
	topic   []byte
	id      uint16
	alias   uint16
	aliased bool
	payload []byte
	props   *Properties
}

// readPublish decodes PUBLISH. It is the hot path, so it is ours and not the codec's. The
// payload is body's memory.
func readPublish(h packets.FixedHeader, body []byte, version byte) (p published, err error) {
	var ok bool
	if p.topic, body, ok = cutText(body); !ok {
		return p, malformed("PUBLISH has no topic of UTF-8 text")
	}
	if h.Qos > 0 {
		if len(body) < 2 {
			return p, malformed("PUBLISH has no packet identifier")
		}
		p.id, body = binary.BigEndian.Uint16(body), body[2:]
	}
	if version == 5 {
		if len(body) > 0 && body[0] == 0 {
			body = body[1:]
		} else if body, err = p.readProperties(body); err != nil {
			return p, err
		}
	}
	p.payload = body
	return p, nil
}

// readProperties reads the properties of a PUBLISH. What it collects in is a copy, since it
// would else cost every message, also those without properties, an allocation.
func (p *published) readProperties(b []byte) (rest []byte, err error) {
	var got published
	rest, err = readProperties(b, func(v property) error {
		if v.id == packets.PropTopicAlias {
			got.alias, got.aliased = uint16(v.number), true
			return nil
		}
		if got.props == nil {
			got.props = &Properties{}
		}
		return got.props.set(v, "PUBLISH")
	})
	p.alias, p.aliased, p.props = got.alias, got.aliased, got.props
	return rest, err
}

// set takes a property that a message can have.
func (m *Properties) set(v property, where string) error {
	switch v.id {
	case packets.PropPayloadFormat:
		if v.number > 1 {
			return fault(codeProtocol, "%s: the payload format indicator is %d, not 0 or 1", where, v.number)
		}
		m.HasFormat, m.Format = true, byte(v.number)
	case packets.PropMessageExpiryInterval:
		m.HasExpiry, m.Expiry = true, v.number
	case packets.PropContentType:
		m.ContentType = string(v.text)
	case packets.PropResponseTopic:
		if bytes.ContainsAny(v.text, "+#") {
			return fault(codeProtocol, "%s: the response topic has a wildcard", where)
		}
		m.ResponseTopic = string(v.text)
	case packets.PropCorrelationData:
		m.Correlation = v.text
	case packets.PropUser:
		m.User = append(m.User, UserProperty{string(v.text), string(v.value)})
	default:
		return fault(codeProtocol, "%s: property %d is not one of it", where, v.id)
	}
	return nil
}

// Rule says which rule of MQTT properties break that did not come by MQTT, "" for none.
func (m *Properties) Rule() string {
	switch {
	case strings.ContainsAny(m.ResponseTopic, "+#"):
		return fmt.Sprintf("the response topic %.60q has a wildcard", m.ResponseTopic)
	case len(m.Correlation) > math.MaxUint16:
		return fmt.Sprintf("the correlation data has %d bytes, more than 65535", len(m.Correlation))
	}
	texts := []string{m.ContentType, m.ResponseTopic}
	for _, u := range m.User {
		texts = append(texts, u.Key, u.Value)
	}
	for _, s := range texts {
		switch {
		case len(s) > math.MaxUint16:
			return fmt.Sprintf("a property has %d bytes, more than 65535: %.60q", len(s), s)
		case !isText(s):
			return fmt.Sprintf("a property is not UTF-8 text: %.60q", s)
		}
	}
	return ""
}

// size is how many bytes the properties need, without their own length and the expiry.
func (m *Properties) size() int {
	n := 0
	if m.HasFormat {
		n += 2
	}
	for _, l := range [...]int{len(m.ContentType), len(m.ResponseTopic), len(m.Correlation)} {
		if l > 0 {
			n += 3 + l
		}
	}
	for _, u := range m.User {
		n += 5 + len(u.Key) + len(u.Value)
	}
	return n
}

// append writes what size counted.
func (m *Properties) append(b []byte) []byte {
	if m.HasFormat {
		b = append(b, packets.PropPayloadFormat, m.Format)
	}
	if m.ContentType != "" {
		b = appendString(append(b, packets.PropContentType), m.ContentType)
	}
	if m.ResponseTopic != "" {
		b = appendString(append(b, packets.PropResponseTopic), m.ResponseTopic)
	}
	if len(m.Correlation) > 0 {
		b = appendString(append(b, packets.PropCorrelationData), string(m.Correlation))
	}
	for _, u := range m.User {
		b = appendString(appendString(append(b, packets.PropUser), u.Key), u.Value)
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(append(b, byte(len(s)>>8), byte(len(s))), s...)
}

// checkProperties looks at the properties at the front of what the codec decodes: its own
// reading of them is looser. allowed are the ones the packet may have.
func checkProperties(b []byte, what string, allowed ...byte) error {
	_, err := readProperties(b, func(p property) error {
		if bytes.IndexByte(allowed, p.id) < 0 {
			return fault(codeProtocol, "%s: property %d is not one of it", what, p.id)
		}
		return nil
	})
	return err
}
