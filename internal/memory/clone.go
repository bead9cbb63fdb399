package memory

import "slices"

// Clone makes another heap with the same content, at the same addresses: blocks,
// settings and counters. It has no callbacks and is not traced. It must not be
// called during a collection.
func (h *Heap) Clone() *Heap {
	c := *h
	c.Trace, c.roots, c.finaliser, c.swept = nil, nil, nil, nil
	c.makeArena()
	copy(c.dwords, h.dwords)
	c.hollow = slices.Clone(h.hollow)
	c.marker = Marker{h: &c, stack: make([]uint32, len(h.marker.stack))}
	return &c
}
