package memory

import "slices"

// Clone makes another heap with the same content, at the same addresses: blocks,
// settings and counters. It has no callbacks and is not traced. It must not be
// called during a collection.
func (h *Heap) Clone() *Heap {
	c := &Heap{
		hollow: slices.Clone(h.hollow),
		pool:   h.pool, nblocks: h.nblocks, nfree: h.nfree, nfinal: h.nfinal,
		special: h.special, autoOff: h.autoOff, collecting: h.collecting, lockDepth: h.lockDepth,
		threshold: h.threshold, amount: h.amount, failAt: h.failAt, failRun: h.failRun,
		allocs: h.allocs, collects: h.collects, before: h.before, most: h.most,
		hint: h.hint, last: h.last, lastLen: h.lastLen, full: h.full, open: h.open, openEnd: h.openEnd,
		pinned: h.pinned, stack: h.stack, flash: h.flash, config: h.config, stackBytes: h.stackBytes,
	}
	c.makeArena()
	c.copyArena(h.dwords)
	c.marker = Marker{h: c, stack: make([]uint32, len(h.marker.stack))}
	return c
}
