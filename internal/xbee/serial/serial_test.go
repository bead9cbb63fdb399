package serial

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/at"
	"github.com/skep-sim/skep/internal/xbee/profile"
	"github.com/skep-sim/skep/internal/xbee/task"
	"github.com/skep-sim/skep/internal/xbee/uart"
)

// wire is a line at which a test types.
type wire struct {
	in, out []byte
	changed chan struct{}
}

func (w *wire) Recv(p []byte) (int, error) {
	n := copy(p, w.in)
	w.in = w.in[n:]
	return n, nil
}

func (w *wire) Send(p []byte) (int, error) {
	w.out = append(w.out, p...)
	return len(p), nil
}

func (w *wire) Changed() <-chan struct{} { return w.changed }
func (w *wire) Close() error             { return nil }

// module is one without anything.
type module struct{ port *Port }

func (m *module) ReadState(string) (at.Value, error)      { return at.Int(1), nil }
func (m *module) Obey(string, at.Value) (at.Value, error) { return at.Value{}, at.ErrFailed }
func (m *module) Applied([]string) {
	if m.port != nil {
		m.port.Apply()
	}
}

type blob struct{ b []byte }

func (b *blob) Get() []byte        { return b.b }
func (b *blob) Put(p []byte) error { b.b = p; return nil }

// sink is a mode that keeps what it is given.
type sink struct {
	got  []byte
	open bool
}

func (s *sink) Receive(b []byte) { s.got = append(s.got, b...) }
func (s *sink) Open(open bool)   { s.open = open }
func (s *sink) Full() bool       { return false }

// bench is a port and what is around it.
type bench struct {
	wire  *wire
	tasks *task.Scheduler
	port  *Port
	sinks [6]*sink
}

func newBench(tb testing.TB) *bench {
	p, err := profile.Find("", "")
	if err != nil {
		tb.Fatal(err)
	}
	b := &bench{wire: &wire{changed: make(chan struct{}, 1)}, tasks: task.New(patient{world.NewVirtualClock(world.VirtualStart)})}
	m := &module{}
	var modes Modes
	for i := range modes {
		if i != 3 {
			b.sinks[i] = &sink{}
			modes[i] = b.sinks[i]
		}
	}
	b.port = New(Config{
		UART: uart.New(b.wire, b.tasks), Tasks: b.tasks, Registers: at.New(at.Table(p), &p, m, &blob{}), Modes: modes,
		Files: func(line string, p *Port) string {
			c, ok := p.Byte(time.Second)
			if !ok {
				return "nothing"
			}
			return "took " + string(c)
		},
		PowerOff: func() {},
	})
	m.port = b.port
	b.tasks.Go("port", b.port.Run)
	return b
}

// patient is a virtual clock on which every wait in vain is over at once.
type patient struct{ *world.VirtualClock }

func (c patient) Wait(d time.Duration, events ...<-chan struct{}) int { return c.Sleep(d, events...) }

// say types something after a silence, and returns what came within the silence
// behind it.
func (b *bench) say(before time.Duration, text string, behind time.Duration) string {
	b.tasks.Clock().Sleep(before)
	b.wire.in = append(b.wire.in, text...)
	b.wire.changed <- struct{}{}
	b.wire.out = nil
	b.tasks.Clock().Sleep(behind)
	return string(b.wire.out)
}

func TestEscape(t *testing.T) {
	b := newBench(t)
	defer b.tasks.Stop()
	if got := b.say(2*time.Second, "+++", 1100*time.Millisecond); got != "OK\r" || b.sinks[0].open {
		t.Fatalf("answer %q", got)
	}
	for _, tt := range []struct{ line, want string }{
		{"AT\r", "OK\r"},
		{"ATFS x\r", "nothing\r"},
		{"ATFS x\ry", "took y\r"},
		{"ATAP1\rATAP\r", "OK\r1\r"},
		{"\n\n" + "ATCN\rdata", "OK\r"},
	} {
		if got := b.say(0, tt.line, 2*time.Second); got != tt.want {
			t.Errorf("%q: answer %q, want %q", tt.line, got, tt.want)
		}
	}
	if got := string(b.sinks[1].got); got != "data" || !b.sinks[1].open || b.sinks[0].open {
		t.Errorf("the mode got %q", got)
	}
	if got := b.say(2*time.Second, "+++", 900*time.Millisecond); got != "" {
		t.Errorf("answer %q before the silence is over", got)
	}
	if got := b.say(0, "x", 2*time.Second); got != "" || string(b.sinks[1].got) != "data+++x" {
		t.Errorf("answer %q, the mode got %q", got, b.sinks[1].got)
	}
}

// FuzzPort types anything: bytes 0 to 7 stand for silences, the others for
// themselves. In whatever mode, nothing is lost or made up outside command mode.
func FuzzPort(f *testing.F) {
	f.Add([]byte("\x05+++\x05ATAP1\rATCN\rhello\x05+++\x05ATFS LS\rx"))
	f.Add([]byte("++\x03+\x07+++\x07ATGT2,CC2B,CT2\r\x07+++"))
	f.Add([]byte("\x07+++\x07" + strings.Repeat("A", 600) + "\rATRE,AC\r"))
	f.Fuzz(func(t *testing.T, keys []byte) {
		b := newBench(t)
		defer b.tasks.Stop()
		for len(keys) > 0 {
			n := bytes.IndexFunc(keys, func(r rune) bool { return r < 8 })
			if n < 0 {
				n = len(keys)
			}
			b.say(0, string(keys[:n]), 0)
			if keys = keys[n:]; len(keys) > 0 {
				b.tasks.Clock().Sleep(time.Duration(keys[0]) * 300 * time.Millisecond)
				keys = keys[1:]
			}
		}
		b.tasks.Clock().Sleep(time.Hour)
		if mode, open := b.port.Selected(); !open || b.sinks[mode] == nil || !b.sinks[mode].open {
			t.Errorf("after an hour of silence the port is in mode %d, open %v", mode, open)
		}
		for i, s := range b.sinks {
			if mode, _ := b.port.Selected(); s != nil && s.open && uint64(i) != mode {
				t.Errorf("mode %d believes that the port is its own", i)
			}
		}
	})
}
