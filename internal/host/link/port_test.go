package link_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/host/link"
	"github.com/skep-sim/skep/internal/hostport"
	"github.com/skep-sim/skep/internal/world"
)

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s has not come about", what)
		}
	}
}

// every is all byte values, telnet's own among them.
func every() []byte {
	var b []byte
	for i := range 256 {
		b = append(b, byte(i), 0xFF)
	}
	return b
}

// received reads what a line's module has got.
func received(t *testing.T, l *hostport.Line, n int) []byte {
	var got []byte
	eventually(t, "what was sent", func() bool {
		buf := make([]byte, n)
		k, err := l.Recv(buf)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, buf[:k]...)
		return len(got) >= n
	})
	return got
}

// TestTCP carries every byte both ways, over plain TCP and RFC 2217, and, with
// that, baud rate and break.
func TestTCP(t *testing.T) {
	for _, scheme := range []string{"tcp", "rfc2217"} {
		t.Run(scheme, func(t *testing.T) {
			l := hostport.New()
			defer l.Close()
			addr, err := l.Listen("127.0.0.1:0", scheme == "rfc2217", func(string) {})
			if err != nil {
				t.Fatal(err)
			}
			name := scheme + ":" + addr.String()
			p, err := link.OpenPort(name)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			if _, err := link.OpenPort(name); !errors.Is(err, link.ErrBusy) {
				t.Errorf("opened twice: %v", err)
			}
			if _, err := p.Write(every()); err != nil {
				t.Fatal(err)
			}
			if got := received(t, l, len(every())); !bytes.Equal(got, every()) {
				t.Errorf("the module got % X", got)
			}
			sent := every()
			go world.SendWait(world.RealClock(), l, sent, world.Limit{})
			got := make([]byte, len(sent))
			if _, err := io.ReadFull(p, got); err != nil || !bytes.Equal(got, sent) {
				t.Errorf("the host got % X, %v", got, err)
			}
			b, ok := p.(link.Bauder)
			if scheme == "tcp" {
				if ok {
					t.Error("plain TCP has a baud rate")
				}
				return
			}
			if err := b.SetBaud(115200); err != nil {
				t.Error(err)
			}
			eventually(t, "the baud rate", func() bool { s, ok := l.Settings(); return ok && s.Baud == 115200 && s.Parity == 'N' })
			breaker := p.(interface{ SetBreak(bool) error })
			for _, on := range []bool{true, false} {
				if err := breaker.SetBreak(on); err != nil {
					t.Error(err)
				}
				eventually(t, "the break", func() bool { return l.Break() == on })
			}
		})
	}
}

// TestTelnetGarbage: a server that is none, or not to our taste, does no harm.
func TestTelnetGarbage(t *testing.T) {
	for _, sent := range []string{
		"\xff\xfd\x01\xff\xfb\x03abc", "\xff\xfa\x2c\x65\x00\x00\x25\x80\xff\xf0abc", "\xff\xfa\xff\xffx\xff\xf0abc", "\xff\xf1abc", "a\xff\xf9bc",
	} {
		s, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			c, err := s.Accept()
			if err != nil {
				return
			}
			go io.Copy(io.Discard, c)
			io.WriteString(c, sent)
			c.(*net.TCPConn).CloseWrite()
		}()
		p, err := link.OpenPort("rfc2217:" + s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(p); err != nil || string(got) != "abc" {
			t.Errorf("%q: got %q, %v", sent, got, err)
		}
		p.Close()
		s.Close()
	}
}

// TestOpenErrors: what cannot be opened says what to do.
func TestOpenErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	tests := map[string]string{
		"tcp:localhost":                 "give a host and a port",
		"tcp:" + closed.Addr().String(): "is skep serve --tcp, or the serial server, running there?",
	}
	if runtime.GOOS != "windows" {
		tests[file] = "is no serial port"
		tests[file+"0"] = "there is no such port: skep ports lists"
	}
	for name, want := range tests {
		if _, err := link.OpenPort(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// TestPTY: a pseudo-terminal is one skep's at a time, and free afterwards.
func TestPTY(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no pseudo-terminals")
	}
	l := hostport.New()
	defer l.Close()
	path, err := l.OpenPTY()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		line, err := link.OpenLine(context.Background(), path, link.Options{Clock: world.RealClock(), Baud: 115200})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := link.OpenPort(path); !errors.Is(err, link.ErrBusy) || !strings.Contains(err.Error(), "end that one first") {
			t.Errorf("opened twice: %v", err)
		}
		line.Write(every())
		if got := received(t, l, len(every())); !bytes.Equal(got, every()) {
			t.Errorf("the module got % X", got)
		}
		if err := line.Close(); err != nil {
			t.Error(err)
		}
	}
	line, err := link.OpenLine(context.Background(), path, link.Options{Clock: world.RealClock()})
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	l.Close()
	eventually(t, "the end of the port", func() bool { return line.Err() != nil })
}
