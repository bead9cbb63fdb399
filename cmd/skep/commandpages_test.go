package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// commandPages is where the page of each command lies.
const commandPages = "../../docs/commands"

// TestCommandPages wants docs/commands to have a page for each command, which says
// what the program says of itself: the pages are made from its help.
func TestCommandPages(t *testing.T) {
	t.Setenv("COLUMNS", "80") // the help is as wide as the terminal
	pages := map[string]string{}
	index := "# Commands\n\nMade from the program: each page is what `skep COMMAND --help` says, with all that is below the command.\n\n"
	for _, c := range newParser().Model.Children {
		name := c.Name + ".md"
		pages[name] = commandPage(t, c)
		index += fmt.Sprintf("- [skep %s](%s): %s\n", c.Name, name, c.Help)
	}
	pages["README.md"] = index
	if os.Getenv("SKEP_UPDATE") != "" {
		writePages(t, pages)
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join(commandPages, name))
		if err != nil || strings.ReplaceAll(string(got), "\r\n", "\n") != want {
			t.Errorf("docs/commands/%s is not what the program says (%v): SKEP_UPDATE=1 go test ./cmd/skep -run TestCommandPages makes it anew", name, err)
		}
	}
	there, err := filepath.Glob(filepath.Join(commandPages, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range there {
		if _, ok := pages[filepath.Base(path)]; !ok {
			t.Errorf("docs/commands/%s is of no command: remove it", filepath.Base(path))
		}
	}
}

// commandPage is the page of a command and of all commands below it.
func commandPage(t *testing.T, top *kong.Node) string {
	var page strings.Builder
	var add func(n *kong.Node)
	add = func(n *kong.Node) {
		heading := "##"
		if n == top {
			heading = "#"
		}
		fmt.Fprintf(&page, "%s skep %s\n\n```\n%s```\n\n", heading, strings.TrimPrefix(n.Path(), "skep "), helpOf(t, n))
		for _, c := range n.Children {
			add(c)
		}
	}
	add(top)
	return strings.TrimSuffix(page.String(), "\n")
}

// helpOf is what a command prints for --help, without spaces at the end of lines.
func helpOf(t *testing.T, n *kong.Node) string {
	t.Helper()
	var out bytes.Buffer
	args := append(strings.Fields(strings.TrimPrefix(n.Path(), "skep ")), "--help")
	k := parserFor(args)
	k.Stdout = &out
	k.Exit = func(int) {}
	if _, err := k.Parse(args); err != nil && out.Len() == 0 {
		t.Fatalf("skep %s --help: %v", n.Path(), err)
	}
	var text strings.Builder
	for line := range strings.Lines(out.String()) {
		text.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return text.String()
}

func writePages(t *testing.T, pages map[string]string) {
	t.Helper()
	if err := os.MkdirAll(commandPages, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(commandPages, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
