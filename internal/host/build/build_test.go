package build

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/compiler"
	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/mpy"
)

// sample is an application with a file of every kind.
func sample() map[string]string {
	return map[string]string{
		app.ConfigName: "[app]\nname = \"sample\"\n[build]\nmodules = [\"umqtt\"]\nexclude = [\"notes\"]\nsecure = [\"cert/token\"]\n",
		"main.py":      "import m\nm.main()\n", "m.py": "def main():\n    print(1)\n", "lib/n.py": "y = 2\n",
		"cert/aws.key": "key", "cert/token": "t", "data.json": "{}", "notes/a": "n", "tests/test_m.py": "t",
	}
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func layout(t *testing.T, dir string, o Options) *Layout {
	t.Helper()
	a, err := app.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Make(a, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// tree is the content of every file below a directory.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.Walk(dir, func(p string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		files[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestLayout(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, sample())
	l := layout(t, dir, Options{MpyVersion: 4})
	var got []string
	for i := range l.Files {
		f := &l.Files[i]
		s := f.Path + " " + f.Source
		if f.Secure {
			s += " secure"
		}
		if f.Compiled() {
			s += " compiled"
		}
		if hash(f.Data) != f.SHA256 {
			t.Errorf("%s: its hash is %s", f.Path, f.SHA256)
		}
		got = append(got, s)
	}
	want := []string{
		"/flash/cert/aws.key cert/aws.key secure", "/flash/cert/token cert/token secure", "/flash/data.json data.json",
		"/flash/lib/n.mpy lib/n.py compiled", "/flash/lib/umqtt.mpy skep:umqtt compiled", "/flash/m.mpy m.py compiled", "/flash/main.py main.py",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// TestReproducible: two builds of equal applications, at other places and other
// times, give the same bytes.
func TestReproducible(t *testing.T) {
	var trees []map[string]string
	for i, name := range []string{"a", "somewhere/else"} {
		dir, out := filepath.Join(t.TempDir(), name), filepath.Join(t.TempDir(), "out")
		write(t, dir, sample())
		then := time.Date(2001+i, 2, 3, 4, 5, 6, 7, time.UTC)
		for p := range sample() {
			if err := os.Chtimes(filepath.Join(dir, p), then, then); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := layout(t, dir, Options{MpyVersion: 4}).Write(out); err != nil {
			t.Fatal(err)
		}
		trees = append(trees, tree(t, out))
	}
	if len(trees[0]) != 9 {
		t.Errorf("%d files are in the output, want 9", len(trees[0]))
	}
	for p, data := range trees[0] {
		if trees[1][p] != data {
			t.Errorf("%s differs:\n%q\n%q", p, data, trees[1][p])
		}
	}
}

// TestIncremental: only what has changed is compiled, written and removed.
func TestIncremental(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	write(t, dir, sample())
	build := func(version int) (compiled []string, w Written) {
		t.Helper()
		before, err := Previous(out)
		if err != nil {
			t.Fatal(err)
		}
		l := layout(t, dir, Options{MpyVersion: version, Previous: before})
		for i := range l.Files {
			if f := &l.Files[i]; f.Compiled() && !f.Reused {
				compiled = append(compiled, f.Source)
			}
		}
		if w, err = l.Write(out); err != nil {
			t.Fatal(err)
		}
		fresh := layout(t, dir, Options{MpyVersion: version})
		if !bytes.Equal(fresh.Manifest().Marshal(), l.Manifest().Marshal()) {
			t.Error("what was built incrementally differs from what is built anew")
		}
		return compiled, w
	}
	expect := func(what string, got, want []string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	compiled, w := build(4)
	expect("compiled first", compiled, []string{"lib/n.py", "skep:umqtt", "m.py"})
	expect("new first", w.New, []string{"flash/cert/aws.key", "flash/cert/token", "flash/data.json", "flash/lib/n.mpy", "flash/lib/umqtt.mpy", "flash/m.mpy", "flash/main.py"})

	compiled, w = build(4)
	expect("compiled again", slices.Concat(compiled, w.New, w.Changed, w.Removed), nil)

	write(t, dir, map[string]string{"m.py": "x = 3\n"})
	compiled, w = build(4)
	expect("compiled after an edit", compiled, []string{"m.py"})
	expect("changed after an edit", w.Changed, []string{"flash/m.mpy"})

	// An output that was damaged is mended, whatever its time and size say.
	damaged := filepath.Join(out, "flash", "lib", "n.mpy")
	data, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1
	if err := os.WriteFile(damaged, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(out); err == nil || !strings.Contains(err.Error(), "/flash/lib/n.mpy is not as the manifest has it: build again") {
		t.Errorf("a damaged output opens with %v", err)
	}
	compiled, w = build(4)
	expect("compiled after damage", compiled, []string{"lib/n.py"})
	expect("changed after damage", w.Changed, []string{"flash/lib/n.mpy"})

	// What nobody wrote stays; what is gone from the application goes.
	write(t, out, map[string]string{"flash/lib/mine": "m"})
	for _, p := range []string{"lib/n.py", "data.json", "cert/aws.key", "cert/token"} {
		if err := os.Remove(filepath.Join(dir, p)); err != nil {
			t.Fatal(err)
		}
	}
	_, w = build(4)
	expect("removed", w.Removed, []string{"flash/cert/aws.key", "flash/cert/token", "flash/data.json", "flash/lib/n.mpy"})
	expect("unlisted", w.Unlisted, []string{"flash/lib/mine"})
	if _, err := os.Stat(filepath.Join(out, "flash", "cert")); err == nil {
		t.Error("an empty directory stays")
	}
	compiled, _ = build(5)
	expect("compiled for another version", compiled, []string{"skep:umqtt", "m.py"})
	if l, err := Open(out); err != nil || l.MpyVersion != 5 || len(l.Files) != 3 {
		t.Errorf("the output opens as %+v, %v", l, err)
	}
}

// TestRefuse: a directory that is no output is left alone, whoever lists what.
func TestRefuse(t *testing.T) {
	src := t.TempDir()
	write(t, src, sample())
	l := layout(t, src, Options{MpyVersion: 4})
	outside := filepath.Join(t.TempDir(), "precious")
	for _, c := range []struct {
		name, want string
		files      map[string]string
	}{
		{"other files", "was not made by skep build: give an empty or a new directory", map[string]string{"letter.txt": "l"}},
		{"no manifest", "is no manifest of skep build", map[string]string{manifestFile: "[1]"}},
		{"format", "has format 9", map[string]string{manifestFile: `{"format":9}`}},
		{"outside", "not below /flash", map[string]string{manifestFile: `{"format":1,"files":[{"path":"` + filepath.ToSlash(outside) + `"}]}`}},
		{"above", "is no path below /flash", map[string]string{manifestFile: `{"format":1,"files":[{"path":"/flash/../../precious"}]}`}},
	} {
		dir := t.TempDir()
		write(t, dir, c.files)
		if _, err := l.Write(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
		for p, data := range c.files {
			if got := tree(t, dir)[p]; got != data {
				t.Errorf("%s: %s has become %q", c.name, p, got)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "f")
	write(t, filepath.Dir(file), map[string]string{"f": "x"})
	if _, err := l.Write(file); err == nil || !strings.Contains(err.Error(), "give a directory for the output") {
		t.Errorf("a file as output: error %v", err)
	}
}

// TestLink: a link in an output leads nobody out of it.
func TestLink(t *testing.T) {
	src, out, outside := t.TempDir(), t.TempDir(), t.TempDir()
	write(t, src, sample())
	write(t, outside, map[string]string{"m.mpy": "precious"})
	l := layout(t, src, Options{MpyVersion: 4})
	if _, err := l.Write(out); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(out, "flash")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(out, "flash")); err != nil {
		return // a system without symbolic links
	}
	if _, err := l.Write(out); err == nil {
		t.Error("writing through a link to another directory is no error")
	}
	if got := tree(t, outside); len(got) != 1 || got["m.mpy"] != "precious" {
		t.Errorf("outside there is now %q", got)
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"a b.txt": `"a b.txt" is no name on the module`, strings.Repeat("x", 65): "longer than the 64 characters of a name",
		strings.Repeat("abcdefgh/", 31) + "x": "longer than the 255 characters of a path", "end.": "no . at the end", "ünit.txt": "is no name on the module",
	} {
		dir := t.TempDir()
		write(t, dir, map[string]string{app.ConfigName: "", "main.py": "", name: "x"})
		a, err := app.Open(dir)
		if err == nil {
			_, err = Make(a, Options{MpyVersion: 4})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: error %v, want %q", name, err, want)
		}
	}
	dir := t.TempDir()
	write(t, dir, map[string]string{app.ConfigName: "", "Data.txt": "a", "data.TXT": "b"})
	if len(tree(t, dir)) == 3 { // a host that takes notice of case
		a, err := app.Open(dir)
		if err == nil {
			_, err = Make(a, Options{MpyVersion: 4})
		}
		if err == nil || !strings.Contains(err.Error(), "takes no notice of case: rename one") {
			t.Errorf("names that differ by case: error %v", err)
		}
	}
	empty := t.TempDir()
	write(t, empty, map[string]string{app.ConfigName: ""})
	a, err := app.Open(empty)
	if err == nil {
		_, err = Make(a, Options{MpyVersion: 4})
	}
	if err == nil || !strings.Contains(err.Error(), "give the directory of an application") {
		t.Errorf("an empty application: error %v", err)
	}
}

// TestCompilerRevision notices that the compiler writes other bytes than it did when
// compilerRevision was last raised.
func TestCompilerRevision(t *testing.T) {
	const revision, want = 1, "e296b990217b940d7eb389318f4097201771772f4ca21e970a73010c790db765"
	src, err := os.ReadFile(filepath.Join("testdata", "revision.py"))
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, version := range []int{3, 4, 5} {
		m, err := compiler.Compile(src, "revision.py", compiler.CrossOptions(version))
		if err != nil {
			t.Fatal(err)
		}
		data, err := mpy.Write(m)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	if got := hash(all); compilerRevision != revision || got != want {
		t.Errorf("compilerRevision is %d and the compiler's output has the hash %s; want %d and %s: raise compilerRevision when the output has changed, then put both here", compilerRevision, got, revision, want)
	}
}

func FuzzReadManifest(f *testing.F) {
	f.Add([]byte(`{"format":1,"compiler":1,"app":"a","mpyVersion":4,"files":[{"path":"/flash/main.py","sha256":"ab","size":3,"source":"main.py"}]}`))
	f.Add([]byte(`{"format":1,"files":[{"path":"/flash/../x"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ReadManifest(data)
		if err != nil {
			return
		}
		for _, e := range m.Files {
			if p := filepath.Join("out", strings.TrimPrefix(e.Path, Root+"/")); !filepath.IsLocal(p) {
				t.Errorf("%q leads out of the directory", e.Path)
			}
		}
		again, err := ReadManifest(m.Marshal())
		if err != nil || !bytes.Equal(again.Marshal(), m.Marshal()) {
			t.Errorf("%s is read back as %+v, %v", m.Marshal(), again, err)
		}
	})
}
