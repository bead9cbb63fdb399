package record

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/world"
)

// life is what a device might ask of its world.
func life(w world.World) (seen string) {
	var b strings.Builder
	clock := w.Clock()
	var r [4]byte
	io.ReadFull(w.Entropy(), r[:])
	b.Write(r[:])
	b.WriteString(clock.Now().String())
	for range 3 {
		clock.Sleep(time.Millisecond, w.Serial().Changed())
		var p [8]byte
		n, err := w.Serial().Recv(p[:])
		b.Write(p[:n])
		if err != nil {
			b.WriteString(err.Error())
		}
		w.Serial().Send(append(r[:], p[:n]...))
		b.WriteString(time.Duration(clock.Ticks()).String())
	}
	_, err := w.Network().Dial(world.Target{Host: "example.com", Port: 80}, world.Limit{})
	b.WriteString(err.Error())
	b.WriteString(w.Power().Supply().String())
	if g := w.Gate(); g != nil {
		g.Mark("lived", "on")
		g.Check("figure", true, func() uint64 { return 7 })
		g.End()
	}
	return b.String()
}

// lived records a life.
func lived(t *testing.T, w world.World) (file []byte, seen string) {
	t.Helper()
	var to, sent bytes.Buffer
	w = w.WithSerial(world.Console(strings.NewReader("hello"), &sent)).WithPower(world.USB)
	r, err := New(w, &to, []byte("setup"), []byte("image"))
	if err != nil {
		t.Fatal(err)
	}
	seen = life(r.World())
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	return to.Bytes(), seen
}

func TestPlay(t *testing.T) {
	for name, w := range map[string]world.World{"virtual": world.Virtual(1), "real": world.Real().WithNetwork(world.NoNetwork())} {
		t.Run(name, func(t *testing.T) {
			file, seen := lived(t, w)
			l, err := Read(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			if !l.Whole || l.Cut != nil || string(l.Setup) != "setup" || string(l.Image) != "image" {
				t.Errorf("whole %v, cut %v, setup %q, image %q", l.Whole, l.Cut, l.Setup, l.Image)
			}
			p := Play(l, nil)
			if again := life(p.World()); again != seen {
				t.Errorf("replayed %q, recorded %q", again, seen)
			}
			if !p.Ended() || p.Position() != l.Reach() {
				t.Errorf("ended %v at call %d of %d", p.Ended(), p.Position(), l.Reach())
			}
		})
	}
}

// stopped runs f and returns what a replay in it stopped with.
func stopped(f func()) (err error) {
	defer func() { err, _ = recover().(error) }()
	f()
	return nil
}

func TestDivergence(t *testing.T) {
	file, _ := lived(t, world.Virtual(1))
	l, err := Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]func(w world.World){
		"another answer": func(w world.World) { w.Serial().Send([]byte("x")) },
		"another call":   func(w world.World) { w.Entropy().Read(make([]byte, 3)) },
		"less":           func(w world.World) { w.Gate().End() },
	} {
		err := stopped(func() { other(Play(l, nil).World()) })
		var d *Divergence
		if !errors.As(err, &d) || d.Call == 0 || d.Text == "" {
			t.Errorf("%s: stopped with %v", name, err)
		}
	}
}

// TestCut cuts a recording everywhere: it is read as far as it goes, and a replay
// ends there.
func TestCut(t *testing.T) {
	file, _ := lived(t, world.Virtual(1))
	for n := range file {
		l, err := Read(bytes.NewReader(file[:n]))
		if err != nil {
			var f *FormatError
			if !errors.As(err, &f) {
				t.Fatalf("%d bytes: %v", n, err)
			}
			continue
		}
		err = stopped(func() { life(Play(l, nil).World()) })
		var end *End
		if l.Whole || !errors.As(err, &end) {
			t.Fatalf("%d bytes: whole %v, stopped with %v", n, l.Whole, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	var to bytes.Buffer
	r, err := New(world.Virtual(1).WithSerial(world.Console(strings.NewReader("hello"), io.Discard)), &to, nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	life(r.World())
	f.Add(to.Bytes())
	f.Add(to.Bytes()[:to.Len()-5])
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		err = stopped(func() { life(Play(l, nil).World()) })
		var end *End
		var d *Divergence
		if err != nil && !errors.As(err, &end) && !errors.As(err, &d) {
			t.Fatal(err)
		}
		var again bytes.Buffer
		if err := l.Write(&again); err != nil {
			t.Fatal(err)
		}
		if m, err := Read(&again); err != nil || m.Reach() != l.Reach() {
			t.Fatalf("written and read again: %v", err)
		}
	})
}

// FuzzEntries has entries of all kinds come where they do not belong.
func FuzzEntries(f *testing.F) {
	for _, w := range []world.World{world.Virtual(1), world.Real().WithNetwork(world.NoNetwork())} {
		r, err := New(w.WithSerial(world.Console(strings.NewReader("hello"), io.Discard)), nil, nil, nil)
		if err != nil {
			f.Fatal(err)
		}
		life(r.World())
		l := r.Log()
		if !l.Whole || l.Reach() != r.Position() {
			f.Fatalf("in memory: whole %v, %d of %d calls", l.Whole, l.Reach(), r.Position())
		}
		f.Add(l.entries, l.Virtual)
	}
	f.Fuzz(func(t *testing.T, b []byte, virtual bool) {
		l := &Log{Head: Head{Virtual: virtual, Start: world.VirtualStart}, entries: b}
		l.measure()
		err := stopped(func() { life(Play(l, nil).World()) })
		var end *End
		var d *Divergence
		if err != nil && !errors.As(err, &end) && !errors.As(err, &d) {
			t.Fatal(err)
		}
	})
}
