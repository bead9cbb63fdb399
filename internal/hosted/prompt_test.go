package hosted_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/skep-sim/skep/internal/hosted"
	"github.com/skep-sim/skep/internal/pylib"
	"github.com/skep-sim/skep/internal/repl"
	"github.com/skep-sim/skep/internal/vm"
)

// typist types a recording's bytes and keeps what comes back.
type typist struct {
	in  []byte
	out bytes.Buffer
}

func (k *typist) Key() (byte, bool) {
	if len(k.in) == 0 {
		return 0, false
	}
	b := k.in[0]
	k.in = k.in[1:]
	return b, true
}

func (k *typist) Write(b []byte) { k.out.Write(b) }

func (k *typist) SetInterrupt(int) {}

// promptFirmware is a small build with the texts its prompt prints.
func promptFirmware(o vm.Options) *vm.Firmware {
	fw := vm.NewFirmware(o)
	pylib.Standard(fw, pylib.SysConfig{Platform: "xbee", Version: o.Release()})
	pylib.Help(fw, pylib.HelpText)
	return fw.Seal()
}

// typeInto types bytes into the prompt of a new interpreter.
func typeInto(fw *vm.Firmware, heap int, in []byte) []byte {
	k := &typist{in: in}
	v := vm.New(vm.Config{Firmware: fw, HeapBytes: uint32(heap), Hooks: vm.Hooks{
		Stdout: func(b []byte) { k.Write(bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))) },
	}})
	v.StepLimit = stepLimit
	v.InitSysLists()
	p := repl.New(v, k, repl.Config{
		Banner: fmt.Sprintf("MicroPython v1.%d on DATE; BOARD with MCU\r\nType \"help()\" for more information.\r\n", fw.Options.Release()[1]),
	})
	p.Start()
	p.Run()
	return k.out.Bytes()
}

// TestPrompt types the recorded sessions into the prompt of the small build.
func TestPrompt(t *testing.T) {
	fw := promptFirmware(hosted.Bare())
	c := &tally{run: "prompt"}
	for _, r := range allRecordings(t) {
		if r.category != "repl" {
			continue
		}
		t.Run(r.name, func(t *testing.T) { comparePrompt(t, c, fw, r, "testdata/expected/"+r.name+".out") })
	}
	c.report(t)
}

func comparePrompt(t *testing.T, c *tally, fw *vm.Firmware, r recording, expected string) {
	in, err := sourceOf(r.name + ".in")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(expected)
	if err != nil {
		t.Fatal(err)
	}
	c.check(t, r.name, firstDifference(typeInto(fw, r.heap, in), want))
}

// TestMemInfo pastes a program into the prompt, as it was recorded, and compares
// what it does to the heap. The figures themselves depend on the text that was
// pasted, which is not known to the byte; the steps between them do not. What the
// collection freed is a lower bound: stale words on the reference's C stack kept
// an array and its items, 144 bytes, which has no place here
// (docs/not-modelled.md).
func TestMemInfo(t *testing.T) {
	src, err := sourceOf("mem_mem_info.py")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/expected/mem_mem_info.out")
	if err != nil {
		t.Fatal(err)
	}
	in := append([]byte{5}, bytes.ReplaceAll(src, []byte("\n"), []byte("\r"))...)
	got := typeInto(promptFirmware(hosted.Bare()), 32768, append(in, 4))
	g, w := usedBytes(t, got), usedBytes(t, want)
	if len(g) != 4 || len(w) != 4 {
		t.Fatalf("%d and %d reports, want 4:\n%s", len(g), len(w), got)
	}
	for i, kept := range []int{0, 144, 0} {
		step, recorded := g[i+1]-g[i], w[i+1]-w[i]
		if step > recorded || step < recorded-kept {
			t.Errorf("report %d: %+d bytes since the last, want %+d", i+2, step, recorded)
		}
	}
}

// usedBytes reads the used bytes off the reports of micropython.mem_info().
func usedBytes(t *testing.T, out []byte) []int {
	t.Helper()
	var all []int
	for line := range bytes.Lines(out) {
		var total, used, free int
		if n, _ := fmt.Sscanf(string(line), "GC: total: %d, used: %d, free: %d", &total, &used, &free); n == 3 {
			if total != 32000 || used+free != total {
				t.Errorf("%q: the total is not 32000, or not the sum", line)
			}
			all = append(all, used)
		}
	}
	return all
}
