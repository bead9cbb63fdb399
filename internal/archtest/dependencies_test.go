package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDependencies compares what the project imports with go.mod and with
// docs/dependencies.md, where each dependency has its reason.
func TestDependencies(t *testing.T) {
	h := load(t)
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	var required []string
	for _, m := range regexp.MustCompile(`(?m)^(?:require)?\s+(\S+\.\S+/\S+) v`).FindAllSubmatch(mod, -1) {
		required = append(required, string(m[1]))
	}
	imported := map[string]bool{}
	for _, p := range h.packages {
		for _, f := range p.files {
			for _, i := range f.imports {
				if host, _, _ := strings.Cut(i, "/"); i == "." || !strings.Contains(host, ".") { // "." is the root package
					continue
				}
				n := slices.IndexFunc(required, func(m string) bool { return matches(m+"/...", i) })
				if n < 0 {
					t.Errorf("%s imports %s, which go.mod does not require", f.path, i)
					continue
				}
				imported[required[n]] = true
			}
		}
	}
	doc, err := os.ReadFile(filepath.Join(root, "docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllSubmatch(doc, -1) {
		listed[string(m[1])] = true
	}
	for m := range imported {
		if !listed[m] {
			t.Errorf("docs/dependencies.md does not say why %s", m)
		}
	}
	for m := range listed {
		if !imported[m] {
			t.Errorf("docs/dependencies.md lists %s, which nothing imports", m)
		}
	}
}
