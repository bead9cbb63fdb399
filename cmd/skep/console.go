package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	screen "github.com/skep-sim/skep/internal/host/console"
	"github.com/skep-sim/skep/internal/host/link"
)

// consoleCmd is skep console.
type consoleCmd struct {
	portFlags
	REPL bool   `name:"repl" help:"Find the module, go to its MicroPython prompt, interrupting what runs, and put its mode back at the end."`
	Log  string `help:"Write what the module says to a file, too." placeholder:"FILE"`
	Once bool   `help:"End when the port goes away, in place of waiting for it to come back."`
}

func (*consoleCmd) Help() string {
	return "Example:\n  skep console --port /dev/ttyUSB0 --baud 115200\n  skep console --port /tmp/xbee --repl --log pump.log\n\n" +
		"Every key goes to the module, Ctrl-C too; Ctrl-] leaves. A port that goes away (a cable,\n" +
		"skep serve) is waited for. Without --repl the module is not asked for anything, so that\n" +
		"the baud rate is 9600 unless --baud says otherwise. With input that is no terminal, its\n" +
		"end ends the console once the module is silent."
}

func (k *consoleCmd) Run() (err error) {
	c, err := k.prepare()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	o := screen.Options{In: os.Stdin, Out: os.Stdout, Clock: c.clock, Note: func(text string) { fmt.Fprintf(os.Stderr, "\r\nskep: %s\r\n", text) }}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		o.In = &enter{r: os.Stdin}
		o.Note = func(text string) { fmt.Fprintln(os.Stderr, "skep: "+text) }
	}
	if k.Log != "" {
		f, err := os.OpenFile(k.Log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return fmt.Errorf("--log: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		o.Log = f
	}
	if k.REPL {
		return k.prompt(c, o)
	}
	options := k.options(c)
	if options.Baud == 0 {
		options.Baud = 9600
	}
	line, err := link.OpenLine(c.ctx, c.port, options)
	if err != nil {
		return err
	}
	if !k.Once {
		o.Open = func() (*link.Line, error) { return link.OpenLine(c.ctx, c.port, options) }
	}
	err = k.raw(c.port, func() error { return screen.Run(c.ctx, line, o) })
	if k.Once {
		err = errors.Join(err, line.Close())
	}
	return err
}

// prompt is the console at the prompt.
func (k *consoleCmd) prompt(c *connection, o screen.Options) error {
	var s *link.Session
	open := func() (*link.Line, error) {
		next, err := link.Open(c.ctx, c.port, k.options(c))
		if err != nil {
			return nil, err
		}
		if err := next.Prompt(); err != nil {
			return nil, errors.Join(err, next.Close())
		}
		s = next
		return s.Line(), nil
	}
	line, err := open()
	if err != nil {
		return err
	}
	greet := func() { io.WriteString(o.Out, ">>> ") }
	if !k.Once {
		o.Close = func() error { return s.Close() }
		o.Open = func() (*link.Line, error) {
			line, err := open()
			if err == nil {
				greet()
			}
			return line, err
		}
	}
	err = k.raw(c.port, func() error {
		greet()
		return screen.Run(c.ctx, line, o)
	})
	if k.Once {
		err = errors.Join(err, s.Close())
	}
	return err
}

// raw does something with the terminal in raw mode, and says first how to leave: a key that is typed then is the
// module's.
func (k *consoleCmd) raw(port string, do func() error) error {
	stdin := int(os.Stdin.Fd())
	if !term.IsTerminal(stdin) {
		return do()
	}
	old, err := term.MakeRaw(stdin)
	if err != nil {
		return fmt.Errorf("putting the terminal into raw mode: %w", err)
	}
	fmt.Fprintf(os.Stderr, "skep: %s; Ctrl-] leaves\r\n", port)
	err = do()
	fmt.Fprint(os.Stderr, "\r\n")
	return errors.Join(err, term.Restore(stdin, old))
}
