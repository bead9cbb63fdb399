package files_test

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"

	"github.com/skep-sim/skep"
	"github.com/skep-sim/skep/internal/host/files"
	"github.com/skep-sim/skep/internal/host/link"
	"github.com/skep-sim/skep/internal/world"
)

// port is a virtual module's serial port.
type port struct{ io.ReadWriteCloser }

func (port) String() string { return "module" }

// with runs f with a link to a module, in the test's own time: an hour of it
// passes as soon as everybody waits.
func with(t *testing.T, o skep.Options, f func(t *testing.T, m *skep.Module, s *link.Session)) {
	synctest.Test(t, func(t *testing.T) {
		o.RealTime, o.Prompt = true, true
		m, err := skep.New(o)
		if err != nil {
			t.Fatal(err)
		}
		m.Start()
		defer m.Stop()
		s, err := link.Attach(context.Background(), port{m.Serial()}, link.Options{Clock: world.RealClock(), Log: func(text string) { t.Log(text) }})
		if err != nil {
			t.Fatal(err)
		}
		f(t, m, s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestFiles(t *testing.T) {
	for _, mode := range []string{"AP0", "AP1", "AP2", "AP4", "AP5"} {
		t.Run(mode, func(t *testing.T) {
			with(t, skep.Options{Settings: []string{mode}, Files: fstest.MapFS{"lib/old.py": {Data: []byte("old")}}}, func(t *testing.T, m *skep.Module, s *link.Session) {
				fs, err := files.Open(s)
				if err != nil {
					t.Fatal(err)
				}
				big := bytes.Repeat([]byte("0123456789\x00\xff\r\n+++"), 400)
				for _, f := range []struct {
					name   string
					data   []byte
					secure bool
				}{{"main.py", []byte("print(1)\n"), false}, {"lib/big.bin", big, false}, {"cert/aws.key", []byte("key"), true}, {"empty", nil, false}, {"lib/old.py", []byte("new"), false}} {
					if err := fs.Put(f.name, f.data, f.secure, nil); err != nil {
						t.Fatal(f.name, err)
					}
					if got, err := m.ReadFile(f.name); err != nil || !bytes.Equal(got, f.data) {
						t.Errorf("%s: %d bytes, %v", f.name, len(got), err)
					}
					got, err := fs.Get(f.name, nil)
					if f.secure {
						if files.Word(err) != "EPERM" {
							t.Errorf("reading a secure file: %v", err)
						}
					} else if err != nil || !bytes.Equal(got, f.data) {
						t.Errorf("get %s: %d bytes, %v", f.name, len(got), err)
					}
				}
				if err := fs.Mkdir("data"); err != nil {
					t.Error(err)
				}
				if err := fs.Mkdir("data"); err != nil {
					t.Error("again:", err)
				}
				if err := fs.Rename("empty", "data/empty"); err != nil {
					t.Error(err)
				}
				list, err := fs.Walk("/flash")
				var names []string
				for _, e := range list {
					name := e.Name
					if e.Secure {
						name += "#"
					}
					names = append(names, name)
				}
				slices.Sort(names)
				if got, want := strings.Join(names, " "), "cert cert/aws.key# data data/empty lib lib/big.bin lib/old.py main.py"; err != nil || got != want {
					t.Errorf("%s, %v; want %s", got, err, want)
				}
				if _, err := fs.Get("nothing", nil); files.Word(err) != "ENOENT" || !strings.Contains(err.Error(), "no such file") {
					t.Error(err)
				}
				if err := fs.Put("huge", make([]byte, 1_100_000), false, nil); files.Word(err) != "ENOSPC" || !strings.Contains(err.Error(), "the module's flash is full") {
					t.Error(err)
				}
				if i, err := fs.Info(); err != nil || i.Used+i.Free != i.Total || i.Free == 0 {
					t.Errorf("%+v, %v", i, err)
				}
				if err := fs.Format(); err != nil {
					t.Error(err)
				}
				if list, err := fs.Walk("/flash"); err != nil || len(list) != 2 {
					t.Errorf("%v, %v", list, err)
				}
				if n, err := s.Number("AP"); err != nil || mode[2:] != string(rune('0'+n)) {
					t.Errorf("AP %d, %v", n, err)
				}
			})
		})
	}
}
