package ymodem

import (
	"bytes"
	"io"
	"time"
)

// files is a sink that keeps what it gets.
type files struct {
	heads []Header
	data  [][]byte
	ended int
	limit int   // bytes it takes of a file, 0: all
	begin error // what Begin returns
}

func (f *files) Begin(h Header) error {
	if f.begin != nil {
		return f.begin
	}
	f.heads, f.data = append(f.heads, h), append(f.data, nil)
	return nil
}

func (f *files) Write(p []byte) (int, error) {
	i := len(f.data) - 1
	if f.limit > 0 && len(f.data[i])+len(p) > f.limit {
		return 0, io.ErrShortWrite
	}
	f.data[i] = append(f.data[i], p...)
	return len(p), nil
}

func (f *files) End() error { f.ended++; return nil }

// script is a port whose other side is given: what is in one piece arrives
// together, an empty piece is silence until somebody has waited in vain.
type script struct {
	in    [][]byte
	begun bool // the first piece has begun to arrive
	out   []byte
}

func (s *script) Byte(d time.Duration) (byte, bool) {
	if len(s.in) == 0 || d == 0 && !s.begun {
		return 0, false
	}
	if len(s.in[0]) == 0 {
		s.in = s.in[1:]
		return 0, false
	}
	b := s.in[0][0]
	s.in[0], s.begun = s.in[0][1:], true
	if len(s.in[0]) == 0 {
		s.in, s.begun = s.in[1:], false
	}
	return b, true
}

func (s *script) Write(p []byte) { s.out = append(s.out, p...) }

// packet is a block as it is on the line.
func packet(n byte, size int, data string) []byte {
	b := make([]byte, 3+size+2)
	b[0], b[1], b[2] = soh, n, ^n
	if size == longBlock {
		b[0] = stx
	}
	copy(b[3:], data)
	c := checksum(b[3 : 3+size])
	b[3+size], b[4+size] = byte(c>>8), byte(c)
	return b
}

// content is size bytes that look like anything.
func content(size int) []byte {
	b := make([]byte, size)
	x := uint32(size)*2654435761 + 1
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}

func file(name string, b []byte) File {
	return File{Header{Name: name, Size: int64(len(b))}, bytes.NewReader(b)}
}
