//go:build !windows

package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// foreign finds a program of somebody else's. Where it is not installed the test
// is left out, unless SKEP_FOREIGN says that it must be there.
func foreign(t *testing.T, name, from string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("SKEP_FOREIGN") != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skipf("%v: install %s", err, from)
	}
	return path
}

// pyserial is the Python that has python3-serial.
func pyserial(t *testing.T) string {
	t.Helper()
	const debian = "/usr/bin/python3" // Debian's packages are for this one
	out, err := exec.Command(debian, "-c", "import serial").CombinedOutput()
	if err != nil && os.Getenv("SKEP_FOREIGN") != "" {
		t.Fatalf("%v\n%s", err, out)
	}
	if err != nil {
		t.Skipf("%v: install python3-serial", err)
	}
	return debian
}

// TestForeignYMODEM sends a file with lrzsz's sb and gets it back with its rb, as
// a shell script does that has the port as standard input and output.
func TestForeignYMODEM(t *testing.T) {
	t.Parallel()
	sb, rb := foreign(t, "sb", "lrzsz"), foreign(t, "rb", "lrzsz")
	content := bytes.Repeat([]byte("\x00\x11\x13\x18\x1a\xff and text\r\n"), 300)
	dir, back := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "data.bin"), content, 0o644); err != nil {
		t.Fatal(err)
	}
	s := serve(t)
	at := s.next().PTY
	w := openWire(t, at)
	transfer := func(dir, program string, args ...string) {
		t.Helper()
		port, err := os.OpenFile(at, os.O_RDWR, 0) // the test's own does not block
		if err != nil {
			t.Fatal(err)
		}
		defer port.Close()
		var complaint bytes.Buffer
		cmd := exec.Command(program, args...)
		cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, port, port, &complaint
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v\n%s\n%s", program, err, complaint.Bytes(), s.stderr.String())
		}
	}
	w.command()
	w.expect("ATFS PUT data.bin\r", "Receiving file with YMODEM...\r")
	transfer(dir, sb, "data.bin")
	// sb throws away what comes after its last ACK, so maybe the OK.
	w.expect("ATFS HASH data.bin\r", fmt.Sprintf("sha256 %x\r", sha256.Sum256(content)))
	w.expect("ATFS GET data.bin\r", "Sending file with YMODEM...\r")
	transfer(back, rb)
	if got, err := os.ReadFile(filepath.Join(back, "data.bin")); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes came back, %v; want the %d that were sent", len(got), err, len(content))
	}
	w.expect("", "OK\r")
	w.expect("ATVR\r", "11413\r")
}

// twoPipes are the output and the input of a program.
type twoPipes struct {
	deadlined
	io.Writer
}

type deadlined interface {
	io.ReadCloser
	SetReadDeadline(time.Time) error
}

// TestForeignPicocom uses the prompt by way of a terminal program.
func TestForeignPicocom(t *testing.T) {
	t.Parallel()
	picocom := foreign(t, "picocom", "picocom")
	s := serve(t, "--ap", "4")
	cmd := exec.Command(picocom, "-q", "-b", "9600", s.next().PTY)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	t.Cleanup(func() { cmd.Process.Kill() })
	w := &wire{t: t, f: twoPipes{out, in}}
	time.Sleep(500 * time.Millisecond) // it throws away what is typed before it has the port
	w.expect("\r", ">>> ")
	w.expect("print(6 * 7)\r", "\r\n42\r\n>>> ")
	w.expect("while True: pass\r\r", "... \r\n")
	w.expect("\x03", "KeyboardInterrupt: \r\n>>> ")
	w.expect("\x04", "soft reboot\r\n")
	w.expect("", ">>> ")
	io.WriteString(in, "\x01\x18") // its keys for leaving
	if err := cmd.Wait(); err != nil {
		t.Errorf("picocom: %v", err)
	}
}

func TestForeignPyserial(t *testing.T) {
	t.Parallel()
	python := pyserial(t)
	s := serve(t, "--pty", "--tcp", "127.0.0.1:0", "--rfc2217", "--count", "2")
	for _, args := range [][]string{{s.next().PTY}, {"rfc2217://" + s.next().TCP, "break"}} {
		out, err := exec.Command(python, append([]string{"testdata/port.py"}, args...)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "done") {
			t.Errorf("%v: %v\n%s\n%s", args, err, out, s.stderr.String())
		}
	}
}
