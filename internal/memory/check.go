package memory

import (
	"fmt"
)

// Check returns an error naming the first block where the tables contradict
// themselves, or nil. It is for tests and for finding who wrote where he
// should not: the tables lie in the arena. It is not to be called during a
// collection.
func (h *Heap) Check() error {
	free, finals := uint32(0), uint32(0)
	inChain := false
	for b := uint32(0); b < h.nblocks; b++ {
		w, i := b>>6, b&63
		used, head := h.used[w]>>i&1 != 0, h.head[w]>>i&1 != 0
		if head && !used {
			return fmt.Errorf("memory: block %d (%#x) is marked outside a collection", b, h.pool+b*BlockBytes)
		}
		if used && !head && !inChain {
			return fmt.Errorf("memory: block %d (%#x) continues an allocation but follows a free block", b, h.pool+b*BlockBytes)
		}
		if h.final != nil && h.final[w]>>i&1 != 0 {
			finals++
			if !head {
				return fmt.Errorf("memory: block %d (%#x) has a finaliser but starts no allocation", b, h.pool+b*BlockBytes)
			}
		}
		inChain = used
		if !used {
			free++
		}
	}
	last := len(h.used) - 1
	switch {
	case h.used[last]&h.padding() != h.padding() || h.head[last]&h.padding() != h.padding():
		return fmt.Errorf("memory: the end marks of the allocation table are overwritten")
	case h.final != nil && h.final[last]&h.padding() != 0:
		return fmt.Errorf("memory: the end marks of the finaliser table are overwritten")
	case free != h.nfree:
		return fmt.Errorf("memory: %d blocks are free but %d are counted", free, h.nfree)
	case finals != h.nfinal:
		return fmt.Errorf("memory: %d finalisers are set but %d are counted", finals, h.nfinal)
	}
	if err := h.checkOpen(); err != nil {
		return err
	}
	h.settle()
	return h.checkHints()
}

// checkOpen looks at what the open run claims.
func (h *Heap) checkOpen() error {
	for b := h.full; b < h.openEnd; b++ {
		if used := h.used[b>>6]>>(b&63)&1 != 0; used != (b < h.open) {
			return fmt.Errorf("memory: block %d is on the wrong side of the open run %d to %d, full from %d on", b, h.open, h.openEnd, h.full)
		}
	}
	return nil
}

// checkHints looks for a run of free blocks that a hint denies.
func (h *Heap) checkHints() error {
	for b := h.nextFree(0); b < h.nblocks; {
		end := h.nextUsed(b)
		for k := 1; k <= topClass && classMin[k] <= end-b; k++ {
			if h.hint[k] > b {
				return fmt.Errorf("memory: %d free blocks at %d but the search for %d starts at %d", end-b, b, classMin[k], h.hint[k])
			}
		}
		b = h.nextFree(end)
	}
	return nil
}

// A Snapshot is a copy of a heap's memory and counters.
type Snapshot struct {
	dwords, hollow                     []uint64
	nfree, nfinal                      uint32
	lockDepth, threshold, amount       uint32
	failAt, failRun, allocs, collects  uint64
	autoOff                            bool
	pool, blocks, stack, flash, length uint32
}

// Snapshot copies the memory, tables and counters; not the callbacks.
func (h *Heap) Snapshot() *Snapshot {
	s := &Snapshot{
		dwords: append([]uint64(nil), h.dwords...),
		hollow: append([]uint64(nil), h.hollow...),
		nfree:  h.nfree, nfinal: h.nfinal,
		lockDepth: h.lockDepth, threshold: h.threshold, amount: h.amount,
		failAt: h.failAt, failRun: h.failRun, allocs: h.allocs, collects: h.collects,
		autoOff: h.autoOff,
		pool:    h.pool, blocks: h.nblocks, stack: h.stack, flash: h.flash, length: uint32(len(h.bytes)),
	}
	return s
}

// Restore puts the heap back into the state of a Snapshot of it, or of another
// heap of the same Config; its callbacks stay. Words and Bytes stay the same
// slices. A Snapshot may be restored any number of times.
func (h *Heap) Restore(s *Snapshot) error {
	if s.pool != h.pool || s.blocks != h.nblocks || s.stack != h.stack || s.flash != h.flash || s.length != uint32(len(h.bytes)) {
		return fmt.Errorf("memory: snapshot is of a heap with %d blocks and %d bytes in all, this one has %d and %d; restore into one made with the same sizes",
			s.blocks, s.length, h.nblocks, len(h.bytes))
	}
	copy(h.dwords, s.dwords)
	h.hollow = append(h.hollow[:0], s.hollow...)
	if len(h.hollow) == 0 {
		h.hollow = nil
	}
	h.nfree, h.nfinal = s.nfree, s.nfinal
	h.lockDepth, h.threshold, h.amount = s.lockDepth, s.threshold, s.amount
	h.failAt, h.failRun, h.allocs, h.collects = s.failAt, s.failRun, s.allocs, s.collects
	h.autoOff = s.autoOff
	h.forgetHints()
	h.updateSpecial()
	return nil
}
