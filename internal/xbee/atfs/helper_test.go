package atfs

import (
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/ymodem/ymodemtest"
)

// prompt reads a line.
func prompt(p *ymodemtest.End) string {
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
