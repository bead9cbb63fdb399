package hostport

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/world"
)

// echoing is a line whose module sends back what it gets, in upper case.
func echoing(t *testing.T) *Line {
	t.Helper()
	l := New()
	done := make(chan struct{})
	go func() {
		defer close(done)
		clock := world.RealClock()
		buf := make([]byte, 1000)
		for {
			n, err := l.Recv(buf)
			if err != nil {
				return
			}
			if n == 0 {
				clock.Wait(world.Forever, l.Changed())
				continue
			}
			for i, c := range buf[:n] {
				if 'a' <= c && c <= 'z' {
					buf[i] = c - 'a' + 'A'
				}
			}
			world.SendWait(clock, l, buf[:n], world.Limit{})
		}
	}()
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		l.nudge()
		<-done
	})
	return l
}

// exchange sends something and wants an answer.
func exchange(t *testing.T, c io.ReadWriter, sent, want string) {
	t.Helper()
	if d, ok := c.(interface{ SetDeadline(time.Time) error }); ok {
		d.SetDeadline(time.Now().Add(10 * time.Second))
	}
	if _, err := io.WriteString(c, sent); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("answer to %q: %q, %v; want %q", sent, got[:n], err, want)
	}
}

// within waits for something to become true.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for begin := time.Now(); !ok(); time.Sleep(time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("%s does not come about", what)
		}
	}
}

func TestTCP(t *testing.T) {
	l := echoing(t)
	said := make(chan string, 1)
	addr, err := l.Listen("127.0.0.1:0", false, func(text string) { said <- text })
	if err != nil {
		t.Fatal(err)
	}
	if n, err := l.Send([]byte("nobody hears this")); n != 17 || err != nil {
		t.Errorf("Send with nobody there: %d, %v", n, err)
	}
	for range 3 { // one after the other
		c, err := net.Dial("tcp", addr.String())
		if err != nil {
			t.Fatal(err)
		}
		exchange(t, c, "hello \xff", "HELLO \xff")
		second, err := net.Dial("tcp", addr.String())
		if err != nil {
			t.Fatal(err)
		}
		second.SetDeadline(time.Now().Add(10 * time.Second))
		if n, err := second.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("a second client reads %d, %v", n, err)
		}
		<-said
		second.Close()
		c.Close()
		within(t, "the line's being free", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.ends) == 0 })
		time.Sleep(5 * time.Millisecond)
	}
}

// TestBackpressure: who does not read holds the other side up, and nothing is
// lost, either way.
func TestBackpressure(t *testing.T) {
	l := New()
	defer l.Close()
	addr, err := l.Listen("127.0.0.1:0", false, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const size = 16 << 20
	go c.Write(make([]byte, size))
	within(t, "a full queue", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.in) == queueLimit })
	got, sent, full := 0, 0, false
	buf := make([]byte, 10000)
	for !full {
		n, err := l.Send(buf)
		if err != nil {
			t.Fatal(err)
		}
		sent, full = sent+n, n == 0
	}
	clock := world.RealClock()
	for got < size {
		n, err := l.Recv(buf)
		if err != nil {
			t.Fatal(err)
		}
		if got += n; n == 0 && clock.Wait(10*time.Second, l.Changed()) < 0 {
			t.Fatalf("%d of %d bytes have arrived", got, size)
		}
	}
	if n, err := io.ReadFull(c, make([]byte, sent)); err != nil {
		t.Errorf("%d of %d bytes have arrived: %v", n, sent, err)
	}
}

// TestRFC2217 plays a client of that protocol byte by byte.
func TestRFC2217(t *testing.T) {
	l := echoing(t)
	addr, err := l.Listen("127.0.0.1:0", true, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	// what the server offers and asks for
	exchange(t, c, "", "\xff\xfb\x00\xff\xfd\x00\xff\xfb\x03\xff\xfd\x03\xff\xfb\x2c\xff\xfd\x2c")
	for _, tt := range []struct{ sent, want string }{
		{"\xff\xfb\x2c\xff\xfd\x2c\xff\xfd\x00", "\xff\xfa\x2c\x6b\xb0\xff\xf0"}, // it is what was asked for; the modem state
		{"\xff\xfd\x01\xff\xfb\x18", "\xff\xfc\x01\xff\xfe\x18"},
		{"\xff\xfa\x2c\x01\x00\x01\xc2\x00\xff\xf0", "\xff\xfa\x2c\x65\x00\x01\xc2\x00\xff\xf0"}, // 115200
		{"\xff\xfa\x2c\x01\x00\x00\xff\xff\xff\xff\xff\xf0", "\xff\xfa\x2c\x65\x00\x00\xff\xff\xff\xff\xff\xf0"},
		{"\xff\xfa\x2c\x01\x00\x00\x00\x00\xff\xf0", "\xff\xfa\x2c\x65\x00\x00\xff\xff\xff\xff\xff\xf0"}, // what is it?
		{"\xff\xfa\x2c\x02\x08\xff\xf0", "\xff\xfa\x2c\x66\x08\xff\xf0"},
		{"\xff\xfa\x2c\x03\x03\xff\xf0", "\xff\xfa\x2c\x67\x03\xff\xf0"},
		{"\xff\xfa\x2c\x04\x02\xff\xf0", "\xff\xfa\x2c\x68\x02\xff\xf0"},
		{"\xff\xfa\x2c\x07\xff\xf0", "\xff\xfa\x2c\x6b\xb0\xff\xf0"}, // modem state
		{"\xff\xfa\x2c\x0b\xff\xff\xff\xf0", "\xff\xfa\x2c\x6f\xff\xff\xff\xf0\xff\xfa\x2c\x6b\xb0\xff\xf0"},
		{"\xff\xfa\x2c\x05\x05\xff\xf0", "\xff\xfa\x2c\x69\x05\xff\xf0"}, // break
		{"a\xff\xffb", "A\xff\xffB"},
	} {
		exchange(t, c, tt.sent, tt.want)
	}
	if s, ok := l.Settings(); !ok || s != (world.LineSettings{Baud: 65535, Parity: 'E', StopBits: 2}) || !l.Break() {
		t.Errorf("settings %+v, %v, break %v", s, ok, l.Break())
	}
	exchange(t, c, "\xff\xfa\x2c\x05\x06\xff\xf0", "\xff\xfa\x2c\x69\x06\xff\xf0")
	if l.Break() {
		t.Error("the break goes on")
	}
	exchange(t, c, "\xff\xfa\x2c\x05\x05\xff\xf0", "\xff\xfa\x2c\x69\x05\xff\xf0")
	c.Close()
	within(t, "the end of a break whose client is gone", func() bool { return !l.Break() })
}

// FuzzTelnet takes any bytes from a client.
func FuzzTelnet(f *testing.F) {
	f.Add([]byte("\xff\xfa\x2c\x01\x00\x01\xc2\x00\xff\xf0abc\xff\xff\xff\xfd\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		l := New()
		defer l.Close()
		serveTelnet(l, struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(b), io.Discard})
		if l.Break() || len(l.in) > len(b) {
			t.Errorf("break %v, %d bytes of %d", l.Break(), len(l.in), len(b))
		}
	})
}
