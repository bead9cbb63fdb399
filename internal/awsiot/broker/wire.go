package broker

import (
	"bufio"
	"encoding/binary"
	"io"

	"github.com/mochi-mqtt/server/v2/packets"
)

// header is a packet's fixed header.
type header = packets.FixedHeader

// readPacket reads one packet: its header and its body, which belongs to the caller.
func readPacket(r *bufio.Reader, limit int) (h header, body []byte, err error) {
	first, err := r.ReadByte()
	if err != nil {
		return h, nil, err
	}
	return readRest(first, r, limit)
}

// readRest is readPacket when the first byte has been read.
func readRest(first byte, r *bufio.Reader, limit int) (h header, body []byte, err error) {
	if err := h.Decode(first); err != nil {
		return h, nil, malformed("%v", err)
	}
	n, shift := 0, 0
	for {
		b, err := r.ReadByte()
		if err != nil {
			return h, nil, cut(err)
		}
		n |= int(b&0x7f) << shift
		if b&0x80 == 0 {
			break
		}
		if shift += 7; shift > 21 {
			return h, nil, malformed("the remaining length has more than four bytes")
		}
	}
	if n > limit {
		return h, nil, fault(codeTooLarge, "the packet is longer than any that is allowed (%d bytes)", n)
	}
	h.Remaining = n
	body, err = readBody(r, n)
	return h, body, cut(err)
}

// trusted is how many bytes of memory a promise to send them is worth.
const trusted = 8 << 10

// readBody reads n bytes. Who promises many and sends few must not cost much: memory grows
// with what has come.
func readBody(r *bufio.Reader, n int) ([]byte, error) {
	body := make([]byte, min(n, trusted))
	for have := 0; ; {
		if _, err := io.ReadFull(r, body[have:]); err != nil {
			return nil, err
		}
		if have = len(body); have == n {
			return body, nil
		}
		more := make([]byte, min(n, 4*have))
		copy(more, body)
		body = more
	}
}

// cut is the end of the stream within a packet.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// decode guards the codec's decoders, which read what strangers send: should one ever panic,
// it is the packet that is malformed and the connection that ends.
func decode(f func([]byte) error, body []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = malformed("%v", r)
		}
	}()
	if err := f(body); err != nil {
		return malformed("%v", err)
	}
	return nil
}

// The packets of ours, written by hand: they are few, and PUBLISH is the hot path.

func appendConnack(b []byte, present bool, code byte) []byte {
	return append(b, packets.Connack<<4, 2, flagOf(present), code)
}

// appendConnack5 writes CONNACK of MQTT 5 with encoded properties.
func appendConnack5(b []byte, present bool, code byte, props []byte) []byte {
	n := 2 + lengthSize(len(props)) + len(props)
	b = append(appendLength(append(b, packets.Connack<<4), n), flagOf(present), code)
	return append(appendLength(b, len(props)), props...)
}

func flagOf(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// appendPuback writes PUBACK; code is of MQTT 5 and else 0.
func appendPuback(b []byte, id uint16, code byte) []byte {
	if code == 0 {
		return append(b, packets.Puback<<4, 2, byte(id>>8), byte(id))
	}
	return append(b, packets.Puback<<4, 3, byte(id>>8), byte(id), code)
}

func appendUnsuback(b []byte, id uint16, version byte, codes []byte) []byte {
	if version == 5 {
		return appendCodes(append(b, packets.Unsuback<<4), id, version, codes)
	}
	return append(b, packets.Unsuback<<4, 2, byte(id>>8), byte(id))
}

func appendSuback(b []byte, id uint16, version byte, codes []byte) []byte {
	return appendCodes(append(b, packets.Suback<<4), id, version, codes)
}

// appendCodes writes what follows the type of SUBACK and UNSUBACK.
func appendCodes(b []byte, id uint16, version byte, codes []byte) []byte {
	if version == 5 {
		b = append(appendLength(b, 3+len(codes)), byte(id>>8), byte(id), 0)
	} else {
		b = append(appendLength(b, 2+len(codes)), byte(id>>8), byte(id))
	}
	return append(b, codes...)
}

func appendPingresp(b []byte) []byte { return append(b, packets.Pingresp<<4, 0) }

// appendDisconnect writes DISCONNECT of MQTT 5, with a length of properties though there are
// none: not every client reads a code without it.
func appendDisconnect(b []byte, code byte) []byte {
	return append(b, packets.Disconnect<<4, 2, code, 0)
}

// appendPublish writes PUBLISH of MQTT 3.1.1.
func appendPublish(b []byte, m *Message, qos byte, retain bool, id uint16) []byte {
	n := 2 + len(m.Topic) + len(m.Payload) + 2*int(qos)
	b = appendLength(append(b, byte(packets.Publish<<4)|qos<<1|flagOf(retain)), n)
	b = appendString(b, m.Topic)
	if qos > 0 {
		b = append(b, byte(id>>8), byte(id))
	}
	return append(b, m.Payload...)
}

// appendPublish5 writes PUBLISH of MQTT 5. alias 0 is none; with known the topic is left out.
func appendPublish5(b []byte, m *Message, qos byte, retain bool, id, alias uint16, known bool, now int64) []byte {
	topic := m.Topic
	if known {
		topic = ""
	}
	props := publishProperties(m, alias)
	n := 2 + len(topic) + 2*int(qos) + lengthSize(props) + props + len(m.Payload)
	b = appendLength(append(b, byte(packets.Publish<<4)|qos<<1|flagOf(retain)), n)
	b = appendString(b, topic)
	if qos > 0 {
		b = append(b, byte(id>>8), byte(id))
	}
	b = appendLength(b, props)
	if m.deadline != 0 {
		// What is left of it, in whole seconds.
		b = append(b, packets.PropMessageExpiryInterval)
		b = binary.BigEndian.AppendUint32(b, uint32(max(0, m.deadline-now)/1000))
	}
	if alias != 0 {
		b = append(b, packets.PropTopicAlias, byte(alias>>8), byte(alias))
	}
	if m.Properties != nil {
		b = m.Properties.append(b)
	}
	return append(b, m.Payload...)
}

// publishProperties is the size of a PUBLISH's properties.
func publishProperties(m *Message, alias uint16) int {
	n := 0
	if m.deadline != 0 {
		n += 5
	}
	if alias != 0 {
		n += 3
	}
	if m.Properties != nil {
		n += m.Properties.size()
	}
	return n
}

// publishSize is the most bytes m can take as a packet of MQTT 5.
func publishSize(m *Message) int {
	props := publishProperties(m, 1)
	return 1 + 4 + 2 + len(m.Topic) + 2 + lengthSize(props) + props + len(m.Payload)
}

func appendLength(b []byte, n int) []byte {
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}

func lengthSize(n int) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}
