package memory

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// fragmented is an XBee 3's heap after a long run: 80 % full, its free blocks
// in runs of every length.
func fragmented() *Heap {
	h := New(Config{HeapBytes: 32768, StackBytes: 3584, Finalisers: true})
	rng := rand.New(rand.NewPCG(1, 1))
	h.Enable(false)
	defer h.Enable(true)
	var all []uint32
	for {
		p := h.Alloc(1 + rng.Uint32N(80))
		if p == 0 {
			break
		}
		all = append(all, p)
	}
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, p := range all {
		if info := h.Info(); info.Free*5 > info.Total {
			break
		}
		h.Free(p)
	}
	return h
}

// BenchmarkPair is a call's frame: allocated, freed.
func BenchmarkPair(b *testing.B) {
	for _, blocks := range []uint32{1, 2, 3, 5} {
		b.Run(fmt.Sprintf("blocks=%d", blocks), func(b *testing.B) {
			h := fragmented()
			b.ReportAllocs()
			for b.Loop() {
				h.Free(h.Alloc(blocks * BlockBytes))
			}
		})
	}
	b.Run("empty/blocks=2", func(b *testing.B) {
		h := New(Config{HeapBytes: 32768, Finalisers: true})
		for b.Loop() {
			h.Free(h.Alloc(2 * BlockBytes))
		}
	})
}

// BenchmarkNested is five calls deep, with frames of different sizes.
func BenchmarkNested(b *testing.B) {
	h := fragmented()
	for b.Loop() {
		p, q, r := h.Alloc(28), h.Alloc(36), h.Alloc(70)
		s, t := h.Alloc(16), h.Alloc(28)
		h.Free(t)
		h.Free(s)
		h.Free(r)
		h.Free(q)
		h.Free(p)
	}
}

// BenchmarkGarbage allocates and never frees: the device's small frames.
func BenchmarkGarbage(b *testing.B) {
	h := fragmented()
	var live []uint32
	h.Each(func(addr, _ uint32, _ bool) bool { live = append(live, addr); return true })
	h.SetRoots(func(m *Marker) { m.Words(live) })
	b.ReportAllocs()
	for b.Loop() {
		h.Alloc(28)
	}
}

// BenchmarkRealloc grows and shrinks a list's items in place.
func BenchmarkRealloc(b *testing.B) {
	h := New(Config{HeapBytes: 32768, Finalisers: true})
	p := h.Alloc(16)
	for b.Loop() {
		h.Realloc(p, 32, true)
		h.Realloc(p, 64, true)
		h.Realloc(p, 16, true)
	}
}

// fill makes the heap a full one of objects of 1 to 4 blocks, each pointing to
// two others, all reachable from the first.
func fill(h *Heap) {
	rng := rand.New(rand.NewPCG(2, 2))
	h.Enable(false)
	defer h.Enable(true)
	var all []uint32
	for {
		p := h.Alloc(16 * (1 + rng.Uint32N(4)))
		if p == 0 {
			break
		}
		all = append(all, p)
	}
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i, p := range all {
		for k := 2*i + 1; k <= 2*i+2 && k < len(all); k++ {
			h.Words()[p/4+uint32(k-2*i)] = all[k]
		}
	}
	h.SetRoots(func(m *Marker) { m.Word(all[0]) })
}

func BenchmarkCollect(b *testing.B) {
	for _, size := range []int{32 << 10, 1 << 20, 64 << 20} {
		b.Run(fmt.Sprintf("%dKiB/full", size>>10), func(b *testing.B) {
			h := New(Config{HeapBytes: size, Finalisers: true})
			h.SetRoots(func(*Marker) {})
			fill(h)
			b.ReportAllocs()
			for b.Loop() {
				h.Collect()
			}
		})
		b.Run(fmt.Sprintf("%dKiB/empty", size>>10), func(b *testing.B) {
			h := New(Config{HeapBytes: size, Finalisers: true})
			for b.Loop() {
				h.Collect()
			}
		})
	}
}

// BenchmarkBigHeap allocates without freeing in 64 MiB, collections included.
func BenchmarkBigHeap(b *testing.B) {
	for _, n := range []uint32{16, 32, 100, 1000, 100000} {
		b.Run(fmt.Sprintf("bytes=%d", n), func(b *testing.B) {
			h := New(Config{HeapBytes: 64 << 20, Finalisers: true})
			b.ReportAllocs()
			for b.Loop() {
				h.Alloc(n)
			}
		})
	}
}

func BenchmarkInfo(b *testing.B) {
	h := fragmented()
	for b.Loop() {
		h.Info()
	}
}
