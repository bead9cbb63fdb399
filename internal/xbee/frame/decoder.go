package frame

// Stats counts what a decoder has seen.
type Stats struct {
	Frames      uint64 // good ones
	BadChecksum uint64
	BadLength   uint64 // longer than MaxData, or without data
	Truncated   uint64 // another began, or the line fell silent, before it was whole
	Skipped     uint64 // bytes that belonged to no frame
}

// Refused is how many frames were refused.
func (s Stats) Refused() uint64 { return s.BadChecksum + s.BadLength + s.Truncated }

// Decoder takes the bytes of a line and hands over the frames in them. A bad
// frame is counted and left out; the one behind it is not lost: without escapes
// its bytes are looked through for the next delimiter, with escapes a delimiter
// can only be one. The zero Decoder is for a line without escapes.
//
// It never allocates after its first byte.
type Decoder struct {
	// Escaped says that the line has escapes. It may change at any time; bytes
	// that have been taken are not looked at again.
	Escaped bool
	// Handle takes the data of a good frame, at least one byte, which are only
	// lent. It may change Escaped, but not call the decoder.
	Handle func(data []byte)

	stats Stats
	// buf are the bytes of a frame, escapes undone, and what lies behind it
	// when it turned out to be none; it begins with a delimiter or is empty.
	buf     []byte
	escaped bool // the byte before was an escape
}

// Stats returns the counts so far.
func (d *Decoder) Stats() Stats { return d.stats }

// Write takes bytes that have arrived. It implements io.Writer and never fails.
func (d *Decoder) Write(p []byte) (int, error) {
	if d.buf == nil {
		d.buf = make([]byte, 0, MaxData+overhead)
	}
	for _, c := range p {
		d.take(c)
	}
	return len(p), nil
}

// Silence says that the line has been silent for so long that what was begun
// will not go on. What lies in the unfinished frame is looked through for
// others.
func (d *Decoder) Silence() {
	for len(d.buf) > 0 {
		d.stats.Truncated++
		d.drop(1)
		d.parse()
	}
	d.escaped = false
}

// Reset forgets what was begun, and counts from zero.
func (d *Decoder) Reset() {
	d.buf, d.escaped, d.stats = d.buf[:0], false, Stats{}
}

func (d *Decoder) take(c byte) {
	if d.Escaped {
		switch {
		case c == Delimiter:
			if len(d.buf) > 0 {
				d.stats.Truncated++
			}
			d.buf, d.escaped = append(d.buf[:0], c), false
			return
		case c == escape && !d.escaped:
			d.escaped = true
			return
		case d.escaped:
			c ^= flip
			d.escaped = false
		}
	}
	if len(d.buf) == 0 && c != Delimiter {
		d.stats.Skipped++
		return
	}
	d.buf = append(d.buf, c)
	d.parse()
}

// parse takes all frames out of buf that are whole. What is left fits into buf,
// since a frame that claims to be longer is none.
func (d *Decoder) parse() {
	for len(d.buf) >= 3 {
		n := int(d.buf[1])<<8 | int(d.buf[2])
		if n == 0 || n > MaxData {
			d.stats.BadLength++
			d.refuse(3)
			continue
		}
		if len(d.buf) < n+overhead {
			return
		}
		data := d.buf[3 : 3+n]
		if Checksum(data) != d.buf[3+n] {
			d.stats.BadChecksum++
			d.refuse(n + overhead)
			continue
		}
		d.stats.Frames++
		if d.Handle != nil {
			d.Handle(data)
		}
		d.drop(n + overhead)
	}
}

// refuse takes a bad frame of n bytes away: all of it where a delimiter in it
// can only have been escaped, else its delimiter.
func (d *Decoder) refuse(n int) {
	if d.Escaped {
		d.drop(n)
		return
	}
	d.drop(1)
}

// drop takes n bytes away, and what follows up to the next delimiter.
func (d *Decoder) drop(n int) {
	for n < len(d.buf) && d.buf[n] != Delimiter {
		n++
		d.stats.Skipped++
	}
	d.buf = d.buf[:copy(d.buf, d.buf[n:])]
}
