package bench

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/hosted"
	"github.com/skep-sim/skep/internal/vm"
)

// heapBytes is enough for every program; the module's own 32768 is not.
const heapBytes = 64 << 20

// checksums gives the line that each program must print.
func checksums(tb testing.TB) map[string]string {
	tb.Helper()
	text, err := os.ReadFile("programs/checksums.txt")
	if err != nil {
		tb.Fatal(err)
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, _, _ := strings.Cut(line, " ")
		sums[name] += line
	}
	return sums
}

// programs lists the programs by name, with their source.
func programs(tb testing.TB) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob("programs/*.py")
	if err != nil || len(files) == 0 {
		tb.Fatalf("programs/*.py: %d files, %v", len(files), err)
	}
	all := map[string][]byte{}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(f), ".py")] = src
	}
	return all
}

// BenchmarkPrograms runs each program from source to end, on a fresh heap.
func BenchmarkPrograms(b *testing.B) {
	options := vm.XBee()
	options.StackLimit = 40000 // a hosted build's: fib needs more than the module has
	fw := hosted.NewFirmware(options)
	sums := checksums(b)
	for name, src := range programs(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var out, errs bytes.Buffer
				hosted.RunOn(fw, hosted.Config{HeapBytes: heapBytes, Stdout: &out, Stderr: &errs}, src, name+".py", nil)
				if got := out.String(); got != sums[name] {
					b.Fatalf("printed %q %q, want %q", got, errs.String(), sums[name])
				}
			}
		})
	}
}

// TestChecksums wants a checksum for each program. The benchmark compares them.
func TestChecksums(t *testing.T) {
	sums := checksums(t)
	for name := range programs(t) {
		if sums[name] == "" {
			t.Errorf("programs/checksums.txt has no line for %s", name)
		}
		delete(sums, name)
	}
	for name := range sums {
		t.Errorf("programs/checksums.txt: there is no program %s", name)
	}
}
