package hosted_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/skep-sim/skep/internal/hosted"
	"github.com/skep-sim/skep/internal/vm"
)

// v12 holds the recordings of the references that were built from v1.12: of
// programs of their own, and of those that print something else than v1.11.
const v12 = "testdata/v1.12"

var (
	fullFirmware12 = sync.OnceValue(func() *vm.Firmware { return hosted.NewFirmware(hosted.Full12()) })
	bareFirmware12 = sync.OnceValue(func() *vm.Firmware { return hosted.NewFirmware(hosted.Bare12()) })
)

// expected12 is where the output of a program is: with v1.11's, if it is the same.
func expected12(dir, name, fallback string) string {
	file := filepath.Join(v12, dir, name+".out")
	if _, err := os.Stat(file); err != nil {
		return filepath.Join("testdata", fallback, name+".out")
	}
	return file
}

// compareOwn12 runs the programs that are about v1.12; the small build ends some
// of them with an exception.
func compareOwn12(t *testing.T, c *tally, fw *vm.Firmware, dir string, want0 bool) {
	files, err := filepath.Glob(v12 + "/programs/*.py")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d programs: %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".py")
		t.Run(name, func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(filepath.Join(v12, dir, name+".out"))
			if err != nil {
				t.Fatal(err)
			}
			got, status, err := run(fw, recording{}, src, name+".py")
			if err != nil || want0 && status != 0 {
				t.Errorf("status %d, %v", status, err)
			}
			c.check(t, name, firstDifference(got, want))
		})
	}
}

// TestFull12 compares with the reference of TestFull, built from v1.12.
func TestFull12(t *testing.T) {
	c := &tally{run: "full12"}
	for _, r := range allRecordings(t) {
		if r.binary == "m32xbee" {
			t.Run(r.name, func(t *testing.T) {
				compareProgram(t, c, fullFirmware12(), r, expected12("expected", r.name, "expected"), true)
			})
		}
	}
	compareOwn12(t, c, fullFirmware12(), "expected", true)
	c.report(t)
}

// TestBare12 compares with the reference of TestBare, built from v1.12.
func TestBare12(t *testing.T) {
	c := &tally{run: "bare12"}
	for _, r := range allRecordings(t) {
		dir := map[string]string{"same": "expected", "differs": "expected_bare"}[r.bare]
		if dir != "" {
			t.Run(r.name, func(t *testing.T) {
				compareProgram(t, c, bareFirmware12(), r, expected12("expected_bare", r.name, dir), false)
			})
		}
	}
	compareOwn12(t, c, bareFirmware12(), "expected_bare", false)
	c.report(t)
}

// TestPrompt12 types the recorded sessions at the prompt of v1.12.
func TestPrompt12(t *testing.T) {
	fw := promptFirmware(hosted.Bare12())
	c := &tally{run: "prompt12"}
	for _, r := range allRecordings(t) {
		if r.category == "repl" {
			t.Run(r.name, func(t *testing.T) {
				comparePrompt(t, c, fw, r, filepath.Join(v12, "expected_bare", r.name+".out"))
			})
		}
	}
	c.report(t)
}

// TestMpy12 compiles programs for v1.12, whose .mpy files must print what their
// source prints. Memory programs differ, and so do those of TestMpy.
func TestMpy12(t *testing.T) {
	text := []string{"float_literals_compare", "float_round", "int_big_arith"} // constants are text in a .mpy file
	c := &tally{run: "mpy12"}
	for _, r := range allRecordings(t) {
		if !r.mpy || r.category == "mem" || slices.Contains(text, r.name) || r.level != 0 {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			src, err := sourceOf(r.name + ".py")
			if err != nil {
				t.Fatal(err)
			}
			code, err := crossCompile(src, r.name+".py", 5)
			if err != nil {
				t.Fatal(err)
			}
			want, wantStatus, srcErr := run(fullFirmware12(), r, src, r.name+".py")
			got, status, err := run(fullFirmware12(), r, code, r.name+".mpy")
			difference := firstDifference(got, want)
			if err != nil || srcErr != nil || status != wantStatus {
				difference += fmt.Sprintf(" %v, from source %v; exit status %d, from source %d", err, srcErr, status, wantStatus)
			}
			c.check(t, r.name, difference)
		})
	}
	c.report(t)
}
