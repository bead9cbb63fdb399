package frame

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// worked are the worked bytes of device-facts.md 11.3, without escapes.
var worked = []string{
	"7E 00 04 08 01 41 50 65", "7E 00 06 88 01 41 50 00 01 E4",
	"7E 00 05 88 01 41 50 00 E5", "7E 00 05 88 01 5A 5A 02 C0",
	"7E 00 04 08 02 46 52 5D", "7E 00 03 89 01 7D F8",
	"7E 00 02 8A 00 75", "7E 00 02 8A 02 73",
	"7E 00 08 2D 00 02 68 65 6C 6C 6F BC", "7E 00 07 AD 02 68 65 6C 6C 6F 3C",
	"7E 00 03 40 01 04 BA", "7E 00 04 C0 01 00 00 3E",
	"7E 00 03 43 01 00 BB", "7E 00 03 CF 00 00 30",
	"7E 00 11 42 02 00 01 BB 01 65 78 61 6D 70 6C 65 2E 63 6F 6D A5",
	"7E 00 14 3B 01 01 00 00 04 2F 66 6C 61 73 68 2F 6D 61 69 6E 2E 70 79 96",
}

// decode returns the data of the frames in a line, in hexadecimal digits.
func decode(escaped bool, line []byte) ([]string, Stats) {
	var all []string
	d := Decoder{Escaped: escaped, Handle: func(data []byte) { all = append(all, fmt.Sprintf("%X", data)) }}
	d.Write(line)
	return all, d.Stats()
}

func TestWorkedBytes(t *testing.T) {
	var line []byte
	var want []string
	for _, s := range worked {
		b := unhex(t, s)
		data := b[3 : len(b)-1]
		if got := Append(nil, data, false); !bytes.Equal(got, b) {
			t.Errorf("%X, want %s", got, s)
		}
		line = append(line, b...)
		want = append(want, fmt.Sprintf("%X", data))
	}
	got, stats := decode(false, line)
	if !slices.Equal(got, want) || stats != (Stats{Frames: uint64(len(worked))}) {
		t.Errorf("%v\nwant %v\n%+v", got, want, stats)
	}
}

func TestEscapes(t *testing.T) {
	data := []byte{0x7E, 0x7D, 0x11, 0x13, 0x20}
	b := Append(nil, data, true)
	if want := unhex(t, "7E 00 05 7D5E 7D5D 7D31 7D33 20 C0"); !bytes.Equal(b, want) {
		t.Fatalf("%X, want %X", b, want)
	}
	if got, _ := decode(true, b); !slices.Equal(got, []string{"7E7D111320"}) {
		t.Errorf("%v", got)
	}
	// Length and checksum are escaped, too.
	for _, n := range []int{0x11, 0x13, 0x7D, 0x7E} {
		data := bytes.Repeat([]byte{1}, n)
		for c := range 256 {
			data[0] = byte(c)
			if got, s := decode(true, Append(nil, data, true)); len(got) != 1 || s.Refused() != 0 {
				t.Fatalf("%d bytes, first %02X: %+v", n, c, s)
			}
		}
	}
}

func TestBadFrames(t *testing.T) {
	const good, other = "7E 00 02 8A 00 75", "7E 00 02 8A 02 73"
	tests := []struct {
		name    string
		escaped bool
		line    string
		want    []string
		stats   Stats
	}{
		{"noise before", false, "00 41 " + good, []string{"8A00"}, Stats{Frames: 1, Skipped: 2}},
		{"checksum", false, "7E 00 02 8A 00 76 " + other, []string{"8A02"}, Stats{Frames: 1, BadChecksum: 1, Skipped: 5}},
		{"checksum, escaped line", true, "7E 00 02 8A 00 76 " + other, []string{"8A02"}, Stats{Frames: 1, BadChecksum: 1}},
		{"a frame inside a bad one", false, "7E 00 08 01 " + good + " 00 00 " + other, []string{"8A00", "8A02"}, Stats{Frames: 2, BadChecksum: 1, Skipped: 5}},
		{"cut short by the next", false, "7E 00 05 08 01 " + good + " " + other, []string{"8A00", "8A02"}, Stats{Frames: 2, BadChecksum: 1, Skipped: 4}},
		{"cut short by the next, escaped line", true, "7E 00 05 08 01 " + good, []string{"8A00"}, Stats{Frames: 1, Truncated: 1}},
		{"too long", false, "7E FF FF " + good, []string{"8A00"}, Stats{Frames: 1, BadLength: 1, Skipped: 2}},
		{"too long, escaped line", true, "7E FF FF 01 02 " + good, []string{"8A00"}, Stats{Frames: 1, BadLength: 1, Skipped: 2}},
		{"empty", false, "7E 00 00 FF " + good, []string{"8A00"}, Stats{Frames: 1, BadLength: 1, Skipped: 3}},
		{"delimiter twice", false, "7E " + good, []string{"8A00"}, Stats{Frames: 1, BadLength: 1}},
		{"delimiter twice, escaped line", true, "7E " + good, []string{"8A00"}, Stats{Frames: 1, Truncated: 1}},
		{"delimiter in the data", false, "7E 00 03 8A 7E 00 F7 " + good, []string{"8A7E00", "8A00"}, Stats{Frames: 2}},
		{"escape at the end", true, "7E 00 02 8A 7D " + good, []string{"8A00"}, Stats{Frames: 1, Truncated: 1}},
	}
	for _, tt := range tests {
		got, stats := decode(tt.escaped, unhex(t, tt.line))
		if !slices.Equal(got, tt.want) || stats != tt.stats {
			t.Errorf("%s: %v %+v\nwant %v %+v", tt.name, got, stats, tt.want, tt.stats)
		}
	}
}

func TestSilence(t *testing.T) {
	var got []string
	d := Decoder{Handle: func(data []byte) { got = append(got, fmt.Sprintf("%X", data)) }}
	d.Write(unhex(t, "7E 01 00 08 7E 00 02 8A 00 75 7E 00 02 8A")) // begins a frame of 256 bytes
	if got != nil {
		t.Fatalf("%v", got)
	}
	d.Silence()
	if s := d.Stats(); !slices.Equal(got, []string{"8A00"}) || s.Truncated != 2 {
		t.Errorf("%v %+v", got, s)
	}
	d.Write(unhex(t, "02 73 7E 00 02 8A 02 73"))
	if !slices.Equal(got, []string{"8A00", "8A02"}) {
		t.Errorf("%v", got)
	}
	d.Write(unhex(t, "7E 00"))
	d.Reset()
	d.Write(unhex(t, "02 8A 02 73"))
	if len(got) != 2 || d.Stats() != (Stats{Skipped: 4}) {
		t.Errorf("%v %+v", got, d.Stats())
	}
}

func TestLongest(t *testing.T) {
	data := bytes.Repeat([]byte{0x7E}, MaxData)
	for _, escaped := range []bool{false, true} {
		if got, s := decode(escaped, Append(nil, data, escaped)); len(got) != 1 || s.Refused() != 0 {
			t.Errorf("%d frames %+v", len(got), s)
		}
		if got, s := decode(escaped, Append(nil, append(data, 0), escaped)); len(got) != 0 || s.BadLength == 0 {
			t.Errorf("too long: %d frames %+v", len(got), s)
		}
	}
	if b := Append(nil, make([]byte, 70000), false); len(b) != 0xFFFF+4 {
		t.Errorf("%d bytes", len(b))
	}
}

func TestNothingIsAllocated(t *testing.T) {
	data := bytes.Repeat([]byte{0x7E, 1, 2}, 100)
	for _, escaped := range []bool{false, true} {
		line := Append(nil, data, escaped)
		n := 0
		d := Decoder{Escaped: escaped, Handle: func([]byte) { n++ }}
		d.Write(line)
		out := make([]byte, 0, 1000)
		if a := testing.AllocsPerRun(100, func() { d.Write(line); out = Append(out[:0], data, escaped) }); a != 0 {
			t.Errorf("%v allocations", a)
		}
		if n < 100 {
			t.Errorf("%d frames", n)
		}
	}
}

// FuzzDecoder gives a line to decoders in one piece and in two, between two
// good frames of which the last must never be lost.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte{}, uint16(0), true)
	for _, s := range worked {
		f.Add(unhex(f, s), uint16(5), false)
	}
	f.Add(unhex(f, "7E 00 05 7D5E 7D5D 7D31 7D33 20 C0"), uint16(3), true)
	f.Add(bytes.Repeat([]byte{0x7E, 0x07}, 2000), uint16(2100), false)
	f.Fuzz(func(t *testing.T, line []byte, cut uint16, escaped bool) {
		last := Append(nil, []byte{0x8A, 0x02}, escaped)
		run := func(pieces ...[]byte) ([]string, Stats) {
			var all []string
			d := Decoder{Escaped: escaped, Handle: func(data []byte) {
				if len(data) == 0 || len(data) > MaxData {
					t.Fatalf("a frame of %d bytes", len(data))
				}
				all = append(all, fmt.Sprintf("%X", data))
			}}
			for _, p := range pieces {
				d.Write(p)
			}
			d.Silence()
			d.Write(last)
			d.Silence()
			return all, d.Stats()
		}
		whole, stats := run(line)
		i := min(int(cut), len(line))
		parts, _ := run(line[:i], line[i:])
		if !slices.Equal(whole, parts) {
			t.Fatalf("in one piece %v, in two %v", whole, parts)
		}
		if len(whole) == 0 || whole[len(whole)-1] != "8A02" {
			t.Fatalf("the last frame was lost: %v %+v", whole, stats)
		}
		if uint64(len(whole)) != stats.Frames {
			t.Fatalf("%d frames, %+v", len(whole), stats)
		}
		for _, s := range whole {
			data := unhex(t, s)
			if again, _ := decode(escaped, Append(nil, data, escaped)); !slices.Equal(again, []string{s}) {
				t.Fatalf("%s comes back as %v", s, again)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	data := make([]byte, 1500)
	for i := range data {
		data[i] = byte(i)
	}
	for _, escaped := range []bool{false, true} {
		b.Run(fmt.Sprintf("escaped=%v", escaped), func(b *testing.B) {
			line := Append(nil, data, escaped)
			d := Decoder{Escaped: escaped}
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				d.Write(line)
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	data := make([]byte, 1500)
	for _, escaped := range []bool{false, true} {
		b.Run(fmt.Sprintf("escaped=%v", escaped), func(b *testing.B) {
			var out []byte
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				out = Append(out[:0], data, escaped)
			}
		})
	}
}
