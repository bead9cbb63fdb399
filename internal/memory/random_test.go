package memory

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// pair runs the same operations on a Heap and on the model.
type pair struct {
	h    *Heap
	m    *model
	live []uint32 // addresses held by "the program", which are the roots
	fin  []uint32 // finalised by h
}

func newPair(cfg Config) *pair {
	h := New(cfg)
	h.marker.stack = h.marker.stack[:2] // overflows at once
	start, end := h.Pool()
	p := &pair{h: h, m: newModel(int(end-start)/16, start, cfg.Finalisers)}
	h.SetRoots(func(mark *Marker) {
		mark.Words(p.live)
	})
	h.SetFinaliser(func(addr uint32) {
		if !h.Locked() || h.Alloc(1) != 0 || h.Size(addr) == 0 {
			panic("finaliser called with the heap unlocked, or too late")
		}
		p.fin = append(p.fin, addr)
	})
	return p
}

// step does what op and arg say and returns how the two differ.
func (p *pair) step(op byte, arg uint32) error {
	pick := func() (int, uint32) {
		if len(p.live) == 0 {
			return -1, 0
		}
		i := int(arg>>16) % len(p.live)
		return i, p.live[i]
	}
	drop := func(i int) {
		if i >= 0 {
			p.live = slices.Delete(p.live, i, i+1)
		}
	}
	p.m.roots = p.live
	var got, want uint32
	switch op % 32 {
	default: // small allocation
		n := arg % 140
		got, want = p.h.Alloc(n), p.m.alloc(n, false)
		p.hold(got, arg)
	case 1, 2:
		n := arg % 60
		got, want = p.h.AllocFinal(n), p.m.alloc(n, true)
		p.hold(got, arg)
	case 3:
		n := arg % 5000
		got, want = p.h.Alloc(n), p.m.alloc(n, false)
		p.hold(got, arg)
	case 4, 5, 6, 7, 8, 9, 10, 11:
		i, a := pick()
		p.h.Free(a)
		p.m.free(a)
		if !p.h.Locked() {
			drop(i)
		}
	case 12, 13, 14, 15, 16, 17:
		i, a := pick()
		n := arg % 150
		if op&1 != 0 {
			n = arg % 1500
		}
		move := arg&0x8000 != 0
		got, want = p.h.Realloc(a, n, move), p.m.realloc(a, n, move)
		switch {
		case a == 0 && got != 0:
			p.live = append(p.live, got)
		case i >= 0 && got != 0:
			p.live[i] = got
		case n == 0 && !p.h.Locked():
			drop(i)
		}
	case 18: // forget: only a collection can free it
		i, _ := pick()
		drop(i)
	case 19, 20: // one object points to another
		_, a := pick()
		if a != 0 {
			b := p.live[int(arg%65536)%len(p.live)]
			p.store(a, arg%4, b)
		}
	case 21: // an inner pointer, or garbage
		_, a := pick()
		if a != 0 {
			p.store(a, arg%4, arg%8*8+a)
		}
	case 22:
		if arg%8 == 0 {
			got, want = uint32(p.h.Collect()), uint32(p.m.collect())
		}
	case 23:
		if arg%4 == 0 {
			p.h.Enable(arg&64 == 0)
			p.m.autoOff = arg&64 != 0
		}
	case 24:
		n := int(arg%4096) - 1024
		p.h.SetThreshold(n)
		p.m.threshold = n / 16
		if n < 0 {
			p.m.threshold = -1
		}
	case 25:
		if p.h.Locked() {
			p.h.Unlock()
			p.m.lock--
		} else if arg%8 == 0 {
			p.h.Lock()
			p.m.lock++
		}
	case 26:
		_, a := pick()
		a += arg % 3 * 8
		got, want = p.h.Size(a), p.m.size(a)
	case 27:
		if arg%64 == 0 {
			p.live = p.live[:0]
			got, want = uint32(p.h.SweepAll()), uint32(p.m.sweep())
		}
	case 28:
		s := p.h.Snapshot()
		p.h.Alloc(arg % 5000)
		p.h.SweepAll()
		p.fin = p.fin[:len(p.m.finalised)]
		if err := p.h.Restore(s); err != nil {
			return err
		}
	}
	if got != want {
		return fmt.Errorf("got %#x, want %#x", got, want)
	}
	if !slices.Equal(p.fin, p.m.finalised) {
		return fmt.Errorf("finalised %#x, want %#x", p.fin, p.m.finalised)
	}
	return nil
}

// hold keeps most new addresses and fills the first word, lest all be zero.
func (p *pair) hold(a, arg uint32) {
	if a == 0 {
		return
	}
	p.store(a, 0, arg|1)
	if arg%16 != 0 {
		p.live = append(p.live, a)
	}
}

func (p *pair) store(a, i, v uint32) {
	p.h.Words()[a/4+i] = v
	p.m.word[(a-p.m.pool)/4+i] = v
}

// TestAgainstModel runs random programs on heaps of several sizes.
func TestAgainstModel(t *testing.T) {
	for _, c := range []struct {
		cfg   Config
		steps int
	}{
		{Config{HeapBytes: 66, Finalisers: true}, 2000},
		{Config{HeapBytes: 1048, Finalisers: true}, 20000}, // 64 blocks: planes end on a word
		{Config{HeapBytes: 2100, Finalisers: true}, 20000}, // 128 blocks
		{Config{HeapBytes: 1200}, 20000},
		{Config{HeapBytes: 5000, StackBytes: 100, FlashBytes: 1000, Finalisers: true}, 40000},
		{Config{HeapBytes: 32768, StackBytes: 3584, Finalisers: true}, 60000},
	} {
		for seed := range uint64(4) {
			rng := rand.New(rand.NewPCG(seed, uint64(c.cfg.HeapBytes)))
			p := newPair(c.cfg)
			for i := range c.steps / 4 {
				op, arg := byte(rng.Uint32()), rng.Uint32()
				err := p.step(op, arg)
				if err == nil && i%50 == 0 {
					err = p.m.compare(p.h)
				}
				if err != nil {
					t.Fatalf("%+v seed %d step %d: op %d, arg %#x: %v", c.cfg, seed, i, op%32, arg, err)
				}
			}
		}
	}
}

// FuzzHeap reads the program from bytes: an operation and its argument, five bytes each.
func FuzzHeap(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 8 {
		seed := make([]byte, 1000)
		for i := range seed {
			seed[i] = byte(rng.Uint32())
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 20000 {
			return
		}
		p := newPair(Config{HeapBytes: 2500, Finalisers: true})
		for ; len(data) >= 5; data = data[5:] {
			arg := uint32(data[1]) | uint32(data[2])<<8 | uint32(data[3])<<16 | uint32(data[4])<<24
			if err := p.step(data[0], arg); err != nil {
				t.Fatalf("op %d, arg %#x: %v", data[0]%32, arg, err)
			}
		}
		if err := p.m.compare(p.h); err != nil {
			t.Fatal(err)
		}
	})
}
