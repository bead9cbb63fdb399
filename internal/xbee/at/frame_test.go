package at

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/xbee/profile"
)

func TestFrame(t *testing.T) {
	r, b, _ := module(t, "ltem")
	b.states["MY"], b.states["%V"] = Str("10.0.0.1"), Int(3300)
	tests := []struct {
		name  string
		param string // hexadecimal digits
		want  string // hexadecimal digits
		err   error
	}{
		{"AP", "", "00", nil},
		{"AP", "01", "", nil},
		{"AP", "", "01", nil}, // device-facts.md 11.3
		{"ap", "0002", "", nil},
		{"AP", "03", "", ErrValue},
		{"AP", "000000000000000001", "", ErrValue},
		{"ZZ", "", "", ErrUnknown},
		{"FS", "", "", ErrUnknown},
		{"CN", "", "", ErrUnknown},
		{"VR", "", "00011413", nil},
		{"VR", "01", "", ErrValue},
		{"HV", "", "4B41", nil},
		{"HS", "", "0B08", nil},
		{"SH", "", "03586730", nil},
		{"TP", "", "FFFB", nil},
		{"%V", "", "0CE4", nil},
		{"AI", "", "00", nil},
		{"DB", "", "47", nil},
		{"MY", "", hex.EncodeToString([]byte("10.0.0.1")), nil},
		{"IM", "", hex.EncodeToString([]byte("358673090000000")), nil},
		{"BD", "", "00000003", nil},
		{"BD", "0001C200", "", nil},
		{"BD", "", "0001C200", nil},
		{"GT", "", "03E8", nil},
		{"BM", "", "0000000000000000", nil},
		{"NI", hex.EncodeToString([]byte("My XBee")), "", nil},
		{"NI", "", hex.EncodeToString([]byte("My XBee")), nil},
		{"NI", "00", "", ErrValue},
		{"$S", "deadbeef", "", nil},
		{"$S", "dead", "", ErrValue},
		{"$S", "", "", ErrHidden},
		{"PY", hex.EncodeToString([]byte("B")), hex.EncodeToString([]byte("bytecode: 0 bytes")), nil},
		{"NR", "00", "", nil},
		{"NR", "000000000000000000", "", ErrValue},
		{"WR", "", "", nil},
		{"WR", "01", "", ErrValue},
		{"SD", "", "", ErrFailed},
	}
	for _, tt := range tests {
		param, err := hex.DecodeString(tt.param)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Frame(tt.name, param, false)
		if !errors.Is(err, tt.err) || !strings.EqualFold(hex.EncodeToString(got), tt.want) {
			t.Errorf("%s %s: %X, %v, want %s, %v", tt.name, tt.param, got, err, tt.want, tt.err)
		}
	}
}

// TestFrameQueue: what a frame 09 sets counts with the next frame 08.
func TestFrameQueue(t *testing.T) {
	r, b, _ := module(t, "ltem")
	for _, name := range []string{"BD", "AP"} {
		if _, err := r.Frame(name, []byte{4}, true); err != nil {
			t.Fatal(err)
		}
	}
	if r.Active("BD") != Int(3) || r.Active("AP") != Int(0) {
		t.Error("a queued setting counts already")
	}
	if got, err := r.Frame("BD", nil, true); err != nil || !bytes.Equal(got, []byte{0, 0, 0, 4}) {
		t.Errorf("a queued setting reads %X, %v", got, err)
	}
	if r.Active("BD") != Int(3) {
		t.Error("reading applies what is queued")
	}
	if _, err := r.Frame("PS", []byte{1}, false); err != nil {
		t.Fatal(err)
	}
	if r.Active("BD") != Int(4) || r.Active("AP") != Int(4) || r.Active("PS") != Int(1) {
		t.Errorf("after the next frame: BD %v, AP %v, PS %v", r.Active("BD"), r.Active("AP"), r.Active("PS"))
	}
	if got := strings.Join(b.applied, " "); got != "AP BD PS" {
		t.Errorf("applied %s", got)
	}
}

// TestRanges tries, for each setting of each profile, what is just within its
// limits and just beyond them, from all three sides.
func TestRanges(t *testing.T) {
	type side struct {
		name string
		set  func(r *Registers, reg *Register, v Value) error
	}
	sides := []side{
		{"command mode", func(r *Registers, reg *Register, v Value) error {
			text := v.String()
			if v.kind == Bytes {
				text = hex.EncodeToString([]byte(v.bytes))
			}
			_, err := r.Command(reg.Name + text)
			return err
		}},
		{"Python", func(r *Registers, reg *Register, v Value) error { _, err := r.Atcmd(reg.Name, v); return err }},
		{"a frame", func(r *Registers, reg *Register, v Value) error {
			_, err := r.Frame(reg.Name, reg.Encode(v), false)
			return err
		}},
	}
	tried := 0
	for _, p := range profile.All() {
		table := Table(p)
		for i := range table {
			reg := &table[i]
			if !reg.Access.isSetting() {
				continue
			}
			var good, bad []Value
			switch reg.Kind {
			case Number:
				good, bad = append(good, Int(reg.Max)), append(bad, Int(reg.Max+1))
				if reg.Allowed == nil {
					good = append(good, Int(reg.Min))
				}
				for _, n := range reg.Allowed {
					good = append(good, Int(n))
				}
				if reg.Min > 0 {
					bad = append(bad, Int(reg.Min-1))
				}
				if reg.Max > 1<<62 {
					bad = nil // what is beyond fits no number
				}
			case Text:
				long := strings.Repeat("x", int(reg.Max))
				good, bad = append(good, Str(long), Str("y")), append(bad, Str(long+"x"), Str("\x7f"), Str("a\rb"))
			case Bytes:
				good, bad = append(good, Raw(bytes.Repeat([]byte{0xA5}, int(reg.Max)))), append(bad, Raw(make([]byte, reg.Max+1)))
			}
			for _, s := range sides {
				r := New(table, &p, &bench{}, &memory{})
				for _, v := range good {
					tried++
					if err := s.set(r, reg, v); err != nil || r.get(r.set, i) != v {
						t.Errorf("%s: %s from %s: %v refused: %v", p.Name, reg.Name, s.name, v, err)
					}
				}
				was := r.get(r.set, i)
				for _, v := range bad {
					tried++
					if err := s.set(r, reg, v); !errors.Is(err, ErrValue) || r.get(r.set, i) != was {
						t.Errorf("%s: %s from %s: %.40q taken, %v", p.Name, reg.Name, s.name, v, err)
					}
				}
			}
		}
	}
	t.Logf("%d values tried", tried)
}

func TestAnswers(t *testing.T) {
	v := BundleReport(2558, 0x9AAC4DD8, 626429267) // xbf's device
	if v.String() != "bytecode: 2558 bytes (hash=0x9AAC4DD8)\rbundled: 2019-11-07T08:07:47" {
		t.Errorf("PYB: %q", v)
	}
	if got := hex.EncodeToString(v.encode(0)); got != "000009fe9aac4dd825568d53" {
		t.Errorf("PYB in a frame: %s", got)
	}
	if v := BundleReport(0, 0, 0); v.String() != "bytecode: 0 bytes (hash=0x00000000)\rbundled: 2000-01-01T00:00:00" {
		t.Errorf("PYB of nothing: %q", v)
	}
	if v := Address([4]byte{172, 217, 1, 206}); v.String() != "172.217.1.206" || string(v.encode(0)) != "\xac\xd9\x01\xce" {
		t.Errorf("LA: %q, %X", v, v.encode(0))
	}
	list := []Socket{{ID: 0, Implicit: true}, {ID: 1}, {ID: 2}}
	if got := Sockets(list).String(); got != "0x00*\r0x01\r0x02\r" {
		t.Errorf("SI: %q", got)
	}
	s := Socket{ID: 0, State: SocketConnected, Protocol: "TCP", LocalPort: 0x1234, RemotePort: 443, Remote: "52.43.121.77"}
	if got := s.Details().String(); got != "0x00\rCONNECTED\rTCP\r0x1234\r0x1BB\r52.43.121.77\r" {
		t.Errorf("SI0: %q", got)
	}
}

func TestFirmwareUpdate(t *testing.T) {
	p, err := profile.Find("cat1", "31016")
	if err != nil {
		t.Fatal(err)
	}
	r := New(Table(p), &p, &bench{}, &memory{})
	for _, tt := range [][2]string{
		{"FOS", "ftp1.digi.com"}, {"FOP", "21"}, {"FOU", "anonymous"}, {"FOW", "fota@digi.com"}, {"FOD", "support/telit"}, {"FOF", ""},
		{"FOSmyftp.server.com", "OK"}, {"fos", "myftp.server.com"}, {"FOFimage.bin", "OK"}, {"FOI", "ERROR"}, {"FI", "FF"},
		{"FOC", "OK"}, {"FOS", "ftp1.digi.com"}, {"FO", "ERROR"}, {"FOX", "ERROR"}, {"FOC1", "ERROR"}, {"FOF" + strings.Repeat("x", 101), "ERROR"},
	} {
		got, err := r.Command(tt[0])
		if err != nil {
			got = "ERROR"
		}
		if got != tt[1] {
			t.Errorf("AT%s: %q (%v), want %q", tt[0], got, err, tt[1])
		}
	}
}

// TestTableIsWhole: each command that device-facts.md 10.2 lists is there, at
// the level it came with, or said to be absent.
func TestTableIsWhole(t *testing.T) {
	listed := strings.Fields(`AP PS PY FS BD NB SB GT CT CC VR VL HV HS %V TP SH SL NI AI IM II S# PH MN MV MY OA OD DB SW SQ AN CU CW PN AM
		NR FR WR AC RE CN IP DL DE C0 P# TD TM CI SI LA N1 N2 NS TL $0 $1 $2 $D DO MO DF K1 K2 DI RI EQ KP KC KL DT AO RO FT CK DD PG
		SM SP ST SO D0 D1 D2 D3 D4 D5 D6 D7 D8 D9 P0 P1 P2 P3 P4 IR IS PR PD BT BI BL $S $V $W $X $Y`)
	for _, p := range profile.All() {
		want := append([]string(nil), listed...)
		if p.Model == profile.LTEM {
			want = append(want, "CP", "BM", "N#")
		}
		if p.Level() >= 0x12 {
			want = append(want, "SD")
		}
		if p.Level() >= 0x15 {
			want = append(want, "FO", "FI")
		}
		if p.Level() < 0x11 {
			want = without(want, "MO", "DF")
		}
		table := Table(p)
		for _, name := range want {
			reg, err := (&Registers{table: table}).Lookup(name)
			if err != nil {
				t.Errorf("%s: %v", p.Name, err)
				continue
			}
			stored := reg.Storage == SavedByWR
			if stored != reg.Access.isSetting() || reg.Kind == Number && reg.Width == 0 || reg.Access != Order && reg.Arg != None {
				t.Errorf("%s: %+v", p.Name, reg)
			}
		}
		if len(table) != len(want) {
			t.Errorf("%s: %d commands, want %d", p.Name, len(table), len(want))
		}
	}
}

func without(list []string, names ...string) []string {
	var left []string
	for _, s := range list {
		if !strings.Contains(strings.Join(names, " "), s) {
			left = append(left, s)
		}
	}
	return left
}

// FuzzFrame gives arbitrary commands and values to the side of API frames: none
// may panic, and what was taken must read back as it was given.
func FuzzFrame(f *testing.F) {
	f.Add("AP", []byte{1}, false)
	f.Add("NI", []byte("My XBee"), true)
	f.Add("$S", []byte{1, 2, 3, 4}, false)
	f.Add("BM", []byte{255, 255, 255, 255, 255, 255, 255, 255}, false)
	f.Add("FO", []byte("Sx"), false)
	p, _ := profile.Find("ltem", "")
	table := Table(p)
	f.Fuzz(func(t *testing.T, name string, param []byte, queue bool) {
		r := New(table, &p, &bench{}, &memory{})
		if _, err := r.Frame(name, param, queue); err != nil || len(param) == 0 {
			return
		}
		reg, err := r.Lookup(name)
		if err != nil || reg.Access != Setting {
			return
		}
		got, err := r.Frame(name, nil, queue)
		if err != nil || !bytes.Equal(bytes.TrimLeft(got, "\x00"), bytes.TrimLeft(param, "\x00")) {
			t.Errorf("%s was set to %X and reads %X, %v", name, param, got, err)
		}
	})
}
