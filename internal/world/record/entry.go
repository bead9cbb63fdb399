package record

import (
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/skep-sim/skep/internal/world"
)

// Kind is what an entry of a recording is about.
type Kind byte

// The kinds of entries. The values are those of the file.
const (
	KindAdmit   Kind = 'a' // events that were let in
	KindWait    Kind = 'w' // the event that ended a wait
	KindTime    Kind = 't' // a reading of a clock that runs by itself, in µs
	KindNow     Kind = 'n' // a reading of the calendar
	KindAt      Kind = '@' // the time of a virtual clock; no call
	KindPast    Kind = 'p' // a moment was over
	KindEntropy Kind = 'e'
	KindRecv    Kind = 'r' // bytes, or the end, of a stream
	KindSend    Kind = 's' // bytes to a stream
	KindLine    Kind = 'l' // a serial line's other end has changed
	KindTraffic Kind = 'b' // bytes on the wire of a connection
	KindSupply  Kind = 'u'
	KindLookup  Kind = 'q' // a name is asked for
	KindFound   Kind = 'f' // what came of it
	KindDial    Kind = 'd' // somebody is called
	KindDialled Kind = 'D' // what came of it
	KindClose   Kind = 'c'
	KindAsk     Kind = 'k' // an answer of Gate.Ask
	KindMark    Kind = 'm'
	KindCheck   Kind = '='
	KindEnd     Kind = '.'
)

var kindNames = map[Kind]string{
	KindAdmit: "events of others", KindWait: "the end of a wait", KindTime: "a look at the clock", KindNow: "a look at the calendar",
	KindAt: "the time", KindPast: "a look at the clock", KindEntropy: "random bytes", KindRecv: "receiving", KindSend: "sending",
	KindLine: "the state of the serial line", KindTraffic: "a count of traffic", KindSupply: "the power supply", KindLookup: "a look-up of a name", KindFound: "the answer to a look-up",
	KindDial: "a connect", KindDialled: "the answer to a connect", KindClose: "closing a connection", KindAsk: "a request", KindMark: "a remark", KindCheck: "a check",
	KindEnd: "the end of the run",
}

// String describes the call that k is about.
func (k Kind) String() string {
	if n, ok := kindNames[k]; ok {
		return n
	}
	return fmt.Sprintf("Kind(%q)", byte(k))
}

// entry is one entry of a recording: a kind, how many calls after the last entry,
// and the data of the kind.
type entry struct {
	kind Kind
	n    uint64 // the number of the call
	data []byte
}

// appendEntry adds an entry delta calls after the last.
func appendEntry(b []byte, k Kind, delta uint64, data []byte) []byte {
	b = binary.AppendUvarint(append(b, byte(k)), delta)
	b = binary.AppendUvarint(b, uint64(len(data)))
	return append(b, data...)
}

var errEntry = errors.New("an entry that cannot be read")

// cutEntry takes the first entry off b; false if there is no whole one. n is the
// number of the entry before.
func cutEntry(b []byte, n uint64) (e entry, rest []byte, ok bool) {
	if len(b) == 0 {
		return e, b, false
	}
	delta, w := binary.Uvarint(b[1:])
	if w <= 0 || n+delta < n {
		return e, b, false
	}
	size, v := binary.Uvarint(b[1+w:])
	body := 1 + w + v
	if v <= 0 || size > uint64(len(b)-body) {
		return e, b, false
	}
	end := body + int(size)
	return entry{Kind(b[0]), n + delta, b[body:end:end]}, b[end:], true
}

// decoder reads the data of an entry. After a mistake everything is zero, and err
// is set.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.b, d.err = nil, errEntry
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.b, d.err = nil, errEntry
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.err = errEntry
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *decoder) text() string {
	n := d.uint()
	if n > uint64(len(d.b)) {
		d.b, d.err = nil, errEntry
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func (d *decoder) rest() []byte {
	b := d.b
	d.b = nil
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// The forms of an error.
const (
	noError = iota
	endOfFile
	failure
)

func appendError(b []byte, err error) []byte {
	switch {
	case err == nil:
		return append(b, noError)
	case errors.Is(err, io.EOF):
		return append(b, endOfFile)
	}
	b = append(b, failure, byte(world.KindOf(err)))
	var f *world.Failure
	t := world.FailedTraffic(err)
	text := err.Error()
	if errors.As(err, &f) {
		text = ""
		if f.Err != nil {
			text = f.Err.Error()
		}
	}
	b = appendText(b, text)
	return appendTraffic(appendCause(b, err), t)
}

// The errors of crypto/x509 that the module tells apart.
const (
	otherCause = iota
	expired
	unknownAuthority
)

func appendCause(b []byte, err error) []byte {
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return appendText(append(b, expired), invalid.Detail)
	case errors.As(err, &unknown):
		return append(b, unknownAuthority)
	}
	return append(b, otherCause)
}

func (d *decoder) cause() error {
	switch d.byte() {
	case expired:
		return x509.CertificateInvalidError{Reason: x509.Expired, Detail: d.text()}
	case unknownAuthority:
		return x509.UnknownAuthorityError{}
	}
	return nil
}

// recorded is the host's error as it was.
type recorded struct {
	text  string
	cause error
}

// Error is the host's text.
func (r *recorded) Error() string { return r.text }

// Unwrap returns what the module tells apart.
func (r *recorded) Unwrap() error { return r.cause }

func (d *decoder) error() error {
	switch d.byte() {
	case noError:
		return nil
	case endOfFile:
		return io.EOF
	case failure:
		f := &world.Failure{Kind: world.FailKind(d.byte())}
		text, cause := d.text(), d.cause()
		if text != "" {
			f.Err = &recorded{text, cause}
		}
		f.Traffic = d.traffic()
		return f
	}
	d.err = errEntry
	return nil
}

func appendTraffic(b []byte, t world.Traffic) []byte {
	for _, n := range [...]uint64{t.Sent, t.Received, t.HandshakeSent, t.HandshakeReceived} {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

func (d *decoder) traffic() world.Traffic {
	return world.Traffic{Sent: d.uint(), Received: d.uint(), HandshakeSent: d.uint(), HandshakeReceived: d.uint()}
}

func appendAddr(b []byte, a netip.AddrPort) []byte {
	text, err := a.MarshalText()
	if err != nil {
		text = nil
	}
	return appendText(b, string(text))
}

func (d *decoder) addr() (a netip.AddrPort) {
	if err := a.UnmarshalText([]byte(d.text())); err != nil {
		d.err = errEntry
	}
	return a
}
