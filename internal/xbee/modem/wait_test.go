package modem

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/world/worldtest"
	"github.com/skep-sim/skep/internal/xbee/profile"
	"github.com/skep-sim/skep/internal/xbee/task"
)

// valve is a connection that lets bytes through when the test says so. As with
// every connection one value of its channel stands for news in both directions.
type valve struct {
	in      []byte
	room    int
	changed chan struct{}
}

func (c *valve) Recv(p []byte) (int, error) {
	n := copy(p, c.in)
	c.in = c.in[n:]
	return n, nil
}

func (c *valve) Send(p []byte) (int, error) {
	n := min(len(p), c.room)
	c.room -= n
	return n, nil
}

func (c *valve) Changed() <-chan struct{} { return c.changed }
func (c *valve) Close() error             { return nil }
func (c *valve) Local() netip.AddrPort    { return netip.AddrPort{} }
func (c *valve) Remote() netip.AddrPort   { return netip.AddrPort{} }

// network leads everywhere to one connection.
type network struct {
	world.Network
	conn world.Conn
}

func (n network) Dial(world.Target, world.Limit) (world.Conn, error) { return n.conn, nil }

// TestTwoWait: one task sends over a socket and another receives, as transparent
// mode does. News for one of them is not lost on the other, whichever is older.
func TestTwoWait(t *testing.T) {
	p, err := profile.Find(string(profile.LTEM), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, olderSends := range []bool{true, false} {
		base := world.NewVirtualClock(world.VirtualStart)
		tasks := task.New(base)
		line := &valve{changed: make(chan struct{}, 1)}
		m := New(Config{
			Profile: &p, Serial: 0x0013A20041A7B5C3,
			World: world.Virtual(1).WithClock(tasks.Clock()).WithNetwork(network{worldtest.Network(nil), line}),
		})
		base.Advance(time.Minute)
		s, e := m.Socket(TCP)
		if e == 0 {
			e = s.Connect("192.0.2.1", 80, s.ConnectDeadline())
		}
		if e != 0 {
			t.Fatal(e)
		}
		var did []string
		send := func() {
			for range 2 {
				if _, e := s.Send([]byte("x"), m.Deadline(time.Minute)); e == 0 {
					did = append(did, "sent")
				}
			}
		}
		receive := func() {
			for range 2 {
				if n, e := s.Recv(make([]byte, 9), m.Deadline(time.Minute)); n > 0 && e == 0 {
					did = append(did, "received")
				}
			}
		}
		jobs := []func(){send, receive}
		if !olderSends {
			slices.Reverse(jobs)
		}
		for _, j := range jobs {
			tasks.Go("job", j)
		}
		turns := func() {
			for range 4 {
				tasks.Clock().Sleep(0)
			}
		}
		turns()
		for range 2 {
			line.in = []byte("y")
			line.changed <- struct{}{}
			turns()
			line.room++
			line.changed <- struct{}{}
			turns()
		}
		if want := []string{"received", "sent", "received", "sent"}; !slices.Equal(did, want) {
			t.Errorf("the older one sends: %v: %v, want %v", olderSends, did, want)
		}
		tasks.Stop()
	}
}
