package memory

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestMarkOverflow builds graphs that need a deep mark stack: wide, deep, and
// random with cycles. Nothing reachable may go, nothing else may stay.
func TestMarkOverflow(t *testing.T) {
	for _, depth := range []int{0, 1, 2, 7, 250} {
		h := New(Config{HeapBytes: 32768, Finalisers: true})
		h.marker.stack = h.marker.stack[:depth]
		words := h.Words()

		// a list of 200 lists of 5 chained objects each
		root := h.Alloc(800)
		h.SetRoots(func(m *Marker) { m.Word(root) })
		for i := range uint32(200) {
			prev := root + i*4
			for range 5 {
				p := h.Alloc(16)
				words[prev/4] = p
				prev = p + 12
			}
			words[prev/4] = root
		}
		for h.Alloc(16) != 0 && h.NumCollections() == 0 {
		}
		if got, want := h.MemAlloc(), uint32(800+200*5*16+16); got != want {
			t.Errorf("mark stack of %d: %d bytes left, want %d", depth, got, want)
		}
		if freed := h.Collect(); freed != 1 {
			t.Errorf("mark stack of %d: freed %d more, want 1", depth, freed)
		}
		if err := h.Check(); err != nil {
			t.Error(err)
		}
	}
}

// TestNumbersAreNoAddresses: neither a count that is possible with the module's
// memory nor two letters keep a block.
func TestNumbersAreNoAddresses(t *testing.T) {
	h := New(Config{HeapBytes: 32768, StackBytes: 3584, Finalisers: true})
	h.SetRoots(func(m *Marker) {
		for v := range uint32(32768) {
			m.Word(v)
		}
	})
	n := 0
	for h.Alloc(16) != 0 && h.NumCollections() == 0 {
		n++
	}
	if h.Collect(); n < 2000 || h.MemAlloc() != 0 {
		t.Errorf("of %d blocks that nothing refers to %d bytes are left", n, h.MemAlloc())
	}
}

// TestRoots: what counts as a reference, and what does not.
func TestRoots(t *testing.T) {
	h := New(Config{HeapBytes: 32768, StackBytes: 1024})
	start, end := h.Pool()
	stack, stackEnd := h.Stack()
	if stackEnd > start || stackEnd-stack != 1024 {
		t.Fatalf("stack [%#x,%#x)", stack, stackEnd)
	}
	p := h.Alloc(40)
	for _, c := range []struct {
		word uint32
		kept bool
	}{
		{p, true},
		{p + 16, false}, // a tail
		{p + 4, false},
		{p + 1, false},
		{0, false},
		{start - 16, false},
		{start + 48, false}, // a free block
		{end - 16, false},
		{end, false},
		{end + p, false},
		{0xfffffff0, false},
	} {
		s := h.Snapshot()
		h.Words()[stack/4+3] = c.word
		h.SetRoots(func(m *Marker) { m.Range(stack, (stackEnd-stack)/4) })
		h.Collect()
		if kept := h.Size(p) == 48; kept != c.kept {
			t.Errorf("word %#x on the stack: kept %v, want %v", c.word, kept, c.kept)
		}
		if err := h.Restore(s); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFinalisers(t *testing.T) {
	h := New(Config{HeapBytes: 32768, Finalisers: true})
	var called []uint32
	h.SetFinaliser(func(addr uint32) {
		if h.Words()[addr/4] != addr || !h.Locked() || h.Collect() != 0 || h.SweepAll() != 0 {
			t.Errorf("finaliser of %#x: content gone or heap not locked", addr)
		}
		h.Free(addr) // locked: nothing
		called = append(called, addr)
	})
	var all [5]uint32
	for i := range all {
		all[i] = h.AllocFinal(20)
		h.Words()[all[i]/4] = all[i]
	}
	h.Alloc(16)
	h.SetRoots(func(m *Marker) { m.Word(all[2]) })
	h.Free(all[0]) // freeing does not finalise
	if freed := h.Collect(); freed != 4 {
		t.Errorf("freed %d, want 4", freed)
	}
	if want := []uint32{all[1], all[3], all[4]}; !slices.Equal(called, want) {
		t.Errorf("finalised %#x, want %#x", called, want)
	}
	called = nil
	h.Collect()
	if freed := h.SweepAll(); freed != 1 || len(called) != 1 || called[0] != all[2] || h.MemAlloc() != 0 {
		t.Errorf("SweepAll freed %d, finalised %#x, %d bytes left", freed, called, h.MemAlloc())
	}
	// blocks handed out again have no finaliser
	if p := h.Alloc(20); p != all[0] {
		t.Errorf("allocated %#x, want %#x", p, all[0])
	}
	called = nil
	h.SetRoots(nil)
	if freed := h.Collect(); freed != 1 || called != nil {
		t.Errorf("freed %d, finalised %#x", freed, called)
	}
	if err := h.Check(); err != nil {
		t.Error(err)
	}
}

// TestReallocKeepsFinaliser: moving takes the bit along, and what is being
// moved survives a collection on the way.
func TestReallocKeepsFinaliser(t *testing.T) {
	h := New(Config{HeapBytes: 1048, Finalisers: true})
	var called []uint32
	h.SetFinaliser(func(addr uint32) { called = append(called, addr) })
	p := h.AllocFinal(20)
	h.Words()[p/4] = 77
	for h.Alloc(16) != 0 && h.MemFree() > 0 {
	}
	q := h.Realloc(p, 100, true) // only after a collection is there room, in other blocks
	if h.NumCollections() != 1 || q == 0 || q == p || h.Words()[q/4] != 77 || h.Size(q) != 112 || called != nil {
		t.Fatalf("%#x moved to %#x, %d collections, size %d, finalised %#x", p, q, h.NumCollections(), h.Size(q), called)
	}
	h.Collect()
	if !slices.Equal(called, []uint32{q}) {
		t.Errorf("finalised %#x, want %#x", called, q)
	}
}

// TestThreshold is gc.threshold: collections by amount allocated.
func TestThreshold(t *testing.T) {
	h := New(Config{HeapBytes: 32768, Finalisers: true})
	if h.Threshold() != -1 {
		t.Errorf("threshold %d at start, want -1", h.Threshold())
	}
	h.SetThreshold(100)
	if h.Threshold() != 96 {
		t.Errorf("threshold %d, want 96", h.Threshold())
	}
	for i, want := range []uint64{0, 0, 0, 1, 1, 1, 2, 2} { // 6 blocks at a time
		h.Alloc(32)
		if h.NumCollections() != want {
			t.Errorf("after allocation %d: %d collections, want %d", i+1, h.NumCollections(), want)
		}
	}
	h.Enable(false)
	for range 10 {
		h.Alloc(32)
	}
	if h.NumCollections() != 2 || h.Enabled() {
		t.Errorf("collected although disabled")
	}
	h.Enable(true)
	h.SetThreshold(-5)
	for range 10 {
		h.Alloc(32)
	}
	if h.NumCollections() != 2 || h.Threshold() != -1 || !h.Enabled() {
		t.Errorf("collected although the threshold is off")
	}
}

// TestBigHeap fills 64 MiB with garbage and live objects.
func TestBigHeap(t *testing.T) {
	h := New(Config{HeapBytes: 64 << 20, Finalisers: true})
	rng := rand.New(rand.NewPCG(3, 3))
	var live []uint32
	h.SetRoots(func(m *Marker) { m.Words(live) })
	for h.NumCollections() < 2 {
		p := h.Alloc(1 + rng.Uint32N(20000))
		if rng.Uint32N(10) == 0 {
			live = append(live, p)
			if len(live) == 1000 {
				live = live[:0]
			}
		}
	}
	h.Collect()
	sum := uint32(0)
	for _, p := range live {
		sum += h.Size(p)
	}
	if h.MemAlloc() != sum {
		t.Errorf("%d bytes allocated, %d reachable", h.MemAlloc(), sum)
	}
	if err := h.Check(); err != nil {
		t.Error(err)
	}
}

// TestSwept: side tables can be pruned when a collection is over.
func TestSwept(t *testing.T) {
	h := New(Config{HeapBytes: 32768})
	dead, kept := h.Alloc(40), h.Alloc(40)
	calls := 0
	h.SetRoots(func(m *Marker) { m.Word(kept) })
	h.SetSwept(func() {
		calls++
		if h.Live(dead) || !h.Live(kept) || h.Live(kept+16) || h.Live(0) || h.Locked() {
			t.Error("called before the collection was over")
		}
		if p := h.Alloc(1); p != dead {
			t.Errorf("allocated %#x, want %#x", p, dead)
		}
		h.Free(dead)
	})
	h.Collect()
	h.SetSwept(nil)
	h.SweepAll()
	if calls != 1 {
		t.Errorf("called %d times, want once", calls)
	}
}

// TestReserve: such an allocation takes blocks like any other, is kept and freed
// like any other, but its words are neither cleared nor looked at.
func TestReserve(t *testing.T) {
	h := New(Config{HeapBytes: 32768})
	words := h.Words()
	p := h.Alloc(48)
	words[p/4] = 0xffff_ffff
	h.Free(p)
	if q := h.Reserve(40); q != p || words[q/4] != 0xffff_ffff {
		t.Fatalf("reserved %#x, want %#x with the word that was there: %#x", q, p, words[q/4])
	}
	target := h.Alloc(16)
	words[p/4] = target
	kept := true
	h.SetRoots(func(m *Marker) {
		if kept {
			m.Word(p)
		}
	})
	if freed := h.Collect(); freed != 1 || h.Live(target) || h.Size(p) != 48 {
		t.Errorf("a collection freed %d, what only the reserved words name: %v; size %d", freed, h.Live(target), h.Size(p))
	}
	kind := func(uint32) byte { return 'X' }
	if b := h.blockAt(p); h.letter(b, kind) != 'h' {
		t.Errorf("drawn as %c", h.letter(b, kind))
	}
	snap := h.Snapshot()
	kept = false
	if h.Collect() != 1 || h.isHollow(h.blockAt(p)) {
		t.Error("it survives without a root")
	}
	if q := h.Alloc(40); q != p || words[q/4] != 0 {
		t.Errorf("allocated %#x with %#x after it", q, words[q/4])
	}
	if err := h.Restore(snap); err != nil || !h.isHollow(h.blockAt(p)) {
		t.Error("a snapshot does not bring it back", err)
	}
	h.Free(p)
	if h.isHollow(h.blockAt(p)) || h.MemAlloc() != 0 {
		t.Error("it is not free")
	}
	if err := h.Check(); err != nil {
		t.Error(err)
	}
}
