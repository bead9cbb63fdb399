package main

import (
	"os"
	"strings"
	"testing"
)

// TestMemoryPage wants docs/memory.md to show what the command prints, and
// docs/memory.svg to be what it draws. SKEP_UPDATE=1 writes both anew.
func TestMemoryPage(t *testing.T) {
	const page, picture = "../../docs/memory.md", "../../docs/memory.svg"
	args := []string{"mem", "../../examples/tracker", "--room", "25000"}
	printed, stderr, err := skep(t, args...)
	if err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	drawn, stderr, err := skep(t, append(args, "--svg", "-")...)
	if err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const first = "```\n$ skep mem examples/tracker --room 25000\n"
	before, rest, ok := strings.Cut(string(text), first)
	shown, after, closed := strings.Cut(rest, "```\n")
	if !ok || !closed {
		t.Fatalf("%s does not show %q", page, first)
	}
	svg, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	if shown == printed && string(svg) == drawn {
		return
	}
	if os.Getenv("SKEP_UPDATE") == "" {
		t.Fatalf("%s or %s is not what the command gives today: run the test with SKEP_UPDATE=1, and read what has changed. It prints\n%s", page, picture, printed)
	}
	if err := os.WriteFile(page, []byte(before+first+printed+"```\n"+after), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(picture, []byte(drawn), 0o644); err != nil {
		t.Fatal(err)
	}
}
