package api

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/world/worldtest"
	"github.com/skep-sim/skep/internal/xbee/at"
	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/frame"
	"github.com/skep-sim/skep/internal/xbee/modem"
	"github.com/skep-sim/skep/internal/xbee/profile"
	"github.com/skep-sim/skep/internal/xbee/relay"
	"github.com/skep-sim/skep/internal/xbee/task"
)

// module is what the registers of a test belong to.
type module struct{ *rig }

func (m module) ReadState(name string) (at.Value, error) {
	switch name {
	case "AI":
		return at.Int(uint64(m.modem.Association())), nil
	case "IM":
		return at.Str("353902090123459"), nil
	case "SH":
		return at.Raw([]byte{0, 0x13, 0xA2, 0}), nil
	}
	return at.Value{}, nil
}

func (m module) Obey(name string, arg at.Value) (at.Value, error) {
	switch name {
	case "LA":
		ip, e := m.modem.Resolve(arg.Text(), m.modem.Deadline(m.modem.DialLimit()))
		if e != 0 {
			return at.Value{}, fmt.Errorf("%w: %w", at.ErrFailed, e)
		}
		return at.Address(ip[0].As4()), nil
	case "PY":
		return at.BundleReport(2558, 0x9AAC4DD8, 626428087), nil
	case "SD":
		m.tasks.Clock().Sleep(8 * time.Second)
		return at.Value{}, nil
	}
	return at.Value{}, fmt.Errorf("%w: not here", at.ErrFailed)
}

func (m module) Applied(names []string) { m.applied = append(m.applied, names...) }

type store struct{ b []byte }

func (s *store) Get() []byte        { return s.b }
func (s *store) Put(b []byte) error { s.b = b; return nil }

// rig is a module of which the test is the host at its serial port.
type rig struct {
	*API
	t       testing.TB
	clock   *world.VirtualClock
	tasks   *task.Scheduler
	modem   *modem.Modem
	relay_  *relay.Relay
	flash   *flash.Device
	regs    *at.Registers
	cloud   Cloud
	applied []string
	notes   []string
	why     []modem.Reason

	out     []string // the data of the frames that came, in hexadecimal digits
	decoder frame.Decoder
}

type options struct {
	level  int
	cloud  Cloud
	off    bool // the modem has not registered yet
	routes []worldtest.Route
	files  map[string]string // TLS
}

func newRig(t testing.TB, o options) *rig {
	t.Helper()
	p, err := profile.Find("ltem", "")
	if err != nil {
		t.Fatal(err)
	}
	if o.level == 0 {
		o.level = 0x16
	}
	r := &rig{t: t, clock: world.NewVirtualClock(world.VirtualStart), cloud: o.cloud}
	r.tasks = task.New(r.clock)
	c := r.tasks.Clock()
	network := worldtest.Network(world.HostNetwork(r.clock), o.routes...)
	timing := modem.DefaultTiming()
	if !o.off {
		timing.Initialise, timing.Register, timing.Connect = 0, 0, 0
	}
	note := func(s string) { r.notes = append(r.notes, s) }
	r.modem = modem.New(modem.Config{Profile: &p, World: world.Virtual(1).WithClock(c).WithNetwork(network), Serial: 1, Timing: &timing, Note: note})
	r.relay_ = relay.New()
	if r.flash, err = flash.Open(flash.NewMemory()); err != nil {
		t.Fatal(err)
	}
	r.regs = at.New(at.Table(p), &p, module{r}, &store{})
	r.decoder.Handle = func(d []byte) { r.out = append(r.out, fmt.Sprintf("%X", d)) }
	r.API = New(Config{
		Level: o.level, Registers: r.regs, Modem: r.modem, Files: r.flash.FS(), Relay: r.relay_, Cloud: o.cloud,
		Credentials: func(tls string) (modem.Credentials, error) {
			names := strings.Split(tls, ";")
			var files [3]modem.File
			for i, n := range names {
				if n == "" {
					continue
				}
				text, ok := o.files[n]
				if !ok {
					return modem.Credentials{}, errors.New("there is no file " + n)
				}
				files[i] = modem.File{Name: n, Data: []byte(text)}
			}
			return modem.Credentials{CA: files[0], Certificate: files[1], Key: files[2]}, nil
		},
		Clock: r.tasks.Background(), Go: func(name string, f func()) { r.tasks.Go(name, f) },
		Send:     func(b []byte) { r.decoder.Write(b) },
		Indicate: func(_ modem.Proto, why modem.Reason) { r.why = append(r.why, why) },
		Note:     note,
	})
	r.Open(true)
	stop := make(chan struct{})
	r.tasks.Go("modem", func() { r.modem.Watch(r.tasks.Background(), stop) })
	r.run()
	t.Cleanup(func() {
		r.tasks.Stop()
		r.modem.PowerOff()
	})
	return r
}

// run lets the jobs do what they can without time passing.
func (r *rig) run() {
	for range 20 {
		r.tasks.Clock().Wait(0)
	}
}

// pass lets time pass.
func (r *rig) pass(d time.Duration) { r.tasks.Clock().Sleep(d) }

// host sends a frame to the module and returns what it answers at once.
func (r *rig) host(format string, args ...any) []string {
	r.t.Helper()
	r.tell(format, args...)
	return r.take()
}

// tell sends a frame to the module; its answers wait for next.
func (r *rig) tell(format string, args ...any) {
	r.t.Helper()
	data, err := hex.DecodeString(strings.ReplaceAll(fmt.Sprintf(format, args...), " ", ""))
	if err != nil {
		r.t.Fatal(err)
	}
	r.Receive(frame.Append(nil, data, r.API.decoder.Escaped))
	r.run()
}

// take returns what has come from the module.
func (r *rig) take() []string {
	all := r.out
	r.out = nil
	return all
}

// next waits for a frame.
func (r *rig) next() string {
	r.t.Helper()
	if !r.until(func() bool { return len(r.out) > 0 }) {
		r.t.Fatalf("the module says nothing; notes %q", r.notes)
	}
	s := r.out[0]
	r.out = r.out[1:]
	return s
}

// until lets time pass, the host's and the module's, until done says true;
// false if that takes half a minute.
func (r *rig) until(done func() bool) bool {
	for range 30000 {
		if done() {
			return true
		}
		time.Sleep(time.Millisecond) // of the host
		r.pass(time.Millisecond)
	}
	return false
}

// expect sends a frame and wants some answers, all in hexadecimal digits with
// spaces as one likes.
func (r *rig) expect(what, request string, want ...string) {
	r.t.Helper()
	r.answers(what, r.host("%s", request), want...)
}

func (r *rig) answers(what string, got []string, want ...string) {
	r.t.Helper()
	for i := range want {
		want[i] = strings.ReplaceAll(want[i], " ", "")
	}
	if !slices.Equal(got, want) {
		r.t.Errorf("%s: the module answers\n%q, want\n%q", what, got, want)
	}
}

// then wants certain frames next.
func (r *rig) then(what string, want ...string) {
	r.t.Helper()
	var got []string
	for range want {
		got = append(got, r.next())
	}
	r.answers(what, got, want...)
}

// serve answers connections with f until the test ends.
func serve(t testing.TB, f func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			wg.Go(func() { defer c.Close(); f(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func echo(c net.Conn) { io.Copy(c, c) }

// echoUDP answers datagrams with themselves.
func echoUDP(t testing.TB) netip.AddrPort {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		buf := make([]byte, 2000)
		for {
			n, from, err := c.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			c.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	return c.LocalAddr().(*net.UDPAddr).AddrPort()
}

// The host that the tests talk to, as the device knows it.
const serverIP = "203.0.113.7"

var serverHex = "CB007107"

func route(to netip.AddrPort) worldtest.Route {
	return worldtest.Route{Hosts: "server.test", To: to, Addr: netip.MustParseAddr(serverIP)}
}

// text is text in hexadecimal digits.
func text(s string) string { return fmt.Sprintf("%X", s) }
