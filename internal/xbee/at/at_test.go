package at

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// bench is a module on the bench: what it is asked and told is written down.
type bench struct {
	states  map[string]Value
	log     []string
	applied []string
}

func (b *bench) ReadState(name string) (Value, error) { return b.states[name], nil }

func (b *bench) Obey(name string, arg Value) (Value, error) {
	b.log = append(b.log, name+"("+arg.String()+")")
	switch name {
	case "SD":
		return Value{}, ErrFailed
	case "PY":
		return Str("bytecode: 0 bytes"), nil
	}
	return Value{}, nil
}

func (b *bench) Applied(names []string) { b.applied = append(b.applied, names...) }

type memory struct{ b []byte }

func (m *memory) Get() []byte        { return m.b }
func (m *memory) Put(p []byte) error { m.b = p; return nil }

func module(t *testing.T, model string) (*Registers, *bench, *memory) {
	t.Helper()
	p, err := profile.Find(model, "")
	if err != nil {
		t.Fatal(err)
	}
	b, s := &bench{states: map[string]Value{
		"AI": Int(0), "DB": Int(71), "IM": Str("358673090000000"), "TP": Int(0xFFFB), "SH": Raw([]byte{3, 0x58, 0x67, 0x30}),
	}}, &memory{}
	return New(Table(p), &p, b, s), b, s
}

func TestTable(t *testing.T) {
	for _, p := range profile.All() {
		names := map[string]bool{}
		for _, reg := range Table(p) {
			if len(reg.Name) != 2 || reg.Meaning == "" || reg.Source == "" || reg.Confidence == "" || names[reg.Name] {
				t.Errorf("%s: bad entry %+v", p.Name, reg)
			}
			names[reg.Name] = true
			if !reg.Access.isSetting() || reg.Kind == Bytes {
				continue
			}
			if v, err := reg.accept(reg.Default); err != nil || v != reg.Default {
				t.Errorf("%s: %s does not accept its default: %v", p.Name, reg.Name, err)
			}
		}
		for _, absent := range []string{"AV", "ND", "N?", "ID"} {
			if names[absent] {
				t.Errorf("%s has %s, which is not of cellular modules", p.Name, absent)
			}
		}
	}
}

func TestModelsAndLevelsDiffer(t *testing.T) {
	ltem, _, _ := module(t, "ltem")
	cat1, _, _ := module(t, "cat1")
	for _, name := range []string{"CP", "BM", "N#", "SD"} {
		if _, err := ltem.find(name); err != nil {
			t.Errorf("ltem-11413 has no %s", name)
		}
		if _, err := cat1.find(name); !errors.Is(err, ErrUnknown) {
			t.Errorf("cat1-31011 has %s", name)
		}
	}
}

func TestCommandMode(t *testing.T) {
	r, b, _ := module(t, "ltem")
	tests := []struct{ line, want string }{
		{"AP", "0"},
		{"AP4", "OK"},
		{"AP", "4"},
		{"ap 1", "OK"},
		{"AP0x2", "OK"},
		{"AP3", "ERROR"},
		{"AP-1", "ERROR"},
		{"AP+1", "ERROR"},
		{"AP1_0", "ERROR"},
		{"APx", "ERROR"},
		{"BDA", "OK"},
		{"BDB", "ERROR"},
		{"BD1C200", "OK"},
		{"BD1000000", "ERROR"},
		{"GT", "3E8"},
		{"GT1f4", "OK"},
		{"GT", "1F4"},
		{"VR", "11413"},
		{"VR1", "ERROR"},
		{"HV", "4B41"},
		{"HS", "B08"},
		{"SH", "3586730"},
		{"TP", "FFFB"},
		{"IM", "358673090000000"},
		{"NI", " "},
		{"NIMy XBee", "OK"},
		{"NI", "My XBee"},
		{"NI  spaces in front", "OK"},
		{"NI", "spaces in front"},
		{"NI123456789012345678901", "ERROR"},
		{"NIcaf\u00e9", "ERROR"},
		{"KP12345678901234567890", "OK"},
		{"$0ca.pem;crt.pem;key.pem", "OK"},
		{"$0", "ca.pem;crt.pem;key.pem"},
		{"CWsecret", "OK"},
		{"CW", "ERROR"},
		{"$Sdeadbeef", "OK"},
		{"$S1", "OK"},
		{"$S123456789", "ERROR"},
		{"$Sxyz", "ERROR"},
		{"PYB", "bytecode: 0 bytes"},
		{"SD", "ERROR"},
		{"NR0", "OK"},
		{"FR", "OK"},
		{"AC", "OK"},
		{"ZZ", "ERROR"},
		{"A", "ERROR"},
		{"", "ERROR"},
	}
	for _, tt := range tests {
		got, err := r.Command(tt.line)
		if err != nil {
			got = "ERROR"
		}
		if got != tt.want {
			t.Errorf("AT%s: %q (%v), want %q", tt.line, got, err, tt.want)
		}
	}
	if want := []string{"PY(B)", "SD()", "NR(0)", "FR()"}; !slices.Equal(b.log, want) {
		t.Errorf("the module was told %v, want %v", b.log, want)
	}
	// The error says what would be right.
	if _, err := r.Command("AP7"); err == nil || !strings.Contains(err.Error(), "0 1 2 4 5") {
		t.Errorf("AP7: %v", err)
	}
}

func TestAtcmd(t *testing.T) {
	r, b, _ := module(t, "ltem")
	none := Value{}
	tests := []struct {
		name string
		arg  Value
		want Value
		err  error
	}{
		{"AI", none, Int(0), nil},
		{"ai", none, Int(0), nil},
		{"VR", none, Int(0x11413), nil},
		{"SH", none, Raw([]byte{3, 0x58, 0x67, 0x30}), nil},
		{"KP", Str("Bundle: 0x0123ABCD"), none, nil},
		{"KP", none, Str("Bundle: 0x0123ABCD"), nil},
		{"KP", Raw([]byte("bytes")), none, nil},
		{"KP", none, Str("bytes"), nil},
		{"KP", Str("123456789012345678901"), none, ErrValue},
		{"KP", Int(7), none, ErrValue},
		{"PS", Int(1), none, nil},
		{"PS", none, Int(1), nil},
		{"PS", Int(2), none, ErrValue},
		{"TM", Raw([]byte{0x0B, 0xB9}), none, nil},
		{"TM", none, Int(0xBB9), nil},
		{"TM", Str("64"), none, nil},
		{"TM", none, Int(100), nil},
		{"TM", Str("x"), none, ErrValue},
		{"TM", Raw(make([]byte, 9)), none, ErrValue},
		{"AI", Int(1), none, ErrValue},
		{"CW", Str("secret"), none, nil},
		{"CW", none, none, nil},
		{"AV", none, none, ErrUnknown},
		{"FS", Str("LS"), none, ErrUnknown},
		{"CN", none, none, ErrUnknown},
		{"", none, none, ErrUnknown},
		{"APX", none, none, ErrUnknown},
		{"PY", Str("B"), Str("bytecode: 0 bytes"), nil},
		{"WR", none, none, nil},
		{"MY", none, none, nil},
	}
	for _, tt := range tests {
		got, err := r.Atcmd(tt.name, tt.arg)
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("atcmd(%q, %q) = %+v, %v, want %+v, %v", tt.name, tt.arg, got, err, tt.want, tt.err)
		}
	}
	if r.Active("TM") != Int(100) || !slices.Contains(b.applied, "TM") {
		t.Error("a value set from Python does not count at once")
	}
}

func TestWhenSettingsCount(t *testing.T) {
	r, b, s := module(t, "ltem")
	command := func(lines ...string) {
		t.Helper()
		for _, l := range lines {
			if _, err := r.Command(l); err != nil {
				t.Fatal(err)
			}
		}
	}
	command("BD7", "AP4", "AM1")
	if r.Active("BD") != Int(3) || r.Active("AM") != Int(1) {
		t.Errorf("before AC: BD %v, AM %v", r.Active("BD"), r.Active("AM"))
	}
	command("AC")
	if want := []string{"AM", "AP", "BD"}; r.Active("BD") != Int(7) || !slices.Equal(b.applied, want) {
		t.Errorf("after AC: BD %v; applied %v, want %v", r.Active("BD"), b.applied, want)
	}
	r.PowerOn()
	if r.Active("BD") != Int(3) {
		t.Error("a setting survived power-off without WR")
	}
	command("BD7", "NI\"quoted\" \\", "WR")
	if string(s.b) != "AT settings 1\nBD 7\nNI \"\\\"quoted\\\" \\\\\"\n" {
		t.Errorf("saved %q", s.b)
	}
	again := New(Table(*r.profile), r.profile, b, s)
	if again.Active("BD") != Int(7) || again.Active("NI") != Str(`"quoted" \`) {
		t.Errorf("after power-on: BD %v, NI %q", again.Active("BD"), again.Active("NI"))
	}
	command("RE")
	if v, _ := r.Get("BD"); v != Int(3) || r.Active("BD") != Int(3) {
		t.Errorf("after RE: BD %v", v)
	}
	r.PowerOn()
	if r.Active("BD") != Int(7) {
		t.Error("RE without WR was saved")
	}
	if _, err := r.Atcmd("RE", Value{}); err != nil || r.Active("BD") != Int(3) {
		t.Errorf("RE from Python: %v, BD %v", err, r.Active("BD"))
	}
}

func TestSavedElsewhere(t *testing.T) {
	p, _ := profile.Find("cat1", "")
	r := New(Table(p), &p, &bench{}, &memory{[]byte("AT settings 1\nSM 77\nSD 1\nQQ 1\nKP unquoted\nBM 3\n\nAP 4\nKC \"ok\"")})
	for name, want := range map[string]Value{"SM": Int(0), "AP": Int(4), "KP": Str(""), "KC": Str("ok")} {
		if got := r.Active(name); got != want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	r = New(Table(p), &p, &bench{}, &memory{[]byte("something else\nAP 4\n")})
	if r.Active("AP") != Int(0) {
		t.Error("settings of an unknown form were taken over")
	}
}

// TestPowerFailsInWR: the saved settings are the old or the new ones.
func TestPowerFailsInWR(t *testing.T) {
	p, _ := profile.Find("ltem", "")
	for k := 1; ; k++ {
		m := flash.NewMemory()
		d, err := flash.Open(m)
		if err != nil {
			t.Fatal(err)
		}
		r := New(Table(p), &p, &bench{}, d.Blob("at"))
		for _, l := range []string{"AP4", "KPold", "WR", "AP1", "KPnew"} {
			if _, err := r.Command(l); err != nil {
				t.Fatal(err)
			}
		}
		m.FailAt(k)
		_, failed := r.Command("WR")
		for _, o := range flash.Outcomes() {
			d, err := flash.Open(m.Survivor(o))
			if err != nil {
				t.Fatal(err)
			}
			r := New(Table(p), &p, &bench{}, d.Blob("at"))
			if got := fmt.Sprint(r.Active("AP"), " ", r.Active("KP")); got != "4 old" && got != "1 new" {
				t.Errorf("step %d, outcome %d: %s", k, o, got)
			}
		}
		if failed == nil {
			return
		}
		if !errors.Is(failed, ErrFailed) {
			t.Errorf("WR failed with %v", failed)
		}
	}
}

func TestSerial(t *testing.T) {
	high, low, err := Serial("490154203237518")
	if err != nil || high != [4]byte{0x04, 0x90, 0x15, 0x42} || low != [4]byte{0x03, 0x23, 0x75, 0x18} {
		t.Errorf("%X %X %v", high, low, err)
	}
	for _, bad := range []string{"", "490154203237519", "49015420323751", "49015420323751a", "4901542032375180"} {
		if _, _, err := Serial(bad); err == nil {
			t.Errorf("%q passes for an IMEI", bad)
		}
	}
}

// FuzzCommand gives arbitrary lines to command mode: it must not panic, and
// what was set must survive saving.
func FuzzCommand(f *testing.F) {
	for _, s := range []string{"AP4", "NI My XBee", "KP\\\"", "$S0xdead", "BM8000000000000000", "PYB", "CC\x00", "%V"} {
		f.Add(s)
	}
	p, _ := profile.Find("ltem", "")
	f.Fuzz(func(t *testing.T, line string) {
		s := &memory{}
		r := New(Table(p), &p, &bench{}, s)
		if _, err := r.Command(line); err != nil {
			return
		}
		if _, err := r.Command("WR"); err != nil {
			t.Fatal(err)
		}
		again := New(Table(p), &p, &bench{}, s)
		if !maps.Equal(again.set, r.set) {
			t.Fatalf("after %q the saved settings %q read back differently", line, s.b)
		}
	})
}
