package memory

import "math/bits"

// A Marker is how the roots function tells a collection what is reachable. It
// is valid only during that call.
type Marker struct {
	h *Heap
	// stack holds heads that are marked but not yet scanned. When it is full,
	// heads are only marked, and lost records the lowest; drain scans again
	// from there. So memory is bounded for any graph, as upstream.
	stack []uint32
	depth int
	lost  uint32
}

const nothingLost = ^uint32(0)

// Word marks the allocation at v, and all that can be reached from it, if v is
// the address of the head of one; any other value is ignored.
func (m *Marker) Word(v uint32) {
	m.mark(v)
	m.drain()
}

// Range is Word for each of the n words of the arena from addr, a multiple of
// 4, on. It panics if they are not all in the arena.
func (m *Marker) Range(addr, n uint32) {
	m.Words(m.h.words[addr/4 : addr/4+n])
}

// Words is Word for each of values.
func (m *Marker) Words(values []uint32) {
	for _, v := range values {
		if m.mark(v) {
			m.drain()
		}
	}
}

// mark marks the unmarked head at v, if that is what v is, and remembers to scan it.
func (m *Marker) mark(v uint32) bool {
	h := m.h
	b := h.blockAt(v)
	if b >= h.nblocks {
		return false
	}
	w, bit := b>>6, uint64(1)<<(b&63)
	if h.used[w]&h.head[w]&bit == 0 {
		return false
	}
	h.used[w] &^= bit
	if h.isHollow(b) {
		return true
	}
	if m.depth < len(m.stack) {
		m.stack[m.depth] = b
		m.depth++
	} else {
		m.lost = min(m.lost, b)
	}
	return true
}

// drain scans everything on the stack, then whatever it could not hold.
func (m *Marker) drain() {
	h := m.h
	for {
		for m.depth > 0 {
			m.depth--
			m.scan(m.stack[m.depth])
		}
		if m.lost == nothingLost {
			return
		}
		from := m.lost >> 6
		m.lost = nothingLost
		for w := from; w < uint32(len(h.used)); w++ {
			// what gets marked behind the current bit is either on the stack or lost
			for marked := h.head[w] &^ h.used[w]; marked != 0; marked &= marked - 1 {
				if b := w<<6 + uint32(bits.TrailingZeros64(marked)); !h.isHollow(b) {
					m.scan(b)
				}
				for m.depth > 0 {
					m.depth--
					m.scan(m.stack[m.depth])
				}
			}
		}
	}
}

// scan marks what the words of the allocation at block b point to.
func (m *Marker) scan(b uint32) {
	h := m.h
	at := h.pool>>3 + b*2
	for _, pair := range h.dwords[at : at+h.chainLen(b)*2] {
		if pair == 0 {
			continue
		}
		if lo := uint32(pair); h.blockAt(lo) < h.nblocks {
			m.mark(lo)
		}
		if hi := uint32(pair >> 32); h.blockAt(hi) < h.nblocks {
			m.mark(hi)
		}
	}
}

// Collect frees every allocation that cannot be reached from the roots and
// returns how many there were (what gc.collect() returns on builds where it
// returns a number). It works on a locked heap as well, as upstream, but does
// nothing when called from within the roots function or a finaliser.
func (h *Heap) Collect() (freed int) {
	if h.collecting {
		return 0
	}
	h.collecting = true
	h.Lock()
	h.most = max(h.most, h.nblocks-h.nfree)
	h.before += uint64(h.amount)
	h.amount = 0
	if h.roots != nil || h.pinned != 0 {
		m := &h.marker
		m.depth, m.lost = 0, nothingLost
		m.Word(h.pinned)
		if h.roots != nil {
			h.roots(m)
		}
	}
	return h.finish()
}

// SweepAll finalises and frees every allocation, reachable or not, as the
// firmware does before a soft reboot. It returns how many there were.
func (h *Heap) SweepAll() (freed int) {
	if h.collecting {
		return 0
	}
	h.collecting = true
	h.Lock()
	return h.finish()
}

// finish is the part of a collection after marking.
func (h *Heap) finish() int {
	h.finalise()
	before := h.nfree
	freed := h.sweep()
	h.Unlock()
	h.collects++
	h.forgetHints()
	h.collecting = false
	if h.swept != nil {
		h.swept()
	}
	if h.Trace != nil {
		h.Trace(OpCollect, 0, uint32(freed), (h.nfree-before)*BlockBytes)
	}
	return freed
}

// finalise calls the finaliser for the unmarked heads that have the bit, and
// clears the bits. Upstream frees as it goes; nobody can tell, since the heap
// is locked and freeing keeps the content.
func (h *Heap) finalise() {
	if h.nfinal == 0 {
		return
	}
	for w := range h.final {
		dead := h.final[w] & h.head[w] & h.used[w]
		if dead == 0 {
			continue
		}
		for rest := dead; rest != 0; rest &= rest - 1 {
			if h.finaliser != nil {
				b := uint32(w)<<6 + uint32(bits.TrailingZeros64(rest))
				h.finaliser(h.pool + b*BlockBytes)
			}
		}
		h.final[w] &^= dead
		h.nfinal -= uint32(bits.OnesCount64(dead))
	}
}

// sweep keeps marked heads, as heads, and the tails behind them, and frees the
// rest, 64 blocks at a time: adding the bits right behind the live heads to the
// tails carries through exactly the runs of tails that are live.
func (h *Heap) sweep() (freed int) {
	last := len(h.used) - 1
	h.used[last] &^= h.padding() // "marked", so that it survives
	var follow uint64            // 1 if the next word starts behind a live block
	free := uint32(0)
	for w, used := range h.used {
		head := h.head[w]
		if used|head == 0 {
			follow = 0
			free += 64
			continue
		}
		live := head &^ used
		tails := used &^ head
		first := (live<<1 | follow) & tails
		sum, carry := bits.Add64(tails, first, 0)
		kept := tails &^ sum
		follow = carry | live>>63
		freed += bits.OnesCount64(head & used)
		h.head[w] = live
		if h.hollow != nil {
			h.hollow[w] &= live
		}
		h.used[w] = live | kept
		free += 64 - uint32(bits.OnesCount64(live|kept))
	}
	h.nfree = free
	return freed
}
