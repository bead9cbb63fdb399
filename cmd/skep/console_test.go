//go:build !windows

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestConsoleTerminal sits at a module's serial port: the prompt, Ctrl-C, a module
// that is switched off and on again, the key that leaves.
func TestConsoleTerminal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	port, state, log := filepath.Join(dir, "xbee"), filepath.Join(dir, "state"), filepath.Join(dir, "log")
	s := serve(t, "--link", port, "--state", state, "--ap", "4")
	s.next()
	k := openTerminal(t, "console", "--port", port, "--log", log)
	k.expect("", "Ctrl-] leaves")
	k.expect("\r", ">>> ")
	k.expect("1+1\r", "2\r\n>>> ")
	k.expect("exec(\"print('on')\\nwhile True: pass\")\r", "\r\non\r\n")
	k.expect("\x03", "KeyboardInterrupt: \r\n>>> ")
	s.stop()
	k.expect("", "waiting for it to come back")
	s = serve(t, "--link", port, "--state", state, "--ap", "4")
	s.next()
	k.expect("", "is back")
	k.expect("\r", ">>> ")
	k.leave()
	text, err := os.ReadFile(log)
	if err != nil || !strings.Contains(string(text), "KeyboardInterrupt") {
		t.Errorf("the log has %q, %v", text, err)
	}
}

// TestConsolePrompt: with --repl the console goes to the prompt again when the module is
// back, in whatever mode it comes.
func TestConsolePrompt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	port, state := filepath.Join(dir, "xbee"), filepath.Join(dir, "state")
	s := serve(t, "--link", port, "--state", state)
	s.next()
	k := openTerminal(t, "console", "--port", port, "--repl")
	k.expect("", ">>> ")
	k.expect("1+1\r", "2\r\n>>> ")
	s.stop()
	k.expect("", "waiting for it to come back")
	s = serve(t, "--link", port, "--state", state)
	s.next()
	k.expect("", ">>> ")
	k.expect("", "is back")
	k.expect("2+3\r", "5\r\n>>> ")
	k.leave()
}

// TestDeployWatch saves a file twice while skep deploy --watch runs.
func TestDeployWatch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	main := filepath.Join(dir, "app", "main.py")
	save := func(text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(main), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(main, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := serve(t, "--link", filepath.Join(dir, "xbee"), "--state", filepath.Join(dir, "state"))
	s.next()
	save("print('first')\n")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	f, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := exec.Command(exe)
	c.Args = []string{"skep", "deploy", "--port", filepath.Join(dir, "xbee"), "--watch", filepath.Join(dir, "app")}
	c.Stdout, c.Stderr = f, f
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	wait := func(want string, times int) {
		t.Helper()
		for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
			text, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(string(text), want) >= times {
				return
			}
			if time.Now().After(end) {
				c.Process.Kill()
				t.Fatalf("there is no %q: %s", want, text)
			}
		}
	}
	wait("> first\n", 1)
	wait("waiting for a file to be saved", 1)
	save("print('second, and longer')\n")
	wait("> second, and longer\n", 1)
	wait("waiting for a file to be saved", 2)
	save("x = 1 // 0\n")
	wait("ZeroDivisionError", 1)
	wait("waiting for a file to be saved", 3)
	c.Process.Signal(os.Interrupt)
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}
