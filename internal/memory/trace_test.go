package memory

import (
	"bytes"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// The recording holds what MicroPython v1.11's collector, built for 32 bits
// with finalisers, threshold and a return value and given 32768 bytes, answers
// to a random program. A line is an operation with up to three numbers (blocks
// are counted from the pool's first, -1 is NULL, absent is 0) and, behind "=",
// the answer, if any, after the collections (G) and finalisations (Fblock) on
// the way:
//
//	a/A n          allocate n bytes, without/with finaliser = block; word 0 becomes 1
//	f b            free
//	r b n move     resize to n bytes = block
//	R/U b          becomes a root / is one no more
//	w b i c        word i of block b becomes the address of block c
//	n b            = bytes of the allocation
//	t n            threshold in blocks, -1 off
//	e on           automatic collection
//	l on           lock, or unlock
//	g              collect = allocations freed
//	i              = total used free max_free 1-blocks 2-blocks max_block
//
//go:embed testdata/collector-v1.11.txt
var recording []byte

// TestRecording replays it.
func TestRecording(t *testing.T) {
	h := New(Config{HeapBytes: 32768, Finalisers: true})
	pool, _ := h.Pool()
	addr := func(b int) uint32 { return pool + uint32(b)*BlockBytes }
	block := func(p uint32) string {
		if p == 0 {
			return "-1"
		}
		return fmt.Sprint((p - pool) / BlockBytes)
	}
	var events strings.Builder
	var roots []uint32
	h.SetRoots(func(m *Marker) {
		events.WriteString("G ")
		m.Words(roots)
	})
	h.SetFinaliser(func(p uint32) {
		if h.Words()[p/4] != 0 { // upstream asks only objects that have a type
			events.WriteString("F" + block(p) + " ")
		}
	})
	allocate := func(p uint32, n int) string {
		if p != 0 && n >= 4 {
			h.Words()[p/4] = 1
		}
		return block(p)
	}
	for i, line := range strings.Split(string(bytes.TrimSpace(recording)), "\n") {
		op, want, _ := strings.Cut(line, " = ")
		var arg [3]int
		for k, f := range strings.Fields(op)[1:] {
			n, err := strconv.Atoi(f)
			if err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
			arg[k] = n
		}
		events.Reset()
		got := ""
		switch op[0] {
		case 'a':
			got = allocate(h.Alloc(uint32(arg[0])), arg[0])
		case 'A':
			got = allocate(h.AllocFinal(uint32(arg[0])), arg[0])
		case 'f':
			h.Free(addr(arg[0]))
		case 'r':
			got = block(h.Realloc(addr(arg[0]), uint32(arg[1]), arg[2] != 0))
		case 'R':
			roots = append(roots, addr(arg[0]))
		case 'U':
			for k, p := range roots {
				if p == addr(arg[0]) {
					roots[k] = roots[len(roots)-1]
					roots = roots[:len(roots)-1]
					break
				}
			}
		case 'w':
			h.Words()[addr(arg[0])/4+uint32(arg[1])] = addr(arg[2])
		case 'n':
			got = fmt.Sprint(h.Size(addr(arg[0])))
		case 't':
			h.SetThreshold(arg[0] * BlockBytes)
		case 'e':
			h.Enable(arg[0] != 0)
		case 'l':
			if arg[0] != 0 {
				h.Lock()
			} else {
				h.Unlock()
			}
		case 'g':
			got = fmt.Sprint(h.Collect())
		case 'i':
			info := h.Info()
			got = fmt.Sprint(info.Total, info.Used, info.Free, info.MaxFree, info.Num1Block, info.Num2Block, info.MaxBlock)
		default:
			t.Fatalf("line %d: unknown operation %q", i+1, line)
		}
		if got = strings.TrimSpace(events.String() + got); got != want {
			t.Fatalf("line %d: %s = %s, want %s", i+1, op, got, want)
		}
	}
	if err := h.Check(); err != nil {
		t.Error(err)
	}
}
