package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReadme wants the README's table to name the commands that there are.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, m := range regexp.MustCompile("(?m)^\\| `skep ([a-z]+(?: [a-z]+)?)").FindAllSubmatch(text, -1) {
		listed = append(listed, string(m[1]))
	}
	for _, c := range listed {
		stdout, stderr, err := skep(t, append(strings.Fields(c), "--help")...)
		if err != nil || !strings.Contains(stdout, "Usage: skep") {
			t.Errorf("skep %s --help: %v %s", c, err, stderr)
		}
	}
	help, _, _ := skep(t, "--help")
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z]+)\b.*\n    \S`).FindAllStringSubmatch(help, -1) {
		if !slices.ContainsFunc(listed, func(c string) bool { return strings.Fields(c)[0] == m[1] }) {
			t.Errorf("README.md does not have skep %s", m[1])
		}
	}
}
