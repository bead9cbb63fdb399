package record

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"
)

// Version is the number of the file format; it changes with any change of it.
const Version = 1

// A recording is magic and version, then chunks: the length and the checksum of
// what follows, both little-endian uint32. What the chunks hold is one deflate
// stream, flushed at the end of each, of the setup, the image and the entries. A
// file that was cut is read as far as its chunks are whole.
const (
	magic     = "SKEPRECD"
	headLen   = len(magic) + 4
	chunkHead = 8
	maxChunk  = 64 << 20
	// maxContent bounds what a recording may grow to when it is read.
	maxContent = 1 << 30
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Head is what a recording begins with.
type Head struct {
	// Virtual: the clock was a virtual one, which began at Start and had run for
	// Elapsed.
	Virtual bool
	Start   time.Time
	Elapsed time.Duration
	// Setup is what the device was made of, Image its flash, both as they were
	// handed in.
	Setup, Image []byte
}

func (h *Head) append(b []byte) []byte {
	v := byte(0)
	if h.Virtual {
		v = 1
	}
	b = binary.AppendVarint(append(b, v), h.Start.UnixNano())
	b = binary.AppendVarint(b, int64(h.Elapsed))
	b = appendText(b, string(h.Setup))
	return appendText(b, string(h.Image))
}

func cutHead(b []byte) (h Head, rest []byte, err error) {
	d := decoder{b: b}
	h.Virtual = d.byte() == 1
	h.Start = time.Unix(0, d.int()).UTC()
	h.Elapsed = time.Duration(d.int())
	h.Setup, h.Image = []byte(d.text()), []byte(d.text())
	return h, d.b, d.err
}

// Log is a recording that was read, or that is still being made as far as it is.
// It never changes.
type Log struct {
	Head
	// Whole: the run was recorded to its end.
	Whole bool
	// Cut is why a recording that is not whole ends where it does; nil if it was
	// simply not continued.
	Cut error

	entries []byte
	reach   uint64 // the last call that is known
}

// Reach is the number of the last call that the recording knows of.
func (l *Log) Reach() uint64 { return l.reach }

// FormatError is a file that is no recording, or one of another version.
type FormatError struct{ text string }

func (e *FormatError) Error() string { return e.text }

// Read reads a recording. One that was cut, or is damaged, is read as far as it is
// good, which [Log.Cut] tells; the error is for a file of which nothing can be
// used.
func Read(r io.Reader) (*Log, error) {
	var head [headLen]byte
	if _, err := io.ReadFull(r, head[:]); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && err != io.EOF {
		return nil, err
	}
	if string(head[:len(magic)]) != magic {
		return nil, &FormatError{"this is no recording of skep (make one with skep run --record FILE)"}
	}
	if v := binary.LittleEndian.Uint32(head[len(magic):]); v != Version {
		return nil, &FormatError{fmt.Sprintf("the recording's format is version %d, and this program reads %d: use the version of skep that made it", v, Version)}
	}
	chunks := &chunkReader{r: r}
	inflate := flate.NewReader(chunks)
	content, inflated := io.ReadAll(io.LimitReader(inflate, maxContent+1))
	if len(content) > maxContent {
		return nil, &FormatError{fmt.Sprintf("the recording holds more than %d MiB, which is more than can be replayed", maxContent>>20)}
	}
	l := &Log{}
	var err error
	if l.Head, l.entries, err = cutHead(content); err != nil {
		if chunks.err != nil {
			return nil, &FormatError{fmt.Sprintf("the recording cannot be used, for it ends before the run began: %v", chunks.err)}
		}
		return nil, &FormatError{"the recording cannot be used, for it ends before the run began"}
	}
	l.Cut = chunks.err
	if l.Cut == nil && inflated != nil && !errors.Is(inflated, io.ErrUnexpectedEOF) {
		l.Cut = fmt.Errorf("it is damaged: %w", inflated)
	}
	l.measure()
	return l, nil
}

// measure finds how far the entries go.
func (l *Log) measure() {
	rest := l.entries
	for n := uint64(0); ; n = l.reach {
		e, more, ok := cutEntry(rest, n)
		if !ok {
			break
		}
		l.reach, rest = e.n, more
		l.Whole = l.Whole || e.kind == KindEnd
	}
	if len(rest) > 0 && l.Cut == nil {
		l.Cut = errEntry
	}
	l.entries = l.entries[:len(l.entries)-len(rest)]
}

// Write writes a recording as a file.
func (l *Log) Write(w io.Writer) error {
	f, err := newFile(w)
	if err != nil {
		return err
	}
	return f.chunk(append(l.Head.append(nil), l.entries...))
}

// chunkReader is the content of the chunks that are whole.
type chunkReader struct {
	r    io.Reader
	rest []byte
	err  error // why there is no more
	done bool
}

func (c *chunkReader) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		if c.done {
			return 0, io.EOF
		}
		c.next()
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *chunkReader) next() {
	var head [chunkHead]byte
	n, err := io.ReadFull(c.r, head[:])
	switch {
	case err == io.EOF:
		c.done = true
		return
	case err != nil:
		c.stop(fmt.Errorf("it ends %d bytes into a chunk", n))
		return
	}
	size := binary.LittleEndian.Uint32(head[:])
	if size == 0 || size > maxChunk {
		c.stop(fmt.Errorf("it is damaged: a chunk of %d bytes", size))
		return
	}
	var body bytes.Buffer
	if m, err := io.CopyN(&body, c.r, int64(size)); err != nil {
		c.stop(fmt.Errorf("it ends %d bytes into a chunk of %d", m, size))
		return
	}
	if crc32.Checksum(body.Bytes(), castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		c.stop(errors.New("it is damaged: the checksum of a chunk is wrong"))
		return
	}
	c.rest = body.Bytes()
}

func (c *chunkReader) stop(err error) { c.err, c.done = err, true }

// file writes chunks.
type file struct {
	w       io.Writer
	body    bytes.Buffer
	deflate *flate.Writer
}

func newFile(w io.Writer) (*file, error) {
	f := &file{w: w}
	d, err := flate.NewWriter(&f.body, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	f.deflate = d
	_, err = w.Write(binary.LittleEndian.AppendUint32([]byte(magic), Version))
	return f, err
}

// chunk writes content as one chunk, or as several when there is much of it.
func (f *file) chunk(content []byte) error {
	for len(content) > 0 {
		n := min(len(content), maxChunk/4)
		f.body.Reset()
		f.body.Write(make([]byte, chunkHead))
		if _, err := f.deflate.Write(content[:n]); err != nil {
			return err
		}
		if err := f.deflate.Flush(); err != nil {
			return err
		}
		b := f.body.Bytes()
		binary.LittleEndian.PutUint32(b, uint32(len(b)-chunkHead))
		binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[chunkHead:], castagnoli))
		if _, err := f.w.Write(b); err != nil {
			return err
		}
		content = content[n:]
	}
	return nil
}
