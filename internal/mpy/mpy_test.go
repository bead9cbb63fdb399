package mpy

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// recorded returns the files that mpy-cross of v1.10, v1.11 and v1.12 wrote.
func recorded(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/mpy/*.mpy")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded files: %v", err)
	}
	return files
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// firstDifference gives the offset of the first byte that differs, -1 if none.
func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	if len(a) != len(b) {
		return min(len(a), len(b))
	}
	return -1
}

func TestReadWriteRecorded(t *testing.T) {
	count := map[int]int{}
	for _, name := range recorded(t) {
		data := readFile(t, name)
		m, err := Read(data, ReadOptions{SmallIntBits: 31, NoUnicode: true})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		version, _ := strconv.Atoi(name[len(name)-5 : len(name)-4])
		if m.Version != version {
			t.Errorf("%s: version %d", name, m.Version)
		}
		count[m.Version]++
		out, err := Write(m)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !bytes.Equal(out, data) {
			t.Errorf("%s: rewritten differently from byte %d of %d", name, firstDifference(out, data), len(data))
		}
	}
	for version := 3; version <= 5; version++ {
		if count[version] == 0 {
			t.Errorf("no recorded file of version %d", version)
		}
	}
}

func TestVerifyRecorded(t *testing.T) {
	for _, name := range recorded(t) {
		m, err := Read(readFile(t, name), ReadOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := Verify(m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
