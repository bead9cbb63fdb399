// Command race runs two interpreters over the same Python programs in turn and
// compares the CPU time they take.
//
// Runs alternate, so that a machine whose speed drifts hits both. Outputs should
// agree; a peer with double precision gives other figures in mandel. It prints, per program, the median CPU seconds of each and how
// many times as long the peer takes (over 1: ours is faster), then the geometric
// mean.
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
	flag.Parse()
	if err := race(os.Stdout, *ours, *peer, *dir, *only, *pairs); err != nil {
		fmt.Fprintln(os.Stderr, "race:", err)
		os.Exit(1)
	}
}

func race(w io.Writer, ours, peer, dir, only string, pairs int) error {
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
	sum := 0.0
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
		sum += math.Log(b / a)
		fmt.Fprintf(w, "%-14s %8.3f %8.3f %8.2f%s\n", filepath.Base(file), a, b, b/a, note)
	}
	fmt.Fprintf(w, "%-14s %26.2f\n", "geomean", math.Exp(sum/float64(len(files))))
	return nil
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
