package console_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skep-sim/skep/internal/host/console"
	"github.com/skep-sim/skep/internal/host/link"
	"github.com/skep-sim/skep/internal/world"
)

// pipe is a port in memory.
type pipe struct{ net.Conn }

func (pipe) String() string { return "pipe" }

// screen is what somebody sees.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// plug makes a port and the module's end of it, which echoes in capitals.
func plug() (*link.Line, net.Conn) {
	host, module := net.Pipe()
	go func() {
		buf := make([]byte, 100)
		for {
			n, err := module.Read(buf)
			if err != nil {
				return
			}
			module.Write(bytes.ToUpper(buf[:n]))
		}
	}()
	return link.NewLine(context.Background(), pipe{host}, link.Options{Clock: world.RealClock()}), module
}

// TestConsole types, loses the port, gets it back, and leaves.
func TestConsole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line, module := plug()
		keys, typed := io.Pipe()
		var out, log, notes screen
		tries := 0
		var second net.Conn
		o := console.Options{
			In: keys, Out: &out, Log: &log, Clock: world.RealClock(), Note: func(text string) { notes.Write([]byte(text + "\n")) },
			Open: func() (*link.Line, error) {
				if tries++; tries < 3 {
					return nil, errors.New("not yet")
				}
				line, second = plug()
				return line, nil
			},
		}
		done := make(chan error)
		go func() { done <- console.Run(context.Background(), line, o) }()
		typed.Write([]byte("one\x03"))
		synctest.Wait()
		module.Close()
		time.Sleep(time.Minute)
		typed.Write([]byte("two\x1dnever"))
		if err := <-done; err != nil {
			t.Error(err)
		}
		second.Close()
		if got := out.String(); !strings.HasPrefix(got, "ONE\x03") || strings.Contains(got, "NEVER") || got != log.String() {
			t.Errorf("the screen has %q, the log %q", got, log.String())
		}
		if got := notes.String(); !strings.Contains(got, "waiting for it to come back") || !strings.HasSuffix(got, "pipe is back\n") {
			t.Errorf("notes: %q", got)
		}
	})
}

// TestEnd: the end of the input ends it when the module has nothing more to say,
// and the port's end when nobody opens it again.
func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line, module := plug()
		var out screen
		if err := console.Run(context.Background(), line, console.Options{In: strings.NewReader("abc"), Out: &out, Clock: world.RealClock()}); err != nil || out.String() != "ABC" {
			t.Errorf("%q, %v", out.String(), err)
		}
		module.Close()
		keys, typed := io.Pipe()
		defer typed.Close()
		if err := console.Run(context.Background(), line, console.Options{In: keys, Out: &out, Clock: world.RealClock()}); err == nil {
			t.Error("the port has gone, and nothing was said")
		}
		line.Close()
	})
}
