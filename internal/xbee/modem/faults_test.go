package modem

import (
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/world/worldtest"
	"github.com/skep-sim/skep/internal/xbee/profile"
	"github.com/skep-sim/skep/internal/xbee/task"
)

// kinds takes the events out of a subscription.
func kinds(s *Subscription) []EventKind {
	var all []EventKind
	for {
		e, ok := s.Next()
		if !ok {
			return all
		}
		all = append(all, e.Kind)
	}
}

func expectEvents(t *testing.T, what string, s *Subscription, want ...EventKind) {
	t.Helper()
	if got := kinds(s); !slices.Equal(got, want) {
		t.Errorf("%s: events %v, want %v", what, got, want)
	}
}

func TestEvents(t *testing.T) {
	b := newBoard(t, profile.LTEM)
	s := b.Subscribe()
	expectEvents(t, "at first", s)
	b.clock.Advance(3500 * time.Millisecond)
	expectEvents(t, "registered", s, Registered)
	b.clock.Advance(time.Second)
	expectEvents(t, "online", s, Online)
	b.SetCoverage(false)
	expectEvents(t, "no coverage", s, Unregistered, Offline)
	if a := b.Association(); a != Registering {
		t.Errorf("no coverage: %s", a)
	}
	b.clock.Advance(time.Hour)
	expectEvents(t, "still none", s)
	b.SetCoverage(true)
	b.online()
	expectEvents(t, "back", s, Registered, Online)
	b.SetDenied(true)
	expectEvents(t, "denied", s, Unregistered, Offline)
	if a := b.Association(); a != Denied {
		t.Errorf("denied: %s", a)
	}
	b.SetDenied(false)
	b.online()
	expectEvents(t, "taken again", s, Registered, Online)
	s.Cancel()
	b.SetAirplane(true)
	expectEvents(t, "cancelled", s)
}

// TestWatch sees registration without anybody asking.
func TestWatch(t *testing.T) {
	p, _ := profile.Find("ltem", "")
	clock := world.NewVirtualClock(world.VirtualStart)
	tasks := task.New(clock)
	m := New(Config{Profile: &p, World: world.Virtual(1).WithClock(tasks.Clock())})
	s := m.Subscribe()
	stop := make(chan struct{})
	tasks.Go("modem", func() { m.Watch(tasks.Background(), stop) })
	var at []time.Duration
	tasks.Go("listener", func() {
		for {
			tasks.Background().Wait(world.Forever, s.Changed())
			for range kinds(s) {
				at = append(at, world.Uptime(clock))
			}
		}
	})
	tasks.Clock().Sleep(10 * time.Second)
	if want := []time.Duration{3 * time.Second, 4 * time.Second}; !slices.Equal(at, want) {
		t.Errorf("events at %v, want %v", at, want)
	}
	close(stop)
	tasks.Clock().Sleep(time.Second)
	tasks.Stop()
}

// talk is a board with a connection to a server that answers.
func talk(t *testing.T, f func(net.Conn)) (*board, *Socket) {
	t.Helper()
	b := newBoard(t, profile.Cat1, worldtest.Route{Hosts: "server.test", To: serve(t, nil, f)}).online()
	s := b.socket(t, TCP)
	if e := connect(s, "server.test", 80); e != 0 {
		t.Fatal(e)
	}
	return b, s
}

func TestShortOutage(t *testing.T) {
	b, s := talk(t, echo)
	b.SetCoverage(false)
	s.SetTimeout(time.Second)
	if n, e := s.Send([]byte("x"), s.Deadline()); n != 0 || e != ETIMEDOUT {
		t.Errorf("without coverage: %d, %v", n, e)
	}
	b.SetCoverage(true)
	s.SetTimeout(20 * time.Second)
	if n, e := s.Send([]byte("hello"), s.Deadline()); n != 5 || e != 0 {
		t.Errorf("coverage is back: %d, %v", n, e)
	}
	buf := make([]byte, 8)
	if n, e := s.Recv(buf, s.Deadline()); string(buf[:n]) != "hello" || e != 0 {
		t.Errorf("answer %q, %v", buf[:n], e)
	}
}

func TestLongOutage(t *testing.T) {
	b, s := talk(t, echo)
	b.SetCoverage(false)
	if n, e := s.Recv(make([]byte, 1), s.Deadline()); n != 0 || e != 0 { // waits until the network has forgotten
		t.Errorf("Recv: %d, %v", n, e)
	}
	if since := world.Uptime(b.clock) - time.Minute; since < 30*time.Second || since > 40*time.Second {
		t.Errorf("it took %v", since)
	}
	if !s.IsLost() || s.Why() != ContextLost {
		t.Errorf("lost %v, why %d", s.IsLost(), s.Why())
	}
	if _, e := s.Send([]byte("x"), s.Deadline()); e != ENOTCONN {
		t.Errorf("Send: %v", e)
	}
	other := b.socket(t, TCP)
	if e := connect(other, "server.test", 80); e != 6 || !b.noted("there is no network") {
		t.Errorf("connecting: %v %v", e, b.notes)
	}
	b.SetCoverage(true)
	b.online()
	if e := connect(s, "server.test", 80); e != 0 {
		t.Errorf("connecting again: %v", e)
	}
}

func TestServerReset(t *testing.T) {
	b, s := talk(t, echo)
	if n := b.ResetConnections("elsewhere.test"); n != 0 {
		t.Errorf("%d connections to nowhere", n)
	}
	if n := b.ResetConnections("SERVER.test"); n != 1 {
		t.Errorf("%d connections were reset", n)
	}
	if _, e := s.Recv(make([]byte, 1), s.Deadline()); e != ECONNRESET {
		t.Errorf("Recv: %v", e)
	}
	if _, e := s.Send([]byte("x"), s.Deadline()); e != ECONNRESET {
		t.Errorf("Send: %v", e)
	}
}

func TestCarrierForgets(t *testing.T) {
	closed := make(chan struct{})
	b, s := talk(t, func(c net.Conn) { echo(c); close(closed) })
	b.SetNATTimeout(5 * time.Minute)
	s.SetTimeout(4 * time.Minute)
	exchange := func() (string, Errno) {
		if _, e := s.Send([]byte("ping"), s.Deadline()); e != 0 {
			return "", e
		}
		buf := make([]byte, 8)
		n, e := s.Recv(buf, s.Deadline())
		return string(buf[:n]), e
	}
	for range 3 {
		b.clock.Advance(4 * time.Minute)
		if got, e := exchange(); got != "ping" || e != 0 {
			t.Fatalf("in time: %q, %v", got, e)
		}
	}
	b.clock.Advance(6 * time.Minute)
	if got, e := exchange(); got != "" || e != ETIMEDOUT {
		t.Errorf("too late: %q, %v", got, e)
	}
	if !b.noted("the carrier has forgotten") {
		t.Errorf("%q", b.notes)
	}
	if s.Why() != TimedOut || !s.IsLost() {
		t.Errorf("why %d", s.Why())
	}
	s.Close()
	select {
	case <-closed:
		t.Error("the server has heard of it")
	case <-time.After(20 * time.Millisecond):
	}
	b.PowerOff()
	<-closed
}

func TestWhatArrivedInTimeIsThere(t *testing.T) {
	b, s := talk(t, func(c net.Conn) { c.Write([]byte("early")); echo(c) })
	<-s.conn.Changed() // it is there, and nobody has looked
	b.SetNATTimeout(time.Minute)
	b.clock.Advance(10 * time.Minute)
	buf := make([]byte, 8)
	s.SetTimeout(time.Second)
	if n, e := s.Recv(buf, s.Deadline()); string(buf[:n]) != "early" || e != 0 {
		t.Errorf("%q, %v", buf[:n], e)
	}
}

func TestPowerSaving(t *testing.T) {
	b, s := talk(t, echo)
	events := b.Subscribe()
	b.SetPSM(PSM{On: true, Active: 10 * time.Second})
	b.clock.Advance(9 * time.Second)
	if a := b.Association(); a != Connected {
		t.Errorf("%s", a)
	}
	b.clock.Advance(2 * time.Second)
	if a := b.Association(); a != Dormant || !b.IsConnected() {
		t.Errorf("%s", a)
	}
	expectEvents(t, "dormant", events, LowPower)
	b.DeliverSMS("1", "wake up")
	if _, ok := b.ReceiveSMS(); ok || !s.IsLost() {
		t.Error("a dormant modem can be reached")
	}
	if e := connect(s, "server.test", 80); e != 0 {
		t.Errorf("connecting wakes it up: %v", e)
	}
	if m, ok := b.ReceiveSMS(); !ok || m.Text != "wake up" {
		t.Errorf("awake: %v", m)
	}
	b.SetPSM(PSM{})
	b.clock.Advance(time.Hour)
	if a := b.Association(); a != Connected {
		t.Errorf("%s", a)
	}
}

func TestMessagesWaitForRegistration(t *testing.T) {
	b := newBoard(t, profile.LTEM)
	s := b.Subscribe()
	b.DeliverSMS("+1555", "early")
	if _, ok := b.ReceiveSMS(); ok {
		t.Error("a message before registration")
	}
	b.online()
	expectEvents(t, "registered", s, Registered, SMSArrived, Online)
	if m, ok := b.ReceiveSMS(); !ok || m.Text != "early" || m.Phone != "+1555" {
		t.Errorf("%v", m)
	}
}

func TestShutDownTakesItsTime(t *testing.T) {
	b := newBoard(t, profile.LTEM).online()
	before := world.Uptime(b.clock)
	if e := b.ShutDownWait(b.Deadline(time.Second)); e != ETIMEDOUT || b.Association() != Connected {
		t.Errorf("too little time: %v, %s", e, b.Association())
	}
	b.stop <- struct{}{}
	if e := b.ShutDownWait(b.Deadline(2 * time.Minute)); e != EINTR || b.Association() != Connected {
		t.Errorf("interrupted: %v, %s", e, b.Association())
	}
	if e := b.ShutDownWait(b.Deadline(2 * time.Minute)); e != 0 || b.Association() != ModemOff {
		t.Errorf("%v, %s", e, b.Association())
	}
	if took := world.Uptime(b.clock) - before; took < 8*time.Second || took > 9*time.Second {
		t.Errorf("it took %v", took)
	}
	if e := b.ShutDownWait(b.Deadline(time.Second)); e != 0 {
		t.Errorf("again: %v", e)
	}
	b.PowerOn()
	b.online()
	if b.ShutDownWait(DontWait()); b.Association() != Connected {
		t.Error("it has begun only")
	}
	b.clock.Advance(9 * time.Second)
	if a := b.Association(); a != ModemOff {
		t.Errorf("nobody waited: %s", a)
	}
}

func TestDeepSleep(t *testing.T) {
	b, s := talk(t, echo)
	b.Sleep()
	b.clock.Advance(time.Hour)
	b.Wake()
	if a := b.Association(); a != Initialising || !s.IsLost() {
		t.Errorf("%s", a)
	}
	b.online()
	if a := b.Association(); a != Connected {
		t.Errorf("%s", a)
	}
}

func TestSignalAndCells(t *testing.T) {
	b := newBoard(t, profile.LTEM).online()
	b.SetSignal(Signal{RSSI: -101, RSRP: -120, RSRQ: -15})
	if s, ok := b.Signal(); !ok || s.RSRP != -120 {
		t.Errorf("%v", s)
	}
	cells := b.Cells(false)
	if len(cells) < 2 || !cells[0].Serving || cells[1].Serving || cells[0].Signal != -120 || cells[1].Signal >= -120 {
		t.Errorf("%v", cells)
	}
	b.SetCells([]Cell{{ID: 7}})
	if c := b.Cells(false); len(c) != 1 || c[0].ID != 7 {
		t.Errorf("%v", c)
	}
	b.SetCells(nil)
	if c := b.Cells(false); len(c) == 0 || !c[0].Serving {
		t.Errorf("%v", c)
	}
	b.SetCoverage(false)
	if c := b.Cells(false); c != nil {
		t.Errorf("without coverage: %v", c)
	}
}

// TestDeepScan leaves the network for the time that it takes.
func TestDeepScan(t *testing.T) {
	b, s := talk(t, echo)
	takes := b.StartScan(true)
	if a := b.Association(); a != Registering || !s.IsLost() {
		t.Errorf("%s", a)
	}
	b.clock.Advance(takes)
	cells := b.Cells(true)
	if len(cells) < 2 || cells[0].MNC == cells[len(cells)-1].MNC || cells[0].Serving {
		t.Errorf("%v", cells)
	}
	if a := b.Association(); a != Registering {
		t.Errorf("%s", a)
	}
	b.online()
	if a := b.Association(); a != Connected {
		t.Errorf("%s", a)
	}
}

// TestNobodyIsLeftWaiting closes a socket, and loses its connection, while a job
// waits for it.
func TestNobodyIsLeftWaiting(t *testing.T) {
	server := serve(t, nil, echo)
	for name, end := range map[string]func(*Modem, *Socket){
		"close":    func(m *Modem, s *Socket) { s.Close() },
		"airplane": func(m *Modem, s *Socket) { m.SetAirplane(true) },
		"reset":    func(m *Modem, s *Socket) { m.ResetConnections("") },
	} {
		p, _ := profile.Find("ltem", "")
		base := world.NewVirtualClock(world.VirtualStart)
		tasks := task.New(base)
		network := worldtest.Network(world.HostNetwork(tasks.Clock()), worldtest.Route{Hosts: "server.test", To: server})
		m := New(Config{Profile: &p, World: world.Virtual(1).WithClock(tasks.Clock()).WithNetwork(network), Timing: &Timing{}})
		s, _ := m.Socket(TCP)
		var log []string
		tasks.Go("reader", func() {
			if e := s.Connect("server.test", 80, s.ConnectDeadline()); e != 0 {
				t.Error(e)
			}
			log = append(log, "waits")
			_, e := s.Recv(make([]byte, 1), s.Deadline())
			log = append(log, "back", e.Error())
		})
		for i := 0; len(log) == 0 && i < 30000; i++ {
			tasks.Clock().Sleep(time.Millisecond)
			time.Sleep(time.Millisecond) // of the host
		}
		end(m, s)
		tasks.Clock().Sleep(time.Second)
		want := map[string]string{"close": "waits back EBADF", "airplane": "waits back errno 0", "reset": "waits back ECONNRESET"}[name]
		if got := strings.Join(log, " "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		tasks.Stop()
		m.PowerOff()
	}
}
