package link

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/skep-sim/skep/internal/world"
)

// Transcript writes down what goes over a line as text that can be mailed: a line
// for what was said one way without a pause, with the time, the direction and the
// bytes as a Go string. What files hold is not in it, nor are passwords: of a
// transfer there are the numbers of bytes, of ATCW, ATPN and ATCU no value, and
// the key of a PEM file is left out wherever it comes.
//
// A nil Transcript writes nothing. Its methods may be called by several
// goroutines.
type Transcript struct {
	mu       sync.Mutex
	w        io.Writer
	clock    world.Clock
	begin    time.Duration
	way      direction
	at       time.Duration
	last     time.Duration
	pending  []byte
	transfer bool
	secret   bool // the middle of a key's text is going by
	err      error
}

type direction byte

const (
	sent     direction = '>'
	received direction = '<'
)

const (
	transcriptLine  = 200                    // bytes in one line of it
	transcriptPause = 250 * time.Millisecond // begins a new one
	blockShown      = 8                      // of a transfer, shorter pieces are shown: they are no content
)

// NewTranscript begins a transcript. head says what it is of, in lines.
func NewTranscript(w io.Writer, clock world.Clock, head string) *Transcript {
	t := &Transcript{w: w, clock: clock, begin: world.Uptime(clock), way: sent}
	t.line("skep transcript of " + clock.Now().Format(time.RFC3339))
	for line := range bytes.Lines([]byte(head)) {
		t.line("# " + string(bytes.TrimRight(line, "\n")))
	}
	t.line("# time in seconds; > sent to the module, < received; the content of files, keys and passwords are left out")
	return t
}

func (t *Transcript) line(text string) {
	if _, err := io.WriteString(t.w, text+"\n"); err != nil && t.err == nil {
		t.err = err
	}
}

// Note adds a remark.
func (t *Transcript) Note(text string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flush()
	t.line(fmt.Sprintf("%9.3f # %s", (world.Uptime(t.clock) - t.begin).Seconds(), text))
}

// Close writes what is pending. It does not close the writer, whose first error
// it returns.
func (t *Transcript) Close() error {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flush()
	return t.err
}

// setTransfer says that a file is on its way, whose content is to be left out.
func (t *Transcript) setTransfer(on bool) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flush()
	t.transfer = on
}

func (t *Transcript) add(way direction, p ...byte) {
	if t == nil || len(p) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := world.Uptime(t.clock)
	if way != t.way || now-t.last > transcriptPause {
		t.flush()
	}
	if len(t.pending) == 0 {
		t.way, t.at = way, now
	}
	t.last = now
	t.pending = append(t.pending, p...)
	end := t.pending[len(t.pending)-1]
	if !t.transfer && (end == '\r' && way == sent || end == '\n' || len(t.pending) > transcriptLine && (end == '\r' || len(t.pending) > 8*transcriptLine)) {
		t.flush()
	}
}

// unread takes the last byte back, if it is still pending.
func (t *Transcript) unread() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.way == received && len(t.pending) > 0 {
		t.pending = t.pending[:len(t.pending)-1]
	}
}

// secrets are commands whose value nobody else should read.
var secrets = regexp.MustCompile(`(?i)((?:^AT|,|\[)(?:CW|PN|CU))[^,\r]+`)

func (t *Transcript) flush() {
	if len(t.pending) == 0 {
		return
	}
	p := t.pending
	t.pending = t.pending[:0]
	stamp := fmt.Sprintf("%9.3f %c ", (t.at - t.begin).Seconds(), t.way)
	if t.transfer && len(p) > blockShown {
		t.line(fmt.Sprintf("%s[%d bytes of a transfer]", stamp, len(p)))
		return
	}
	p = t.redact(p)
	if t.way == sent {
		p = secrets.ReplaceAll(p, []byte("$1[left out]"))
	}
	t.line(stamp + strconv.QuoteToASCII(string(p)))
}

// The marks of a key in PEM.
var (
	keyBegin = []byte("PRIVATE KEY-----")
	keyEnd   = []byte("-----END")
)

// redact leaves out the text of a key, which may go on in the next piece.
func (t *Transcript) redact(p []byte) []byte {
	var out []byte
	for len(p) > 0 {
		mark := keyBegin
		if t.secret {
			mark = keyEnd
		}
		i := bytes.Index(p, mark)
		switch {
		case i < 0 && t.secret:
			return append(out, "[left out]"...)
		case i < 0:
			return append(out, p...)
		case t.secret:
			// the line that ends it names the key as the one that begins it does
			out = append(out, "[left out]-----END"...)
			p = p[i+len(mark):]
			if j := bytes.Index(p, keyBegin); j >= 0 {
				out = append(out, p[:j+len(keyBegin)]...)
				p = p[j+len(keyBegin):]
			}
			t.secret = false
		default:
			out = append(out, p[:i+len(mark)]...)
			p = p[i+len(mark):]
			t.secret = true
		}
	}
	return out
}
