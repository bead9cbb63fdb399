package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// probe is a main.py that says of each name whether the module has it.
const probe = `
import xbee
def has_module(name):
    try:
        __import__(name)
        return True
    except ImportError:
        return False
def has(path):
    names = path.split('.')
    if not has_module(names[0]):
        return False
    o = __import__(names[0])
    for n in names[1:]:
        if not hasattr(o, n):
            return False
        o = getattr(o, n)
    return True
def has_command(name):
    try:
        xbee.atcmd(name)
        return True
    except KeyError:
        return False
def say(what, there):
    print('probed', 'there' if there else 'absent', what)
`

// absent are the names that docs/not-modelled.md says are not there.
func absent(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/not-modelled.md")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile("`absent: ([^`]+)`").FindAllSubmatch(text, -1) {
		names = append(names, string(m[1]))
	}
	if len(names) < 20 {
		t.Fatalf("docs/not-modelled.md has %d markers", len(names))
	}
	return names[1:] // the first explains what a marker is
}

// skep runs this test's own program as the command.
func skep(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	c := exec.Command(exe)
	c.Args = append([]string{"skep"}, args...)
	c.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_STATE_HOME="+t.TempDir())
	c.Stdout, c.Stderr = &out, &errs
	err = c.Run()
	return out.String(), errs.String(), err
}

// TestNotModelled wants the list of what is not modelled to be true.
func TestNotModelled(t *testing.T) {
	main := probe
	var asked []string
	for _, name := range absent(t) {
		kind, rest, _ := strings.Cut(name, " ")
		switch kind {
		case "skep":
			if _, stderr, err := skep(t, rest, "--help"); err == nil {
				t.Errorf("there is a command %q: take it out of docs/not-modelled.md", name)
			} else if !strings.Contains(stderr, "unexpected argument "+rest) {
				t.Errorf("skep %s: %v, %s", rest, err, stderr)
			}
			continue
		case "flag":
			if stdout, _, err := skep(t, "run", "--help"); err != nil || strings.Contains(stdout, rest) {
				t.Errorf("skep run has the flag %s, or no help (%v)", rest, err)
			}
			continue
		case "import":
			main += fmt.Sprintf("say(%q, has_module(%q))\n", name, rest)
		case "AT":
			main += fmt.Sprintf("say(%q, has_command(%q))\n", name, rest)
		default:
			main += fmt.Sprintf("say(%q, has(%q))\n", name, name)
		}
		asked = append(asked, name)
	}
	// what is there must be found, or the others prove nothing
	main += "say('import uos', has_module('uos'))\nsay('network.Cellular.active', has('network.Cellular.active'))\nsay('AT NI', has_command('NI'))\n"
	for _, model := range []string{"ltem", "cat1"} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "main.py"), []byte(main), 0o644); err != nil {
				t.Fatal(err)
			}
			stdout, stderr, err := skep(t, "run", "--cloud", "off", "--net", "none", "--clock", "virtual", "--model", model, dir)
			if err != nil {
				t.Fatalf("%v\n%s%s", err, stdout, stderr)
			}
			for _, name := range asked {
				if !strings.Contains(stdout, "probed absent "+name+"\n") {
					t.Errorf("%s is there, or was not probed: take it out of docs/not-modelled.md", name)
				}
			}
			for _, name := range []string{"import uos", "network.Cellular.active", "AT NI"} {
				if !strings.Contains(stdout, "probed there "+name+"\n") {
					t.Errorf("the probe does not find %s", name)
				}
			}
		})
	}
}
