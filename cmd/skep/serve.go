package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/hostport"
)

// serveCmd is skep serve.
type serveCmd struct {
	deviceFlags
	PTY       bool     `name:"pty" help:"Open a pseudo-terminal besides --tcp. Without --tcp there always is one."`
	Link      string   `help:"Make a symbolic link to the pseudo-terminal there, so that it has the same name every time." placeholder:"PATH"`
	TCP       string   `name:"tcp" help:"Open the serial port at a TCP address, localhost:2000 say; port 0 is any that is free." placeholder:"ADDR"`
	RFC2217   bool     `name:"rfc2217" help:"Speak RFC 2217 at --tcp, so that baud rate and break reach the module (pyserial: rfc2217://localhost:2000)."`
	AP        *uint64  `name:"ap" help:"Mode of the serial port to begin with, as ATAP has it: 0 transparent, 1 API, 2 API with escapes, 4 MicroPython, 5 bypass. Default: the saved one, or 0." placeholder:"N"`
	Autostart bool     `help:"Begin with ATPS at 1, so that main.py runs, whatever was saved."`
	Count     int      `help:"How many modules. Links are numbered PATH1, PATH2, ...; TCP ports count up from the given one." default:"1" placeholder:"N"`
	JSON      bool     `name:"json" help:"Print where each module's serial port is as a line of JSON."`
	Dir       []string `arg:"" optional:"" help:"Application whose files lie on /flash; several make a module each. Default: the one of --flash, or a module with what it had when it was last served."`
}

func (s *serveCmd) Help() string {
	return "Example:\n  skep serve --link /tmp/xbee\n  picocom -b 9600 /tmp/xbee       (+++, a second later OK; then ATAP4, ATCN and Enter for the prompt)\n\n" +
		"The module behaves as one at a serial port: it comes in the mode that was saved\nlast (at first transparent mode), and runs main.py if ATPS is 1. Programs may open\nand close the port; the module runs until Ctrl-C. A module is sent a break over\nRFC 2217."
}

// served is one module and its serial port.
type served struct {
	machine *machine
	line    *hostport.Line
	at      where
	done    chan struct{}
}

// where is the host's end of a serial port.
type where struct {
	Module int    `json:"module"`
	PTY    string `json:"pty,omitempty"`
	Link   string `json:"link,omitempty"`
	TCP    string `json:"tcp,omitempty"`
}

func (w where) String() string {
	text := ""
	if w.PTY != "" {
		text = w.PTY
	}
	if w.Link != "" {
		text = w.Link + " -> " + w.PTY
	}
	if w.TCP != "" {
		if text != "" {
			text += ", "
		}
		text += "tcp " + w.TCP
	}
	return text
}

func (s *serveCmd) check() error {
	switch {
	case s.AP != nil && (*s.AP > 5 || *s.AP == 3):
		return fmt.Errorf("--ap %d: the modes are 0 transparent, 1 API, 2 API with escapes, 4 MicroPython and 5 bypass", *s.AP)
	case s.Count < 1:
		return fmt.Errorf("--count %d: give how many modules, at least 1", s.Count)
	case len(s.Dir) > 0 && s.Flash != "":
		return fmt.Errorf("%s and --flash %s: give one of them", s.Dir[0], s.Flash)
	case len(s.Dir) > 1 && s.Count > 1:
		return fmt.Errorf("--count %d and %d directories: give one directory for many modules, or a directory for each", s.Count, len(s.Dir))
	case s.RFC2217 && s.TCP == "":
		return errors.New("--rfc2217 needs an address: --tcp localhost:2000")
	}
	return nil
}

func (s *serveCmd) Run(ctx context.Context) (err error) {
	if err := s.check(); err != nil {
		return err
	}
	if err := s.recordFlags.check(cmp.Or(append(s.Dir, s.Flash)...)); err != nil {
		return err
	}
	if s.Replay != "" {
		return s.again(os.Stdout, os.Stderr, 0)
	}
	dirs := s.Dir
	if s.Flash != "" {
		dirs = []string{s.Flash}
	}
	if len(dirs) == 0 {
		dirs = []string{""}
	}
	for len(dirs) < s.Count {
		dirs = append(dirs, dirs[0])
	}
	out := &stdout{w: os.Stdout}
	var all []*served
	defer func() {
		for _, m := range all {
			m.close()
		}
	}()
	var e ending
	stop := make(chan os.Signal, 2)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	for i, dir := range dirs {
		m, err := s.open(i+1, len(dirs), dir)
		if err != nil {
			return err
		}
		all = append(all, m)
		e.add(m.machine.leave)
		e.add(m.unlink)
	}
	for _, m := range all {
		go m.run()
		if err := s.tell(out, m.at, len(all)); err != nil {
			return err
		}
	}
	if !s.JSON {
		fmt.Fprintln(os.Stderr, "skep: Ctrl-C switches "+plural(len(all), "the module", "the modules")+" off")
	}
	<-stop
	go func() { e.exit(<-stop) }() // the second one does not wait
	for _, m := range all {
		m.machine.device.PowerOff()
	}
	for _, m := range all {
		m.wait()
	}
	return nil
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// stdout is where the ports are told.
type stdout struct{ w io.Writer }

// tell prints where a module's serial port is.
func (s *serveCmd) tell(out *stdout, w where, of int) error {
	var err error
	switch {
	case s.JSON:
		err = json.NewEncoder(out.w).Encode(w)
	case of == 1:
		_, err = fmt.Fprintf(out.w, "serial port: %s\n", w)
	default:
		_, err = fmt.Fprintf(out.w, "serial port %d: %s\n", w.Module, w)
	}
	if err != nil {
		return fmt.Errorf("telling where the serial port is: %w", err)
	}
	return nil
}

// open makes module number n of several, and the ends of its serial port.
func (s *serveCmd) open(n, of int, dir string) (m *served, err error) {
	set := setup{command: "serve", name: "serve", number: n, stderr: os.Stderr}
	if of == 1 {
		set.number = 0
	}
	if dir != "" {
		a, err := app.Open(dir)
		if err != nil {
			return nil, err
		}
		set.app, set.name = a, a.Name()
	}
	if s.AP != nil {
		set.settings = []string{fmt.Sprintf("AP%X", *s.AP)}
	}
	if s.Autostart {
		set.settings = append(set.settings, "PS1")
	}
	if of > 1 {
		set.stderr = &prefixed{w: os.Stderr, prefix: fmt.Sprintf("%d: ", n)}
	}
	m = &served{line: hostport.New(), at: where{Module: n}, done: make(chan struct{})}
	defer func() {
		if err != nil {
			m.close()
			m = nil
		}
	}()
	if err := s.openPorts(m, n, of, set.stderr); err != nil {
		return m, err
	}
	set.serial = m.line
	m.machine, err = s.deviceFlags.open(set)
	return m, err
}

func (s *serveCmd) openPorts(m *served, n, of int, stderr io.Writer) (err error) {
	if s.TCP == "" || s.PTY || s.Link != "" {
		if m.at.PTY, err = m.line.OpenPTY(); err != nil {
			return fmt.Errorf("opening a pseudo-terminal: %w", err)
		}
	}
	if s.Link != "" {
		link := s.Link
		if of > 1 {
			link += strconv.Itoa(n)
		}
		if err := makeLink(m.at.PTY, link); err != nil {
			return err
		}
		m.at.Link = link
	}
	if s.TCP == "" {
		return nil
	}
	addr, err := nthAddress(s.TCP, n)
	if err != nil {
		return err
	}
	a, err := m.line.Listen(addr, s.RFC2217, func(text string) { fmt.Fprintln(stderr, "skep: "+text) })
	if err != nil {
		return fmt.Errorf("--tcp: %w; give another port, or 0 for any that is free", err)
	}
	m.at.TCP = a.String()
	return nil
}

// nthAddress is the address of module number n, from 1: ports count up, but 0
// stays any.
func nthAddress(addr string, n int) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("--tcp %s: give HOST:PORT, localhost:2000 say", addr)
	}
	p, err := strconv.ParseUint(port, 10, 16)
	if err != nil || p != 0 && int(p)+n-1 > 0xFFFF {
		return "", fmt.Errorf("--tcp %s: give a port from 0 to 65535 (for each module its own)", addr)
	}
	if p != 0 {
		p += uint64(n) - 1
	}
	return net.JoinHostPort(host, strconv.FormatUint(p, 10)), nil
}

// makeLink makes a symbolic link, in the place of an older one.
func makeLink(to, path string) error {
	if st, err := os.Lstat(path); err == nil {
		if st.Mode()&os.ModeSymlink == 0 {
			return fmt.Errorf("--link %s: there is something else already, which stays: choose another path", path)
		}
	}
	// Beside it first, so that whoever opens it finds the old one or the new.
	temporary := fmt.Sprintf("%s.%d", path, os.Getpid())
	err := os.Symlink(to, temporary)
	if err == nil {
		if err = os.Rename(temporary, path); err != nil {
			os.Remove(temporary)
		}
	}
	var names *os.LinkError
	if errors.As(err, &names) {
		err = names.Err // without the temporary name, which says nothing to anybody
	}
	if err != nil {
		return fmt.Errorf("--link %s: %w: choose a path in a directory that is there and where you can make files", path, err)
	}
	return nil
}

// unlink removes the link, unless somebody has put something else there.
func (m *served) unlink() {
	if m.at.Link == "" {
		return
	}
	if to, err := os.Readlink(m.at.Link); err == nil && filepath.Clean(to) == filepath.Clean(m.at.PTY) {
		os.Remove(m.at.Link) // on failure it leads nowhere, which does no harm
	}
}

func (m *served) run() {
	defer close(m.done)
	m.machine.device.Run()
}

func (m *served) wait() {
	select {
	case <-m.done:
	case <-time.After(m.machine.offLimit()):
	}
}

func (m *served) close() {
	m.unlink()
	m.line.Close()
	m.machine.close()
}

// prefixed begins every line with a text, for the remarks of several modules.
type prefixed struct {
	w      io.Writer
	prefix string
	mu     sync.Mutex
}

func (p *prefixed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := fmt.Fprintf(p.w, "%s%s", p.prefix, b); err != nil {
		return 0, err
	}
	return len(b), nil
}
