package check

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/host/app"
)

// firmware is a small one. The tests with a module's own are in cmd/skep, where
// devices are.
func firmware() Firmware {
	set := func(names string) Names {
		n := Names{}
		for _, s := range strings.Fields(names) {
			n[s] = true
		}
		return n
	}
	return Firmware{
		Name: "firmware test", Model: "ltem", Release: 11, ATS: ATSRequired, RootOnly: true, Sockets: 6, TLS: 4,
		Modules: map[string]Names{
			"usocket": set("socket AF_INET SOCK_STREAM IPPROTO_SEC IPPROTO_TCP"), "socket": set("socket AF_INET SOCK_STREAM IPPROTO_SEC IPPROTO_TCP"),
			"ussl": set("wrap_socket"), "utime": set("sleep sleep_ms ticks_ms"), "uos": set("bundle listdir remove"), "uerrno": set("EIO"), "sys": set("platform stdin"),
			"network": set("Cellular"), "xbee": set("atcmd"), "uio": set("open"),
		},
		Types:    map[string]Names{"usocket.socket": set("connect read write close send recv"), "ussl.wrap_socket": set("connect read write close"), "network.Cellular": set("isconnected")},
		Builtins: set("print range len open str int Exception OSError ImportError AttributeError ValueError hasattr dir exec getattr super object property"),
	}
}

// check checks some sources.
func checkFiles(t testing.TB, files map[string]string) *Report {
	t.Helper()
	in := Input{App: &app.App{Dir: "app"}, Firmware: firmware(), Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	for name, text := range files {
		in.Files = append(in.Files, app.File{Path: name, Data: []byte(text), From: name, Source: name})
	}
	slices.SortFunc(in.Files, func(a, b app.File) int { return strings.Compare(a.Path, b.Path) })
	return Run(in)
}

// TestSources: what is found in one source, as "rule line:column", and what is not.
func TestSources(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "sources.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range strings.Split(string(text), "\n===\n") {
		source, want, _ := strings.Cut(part+"\n", "\n---\n")
		r := checkFiles(t, map[string]string{"main.py": source + "\n"})
		var got []string
		for _, f := range r.Findings {
			got = append(got, fmt.Sprintf("%s %d:%d", f.Rule, f.Line, f.Column))
		}
		if g := strings.Join(got, "\n"); g != strings.TrimSpace(want) {
			t.Errorf("part %d:\n%s\n\nfound:\n%s\nwant:\n%s\n%+v", i+1, source, g, want, r.Findings)
		}
	}
}

// FuzzRun: no source makes a check fail, and each finding has a place in its file.
func FuzzRun(f *testing.F) {
	for _, r := range Rules() {
		wrong, right := r.Examples()
		for _, files := range []map[string]string{wrong, right} {
			for _, text := range files {
				f.Add(text)
			}
		}
	}
	if text, err := os.ReadFile(filepath.Join("testdata", "sources.txt")); err == nil {
		for _, part := range strings.Split(string(text), "\n===\n") {
			f.Add(part)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Count(text, "\n") + strings.Count(text, "\r") + 2
		for _, x := range checkFiles(t, map[string]string{"main.py": text, "m.py": "def f():\n    pass\n"}).Findings {
			if x.Line < 0 || x.Line > lines || x.Column < 0 || x.Rule == "" || x.Message == "" {
				t.Errorf("%+v in %q", x, text)
			}
		}
	})
}

func BenchmarkRun(b *testing.B) {
	var all strings.Builder
	for _, r := range Rules() {
		_, right := r.Examples()
		if text := right["main.py"]; !strings.Contains(text, "import sensor") {
			all.WriteString(text)
		}
	}
	b.SetBytes(int64(all.Len()))
	for b.Loop() {
		checkFiles(b, map[string]string{"main.py": all.String()})
	}
}
