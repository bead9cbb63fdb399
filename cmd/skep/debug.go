package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"slices"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/skep-sim/skep/internal/dap"
	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/replay"
)

// debugCmd is skep debug.
type debugCmd struct {
	Listen string `help:"Serve editors at a TCP address, 127.0.0.1:4711 say, one after the other or at once, instead of one on stdin and stdout; port 0 is any that is free." placeholder:"ADDR"`
	Replay string `help:"Debug a recording, whatever the editor's configuration says to launch." placeholder:"FILE"`
	Log    string `help:"Write the messages that are exchanged to a file." placeholder:"FILE"`

	Dir string `arg:"" optional:"" help:"The application's directory, if the editor's configuration names none: with --replay, where the sources are."`
}

func (c *debugCmd) Help() string {
	return "Example:\n  skep debug --listen 127.0.0.1:4711 examples/tracker\n\n" +
		"Speaks the Debug Adapter Protocol with an editor: breakpoints, steps, variables,\n" +
		"exceptions, and the way back in time. Editors start it by themselves; docs/debugging.md\n" +
		"has the configuration for VS Code, Neovim and Emacs. A launch configuration has\n" +
		"\"program\", the application's directory, and the flags of skep run by their names, such as\n" +
		"\"model\": \"cat1\", \"clock\": \"virtual\"; \"stopOnEntry\", \"stay\", and \"replay\" for a recording."
}

func (c *debugCmd) Run(ctx context.Context) error {
	var log io.Writer
	if c.Log != "" {
		f, err := os.Create(c.Log)
		if err != nil {
			return fmt.Errorf("--log: %w", err)
		}
		defer f.Close()
		log = f
	}
	if c.Replay != "" { // complain now rather than to the editor
		if _, err := replay.Open(c.Replay); err != nil {
			return fmt.Errorf("--replay: %w", err)
		}
	}
	if c.Listen == "" {
		return c.serve(stdinOut{}, log)
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", c.Listen, err)
	}
	fmt.Fprintf(os.Stderr, "skep: editors can connect to %s; Ctrl-C ends it\n", l.Addr())
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	conns := &connections{}
	go func() {
		<-stop
		l.Close()
		conns.close()
	}()
	var all sync.WaitGroup
	defer all.Wait()
	for {
		conn, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("--listen %s: %w", c.Listen, err)
		}
		if !conns.add(conn) {
			return nil
		}
		all.Add(1)
		go func() {
			defer all.Done()
			defer conn.Close()
			if err := c.serve(conn, log); err != nil && !errors.Is(err, net.ErrClosed) {
				fmt.Fprintf(os.Stderr, "skep: an editor at %s: %v\n", conn.RemoteAddr(), err)
			}
		}()
	}
}

// outputDelay is how long a piece of a line of output waits for the rest of it.
const outputDelay = 50 * time.Millisecond

// connections are those that an interrupt is to close.
type connections struct {
	mu     sync.Mutex
	open   []net.Conn
	closed bool
}

func (c *connections) add(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		conn.Close()
		return false
	}
	c.open = append(c.open, conn)
	return true
}

func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, conn := range c.open {
		conn.Close()
	}
}

// stdinOut is stdin and stdout.
type stdinOut struct{}

func (stdinOut) Read(p []byte) (int, error)  { return os.Stdin.Read(p) }
func (stdinOut) Write(p []byte) (int, error) { return os.Stdout.Write(p) }

// serve serves one editor.
func (c *debugCmd) serve(rw io.ReadWriter, log io.Writer) error {
	if log != nil {
		rw = newTee(rw, log)
	}
	return dap.Serve(rw, c.launch, func(f func()) { time.AfterFunc(outputDelay, f) })
}

// tee writes down the messages that are exchanged, one a line.
type tee struct {
	io.ReadWriter
	in, out messages
}

// messages is one direction.
type messages struct {
	way  string
	mu   *sync.Mutex // of the log
	log  io.Writer
	rest []byte
}

func newTee(rw io.ReadWriter, log io.Writer) *tee {
	mu := new(sync.Mutex)
	return &tee{rw, messages{way: "-->", mu: mu, log: log}, messages{way: "<--", mu: mu, log: log}}
}

// note takes the next bytes.
func (m *messages) note(p []byte) {
	m.rest = append(m.rest, p...)
	for {
		head, body, ok := bytes.Cut(m.rest, []byte("\r\n\r\n"))
		var n int
		if !ok {
			return
		}
		if _, err := fmt.Sscanf(string(head), "Content-Length: %d", &n); err != nil || len(body) < n {
			return
		}
		m.mu.Lock()
		fmt.Fprintf(m.log, "%s %s\n", m.way, body[:n])
		m.mu.Unlock()
		m.rest = body[n:]
	}
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.ReadWriter.Read(p)
	t.in.note(p[:n])
	return n, err
}

func (t *tee) Write(p []byte) (int, error) {
	t.out.note(p)
	return t.ReadWriter.Write(p)
}

// launchFlags are what a launch configuration may say besides the editor's own keys:
// the flags of skep run, and these.
type launchFlags struct {
	deviceFlags
	Program     string
	StopOnEntry bool `name:"stopOnEntry"`
	NoDebug     bool `name:"noDebug"`
	Stay        bool
}

// editorKeys are keys of a configuration that are the editor's.
var editorKeys = []string{
	"type", "request", "name", "cwd", "console", "internalConsoleOptions", "presentation", "preLaunchTask", "postDebugTask",
	"debugServer", "serverReadyAction", "linux", "windows", "osx", "host", "port", "server", "restart", "env", "args",
	"allowlist", "suppressMultipleSessionWarning", "debugAdapterHostName", "trace",
}

// parseLaunch reads a launch configuration. Its keys are flags, so the flags' parser
// reads it.
func parseLaunch(arguments json.RawMessage) (f launchFlags, err error) {
	var keys map[string]any
	if len(arguments) > 0 {
		if err := json.Unmarshal(arguments, &keys); err != nil {
			return f, fmt.Errorf("the launch configuration: %w", err)
		}
	}
	var args []string
	for key, value := range keys {
		if slices.Contains(editorKeys, key) || strings.HasPrefix(key, "_") {
			continue
		}
		switch v := value.(type) {
		case nil:
		case bool:
			args = append(args, fmt.Sprintf("--%s=%t", key, v))
		case string:
			args = append(args, fmt.Sprintf("--%s=%s", key, v))
		case float64:
			args = append(args, fmt.Sprintf("--%s=%v", key, v))
		default:
			return f, fmt.Errorf("%q in the launch configuration is neither a text nor a number", key)
		}
	}
	sort.Strings(args)
	p, err := kong.New(&f, kong.Name("launch"), kong.NoDefaultHelp(), kong.Exit(func(int) {}))
	if err != nil {
		return f, err
	}
	if _, err := p.Parse(args); err != nil {
		return f, fmt.Errorf("the launch configuration: %s; its keys are the flags of skep run, and program, stopOnEntry, stay, replay", strings.ReplaceAll(err.Error(), "--", ""))
	}
	return f, nil
}

// launch makes what an editor wants to debug.
func (c *debugCmd) launch(attach bool, arguments json.RawMessage, say func(text string)) (*dap.Program, error) {
	if attach {
		return nil, errors.New("there is nothing to attach to: use \"request\": \"launch\"")
	}
	f, err := parseLaunch(arguments)
	if err != nil {
		return nil, err
	}
	dir := f.Program
	if dir == "" {
		dir = c.Dir
	}
	if f.Flash != "" && dir == "" {
		dir = f.Flash
	}
	f.Flash = ""
	if c.Replay != "" {
		f.Replay = c.Replay
	}
	notes := noteWriter{say}
	var a *app.App
	if dir != "" || f.Replay == "" {
		if dir == "" {
			dir = "."
		}
		if st, err := os.Stat(dir); err == nil && !st.IsDir() {
			return nil, fmt.Errorf("\"program\" is a file, %s: give the application's directory", dir)
		}
		if a, err = app.Open(dir); err != nil {
			return nil, err
		}
	}
	if f.Replay != "" {
		return launchReplay(&f, a, say)
	}
	t, sources, err := openDebuggee(&f.deviceFlags, a, f.Stay, notes)
	if err != nil {
		return nil, err
	}
	return &dap.Program{
		Target: t, Sources: sources, StopOnEntry: f.StopOnEntry, NoDebug: f.NoDebug, Close: t.machine.close,
	}, nil
}

// launchReplay makes a recording ready to be debugged.
func launchReplay(f *launchFlags, a *app.App, say func(text string)) (*dap.Program, error) {
	r, err := replay.Open(f.Replay)
	if err != nil {
		return nil, err
	}
	conf, _, err := r.Device(nil)
	if err != nil {
		return nil, err
	}
	sources, err := debugSources(r.Profile.MpyVersion.Value, a, conf.Flash.FS())
	if err != nil {
		return nil, err
	}
	if v := replay.Version(); r.Skep != v {
		say(fmt.Sprintf("%s was recorded by skep %s, and this is %s: what has changed since may make a difference\n", f.Replay, r.Skep, v))
	}
	t := &repetition{recording: r, foreign: true, note: func(text string) { say(text + "\n") }}
	return &dap.Program{Target: t, Sources: sources, Recorded: true, StopOnEntry: f.StopOnEntry, NoDebug: f.NoDebug}, nil
}

// noteWriter shows remarks in the debug console.
type noteWriter struct{ say func(text string) }

func (w noteWriter) Write(p []byte) (int, error) {
	w.say(string(p))
	return len(p), nil
}
