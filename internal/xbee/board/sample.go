package board

import "encoding/binary"

// IOSample is one reading of every pin that is set up as an input or output, as
// ATIS and the sample frames have it.
type IOSample struct {
	Digital  uint16 // which pins: bit n is DIO n
	Levels   uint16
	Channels uint8 // which analog inputs: bit n is AD n
	Analog   []uint16
}

// TakeSample reads the pins that are digital inputs or outputs, or analog
// inputs, to ten bits of 2.5 V (guides 90002253 and 90002258, IS), unlike Python's
// ADC. It is empty when there are none.
func (b *Board) TakeSample() IOSample {
	var s IOSample
	for p := Pin(0); p < P3; p++ {
		switch b.pins[p].mode {
		case In, Out, OpenDrain:
			s.Digital |= 1 << p
			if b.Read(p) {
				s.Levels |= 1 << p
			}
		case Analog:
			s.Channels |= 1 << p
			s.Analog = append(s.Analog, uint16(b.Sample(p)>>2)) // 12 bits to 10
		}
	}
	return s
}

// Empty reports whether no pin was read.
func (s IOSample) Empty() bool { return s.Digital == 0 && s.Channels == 0 }

// Words are the sample's parts in the order of the answer to ATIS, which prints
// each on a line: one set, the masks, and what is there of the rest. The first
// and the third have 8 bits, the others 16.
func (s IOSample) Words() []uint16 {
	w := []uint16{1, s.Digital, uint16(s.Channels)}
	if s.Digital != 0 {
		w = append(w, s.Levels)
	}
	return append(w, s.Analog...)
}

// Bytes is the sample as frames carry it, big-endian.
func (s IOSample) Bytes() []byte {
	var b []byte
	for i, w := range s.Words() {
		if i == 0 || i == 2 {
			b = append(b, byte(w))
		} else {
			b = binary.BigEndian.AppendUint16(b, w)
		}
	}
	return b
}
