package link_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/skep-sim/skep"
	"github.com/skep-sim/skep/internal/host/link"
	"github.com/skep-sim/skep/internal/world"
)

// wire is the serial port of a virtual module. Closing it does not unplug the
// module for good.
type wire struct{ io.ReadWriteCloser }

func (wire) String() string { return "wire" }

// Close leaves the module plugged in: it would switch itself off.
func (wire) Close() error { return nil }

// module makes a module in a synctest bubble, where waiting takes no time.
func module(t *testing.T, o skep.Options) *skep.Module {
	t.Helper()
	o.RealTime, o.Prompt = true, true
	m, err := skep.New(o)
	if err != nil {
		t.Fatal(err)
	}
	m.Start()
	t.Cleanup(func() { m.Stop() })
	synctest.Wait()
	return m
}

func attach(t *testing.T, p link.Port, o link.Options) (*link.Session, error) {
	o.Clock = world.RealClock()
	o.Log = func(text string) { t.Log(text) }
	return link.Attach(context.Background(), p, o)
}

// sleeper is a program that runs for ever, at times of its own.
const sleeper = "import utime\nn = 0\nwhile True:\n    n += 1\n    utime.sleep_ms(70)\n"

// TestStates: whatever the module does when the cable is plugged in, command mode
// is found, then the prompt, and in the end the mode is as it was.
func TestStates(t *testing.T) {
	for _, tt := range []struct {
		name  string
		mode  string // settings besides
		main  string // is run
		typed string // before
		found func(s *link.Session) bool
	}{
		{name: "transparent", mode: "AP0"},
		{name: "API", mode: "AP1"},
		{name: "API with escapes", mode: "AP2"},
		{name: "prompt", mode: "AP4"},
		{name: "bypass", mode: "AP5"},
		{name: "half a line at the prompt", mode: "AP4", typed: "print('abc"},
		{name: "a block at the prompt", mode: "AP4", typed: "if True:\r1\r"},
		{name: "raw REPL", mode: "AP4", typed: "\x01"},
		{name: "raw REPL with text", mode: "AP4", typed: "\x01print(1)"},
		{name: "paste mode", mode: "AP4", typed: "\x05x = 1\r"},
		{name: "program", mode: "AP4", main: sleeper},
		{name: "program, another mode", mode: "AP0", main: sleeper},
		{name: "program that prints", mode: "AP4", main: strings.Replace(sleeper, "n += 1", "print('OK', n)", 1), found: func(s *link.Session) bool { return s.Printing }},
		{name: "restarting program", mode: "AP4", main: "import utime, machine\nutime.sleep_ms(100)\nmachine.soft_reset()\n", found: func(s *link.Session) bool { return s.Looping }},
		{name: "other guard time", mode: "GT20"},
		{name: "long guard time", mode: "GT576"},
		{name: "short timeout", mode: "CT5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := skep.Options{Settings: []string{tt.mode}}
				if tt.main != "" {
					o.Files = fstest.MapFS{"main.py": {Data: []byte(tt.main)}}
					o.Settings = append(o.Settings, "PS1")
				}
				m := module(t, o)
				w := wire{m.Serial()}
				io.WriteString(w, tt.typed)
				time.Sleep(3 * time.Second)
				s, err := attach(t, w, link.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if tt.found != nil && !tt.found(s) {
					t.Error("what was going on was not noticed")
				}
				if err := s.Set("PS", 0); err != nil { // or it would start again
					t.Error(err)
				}
				mode := s.Mode
				if err := s.Prompt(); err != nil {
					t.Fatal(err)
				}
				if out, err := s.Exec("1+1"); err != nil || out != "2\n" {
					t.Errorf("1+1: %q, %v", out, err)
				}
				if out, err := s.Query("VR"); err != nil || out != "11413" {
					t.Errorf("ATVR: %q, %v", out, err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				if out, err := m.AT("AP"); err != nil || out != fmt.Sprintf("%X", mode) {
					t.Errorf("AP is %s afterwards, was %X: %v", out, mode, err)
				}
			})
		})
	}
}

// TestAlready: a session that was cut off leaves the module in command mode, with
// half a line.
func TestAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := module(t, skep.Options{Settings: []string{"AP0"}})
		w := m.Serial()
		time.Sleep(1100 * time.Millisecond)
		io.WriteString(w, "+++")
		time.Sleep(1100 * time.Millisecond)
		io.WriteString(w, "ATNIhal")
		s, err := attach(t, wire{m.Serial()}, link.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, pause := range []time.Duration{0, 7 * time.Second, 9900 * time.Millisecond, time.Minute} {
			time.Sleep(pause)
			if out, err := s.Query("VR"); err != nil || out != "11413" {
				t.Errorf("after %v: %q, %v", pause, out, err)
			}
		}
		if out := m.Output(); strings.Contains(out, "ATVR") {
			t.Errorf("a command reached the prompt: %q", out)
		}
	})
}

// tuned is a port whose module has another baud rate than the host begins with.
type tuned struct {
	wire
	rate int

	mu  sync.Mutex
	now int
}

func (p *tuned) SetBaud(baud int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = baud
	return nil
}

func (p *tuned) Write(b []byte) (int, error) {
	p.mu.Lock()
	wrong := p.now != p.rate
	p.mu.Unlock()
	if wrong {
		b = bytes.Repeat([]byte{0xF8}, max(1, len(b)/2))
	}
	n, err := p.wire.Write(b)
	if wrong {
		n *= 2
	}
	return n, err
}

func TestBaud(t *testing.T) {
	for _, rate := range []int{9600, 115200, 2400} {
		synctest.Test(t, func(t *testing.T) {
			m := module(t, skep.Options{Settings: []string{"AP4"}})
			s, err := attach(t, &tuned{wire: wire{m.Serial()}, rate: rate}, link.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if s.Baud != rate {
				t.Errorf("found %d baud, want %d", s.Baud, rate)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		m := module(t, skep.Options{})
		_, err := attach(t, &tuned{wire: wire{m.Serial()}, rate: 115200}, link.Options{Baud: 9600})
		if !errors.Is(err, link.ErrNoAnswer) {
			t.Error(err)
		}
	})
}

// breaking is a port that can hold the line in break.
type breaking struct {
	wire
	m *skep.Module
}

func (p *breaking) SetBreak(on bool) error {
	if on {
		return p.m.Script("serial break 6500ms")
	}
	return nil
}

// TestBreak: a module whose command character nobody knows can be forced.
func TestBreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := module(t, skep.Options{Settings: []string{"CC23", "AP0"}})
		p := &breaking{wire{m.Serial()}, m}
		if _, err := attach(t, p, link.Options{}); !errors.Is(err, link.ErrNoAnswer) || !strings.Contains(err.Error(), "--break") {
			t.Error(err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		m := module(t, skep.Options{Settings: []string{"CC23", "AP0"}})
		s, err := attach(t, &breaking{wire{m.Serial()}, m}, link.Options{Break: true})
		if err != nil {
			t.Fatal(err)
		}
		if out, err := s.Query("CC"); err != nil || out != "23" {
			t.Errorf("ATCC: %q, %v", out, err)
		}
	})
}

// TestStubborn: a program that catches KeyboardInterrupt is not taken for the
// prompt.
func TestStubborn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := module(t, skep.Options{Settings: []string{"PS1"}, Files: fstest.MapFS{"main.py": {Data: []byte(`
import utime
while True:
    try:
        while True:
            utime.sleep_ms(50)
    except KeyboardInterrupt:
        print('>>> no')
`)}}})
		s, err := attach(t, wire{m.Serial()}, link.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Prompt(); !errors.Is(err, link.ErrStubborn) {
			t.Error(err)
		}
		if out, err := s.Query("VR"); err != nil || out != "11413" {
			t.Errorf("ATVR: %q, %v", out, err)
		}
	})
}

// TestInterrupt: what is waited for ends with the context, and the module is left
// as it was found.
func TestInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := module(t, skep.Options{Settings: []string{"AP0"}})
		ctx, cancel := context.WithCancelCause(context.Background())
		s, err := link.Attach(ctx, wire{m.Serial()}, link.Options{Clock: world.RealClock()})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Prompt(); err != nil {
			t.Fatal(err)
		}
		stop := errors.New("stop")
		time.AfterFunc(2*time.Second, func() { cancel(stop) })
		began := time.Now()
		if _, err := s.ExecLong("while True: pass", time.Hour); !errors.Is(err, stop) {
			t.Error(err)
		}
		if d := time.Since(began); d > time.Minute {
			t.Errorf("it took %v", d)
		}
	})
}

// TestTranscript: what was said is there, and no secrets are.
func TestTranscript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := module(t, skep.Options{Settings: []string{"AP0"}})
		var text bytes.Buffer
		tr := link.NewTranscript(&text, world.RealClock(), "a head\nof two lines")
		s, err := attach(t, wire{m.Serial()}, link.Options{Transcript: tr})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []string{"VR", "CWsesame", "PN1234", "NIpump"} {
			if _, err := s.Query(c); err != nil {
				t.Error(c, err)
			}
		}
		s.Line().Write([]byte("-----BEGIN RSA PRIVATE KEY-----\nMIIEsecret\n"))
		s.Line().Write([]byte("more\n-----END RSA PRIVATE KEY-----\n and on"))
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
		got := text.String()
		for _, want := range []string{"# a head\n# of two lines\n", `> "+++"`, `< "11413\r"`, `ATNIpump\r`, `ATCW[left out]`, `ATPN[left out]`, "-----BEGIN RSA PRIVATE KEY-----[left out]", "-----END RSA PRIVATE KEY-----"} {
			if !strings.Contains(got, want) {
				t.Errorf("the transcript lacks %s:\n%s", want, got)
			}
		}
		for _, secret := range []string{"sesame", "1234", "MIIE", "more"} {
			if strings.Contains(got, secret) {
				t.Errorf("the transcript has %s:\n%s", secret, got)
			}
		}
	})
}
