package deploy_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"

	"github.com/skep-sim/skep"
	"github.com/skep-sim/skep/internal/host/deploy"
	"github.com/skep-sim/skep/internal/host/link"
	"github.com/skep-sim/skep/internal/world"
)

// bench is a virtual module and the cable to it, which can be plugged in again and
// again, and damaged. It lives inside a synctest bubble: waiting takes no time.
type bench struct {
	t    *testing.T
	m    *skep.Module
	wire io.ReadWriteCloser

	mu    sync.Mutex
	port  *port // that is plugged in
	bytes int   // both ways, so far
	fault *fault
}

// fault is what happens to the cable, or at its other end, at one byte.
type fault struct {
	kind string
	at   int
}

func newBench(t *testing.T, o skep.Options) *bench {
	t.Helper()
	o.RealTime, o.Prompt = true, true
	m, err := skep.New(o)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, m: m, wire: m.Serial()}
	m.Start()
	t.Cleanup(func() { m.Stop() })
	go b.carry()
	return b
}

// carry brings what the module sends to whoever is plugged in.
func (b *bench) carry() {
	buf := make([]byte, 4096)
	for {
		n, err := b.wire.Read(buf)
		for _, c := range buf[:n] {
			c, ok := b.pass(c)
			b.mu.Lock()
			if b.port != nil && ok {
				b.port.in = append(b.port.in, c)
				b.port.some.Broadcast()
			}
			b.mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

// pass counts a byte, and does to it what the fault says.
func (b *bench) pass(c byte) (byte, bool) {
	b.mu.Lock()
	b.bytes++
	f := b.fault
	hit := f != nil && b.bytes == f.at
	port := b.port
	b.mu.Unlock()
	if !hit {
		return c, true
	}
	switch f.kind {
	case "lost":
		return c, false
	case "flipped":
		return c ^ 1<<(f.at%8), true
	case "cut":
		port.unplug()
		return c, false
	case "reset":
		go b.m.PressReset()
	case "power":
		go func() {
			b.m.CutPower()
			b.m.RestorePower()
		}()
	}
	return c, true
}

// port is an end of the cable.
type port struct {
	b      *bench
	in     []byte
	some   sync.Cond
	gone   bool
	closed bool
}

func (p *port) String() string { return "bench" }

func (b *bench) plug() *port {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := &port{b: b}
	p.some.L = &b.mu
	b.port = p
	return p
}

func (p *port) unplug() {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	p.gone = true
	if p.b.port == p {
		p.b.port = nil
	}
	p.some.Broadcast()
}

func (p *port) Close() error {
	p.unplug()
	return nil
}

func (p *port) Read(buf []byte) (int, error) {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	for len(p.in) == 0 && !p.gone {
		p.some.Wait()
	}
	if len(p.in) == 0 {
		return 0, errors.New("input/output error")
	}
	n := copy(buf, p.in)
	p.in = p.in[n:]
	return n, nil
}

func (p *port) Write(buf []byte) (int, error) {
	for i, c := range buf {
		c, ok := p.b.pass(c)
		p.b.mu.Lock()
		gone := p.gone
		p.b.mu.Unlock()
		if gone {
			return i, errors.New("input/output error")
		}
		if ok {
			if _, err := p.b.wire.Write([]byte{c}); err != nil {
				return i, err
			}
		}
	}
	return len(buf), nil
}

// deploy plugs in, deploys, and unplugs.
func (b *bench) deploy(o deploy.Options) (*deploy.Result, error) {
	b.t.Helper()
	clock := world.RealClock()
	o.Clock = clock
	s, err := link.Attach(context.Background(), b.plug(), link.Options{Clock: clock})
	if err != nil {
		return nil, err
	}
	r, err := deploy.Run(s, o)
	return r, errors.Join(err, s.Close())
}

// restart takes the power away and gives it back, and returns what the module says
// until it has settled.
func (b *bench) restart() string {
	p := b.plug()
	synctest.Wait() // what was sent has arrived
	b.m.CutPower()
	b.m.RestorePower()
	out := drain(p)
	p.Close()
	return out
}

// app is a small application: main.py, which says of which version it and its
// modules are, two modules, a key.
func app(version string, more ...deploy.File) []deploy.File {
	return append([]deploy.File{
		{Path: "main.py", Data: []byte("import one, two\nprint('app', '" + version + "', one.V, two.V)\n" + strings.Repeat("# "+version+"\n", 40))},
		{Path: "one.py", Data: []byte("V = '" + version + "'\n" + strings.Repeat("# one\n", 60))},
		{Path: "lib/two.py", Data: []byte("V = '" + version + "'\n")},
		{Path: "cert/aws.key", Data: []byte("key of " + version), Secure: true},
	}, more...)
}

// laid is an application as it is on a module before.
func laid(files []deploy.File) fstest.MapFS {
	m := fstest.MapFS{}
	for _, f := range files {
		m[f.Path] = &fstest.MapFile{Data: f.Data}
	}
	return m
}

// autostart makes the module start its program by itself.
func (b *bench) autostart() {
	b.t.Helper()
	synctest.Wait() // it has come up
	for _, c := range []string{"PS1", "WR"} {
		if out, err := b.m.AT(c); err != nil || out != "OK" {
			b.t.Fatal(c, out, err)
		}
	}
}
