package broker

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/mochi-mqtt/server/v2/packets"
)

// errTooLong is the reading of a packet longer than any that is allowed.
var errTooLong = errors.New("the packet is longer than any that is allowed")

// readPacket reads one packet: its header and its body, which belongs to the caller.
func readPacket(r *bufio.Reader, limit int) (h packets.FixedHeader, body []byte, err error) {
	first, err := r.ReadByte()
	if err != nil {
		return h, nil, err
	}
	if err := h.Decode(first); err != nil {
		return h, nil, &protocolError{err}
	}
	n, shift := 0, 0
	for {
		b, err := r.ReadByte()
		if err != nil {
			return h, nil, err
		}
		n |= int(b&0x7f) << shift
		if b&0x80 == 0 {
			break
		}
		if shift += 7; shift > 21 {
			return h, nil, &protocolError{errors.New("the remaining length has more than four bytes")}
		}
	}
	if n > limit {
		return h, nil, &protocolError{fmt.Errorf("%w (%d bytes)", errTooLong, n)}
	}
	h.Remaining = n
	body = make([]byte, n)
	_, err = io.ReadFull(r, body)
	return h, body, err
}

// protocolError is a fault of the client's, not of the network.
type protocolError struct{ err error }

func (e *protocolError) Error() string { return e.err.Error() }
func (e *protocolError) Unwrap() error { return e.err }

// decode guards the codec's decoders, which read what strangers send: should one ever panic,
// it is the packet that is malformed and the connection that ends.
func decode(f func([]byte) error, body []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &protocolError{fmt.Errorf("malformed packet (%v)", r)}
		}
	}()
	if err := f(body); err != nil {
		return &protocolError{err}
	}
	return nil
}

// The packets of ours, written by hand: they are few, and PUBLISH is the hot path.

func appendConnack(b []byte, present bool, code byte) []byte {
	flag := byte(0)
	if present {
		flag = 1
	}
	return append(b, packets.Connack<<4, 2, flag, code)
}

func appendPuback(b []byte, id uint16) []byte {
	return append(b, packets.Puback<<4, 2, byte(id>>8), byte(id))
}

func appendUnsuback(b []byte, id uint16) []byte {
	return append(b, packets.Unsuback<<4, 2, byte(id>>8), byte(id))
}

func appendSuback(b []byte, id uint16, codes []byte) []byte {
	b = appendLength(append(b, packets.Suback<<4), 2+len(codes))
	return append(append(b, byte(id>>8), byte(id)), codes...)
}

func appendPingresp(b []byte) []byte { return append(b, packets.Pingresp<<4, 0) }

func appendPublish(b []byte, m *Message, qos byte, retain bool, id uint16) []byte {
	head := byte(packets.Publish<<4) | qos<<1
	if retain {
		head |= 1
	}
	n := 2 + len(m.Topic) + len(m.Payload)
	if qos > 0 {
		n += 2
	}
	b = appendLength(append(b, head), n)
	b = append(b, byte(len(m.Topic)>>8), byte(len(m.Topic)))
	b = append(b, m.Topic...)
	if qos > 0 {
		b = append(b, byte(id>>8), byte(id))
	}
	return append(b, m.Payload...)
}

func appendLength(b []byte, n int) []byte {
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}
