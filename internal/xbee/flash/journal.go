package flash

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Version is the number of the image format; it changes with any change of it.
const Version = 1

const (
	magic      = "SKEPFLSH"
	headerLen  = len(magic) + 4
	recordHead = 8 // length and checksum of the payload, both little-endian uint32

	// A journal is rewritten when it is this many bytes long and more than
	// four times what it would be after.
	compactFrom  = 256 << 10
	compactRatio = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func header() []byte {
	return binary.LittleEndian.AppendUint32([]byte(magic), Version)
}

// appendRecord adds one record that holds es.
func appendRecord(b []byte, es []edit) []byte {
	at := len(b)
	b = append(b, make([]byte, recordHead)...)
	for i := range es {
		b = es[i].append(b)
	}
	payload := b[at+recordHead:]
	binary.LittleEndian.PutUint32(b[at:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(b[at+4:], crc32.Checksum(payload, castagnoli))
	return b
}

func (e *edit) append(b []byte) []byte {
	b = append(b, byte(e.op))
	switch e.op {
	case editNode:
		b = binary.AppendUvarint(b, uint64(e.id))
		b = binary.AppendUvarint(b, uint64(e.parent))
		b = append(b, e.flags)
		b = appendBytes(b, e.name)
	case editData:
		b = binary.AppendUvarint(b, uint64(e.id))
		b = binary.AppendUvarint(b, uint64(e.size))
		b = binary.AppendUvarint(b, uint64(e.off))
		b = appendBytes(b, e.data)
	case editDrop:
		b = binary.AppendUvarint(b, uint64(e.id))
	case editBlob, editLaid:
		b = appendBytes(b, e.name)
		b = appendBytes(b, e.data)
	case editNoBlob, editUnlaid:
		b = appendBytes(b, e.name)
	}
	return b
}

func appendBytes[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// DamageError says where an image cannot be read, and why. Nothing has been
// changed in it.
type DamageError struct {
	Offset int
	Err    error
}

// Error says what to do, too.
func (e *DamageError) Error() string {
	return fmt.Sprintf("the flash image is damaged at byte %d (%v); move it away, or choose another state directory, to start with an empty flash", e.Offset, e.Err)
}

// Unwrap returns the reason.
func (e *DamageError) Unwrap() error { return e.Err }

// replay reads a journal. It returns how much of it is whole: a record that
// the end of the journal cuts short is the trace of a crash and is left out. The
// first record is no such trace, for a journal takes its place with that one
// whole.
func replay(b []byte) (im *image, whole int, err error) {
	im, whole, err = replayRecords(b)
	if err == nil && whole == headerLen && len(bytes.TrimLeft(b[headerLen:], "\x00")) > 0 {
		return nil, 0, &DamageError{len(b), errors.New("it ends within its first record")}
	}
	return im, whole, err
}

func replayRecords(b []byte) (im *image, whole int, err error) {
	if len(b) < headerLen || !bytes.HasPrefix(b, []byte(magic)) {
		return nil, 0, &DamageError{0, fmt.Errorf("it does not begin with %q", magic)}
	}
	if v := binary.LittleEndian.Uint32(b[len(magic):]); v != Version {
		return nil, 0, &DamageError{len(magic), fmt.Errorf("its format is version %d, this program reads %d", v, Version)}
	}
	im = newImage()
	at := headerLen
	for at < len(b) {
		rest := b[at:]
		if len(rest) < recordHead {
			return im, at, nil
		}
		size := int64(binary.LittleEndian.Uint32(rest))
		sum := binary.LittleEndian.Uint32(rest[4:])
		if size == 0 && len(bytes.TrimLeft(rest, "\x00")) == 0 {
			return im, at, nil // a host that lost power may leave zeros at the end of a file
		}
		if size > int64(len(rest)-recordHead) {
			return im, at, nil
		}
		payload := rest[recordHead : recordHead+int(size)]
		if crc32.Checksum(payload, castagnoli) != sum {
			if len(rest) == recordHead+len(payload) {
				return im, at, nil // the last record, torn
			}
			return nil, 0, &DamageError{at, fmt.Errorf("checksum of a record of %d bytes", size)}
		}
		if err := im.replayRecord(payload); err != nil {
			return nil, 0, &DamageError{at, err}
		}
		at += recordHead + len(payload)
	}
	return im, at, nil
}

func (im *image) replayRecord(payload []byte) error {
	r := reader{b: payload}
	for len(r.b) > 0 {
		e := r.edit()
		if r.err == nil {
			r.err = im.apply(&e)
		}
		if r.err != nil {
			return r.err
		}
	}
	if im.used > Blocks {
		return fmt.Errorf("%d blocks in use of %d", im.used, Blocks)
	}
	return nil
}

// reader takes edits from a record. After the first error it returns zeros.
type reader struct {
	b   []byte
	err error
}

func (r *reader) edit() edit {
	e := edit{op: editOp(r.take(1)[0])}
	switch e.op {
	case editNode:
		e.id, e.parent = r.id(), r.id()
		e.flags = r.take(1)[0]
		e.name = string(r.bytes(NameMax))
	case editData:
		e.id = r.id()
		e.size, e.off = r.number(Blocks*BlockSize), r.number(Blocks*BlockSize)
		e.data = r.bytes(Blocks * BlockSize)
	case editDrop:
		e.id = r.id()
	case editBlob:
		e.name = string(r.bytes(blobNameMax))
		e.data = bytes.Clone(r.bytes(blobMax)) // not to keep the journal in memory
	case editLaid:
		e.name = string(r.bytes(PathMax))
		e.data = r.bytes(64)
	case editNoBlob:
		e.name = string(r.bytes(blobNameMax))
	case editUnlaid:
		e.name = string(r.bytes(PathMax))
	}
	return e
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) && r.err == nil {
		r.err = fmt.Errorf("record ends inside an edit")
	}
	if r.err != nil {
		return make([]byte, min(n, 1))
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) number(limit int) int {
	v, n := binary.Uvarint(r.b)
	if r.err == nil && (n <= 0 || v > uint64(limit)) {
		r.err = fmt.Errorf("number out of range")
	}
	if r.err != nil {
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}

// id reads a node number. 2^30 of them cannot be used up by any program.
func (r *reader) id() uint32 { return uint32(r.number(1 << 30)) }

func (r *reader) bytes(limit int) []byte { return r.take(r.number(limit)) }
