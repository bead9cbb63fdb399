package hosted_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/hosted"
	"github.com/skep-sim/skep/internal/vm"
)

const (
	// failAtTries is in how many places each program's memory fails in TestFailAt. The
	// environment's SKEP_FAILAT replaces it; "all" is every allocation of every program,
	// which takes an hour or two.
	failAtTries = 3
	// failAtMost bounds all: one program makes 110000 allocations.
	failAtMost = 25000
)

// TestFailAt runs every recorded program, in three builds, with allocation k failing,
// and those about v1.12 in its build, and with three in a row failing so that there is no memory for the exception
// either. The outcome is an exception of Python's or the program's end, and a heap in
// which every allocation is somebody's.
func TestFailAt(t *testing.T) {
	tries := failAtTries
	switch s := os.Getenv("SKEP_FAILAT"); {
	case s == "all":
		tries = failAtMost
	case s != "":
		var err error
		if tries, err = strconv.Atoi(s); err != nil {
			t.Fatalf("SKEP_FAILAT=%s: give a number of tries, or all", s)
		}
	}
	builds := []struct {
		name string
		fw   *vm.Firmware
	}{{"full", fullFirmware()}, {"bare", bareFirmware()}, {"xbee", hosted.NewFirmware(vm.XBee())}}
	runs := 0
	for _, r := range allRecordings(t) {
		src, err := sourceOf(r.name + ".py")
		if err != nil {
			continue // a session at the prompt: package repl lets those fail
		}
		t.Run(r.name, func(t *testing.T) {
			for _, b := range builds {
				n := failEach(t, b.fw, r.name, src, tries)
				runs += n
				if tries > 1000 {
					t.Logf("%s: %d runs", b.name, n)
				}
			}
		})
	}
	own, _ := filepath.Glob(v12 + "/programs/*.py")
	for _, file := range own {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		runs += failEach(t, fullFirmware12(), strings.TrimSuffix(filepath.Base(file), ".py"), src, max(tries, 20))
	}
	t.Logf("%d runs", runs)
}

// failEach runs one program with its allocations failing, in about so many places,
// and returns how often it ran.
func failEach(t *testing.T, fw *vm.Firmware, name string, src []byte, tries int) (runs int) {
	const heap, steps = 65536, 500
	file := name + ".py"
	var last *vm.VM
	hosted.RunOn(fw, hosted.Config{
		HeapBytes: heap, Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}, StepLimit: steps, OnVM: func(v *vm.VM) { last = v },
	}, src, file, nil)
	total := int(last.Heap().Allocations())
	start := 1
	if stride := total / tries; stride > 1 {
		start += (total + len(src)) % stride // not the same place in each
	}
	for k := start; k <= total; k += 1 + total/tries {
		for _, run := range [...]int{1, 3} {
			if _, _, err := contained(fw, src, file, heap, failure{k, run}, steps); err != nil {
				t.Errorf("%s, allocation %d of %d and %d more: %v", name, k, total, run-1, err)
			}
			runs++
		}
	}
	return runs
}
