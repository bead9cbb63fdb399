package main

import (
	"cmp"
	"context"
	"fmt"
	"os"

	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/world"
)

// runCmd is skep run.
type runCmd struct {
	deviceFlags
	Stay bool `help:"Keep the prompt when the program has ended."`

	Dir string `arg:"" optional:"" help:"The application's directory, or any directory of files for /flash. Default: the one of --flash, or this one."`
}

func (r *runCmd) Help() string {
	return "Example:\n  skep run examples/tracker --model cat1\n\nThe console is on stdin and stdout. The exit status is 1 if main.py died of an\nexception. Remarks about the module (why a connection failed, what to do) go to\nstderr."
}

func (r *runCmd) Run(ctx context.Context) error {
	dir := r.Dir
	if err := r.check(cmp.Or(r.Dir, r.Flash)); err != nil {
		return err
	}
	if r.Replay != "" {
		return r.again(os.Stdout, os.Stderr, 0)
	}
	switch {
	case dir != "" && r.Flash != "":
		return fmt.Errorf("%s and --flash %s: give one directory", dir, r.Flash)
	case r.Flash != "":
		dir = r.Flash
	case dir == "":
		dir = "."
	}
	a, err := app.Open(dir)
	if err != nil {
		return err
	}
	t, err := console(r.Stay)
	if err != nil {
		return err
	}
	defer t.restore()
	var e ending
	e.add(t.restore)
	t.escaped = e.escape
	m, err := r.open(setup{
		command: "run", app: a, name: a.Name(), serial: world.Console(e.withCtrlC(t.in), t), settings: atConsole, autostart: true, noREPL: !r.Stay, stderr: os.Stderr,
	})
	if err != nil {
		return err
	}
	defer m.close()
	result := e.run(m)
	t.restore()
	if err := t.failed(); err != nil {
		return err
	}
	if result.Failed || !result.Ran && !result.Off && !r.Stay {
		return exitStatus(1)
	}
	return nil
}

// atConsole are the settings of a module whose serial port is stdin and stdout:
// the prompt and the program are to be seen.
var atConsole = []string{"AP4"}

// replCmd is skep repl.
type replCmd struct {
	deviceFlags
}

func (r *replCmd) Help() string {
	return "Example:\n  printf 'import gc\\rgc.mem_free(), gc.mem_alloc()\\r' | skep repl\n\nWith stdin not a terminal its bytes are typed into the serial port; the end of\ninput powers the module off once its program has ended. At a terminal, Ctrl-]\npowers it off at once."
}

func (r *replCmd) Run(ctx context.Context) error {
	if err := r.check(r.Flash); err != nil {
		return err
	}
	if r.Replay != "" {
		return r.again(os.Stdout, os.Stderr, 0)
	}
	s := setup{command: "repl", name: "repl", settings: atConsole, stderr: os.Stderr}
	if r.Flash != "" {
		a, err := app.Open(r.Flash)
		if err != nil {
			return err
		}
		s.app, s.name = a, a.Name()
	}
	t, err := console(true)
	if err != nil {
		return err
	}
	defer t.restore()
	var e ending
	e.add(t.restore)
	t.escaped = e.escape
	s.serial = world.Console(t.in, t)
	m, err := r.open(s)
	if err != nil {
		return err
	}
	defer m.close()
	e.onTermination(os.Interrupt)
	e.run(m)
	t.restore()
	return t.failed()
}
