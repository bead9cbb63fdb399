package ymodem

import (
	"bytes"
	"testing"
)

// split makes a script of fuzzed bytes: 0xFD parts what arrives together, two in
// a row are a silence. 0xFC and 0xFB, each with a number, stand for a whole block
// of 128 or 1024 bytes, whose CRC chance would never find.
func split(b []byte) *script {
	s := &script{}
	for piece := range bytes.SplitSeq(b, []byte{0xFD}) {
		var out []byte
		for i := 0; i < len(piece); i++ {
			size := 0
			switch piece[i] {
			case 0xFC:
				size = shortBlock
			case 0xFB:
				size = longBlock
			}
			if size == 0 || i+1 == len(piece) {
				out = append(out, piece[i])
				continue
			}
			i++
			out = append(out, packet(piece[i], size, "a\x00200 1 ")...)
		}
		s.in = append(s.in, out)
	}
	return s
}

// FuzzReceive is given what an arbitrary sender sends: it must come to an end,
// and call a file whole only if it is.
func FuzzReceive(f *testing.F) {
	head, data, zero := packet(0, shortBlock, "a\x003"), packet(1, shortBlock, "abc"), packet(0, shortBlock, "")
	f.Add(bytes.Join([][]byte{head, data, {eot}, zero}, nil))
	f.Add(bytes.Join([][]byte{head, data, {0xFD, 0xFD, eot}}, nil))
	f.Add(bytes.Join([][]byte{packet(0, longBlock, "a"), packet(1, longBlock, "x"), {eot, can, can}}, nil))
	f.Add([]byte("\xFC\x00\xFC\x01\xFB\x02\x04\xFC\x00\xFC\x01\xFC\x02\x04"))
	f.Add([]byte{can, can})
	f.Fuzz(func(t *testing.T, b []byte) {
		p := split(b)
		var sink files
		err := Receive(p, &sink)
		if err == nil && sink.ended != len(sink.heads) {
			t.Errorf("%d of %d files whole, and no error", sink.ended, len(sink.heads))
		}
		for i, h := range sink.heads[:sink.ended] {
			if h.Name == "" || h.Size >= 0 && int64(len(sink.data[i])) != h.Size {
				t.Errorf("%+v has %d bytes", h, len(sink.data[i]))
			}
		}
		if len(p.out) > 4*len(b)+2*startTries+100 {
			t.Errorf("%d bytes of answers to %d", len(p.out), len(b))
		}
	})
}

// FuzzSend is given the answers of an arbitrary receiver: it must come to an
// end, and be content only if every block was acknowledged.
func FuzzSend(f *testing.F) {
	f.Add([]byte("C\xFD\x06C\xFD\x06\xFD\x06\xFD\x06C\xFD\x06"), 2000)
	f.Add([]byte("C\xFD\x15\xFD\x06\x06\xFD\xFD\x06\xFD\x18\x18"), 10)
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		p := split(b)
		size &= 0xFFFF
		err := Send(p, file("a", content(size)))
		if blocks := (size + longBlock - 1) / longBlock; err == nil && bytes.Count(b, []byte{ack}) < 1+blocks {
			t.Errorf("%d blocks sent and %d ACKs, and no error", blocks, bytes.Count(b, []byte{ack}))
		}
		if len(p.out) > (len(b)+3*tries)*(longBlock+5) {
			t.Errorf("%d bytes sent", len(p.out))
		}
	})
}

// FuzzHeader reads arbitrary blocks 0.
func FuzzHeader(f *testing.F) {
	f.Add([]byte("name\x00123 7654 100644 0 1 123\x00"))
	f.Add([]byte("name"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, ok := parseHeader(b)
		if ok != (len(b) > 0 && b[0] != 0) || h.Size < -1 || h.ModTime < 0 {
			t.Errorf("%+v %v", h, ok)
		}
	})
}
