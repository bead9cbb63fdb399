package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/skep-sim/skep/internal/xbee"
)

// stdio is stdin and stdout as the two ends of the module's serial port. Write
// sends to stdout and remembers the first failure.
type stdio struct {
	in      io.Reader
	out     io.Writer
	restore func() // puts the terminal back as it was; may be called twice
	escaped func() // if not nil, is called when Ctrl-] has been typed at a terminal

	mu  sync.Mutex
	err error
}

// console connects stdin and stdout to a serial port. A terminal is put into raw
// mode when somebody is to type at the prompt; else a line feed typed is the
// Enter key.
func console(interactive bool) (*stdio, error) {
	stdin := int(os.Stdin.Fd())
	t := &stdio{in: &enter{r: os.Stdin}, out: os.Stdout, restore: func() {}}
	if !interactive {
		t.out = &lines{w: os.Stdout}
		return t, nil
	}
	if !term.IsTerminal(stdin) {
		return t, nil
	}
	old, err := term.MakeRaw(stdin)
	if err != nil {
		return nil, fmt.Errorf("putting the terminal into raw mode: %w", err)
	}
	t.in = &escapable{r: os.Stdin, escaped: func() {
		if t.escaped != nil {
			t.escaped()
		}
	}}
	t.restore = func() { term.Restore(stdin, old) }
	return t, nil
}

func (t *stdio) Write(p []byte) (int, error) {
	n, err := t.out.Write(p)
	if err != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.err == nil {
			t.err = err
		}
	}
	return n, err
}

// failed is why some of the output has not reached stdout; nil if all has.
func (t *stdio) failed() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		return nil
	}
	return fmt.Errorf("the module ran, but its output was lost: %w", t.err)
}

// ending is what is to be done when a signal ends skep before its time. What is
// on the module's flash is safe at any moment.
type ending struct {
	over atomic.Bool // nothing can be typed any more: an interrupt is for skep itself
	off  atomic.Bool // the module is off

	mu    sync.Mutex
	tasks []func()
}

func (e *ending) add(task func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tasks = append(e.tasks, task)
}

func (e *ending) exit(s os.Signal) {
	status := 1
	if n, ok := s.(syscall.Signal); ok {
		status = 128 + int(n)
	}
	e.exitWith(status)
}

func (e *ending) exitWith(status int) {
	e.mu.Lock() // and never unlocked: this is the end
	for _, task := range e.tasks {
		task()
	}
	os.Exit(status)
}

// escapeGrace is how long a module has to notice at its prompt that nobody is
// there any more, before Ctrl-] takes its power away.
const escapeGrace = 300 * time.Millisecond

// escape switches the module off, whatever it does.
func (e *ending) escape() {
	time.AfterFunc(escapeGrace, func() {
		if !e.off.Load() {
			e.add(func() { fmt.Fprintln(os.Stderr, "skep: Ctrl-] switched the module off while its program ran") })
			e.exitWith(0)
		}
	})
}

// run runs a machine to its end, and says what is to be done when a signal ends skep
// before: a recorded one is switched off, so that the recording has its end.
func (e *ending) run(m *machine) xbee.Result {
	done := make(chan struct{})
	e.add(m.bill)
	if m.rec != nil {
		e.add(func() { m.finish(done) })
	}
	e.add(m.leave)
	result := m.device.Run()
	e.over.Store(true)
	e.off.Store(true)
	close(done)
	e.mu.Lock() // does not come back when skep is being ended: the status is the signal's
	defer e.mu.Unlock()
	return result
}

// onTermination ends skep in order when it is told to, or one of more comes.
func (e *ending) onTermination(more ...os.Signal) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, append(more, syscall.SIGTERM, syscall.SIGHUP)...)
	go func() { e.exit(<-signals) }()
}

// withCtrlC is in, with a Ctrl-C typed for every interrupt signal, so that the
// program on the module feels it. The second one within a second ends skep, and
// so does the first when in has ended, and nothing can be typed any more.
func (e *ending) withCtrlC(in io.Reader) io.Reader {
	e.onTermination()
	r, w := io.Pipe()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	go func() {
		io.Copy(w, in)
		e.over.Store(true)
		w.Close()
	}()
	go func() {
		var last time.Time
		for s := range signals {
			now := time.Now()
			if now.Sub(last) < time.Second || e.over.Load() {
				e.exit(s)
			}
			last = now
			go w.Write([]byte{3})
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

// escapable ends the input at Ctrl-], the way out of a raw terminal, and calls
// escaped.
type escapable struct {
	r       io.Reader
	escaped func()
	done    bool
}

func (e *escapable) Read(p []byte) (int, error) {
	if e.done {
		return 0, io.EOF
	}
	n, err := e.r.Read(p)
	for i, c := range p[:n] {
		if c == 0x1d {
			e.done = true
			e.escaped()
			if i == 0 {
				return 0, io.EOF
			}
			return i, nil
		}
	}
	return n, err
}
