package uart

import (
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/task"
)

// line is a stream whose other end takes so many bytes.
type line struct {
	room    int
	in, out []byte
	changed chan struct{}
	end     error
	host    world.LineSettings
}

func (l *line) Recv(p []byte) (int, error) {
	n := copy(p, l.in)
	if l.in = l.in[n:]; n == 0 {
		return 0, l.end
	}
	return n, nil
}

func (l *line) Send(p []byte) (int, error) {
	n := min(len(p), l.room)
	l.out, l.room = append(l.out, p[:n]...), l.room-n
	return n, nil
}

func (l *line) take(n int) {
	l.room += n
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

func (l *line) Changed() <-chan struct{} { return l.changed }
func (l *line) Close() error             { return nil }
func (l *line) Break() bool              { return false }

func (l *line) Settings() (world.LineSettings, bool) { return l.host, l.host.Baud != 0 }

// hasty is a virtual clock on which every wait in vain is over at once.
type hasty struct{ *world.VirtualClock }

func (c hasty) Wait(d time.Duration, events ...<-chan struct{}) int { return c.Sleep(d, events...) }

func open(room int) (*UART, *line, *task.Scheduler) {
	t := task.New(hasty{world.NewVirtualClock(world.VirtualStart)})
	l := &line{room: room, changed: make(chan struct{}, 1)}
	return New(l, t), l, t
}

// TestSendersTakeTurns: what two tasks send while the host is slow is not mixed.
func TestSendersTakeTurns(t *testing.T) {
	u, l, tasks := open(3)
	tasks.Go("sender", func() { u.Send([]byte("bbbbbbbb")) })
	tasks.Go("host", func() {
		for range 8 {
			tasks.Clock().Sleep(time.Second)
			l.take(3)
		}
	})
	tasks.Go("listener", func() {
		for {
			u.Wait(world.Forever)
		}
	})
	u.Send([]byte("aaaaaaaa"))
	tasks.Clock().Sleep(20 * time.Second)
	if got := string(l.out); got != "bbbbbbbbaaaaaaaa" && got != "aaaaaaaabbbbbbbb" {
		t.Errorf("sent %q", got)
	}
	tasks.Stop()
}

// TestNobodyReads: without flow control the module goes on, and is heard again
// when somebody reads; with it, it waits.
func TestNobodyReads(t *testing.T) {
	u, l, tasks := open(2)
	c := tasks.Clock()
	u.Send([]byte("lost"))
	if d := world.Uptime(c); d != patience {
		t.Errorf("waited for %v", d)
	}
	u.Send([]byte("too"))
	if d := world.Uptime(c); d != patience {
		t.Errorf("waited again, until %v", d)
	}
	l.take(10)
	u.Send([]byte("heard"))
	if got := string(l.out); got != "loheard" {
		t.Errorf("sent %q", got)
	}
	u.Configure(Settings{RTS: true})
	tasks.Go("host", func() {
		c.Sleep(time.Minute)
		l.take(100)
	})
	u.Send([]byte(strings.Repeat("x", 50)))
	if got := string(l.out); len(got) != 57 {
		t.Errorf("sent %q", got)
	}
	tasks.Stop()
}

func TestReceive(t *testing.T) {
	u, l, _ := open(0)
	l.in = []byte("abcdef")
	n := 0
	u.SetLossy(func() bool { n++; return n%2 == 0 })
	buf := make([]byte, 10)
	if got := string(buf[:u.Receive(buf)]); got != "ace" || u.Ended() {
		t.Errorf("received %q", got)
	}
	l.end = &world.Failure{Kind: world.FailClosed}
	if u.Receive(buf) != 0 || !u.Ended() {
		t.Error("the line has not ended")
	}
}

func TestSettings(t *testing.T) {
	for bd, want := range map[uint64]int{1: 2400, 3: 9600, 7: 115200, 10: 921600, 31250: 31250} {
		if got := Rate(bd); got != want {
			t.Errorf("ATBD%X is %d baud, want %d", bd, got, want)
		}
	}
	s := Factory()
	if got := s.CharTime(); got != time.Second/960 {
		t.Errorf("a character takes %v", got)
	}
	s.Parity, s.StopBits = 'E', 2
	if got := s.CharTime(); got != 12*time.Second/9600 {
		t.Errorf("a character takes %v", got)
	}
	u, l, _ := open(0)
	if u.Mismatch() != "" {
		t.Error(u.Mismatch())
	}
	l.host = Factory().LineSettings
	if u.Mismatch() != "" {
		t.Error(u.Mismatch())
	}
	l.host.Baud = 115200
	if text := u.Mismatch(); !strings.Contains(text, "115200 8N1") || !strings.Contains(text, "9600 8N1") {
		t.Error(text)
	}
}
