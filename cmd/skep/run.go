package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"time"

	"golang.org/x/term"

	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/world"
)

// runCmd is skep run.
type runCmd struct {
	deviceFlags
	Stay bool `help:"Keep the prompt when the program has ended."`

	Dir string `arg:"" optional:"" default:"." help:"The application's directory, or any directory of files for /flash."`
}

func (r *runCmd) Help() string {
	return "Example:\n  skep run examples/tracker --model cat1\n\nThe console is on stdin and stdout. The exit status is 1 if main.py died of an\nexception. Remarks about the module (why a connection failed, what to do) go to\nstderr."
}

func (r *runCmd) Run(ctx context.Context) error {
	a, err := app.Open(r.Dir)
	if err != nil {
		return err
	}
	in, out, restore, err := console(r.Stay)
	if err != nil {
		return err
	}
	defer restore()
	in = withCtrlC(in)
	m, err := r.open(setup{
		command: "run", app: a, name: a.Name(), serial: world.Console(in, out), autostart: true, noREPL: !r.Stay, stderr: os.Stderr,
	})
	if err != nil {
		return err
	}
	defer m.close()
	result := m.device.Run()
	if result.Failed || !result.Ran && !r.Stay {
		return exitStatus(1)
	}
	return nil
}

// replCmd is skep repl.
type replCmd struct {
	deviceFlags
	Flash string `help:"Directory whose files lie on /flash." placeholder:"DIR"`
}

func (r *replCmd) Help() string {
	return "Example:\n  printf 'import gc\\rgc.mem_free(), gc.mem_alloc()\\r' | skep repl\n\nWith stdin not a terminal its bytes are typed into the serial port; the end of\ninput powers the module off. At a terminal, Ctrl-] does."
}

func (r *replCmd) Run(ctx context.Context) error {
	s := setup{command: "repl", name: "repl", stderr: os.Stderr}
	if r.Flash != "" {
		a, err := app.Open(r.Flash)
		if err != nil {
			return err
		}
		s.app, s.name = a, a.Name()
	}
	in, out, restore, err := console(true)
	if err != nil {
		return err
	}
	defer restore()
	s.serial = world.Console(in, out)
	m, err := r.open(s)
	if err != nil {
		return err
	}
	defer m.close()
	m.device.Run()
	return nil
}

// console connects stdin and stdout to a serial port. A terminal is put into raw
// mode when somebody is to type at the prompt; else a line feed typed is the
// Enter key.
func console(interactive bool) (in io.Reader, out io.Writer, restore func(), err error) {
	stdin := int(os.Stdin.Fd())
	restore = func() {}
	if interactive && term.IsTerminal(stdin) {
		old, err := term.MakeRaw(stdin)
		if err != nil {
			return nil, nil, restore, err
		}
		return &escapable{r: os.Stdin}, os.Stdout, func() { term.Restore(stdin, old) }, nil
	}
	if interactive {
		return &enter{r: os.Stdin}, os.Stdout, restore, nil
	}
	return &enter{r: os.Stdin}, &lines{w: os.Stdout}, restore, nil
}

// withCtrlC is in, with a Ctrl-C typed for every interrupt signal, so that the
// program on the module feels it. The second one within a second ends skep.
func withCtrlC(in io.Reader) io.Reader {
	r, w := io.Pipe()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	go func() {
		io.Copy(w, in)
		w.Close()
	}()
	go func() {
		var last time.Time
		for range signals {
			now := time.Now()
			if now.Sub(last) < time.Second {
				os.Exit(130)
			}
			last = now
			w.Write([]byte{3})
		}
	}()
	return r
}

// enter makes the Enter key of line feeds: LF and CR LF become CR.
type enter struct {
	r  io.Reader
	cr bool // the last byte was CR
}

func (e *enter) Read(p []byte) (int, error) {
	for {
		n, err := e.r.Read(p)
		k := 0
		for _, c := range p[:n] {
			if c == '\n' {
				if e.cr {
					e.cr = false
					continue
				}
				c = '\r'
				p[k] = c
				k++
				continue
			}
			e.cr = c == '\r'
			p[k] = c
			k++
		}
		if k > 0 || err != nil || n == 0 {
			return k, err
		}
	}
}

// lines drops the carriage returns of CR LF, for output that no terminal sees.
type lines struct {
	w  io.Writer
	cr bool // a carriage return is held back
}

func (l *lines) Write(p []byte) (int, error) {
	out := make([]byte, 0, len(p)+1)
	for _, c := range p {
		if l.cr && c != '\n' {
			out = append(out, '\r')
		}
		l.cr = c == '\r'
		if !l.cr {
			out = append(out, c)
		}
	}
	if _, err := l.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// escapable ends the input at Ctrl-], the way out of a raw terminal.
type escapable struct {
	r    io.Reader
	done bool
}

func (e *escapable) Read(p []byte) (int, error) {
	if e.done {
		return 0, io.EOF
	}
	n, err := e.r.Read(p)
	for i, c := range p[:n] {
		if c == 0x1d {
			e.done = true
			if i == 0 {
				return 0, io.EOF
			}
			return i, nil
		}
	}
	return n, err
}
