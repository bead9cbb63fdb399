package mpy

import (
	"bytes"
	"io"
	"os"
	"testing"
)

// FuzzRead feeds damaged files: nothing may panic, and what is accepted is
// written and read again without change.
func FuzzRead(f *testing.F) {
	f.Add(tiny)
	for _, name := range []string{"comp_kwonly_star.v4", "exc_exc_flow.v3", "exc_exc_flow.v4", "exc_exc_flow.v5", "comp_num_consts.v4", "scope_gen_state.v5"} {
		data, err := os.ReadFile("testdata/mpy/" + name + ".mpy")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Read(data, ReadOptions{})
		if err != nil {
			return
		}
		if err := Disassemble(io.Discard, m); err != nil {
			t.Fatal(err)
		}
		verdict := Verify(m)
		once, err := Write(m)
		if err != nil {
			t.Fatalf("read, but not written: %v", err)
		}
		again, err := Read(once, ReadOptions{})
		if err != nil {
			t.Fatalf("read, but not what was written: %v", err)
		}
		twice, err := Write(again)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("written differently the second time from byte %d: %v", firstDifference(once, twice), err)
		}
		if v := Verify(again); (v == nil) != (verdict == nil) {
			t.Fatalf("verified as %v, once written as %v", verdict, v)
		}
	})
}

// TestDamage changes each byte of a few files in a few ways.
func TestDamage(t *testing.T) {
	for _, name := range []string{"exc_oserror.v3", "exc_oserror.v4", "exc_oserror.v5"} {
		data := readFile(t, "testdata/mpy/"+name+".mpy")
		for i := range data {
			for _, change := range []byte{0x01, 0x40, 0x80, 0xff} {
				damaged := append([]byte(nil), data...)
				damaged[i] ^= change
				m, err := Read(damaged, ReadOptions{})
				if err != nil {
					continue
				}
				_ = Verify(m) // whatever it says, it must come back
				if _, err := Write(m); err != nil {
					t.Fatalf("%s with byte %d ^ %#x: %v", name, i, change, err)
				}
			}
		}
	}
}

func benchFile(b *testing.B) []byte {
	data, err := os.ReadFile("testdata/mpy/class_subclass_builtin.v4.mpy")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	return data
}

func BenchmarkRead(b *testing.B) {
	data := benchFile(b)
	for b.Loop() {
		if _, err := Read(data, XBee); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	m, err := Read(benchFile(b), XBee)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := Verify(m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	m, err := Read(benchFile(b), XBee)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Write(m); err != nil {
			b.Fatal(err)
		}
	}
}
