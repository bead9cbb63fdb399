package meter

import (
	"encoding/binary"

	"github.com/skep-sim/skep/internal/rmlink"
)

// pings finds, in one direction of a connection, the messages that only keep it
// alive: those of MQTT, and those of the link to the local Remote Manager. It
// follows the lengths of the messages, so it does not matter in which pieces
// they come.
type pings struct {
	protocol protocol // found out by the first byte
	head     []byte   // of the message, as far as it has come
	body     uint64   // how much of the message is still to come behind its head
	found    kept     // not yet taken
}

type protocol uint8

const (
	notKnown protocol = iota
	mqtt
	remote // Manager
	other
)

// kept is how many messages kept the connection alive, and their bytes.
type kept struct{ messages, bytes uint64 }

// The first message each way of an MQTT connection, and the two pings.
const (
	connect     = 0x10
	connack     = 0x20
	pingRequest = 0xC0
	pingAnswer  = 0xD0
)

func protocolOf(first byte, up bool) protocol {
	switch {
	case first == rmlink.Mark:
		return remote
	case up && first == connect, !up && first == connack:
		return mqtt
	}
	return other
}

// feed follows what was sent (up) or has arrived, and returns the pings that
// ended in what was sent.
func (s *pings) feed(p []byte, up bool) kept {
	for _, c := range p {
		switch {
		case s.protocol == other:
			return s.take()
		case s.body > 0:
			s.body--
			continue
		case s.protocol == notKnown:
			s.protocol = protocolOf(c, up)
		}
		s.head = append(s.head, c)
		switch s.protocol {
		case mqtt:
			s.headMQTT()
		case remote:
			s.headRemote()
		}
	}
	if up {
		return s.take()
	}
	return kept{}
}

// message begins the body of a message whose head is complete.
func (s *pings) message(ping bool, body uint64) {
	if ping {
		s.found.messages++
		s.found.bytes += uint64(len(s.head)) + body
	}
	s.head, s.body = s.head[:0], body
}

// headMQTT looks at a head of MQTT: a type, and a length of up to four bytes, the
// last of which has its top bit clear.
func (s *pings) headMQTT() {
	n := len(s.head)
	switch {
	case n == 1:
	case s.head[n-1]&0x80 == 0:
		length := uint64(0)
		for i, c := range s.head[1:] {
			length |= uint64(c&0x7F) << (7 * i)
		}
		kind := s.head[0]
		s.message(length == 0 && (kind == pingRequest || kind == pingAnswer), length)
	case n == 5:
		s.protocol = other
	}
}

// remoteHead is the length of a head of the link to Remote Manager.
const remoteHead = 13

func (s *pings) headRemote() {
	if len(s.head) < remoteHead {
		return
	}
	body := uint64(s.head[7]) + uint64(s.head[8]) + uint64(binary.BigEndian.Uint32(s.head[9:]))
	s.message(rmlink.Type(s.head[1]) == rmlink.Ping, body)
}

// take returns what was found since it was last called.
func (s *pings) take() kept {
	k := s.found
	s.found = kept{}
	return k
}
