// Package memory is the RAM of one device: a single array of 32-bit words that
// holds the stack region, the allocation tables, the pool of 16-byte blocks in
// which every Python object lives and, after them, the flash region that bundled
// code is read from. It allocates, resizes, frees and collects blocks
// with the results of MicroPython v1.11's collector (first fit, lowest
// address, conservative marking, finalisers in address order), so that
// gc.mem_free(), micropython.mem_info() and a MemoryError come out as on the
// device.
//
// It knows nothing of what the words mean: object types, roots and finalisers
// are the caller's, who hands in callbacks. It is not safe for concurrent use:
// one goroutine runs one device.
//
// Wherever upstream leaves a choice, this package follows a build with
// MICROPY_GC_CONSERVATIVE_CLEAR on, which is v1.11's default: every newly
// allocated block is zero.
package memory

import (
	"errors"
	"fmt"
	"unsafe"
)

// BlockBytes is the unit of allocation in bytes.
const BlockBytes = 16

const (
	// The pool begins here at the lowest. 0 can be NULL, and nothing that a program of
	// the device's size counts, nor the two last letters of a text, can be taken for
	// the address of a block: on the device, whose RAM begins at 0x20000000, the
	// collector never mistakes them either. The stack and the tables end where the pool
	// begins. Nobody writes below them, so the operating system has no memory there.
	lowestPool    = 32768
	nullBytes     = 64      // never handed out
	maxArenaBytes = 1 << 30 // leaves the upper address space to the caller's ROM
)

// Config says how large the parts of a device's RAM are. All sizes are bytes.
type Config struct {
	// HeapBytes is the area that the firmware gives to its collector, tables
	// included: 32768 yields the pool of 32000 that an XBee 3 reports.
	HeapBytes int
	// StackBytes is the region before the pool that the caller uses as the
	// device's stack; rounded up to a multiple of 16.
	StackBytes int
	// FlashBytes is the region after the pool for bundled code, which the
	// collector neither allocates from nor marks; rounded up to a multiple of 16.
	FlashBytes int
	// Finalisers gives every block a bit that says whether it is to be
	// finalised. The table for it is paid for from HeapBytes.
	Finalisers bool
}

// PoolBytes is the size of the pool that HeapBytes yields: what mem_info calls
// the total. The allocation table has A bytes for 4A blocks, and the finaliser
// table, where there is one, A/2; A is the largest for which they and the pool fit.
func (c Config) PoolBytes() int {
	return c.tableBytes() * 4 * BlockBytes
}

func (c Config) tableBytes() int {
	if c.HeapBytes <= 0 {
		return 0
	}
	heap := int64(c.HeapBytes)
	if c.Finalisers {
		return int(heap * 8 / 524)
	}
	return int(heap / 65)
}

// Validate returns an error if New cannot make a heap of these sizes.
func (c Config) Validate() error {
	switch {
	case c.HeapBytes < 0 || c.StackBytes < 0 || c.FlashBytes < 0:
		return errors.New("memory: a size is negative; give heap, stack and flash sizes in bytes, 0 or more")
	case c.tableBytes() == 0:
		return fmt.Errorf("memory: a heap of %d bytes has no room for a block; give at least 66 bytes (32768 is the XBee 3's)", c.HeapBytes)
	case int64(c.HeapBytes)+int64(c.StackBytes)+int64(c.FlashBytes) > maxArenaBytes-lowestPool-4096:
		return fmt.Errorf("memory: heap, stack and flash come to more than %d bytes; make the heap smaller", maxArenaBytes-lowestPool-4096)
	}
	return nil
}

// A Heap is the RAM of one device. An address is a byte offset into Words; 0 is
// NULL and never allocated.
//
// Every block is in one of four states, held in two bit planes inside the
// arena, so that runs of blocks are found 64 at a time:
//
//	used head
//	 0    0   free
//	 1    1   head of an allocation
//	 1    0   tail: continues the block before it
//	 0    1   marked head; during a collection only
//
// The bits behind the last block are in state "head" for ever, which ends every
// search. Upstream reads on into the finaliser table there, and takes the end of
// the pool for a tail if block 1 starts an allocation with finaliser and block 0
// one without. That needs a file or socket as the second allocation after reset;
// a firmware has its table of modules there, so the case is left out.
type Heap struct {
	// Trace, if not nil, is told of every operation that succeeded, or failed
	// for want of memory. See the Op constants.
	Trace func(op byte, addr, n, old uint32)

	used, head, final []uint64 // bit planes, one bit a block; final is nil without finalisers

	// hollow has a bit for each head whose content is elsewhere; nil before the
	// first. It is no part of the arena, as the device has no such thing.
	hollow []uint64

	dwords  []uint64 // the arena
	pool    uint32   // address of block 0
	nblocks uint32
	nfree   uint32 // free blocks
	nfinal  uint32 // bits set in final

	// special makes Alloc take its slow path: locked, a threshold or FailAt is set.
	special    bool
	autoOff    bool
	collecting bool
	lockDepth  uint32
	threshold  uint32 // blocks; noThreshold: off
	amount     uint32 // blocks allocated since the last collection
	failAt     uint64 // value of allocs at which to fail; 0: never
	failRun    uint64 // how many from there on
	allocs     uint64
	collects   uint64
	before     uint64 // blocks allocated before the last collection, ever
	most       uint32 // blocks in use at most, as far as was looked

	// hint[k]: no run of classMin[k] free blocks starts below this block, but
	// for those that reach into the lastLen blocks from last on. Those were
	// freed and not looked at since; the block before them is in use.
	hint    [numClasses]uint32
	last    uint32
	lastLen uint32

	// The blocks from full to open are in use, those from open to openEnd free.
	full, open, openEnd uint32

	pinned    uint32 // what Realloc is moving: a root, as on the device's C stack
	roots     func(*Marker)
	finaliser func(addr uint32)
	swept     func()
	marker    Marker

	words      []uint32
	bytes      []byte
	stack      uint32
	flash      uint32
	config     Config
	stackBytes uint32
}

const noThreshold = ^uint32(0)

// New makes the RAM of a device, all free. It panics if cfg.Validate fails, or
// on a big-endian machine: the words of the arena are read as the device's
// bytes, which are little-endian.
func New(cfg Config) *Heap {
	if err := cfg.Validate(); err != nil {
		panic(err)
	}
	if one := uint16(1); *(*byte)(unsafe.Pointer(&one)) != 1 {
		panic("memory: this machine is big-endian; run Skep on a little-endian one (amd64, arm64, 386, riscv64)")
	}
	h := &Heap{config: cfg, threshold: noThreshold}
	h.nblocks = uint32(cfg.tableBytes()) * 4

	h.stackBytes = roundUp16(uint32(cfg.StackBytes))
	h.pool = max(lowestPool, nullBytes+h.stackBytes+h.tableSpace())
	h.stack = h.pool - h.tableSpace() - h.stackBytes
	h.flash = h.pool + h.nblocks*BlockBytes
	h.makeArena()
	h.marker = Marker{h: h, stack: make([]uint32, min(max(h.nblocks/8, 64), 16384))}
	h.Reset()
	return h
}

// planeWords is the size of a bit plane: rounded up to whole words, with at least
// one bit spare.
func (h *Heap) planeWords() uint32 { return h.nblocks/64 + 1 }

// tableSpace is how many bytes the bit planes take.
func (h *Heap) tableSpace() uint32 {
	planes := uint32(2)
	if h.config.Finalisers {
		planes = 3
	}
	return roundUp16(planes * h.planeWords() * 8)
}

// makeArena makes the arena of the sizes in the config, all zero.
func (h *Heap) makeArena() {
	total := h.flash + roundUp16(uint32(h.config.FlashBytes))
	h.dwords = make([]uint64, total/8)
	h.words = unsafe.Slice((*uint32)(unsafe.Pointer(&h.dwords[0])), total/4)
	h.bytes = unsafe.Slice((*byte)(unsafe.Pointer(&h.dwords[0])), total)

	at, n := (h.pool-h.tableSpace())/8, h.planeWords()
	plane := func() []uint64 {
		p := h.dwords[at : at+n : at+n]
		at += n
		return p
	}
	h.used, h.head = plane(), plane()
	if h.config.Finalisers {
		h.final = plane()
	}
}

// SetFlash makes the flash region n bytes long, rounded up to a multiple of 16,
// and empties it. Everything else stays as it is, at the same addresses, but
// Words and Bytes are other slices from now on. It panics if Config.Validate
// would refuse the size.
func (h *Heap) SetFlash(n int) {
	h.config.FlashBytes = n
	if err := h.config.Validate(); err != nil {
		panic(err)
	}
	old := h.dwords[:h.flash/8]
	h.makeArena()
	h.copyArena(old)
}

// copyArena takes the content of another arena, as far as that goes, but not of the addresses that nobody has.
func (h *Heap) copyArena(from []uint64) {
	copy(h.dwords[:nullBytes/8], from)
	copy(h.dwords[h.stack/8:], from[h.stack/8:])
}

func roundUp16(n uint32) uint32 { return (n + 15) &^ 15 }

// Reset makes every block free, unlocks the heap, turns automatic collection
// on and the threshold off, as the firmware does on a soft reboot. The content
// of the pool, the stack and the flash region stays; callbacks and the
// counters of Allocations and NumCollections do too.
func (h *Heap) Reset() {
	clear(h.used)
	clear(h.head)
	clear(h.final)
	clear(h.hollow)
	last := len(h.used) - 1
	h.used[last] = h.padding()
	h.head[last] = h.padding()
	h.nfree, h.nfinal = h.nblocks, 0
	h.before, h.most = 0, 0
	h.lockDepth, h.autoOff, h.amount, h.threshold, h.failAt = 0, false, 0, noThreshold, 0
	h.forgetHints()
	h.updateSpecial()
}

// forgetHints makes searches start at the first block again.
func (h *Heap) forgetHints() {
	h.hint = [numClasses]uint32{}
	h.lastLen = 0
	h.full, h.open, h.openEnd = 0, 0, 0
}

func (h *Heap) isHollow(b uint32) bool { return h.hollow != nil && h.hollow[b>>6]>>(b&63)&1 != 0 }

// padding is the bits of the last word of a plane that belong to no block.
func (h *Heap) padding() uint64 { return ^uint64(0) << (h.nblocks & 63) }

// Words is the whole arena; the word at address a is Words()[a/4]. The slice
// stays the same until SetFlash.
func (h *Heap) Words() []uint32 { return h.words }

// Bytes is the same memory as Words, byte by byte.
func (h *Heap) Bytes() []byte { return h.bytes }

// Pool returns the addresses [start,end) of the blocks.
func (h *Heap) Pool() (start, end uint32) { return h.pool, h.flash }

// Stack returns the addresses [start,end) of the stack region.
func (h *Heap) Stack() (start, end uint32) { return h.stack, h.stack + h.stackBytes }

// Flash returns the addresses [start,end) of the flash region.
func (h *Heap) Flash() (start, end uint32) { return h.flash, uint32(len(h.bytes)) }

// SetRoots sets the function that marks whatever the program can reach from
// outside the pool. Without one, a collection frees everything.
func (h *Heap) SetRoots(roots func(mark *Marker)) { h.roots = roots }

// SetFinaliser sets the function that Collect and SweepAll call, in the order
// of addresses, for each unreachable allocation with the finaliser bit, while
// its content is still intact. The heap is locked meanwhile: the function can
// neither allocate nor free, and must not panic.
func (h *Heap) SetFinaliser(f func(addr uint32)) { h.finaliser = f }

// SetSwept sets what is called at the end of every collection, when the dead
// blocks are free: whoever keeps things beside the memory, by address, drops
// those of blocks that are no longer Live.
func (h *Heap) SetSwept(f func()) { h.swept = f }

// Lock makes every allocation, resize and free fail or do nothing until the
// matching Unlock. Locks nest.
func (h *Heap) Lock() {
	h.lockDepth++
	h.special = true
}

// Unlock undoes one Lock. Without a Lock to undo it does nothing.
func (h *Heap) Unlock() {
	if h.lockDepth > 0 {
		h.lockDepth--
	}
	h.updateSpecial()
}

// Locked says whether the heap is locked.
func (h *Heap) Locked() bool { return h.lockDepth != 0 }

// Enable turns automatic collection on or off, as gc.enable and gc.disable do.
func (h *Heap) Enable(on bool) { h.autoOff = !on }

// Enabled says whether automatic collection is on.
func (h *Heap) Enabled() bool { return !h.autoOff }

// SetThreshold makes an allocation collect first when at least n bytes' worth
// of blocks (n rounded down to blocks) were allocated since the last
// collection. A negative n turns that off, as it is at the start.
func (h *Heap) SetThreshold(n int) {
	if n < 0 {
		h.threshold = noThreshold
	} else {
		h.threshold = uint32(n / BlockBytes)
	}
	h.updateSpecial()
}

// Threshold is what SetThreshold set, rounded down to blocks, or -1.
func (h *Heap) Threshold() int {
	if h.threshold == noThreshold {
		return -1
	}
	return int(h.threshold) * BlockBytes
}

// FailAt makes the k-th allocation from now on fail as if no memory were left,
// without collecting; 1 is the next. 0 takes it back. What Allocations counts
// is what can fail.
func (h *Heap) FailAt(k int) { h.FailRun(k, 1) }

// FailRun is FailAt for n allocations in a row: whoever handles the first failure
// finds no memory either.
func (h *Heap) FailRun(k, n int) {
	h.failAt, h.failRun = 0, uint64(n)
	if k > 0 {
		h.failAt = h.allocs + uint64(k)
	}
	h.updateSpecial()
}

// Allocations counts the requests for memory so far: calls of Alloc and
// AllocFinal for at least one byte and of Realloc for more blocks than before,
// successful or not, except those that a lock refused.
func (h *Heap) Allocations() uint64 { return h.allocs }

// NumCollections counts the collections so far, automatic ones included.
func (h *Heap) NumCollections() uint64 { return h.collects }

func (h *Heap) updateSpecial() {
	h.special = h.lockDepth != 0 || h.threshold != noThreshold || h.failAt != 0
}
