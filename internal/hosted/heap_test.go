package hosted_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/vm"
)

// TestHeap wants whole heaps to be those of the references, with no calibration at
// all: after certain lines of each program it has micropython.mem_info() printed,
// as was done when testdata/heap.tsv was recorded, and compares bytes in use,
// allocations of one block and of two, the longest one, and the longest free run.
//
// The last reports of some programs differ, and the file says how many: behind a
// collection, where the reference keeps what stale words of its C stack point to,
// and behind a recursion to the end of a C stack, which goes to another depth.
func TestHeap(t *testing.T) {
	text, err := os.ReadFile("testdata/heap.tsv")
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]recording{}
	for _, r := range allRecordings(t) {
		byName[r.name] = r
	}
	firmware := map[string]*vm.Firmware{
		"1.11 full": fullFirmware(), "1.11 bare": bareFirmware(), "1.12 full": fullFirmware12(), "1.12 bare": bareFirmware12(),
	}
	equal, all, programs := 0, 0, 0
	for n, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		f := strings.Split(line, "\t")
		r, ok := byName[f[0]]
		if len(f) != 6 || !ok {
			t.Fatalf("heap.tsv:%d: %q", n+2, line)
		}
		want := strings.Fields(f[4])
		differ := 0
		if f[5] != "-" {
			if differ, err = strconv.Atoi(f[5]); err != nil {
				t.Fatalf("heap.tsv:%d: %v", n+2, err)
			}
		}
		got := heapReports(t, firmware[f[1]+" "+f[2]], r, f[3])
		same := len(want) - differ
		if len(got) < same || !slices.Equal(got[:same], want[:same]) {
			t.Errorf("%s, %s %s:\n got %q\nwant %q", f[0], f[1], f[2], got, want[:same])
		} else if differ > 0 && len(got) > same && got[same] == want[same] {
			t.Errorf("%s, %s %s: report %d is equal: change the last column of heap.tsv", f[0], f[1], f[2], same+1)
		}
		programs++
		for i := range min(len(got), len(want)) {
			if got[i] == want[i] {
				equal++
			}
		}
		all += len(want)
	}
	if programs < 500 {
		t.Errorf("only %d programs", programs)
	}
	t.Logf("%d of %d reports equal, of %d programs", equal, all, programs)
}

// heapReports runs a program with a report after each of the lines.
func heapReports(t *testing.T, fw *vm.Firmware, r recording, lines string) (reports []string) {
	t.Helper()
	src, err := sourceOf(r.name + ".py")
	if err != nil {
		t.Fatal(err)
	}
	after := map[string]bool{}
	for _, l := range strings.Split(lines, ",") {
		after[l] = true
	}
	var b bytes.Buffer
	b.WriteString("import micropython as mI")
	for i, l := range bytes.Split(src, []byte("\n")) {
		b.WriteString("\n")
		b.Write(l)
		if after[strconv.Itoa(i+1)] {
			b.WriteString("\nmI.mem_info()")
		}
	}
	out, _, err := run(fw, r, b.Bytes(), r.name+".py")
	if err != nil {
		t.Errorf("%s: %v", r.name, err)
	}
	for rest := string(out); ; {
		_, after, found := strings.Cut(rest, "GC: total: ")
		if !found {
			return reports
		}
		rest = after
		var total, used, free, one, two, longest, run int
		if n, _ := fmt.Sscanf(rest, "%d, used: %d, free: %d\n No. of 1-blocks: %d, 2-blocks: %d, max blk sz: %d, max free sz: %d",
			&total, &used, &free, &one, &two, &longest, &run); n == 7 {
			reports = append(reports, fmt.Sprintf("%d/%d/%d/%d/%d", used, one, two, longest, run))
		}
	}
}
