//go:build !windows

package main

import (
	"bytes"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// terminal is a skep that runs at a pseudo-terminal.
type terminal struct {
	t    *testing.T
	file *os.File
	done chan error

	mu  sync.Mutex
	out bytes.Buffer
}

func openTerminal(t *testing.T, args ...string) *terminal {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe)
	c.Args = append([]string{"skep"}, args...)
	c.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_STATE_HOME="+t.TempDir())
	f, err := pty.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	k := &terminal{t: t, file: f, done: make(chan error, 1)}
	go func() {
		buf := make([]byte, 1024)
		for {
			n, err := f.Read(buf)
			k.mu.Lock()
			k.out.Write(buf[:n])
			k.mu.Unlock()
			if err != nil {
				k.done <- c.Wait()
				return
			}
		}
	}()
	t.Cleanup(func() {
		c.Process.Kill()
		f.Close()
	})
	return k
}

func (k *terminal) output() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.out.String()
}

// expect types something and waits until a text has come, which is then
// forgotten.
func (k *terminal) expect(typed, want string) {
	k.t.Helper()
	if _, err := k.file.WriteString(typed); err != nil {
		k.t.Fatal(err)
	}
	for begin := time.Now(); time.Since(begin) < 2*time.Minute; time.Sleep(time.Millisecond) {
		k.mu.Lock()
		all := k.out.Bytes()
		i := bytes.Index(all, []byte(want))
		if i >= 0 {
			k.out.Next(i + len(want))
			k.mu.Unlock()
			return
		}
		k.mu.Unlock()
	}
	k.t.Fatalf("typed %q, want %q; there is %q", typed, want, k.output())
}

// TestTerminal sits at the prompt as a person does.
func TestTerminal(t *testing.T) {
	k := openTerminal(t, "repl", "--cloud", "off", "--net", "none")
	k.expect("", "Type \"help()\" for more information.\r\n>>> ")
	k.expect("1+1\r", "1+1\r\n2\r\n>>> ")
	// a block indents itself; the arrow key brings a line back
	k.expect("for i in range(2):\rprint('i', i)\r\r\r\r", "... \r\ni 0\r\ni 1\r\n>>> ")
	k.expect("7*6\r", "42\r\n>>> ")
	k.expect("\x1b[A\r", "7*6\r\n42\r\n>>> ")
	// Ctrl-C reaches the program, not skep
	k.expect("exec(\"print('on')\\nwhile True: pass\")\r", "\r\non\r\n")
	k.expect("\x03", "KeyboardInterrupt: \r\n>>> ")
	// paste mode counts its lines
	k.expect("\x05", "paste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n1=== ")
	k.expect("print('pasted')\r\x04", "2=== \r\npasted\r\n>>> ")
	// soft reboot forgets
	k.expect("x = 5\r", ">>> ")
	k.expect("\x04", "soft reboot\r\n")
	k.expect("x\r", "NameError: name 'x' isn't defined\r\n>>> ")
	k.leave()
}

// TestEscape leaves while the module does not listen: in a program, asleep, and
// inside a function that Ctrl-C does not reach.
func TestEscape(t *testing.T) {
	for _, program := range []string{"while True: pass\r\r", "import time; time.sleep(1000)\r", "sum(range(1 << 30))\r"} {
		k := openTerminal(t, "repl", "--cloud", "off", "--net", "none")
		k.expect("", ">>> ")
		k.expect(program, "\r\n")
		time.Sleep(20 * time.Millisecond)
		k.leave()
	}
}

// leave types Ctrl-], the way out.
func (k *terminal) leave() {
	t := k.t
	t.Helper()
	k.file.WriteString("\x1d")
	select {
	case err := <-k.done:
		if err != nil {
			t.Errorf("skep ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Errorf("Ctrl-] did not end skep; there is %q", k.output())
	}
}
