package meter

// pings finds, in one direction of a connection, the messages of MQTT that only
// keep it alive: PINGREQ (C0 00) and PINGRESP (D0 00). It follows the lengths of
// the messages, so it does not matter in which pieces they come.
type pings struct {
	state  pingState
	begun  bool
	kind   byte
	left   uint64
	shift  uint
	length uint64
	found  kept // not yet taken
}

type pingState uint8

const (
	atStart pingState = iota
	inLength
	inBody
	notMQTT
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

// feed follows what was sent (up) or has arrived, and returns the pings that
// ended in it.
func (s *pings) feed(p []byte, up bool) kept {
	for _, c := range p {
		switch s.state {
		case notMQTT:
			return s.take()
		case atStart:
			first := byte(connack)
			if up {
				first = connect
			}
			if !s.begun && c != first {
				s.state = notMQTT
				continue
			}
			s.begun, s.kind, s.length, s.shift, s.state = true, c, 0, 0, inLength
		case inLength:
			s.length |= uint64(c&0x7F) << s.shift
			s.shift += 7
			switch {
			case c&0x80 != 0 && s.shift >= 28:
				s.state = notMQTT
			case c&0x80 == 0:
				s.message()
			}
		case inBody:
			if s.left--; s.left == 0 {
				s.state = atStart
			}
		}
	}
	if up {
		return s.take()
	}
	return kept{}
}

// message begins the body of a message, of which a ping has none.
func (s *pings) message() {
	s.left, s.state = s.length, inBody
	if s.length == 0 {
		s.state = atStart
		if s.kind == pingRequest || s.kind == pingAnswer {
			s.found.messages++
			s.found.bytes += 2
		}
	}
}

// take returns what was found since it was last called.
func (s *pings) take() kept {
	k := s.found
	s.found = kept{}
	return k
}
