package modem

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/world/worldtest"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

func TestSocketTable(t *testing.T) {
	tests := []struct {
		model profile.Model
		make  []Proto
		next  Proto
		want  Errno
	}{
		{profile.LTEM, []Proto{TCP, TCP, TCP, TCP, TCP, TCP}, TCP, ENFILE},
		{profile.LTEM, []Proto{TCP, TCP, UDP, UDP, SEC, SEC}, UDP, ENFILE},
		{profile.LTEM, []Proto{SEC, SEC, SEC, SEC}, SEC, ENFILE},
		{profile.LTEM, []Proto{SEC, SEC, SEC, SEC}, TCP, 0},
		{profile.Cat1, []Proto{SEC, SEC, SEC, SEC, SEC, SEC}, SEC, ENFILE},
		{profile.Cat1, []Proto{SEC, SEC, SEC, SEC, SEC, SEC, TCP, TCP, TCP}, UDP, 0},
		{profile.Cat1, []Proto{SEC, SEC, SEC, SEC, SEC, SEC, TCP, TCP, TCP, UDP}, UDP, ENFILE},
	}
	for _, tt := range tests {
		b := newBoard(t, tt.model)
		var first *Socket
		for _, p := range tt.make {
			if s := b.socket(t, p); first == nil {
				first = s
			}
		}
		if _, e := b.Socket(tt.next); e != tt.want {
			t.Errorf("%s %v + %s: %v, want %v", tt.model, tt.make, tt.next, e, tt.want)
		}
		if tt.want == 0 {
			continue
		}
		if !b.noted("close()") {
			t.Errorf("notes: %q", b.notes)
		}
		first.Close()
		first.Close()
		if _, e := b.Socket(first.Proto()); e != 0 {
			t.Errorf("after close: %v", e)
		}
		b.CloseAll()
		if n := len(b.Sockets()); n != 0 {
			t.Errorf("%d sockets after CloseAll", n)
		}
	}
}

func TestRefusedUnknownAndUnregistered(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	for _, tt := range []struct {
		model profile.Model
		proto Proto
		want  Errno
	}{
		{profile.LTEM, TCP, ECONNREFUSED}, {profile.Cat1, TCP, ECONNREFUSED},
		{profile.LTEM, SEC, EIO}, {profile.Cat1, SEC, ECONNREFUSED},
	} {
		b := newBoard(t, tt.model, worldtest.Route{Hosts: "server.test", To: nobody})
		s := b.socket(t, tt.proto)
		if e := connect(s, "server.test", 80); e != ENXIO || !b.noted("AI=FF") {
			t.Errorf("before registration: %v; %q", e, b.notes)
		}
		b.online()
		if e := connect(s, "nowhere.test", 80); e != ENXIO || !b.noted("--net host") {
			t.Errorf("a name without address: %v; %q", e, b.notes)
		}
		if e := connect(s, "server.test", 80); e != tt.want {
			t.Errorf("%s %s refused: %v, want %v", tt.model, tt.proto, e, tt.want)
		}
		b.SetAirplane(true)
		if e := connect(s, "server.test", 80); e != ENXIO || !b.noted("airplane") {
			t.Errorf("in airplane mode: %v; %q", e, b.notes)
		}
	}
}

func TestBadArguments(t *testing.T) {
	b := newBoard(t, profile.LTEM).online()
	s := b.socket(t, TCP)
	for _, port := range []int{0, -1, 65536} {
		if e := connect(s, "server.test", port); e != EINVAL {
			t.Errorf("port %d: %v", port, e)
		}
	}
	if e := connect(s, "", 80); e != EINVAL {
		t.Errorf("no host: %v", e)
	}
	if _, e := s.Send([]byte("x"), s.Deadline()); e != ENOTCONN {
		t.Errorf("Send: %v", e)
	}
	if _, e := s.Recv(make([]byte, 1), s.Deadline()); e != ENOTCONN {
		t.Errorf("Recv: %v", e)
	}
	s.Close()
	_, send := s.Send([]byte("x"), s.Deadline())
	_, recv := s.Recv(make([]byte, 1), s.Deadline())
	for _, e := range []Errno{connect(s, "a", 1), send, recv, s.Bind(1), s.Listen(), s.Accept(s.Deadline())} {
		if e != EBADF {
			t.Errorf("closed: %v", e)
		}
	}
}

func TestTimeouts(t *testing.T) {
	server := serve(t, nil, func(c net.Conn) { io.Copy(io.Discard, c) })
	b := newBoard(t, profile.LTEM, worldtest.Route{Hosts: "server.test", To: server}).online()
	s := b.socket(t, TCP)
	s.SetTimeout(0)
	if e := connect(s, "server.test", 80); e != 0 {
		t.Fatalf("a socket that does not wait connects all the same: %v", e)
	}
	if e := connect(s, "server.test", 80); e != EISCONN {
		t.Errorf("second connect: %v", e)
	}
	buf := make([]byte, 10)
	if n, e := s.Recv(buf, s.Deadline()); n != 0 || e != EAGAIN {
		t.Errorf("not waiting: %d, %v", n, e)
	}
	s.SetTimeout(50 * time.Millisecond)
	before := b.clock.Now()
	if n, e := s.Recv(buf, s.Deadline()); n != 0 || e != ETIMEDOUT {
		t.Errorf("waiting: %d, %v", n, e)
	}
	if d := b.clock.Now().Sub(before); d < 50*time.Millisecond || d > 60*time.Millisecond {
		t.Errorf("the wait took %v of the device's time", d)
	}
}

// A peer that does not read fills the pipe.
func TestSendWithoutRoom(t *testing.T) {
	done := make(chan struct{})
	stuck := serve(t, nil, func(c net.Conn) { <-done })
	defer close(done)
	b := newBoard(t, profile.LTEM, worldtest.Route{Hosts: "stuck.test", To: stuck}).online()
	s := b.socket(t, TCP)
	if e := connect(s, "stuck.test", 80); e != 0 {
		t.Fatal(e)
	}
	s.SetTimeout(0)
	var e Errno
	for i := 0; i < 10000 && e == 0; i++ {
		_, e = s.Send(make([]byte, 16<<10), s.Deadline())
	}
	if e != EAGAIN {
		t.Errorf("not waiting: %v", e)
	}
	s.SetTimeout(20 * time.Millisecond)
	for e = 0; e == 0; {
		_, e = s.Send(make([]byte, 16<<10), s.Deadline())
	}
	if e != ETIMEDOUT {
		t.Errorf("waiting: %v", e)
	}
}

func TestInterrupt(t *testing.T) {
	server := serve(t, nil, func(c net.Conn) { io.Copy(io.Discard, c) })
	b := newBoard(t, profile.LTEM, worldtest.Route{Hosts: "server.test", To: server}).online()
	b.stop <- struct{}{}
	s := b.socket(t, TCP)
	if e := connect(s, "server.test", 80); e != EINTR && e != 0 { // either may be seen first
		t.Fatalf("connect: %v", e)
	} else if e == EINTR {
		if e := connect(s, "server.test", 80); e != 0 {
			t.Fatal(e)
		}
		b.stop <- struct{}{}
	}
	if _, e := s.Recv(make([]byte, 1), s.Deadline()); e != EINTR {
		t.Errorf("Recv: %v", e)
	}
	l := b.socket(t, TCP)
	if e := l.Bind(8080); e != 0 {
		t.Fatal(e)
	}
	if e := l.Listen(); e != 0 || !b.noted("accept() waits in vain") {
		t.Errorf("Listen: %v; %q", e, b.notes)
	}
	b.stop <- struct{}{}
	if e := l.Accept(l.Deadline()); e != EINTR {
		t.Errorf("Accept: %v", e)
	}
	l.SetTimeout(time.Millisecond)
	if e := l.Accept(l.Deadline()); e != ETIMEDOUT {
		t.Errorf("Accept: %v", e)
	}
	l.SetTimeout(0)
	if e := l.Accept(l.Deadline()); e != EAGAIN {
		t.Errorf("Accept: %v", e)
	}
	if e := connect(l, "server.test", 80); e != EINVAL {
		t.Errorf("a listening socket connects: %v", e)
	}
}

// recvAll reads to the end of the stream.
func recvAll(s *Socket) ([]byte, Errno) {
	var all []byte
	for {
		buf := make([]byte, 7)
		n, e := s.Recv(buf, s.Deadline())
		if n == 0 {
			return all, e
		}
		all = append(all, buf[:n]...)
	}
}

func TestHalfClose(t *testing.T) {
	late := make(chan []byte, 1)
	server := serve(t, nil, func(c net.Conn) {
		io.WriteString(c, "goodbye, all")
		c.(*net.TCPConn).CloseWrite()
		b, _ := io.ReadAll(c)
		late <- b
	})
	b := newBoard(t, profile.LTEM, worldtest.Route{Hosts: "server.test", To: server}).online()
	s := b.socket(t, TCP)
	if e := connect(s, "server.test", 80); e != 0 {
		t.Fatal(e)
	}
	for range 2 { // the end stays the end
		got, e := recvAll(s)
		if e != 0 || len(got) > 0 && string(got) != "goodbye, all" {
			t.Errorf("%q, %v", got, e)
		}
	}
	if n, e := s.Send([]byte("still here"), s.Deadline()); n != 10 || e != 0 {
		t.Errorf("Send after the end: %d, %v", n, e)
	}
	s.Close()
	if got := <-late; string(got) != "still here" {
		t.Errorf("the server got %q", got)
	}
}

func TestPeerReset(t *testing.T) {
	server := serve(t, nil, func(c net.Conn) {
		io.ReadFull(c, make([]byte, 1))
		c.(*net.TCPConn).SetLinger(0)
	})
	b := newBoard(t, profile.LTEM, worldtest.Route{Hosts: "server.test", To: server}).online()
	s := b.socket(t, TCP)
	if e := connect(s, "server.test", 80); e != 0 {
		t.Fatal(e)
	}
	s.Send([]byte("x"), s.Deadline())
	for range 2 {
		if n, e := s.Recv(make([]byte, 4), s.Deadline()); n != 0 || e != ECONNRESET {
			t.Errorf("Recv: %d, %v", n, e)
		}
	}
	var e Errno
	for i := 0; i < 30000 && e == 0; i++ {
		_, e = s.Send([]byte("y"), s.Deadline())
		time.Sleep(time.Millisecond)
	}
	if e != ECONNRESET {
		t.Errorf("Send: %v", e)
	}
}

func TestSleepAndAirplaneModeDropConnections(t *testing.T) {
	server := serve(t, nil, echo)
	for name, drop := range map[string]func(*board){
		"sleep":    func(b *board) { b.LoseConnections() },
		"airplane": func(b *board) { b.SetAirplane(true); b.SetAirplane(false); b.online() },
		"rejoin":   func(b *board) { b.Rejoin(); b.online() },
	} {
		b := newBoard(t, profile.Cat1, worldtest.Route{Hosts: "server.test", To: server}).online()
		s, idle := b.socket(t, TCP), b.socket(t, TCP)
		if e := connect(s, "server.test", 80); e != 0 {
			t.Fatal(e)
		}
		drop(b)
		if n, e := s.Send([]byte("x"), s.Deadline()); n != 0 || e != ENOTCONN {
			t.Errorf("%s: Send: %d, %v", name, n, e)
		}
		if n, e := s.Recv(make([]byte, 1), s.Deadline()); n != 0 || e != 0 {
			t.Errorf("%s: Recv: %d, %v", name, n, e)
		}
		if e := connect(idle, "server.test", 80); e != 0 {
			t.Errorf("%s: a socket without a connection: %v", name, e)
		}
		if e := connect(s, "server.test", 80); e != 0 {
			t.Errorf("%s: connecting again: %v", name, e)
		}
	}
}

func TestUDP(t *testing.T) {
	var routes []worldtest.Route
	for _, name := range []string{"one.test", "two.test"} {
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
				c.WriteToUDPAddrPort(append([]byte(name+" "), buf[:n]...), from)
			}
		}()
		routes = append(routes, worldtest.Route{Hosts: name, To: c.LocalAddr().(*net.UDPAddr).AddrPort(), Addr: netip.MustParseAddr("203.0.113." + map[string]string{"one.test": "1", "two.test": "2"}[name])})
	}
	b := newBoard(t, profile.LTEM, routes...).online()
	s := b.socket(t, UDP)
	s.SetTimeout(0)
	buf := make([]byte, 100)
	if _, _, e := s.RecvFrom(buf, s.Deadline()); e != EAGAIN {
		t.Errorf("not waiting: %v", e)
	}
	s.SetTimeout(time.Second)
	for _, host := range []string{"one.test", "203.0.113.2", "one.test"} {
		if n, e := s.SendTo([]byte("ping"), host, 7, s.Deadline()); n != 4 || e != 0 {
			t.Fatalf("SendTo %s: %d, %v; %q", host, n, e, b.notes)
		}
		n, from, e := s.RecvFrom(buf, s.Deadline())
		want := "one.test ping"
		if host != "one.test" {
			want = "two.test ping"
			if from.String() != "203.0.113.2:7" {
				t.Errorf("from %s", from)
			}
		}
		if e != 0 || string(buf[:n]) != want {
			t.Errorf("%s: %q from %s, %v", host, buf[:n], from, e)
		}
	}
	if _, _, e := s.RecvFrom(buf, s.Deadline()); e != ETIMEDOUT {
		t.Errorf("waiting: %v", e)
	}
	if n, e := s.SendTo(make([]byte, 513), "one.test", 7, s.Deadline()); n != 0 || e != EMSGSIZE || !b.noted("513 bytes") {
		t.Errorf("a long datagram: %d, %v; %q", n, e, b.notes)
	}
	if _, e := s.Send([]byte("x"), s.Deadline()); e != ENOTCONN {
		t.Errorf("Send before Connect: %v", e)
	}
	if e := connect(s, "203.0.113.2", 7); e != 0 {
		t.Fatal(e)
	}
	s.Send([]byte("hello"), s.Deadline())
	if n, e := s.Recv(buf, s.Deadline()); e != 0 || !bytes.Equal(buf[:n], []byte("two.test hello")) {
		t.Errorf("%q, %v", buf[:n], e)
	}
	for i := range 2 * maxFlows {
		s.SendTo([]byte("x"), "one.test", 1000+i, s.Deadline())
	}
	if len(s.flows) != maxFlows || s.flows[0].host != "203.0.113.2" {
		t.Errorf("%d conversations, the first with %s", len(s.flows), s.flows[0].host)
	}
}

func TestResolve(t *testing.T) {
	b := newBoard(t, profile.LTEM, worldtest.Route{Hosts: "server.test", To: netip.MustParseAddrPort("127.0.0.1:1")})
	d := b.Deadline(b.DialLimit())
	if a, e := b.Resolve("192.0.2.1", d); e != 0 || a[0].String() != "192.0.2.1" {
		t.Errorf("an address before registration: %v, %v", a, e)
	}
	if _, e := b.Resolve("server.test", d); e != ENXIO {
		t.Errorf("a name before registration: %v", e)
	}
	b.online()
	d = b.Deadline(b.DialLimit())
	if a, e := b.Resolve("server.test", d); e != 0 || a[0].String() != "127.0.0.1" {
		t.Errorf("%v, %v", a, e)
	}
	if _, e := b.Resolve("nowhere.test", d); e != ENXIO {
		t.Errorf("no such name: %v", e)
	}
}
