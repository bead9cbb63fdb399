package atfs

import (
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/xbee/flash"
)

// pipe is one end of a serial line in memory.
type pipe struct{ in, out chan byte }

func newPipe() (device, host *pipe) {
	a, b := make(chan byte, 1<<16), make(chan byte, 1<<16)
	return &pipe{in: a, out: b}, &pipe{in: b, out: a}
}

func (p *pipe) Write(b []byte) {
	for _, c := range b {
		p.out <- c
	}
}

func (p *pipe) Byte(d time.Duration) (byte, bool) {
	select {
	case c := <-p.in:
		return c, true
	default:
	}
	if d == 0 {
		return 0, false
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case c := <-p.in:
		return c, true
	case <-t.C:
		return 0, false
	}
}

// prompt reads a line.
func (p *pipe) prompt() string {
	var b strings.Builder
	for {
		c, ok := p.Byte(5 * time.Second)
		if !ok || c == '\r' {
			return b.String()
		}
		b.WriteByte(c)
	}
}

// silent is a port at which nobody is.
type silent struct{ out []byte }

func (s *silent) Byte(time.Duration) (byte, bool) { return 0, false }
func (s *silent) Write(p []byte)                  { s.out = append(s.out, p...) }

func shell(t *testing.T) (*Shell, *flash.FS) {
	t.Helper()
	d, err := flash.Open(flash.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	return New(d.FS()), d.FS()
}

func store(t *testing.T, fs *flash.FS, name, content string, secure bool) {
	t.Helper()
	if err := fs.Store(flash.Root, name, []byte(content), secure); err != nil {
		t.Fatal(err)
	}
}
