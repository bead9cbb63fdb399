//go:build !windows

package hostport

import (
	"os"
	"testing"
	"time"

	"golang.org/x/term"

	"github.com/skep-sim/skep/internal/world"
)

// TestPTY opens a pseudo-terminal again and again, as tools do.
func TestPTY(t *testing.T) {
	l := echoing(t)
	path, err := l.OpenPTY()
	if err != nil {
		t.Fatal(err)
	}
	there := func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.ends) > 0 }
	if there() {
		t.Error("somebody is there")
	}
	for range 3 {
		l.Send([]byte("lost, since nobody is there"))
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		exchange(t, f, "no echo, no\rchange\n\x03\x04\x11\x13\xff", "NO ECHO, NO\rCHANGE\n\x03\x04\x11\x13\xff")
		l.Send([]byte("nobody reads this"))
		time.Sleep(5 * time.Millisecond)
		f.Close()
		within(t, "leaving", func() bool { return !there() })
		time.Sleep(20 * time.Millisecond)
	}
	if s, ok := l.Settings(); ok && s != (world.LineSettings{Baud: 9600, Parity: 'N', StopBits: 1}) {
		t.Errorf("settings %+v", s)
	}
}

// TestQuickHost: who writes and leaves at once is heard.
func TestQuickHost(t *testing.T) {
	l := New()
	defer l.Close()
	path, err := l.OpenPTY()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !term.IsTerminal(int(f.Fd())) {
		t.Error("it is no terminal")
	}
	f.WriteString("quick")
	f.Close()
	got := make([]byte, 0, 10)
	within(t, "hearing", func() bool {
		n, _ := l.Recv(got[len(got):cap(got)])
		got = got[:len(got)+n]
		return string(got) == "quick"
	})
}

// TestPTYThatNobodyReads: the module goes on when whoever is there leaves.
func TestPTYThatNobodyReads(t *testing.T) {
	l := New()
	defer l.Close()
	path, err := l.OpenPTY()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "being full", func() bool {
			n, err := l.Send(make([]byte, 4096))
			l.mu.Lock()
			defer l.mu.Unlock()
			return n == 0 && err == nil && len(l.ends) > 0
		})
		f.Close()
		within(t, "room", func() bool {
			n, err := l.Send([]byte("x"))
			return n == 1 && err == nil
		})
	}
}
