package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/host/check"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// checker checks applications against one profile.
type checker struct {
	t    *testing.T
	p    profile.Profile
	fw   check.Firmware
	cert credentials
}

func newChecker(t *testing.T, name string) *checker {
	t.Helper()
	p, err := (&profile.Library{}).Get(name)
	if err != nil {
		t.Fatal(err)
	}
	fw, err := checkFirmware(p)
	if err != nil {
		t.Fatal(err)
	}
	return &checker{t, p, fw, newCredentials(t)}
}

// checkNow is the day of the checks, on which the test's certificates are valid.
func checkNow() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// run checks some files and returns rule, severity and place of each finding.
func (c *checker) run(files map[string]string) []check.Finding {
	c.t.Helper()
	return c.find(files, true)
}

// find does so with or without the rules about sizes.
func (c *checker) find(files map[string]string, sizes bool) (findings []check.Finding) {
	c.t.Helper()
	dir := c.t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			c.t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			c.t.Fatal(err)
		}
	}
	a, err := app.Open(dir)
	if err != nil {
		c.t.Fatal(err)
	}
	sources, err := a.Sources()
	if err != nil {
		c.t.Fatal(err)
	}
	var m *check.Measured
	if sizes {
		if m, err = (&checkCmd{}).measure(a, c.p, sources); err != nil {
			c.t.Fatal(err)
		}
	}
	r := check.Run(check.Input{App: a, Files: sources, Firmware: c.fw, Measured: m, Now: checkNow()})
	for i := range r.Findings {
		f := r.Findings[i]
		f.File, _ = filepath.Rel(dir, f.File)
		findings = append(findings, f)
	}
	return findings
}

// has counts the findings of a rule.
func has(findings []check.Finding, id string) (n int) {
	for _, f := range findings {
		if f.Rule == id {
			n++
		}
	}
	return n
}

// with adds files to others.
func with(files, more map[string]string) map[string]string {
	all := maps.Clone(more)
	maps.Copy(all, files)
	return all
}

// TestRules: every rule has a page, and finds what the page calls wrong and nothing in
// what it calls right. Rules about certificates and sizes have their own tests.
func TestRules(t *testing.T) {
	c := newChecker(t, "ltem-11413")
	certs := c.cert.good()
	elsewhere := []string{"ca-not-root", "ca-not-used", "cert-expired", "cert-format", "cert-mismatch", "bundle-too-big", "import-memory"}
	seen := map[string]bool{}
	for _, r := range check.Rules() {
		if seen[r.ID] {
			t.Errorf("there are two rules %s", r.ID)
		}
		seen[r.ID] = true
		if page := r.Page(); !strings.HasPrefix(page, "# "+r.ID+": "+r.Title+"\n") {
			t.Errorf("the page of %s does not begin with its name and title", r.ID)
		}
		wrong, right := r.Examples()
		if slices.Contains(elsewhere, r.ID) {
			continue
		}
		if len(wrong) == 0 || len(right) == 0 {
			t.Errorf("the page of %s has no examples", r.ID)
			continue
		}
		got := c.run(with(wrong, certs))
		if has(got, r.ID) == 0 {
			t.Errorf("%s does not find what its page calls wrong: %v", r.ID, got)
		}
		for _, f := range got {
			if f.Rule == r.ID && (f.Severity != r.Severity || f.Message == "" || f.Instead == "" && f.Rule != "file-name") {
				t.Errorf("%s: %+v", r.ID, f)
			}
		}
		if got := c.run(with(right, certs)); len(got) > 0 {
			t.Errorf("%s: what its page calls right is not: %v", r.ID, got)
		}
	}
	entries, err := os.ReadDir("../../internal/host/check/rules")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if id := strings.TrimSuffix(e.Name(), ".md"); !seen[id] {
			t.Errorf("there is a page and no rule %s", id)
		}
	}
}

// TestCheckRulesPage wants docs/check-rules.md to be made of the rules' pages.
// SKEP_UPDATE=1 writes it.
func TestCheckRulesPage(t *testing.T) {
	var b strings.Builder
	b.WriteString("# The rules of skep check\n\nMade from the pages that `skep check --explain ID` shows; `SKEP_UPDATE=1 go test ./cmd/skep -run TestCheckRulesPage` writes it.\n\n" +
		"A comment takes a finding back: `# skep: ignore=ID` in its line, or alone in the line before; `# skep: ignore-file=ID` takes back all of a file. `ignore = [\"ID\"]` under `[check]` in `skep.toml` takes back all of an application.\n" +
		"An error fails on the module, a warning fails sometimes or later.\n\n| rule | | |\n|---|---|---|\n")
	for _, r := range check.Rules() {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", r.ID, r.ID, r.Severity, r.Title)
	}
	for _, r := range check.Rules() {
		_, text, _ := strings.Cut(r.Page(), "\n")
		fmt.Fprintf(&b, "\n## %s\n\n%s, %s.\n%s", r.ID, r.Title, r.Severity, strings.ReplaceAll(text, "\n## ", "\n### "))
	}
	const path = "../../docs/check-rules.md"
	if os.Getenv("SKEP_UPDATE") != "" {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil || string(have) != b.String() {
		t.Errorf("docs/check-rules.md is not what the rules' pages make (%v): SKEP_UPDATE=1 writes it", err)
	}
}

// TestCheckExamples: what ships with skep is silent, but for what is meant to be wrong.
func TestCheckExamples(t *testing.T) {
	want := map[string][]string{
		"bootloop": {"bundle-too-big error", "bundle-too-big error"}, // it is there to show that
	}
	entries, err := os.ReadDir("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ltem-11413", "cat1-31011", "ltem-1141A"} {
		c := newChecker(t, name)
		for _, e := range entries {
			files := map[string]string{}
			dir := filepath.Join("../../examples", e.Name())
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
			var got []string
			for _, f := range c.run(files) {
				if f.Severity != check.Note {
					got = append(got, f.Rule+" "+string(f.Severity))
				}
			}
			if !slices.Equal(got, want[e.Name()]) {
				t.Errorf("%s: examples/%s: %q, want %q", name, e.Name(), got, want[e.Name()])
			}
		}
	}
}

// TestSizeRules: what does not fit is found by measuring, and what fits is not.
func TestSizeRules(t *testing.T) {
	c := newChecker(t, "ltem-11413")
	names := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "def function_%d():\n    return %d\n\n\n", i, i)
		}
		return b.String()
	}
	const config, bundling = "[build]\nmodules = [\"boot\"]\n", "import boot\n\nboot.bundle()\n\nimport a\nimport b\n\nprint(a, b)\n"
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"small", map[string]string{"skep.toml": config, "main.py": bundling, "a.py": names(100), "b.py": names(90)}, nil},
		{"one too big", map[string]string{"skep.toml": config, "main.py": "import a\nprint(a)\n", "a.py": strings.ReplaceAll(strings.ReplaceAll(names(380), "():\n    return ", " = "), "def ", "")}, []string{"a.py bundle-too-big"}},
		{"too big together", map[string]string{"skep.toml": config, "main.py": bundling, "a.py": names(200), "b.py": strings.ReplaceAll(names(200), "function", "other")}, []string{"main.py bundle-too-big"}},
		{"not all bundled", map[string]string{"skep.toml": config, "main.py": "import a\nimport b\n\nprint(a, b)\n", "a.py": names(200), "b.py": strings.ReplaceAll(names(200), "function", "other")}, nil},
		{"source", map[string]string{"main.py": "import a\nprint(a)\n", "a.py": strings.ReplaceAll(names(330), "\n\n\n", "\n")}, []string{"a.py import-memory"}},
		{"main", map[string]string{"main.py": names(500)}, []string{"main.py import-memory"}},
		{"room", map[string]string{"skep.toml": "[budget]\nroom = 31950\n", "main.py": "print(1)\n"}, []string{"main.py import-memory"}},
	} {
		var got []string
		for _, f := range c.run(tc.files) {
			got = append(got, f.File+" "+f.Rule)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// TestCheckVariants: the rules that find something in an application, whatever the
// spelling: by other names, in methods, in modules of the application, in lib. A case
// begins with a line "#### what it is | rules"; "== path" begins a file, main.py is the
// first.
func TestCheckVariants(t *testing.T) {
	c := newChecker(t, "ltem-11413")
	text, err := os.ReadFile(filepath.Join("testdata", "check", "variants.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split("\n"+string(text), "\n#### ")[1:] {
		head, body, _ := strings.Cut(part, "\n")
		name, want, _ := strings.Cut(head, " |")
		files := map[string]string{}
		for i, text := range strings.Split("\n"+body+"\n", "\n== ") {
			file := "main.py"
			if i > 0 {
				file, text, _ = strings.Cut(text, "\n")
			}
			if i > 0 || strings.TrimSpace(text) != "" {
				files[file] = text + "\n"
			}
		}
		var rules []string
		findings := c.find(files, false)
		for _, f := range findings {
			rules = append(rules, f.Rule)
		}
		slices.Sort(rules)
		if rules = slices.Compact(rules); !slices.Equal(rules, strings.Fields(want)) {
			t.Errorf("%s:\n%s\nfound %v, want %s: %+v", name, body, rules, want, findings)
		}
	}
}
