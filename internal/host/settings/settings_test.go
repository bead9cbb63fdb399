package settings_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/skep-sim/skep"
	"github.com/skep-sim/skep/internal/host/link"
	"github.com/skep-sim/skep/internal/host/settings"
	"github.com/skep-sim/skep/internal/world"
)

type wire struct{ io.ReadWriteCloser }

func (wire) String() string { return "wire" }

// with links to a module in a synctest bubble.
func with(t *testing.T, o skep.Options, f func(m *skep.Module, s *link.Session)) {
	synctest.Test(t, func(t *testing.T) {
		o.RealTime, o.Prompt = true, true
		m, err := skep.New(o)
		if err != nil {
			t.Fatal(err)
		}
		m.Start()
		defer m.Stop()
		synctest.Wait()
		s, err := link.Attach(context.Background(), wire{m.Serial()}, link.Options{Clock: world.RealClock()})
		if err != nil {
			t.Fatal(err)
		}
		f(m, s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestRoundTrip: what is exported from one module makes another one like it.
func TestRoundTrip(t *testing.T) {
	for _, model := range []string{"ltem", "cat1"} {
		var text []byte
		with(t, skep.Options{Model: model, Settings: []string{"AP0", "NIpump \"3\" # = \\", "BD7", "PS1", "TM1F4", "$0ca;crt;key", "D01", "P#+1555"}}, func(m *skep.Module, s *link.Session) {
			var err error
			last := 0
			if text, err = settings.Export(s, func(done, total int) { last = total - done }); err != nil || last != 0 {
				t.Errorf("%v, %d left", err, last)
			}
		})
		f, err := settings.Read("all.toml", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		with(t, skep.Options{Model: model, Settings: []string{"AP1"}}, func(m *skep.Module, s *link.Session) {
			changes, err := settings.Compare(s, f)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, c := range changes {
				names = append(names, c.Name)
			}
			if got := strings.Join(names, " "); got != "AP PS BD NI P# TM $0 D0" {
				t.Errorf("%s differ", got)
			}
			if err := settings.Apply(s, changes, true); err != nil {
				t.Error(err)
			}
			if rest, err := settings.Compare(s, f); err != nil || len(rest) != 0 {
				t.Errorf("%v still, %v", rest, err)
			}
		})
	}
}

// TestBlank: command mode cannot empty a text; that does not keep the rest from being set.
func TestBlank(t *testing.T) {
	f, err := settings.Read("f.toml", []byte("[settings]\nNI = \" \"\nKL = \"\"\nTM = 500\n"))
	if err != nil {
		t.Fatal(err)
	}
	with(t, skep.Options{Settings: []string{"AP0", "NIpump", "KLhall"}}, func(m *skep.Module, s *link.Session) {
		changes, err := settings.Compare(s, f)
		if err != nil || len(changes) != 3 {
			t.Fatalf("%v, %v", changes, err)
		}
		if err := settings.Apply(s, changes, true); err == nil || !strings.Contains(err.Error(), "NI, KL cannot be emptied") {
			t.Error(err)
		}
		rest, err := settings.Compare(s, f)
		if err != nil || len(rest) != 2 || rest[0].Old != "pump" || rest[1].Old != "hall" {
			t.Errorf("%v still, %v", rest, err)
		}
	})
}

func TestRead(t *testing.T) {
	for text, want := range map[string]string{
		"[settings]\nAP = 4\n\"P#\" = \"+1\"\nBM = \"8000000000000000\"\n": "",
		"[settings]\nXX = 1\n":        "XX is no setting",
		"[settings]\nAP = \"four\"\n": "this setting is a number",
		"[settings]\nAP = -1\n":       "this setting is a number",
		"[settings]\nNI = 4\n":        "this setting is a text in quotes",
		"[settings]\nNI = \"a,b\"\n":  "a comma",
		"[settings]\nAP = [1]\n":      "this setting is a number",
		"[other]\n":                   "only [module]",
		"[settings\n":                 "f.toml:1:",
	} {
		_, err := settings.Read("f.toml", []byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// FuzzRead: no file makes it panic.
func FuzzRead(f *testing.F) {
	f.Add("[module]\nfirmware = \"11413\"\n[settings]\nAP = 0x4 # mode\n\"$0\" = \";;\"\n")
	f.Fuzz(func(t *testing.T, text string) { settings.Read("f.toml", []byte(text)) })
}
