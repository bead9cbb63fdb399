//go:build !windows

package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// ticker prints for ever, and says when somebody typed a Ctrl-C.
const ticker = `import utime
while True:
    try:
        print('on')
        utime.sleep_ms(20)
    except KeyboardInterrupt:
        print('interrupted')
`

// TestRecordSignal ends recorded runs by signals: their recordings are whole. One that
// is not has an exit status of its own.
func TestRecordSignal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.py"), []byte(ticker), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, args, ready string
		typed             bool // somebody is at stdin
		signal            syscall.Signal
		status            int
	}{
		{"run-int", "run", "on", false, syscall.SIGINT, 130},
		{"run-term", "run", "on", true, syscall.SIGTERM, 143},
		{"repl-int", "repl", "MicroPython", true, syscall.SIGINT, 130},
		{"repl-term", "repl", "MicroPython", true, syscall.SIGTERM, 143},
		{"serve-int", "serve --json --tcp 127.0.0.1:0 --autostart", "module", false, syscall.SIGINT, 0},
		{"serve-term", "serve --json --tcp 127.0.0.1:0 --autostart", "module", false, syscall.SIGTERM, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "run.skep")
			args := append(strings.Fields(tt.args), "--record", file, "--cloud", "off", "--net", "none", "--flash", dir)
			status := signalled(t, skepCommand(t, args...), tt.typed, tt.ready, tt.signal)
			if status != tt.status {
				t.Errorf("exit status %d, want %d", status, tt.status)
			}
			replayed(t, 0, "the same output, memory and flash as recorded", "replay", file, "--run")
			whole, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, whole[:len(whole)-1], 0o600); err != nil {
				t.Fatal(err)
			}
			replayed(t, statusCut, "the recording ends at call", "replay", file, "--run")
			replayed(t, statusCut, "the recording ends at call", "run", "--replay", file)
			replayed(t, 0, "to there all was as recorded", "replay", file, "--run", "--to", "1ms")
		})
	}
}

// signalled starts a command, sends it a signal when a text has come, and again when
// its program was what felt it, and returns the exit status.
func signalled(t *testing.T, cmd *exec.Cmd, typed bool, ready string, s syscall.Signal) int {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if typed {
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	started := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if !started && strings.Contains(lines.Text(), ready) || strings.Contains(lines.Text(), "interrupted") {
			started = true
			cmd.Process.Signal(s)
		}
	}
	cmd.Wait()
	if !started {
		t.Fatalf("it did not begin: %s", stderr.String())
	}
	return cmd.ProcessState.ExitCode()
}

// skepCommand is skep with arguments, and a home of its own.
func skepCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Args = append([]string{"skep"}, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_STATE_HOME="+t.TempDir())
	return cmd
}

// replayed runs skep and wants an exit status, and a remark.
func replayed(t *testing.T, status int, remark string, args ...string) {
	t.Helper()
	cmd := skepCommand(t, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != status || !strings.Contains(stderr.String(), remark) {
		t.Errorf("%v: exit status %d, want %d with %q: %s", args, got, status, remark, stderr.String())
	}
}
