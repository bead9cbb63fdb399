//go:build !windows

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// server is a skep serve.
type server struct {
	t      *testing.T
	cmd    *exec.Cmd
	out    *bufio.Reader
	stderr bytes.Buffer
}

// serve starts skep serve with modules whose command mode is quick to enter.
func serve(t *testing.T, args ...string) *server {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, cmd: exec.Command(exe)}
	s.cmd.Args = append([]string{"skep", "serve", "--cloud", "off", "--net", "host", "--json"}, args...)
	s.cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_STATE_HOME="+t.TempDir())
	s.cmd.Stderr = &s.stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.out = bufio.NewReader(out)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		s.cmd.Wait()
	})
	return s
}

// next is where the next module's serial port is.
func (s *server) next() where {
	s.t.Helper()
	line, err := s.out.ReadBytes('\n')
	var w where
	if err == nil {
		err = json.Unmarshal(line, &w)
	}
	if err != nil {
		s.t.Fatalf("%q: %v; %s", line, err, s.stderr.String())
	}
	return w
}

// stop ends skep as Ctrl-C does.
func (s *server) stop() {
	s.t.Helper()
	s.cmd.Process.Signal(os.Interrupt)
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("skep serve: %v; %s", err, s.stderr.String())
	}
}

// wire is a serial port that a test has opened.
type wire struct {
	t    *testing.T
	f    io.ReadWriteCloser
	seen string // a line of the transcript that has come already, see replay
}

func openWire(t *testing.T, path string) *wire {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	return &wire{t: t, f: f}
}

// expect sends something and reads up to a text.
func (w *wire) expect(sent, want string) string {
	w.t.Helper()
	if _, err := io.WriteString(w.f, sent); err != nil {
		w.t.Fatal(err)
	}
	w.f.(interface{ SetReadDeadline(time.Time) error }).SetReadDeadline(time.Now().Add(20 * time.Second))
	var got []byte
	for buf := make([]byte, 1); !bytes.Contains(got, []byte(want)); {
		n, err := w.f.Read(buf)
		if got = append(got, buf[:n]...); err != nil {
			w.t.Fatalf("sent %q, got %q, %v; want %q", sent, got, err, want)
		}
	}
	return string(got)
}

// command enters command mode, with the guard times that a module comes with.
func (w *wire) command() {
	w.t.Helper()
	time.Sleep(1050 * time.Millisecond)
	w.expect("+++", "OK\r")
}

func TestServePTY(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	state, link := filepath.Join(dir, "state"), filepath.Join(dir, "xbee")
	s := serve(t, "--state", state, "--link", link)
	at := s.next()
	if to, err := os.Readlink(link); err != nil || to != at.PTY || at.Link != link {
		t.Errorf("%+v, the link leads to %s, %v", at, to, err)
	}
	w := openWire(t, link)
	w.command()
	w.expect("ATVR\r", "11413\r")
	w.expect("ATNIkept,BD7,WR\r", "OK\rOK\rOK\r")
	w.expect("ATAP4,CN\r", "OK\rOK\r")
	w.expect("\r", ">>> ")
	w.expect("x = 6\r", "\r\n>>> ")
	w.f.Close() // the module goes on
	w = openWire(t, link)
	w.expect("x * 7\r", "\r\n42\r\n>>> ")
	w.f.Close()
	s.stop()
	if _, err := os.Lstat(link); err == nil {
		t.Error("the link is still there")
	}
	s = serve(t, "--state", state)
	w = openWire(t, s.next().PTY)
	w.command()
	w.expect("ATNI,AP,BD\r", "kept\r0\r7\r")
	w.f.Close()
	s.stop()
	if !strings.Contains(s.stderr.String(), "115200 8N1") {
		t.Errorf("nobody is told that the line's settings differ: %s", s.stderr.String())
	}
}

// TestServeTCP talks to an echoing server in transparent mode, over TCP.
func TestServeTCP(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err == nil {
			io.Copy(c, c)
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	s := serve(t, "--tcp", "127.0.0.1:0", "--ap", "4", "--clock", "virtual")
	at := s.next()
	if at.PTY != "" {
		t.Error("there is a pseudo-terminal, too")
	}
	c, err := net.Dial("tcp", at.TCP)
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{t: t, f: c}
	w.expect("import network, time, xbee\r", ">>> ")
	w.expect("while not network.Cellular().isconnected(): time.sleep_ms(50)\r\r", "... \r\n>>> ")
	w.expect("xbee.atcmd('DL', '127.0.0.1'); xbee.atcmd('DE', "+port+"); xbee.atcmd('AP', 0)\r", "\r\n")
	w.expect("hello there", "hello there")
	w.command()
	w.expect("ATCI,OD\r", "0\r127.0.0.1\r")
	c.Close()
	s.stop()
}

func TestServeSeveral(t *testing.T) {
	dir, app := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(app, "main.py"), []byte("print('ma' 'in')\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "--count", "2", "--link", filepath.Join(dir, "xbee"), "--tcp", "127.0.0.1:0", "--ap", "4", app)
	ids := map[string]bool{}
	for i := range 2 {
		at := s.next()
		if want := filepath.Join(dir, "xbee"+string(rune('1'+i))); at.Link != want || at.TCP == "" || at.Module != i+1 {
			t.Errorf("%+v", at)
		}
		w := openWire(t, at.Link)
		w.expect("import machine, ubinascii; ubinascii.hexlify(machine.unique_id())\r", "b'")
		ids[w.expect("", "'")] = true
		w.expect("\x04", "soft reboot\r\n")
		w.expect("import os; os.listdir()\r", "'main.py'")
		w.f.Close()
	}
	if len(ids) != 2 {
		t.Errorf("serial numbers %v", ids)
	}
	s.stop()
}

func TestServeAutostart(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.py"), []byte("import time\nwhile True:\n print('on')\n time.sleep_ms(5)\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "--autostart", "--ap", "4", dir)
	w := openWire(t, s.next().PTY)
	w.expect("", "on\r\non\r\n")
	w.expect("\x03", "KeyboardInterrupt")
	w.expect("while True: pass\r\r\r", "... \r\n")
	s.stop() // whatever the program does
}

// TestServeAutostartEnds: a deployment can stop what --autostart has started, be it a
// program that Ctrl-C does not end.
func TestServeAutostartEnds(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.py"), []byte("while True:\n try:\n  print('on')\n except KeyboardInterrupt:\n  pass\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "main.py"), []byte("print('the other one')\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "--autostart", dir)
	cmd := exec.Command(s.cmd.Path)
	cmd.Args, cmd.Env = []string{"skep", "deploy", other, "--port", s.next().PTY}, s.cmd.Env
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "the other one") {
		t.Errorf("%v:\n%s", err, out[:min(len(out), 4000)])
	}
	s.stop()
}

func TestServeErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--link", file}, "there is something else already"},
		{[]string{"--link", dir + "/no/such/dir"}, "--link " + dir + "/no/such/dir: no such file or directory: choose a path in a directory"},
		{[]string{"--tcp", "nonsense"}, "give HOST:PORT"},
		{[]string{"--tcp", "localhost:66000"}, "give a port"},
		{[]string{"--tcp", "localhost:65535", "--count", "2"}, "give a port"},
		{[]string{"--ap", "3"}, "the modes are"},
		{[]string{"--count", "0"}, "at least 1"},
		{[]string{"--rfc2217"}, "needs an address"},
		{[]string{"--flash", dir, dir}, "give one of them"},
		{[]string{"--count", "2", dir, dir}, "one directory for many"},
		{[]string{dir + "/none"}, "give the directory"},
	} {
		s := serve(t, tt.args...)
		io.Copy(io.Discard, s.out)
		if err := s.cmd.Wait(); err == nil || !strings.Contains(s.stderr.String(), tt.want) {
			t.Errorf("%v: %v, %q; want %q", tt.args, err, s.stderr.String(), tt.want)
		}
	}
	if text, _ := os.ReadFile(file); string(text) != "mine" {
		t.Errorf("the file holds %q", text)
	}
}
