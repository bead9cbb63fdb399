package memory

import "math/bits"

// Requests of 1 to maxSmall blocks have a class, and so a hint, of their own;
// larger ones share the class of the largest classMin that they reach.
const (
	maxSmall   = 8
	numClasses = 16
	topClass   = 12
)

// classMin[k] is the smallest request, in blocks, of class k.
var classMin = [topClass + 1]uint32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 33, 65}

func classOf(nb uint32) uint32 {
	if nb <= maxSmall {
		return nb
	}
	k := uint32(maxSmall + 1)
	for k < topClass && classMin[k+1] <= nb {
		k++
	}
	return k
}

// runStarts returns the bits of free from which on n bits (1 to 8) are set,
// within the word.
func runStarts(free uint64, n uint32) uint64 {
	n--
	s := min(n, 1)
	free &= free >> (s & 63)
	n -= s
	s = min(n, 2)
	free &= free >> (s & 63)
	n -= s
	return free & (free >> (n & 63))
}

// taken accounts for the n blocks from b on having been taken into use in another
// way than from the open run. It looks for an open run behind them if there is none.
func (h *Heap) taken(b, n uint32) {
	end := b + n
	switch {
	case end > h.open && b < h.openEnd:
		if b > h.open {
			h.openEnd = b
		} else {
			h.open, h.openEnd = end, max(h.openEnd, end)
		}
	case h.open == h.openEnd:
		w := (end + 63) >> 6
		if w >= uint32(len(h.used)) || h.used[w] != 0 || h.used[(end-1)>>6]>>((end-1)&63) != 1 {
			return
		}
		far := min(w+maxOpen, uint32(len(h.used)))
		for w < far && h.used[w] == 0 {
			w++
		}
		h.full, h.open, h.openEnd = b, end, w<<6
	}
}

// maxOpen bounds how far taken looks, in words.
const maxOpen = 64

// findRun returns the first block of the lowest run of at least nb free
// blocks, and keeps the class's hint. The lowest address wins just as
// upstream, whose own starting index only ever skips blocks in use.
func (h *Heap) findRun(nb uint32) (block uint32, ok bool) {
	h.settle()
	k := classOf(nb)
	if nb > h.nfree {
		return 0, false
	}
	if nb <= maxSmall {
		block, ok = h.findSmall(nb)
		h.hint[k] = block + nb
	} else {
		block, ok = h.findLarge(nb, k)
	}
	if !ok {
		h.hint[k] = min(h.hint[k], h.nblocks)
	}
	return block, ok
}

// findSmall looks at one word and the low bits of the next at a time.
func (h *Heap) findSmall(nb uint32) (block uint32, ok bool) {
	for w := h.hint[nb] >> 6; w < uint32(len(h.used)); w++ {
		lo := ^h.used[w]
		if lo == 0 {
			continue
		}
		fit := runStarts(lo, nb)
		if fit == 0 && lo>>63 != 0 && w+1 < uint32(len(h.used)) {
			// the run at the top of this word goes on at the bottom of the next
			top := uint32(bits.LeadingZeros64(^lo))
			if top+uint32(bits.TrailingZeros64(h.used[w+1])) >= nb {
				fit = 1 << (64 - top)
			}
		}
		if fit != 0 {
			return w<<6 + uint32(bits.TrailingZeros64(fit)), true
		}
	}
	return h.nblocks, false
}

// findLarge goes from run to run. The first run that any request of class k
// could use becomes the class's hint.
func (h *Heap) findLarge(nb, k uint32) (block uint32, ok bool) {
	hinted := false
	for b := h.hint[k]; ; {
		start := h.nextFree(b)
		if start >= h.nblocks {
			break
		}
		end := h.freeEnd(start, nb)
		if !hinted && end-start >= classMin[k] {
			h.hint[k], hinted = start, true
		}
		if end-start >= nb {
			return start, true
		}
		b = end
	}
	if !hinted {
		h.hint[k] = h.nblocks
	}
	return 0, false
}

// nextFree returns the first free block from b on, or at least nblocks.
func (h *Heap) nextFree(b uint32) uint32 {
	w := b >> 6
	if w >= uint32(len(h.used)) {
		return h.nblocks
	}
	free := ^h.used[w] >> (b & 63) << (b & 63)
	for free == 0 {
		if w++; w >= uint32(len(h.used)) {
			return h.nblocks
		}
		free = ^h.used[w]
	}
	return w<<6 + uint32(bits.TrailingZeros64(free))
}

// nextUsed returns the first block from b < nblocks on that is in use, or nblocks.
func (h *Heap) nextUsed(b uint32) uint32 {
	w := b >> 6
	used := h.used[w] >> (b & 63) << (b & 63)
	for used == 0 {
		w++
		used = h.used[w]
	}
	return w<<6 + uint32(bits.TrailingZeros64(used))
}

// isFree says whether the n blocks from b on exist and are free.
func (h *Heap) isFree(b, n uint32) bool {
	if n > h.nfree || b >= h.nblocks {
		return false
	}
	return h.freeEnd(b, n)-b >= n
}

// freeEnd is nextUsed, but may stop n or more blocks behind b.
func (h *Heap) freeEnd(b, n uint32) uint32 {
	w := b >> 6
	used := h.used[w] >> (b & 63) << (b & 63)
	for used == 0 {
		w++
		if w<<6-b >= n {
			return w << 6
		}
		used = h.used[w]
	}
	return w<<6 + uint32(bits.TrailingZeros64(used))
}

// chainLen returns the number of blocks of the allocation that starts at b.
func (h *Heap) chainLen(b uint32) uint32 {
	w, i := (b+1)>>6, (b+1)&63
	if w >= uint32(len(h.used)) {
		return 1
	}
	other := ^(h.used[w] &^ h.head[w]) >> i << i
	for other == 0 {
		w++ // ends at the latest at the padding
		other = ^(h.used[w] &^ h.head[w])
	}
	return w<<6 + uint32(bits.TrailingZeros64(other)) - b
}

// released accounts for the n blocks from b on having become free: they join
// the last freed ones if they touch them, or take their place.
func (h *Heap) released(b, n uint32) {
	if h.lastLen != 0 {
		if h.last+h.lastLen == b {
			h.lastLen += n
			return
		}
		if b+n == h.last {
			n += h.lastLen
		} else {
			h.lowerHints(h.last, h.lastLen)
		}
		h.lastLen = 0
	}
	if b == 0 || h.used[(b-1)>>6]>>((b-1)&63)&1 != 0 {
		h.last, h.lastLen = b, n
	} else {
		h.lowerHints(b, n)
	}
}

// settle makes the hints true without exception.
func (h *Heap) settle() {
	if h.lastLen != 0 {
		h.lowerHints(h.last, h.lastLen)
		h.lastLen = 0
	}
}

// lowerHints accounts for the n blocks from b on having become free. Only the
// classes that the whole run around them can now serve are affected. Further
// than 64 blocks on either side need not be seen: a request that fits there
// fitted before, or is of the top class.
func (h *Heap) lowerHints(b, n uint32) {
	start, end := b, b+n
	if w, i := b>>6, b&63; i > 0 {
		below := min(uint32(bits.LeadingZeros64(h.used[w]<<(64-i))), i)
		start -= below
		if below == i && w > 0 {
			start -= uint32(bits.LeadingZeros64(h.used[w-1]))
		}
	} else if w > 0 {
		start -= uint32(bits.LeadingZeros64(h.used[w-1]))
	}
	if w, i := end>>6, end&63; w < uint32(len(h.used)) {
		above := min(uint32(bits.TrailingZeros64(h.used[w]>>i)), 64-i)
		end += above
		if above == 64-i && w+1 < uint32(len(h.used)) {
			end += uint32(bits.TrailingZeros64(h.used[w+1]))
		}
	}
	length := end - start
	small := h.hint[1:][:min(length, maxSmall)]
	for i, hint := range small {
		if hint > start {
			small[i] = start
		}
	}
	for k := maxSmall + 1; k <= topClass && classMin[k] <= length; k++ {
		h.hint[k] = min(h.hint[k], start)
	}
}

// setBits sets n > 0 bits of plane from b on.
func setBits(plane []uint64, b, n uint32) {
	for {
		i := b & 63
		take := min(n, 64-i)
		plane[b>>6] |= ^uint64(0) >> (64 - take) << i
		b += take
		if n -= take; n == 0 {
			return
		}
	}
}

// clearBits clears n > 0 bits of plane from b on.
func clearBits(plane []uint64, b, n uint32) {
	for {
		i := b & 63
		take := min(n, 64-i)
		plane[b>>6] &^= ^uint64(0) >> (64 - take) << i
		b += take
		if n -= take; n == 0 {
			return
		}
	}
}
