package main

import (
	"slices"
	"testing"
)

// TestExactArguments: a file's name reaches a command byte by byte, UTF-8 or not.
func TestExactArguments(t *testing.T) {
	const name = "a\xffb,c<d>"
	var c struct {
		Output string   `short:"o"`
		Args   []string `arg:""`
	}
	k, err := newParserOf(&c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Parse([]string{"-o", name, name, "x"}); err != nil {
		t.Fatal(err)
	}
	if c.Output != name || !slices.Equal(c.Args, []string{name, "x"}) {
		t.Errorf("-o %q, arguments %q", c.Output, c.Args)
	}
}
