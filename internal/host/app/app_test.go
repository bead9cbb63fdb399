package app

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFiles(t *testing.T) {
	sources := map[string]string{
		"main.py": "pass\n", "m.py": "x = 1\n", "lib/n.py": "y = 2\n", "cert/aws.key": "k", "cert/aws.crt": "c",
		"README.md": "r", ".git/config": "g", "__pycache__/m.pyc": "p", "tests/t.py": "t", "notes/a.txt": "n",
		"m.py~": "e", "lib/#n.py#": "e", "m.py.swp": "e", "main.py___jb_tmp___": "e",
	}
	plain := []string{
		"README.md", "cert/aws.crt", "cert/aws.key secure", "lib/n.py", "m.py", "main.py", "notes/a.txt", "tests/t.py",
	}
	application := []string{"cert/aws.crt", "cert/aws.key secure", "lib/n.mpy", "lib/umqtt.mpy", "m.mpy", "main.py"}
	for _, config := range []string{"", "[build]\nmodules = [\"umqtt\"]\nexclude = [\"notes\"]\n"} {
		want := plain
		if config != "" {
			sources[ConfigName], want = config, application
		}
		a, err := Open(write(t, sources))
		if err != nil {
			t.Fatal(err)
		}
		files, err := a.Files(4)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range files {
			name := f.Path
			if f.Secure {
				name += " secure"
			}
			if strings.HasSuffix(f.Path, ".mpy") && (len(f.Data) < 2 || f.Data[0] != 'M' || f.Data[1] != 4) {
				t.Errorf("%s is no .mpy file of version 4", f.Path)
			}
			got = append(got, name)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("with config %q: %q, want %q", config, got, want)
		}
	}
}

// TestErrors: one line each, which names the file and says what to do.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"syntax", map[string]string{ConfigName: "[app]\nname = [\n"}, "skep.toml:2:"},
		{"unknown", map[string]string{ConfigName: "[build]\nmodulez = 1\n"}, "skep.toml:2:1: there is no setting build.modulez: correct or remove it"},
		{"type", map[string]string{ConfigName: "[app]\nname = 5\n"}, "skep.toml:2:8: app.name: this cannot be a TOML integer"},
		{"name", map[string]string{ConfigName: "[app]\nname = \"../x\"\n"}, `[app] name: "../x" is no name for a directory of state: use`},
		{"dots", map[string]string{ConfigName: "[app]\nname = \"..\"\n"}, "[app] name"},
		{"pattern", map[string]string{ConfigName: "[build]\nexclude = [\"[a\"]\n"}, `[build] exclude: "[a" is no pattern: use`},
		{"module", map[string]string{ConfigName: "[build]\nmodules = [\"nope\"]\n"}, `skep.toml, [build] modules: skep ships no module "nope"; it has `},
		{"policy", map[string]string{ConfigName: "[cloud]\npolicy = \"p.json\"\n"}, "skep.toml, [cloud] policy: "},
		{"twice", map[string]string{ConfigName: "[build]\nmodules = [\"umqtt\"]\n", "lib/umqtt.py": "pass\n"}, "umqtt.py and [build] modules: umqtt both make lib/umqtt.mpy on the module: remove one"},
		{"two forms", map[string]string{ConfigName: "", "m.py": "pass\n", "m.mpy": "M"}, "m.mpy on the module: remove one"},
		{"source", map[string]string{ConfigName: "", "m.py": "\nx = = 1\n"}, "m.py:2: SyntaxError: invalid syntax"},
		{"large", map[string]string{"main.py": "", "data": strings.Repeat("x", maxBytes+1)}, "data has 8388609 bytes, more than any module's flash: move it away"},
	} {
		a, err := Open(write(t, c.files))
		if err == nil {
			_, err = a.Files(4)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q", c.name, err, c.want)
		}
	}
	dir := write(t, map[string]string{"main.py": ""})
	for path, want := range map[string]string{filepath.Join(dir, "none"): "give the directory that holds main.py", filepath.Join(dir, "main.py"): "is a file: give the directory"} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%s): error %v, want %q", path, err, want)
		}
	}
	if err := os.Symlink(".", filepath.Join(dir, "loop")); err != nil {
		return // a system without symbolic links
	}
	a, err := Open(dir)
	if err == nil {
		_, err = a.Files(4)
	}
	if err == nil || !strings.Contains(err.Error(), "loop is no ordinary file: move it away") {
		t.Errorf("a link to a directory: error %v", err)
	}
}

// TestKeys: docs/build.md lists every key of skep.toml, and no other.
func TestKeys(t *testing.T) {
	var keys []string
	for section := range reflect.TypeFor[Config]().Fields() {
		for f := range section.Type.Fields() {
			if tag := f.Tag.Get("toml"); tag != "-" {
				keys = append(keys, section.Tag.Get("toml")+" "+tag)
			}
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "build.md"))
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, row := range regexp.MustCompile("(?m)^\\| `\\[([a-z]+)\\] ([^|]+)\\|").FindAllStringSubmatch(string(text), -1) {
		for _, key := range regexp.MustCompile("[a-z]+").FindAllString(row[2], -1) {
			listed = append(listed, row[1]+" "+key)
		}
	}
	slices.Sort(keys)
	slices.Sort(listed)
	if !slices.Equal(keys, listed) {
		t.Errorf("docs/build.md lists %q, and there are %q", listed, keys)
	}
}
