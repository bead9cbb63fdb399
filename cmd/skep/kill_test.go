//go:build !windows

package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/xbee/flash"
)

// restless is an application that never stops changing the flash: round i writes
// i over and over into files, one of them by way of another, saves it as a
// setting, and last of all notes that the round is done.
const restless = `
import os, xbee

def write(name, i):
    with open(name, 'w') as f:
        f.write('%d ' % i * 300)

def done():
    try:
        with open('done') as f:
            return int(f.read() or 0)
    except OSError:
        return 0

i = done()
print('ready')
while True:
    i += 1
    write('data', i)
    write('next', i)
    os.replace('next', 'swapped')
    xbee.atcmd('KP', '%d' % i)
    xbee.atcmd('WR')
    if i % 10 == 0:
        os.compile('source.py')
    with open('done', 'w') as f:
        f.write('%d' % i)
    print('round', i)
`

// TestKill kills a real process at random moments, again and again on the same
// state directory. Each time the directory opens, and everything in it is as of
// the last round or of the one that was under way.
func TestKill(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, state := t.TempDir(), filepath.Join(t.TempDir(), "state")
	for name, text := range map[string]string{"main.py": restless, "source.py": "def f():\n return 1\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const kills = 30
	rng := rand.New(rand.NewPCG(1, 0))
	last, rounds := 0, 0
	for range kills {
		c := exec.Command(exe, "run", dir, "--state", state, "--cloud", "off")
		c.Args[0] = "skep"
		c.Env = append(os.Environ(), "HOME="+t.TempDir())
		in, err := c.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		// One of four is killed while it starts, the others within one of the
		// first rounds, however long a round takes on this machine.
		if rng.IntN(4) > 0 {
			left := 1 + rng.IntN(4)
			for lines := bufio.NewScanner(out); left > 0 && lines.Scan(); {
				if text := lines.Text(); strings.HasPrefix(text, "ready") || strings.HasPrefix(text, "round") {
					left--
				}
			}
		}
		time.Sleep(time.Duration(rng.Int64N(int64(20 * time.Millisecond))))
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		c.Wait()
		done := survey(t, state)
		if done < last {
			t.Fatalf("round %d was done, and now it is %d", last, done)
		}
		rounds, last = rounds+done-last, done
	}
	t.Logf("%d processes killed, in %d rounds", kills, rounds)
	if rounds < kills/4 {
		t.Errorf("only %d rounds in %d runs: the program hardly writes", rounds, kills)
	}
}

// survey looks at what a killed process has left, and returns the last round
// that was done.
func survey(t *testing.T, state string) (done int) {
	t.Helper()
	d, err := flash.OpenState(state)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	read := func(name string) (string, bool) {
		b, err := d.FS().ReadSecure(flash.Root, name)
		return string(b), err == nil
	}
	if text, ok := read("done"); ok && text != "" {
		if done, err = strconv.Atoi(text); err != nil {
			t.Fatalf("done holds %q", text)
		}
	}
	newest := done + 1
	for _, name := range []string{"data", "next", "swapped"} {
		text, ok := read(name)
		if !ok || done == 0 && text == "" {
			continue // before its first round, or moved
		}
		var i int
		fmt.Sscan(text, &i)
		switch {
		case name == "next" && (text == "" || i == newest):
		case i < done || i > newest:
			t.Fatalf("round %d is done, and %s is of round %d", done, name, i)
		}
		if text != "" && text != strings.Repeat(fmt.Sprint(i, " "), 300) {
			t.Fatalf("%s holds half a round: %.40q... (%d bytes)", name, text, len(text))
		}
		if name != "next" {
			newest = i // what comes later in a round is no further
		}
	}
	if saved := regexp.MustCompile(`KP "(\d+)"`).FindSubmatch(d.Blob("registers").Get()); saved != nil {
		if i, _ := strconv.Atoi(string(saved[1])); i < done || i > newest {
			t.Fatalf("round %d is done, and the setting is of round %d", done, i)
		}
	}
	if text, ok := read("source.mpy"); ok && !strings.HasPrefix(text, "M") {
		t.Fatalf("source.mpy holds %q", text)
	}
	return done
}
