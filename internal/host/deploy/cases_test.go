package deploy_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skep-sim/skep"
	"github.com/skep-sim/skep/internal/host/deploy"
	"github.com/skep-sim/skep/internal/host/link"
	"github.com/skep-sim/skep/internal/world"
)

// yes removes what may be removed.
func yes([]deploy.Stale) (bool, error) { return true, nil }

// bundleOf is what the module says is bundled.
func (b *bench) bundleOf() string {
	p := b.plug()
	defer p.Close()
	p.Write([]byte("\x03import uos\ruos.bundle()\r"))
	out := drain(p)
	_, out, _ = strings.Cut(out, "uos.bundle()\r\n")
	line, _, _ := strings.Cut(out, "\r\n")
	return line
}

// TestBundle: the bundle is made once, checked, and made anew when a file of it
// has changed; a bundle that the application does not want is erased.
func TestBundle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, skep.Options{})
		for _, tt := range []struct {
			version string
			o       func([]deploy.File) deploy.Options
			made    []string
			bundle  string
		}{
			{"a", bundled, []string{"one"}, "['one']"},
			{"a", bundled, nil, "['one']"},
			{"b", bundled, []string{"one"}, "['one']"},
			{"b", func(f []deploy.File) deploy.Options { return deploy.Options{Files: f, Wait: time.Second} }, nil, "['one']"},
			{"b", func(f []deploy.File) deploy.Options {
				return deploy.Options{Files: f, Bundling: deploy.NoBundle, Wait: time.Second}
			}, []string{}, "[]"},
			{"b", bundled, []string{"one"}, "['one']"},
		} {
			r, err := b.deploy(tt.o(app(tt.version)))
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprintf("%#v", r.Bundled) != fmt.Sprintf("%#v", tt.made) {
				t.Errorf("%s: bundled %#v, want %#v", tt.version, r.Bundled, tt.made)
			}
			want := fmt.Sprintf("app %s %[1]s %[1]s", tt.version)
			if len(r.Output) != 1 || r.Output[0] != want {
				t.Errorf("the program says %q, want %q", r.Output, want)
			}
			if got := b.bundleOf(); got != tt.bundle {
				t.Errorf("%s: the bundle is %s, want %s", tt.version, got, tt.bundle)
			}
		}
	})
}

// TestBundleFails: a module that cannot be bundled leaves an empty name; the user
// sees the module's words, and nothing starts by itself.
func TestBundleFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, skep.Options{})
		var names strings.Builder
		for i := range 400 {
			fmt.Fprintf(&names, "a_name_%d = %d\n", i, i)
		}
		o := bundled(app("x", deploy.File{Path: "many.mpy", Data: mpy(names.String())}))
		o.Bundle = []string{"one.mpy", "many.mpy"}
		_, err := b.deploy(o)
		var failed *deploy.BundleError
		if !errors.As(err, &failed) || !slices.Equal(failed.Got, []string{"one", ""}) {
			t.Fatalf("%v", err)
		}
		for _, want := range []string{"bundling /flash/many.mpy...", "['one', '']", "ENOSPC", "autostart is off"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error lacks %q:\n%v", want, err)
			}
		}
		if out, _ := b.m.AT("PS"); out != "0" {
			t.Errorf("PS is %s", out)
		}
		if got := b.bundleOf(); got != "[]" {
			t.Errorf("the bundle is %s", got)
		}
		o.Bundle = []string{"one.mpy"}
		if r, err := b.deploy(o); err != nil || len(r.Uploaded) != 0 {
			t.Errorf("without it: %+v, %v", r, err)
		}
	})
}

// TestPrune: what is removed, and what never is.
func TestPrune(t *testing.T) {
	more := []deploy.File{{Path: "old/gone.mpy", Data: []byte("x")}, {Path: "page.html", Data: []byte("<p>")}}
	extra := laid(app("old"))
	for name, text := range map[string]string{
		"stray.py": "1", "one.py": "V = 'shadow'", "lib/two.mpy": "old", "cert/other.crt": "c", "log.txt": "data", "main.mpy": "old",
	} {
		extra[name] = laid([]deploy.File{{Path: name, Data: []byte(text)}})[name]
	}
	for _, prune := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, skep.Options{Files: extra})
			if _, err := b.deploy(bundled(app("old", more...))); err != nil {
				t.Fatal(err)
			}
			o := bundled(app("new"))
			if prune {
				o.Prune = yes
			}
			r, err := b.deploy(o)
			if err != nil {
				t.Fatal(err)
			}
			var left []string
			for _, s := range r.Left {
				left = append(left, s.Path)
			}
			slices.Sort(left)
			slices.Sort(r.Removed)
			want := "cert/other.crt lib/two.mpy log.txt main.mpy old/gone.mpy one.py page.html stray.py"
			removed := ""
			if prune {
				want, removed = "cert/other.crt log.txt", "lib/two.mpy main.mpy old/gone.mpy one.py page.html stray.py"
			}
			if got := strings.Join(left, " "); got != want {
				t.Errorf("prune %t: left %s, want %s", prune, got, want)
			}
			if got := strings.Join(r.Removed, " "); got != removed {
				t.Errorf("prune %t: removed %s, want %s", prune, got, removed)
			}
			if _, err := b.m.ReadFile("log.txt"); err != nil {
				t.Error(err)
			}
			if !prune { // what was left is still known as deployed
				o.Prune = yes
				if r, err := b.deploy(o); err != nil || !slices.Contains(r.Removed, "page.html") {
					t.Errorf("later: %+v, %v", r, err)
				}
			}
		})
	}
}

// TestResume: what an interrupted deployment has uploaded is not sent again.
func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, skep.Options{Files: laid(app("old"))})
		b.begin(&fault{"cut", 6000})
		big := deploy.File{Path: "z.bin", Data: []byte(strings.Repeat("0123456789", 2000))}
		if _, err := b.deploy(bundled(app("new", big))); err == nil {
			t.Fatal("the cable was pulled, and nobody noticed")
		}
		b.begin(nil)
		r, err := b.deploy(bundled(app("new", big)))
		if err != nil {
			t.Fatal(err)
		}
		if r.Resumed == 0 || len(r.Uploaded) != 5 {
			t.Errorf("%+v", r)
		}
		if err := b.has(app("new", big)); err != nil {
			t.Error(err)
		}
	})
}

// TestFull: with no room for old and new side by side, files are replaced one by
// one; with no room for the new ones, the module says so and can be used.
func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := deploy.File{Path: "big.bin", Data: []byte(strings.Repeat("o", 30_000))}
		filler := deploy.File{Path: "filler", Data: make([]byte, 960_000)}
		b := newBench(t, skep.Options{Files: laid(append(app("old"), old, filler))})
		b.autostart()
		big := deploy.File{Path: "big.bin", Data: []byte(strings.Repeat("n", 40_000))}
		r, err := b.deploy(bundled(app("new", big)))
		if err != nil || len(r.Uploaded) != 5 {
			t.Fatalf("%+v, %v", r, err)
		}
		if err := b.has(app("new", big)); err != nil {
			t.Error(err)
		}
		if out := b.restart(); !strings.Contains(out, "app new new new") {
			t.Errorf("%q", out)
		}
		big.Data = []byte(strings.Repeat("n", 80_000))
		if _, err := b.deploy(bundled(app("new", big))); err == nil || !strings.Contains(err.Error(), "the module's flash has") {
			t.Error(err)
		}
		if out := b.restart(); !strings.Contains(out, "app new new new") {
			t.Errorf("the old application is gone: %q", out)
		}
		big.Data = []byte("small")
		if _, err := b.deploy(bundled(app("new", big))); err != nil {
			t.Error(err)
		}
	})
}

// TestStart: a program that dies, restarts for ever, prints nothing, or takes its
// time.
func TestStart(t *testing.T) {
	for _, tt := range []struct {
		name, main string
		want       string // of the output, or of the error
		fails      bool
	}{
		{"prints", "print('one')\nprint('two')\n", "one", false},
		{"waits", "import utime\nutime.sleep(5)\nprint('late')\n", "late", false},
		{"silent", "import utime\nutime.sleep(5000)\n", "", false},
		{"ends without a word", "x = 1\n", "", false},
		{"dies", "def f():\n    x = 1 // 0\nprint\nf()\n", "ZeroDivisionError", true},
		{"does not compile", "x = = 1\n", "SyntaxError", true},
		{"restarts", "import machine, utime\nutime.sleep_ms(50)\nmachine.soft_reset()\n", "again and again", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, skep.Options{})
				r, err := b.deploy(deploy.Options{Files: []deploy.File{{Path: "main.py", Data: []byte(tt.main)}}, Wait: 20 * time.Second})
				var failed *deploy.StartError
				switch {
				case tt.fails && (!errors.As(err, &failed) || !strings.Contains(err.Error(), tt.want)):
					t.Errorf("%v, want %q", err, tt.want)
				case !tt.fails && (err != nil || strings.Join(r.Output, "|") != tt.want):
					t.Errorf("%q, %v; want %q", r.Output, err, tt.want)
				}
			})
		})
	}
}

// TestReset: shut down and reset in place of a restart of the interpreter, a
// program that cannot be stopped, settings that stay.
func TestReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, skep.Options{Files: laid([]deploy.File{{Path: "main.py", Data: []byte("import utime\nwhile True:\n    try:\n        while True:\n            utime.sleep_ms(50)\n    except KeyboardInterrupt:\n        print('no')\n")}})})
		b.autostart()
		b.restart()
		o := bundled(app("new"))
		o.Restart = deploy.Reset
		r, err := b.deploy(o)
		if err != nil || !r.Reset || strings.Join(r.Output, "|") != "app new new new" {
			t.Errorf("%+v, %v", r, err)
		}
		o.Restart, o.KeepAutostart = deploy.Stay, true
		if r, err := b.deploy(o); err != nil || len(r.Output) != 0 {
			t.Errorf("%+v, %v", r, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, skep.Options{Settings: []string{"AP0"}})
		for _, c := range []string{"NIkept", "KPsaid"} {
			if _, err := b.m.AT(c); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.deploy(bundled(app("new"))); err != nil {
			t.Error(err)
		}
		for c, want := range map[string]string{"AP": "0", "PS": "1", "NI": "kept", "KP": "said"} {
			if got, _ := b.m.AT(c); got != want {
				t.Errorf("%s is %q, want %q", c, got, want)
			}
		}
	})
}

// TestPlan: a plan says what a deployment would do, and changes nothing.
func TestPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, skep.Options{Files: laid(app("old"))})
		b.autostart()
		clock := world.RealClock()
		s, err := link.Attach(context.Background(), b.plug(), link.Options{Clock: clock})
		if err != nil {
			t.Fatal(err)
		}
		o := bundled(app("new"))
		o.Clock = clock
		p, err := deploy.Make(s, o)
		if err != nil || len(p.Upload) != 4 || !p.Bundle || p.InPlace {
			t.Errorf("%+v, %v", p, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := b.has(app("old")); err != nil {
			t.Error(err)
		}
		if out := b.restart(); !strings.Contains(out, "app old old old") {
			t.Errorf("%q", out)
		}
	})
}

// TestRefuse: applications that no module can hold.
func TestRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, skep.Options{})
		for name, want := range map[string]string{
			"sp ace.py": "letters, digits", "MAIN.py": "takes no notice of case", "skep-stage/x": "rename the file", "skep-deployed.txt": "rename the file",
			strings.Repeat("x", 65): "longer than the 64",
		} {
			if _, err := b.deploy(bundled(app("x", deploy.File{Path: name}))); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		o := bundled(app("x"))
		o.Bundle = []string{"two.mpy"}
		if _, err := b.deploy(o); err == nil || !strings.Contains(err.Error(), "two.mpy is to be bundled") {
			t.Error(err)
		}
	})
}

// TestSameContent: two files with the same bytes, one of them secure, and
// directories that come and go.
func TestSameContent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, skep.Options{})
		same := []byte("the same")
		files := map[string]bool{"a/b/c.txt": false, "a/b/d.txt": false, "a/key": true, "e.txt": false}
		o := deploy.Options{Wait: time.Second, Prune: yes}
		for _, name := range slices.Sorted(maps.Keys(files)) {
			o.Files = append(o.Files, deploy.File{Path: name, Data: same, Secure: files[name]})
		}
		if _, err := b.deploy(o); err != nil {
			t.Fatal(err)
		}
		if err := b.has(o.Files); err != nil {
			t.Error(err)
		}
		o.Files = o.Files[3:]
		r, err := b.deploy(o)
		if err != nil || len(r.Removed) != 3 {
			t.Errorf("%+v, %v", r, err)
		}
		p := b.plug()
		p.Write([]byte("\x03import uos\ruos.listdir()\r"))
		if out := drain(p); !strings.Contains(out, "['cert', 'lib', 'e.txt', 'skep-deployed.txt']") {
			t.Errorf("left: %q", out)
		}
	})
}
