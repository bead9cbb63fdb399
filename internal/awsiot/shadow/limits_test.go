package shadow

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

func FuzzUpdate(f *testing.F) {
	for _, s := range []string{
		`{"state":{"reported":{"a":1}}}`, `{"state":{"desired":{"a":{"b":[1,{"c":2}]}},"reported":null},"version":1,"clientToken":"t"}`,
		`{"state":null}`, `{"state":{"reported":{"a":-0.0e10,"b":"\ud83d\ude00"}}}`, "{\"state\":{\"reported\":{\"a\":\"\xc3\"}}}",
	} {
		f.Add([]byte(s), []byte(`{"state":{"desired":{"a":{"b":null}}}}`))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		l := DefaultLimits()
		var doc *Document
		for _, request := range [][]byte{first, second, first} {
			next, out, e := l.Update(doc, request, start)
			if e != nil {
				if !json.Valid(e.Rejected(1)) {
					t.Fatalf("rejected is not JSON: %s", e.Rejected(1))
				}
				continue
			}
			// What the standard library would not read must not have been accepted.
			if !json.Valid(request) {
				t.Fatalf("accepted %q", request)
			}
			for _, text := range [][]byte{out.Accepted, out.Documents} {
				if !json.Valid(text) {
					t.Fatalf("not JSON: %s", text)
				}
			}
			if out.Delta != nil && !json.Valid(out.Delta) {
				t.Fatalf("not JSON: %s", out.Delta)
			}
			if doc = next; doc.stateSize() > l.MaxSize {
				t.Fatal("too large")
			}
			stored := doc.Encode()
			if doc, e2 := Decode(stored); e2 != nil || string(doc.Encode()) != string(stored) {
				t.Fatalf("stored %s: %v", stored, e2)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"state":{"desired":{"a":[1]}},"metadata":{"desired":{"a":[{"timestamp":1}]}},"version":1,"timestamp":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if doc, err := Decode(text); err == nil {
			if _, err := Decode(doc.Encode()); err != nil {
				t.Fatalf("%s: %v", doc.Encode(), err)
			}
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	l := DefaultLimits()
	doc, _, e := l.Update(nil, []byte(`{"state":{"desired":{"led":1,"interval":60,"thresholds":{"low":1.5,"high":80.25}},"reported":{"led":0,"interval":60,"name":"tracker"}}}`), start)
	if e != nil {
		b.Fatal(e)
	}
	request := []byte(`{"state":{"reported":{"led":0,"temperature":21.5,"position":{"lat":45.123456,"lon":-93.654321},"uptime":123456}},"clientToken":"x-17"}`)
	b.ReportAllocs()
	for b.Loop() {
		next, _, e := l.Update(doc, request, start)
		if e != nil {
			b.Fatal(e)
		}
		next.Encode()
	}
}

// TestMeasure: the size that is compared with the limit is the size that is written.
func TestMeasure(t *testing.T) {
	for _, request := range []string{
		`{"state":{}}`, `{"state":{"desired":{"a":1}}}`, `{"state":{"reported":{"a":[1,"x",{"b":true}],"c":{}}}}`,
		`{"state":{"desired":{"a":[],"é":"\u0001"},"reported":{"a":{"b":{"c":-1.50e3}}}}}`,
	} {
		doc, _, e := DefaultLimits().Update(nil, []byte(request), start)
		if e != nil {
			t.Fatal(e)
		}
		if got, want := doc.stateSize(), len(doc.appendState(nil, false)); got != want {
			t.Errorf("%s: measured %d, written %d", request, got, want)
		}
	}
}

// TestDeleteIgnores: whatever a delete request holds, it deletes.
func TestDeleteIgnores(t *testing.T) {
	doc, _, e := DefaultLimits().Update(nil, []byte(`{"state":{"reported":{"a":1}}}`), start)
	if e != nil {
		t.Fatal(e)
	}
	for payload, token := range map[string]string{``: "", `{`: "", "\xff": "", `[]`: "", `{"clientToken":"t"}`: `,"clientToken":"t"`, `{"clientToken":"` + strings.Repeat("x", 65) + `"}`: ""} {
		_, answer, e := DefaultLimits().Delete(doc, "T", []byte(payload), start)
		want := `{"version":1,"timestamp":` + strconv.FormatInt(start.Unix(), 10) + token + `}`
		if e != nil || string(answer) != want {
			t.Errorf("%q: %s %v, want %s", payload, answer, e, want)
		}
	}
}

// BenchmarkWide is the most members that fit.
func BenchmarkWide(b *testing.B) {
	var members []string
	for i := range 900 {
		members = append(members, fmt.Sprintf(`"%d":1`, i))
	}
	request := []byte(`{"state":{"reported":{` + strings.Join(members, ",") + `}}}`)
	doc, _, e := DefaultLimits().Update(nil, request, start)
	if e != nil {
		b.Fatal(e)
	}
	for b.Loop() {
		if _, _, e := DefaultLimits().Update(doc, request, start); e != nil {
			b.Fatal(e)
		}
	}
}
