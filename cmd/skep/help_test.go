package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestExamples: every command's help has an example, and every flag says what it
// is for.
func TestExamples(t *testing.T) {
	var visit func(n *kong.Node)
	visit = func(n *kong.Node) {
		if !strings.Contains(n.Detail, "Example:\n  ") {
			t.Errorf("the help of %q has no example", n.FullPath())
		}
		for _, f := range n.Flags {
			if f.Help == "" {
				t.Errorf("%s --%s says nothing of itself", n.FullPath(), f.Name)
			}
		}
		for _, c := range n.Children {
			visit(c)
		}
	}
	visit(newParser().Model.Node)
}
