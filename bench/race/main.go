// Command race runs two interpreters over the same Python programs in turn and
// compares the CPU time they take.
//
// Runs alternate, so that a machine whose speed drifts hits both. Outputs should
// agree; a peer with double precision gives other figures in mandel. It prints, per
// program, the median CPU seconds of each and how many times as long the peer takes
// (over 1: ours is faster), then the geometric mean.
//
// What makes ours fast must not show: each program is also run with fused
// instructions and without, and what micropython.mem_info() prints at its end must
// be the same.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	ours := flag.String("ours", "skep exec --heap 67108864", "our interpreter's `command`; the program's path is appended")
	peer := flag.String("peer", "", "the other interpreter's `command`")
	dir := flag.String("programs", filepath.Join("bench", "programs"), "`directory` with the programs")
	pairs := flag.Int("n", 5, "`number` of runs of each")
	only := flag.String("only", "*", "programs to run, as a `pattern`")
	plain := flag.String("plain", "--plain", "`flag` that makes ours run without fused instructions; empty: do not compare mem_info")
	flag.Parse()
	if err := race(os.Stdout, *ours, *peer, *dir, *only, *plain, *pairs); err != nil {
		fmt.Fprintln(os.Stderr, "race:", err)
		os.Exit(1)
	}
}

func race(w io.Writer, ours, peer, dir, only, plain string, pairs int) error {
	commands := [2][]string{strings.Fields(ours), strings.Fields(peer)}
	if len(commands[0]) == 0 || len(commands[1]) == 0 {
		return errors.New("give both commands: -ours 'skep exec --heap 67108864' -peer ./micropython")
	}
	files, err := filepath.Glob(filepath.Join(dir, only+".py"))
	if err != nil {
		return err
	}
	if len(files) == 0 || pairs < 1 {
		return fmt.Errorf("nothing to run: no %s.py in %s, or -n below 1", only, dir)
	}
	fmt.Fprintf(w, "%-14s %8s %8s %8s\n", "program", "ours", "peer", "ratio")
	sum, same := 0.0, 0
	for _, file := range files {
		var seconds [2][]float64
		var output [2][]byte
		for range pairs {
			for i, c := range commands {
				s, out, err := timed(c, file)
				if err != nil {
					return err
				}
				seconds[i], output[i] = append(seconds[i], s), out
			}
		}
		a, b := median(seconds[0]), median(seconds[1])
		note := ""
		if !bytes.Equal(output[0], output[1]) {
			note = "  output differs"
		}
		if plain != "" {
			ok, err := sameMemory(commands[0], plain, file)
			if err != nil {
				return err
			}
			if ok {
				same++
			} else {
				note += "  mem_info differs"
			}
		}
		sum += math.Log(b / a)
		fmt.Fprintf(w, "%-14s %8.3f %8.3f %8.2f%s\n", filepath.Base(file), a, b, b/a, note)
	}
	fmt.Fprintf(w, "%-14s %26.2f\n", "geomean", math.Exp(sum/float64(len(files))))
	if plain == "" {
		return nil
	}
	fmt.Fprintf(w, "mem_info with and without %s: the same in %d of %d programs\n", plain, same, len(files))
	if same != len(files) {
		return fmt.Errorf("mem_info depends on %s", plain)
	}
	return nil
}

// sameMemory runs a program that ends in mem_info() with a flag and without, and
// reports whether it prints the same.
func sameMemory(command []string, plain, file string) (bool, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "race")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	copied := filepath.Join(dir, filepath.Base(file))
	src = append(src, "\nimport micropython\nmicropython.mem_info()\n"...)
	if err := os.WriteFile(copied, src, 0o600); err != nil {
		return false, err
	}
	_, fused, err := timed(command, copied)
	if err != nil {
		return false, err
	}
	if !bytes.Contains(fused, []byte("GC: total")) {
		return false, fmt.Errorf("%s: no mem_info in its output:\n%s", file, fused)
	}
	_, single, err := timed(append(slices.Clone(command), plain), copied)
	return bytes.Equal(fused, single), err
}

// timed runs a program and gives its CPU seconds, user and system.
func timed(command []string, file string) (float64, []byte, error) {
	var out, errs bytes.Buffer
	c := exec.Command(command[0], append(slices.Clone(command[1:]), file)...)
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		return 0, nil, fmt.Errorf("%s %s: %w\n%s", strings.Join(command, " "), file, err, errs.Bytes())
	}
	s := c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	return max(s.Seconds(), 1e-6), bytes.ReplaceAll(out.Bytes(), []byte("\r"), nil), nil
}

func median(v []float64) float64 {
	slices.Sort(v)
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}
