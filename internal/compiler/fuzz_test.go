package compiler

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/skep-sim/skep/internal/mpy"
)

// FuzzCompile wants any text to be either refused or compiled to code that
// the verifier accepts and that can be written.
func FuzzCompile(f *testing.F) {
	files, err := filepath.Glob("testdata/programs/*.py")
	if err != nil {
		f.Fatal(err)
	}
	for i, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if len(src) < 2000 {
			f.Add(src, i%3)
		}
	}
	for i, r := range refused {
		f.Add([]byte(r.src), i%3)
	}
	f.Fuzz(func(t *testing.T, src []byte, version int) {
		opts := CrossOptions(3 + (version%3+3)%3)
		m, err := Compile(src, "fuzz.py", opts)
		if err != nil {
			return
		}
		if err := mpy.Verify(m); err != nil {
			t.Errorf("verify: %v", err)
		}
		if _, err := mpy.Write(m); err != nil {
			t.Errorf("write: %v", err)
		}
	})
}
