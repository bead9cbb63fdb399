package profile

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestEveryFactHasASource(t *testing.T) {
	for _, p := range All() {
		facts := p.Facts()
		if len(facts) < 30 || len(facts) != len(Keys()) {
			t.Errorf("%s: %d facts of %d", p.Name, len(facts), len(Keys()))
		}
		for _, f := range facts {
			if f.Source == "" || f.Confidence == "" || f.Profile == "" || f.Value == "" {
				t.Errorf("%s: %+v has no source", p.Name, f)
			}
		}
		if want := fmt.Sprintf("%s-%s", p.Model, p.Digits()); p.Name != want {
			t.Errorf("%s should be called %s", p.Name, want)
		}
	}
}

// The firmware that can be simulated, and what each level brings.
func TestBuiltin(t *testing.T) {
	tests := []struct {
		name        string
		level, heap int
		stack, mpy  int
		ats         ATSRule
	}{
		{"ltem-11413", 0x13, 32768, 3584, 4, ATSRequired},
		{"cat1-31011", 0x11, 32768, 3584, 4, ATSRefused},
		{"ltem-11410", 0x10, 32768, 3584, 4, ATSFree},
		{"ltem-11411", 0x11, 32768, 3584, 4, ATSRequired},
		{"ltem-11415", 0x15, 65536, 5632, 4, ATSFree},
		{"ltem-11416", 0x16, 65536, 5632, 5, ATSFree},
		{"ltem-1141A", 0x1A, 65536, 5632, 5, ATSFree},
		{"cat1-31010", 0x10, 32768, 3584, 4, ATSFree},
		{"cat1-31015", 0x15, 65536, 5632, 4, ATSFree},
		{"cat1-31016", 0x16, 65536, 5632, 5, ATSFree},
	}
	all := All()
	if len(all) != len(tests) {
		t.Fatalf("%d profiles, want %d", len(all), len(tests))
	}
	for i, tt := range tests {
		p := all[i]
		if p.Name != tt.name || p.Level() != tt.level || p.HeapBytes.Value != tt.heap || p.StackLimit.Value != tt.stack ||
			p.MpyVersion.Value != tt.mpy || p.MicroPython.Value != (Version{1, tt.mpy + 7, 0}) || p.ATS.Value != tt.ats {
			t.Errorf("%d is %s: level %#x, heap %d, stack %d, .mpy %d, MicroPython %v, ats %s; want %+v", i, p.Name, p.Level(),
				p.HeapBytes.Value, p.StackLimit.Value, p.MpyVersion.Value, p.MicroPython.Value, p.ATS.Value, tt)
		}
		if cat1 := strings.HasPrefix(p.Name, "cat1"); (p.Model == Cat1) != cat1 || (p.TLSErrno.Value == 7111) != cat1 {
			t.Errorf("%s: model %s, TLS fails with %d", p.Name, p.Model, p.TLSErrno.Value)
		}
		if p.SNI.Value {
			t.Errorf("%s sends server names", p.Name)
		}
	}
}

func TestFind(t *testing.T) {
	tests := []struct{ model, firmware, want string }{
		{"", "", "ltem-11413"},
		{"ltem", "", "ltem-11413"},
		{"ltem", "11413", "ltem-11413"},
		{"ltem", "1141a", "ltem-1141A"},
		{"cat1", "", "cat1-31011"},
		{"cat1", "31011", "cat1-31011"},
		{"cat1", "31016", "cat1-31016"},
	}
	for _, tt := range tests {
		if p, err := Find(tt.model, tt.firmware); err != nil || p.Name != tt.want {
			t.Errorf("Find(%q, %q) = %s, %v, want %s", tt.model, tt.firmware, p.Name, err, tt.want)
		}
	}
	if _, err := Find("ltem", "31011"); err == nil || !strings.Contains(err.Error(), "11413") {
		t.Errorf("the firmware of another model: %v", err)
	}
	if _, err := Find("zigbee", ""); err == nil || !strings.Contains(err.Error(), "cat1") {
		t.Errorf("an unknown model: %v", err)
	}
}

func TestBanner(t *testing.T) {
	p, err := Find("ltem", "")
	if err != nil {
		t.Fatal(err)
	}
	if want := "MicroPython v1.11-2-g0000000 on 2019-09-20; XBC3 LTE-M/NB-IoT with EFR32MG"; p.Banner() != want {
		t.Errorf("banner %q", p.Banner())
	}
}

func TestLibrary(t *testing.T) {
	var l Library
	add := func(file, text string) {
		t.Helper()
		if err := l.Add(file, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	add("/etc/mine.toml", "base = \"my-ltem\"\nfirmware = \"11417\"\n")
	add("my-ltem.toml", "base = \"ltem-11416\"\nheap_bytes = { value = 40000, confidence = \"observed\", source = \"my module\" }\n")
	p, err := l.Get("mine")
	if err != nil {
		t.Fatal(err)
	}
	if p.HeapBytes.Value != 40000 || p.HeapBytes.Profile != "my-ltem" || p.Level() != 0x17 || p.StackLimit.Value != 5632 || p.StackLimit.Profile != "ltem-11415" {
		t.Errorf("%+v", p)
	}
	if q, err := l.Find("ltem", "11417"); err != nil || q.Name != "mine" {
		t.Errorf("firmware 11417 is %s, %v", q.Name, err)
	}
	if q, err := l.Find("ltem", "11416"); err != nil || q.Name != "ltem-11416" {
		t.Errorf("firmware 11416 is %s, %v: the one that comes with Skep goes first", q.Name, err)
	}
	if got := l.Names(); got[len(got)-2] != "mine" || got[len(got)-1] != "my-ltem" {
		t.Errorf("names %q", got)
	}
	if err := l.Add("ltem-11413.toml", nil); err == nil || !strings.Contains(err.Error(), "another name") {
		t.Errorf("a second ltem-11413: %v", err)
	}
	add("a.toml", "base = \"b\"")
	add("b.toml", "base = \"a\"")
	if _, err := l.Get("a"); err == nil || !strings.Contains(err.Error(), "a -> b -> a") {
		t.Errorf("a circle: %v", err)
	}
	if _, err := l.Read("a.toml", []byte("base = \"b\"")); err == nil || !strings.Contains(err.Error(), "a -> b -> a") {
		t.Errorf("a circle from outside: %v", err)
	}
	if _, err := l.Get("nobody"); err == nil || !strings.Contains(err.Error(), "mine") {
		t.Errorf("no such profile: %v", err)
	}
}

// Each mistake, its line, and words of what the message must say.
func TestMistakes(t *testing.T) {
	fact := func(key, value string) string {
		return "base = \"ltem-11413\"\n" + key + " = { value = " + value + ", confidence = \"chosen\", source = \"test\" }"
	}
	tests := []struct {
		name, text string
		line       int
		says       []string
	}{
		{"syntax", "base = \"ltem-11413\"\nheap_bytes = = 3", 2, nil},
		{"twice", "base = \"ltem-11413\"\nbase = \"ltem-11413\"", 2, nil},
		{"unknown key", "base = \"ltem-11413\"\n\nheap_byte = 3", 3, []string{`"heap_byte"`, `"heap_bytes"?`}},
		{"two unknown keys", "base = \"ltem-11413\"\nzzzzzzzzz = 1\naaaaaaaaaaa = 1", 2, []string{`"zzzzzzzzz"`, "skep profile show"}},
		{"unknown table", "base = \"ltem-11413\"\n[flash]\nsize = 1", 2, []string{`"flash"`}},
		{"no fact", "base = \"ltem-11413\"\nheap_bytes = 3", 2, []string{"number 3", "source"}},
		{"unknown part", "base = \"ltem-11413\"\n[heap_bytes]\nvalue = 1\nunit = \"kB\"", 4, []string{`"unit"`}},
		{"no value", "base = \"ltem-11413\"\nsni = { confidence = \"chosen\", source = \"test\" }", 2, []string{"no value"}},
		{"no source", "base = \"ltem-11413\"\n[sni]\nvalue = true\nconfidence = \"chosen\"", 2, []string{"no source", "why it was chosen"}},
		{"no confidence", "base = \"ltem-11413\"\nsni = { value = true, source = \"test\" }", 2, []string{"no confidence", "observed"}},
		{"empty source", "base = \"ltem-11413\"\n[sni]\nvalue = true\nconfidence = \"chosen\"\nsource = \" \"", 5, []string{"source"}},
		{"confidence", "base = \"ltem-11413\"\n[sni]\nvalue = true\nsource = \"me\"\nconfidence = \"sure\"", 5, []string{`"sure"`, "documented"}},
		{"string for number", fact("heap_bytes", `"32768"`), 2, []string{`the string "32768"`, "whole number"}},
		{"number for string", fact("board", "3"), 2, []string{"number 3", "a string"}},
		{"number for bool", fact("sni", "1"), 2, []string{"true or false"}},
		{"float", fact("heap_bytes", "1.5"), 2, []string{"1.5", "whole number"}},
		{"release", fact("micropython", `"1.11"`), 2, []string{"[1, 11, 0]"}},
		{"release of two", fact("micropython", "[1, 11]"), 2, []string{"[1, 11, 0]"}},
		{"another release", fact("micropython", "[1, 13, 0]"), 2, []string{"1.13.0", "1.11 and 1.12"}},
		{"release without .mpy", fact("micropython", "[1, 12, 0]"), 2, []string{"mpy_version is 4", "version 5"}},
		{".mpy without release", fact("mpy_version", "5"), 2, []string{"1.11", "version 4"}},
		{"heap", fact("heap_bytes", "10"), 2, []string{"heap_bytes = 10", "1024"}},
		{"ats", fact("ats", `"both"`), 2, []string{`"free"`}},
		{"errno", fact("tls_errno", "5"), 2, []string{"7001"}},
		{"board", fact("board", `"a\nb"`), 2, []string{"ASCII"}},
		{"small ints", fact("small_int_bits", "63"), 2, []string{"31"}},
		{"unicode", fact("unicode", "true"), 2, []string{"false"}},
		{"hardware", fact("hardware_version", "-1"), 2, []string{"0xFFFFFFFF"}},
		{"no model", "firmware = \"11413\"", 1, []string{`model = "ltem"`}},
		{"model", "firmware = \"11413\"\nmodel = \"zigbee\"", 2, []string{`"cat1"`}},
		{"model of another type", "firmware = \"11413\"\nmodel = 3", 2, []string{"a string"}},
		{"firmware", "base = \"ltem-11413\"\nfirmware = \"new\"", 2, []string{"ATVR"}},
		{"firmware number", "base = \"ltem-11413\"\nfirmware = 11413", 2, []string{"a string", `"11413"`}},
		{"missing facts", "model = \"ltem\"\nfirmware = \"11413\"", 0, []string{"not stated: product, modem", "base ="}},
		{"base", "base = \"ltem-11499\"", 1, []string{"no profile", "ltem-11413"}},
		{"base of another type", "base = true", 1, []string{"name of a profile"}},
		{"all", "base = \"ltem-11413\"\nsni = 3\nfirmware = 3\nx = 1", 2, []string{"sni"}},
		{"own base", "base = \"mine\"", 1, []string{"itself"}},
	}
	var l Library
	for _, tt := range tests {
		_, err := l.Read("dir/mine.toml", []byte(tt.text))
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if tt.name == "all" && strings.Count(err.Error(), "mine.toml:") != 3 {
			t.Errorf("not all mistakes: %v", err)
		}
		if e.Line != tt.line || !strings.HasPrefix(e.Error(), "dir/mine.toml:") {
			t.Errorf("%s: line %d, want %d: %v", tt.name, e.Line, tt.line, err)
		}
		for _, word := range tt.says {
			if !strings.Contains(e.Text, word) {
				t.Errorf("%s: %q does not say %q", tt.name, e.Text, word)
			}
		}
	}
}

// Every limit and every key of the table of limits is one of a fact's.
func TestLimits(t *testing.T) {
	keys := map[string]bool{}
	for _, k := range Keys() {
		keys[k] = true
	}
	for k := range limits {
		if !keys[k] {
			t.Errorf("there is a limit of %q, which is no fact", k)
		}
	}
}

// FuzzRead wants an error or a profile that is complete.
func FuzzRead(f *testing.F) {
	for _, name := range builtin() {
		text, err := os.ReadFile(name + ".toml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("base = \"cat1-31011\"\n[sni]\nvalue = true\nconfidence = \"chosen\"\nsource = \"me\""))
	f.Add([]byte("a.b.c = {d.e = [1, {x = 2}]}\n[[heap_bytes]]\nvalue = 1"))
	var l Library
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := l.Read("mine.toml", text)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without a text")
			}
			return
		}
		if reflect.DeepEqual(p, Profile{}) || p.Name != "mine" {
			t.Errorf("profile %+v", p)
		}
		for _, s := range p.Facts() {
			if s.Source == "" || s.Confidence == "" {
				t.Errorf("%+v has no source", s)
			}
		}
	})
}
