package scaffold

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/host/build"
)

// TestTemplates: each makes an application that can be built, with nothing of the
// template left in it.
func TestTemplates(t *testing.T) {
	if got := Templates(); !slices.Equal(got, []string{"aws", "minimal"}) || !slices.Contains(got, Default) {
		t.Errorf("the templates are %q", got)
	}
	for _, template := range Templates() {
		dir := filepath.Join(t.TempDir(), "new", "app-1")
		files, err := New(dir, "app-1", template)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{".gitignore", "README.md", "app.py", "cert/README.md", "lib/README.md", "main.py", "skep.toml", "tests/test_app.py"} {
			if !slices.Contains(files, want) {
				t.Errorf("%s has no %s", template, want)
			}
		}
		named := false
		for _, f := range files {
			text, err := os.ReadFile(filepath.Join(dir, f))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), nameMark) {
				t.Errorf("%s: %s holds %s", template, f, nameMark)
			}
			named = named || strings.Contains(string(text), "app-1")
		}
		if !named {
			t.Errorf("%s: nothing holds the name", template)
		}
		a, err := app.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		l, err := build.Make(a, build.Options{MpyVersion: 4})
		if err != nil || a.Name() != "app-1" {
			t.Fatalf("%s: %v, its name is %q", template, err, a.Name())
		}
		for _, f := range l.Files {
			if strings.HasSuffix(f.Path, ".md") || strings.Contains(f.Path, "test") {
				t.Errorf("%s: %s is on the module", template, f.Path)
			}
		}
	}
}

func TestRefuse(t *testing.T) {
	full, file := t.TempDir(), filepath.Join(t.TempDir(), "f")
	for _, p := range []string{filepath.Join(full, "x"), file} {
		if err := os.WriteFile(p, []byte("precious"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ dir, name, template, want string }{
		{full, "a", Default, "has files in it: give a directory that is empty"},
		{file, "a", Default, "give a directory that is empty"},
		{t.TempDir(), "a", "none", `there is no template "none": there are aws, minimal`},
		{t.TempDir(), "", Default, "is no name for an application"},
		{t.TempDir(), "-x", Default, "is no name for an application"},
		{t.TempDir(), "a.b", Default, "is no name for an application: use up to 64 letters"},
		{t.TempDir(), "ünit", Default, "is no name for an application"},
		{t.TempDir(), strings.Repeat("x", 65), Default, "is no name for an application"},
	} {
		if _, err := New(c.dir, c.name, c.template); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("New(%q, %q): error %v, want %q", c.name, c.template, err, c.want)
		}
		if entries, err := os.ReadDir(c.dir); err == nil && c.dir != full && len(entries) > 0 {
			t.Errorf("New(%q) has left %v", c.name, entries)
		}
	}
}
