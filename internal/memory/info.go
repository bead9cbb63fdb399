package memory

import (
	"bufio"
	"fmt"
	"io"
	"math/bits"
)

// Info is what micropython.mem_info() reports of the heap.
type Info struct {
	Total, Used, Free uint32 // bytes of the pool
	MaxFree           uint32 // blocks in the longest run of free blocks
	NumFree           uint32 // runs of free blocks (not reported by upstream)
	Num1Block         uint32 // allocations of exactly one block
	Num2Block         uint32 // allocations of exactly two blocks
	MaxBlock          uint32 // blocks in the largest allocation
}

// Info counts the blocks of the pool.
func (h *Heap) Info() Info {
	info := Info{Total: h.nblocks * BlockBytes, Used: h.MemAlloc(), Free: h.MemFree()}
	for b := uint32(0); b < h.nblocks; {
		n := uint32(0)
		if h.used[b>>6]>>(b&63)&1 == 0 {
			n = h.nextUsed(b) - b
			info.NumFree++
			info.MaxFree = max(info.MaxFree, n)
		} else {
			n = h.chainLen(b)
			switch n {
			case 1:
				info.Num1Block++
			case 2:
				info.Num2Block++
			}
			info.MaxBlock = max(info.MaxBlock, n)
		}
		b += n
	}
	return info
}

// MemFree is the number of free bytes in the pool: gc.mem_free().
func (h *Heap) MemFree() uint32 { return h.nfree * BlockBytes }

// MemAlloc is the number of allocated bytes in the pool: gc.mem_alloc().
func (h *Heap) MemAlloc() uint32 { return (h.nblocks - h.nfree) * BlockBytes }

// Taken is what was allocated since the reset, in bytes of whole blocks, given back
// or not; growth in place is left out.
func (h *Heap) Taken() uint64 { return (h.before + uint64(h.amount)) * BlockBytes }

// MostUsed is the largest MemAlloc that a collection or a call of this has seen.
func (h *Heap) MostUsed() uint32 {
	h.most = max(h.most, h.nblocks-h.nfree)
	return h.most * BlockBytes
}

// Each calls f for every allocation, in the order of addresses, until f
// returns false: its address, the bytes of its blocks, whether it has the
// finaliser bit.
func (h *Heap) Each(f func(addr, size uint32, final bool) bool) {
	for w, head := range h.head {
		for ; head != 0; head &= head - 1 {
			b := uint32(w)<<6 + uint32(bits.TrailingZeros64(head))
			if b >= h.nblocks {
				return
			}
			final := h.final != nil && h.final[w]>>(b&63)&1 != 0
			if !f(h.pool+b*BlockBytes, h.chainLen(b)*BlockBytes, final) {
				return
			}
		}
	}
}

const dumpBlocksPerLine = 64

// Dump writes the map of blocks that micropython.mem_info(1) prints, lines
// ending in \n: '.' for a free block, '=' for a tail and for a head what kind
// returns for its address, 'h' without kind and for what Reserve gave.
func (h *Heap) Dump(w io.Writer, kind func(addr uint32) byte) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "GC memory layout; from %x:", h.pool)
	for b := uint32(0); b < h.nblocks; b++ {
		if b%dumpBlocksPerLine == 0 {
			if next := h.nextUsed(b); next-b >= 2*dumpBlocksPerLine {
				fmt.Fprintf(out, "\n       (%d lines all free)", (next-b)/dumpBlocksPerLine)
				b = next &^ (dumpBlocksPerLine - 1)
				if b >= h.nblocks {
					break
				}
			}
			fmt.Fprintf(out, "\n%05x: ", b*BlockBytes&0xfffff)
		}
		out.WriteByte(h.letter(b, kind))
	}
	out.WriteByte('\n')
	return out.Flush()
}

func (h *Heap) letter(b uint32, kind func(addr uint32) byte) byte {
	used := h.used[b>>6]>>(b&63)&1 != 0
	head := h.head[b>>6]>>(b&63)&1 != 0
	switch {
	case !used && !head:
		return '.'
	case !head:
		return '='
	case !used:
		return 'm'
	case kind == nil, h.isHollow(b):
		return 'h'
	}
	return kind(h.pool + b*BlockBytes)
}
