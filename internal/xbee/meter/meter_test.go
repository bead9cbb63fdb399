package meter

import (
	"io"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/rmlink"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// scripted is a network whose connections deliver what is put into them.
type scripted struct {
	fail    error
	traffic *world.Traffic
	last    *wire
}

type wire struct {
	in      [][]byte
	traffic world.Traffic
}

type counted struct{ *wire }

func (c counted) Traffic() world.Traffic { return c.traffic }

func (w *wire) Recv(p []byte) (int, error) {
	if len(w.in) == 0 {
		return 0, io.EOF
	}
	n := copy(p, w.in[0])
	if w.in[0] = w.in[0][n:]; len(w.in[0]) == 0 {
		w.in = w.in[1:]
	}
	return n, nil
}
func (w *wire) Send(p []byte) (int, error) { return len(p), nil }
func (w *wire) Changed() <-chan struct{}   { return nil }
func (w *wire) Close() error               { return nil }
func (w *wire) Local() netip.AddrPort      { return netip.AddrPort{} }
func (w *wire) Remote() netip.AddrPort     { return netip.AddrPort{} }

func (s *scripted) Resolve(string, world.Limit) ([]netip.Addr, error) { return nil, s.fail }

func (s *scripted) Dial(world.Target, world.Limit) (world.Conn, error) {
	if s.fail != nil {
		return nil, s.fail
	}
	s.last = &wire{}
	if s.traffic != nil {
		s.last.traffic = *s.traffic
		return counted{s.last}, nil
	}
	return s.last, nil
}

func newMeter() (*Meter, *scripted, world.Network, *world.VirtualClock) {
	clock := world.NewVirtualClock(world.VirtualStart)
	m, s := New(clock, DrawOf(profile.LTEM, 0)), &scripted{}
	return m, s, m.Network(s), clock
}

func dial(t *testing.T, n world.Network, target world.Target) world.Conn {
	t.Helper()
	c, err := n.Dial(target, world.Limit{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// only returns the counts of the only destination that is not a name server.
func only(t *testing.T, m *Meter) Destination {
	t.Helper()
	var all []Destination
	for _, d := range m.Report().Destinations {
		if d.Proto != "DNS" {
			all = append(all, d)
		}
	}
	if len(all) != 1 {
		t.Fatalf("destinations %v", all)
	}
	return all[0]
}

func TestPlainConnection(t *testing.T) {
	m, s, n, _ := newMeter()
	c := dial(t, n, world.Target{Host: "192.0.2.1", Port: 80})
	c.Send(make([]byte, 1360+1)) // two segments
	s.last.in = [][]byte{make([]byte, 3000)}
	for buf := make([]byte, 1); ; { // byte by byte: it came in three segments all the same
		if k, _ := c.Recv(buf); k == 0 {
			break
		}
	}
	c.Close()
	c.Close()
	d := only(t, m)
	want := Counts{
		Payload: Bytes{1361, 3000},
		Headers: Bytes{84 + 2*40 + 2*40 + 80, 44 + 40 + 3*40 + 80},
	}
	if d.Counts != want || d.Connections != 1 || d.Host != "192.0.2.1" || d.Proto != "TCP" {
		t.Errorf("%+v\nwant %+v", d, want)
	}
	if r := m.Report(); r.Total != want || len(r.Connections) != 1 || r.Connections[0].Closed.IsZero() {
		t.Errorf("%+v", r)
	}
}

func TestTLSFromTheWire(t *testing.T) {
	m, s, n, _ := newMeter()
	s.traffic = &world.Traffic{HandshakeSent: 2000, HandshakeReceived: 3000, Sent: 2000, Received: 3000}
	c := dial(t, n, world.Target{Host: "192.0.2.1", Port: 443, TLS: &world.TLS{}})
	c.Send(make([]byte, 100))
	// The suite in use adds 61 bytes, not 29, and there is an alert at the end.
	s.last.traffic.Sent += 161 + 31
	c.Close()
	d := only(t, m)
	want := Counts{
		Payload: Bytes{100, 0}, Handshake: Bytes{2000, 3000}, Records: Bytes{61 + 31, 0},
		Headers: Bytes{84 + 2*40 + 2*40 + 40 + 80, 44 + 3*40 + 40 + 40 + 80},
	}
	if d.Counts != want {
		t.Errorf("%+v\nwant %+v", d.Counts, want)
	}
}

func TestTLSWithoutAWire(t *testing.T) {
	m, _, n, _ := newMeter()
	c := dial(t, n, world.Target{Host: "192.0.2.1", Port: 443, TLS: &world.TLS{}})
	c.Send(make([]byte, 20000)) // two records
	d := only(t, m)
	if d.Handshake != (Bytes{handshakeUp, handshakeDown}) || d.Records != (Bytes{58, 0}) || d.Proto != "TLS" {
		t.Errorf("%+v", d)
	}
}

func TestKeepAliveOfMQTT(t *testing.T) {
	m, s, n, clock := newMeter()
	c := dial(t, n, world.Target{Host: "192.0.2.1", Port: 1883})
	recv := func(b ...byte) {
		clock.Advance(time.Second)
		s.last.in = [][]byte{b}
		for buf := make([]byte, 1); len(s.last.in) > 0; { // as umqtt reads
			c.Recv(buf)
		}
	}
	c.Send([]byte{0x10, 14, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 2, 'm', 'e'})
	recv(0x20, 2, 0, 0)
	before := m.Report().Total
	if before.KeepAlive.Total() != 0 {
		t.Errorf("%+v", before)
	}
	c.Send([]byte{0xC0, 0})
	recv(0xD0, 0)
	c.Send([]byte{0xC0})
	c.Send([]byte{0})
	recv(0xD0, 0, 0x30, 3, 0, 1, 'a') // with a message
	// A body that looks like a ping.
	c.Send([]byte{0x30, 5, 0, 1, 'a', 0xC0, 0})
	r := m.Report().Total
	// The first ping and its answer with all they cost, the others their bytes.
	if want := (Bytes{2 + 40 + 40 + 2, 40 + 2 + 40 + 2}); r.KeepAlive != want {
		t.Errorf("keep-alive %+v, want %+v", r.KeepAlive, want)
	}
	if got := r.Payload.Up - before.Payload.Up; got != 7 { // the message
		t.Errorf("payload %d", got)
	}
}

func TestOtherProtocolsHaveNoPings(t *testing.T) {
	m, s, n, _ := newMeter()
	c := dial(t, n, world.Target{Host: "192.0.2.1", Port: 80})
	c.Send([]byte{0xC0, 0})
	s.last.in = [][]byte{{0xD0, 0}}
	c.Recv(make([]byte, 2))
	if d := only(t, m); d.KeepAlive.Total() != 0 || d.Payload != (Bytes{2, 2}) {
		t.Errorf("%+v", d.Counts)
	}
}

func TestDatagramsAndNames(t *testing.T) {
	m, s, n, _ := newMeter()
	c := dial(t, n, world.Target{Proto: world.UDP, Host: "time.test", Port: 123})
	c.Send(make([]byte, 48))
	s.last.in = [][]byte{make([]byte, 48)}
	c.Recv(make([]byte, 100))
	c.Close()
	if d := only(t, m); d.Counts != (Counts{Payload: Bytes{48, 48}, Headers: Bytes{28, 28}}) || d.Proto != "UDP" {
		t.Errorf("%+v", d)
	}
	n.Resolve("time.test", world.Limit{})
	n.Resolve("192.0.2.1", world.Limit{})
	for _, d := range m.Report().Destinations {
		if d.Proto == "DNS" && (d.Connections != 2 || d.Headers != Bytes{2 * 55, 2 * 71}) {
			t.Errorf("%+v", d)
		}
	}
}

func TestFailuresCost(t *testing.T) {
	tests := []struct {
		err  error
		want Counts
	}{
		{&world.Failure{Kind: world.FailRefused}, Counts{Headers: Bytes{44, 40}}},
		{&world.Failure{Kind: world.FailTimeout}, Counts{Headers: Bytes{264, 0}}},
		{&world.Failure{Kind: world.FailBlocked}, Counts{}},
		{&world.Failure{Kind: world.FailTLS}, Counts{Headers: Bytes{164, 124}}},
		{
			&world.Failure{Kind: world.FailTLS, Traffic: world.Traffic{Sent: 200, Received: 1400, HandshakeSent: 200, HandshakeReceived: 1400}},
			Counts{Handshake: Bytes{200, 1400}, Headers: Bytes{84 + 40 + 40, 44 + 80 + 40}},
		},
	}
	for _, tt := range tests {
		m, s, n, _ := newMeter()
		s.fail = tt.err
		n.Dial(world.Target{Host: "192.0.2.1", Port: 443, TLS: &world.TLS{}}, world.Limit{})
		if d := only(t, m); d.Counts != tt.want || d.Failures != 1 || d.Connections != 1 {
			t.Errorf("%v: %+v, want %+v", tt.err, d, tt.want)
		}
	}
}

func TestMonth(t *testing.T) {
	m, _, n, clock := newMeter()
	c := dial(t, n, world.Target{Proto: world.UDP, Host: "192.0.2.1", Port: 9})
	c.Send(make([]byte, 972))
	clock.Advance(24 * time.Hour)
	r := m.Report()
	if got := r.AMonth(float64(r.Total.Total().Total())); got != 30000 {
		t.Errorf("%v bytes a month", got)
	}
	if (Report{}).AMonth(1) != 0 {
		t.Error("a month of nothing")
	}
}

func TestCharge(t *testing.T) {
	m, _, n, clock := newMeter()
	up := func() time.Duration { return world.Uptime(clock) }
	m.Radio(Searching, up())
	clock.Advance(10 * time.Second)
	m.Radio(Idle, up())
	clock.Advance(time.Minute)
	c := dial(t, n, world.Target{Proto: world.UDP, Host: "192.0.2.1", Port: 9})
	c.Send(make([]byte, 46875-28)) // a second at 375 kbit/s, and half a one to set the link up
	clock.Advance(5 * time.Second)
	c.Send(make([]byte, 46875-28)) // the link is still there
	clock.Advance(time.Hour)
	m.Radio(Asleep, up())
	clock.Advance(time.Hour)
	want := map[Radio]time.Duration{
		Searching: 10 * time.Second, Sending: 2500 * time.Millisecond,
		Idle: time.Hour + 65*time.Second - 2500*time.Millisecond, Asleep: time.Hour,
	}
	r := m.Report()
	for _, s := range r.Radio {
		if want[s.Radio] != s.Time || s.Source == "" {
			t.Errorf("%s for %v, want %v", s.Radio, s.Time, want[s.Radio])
		}
		if mAh := s.Current * s.Time.Hours(); math.Abs(mAh-s.Charge) > 1e-9 {
			t.Errorf("%s: %v mAh", s.Radio, s.Charge)
		}
		delete(want, s.Radio)
	}
	if len(want) != 0 {
		t.Errorf("missing %v", want)
	}
	if c := r.Charge(); c < 20.7 || c > 20.9 {
		t.Errorf("%v mAh in all", c)
	}
}

func TestDrawOfEveryModel(t *testing.T) {
	for _, d := range []Draw{DrawOf(profile.LTEM, 0), DrawOf(profile.LTEM, 2), DrawOf(profile.Cat1, 0)} {
		for r := range radios {
			if d.Source[r] == "" || (d.Current[r] <= 0) != (r == NoPower) {
				t.Errorf("%s: %g mA (%s)", r, d.Current[r], d.Source[r])
			}
		}
		if d.UpRate <= 0 || d.DownRate <= 0 {
			t.Errorf("%+v", d)
		}
	}
}

func TestManyConnections(t *testing.T) {
	m, _, n, _ := newMeter()
	for range maxRecords + 10 {
		c := dial(t, n, world.Target{Host: "192.0.2.1", Port: 80})
		c.Send([]byte("x"))
		c.Close()
	}
	r := m.Report()
	if len(r.Connections) != maxRecords || r.Total.Payload.Up != maxRecords+10 {
		t.Errorf("%d records, %d bytes", len(r.Connections), r.Total.Payload.Up)
	}
	if len(m.open) != 0 {
		t.Errorf("%d are still open", len(m.open))
	}
}

func TestText(t *testing.T) {
	m, _, n, clock := newMeter()
	m.Radio(Idle, 0)
	c := dial(t, n, world.Target{Host: "broker.test", Port: 8883, TLS: &world.TLS{}})
	c.Send(make([]byte, 100))
	c.Close()
	clock.Advance(time.Hour)
	var b strings.Builder
	if err := m.Report().Write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"broker.test:8883 TLS", "broker.test:53 DNS", "total", "A month at this rate: ", "idle", "20 mA", "mAh a month"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	b.Reset()
	newM, _, _, _ := newMeter()
	newM.Report().Write(&b)
	if !strings.Contains(b.String(), "nothing was sent") {
		t.Errorf("%s", b.String())
	}
}

func TestKeepAliveOfRemoteManager(t *testing.T) {
	m, s, n, clock := newMeter()
	c := dial(t, n, world.Target{Host: "192.0.2.1", Port: rmlink.Port})
	hello := rmlink.Append(nil, rmlink.Message{Type: rmlink.Hello, Data: []byte("{}")})
	ping := rmlink.Append(nil, rmlink.Message{Type: rmlink.Ping})
	c.Send(hello)
	clock.Advance(time.Second)
	s.last.in = [][]byte{rmlink.Append(nil, rmlink.Message{Type: rmlink.Welcome})}
	c.Recv(make([]byte, 100))
	if d := only(t, m); d.KeepAlive.Total() != 0 {
		t.Errorf("%+v", d.KeepAlive)
	}
	clock.Advance(time.Minute)
	c.Send(ping)
	clock.Advance(time.Minute)
	s.last.in = [][]byte{ping[:5], ping[5:]}
	c.Recv(make([]byte, 100))
	c.Recv(make([]byte, 100))
	if d := only(t, m); d.KeepAlive != (Bytes{13 + 40 + 40, 40 + 13 + 40}) {
		t.Errorf("%+v", d.KeepAlive)
	}
}

// FuzzPings gives a direction of a connection bytes in one piece and in two.
func FuzzPings(f *testing.F) {
	f.Add([]byte{0x10, 2, 0, 0, 0xC0, 0, 0x30, 0x80, 1}, uint8(5), true)
	f.Add(rmlink.Append(nil, rmlink.Message{Type: rmlink.Ping, Data: []byte("x")}), uint8(3), false)
	f.Fuzz(func(t *testing.T, p []byte, cut uint8, up bool) {
		var a, b pings
		i := min(int(cut), len(p))
		whole := a.feed(p, up)
		first, second := b.feed(p[:i], up), b.feed(p[i:], up)
		whole.bytes += a.take().bytes
		if parts := first.bytes + second.bytes + b.take().bytes; parts != whole.bytes {
			t.Errorf("in one piece %d bytes, in two %d", whole.bytes, parts)
		}
	})
}
