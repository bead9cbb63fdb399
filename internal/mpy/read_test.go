package mpy

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// tiny is a version 4 file of an empty module called t.py.
var tiny = []byte{
	'M', 4, 0, 31, 32,
	16 << 2, 1, 0, 0, 0, 0, 0, 7, 7, 0, 0x51, 1, 0, 0, 0xff, 0x11, 0x5b,
	0, 7, 8, 't', '.', 'p', 'y',
	0, 0,
}

func with(data []byte, at int, b ...byte) []byte {
	data = append([]byte(nil), data...)
	copy(data[at:], b)
	return data
}

func TestReadTiny(t *testing.T) {
	m, err := Read(tiny, XBee)
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(m); err != nil {
		t.Fatal(err)
	}
	want := []NameRead{{0, false}, {1, true}}
	if !reflect.DeepEqual(m.Names, []string{"<module>", "t.py"}) || !reflect.DeepEqual(m.Root.NameReads, want) {
		t.Errorf("names %q, read as %v", m.Names, m.Root.NameReads)
	}
	if m.CompilerIDs[0] != 7 || m.CompilerIDs[1] != 0x151 {
		t.Errorf("the compiler's numbers are %#x", m.CompilerIDs)
	}
	if out, err := Write(m); err != nil || !bytes.Equal(out, tiny) {
		t.Errorf("written as %x, want %x: %v", out, tiny, err)
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct {
		what   string
		data   []byte
		device string
		reason string // part of it
		offset int
	}{
		{"nothing", nil, deviceFile, "not a .mpy file", 0},
		{"source", []byte("import x\n"), deviceFile, "not a .mpy file", 0},
		{"version 3", with(tiny, 1, 3), deviceFile, "MicroPython v1.10 (.mpy version 3), but the device has v1.11", 1},
		{"version 5", with(tiny, 1, 5), deviceFile, "MicroPython v1.12 (.mpy version 5), but the device has v1.11", 1},
		{"version 6", with(tiny, 1, 6), deviceFile, "version 6 is not known", 1},
		{"unicode", with(tiny, 2, 2), deviceFile, "-mno-unicode", 2},
		{"caches", with(tiny, 2, 1), deviceFile, "-mno-cache-lookup-bc", 2},
		{"wide ints", with(tiny, 3, 63), deviceFile, "-msmall-int-bits=31", 3},
		{"window", with(tiny, 4, 33), deviceFile, "the last 33 names", 5},
		{"native file", with(tiny, 2, 5<<2), deviceArch, "machine code", 2},
		{"native file with unicode", with(tiny, 2, 5<<2|2), deviceFile, "-mno-unicode", 2},
		{"native function", with(tiny, 5, 16<<2|1), deviceFile, "machine code", 6},
		{"null name", with(tiny, 22, 0, 0), deviceFile, "no built-in name 0", 24},
		{"name past the static ones", with(tiny, 22, 0, 166), deviceFile, "no built-in name 166", 24},
		{"window entry not there", with(tiny, 22, 3), deviceFile, "refers back", 23},
		{"code info past the end", with(tiny, 12, 90), deviceFile, "longer than it says", 13},
		{"no end of cells", with(tiny, 19, 1), deviceFile, "longer than it says", 22},
		{"huge function", with(tiny, 5, 0xff, 0xff, 0x7c), deviceFile, "does not fit", 8},
		{"huge number", with(tiny, 5, 0xff, 0xff, 0xff, 0xff, 0xff), deviceFile, "bad number", 5},
		{"many constants", with(tiny, 29, 100, 0), deviceFile, "does not fit", 31},
		{"unknown constant", append(with(tiny, 29, 1, 0), 'x', 0), deviceFile, "unknown kind of constant", 32},
	} {
		m, err := Read(c.data, XBee)
		var f *FormatError
		if !errors.As(err, &f) {
			t.Errorf("%s: read as %v, %v", c.what, m, err)
			continue
		}
		if f.Device != c.device || !strings.Contains(f.Reason, c.reason) || f.Offset != c.offset {
			t.Errorf("%s: %v; want %q at %d in it", c.what, f, c.reason, c.offset)
		}
	}
	for n := range tiny {
		if _, err := Read(tiny[:n], ReadOptions{}); err == nil {
			t.Errorf("cut at byte %d, still read", n)
		}
	}
	if _, err := Read(append(with(tiny, 0), 1, 2, 3), XBee); err != nil {
		t.Errorf("the device takes no notice of what follows, but: %v", err)
	}
}

// Functions inside functions, deeper than any compiler goes.
func TestReadDepth(t *testing.T) {
	data := append([]byte(nil), tiny[:5]...)
	body := tiny[5:29]
	for range 1000 {
		data = append(append(data, body...), 0, 1)
	}
	data = append(data, body...)
	if _, err := Read(append(data, 0, 0), XBee); err == nil || !strings.Contains(err.Error(), "inside each other") {
		t.Errorf("a thousand functions inside each other: %v", err)
	}
}

func TestWriteRefuses(t *testing.T) {
	m, err := Read(tiny, XBee)
	if err != nil {
		t.Fatal(err)
	}
	for what, damage := range map[string]func(m *Module, rc *RawCode){
		"version":       func(m *Module, rc *RawCode) { m.Version = 6 },
		"no code":       func(m *Module, rc *RawCode) { m.Root = nil },
		"bits":          func(m *Module, rc *RawCode) { m.SmallIntBits = 256 },
		"name":          func(m *Module, rc *RawCode) { m.Names = m.Names[:1] },
		"argument name": func(m *Module, rc *RawCode) { rc.ArgNames = []Name{0} },
		"prelude":       func(m *Module, rc *RawCode) { rc.Code = rc.Code[:5] },
		"cut":           func(m *Module, rc *RawCode) { rc.Code = append(rc.Code, 0x16, 0) },
		"constant":      func(m *Module, rc *RawCode) { rc.Objs = []Obj{{Kind: 'x'}} },
	} {
		copied, root := *m, *m.Root
		root.Code = append([]byte(nil), root.Code...)
		copied.Root = &root
		damage(&copied, &root)
		if _, err := Write(&copied); err == nil {
			t.Errorf("%s: written all the same", what)
		}
	}
}
