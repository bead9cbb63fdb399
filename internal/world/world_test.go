package world

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestVirtualRunsAreEqual(t *testing.T) {
	run := func(seed uint64) (string, []byte) {
		w := Virtual(seed)
		c := w.Clock()
		c.Sleep(30*24*time.Hour, nil)
		c.Ticks()
		b := make([]byte, 64)
		if _, err := io.ReadFull(w.Entropy(), b); err != nil {
			t.Fatal(err)
		}
		return c.Now().Format(time.RFC3339Nano), b
	}
	t1, b1 := run(7)
	t2, b2 := run(7)
	if t1 != t2 || !bytes.Equal(b1, b2) {
		t.Errorf("two runs with one seed differ: %s %x, %s %x", t1, b1, t2, b2)
	}
	if want := "2019-11-23T00:00:00.00001Z"; t1 != want {
		t.Errorf("time after sleeping 30 days = %s, want %s", t1, want)
	}
	if _, b3 := run(8); bytes.Equal(b1, b3) {
		t.Error("two seeds give the same bytes")
	}
}

func TestVirtualClockPolling(t *testing.T) {
	c := NewVirtualClock(VirtualStart)
	for begin, n := c.Ticks(), 0; c.Ticks()-begin < 1e6; n++ {
		if n > 1e6 {
			t.Fatal("a program that polls the time for a second does not end")
		}
	}
}

func TestSleepIsInterrupted(t *testing.T) {
	for name, c := range map[string]Clock{"real": RealClock(), "virtual": NewVirtualClock(VirtualStart)} {
		stop := make(chan struct{}, 1)
		stop <- struct{}{}
		before := c.Now()
		if c.Sleep(time.Hour, nil, stop) != 1 {
			t.Errorf("%s: Sleep was not cut short", name)
		}
		if d := c.Now().Sub(before); d > time.Minute {
			t.Errorf("%s: interrupted sleep took %v", name, d)
		}
		if c.Sleep(0, nil) != -1 {
			t.Errorf("%s: a sleep of no time was cut short", name)
		}
	}
}

func TestWait(t *testing.T) {
	c := NewVirtualClock(VirtualStart)
	never, now := make(chan struct{}), make(chan struct{})
	close(now)
	if got := c.Wait(Forever, never, now); got != 1 {
		t.Errorf("Wait = %d, want 1", got)
	}
	if got := c.Now(); !got.Equal(VirtualStart) {
		t.Errorf("waiting for an event took virtual time: %v", got)
	}
	late := make(chan struct{}, 1)
	time.AfterFunc(time.Millisecond, func() { late <- struct{}{} })
	if got := c.Wait(Forever, never, nil, never, late); got != 3 {
		t.Errorf("Wait = %d, want 3", got)
	}
	if got := RealClock().Wait(time.Millisecond, never, nil, never, late); got != -1 {
		t.Errorf("Wait = %d, want -1", got)
	}
	if got := c.Wait(time.Millisecond, never, nil); got != -1 {
		t.Errorf("Wait = %d, want -1", got)
	}
	if got := c.Now().Sub(VirtualStart); got != time.Millisecond {
		t.Errorf("a wait in vain took %v, want 1ms", got)
	}
}

// recvWait is s.Recv, waiting for the first bytes within l.
func recvWait(c Clock, s Stream, p []byte, l Limit) (int, error) {
	return pollWait(c, s, l, func() (int, error) { return s.Recv(p) })
}

func TestConsole(t *testing.T) {
	var out strings.Builder
	c := RealClock()
	s := Console(strings.NewReader("hello"), &out)
	var got []byte
	for {
		b := make([]byte, 2)
		n, err := recvWait(c, s, b, Limit{Timeout: 5 * time.Second})
		got = append(got, b[:n]...)
		if err != nil {
			if err != io.EOF {
				t.Fatal(err)
			}
			break
		}
	}
	s.Send([]byte("world"))
	if string(got) != "hello" || out.String() != "world" {
		t.Errorf("got %q, wrote %q", got, out.String())
	}
}

func TestRecvLimits(t *testing.T) {
	for name, c := range map[string]Clock{"real": RealClock(), "virtual": NewVirtualClock(VirtualStart)} {
		s := NoSerial()
		if _, err := recvWait(c, s, make([]byte, 1), Limit{Timeout: 10 * time.Millisecond}); KindOf(err) != FailTimeout {
			t.Errorf("%s: %v, want a timeout", name, err)
		}
		stop := make(chan struct{}, 1)
		stop <- struct{}{}
		if _, err := recvWait(c, s, make([]byte, 1), Limit{Interrupt: stop}); KindOf(err) != FailInterrupted {
			t.Errorf("%s: %v, want an interrupt", name, err)
		}
	}
}

func TestHostTCP(t *testing.T) {
	t.Run("virtual", func(t *testing.T) { testHostTCP(t, NewVirtualClock(VirtualStart)) })
	t.Run("real", func(t *testing.T) { testHostTCP(t, RealClock()) })
}

func testHostTCP(t *testing.T, clock Clock) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		c, err := l.Accept()
		if err == nil {
			io.Copy(c, c)
			c.Close()
		}
	}()
	at := netip.MustParseAddrPort(l.Addr().String())
	n := HostNetwork(clock)
	c, err := n.Dial(Target{Host: at.Addr().String(), Port: at.Port()}, Limit{Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if c.Remote() != at {
		t.Errorf("Remote = %v, want %v", c.Remote(), at)
	}
	if _, err := SendWait(clock, c, []byte("ping"), Limit{Timeout: 5 * time.Second}); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	if k, err := recvWait(clock, c, b, Limit{Timeout: 5 * time.Second}); err != nil || string(b[:k]) != "ping" {
		t.Errorf("echo = %q, %v", b[:k], err)
	}
	c.Close()
	if _, err := c.Recv(b); KindOf(err) != FailClosed {
		t.Errorf("Recv after Close = %v", err)
	}
	l.Close()
	if _, err := n.Dial(Target{Host: at.Addr().String(), Port: at.Port()}, Limit{Timeout: 5 * time.Second}); KindOf(err) != FailRefused {
		t.Errorf("Dial of a closed port = %v, want refused", err)
	}
}

func TestHostUDPKeepsDatagrams(t *testing.T) {
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		b := make([]byte, 100)
		_, from, err := l.ReadFrom(b)
		if err == nil {
			l.WriteTo([]byte("first"), from)
			l.WriteTo([]byte("second"), from)
		}
	}()
	at := netip.MustParseAddrPort(l.LocalAddr().String())
	clock := RealClock()
	c, err := HostNetwork(clock).Dial(Target{Proto: UDP, Host: at.Addr().String(), Port: at.Port()}, Limit{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Send([]byte("go"))
	b := make([]byte, 3)
	for _, want := range []string{"fir", "sec"} {
		n, err := recvWait(clock, c, b, Limit{Timeout: 5 * time.Second})
		if err != nil || string(b[:n]) != want {
			t.Errorf("datagram = %q, %v, want %q", b[:n], err, want)
		}
	}
}

func TestHostTLS(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "secret") }))
	srv.Config.ErrorLog = nil
	defer srv.Close()
	at := netip.MustParseAddrPort(srv.Listener.Addr().String())
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	var clock Clock = RealClock()
	dial := func(clock Clock, s *TLS) (Conn, error) {
		return HostNetwork(clock).Dial(Target{Host: at.Addr().String(), Port: at.Port(), TLS: s}, Limit{Timeout: 5 * time.Second})
	}
	c, err := dial(clock, &TLS{Roots: root, MaxVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	SendWait(clock, c, []byte("GET / HTTP/1.0\r\n\r\n"), Limit{})
	var got []byte
	for {
		b := make([]byte, 512)
		n, err := recvWait(clock, c, b, Limit{Timeout: 5 * time.Second})
		got = append(got, b[:n]...)
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.HasSuffix(got, []byte("secret")) {
		t.Errorf("answer = %q", got)
	}
	for name, s := range map[string]*TLS{
		"no PEM":      {Roots: []byte("junk")},
		"bad own key": {Roots: root, Certificate: root, Key: []byte("junk")},
	} {
		if _, err := dial(clock, s); KindOf(err) != FailTLS {
			t.Errorf("%s: %v, want a TLS failure", name, err)
		}
	}
	early := NewVirtualClock(time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC))
	if _, err := dial(early, &TLS{Roots: root}); KindOf(err) != FailTLS {
		t.Errorf("before the certificate is valid: %v, want a TLS failure", err)
	}
}

func TestDialIsInterrupted(t *testing.T) {
	// A listener that never accepts a TLS handshake.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	at := netip.MustParseAddrPort(l.Addr().String())
	target := Target{Host: at.Addr().String(), Port: at.Port(), TLS: &TLS{}}
	n := HostNetwork(RealClock())
	if _, err := n.Dial(target, Limit{Timeout: 20 * time.Millisecond}); KindOf(err) != FailTimeout {
		t.Errorf("%v, want a timeout", err)
	}
	stop := make(chan struct{})
	close(stop)
	if _, err := n.Dial(target, Limit{Interrupt: stop}); KindOf(err) != FailInterrupted {
		t.Errorf("%v, want an interrupt", err)
	}
}

func TestParseSupply(t *testing.T) {
	for _, s := range []Supply{Wall, USB} {
		if got, err := ParseSupply(s.String()); err != nil || got != s {
			t.Errorf("ParseSupply(%q) = %v, %v", s, got, err)
		}
	}
	if _, err := ParseSupply("battery"); err == nil {
		t.Error("ParseSupply(battery) succeeded")
	}
}
