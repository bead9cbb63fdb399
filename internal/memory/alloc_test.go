package memory

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestRealloc has one case a rule: the pool is A (2 blocks, to be resized),
// then what layout says, one letter a block: a letter that repeats is one
// allocation, '.' is free.
func TestRealloc(t *testing.T) {
	for _, c := range []struct {
		name   string
		layout string
		n      uint32
		move   bool
		at     int // block of the result, -1: refused
		after  string
	}{
		{"same blocks", "AAB", 17, true, 0, "AAB"},
		{"all of the last block", "AAB", 32, false, 0, "AAB"},
		{"shrink", "AAB", 16, false, 0, "A.B"},
		{"grow into free blocks", "AA..B", 64, false, 0, "AAAAB"},
		{"grow into some of them", "AA..B", 33, false, 0, "AAA.B"},
		{"too few: move", "AA.B", 50, true, 4, "...BAAAA"},
		{"too few: may not move", "AA.B", 50, false, -1, "AA.B"},
		{"move into a lower hole", ".AAB...", 48, true, 4, "...BAAA"},
		{"move to the lowest hole", "...AAB", 48, true, 0, "AAA..B"},
		{"free", "AAB", 0, true, -1, "..B"},
		{"too much", "AAB", 1 << 20, true, -1, "AAB"},
		{"more than there is address space", "AAB", ^uint32(0), true, -1, "AAB"},
	} {
		h := New(Config{HeapBytes: 1048, Finalisers: true})
		h.Enable(false)
		start, _ := h.Pool()
		var holes []uint32
		var a uint32
		for i := 0; i < len(c.layout); {
			n := 1
			for c.layout[i] != '.' && i+n < len(c.layout) && c.layout[i+n] == c.layout[i] {
				n++
			}
			p := h.Alloc(uint32(n) * 16)
			switch c.layout[i] {
			case '.':
				holes = append(holes, p)
			case 'A':
				a = p
			}
			for w := range uint32(n) * 4 {
				h.Words()[p/4+w] = uint32(c.layout[i])
			}
			i += n
		}
		for _, p := range holes {
			h.Free(p)
		}
		got := h.Realloc(a, c.n, c.move)
		want := uint32(0)
		if c.at >= 0 {
			want = start + uint32(c.at)*16
		}
		if got != want {
			t.Errorf("%s: at %#x, want %#x", c.name, got, want)
		}
		if after := strings.TrimRight(picture(h), "."); after != c.after {
			t.Errorf("%s: blocks %s, want %s", c.name, after, c.after)
		}
		if got != 0 && c.n > 32 {
			for w := range h.Size(got) / 4 {
				want := uint32('A')
				if w >= 8 {
					want = 0 // new blocks are zero
				}
				if v := h.Words()[got/4+w]; v != want {
					t.Errorf("%s: word %d is %#x, want %#x", c.name, w, v, want)
				}
			}
		}
		if err := h.Check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// picture draws the blocks as TestRealloc's layouts do.
func picture(h *Heap) string {
	start, end := h.Pool()
	out := []byte(strings.Repeat(".", int(end-start)/16))
	h.Each(func(addr, size uint32, _ bool) bool {
		for i := range size / 16 {
			out[(addr-start)/16+i] = byte(h.Words()[addr/4])
		}
		return true
	})
	return string(out)
}

func TestAllocEdges(t *testing.T) {
	h := New(Config{HeapBytes: 32768, Finalisers: true})
	for _, n := range []uint32{0, 0xfffffff1, 0xffffffff} { // the device's sum wraps to no blocks
		if p := h.Alloc(n); p != 0 || h.NumCollections() != 0 {
			t.Errorf("Alloc(%#x) = %#x after %d collections, want 0 at once", n, p, h.NumCollections())
		}
	}
	if p := h.Alloc(0xfffffff0); p != 0 || h.NumCollections() != 1 {
		t.Errorf("Alloc of all there can be: %#x after %d collections, want 0 after 1", p, h.NumCollections())
	}
	if h.Free(0); h.Realloc(0, 0, true) != 0 || h.Size(0) != 0 || h.Size(3) != 0 {
		t.Error("NULL is not nothing")
	}
	p := h.Realloc(0, 24, false)
	if h.Size(p) != 32 || h.Size(p+16) != 0 || h.Size(p+32) != 0 {
		t.Errorf("sizes %d %d %d", h.Size(p), h.Size(p+16), h.Size(p+32))
	}
	for range 2 {
		h.Lock()
	}
	h.Unlock()
	if h.Free(p); !h.Locked() || h.Alloc(1) != 0 || h.AllocFinal(1) != 0 || h.Realloc(p, 1, true) != 0 || h.Realloc(p, 0, true) != 0 || h.Size(p) != 32 {
		t.Error("a locked heap changed")
	}
	h.Unlock()
	h.Unlock() // one too many
	if h.Locked() || h.Realloc(p, 1, true) != p {
		t.Error("still locked")
	}
	h.Free(p)
	for _, bad := range []uint32{p, p + 4, 16, 1 << 31} {
		func() {
			defer func() {
				if r := recover(); !strings.Contains(fmt.Sprint(r), "not an allocation") {
					t.Errorf("Free(%#x): %v, want a panic that says so", bad, r)
				}
			}()
			h.Free(bad)
		}()
	}
}

// TestFailAt: each allocation of a program can be made to fail, and only it.
func TestFailAt(t *testing.T) {
	program := func(h *Heap) (results []uint32) {
		p := h.Alloc(20)
		results = append(results, p)
		h.Realloc(p, 30, true) // asks for nothing
		results = append(results, h.Realloc(p, 40, true), h.AllocFinal(10), h.Alloc(0), h.Alloc(200))
		if p != 0 {
			results = append(results, h.Realloc(p, 5000, true)) // moves
		}
		return results
	}
	h := New(Config{HeapBytes: 32768, Finalisers: true})
	program(h)
	if h.Allocations() != 5 {
		t.Fatalf("%d allocations, want 5", h.Allocations())
	}
	for k, failing := range map[int]int{1: 0, 2: 1, 3: 2, 4: 4, 5: 5, 6: -1, 0: -1} {
		h := New(Config{HeapBytes: 32768, Finalisers: true})
		h.FailAt(k)
		for i, p := range program(h) {
			if i != 3 && (p == 0) != (i == failing) {
				t.Errorf("FailAt(%d): result %d is %#x", k, i, p)
			}
		}
		if err := h.Check(); err != nil || h.NumCollections() != 0 {
			t.Errorf("FailAt(%d): %v, %d collections", k, err, h.NumCollections())
		}
	}
}

func TestTrace(t *testing.T) {
	h := New(Config{HeapBytes: 1048})
	start, _ := h.Pool()
	var got []string
	h.Trace = func(op byte, addr, n, old uint32) {
		got = append(got, fmt.Sprintf("%c%d %d %d", op, (addr-start)/16, n, old))
	}
	p := h.Alloc(20)
	q := h.Alloc(1)
	p = h.Realloc(p, 32, true)
	p = h.Realloc(p, 10, true)
	p = h.Realloc(p, 40, true)
	h.Free(q)
	h.Realloc(p, 2000, true)
	h.Collect()
	first := (-start) / 16 // address 0
	want := []string{
		"+0 20 0", "+2 1 0", ">0 32 32", ">0 10 32", "+3 40 0", "-0 16 0", "-2 16 0",
		fmt.Sprintf("g%d 0 0", first), fmt.Sprintf("!%d 2000 0", first),
		fmt.Sprintf("g%d 1 48", first),
	}
	if !slices.Equal(got, want) {
		t.Errorf("trace %q,\nwant  %q", got, want)
	}
}

// TestNoGoAllocation: nothing here makes work for Go's collector.
func TestNoGoAllocation(t *testing.T) {
	h := New(Config{HeapBytes: 32768, Finalisers: true})
	keep := uint32(0)
	h.SetRoots(func(m *Marker) { m.Word(keep) })
	h.SetFinaliser(func(uint32) {})
	if n := testing.AllocsPerRun(100, func() {
		keep = h.Alloc(100)
		p := h.AllocFinal(2000)
		h.Realloc(p, 4000, true)
		h.Free(h.Alloc(33))
		h.Info()
		h.Collect()
	}); n != 0 {
		t.Errorf("%v Go allocations a round, want none", n)
	}
}
