package deploy_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/skep-sim/skep"
	hostapp "github.com/skep-sim/skep/internal/host/app"
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
	synctest.Wait() // it has come up
	return b
}

// carry brings what the module sends to whoever is plugged in.
func (b *bench) carry() {
	buf := make([]byte, 4096)
	for {
		n, err := b.wire.Read(buf)
		p, _ := b.pass(buf[:n])
		b.mu.Lock()
		if b.port != nil {
			b.port.in = append(b.port.in, p...)
			b.port.some.Broadcast()
		}
		b.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// begin counts bytes from here on, with a fault; nil is none.
func (b *bench) begin(f *fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes, b.fault = 0, f
}

// carried is how many bytes have gone over the cable.
func (b *bench) carried() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes
}

// pass counts bytes, and does to one of them what the fault says. It is false when
// the cable was pulled at that byte, with what got through before.
func (b *bench) pass(p []byte) ([]byte, bool) {
	b.mu.Lock()
	f, port := b.fault, b.port
	i := -1
	if f != nil {
		i = f.at - b.bytes - 1
	}
	b.bytes += len(p)
	b.mu.Unlock()
	if i < 0 || i >= len(p) {
		return p, true
	}
	p = bytes.Clone(p)
	switch f.kind {
	case "lost":
		return slices.Delete(p, i, i+1), true
	case "flipped":
		p[i] ^= 1 << (f.at % 8)
	case "cut":
		port.unplug()
		return p[:i], false
	case "reset":
		go b.m.PressReset()
	case "power":
		go func() {
			b.m.CutPower()
			b.m.RestorePower()
		}()
	}
	return p, true
}

// port is an end of the cable.
type port struct {
	b    *bench
	in   []byte
	some sync.Cond
	gone bool
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
	p.b.mu.Lock()
	gone := p.gone
	p.b.mu.Unlock()
	if gone {
		return 0, errors.New("input/output error")
	}
	through, ok := p.b.pass(buf)
	if len(through) > 0 {
		if _, err := p.b.wire.Write(through); err != nil {
			return 0, err
		}
	}
	if !ok {
		return len(through), errors.New("input/output error")
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
// modules are, a module that is bundled, one that is not, a key.
func app(version string, more ...deploy.File) []deploy.File {
	return append([]deploy.File{
		{Path: "main.py", Data: []byte("import one, two\nprint('app', '" + version + "', one.V, two.V)\n" + strings.Repeat("# "+version+"\n", 40))},
		{Path: "one.mpy", Data: mpy("V = '" + version + "'\nclass A:\n    def f(self): return 'something longer than the others'\n")},
		{Path: "lib/two.py", Data: []byte("V = '" + version + "'\n")},
		{Path: "cert/aws.key", Data: []byte("key of " + version), Secure: true},
	}, more...)
}

// mpy compiles a module.
func mpy(source string) []byte {
	data, err := hostapp.Cross(4)([]byte(source), "one.py")
	if err != nil {
		panic(err)
	}
	return data
}

// bundled is a deployment of app that bundles.
func bundled(files []deploy.File) deploy.Options {
	return deploy.Options{Files: files, Bundling: deploy.MakeBundle, Bundle: []string{"one.mpy"}, Wait: 10 * time.Second}
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
	for _, c := range []string{"PS1", "WR"} {
		if out, err := b.m.AT(c); err != nil || out != "OK" {
			b.t.Fatal(c, out, err)
		}
	}
}

// bundle bundles what is on the module, as somebody at the prompt.
func (b *bench) bundle(names ...string) {
	b.t.Helper()
	p := b.plug()
	defer p.Close()
	io.WriteString(p, "\x03import uos\ruos.bundle('"+strings.Join(names, "','")+"')\r")
	drain(p)
	if out, err := b.m.AT("PYB"); err != nil || strings.HasPrefix(out, "bytecode: 0 ") {
		b.t.Fatalf("bundling: %q, %v", out, err)
	}
}
