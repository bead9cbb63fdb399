package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/skep-sim/skep/internal/host/link"
	"github.com/skep-sim/skep/internal/host/ports"
	"github.com/skep-sim/skep/internal/world"
)

// portFlags say where a module is, real or virtual.
type portFlags struct {
	Port       string        `short:"p" env:"SKEP_PORT" help:"Serial port: /dev/ttyUSB0, COM3, the pseudo-terminal of skep serve, tcp:HOST:PORT, rfc2217:HOST:PORT. Default: $$SKEP_PORT, or the only USB port that is there." placeholder:"PORT"`
	Baud       int           `help:"Baud rate. Default: found." placeholder:"N"`
	Guard      time.Duration `env:"SKEP_GUARD" help:"Silence around +++ to begin with, for a module whose guard time (ATGT) was made shorter." default:"1.1s" placeholder:"TIME"`
	Break      bool          `help:"If the module does not answer, force command mode by a break of six seconds: for one whose settings nobody knows."`
	Transcript string        `help:"Write down what goes over the line, with times, as text to mail with a question. Contents of files, keys and passwords are left out." placeholder:"FILE"`
}

// connection is a port in use.
type connection struct {
	ctx        context.Context
	clock      world.Clock
	transcript *link.Transcript
	file       *os.File
	port       string
	stop       func()
}

// prepare opens what a command at a port needs, besides the port. An interrupt
// ends what is under way; a second one ends skep.
func (f *portFlags) prepare() (*connection, error) {
	name, err := f.name()
	if err != nil {
		return nil, err
	}
	if f.Baud < 0 || f.Baud > 4_000_000 {
		return nil, fmt.Errorf("--baud %d: give a rate such as 9600 or 115200", f.Baud)
	}
	if f.Guard < time.Millisecond || f.Guard > 10*time.Second {
		return nil, fmt.Errorf("--guard %v: give a time from 1ms to 10s", f.Guard)
	}
	c := &connection{clock: world.RealClock(), port: name}
	if f.Transcript != "" {
		if c.file, err = os.OpenFile(f.Transcript, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
			return nil, fmt.Errorf("--transcript: %w", err)
		}
		c.transcript = link.NewTranscript(c.file, c.clock, transcriptHead(name))
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		if _, ok := <-signals; ok {
			signal.Stop(signals)
			fmt.Fprintln(os.Stderr, "skep: ending; a second Ctrl-C does not wait for the module")
			cancel(errInterrupted)
		}
	}()
	c.ctx = ctx
	c.stop = func() { signal.Stop(signals); close(signals); cancel(nil) }
	return c, nil
}

var errInterrupted = errors.New("interrupted")

// transcriptHead is what a reader of a transcript has to know.
func transcriptHead(port string) string {
	version := "unknown version"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				version += " " + s.Value
			}
		}
	}
	args := make([]string, 0, len(os.Args))
	for _, a := range os.Args[1:] {
		args = append(args, passwords.ReplaceAllString(a, "$1=[left out]"))
	}
	return fmt.Sprintf("skep %s, %s/%s, port %s\nskep %s", version, runtime.GOOS, runtime.GOARCH, port, strings.Join(args, " "))
}

// passwords are AT commands whose value nobody else should read.
var passwords = regexp.MustCompile(`(?i)^((?:AT)?(?:CW|PN|CU))=?.+`)

// name is the port to use.
func (f *portFlags) name() (string, error) {
	if f.Port != "" {
		return f.Port, nil
	}
	all, err := ports.List()
	if err != nil {
		return "", fmt.Errorf("listing the serial ports: %w: name one with --port", err)
	}
	var usb []string
	for _, p := range all {
		if p.VID != "" {
			usb = append(usb, p.Name)
		}
	}
	switch len(usb) {
	case 0:
		return "", errors.New("no port was named, and there is no USB serial port: plug the module in, or name one with --port (skep serve has one for a virtual module)")
	case 1:
		fmt.Fprintf(os.Stderr, "skep: at %s\n", usb[0])
		return usb[0], nil
	}
	return "", fmt.Errorf("there are several serial ports: name one with --port: %s (skep ports says what they are)", strings.Join(usb, ", "))
}

func (f *portFlags) options(c *connection) link.Options {
	return link.Options{
		Clock: c.clock, Baud: f.Baud, Guard: f.Guard, Break: f.Break, Transcript: c.transcript,
		Log: func(text string) { fmt.Fprintln(os.Stderr, "skep: "+text) },
	}
}

// close ends the transcript.
func (c *connection) close() error {
	c.stop()
	if c.file == nil {
		return nil
	}
	if err := errors.Join(c.transcript.Close(), c.file.Close()); err != nil {
		return fmt.Errorf("the transcript: %w", err)
	}
	return nil
}

// with does something with a module in command mode, and leaves it as it was.
func (f *portFlags) with(do func(c *connection, s *link.Session) error) (err error) {
	c, err := f.prepare()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	s, err := link.Open(c.ctx, c.port, f.options(c))
	if err != nil {
		return err
	}
	err = do(c, s)
	if closing := s.Close(); err == nil {
		err = closing
	}
	return err
}

// confirm asks a yes or no question at the terminal; where there is none, the answer
// is no and asked is false.
func confirm(question string) (yes, asked bool) {
	if !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stderr.Fd())) {
		return false, false
	}
	fmt.Fprintf(os.Stderr, "%s [y/N] ", question)
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	line = strings.ToLower(strings.TrimSpace(line))
	return err == nil && (line == "y" || line == "yes"), true
}
