// Command drawrun makes docs/run.svg, the README's picture, from a real run: it
// runs the README's first command for somebody who never ran it and draws what
// came out.
//
//	go run ./internal/termsvg/drawrun
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/skep-sim/skep/internal/termsvg"
)

func main() {
	out := flag.String("o", "docs/run.svg", "`file` to write")
	columns := flag.Int("columns", 92, "`width` of the terminal")
	flag.Parse()
	if err := draw(*out, *columns); err != nil {
		fmt.Fprintln(os.Stderr, "drawrun:", err)
		os.Exit(1)
	}
}

// command is what is run and shown.
var command = []string{"go", "run", "./cmd/skep", "run", "examples/tracker"}

func draw(out string, columns int) error {
	state, err := os.MkdirTemp("", "drawrun")
	if err != nil {
		return err
	}
	defer os.RemoveAll(state)
	var all bytes.Buffer
	c := exec.Command(command[0], command[1:]...)
	c.Env = append(os.Environ(), "XDG_STATE_HOME="+state)
	c.Stdout, c.Stderr = &all, &all
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, all.Bytes())
	}
	lines := []termsvg.Line{{Text: "$ " + strings.Join(command, " "), Style: termsvg.Command}}
	for line := range strings.Lines(all.String()) {
		line = strings.TrimRight(line, "\r\n ")
		lines = append(lines, termsvg.Line{Text: line, Style: style(line)})
	}
	return os.WriteFile(out, termsvg.Draw("a virtual XBee 3 Cellular", lines, columns), 0o644)
}

// style picks out what a reader should see: the figures that are computed, and
// what went over the network.
func style(line string) termsvg.Style {
	for prefix, s := range map[string]termsvg.Style{
		"skep: ": termsvg.Remark, "soft reboot": termsvg.Strong, "Embedded ": termsvg.Strong, "Used ": termsvg.Strong, "GC: ": termsvg.Strong,
		"Shadow over ": termsvg.Strong, "Reported ": termsvg.Strong, "Asked for ": termsvg.Strong, "Memory free": termsvg.Strong, "Published ": termsvg.Strong,
		"MicroPython ": termsvg.Faint, "Type ": termsvg.Faint, ">>>": termsvg.Faint,
	} {
		if strings.HasPrefix(line, prefix) {
			return s
		}
	}
	return termsvg.Plain
}
