package hosted_test

import (
	"bytes"
	"hash/fnv"
	"testing"

	"github.com/skep-sim/skep/internal/hosted"
	"github.com/skep-sim/skep/internal/memory"
	"github.com/skep-sim/skep/internal/vm"
)

// trail is all that one run of a program did to its memory.
type trail struct {
	out      string
	status   int
	ops      int    // allocations, frees, resizes, collections
	hash     uint64 // of all of them, and at each collection of what the collector sees
	collects uint64
	first    []uint64 // of the hash, to say where two runs part
}

// follow runs a program and notes each operation on the heap, with its address.
func follow(fw *vm.Firmware, r recording, src []byte, file string, heap int, plain bool, debug *vm.Debugger) (tr trail) {
	var out, errs bytes.Buffer
	sum := fnv.New64a()
	word := func(v uint32) { sum.Write([]byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)}) }
	var h *memory.Heap
	tr.status = hosted.RunOn(fw, hosted.Config{
		HeapBytes: heap, OptLevel: r.level, Plain: plain, Debug: debug, NoFiles: true, Stdout: &out, Stderr: &errs, StepLimit: stepLimit,
		OnVM: func(v *vm.VM) {
			h = v.Heap()
			h.Trace = func(op byte, addr, n, old uint32) {
				word(uint32(op))
				word(addr)
				word(n)
				word(old)
				if op == memory.OpCollect {
					pointers(h, word)
				}
				tr.ops++
				tr.first = append(tr.first, sum.Sum64())
			}
		},
	}, src, file, nil)
	pointers(h, word)
	tr.out, tr.hash, tr.collects = out.String()+errs.String(), sum.Sum64(), h.NumCollections()
	return tr
}

// pointers gives each word of the live blocks and of the stack that could be the
// address of a block, with its place.
func pointers(h *memory.Heap, word func(uint32)) {
	words := h.Words()
	lo, hi := h.Pool()
	span := func(from, to uint32) {
		for i := from / 4; i < to/4; i++ {
			if w := words[i]; w&15 == 0 && w >= lo && w < hi {
				word(i)
				word(w)
			}
		}
	}
	h.Each(func(addr, size uint32, final bool) bool {
		span(addr, addr+size)
		return true
	})
	span(h.Stack())
}

// TestPlain runs every program with fused instructions and without: on the same
// heap both must make the same allocations at the same addresses, and leave the
// same pointers wherever a collection looks.
func TestPlain(t *testing.T) {
	collects := uint64(0)
	for name, fw := range map[string]*vm.Firmware{"full": fullFirmware(), "bare": bareFirmware(), "xbee": hosted.NewFirmware(vm.XBee())} {
		for _, r := range allRecordings(t) {
			if r.category == "repl" {
				continue
			}
			src, err := sourceOf(r.name + ".py")
			if err != nil {
				t.Fatal(err)
			}
			heap := r.heap
			if heap == 0 || heap > 1<<16 {
				heap = 1 << 16 // small, so that it collects
			}
			plain := follow(fw, r, src, r.name+".py", heap, true, nil)
			fused := follow(fw, r, src, r.name+".py", heap, false, nil)
			collects += plain.collects
			if plain.out != fused.out || plain.status != fused.status {
				t.Errorf("%s, %s: the output differs: %s", name, r.name, firstDifference([]byte(fused.out), []byte(plain.out)))
			}
			if plain.ops != fused.ops || plain.hash != fused.hash {
				at := 0
				for at < min(plain.ops, fused.ops) && plain.first[at] == fused.first[at] {
					at++
				}
				t.Errorf("%s, %s: the memory differs from operation %d of %d on", name, r.name, at, plain.ops)
			}
		}
	}
	if collects < 100 {
		t.Errorf("only %d collections looked at", collects)
	}
	t.Logf("%d collections", collects)
}
