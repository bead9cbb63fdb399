package memory

import (
	"fmt"
	"math/bits"
)

// Operations told to Heap.Trace. A Realloc that moves is an OpAlloc and an OpFree.
const (
	OpAlloc   = '+' // addr: new allocation, n: bytes asked for
	OpFree    = '-' // addr: what was freed, n: bytes of its blocks
	OpRealloc = '>' // addr: resized in place, n: bytes asked for, old: bytes of its blocks before
	OpFail    = '!' // addr: what was to be resized or 0, n: bytes asked for in vain
	OpCollect = 'g' // n: allocations freed by the collection, old: bytes of their blocks
)

// Alloc returns the address of n bytes, all zero, in ceil(n/16) blocks: the
// lowest run of free blocks that is long enough. If there is none it collects
// once and looks again. It returns 0 if n is 0, the heap is locked or there is
// no such run.
func (h *Heap) Alloc(n uint32) uint32 { return h.alloc(n, false) }

// Reserve is Alloc for content that is kept elsewhere while somebody uses it: the
// blocks are taken as usual, but nothing is written there or read. The collector
// does not look into the allocation, Dump shows it as of no kind.
func (h *Heap) Reserve(n uint32) uint32 {
	if h.hollow == nil {
		h.hollow = make([]uint64, len(h.head))
	}
	return h.alloc(n, true)
}

func (h *Heap) alloc(n uint32, hollow bool) uint32 {
	nb := (n + (BlockBytes - 1)) >> 4
	if nb-1 >= maxSmall || h.special {
		return h.allocSlow(n, false, hollow)
	}
	var b uint32
	if h.lastLen >= nb && h.last <= h.hint[nb&15] {
		// Most often a frame takes the place of the one that has just gone.
		b = h.last
		h.last += nb
		h.lastLen -= nb
		w, i := b>>6, b&63
		if i+nb > 64 {
			setBits(h.used, b, nb)
		} else {
			h.used[w] |= (1<<(nb&63) - 1) << i
		}
		h.head[w] |= 1 << i
	} else if h.lastLen == 0 && h.hint[nb&15] >= h.full && h.openEnd-h.open >= nb {
		// A heap that nobody has freed much of is filled from below.
		b = h.open
		h.open += nb
		h.hint[nb&15] = h.open
		w, i := b>>6, b&63
		if i+nb > 64 {
			setBits(h.used, b, nb)
		} else {
			h.used[w] |= (1<<(nb&63) - 1) << i
		}
		h.head[w] |= 1 << i
	} else {
		if h.lastLen != 0 {
			h.settle()
		}
		// The first fit starts in the hint's word, or the general search finds
		// it: a run that goes on into the next word starts behind all runs
		// within this one.
		w := h.hint[nb&15] >> 6
		used := h.used[w]
		fit := runStarts(^used, nb)
		if fit == 0 {
			return h.allocSlow(n, false, hollow)
		}
		i := uint32(bits.TrailingZeros64(fit)) & 63
		h.used[w] = used | (1<<(nb&63)-1)<<i
		h.head[w] |= 1 << i
		b = w<<6 + i
		h.hint[nb&15] = b + nb
		h.taken(b, nb)
	}
	h.nfree -= nb
	h.amount += nb
	h.allocs++
	p := h.pool + b*BlockBytes
	if hollow {
		h.hollow[b>>6] |= 1 << (b & 63)
	} else {
		// Not clear: for the usual 1 to 3 blocks its call costs more than the stores.
		for blank := h.dwords[p>>3 : p>>3+nb*2]; len(blank) >= 2; blank = blank[2:] {
			blank[0], blank[1] = 0, 0
		}
	}
	if h.Trace != nil {
		h.Trace(OpAlloc, p, n, 0)
	}
	return p
}

// AllocFinal is Alloc with the finaliser bit set, if the heap has finalisers.
func (h *Heap) AllocFinal(n uint32) uint32 {
	return h.allocSlow(n, true, false)
}

// allocSlow is alloc in full.
func (h *Heap) allocSlow(n uint32, final, hollow bool) uint32 {
	// A size within 15 of 2^32 wraps to no blocks, as it does on the device.
	nb := (n + (BlockBytes - 1)) >> 4
	if nb == 0 || h.lockDepth != 0 {
		return 0
	}
	h.allocs++
	if h.failNow() {
		return h.failed(0, n)
	}
	collected := h.autoOff
	if !collected && h.amount >= h.threshold {
		h.Collect()
		collected = true
	}
	b, ok := h.findRun(nb)
	if !ok && !collected {
		h.Collect()
		b, ok = h.findRun(nb)
	}
	if !ok {
		return h.failed(0, n)
	}
	setBits(h.used, b, nb)
	h.head[b>>6] |= 1 << (b & 63)
	h.taken(b, nb)
	h.nfree -= nb
	h.amount += nb
	if final && h.final != nil {
		h.final[b>>6] |= 1 << (b & 63)
		h.nfinal++
	}
	p := h.pool + b*BlockBytes
	if hollow {
		h.hollow[b>>6] |= 1 << (b & 63)
	} else {
		clear(h.dwords[p>>3 : p>>3+nb*2])
	}
	if h.Trace != nil {
		h.Trace(OpAlloc, p, n, 0)
	}
	return p
}

// Free frees the allocation at p, without finalising it. It does nothing if p
// is 0 or the heap is locked, and panics if p is no allocation.
func (h *Heap) Free(p uint32) {
	if h.lockDepth != 0 {
		return
	}
	b := h.blockAt(p)
	w, i := b>>6, b&63
	if b >= h.nblocks || h.head[w]>>i&1 == 0 {
		if p == 0 {
			return
		}
		badAddress(p)
	}
	used, head := h.used[w], h.head[w]
	n := 1 + uint32(bits.TrailingZeros64(^((used &^ head) >> i >> 1)))
	if i+n >= 64 {
		n = h.chainLen(b)
		clearBits(h.used, b, n)
	} else {
		h.used[w] = used &^ ((1<<(n&63) - 1) << i)
	}
	h.head[w] = head &^ (1 << i)
	if h.nfinal != 0 {
		h.clearFinal(b)
	}
	if h.hollow != nil {
		h.hollow[w] &^= 1 << i
	}
	h.nfree += n
	if b < h.open && b+n > h.full {
		h.full = b + n
	}
	if h.lastLen == 0 && used<<1>>i&1 != 0 {
		h.last, h.lastLen = b, n
	} else {
		h.released(b, n)
	}
	if h.Trace != nil {
		h.Trace(OpFree, p, n*BlockBytes, 0)
	}
}

// Realloc makes the allocation at p n bytes long and returns its address. For
// p = 0 it is Alloc, for n = 0 it is Free and returns 0. Within the same number
// of blocks nothing changes; for fewer, the last blocks are freed; for more,
// free blocks right behind are taken, and zeroed. If there are too few of them
// it moves the content to a new allocation, with the finaliser bit it had, and
// frees the old, but only if allowMove. It returns 0, with p as it was, if
// there is no memory or the heap is locked; it panics if p is no allocation.
func (h *Heap) Realloc(p, n uint32, allowMove bool) uint32 {
	if p == 0 {
		return h.Alloc(n)
	}
	if n == 0 {
		h.Free(p)
		return 0
	}
	if h.lockDepth != 0 {
		return 0
	}
	b := h.mustHead(p)
	have := h.chainLen(b)
	// Unlike Alloc's, upstream's sum wraps here to 0 blocks, which frees the
	// head as well; nobody can have meant that, so it counts as too much.
	want := n>>4 + (n&15+15)>>4
	if want > have {
		return h.grow(p, b, have, want, n, allowMove)
	}
	if want < have {
		clearBits(h.used, b+want, have-want)
		h.nfree += have - want
		if b < h.open && b+have > h.full {
			h.full = b + have
		}
		h.released(b+want, have-want)
	}
	if h.Trace != nil {
		h.Trace(OpRealloc, p, n, have*BlockBytes)
	}
	return p
}

// grow is the part of Realloc that needs more blocks.
func (h *Heap) grow(p, b, have, want, n uint32, allowMove bool) uint32 {
	if !h.isFree(b+have, want-have) {
		if !allowMove {
			h.allocs++
			h.failNow()
			return h.failed(p, n)
		}
		h.pinned = p
		q := h.allocSlow(n, h.final != nil && h.final[b>>6]>>(b&63)&1 != 0, false)
		h.pinned = 0
		if q != 0 {
			copy(h.dwords[q>>3:], h.dwords[p>>3:p>>3+have*2])
			h.Free(p)
		}
		return q
	}
	h.allocs++
	if h.failNow() {
		return h.failed(p, n)
	}
	h.settle()
	setBits(h.used, b+have, want-have)
	h.taken(b+have, want-have)
	h.nfree -= want - have
	clear(h.dwords[p>>3+have*2 : p>>3+want*2])
	if h.Trace != nil {
		h.Trace(OpRealloc, p, n, have*BlockBytes)
	}
	return p
}

// Size is the number of bytes in the blocks of the allocation at p, or 0 if p
// is no allocation.
func (h *Heap) Size(p uint32) uint32 {
	b, ok := h.headAt(p)
	if !ok {
		return 0
	}
	return h.chainLen(b) * BlockBytes
}

// failNow says whether FailAt chose the request just counted.
func (h *Heap) failNow() bool {
	if h.failAt == 0 || h.allocs < h.failAt {
		return false
	}
	if h.allocs+1 >= h.failAt+h.failRun {
		h.failAt = 0
		h.updateSpecial()
	}
	return true
}

func (h *Heap) failed(p, n uint32) uint32 {
	if h.Trace != nil {
		h.Trace(OpFail, p, n, 0)
	}
	return 0
}

// blockAt returns the number of the block at p; it is nblocks or more if p is
// not the address of a block. The rotation makes unaligned addresses large.
func (h *Heap) blockAt(p uint32) uint32 {
	return bits.RotateLeft32(p-h.pool, -4)
}

// headAt returns the block at p and whether an allocation starts there.
func (h *Heap) headAt(p uint32) (b uint32, ok bool) {
	b = h.blockAt(p)
	return b, b < h.nblocks && h.head[b>>6]>>(b&63)&1 != 0
}

// Live reports whether an allocation starts at p.
func (h *Heap) Live(p uint32) bool {
	_, ok := h.headAt(p)
	return ok
}

func (h *Heap) mustHead(p uint32) uint32 {
	b := h.blockAt(p)
	if b >= h.nblocks || h.head[b>>6]>>(b&63)&1 == 0 {
		badAddress(p)
	}
	return b
}

func badAddress(p uint32) {
	panic(fmt.Sprintf("memory: %#x is not an allocation: freed twice, or never allocated", p))
}

func (h *Heap) clearFinal(b uint32) {
	if h.final[b>>6]>>(b&63)&1 != 0 {
		h.final[b>>6] &^= 1 << (b & 63)
		h.nfinal--
	}
}
