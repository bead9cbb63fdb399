package memory

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// TestPoolBytes checks rule "the pool that a heap area yields" against totals
// printed by running references.
func TestPoolBytes(t *testing.T) {
	for _, c := range []struct {
		heap   int
		finals bool
		pool   int
	}{
		{32768, true, 32000},
		{32750, true, 32000},
		{32815, true, 32000},
		{32749, true, 31936},
		{32816, true, 32064},
		{32768, false, 32256},
		{65536, true, 64000},
		{64 << 20, true, 65571968},
		{66, true, 64},
		{66, false, 64},
	} {
		cfg := Config{HeapBytes: c.heap, Finalisers: c.finals}
		if got := cfg.PoolBytes(); got != c.pool {
			t.Errorf("%+v: pool of %d bytes, want %d", cfg, got, c.pool)
		}
		h := New(cfg)
		start, end := h.Pool()
		if int(end-start) != c.pool || start%16 != 0 || h.Info().Total != uint32(c.pool) {
			t.Errorf("%+v: pool [%#x,%#x), total %d", cfg, start, end, h.Info().Total)
		}
		if err := h.Check(); err != nil {
			t.Errorf("%+v: %v", cfg, err)
		}
		// the whole pool can be one allocation, and no more
		if p := h.Alloc(uint32(c.pool) + 1); p != 0 {
			t.Errorf("%+v: more than the pool was allocated", cfg)
		}
		if p := h.Alloc(uint32(c.pool)); p != start {
			t.Errorf("%+v: whole pool at %#x, want %#x", cfg, p, start)
		}
		if err := h.Check(); err != nil {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want string // part of the error
	}{
		{Config{HeapBytes: 32768}, ""},
		{Config{}, "at least 66 bytes"},
		{Config{HeapBytes: -1}, "negative"},
		{Config{HeapBytes: 65, Finalisers: true}, "at least 66 bytes"},
		{Config{HeapBytes: 100, FlashBytes: 1 << 30}, "make the heap smaller"},
	} {
		err := c.cfg.Validate()
		if got := fmt.Sprint(err); c.want == "" && err != nil || !strings.Contains(got, c.want) && c.want != "" {
			t.Errorf("%+v: %v, want %q", c.cfg, err, c.want)
		}
	}
}

// TestLayout: regions do not overlap, and one memory has two views.
func TestLayout(t *testing.T) {
	h := New(Config{HeapBytes: 32768, StackBytes: 3584, FlashBytes: 1001, Finalisers: true})
	pool, poolEnd := h.Pool()
	stack, stackEnd := h.Stack()
	flash, flashEnd := h.Flash()
	if pool != 32768 || stack < 64 || stackEnd > pool || poolEnd != flash || stackEnd-stack != 3584 || flashEnd-flash != 1008 ||
		int(flashEnd) != len(h.Bytes()) || len(h.Words())*4 != len(h.Bytes()) {
		t.Errorf("pool [%#x,%#x) stack [%#x,%#x) flash [%#x,%#x) of %#x", pool, poolEnd, stack, stackEnd, flash, flashEnd, len(h.Bytes()))
	}
	h.Words()[stack/4] = 0x04030201
	if b := h.Bytes()[stack : stack+4]; !bytes.Equal(b, []byte{1, 2, 3, 4}) {
		t.Errorf("bytes % x of word 04030201", b)
	}
}

// TestDump has the texts worked out by hand from the rules of upstream's dump.
func TestDump(t *testing.T) {
	h := New(Config{HeapBytes: 32768, Finalisers: true}) // 2000 blocks
	h.Alloc(17)
	d := h.Alloc(16)
	kind := func(addr uint32) byte {
		if addr == d {
			return 'D'
		}
		return 'h'
	}
	pool, _ := h.Pool()
	from := fmt.Sprintf("GC memory layout; from %x:", pool)
	dots := strings.Repeat(".", 64)
	expect := func(h *Heap, kind func(uint32) byte, want string) {
		t.Helper()
		var out strings.Builder
		if err := h.Dump(&out, kind); err != nil || out.String() != want {
			t.Errorf("dump %v\n%s\nwant\n%s", err, out.String(), want)
		}
	}
	expect(h, kind, from+"\n00000: h=D"+dots[3:]+"\n       (30 lines all free)\n07c00: "+dots[:16]+"\n")
	expect(h, nil, from+"\n00000: h=h"+dots[3:]+"\n       (30 lines all free)\n07c00: "+dots[:16]+"\n")
	h.Alloc(16 * 125)
	h.Free(d)
	expect(h, kind, from+"\n00000: h=.h"+strings.Repeat("=", 60)+"\n00400: "+strings.Repeat("=", 64)+
		"\n       (29 lines all free)\n07c00: "+dots[:16]+"\n")

	small := New(Config{HeapBytes: 2100, Finalisers: true}) // 128 blocks
	pool, _ = small.Pool()
	from = fmt.Sprintf("GC memory layout; from %x:", pool)
	expect(small, nil, from+"\n       (2 lines all free)\n")
	small.Alloc(16)
	expect(small, nil, from+"\n00000: h"+dots[1:]+"\n00400: "+dots+"\n")
}

func TestSnapshot(t *testing.T) {
	h := New(Config{HeapBytes: 32768, Finalisers: true})
	words := h.Words()
	p := h.AllocFinal(100)
	words[p/4] = 5
	h.SetThreshold(1000)
	h.Lock()
	s := h.Snapshot()
	h.Reset()
	h.Alloc(1000)
	words[p/4] = 6
	for range 2 {
		if err := h.Restore(s); err != nil {
			t.Fatal(err)
		}
		if h.Size(p) != 112 || words[p/4] != 5 || h.Threshold() != 992 || !h.Locked() || h.MemAlloc() != 112 {
			t.Errorf("restored: size %d, word %d, threshold %d, locked %v", h.Size(p), words[p/4], h.Threshold(), h.Locked())
		}
		if err := h.Check(); err != nil {
			t.Error(err)
		}
		h.Unlock()
		if h.Realloc(p, 500, true) != p {
			t.Error("cannot grow after a restore")
		}
	}
	if err := New(Config{HeapBytes: 32768}).Restore(s); err == nil || !strings.Contains(err.Error(), "same sizes") {
		t.Errorf("restored into another kind of heap: %v", err)
	}
}

// TestCheck damages the tables as a stray write would.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		want   string
		damage func(h *Heap)
	}{
		{"is marked", func(h *Heap) { h.head[0] |= 1 << 9 }},
		{"follows a free block", func(h *Heap) { h.used[0] |= 1 << 9 }},
		{"starts no allocation", func(h *Heap) { h.final[0] |= 2 }},
		{"are free but", func(h *Heap) { h.used[0], h.head[0] = 0, 0 }},
		{"finalisers are set", func(h *Heap) { h.final[0] = 1 }},
		{"end marks of the alloc", func(h *Heap) { h.used[31] = 0 }},
		{"end marks of the final", func(h *Heap) { h.final[31] = 1 << 63 }},
		{"the search for", func(h *Heap) { h.hint[2] = 900 }},
	} {
		h := New(Config{HeapBytes: 32768, Finalisers: true})
		h.Alloc(40)
		c.damage(h)
		if err := h.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

// TestSetFlash: a larger flash region leaves the rest as it was.
func TestSetFlash(t *testing.T) {
	h := New(Config{HeapBytes: 32768, StackBytes: 3584, Finalisers: true})
	p := h.AllocFinal(100)
	h.Words()[p/4+3] = 77
	_, hi := h.Pool()
	stack, stackEnd := h.Stack()
	for _, at := range []uint32{0, stack, stackEnd - 4, hi - 4} {
		h.Words()[at/4] = 78
	}
	before := h.Info()
	h.SetFlash(31153)
	start, end := h.Flash()
	if start != hi || end != hi+31168 || int(end) != len(h.Bytes()) || len(h.Words()) != len(h.Bytes())/4 {
		t.Errorf("flash from %d to %d, %d bytes in all", start, end, len(h.Bytes()))
	}
	if h.Info() != before || h.Words()[p/4+3] != 77 || !h.Live(p) || h.Size(p) != 112 {
		t.Error("RAM changed")
	}
	for _, at := range []uint32{0, stack, stackEnd - 4, hi - 4} {
		if h.Words()[at/4] != 78 {
			t.Errorf("the word at %d changed", at)
		}
	}
	h.Free(p)
	if q := h.Alloc(16); q != p {
		t.Errorf("the first block is at %d, was at %d", q, p)
	}
}
