package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	client "github.com/google/go-dap"

	"github.com/skep-sim/skep/internal/host/app"
)

// dapEditor is an editor on the other side of skep debug.
type dapEditor struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
	seq  int
	out  strings.Builder
	done chan error
}

func debugWith(t *testing.T, c *debugCmd) *dapEditor {
	t.Helper()
	a, b := net.Pipe()
	e := &dapEditor{t: t, conn: a, r: bufio.NewReader(a), done: make(chan error, 1)}
	go func() {
		e.done <- c.serve(b, nil)
		b.Close()
	}()
	t.Cleanup(func() {
		a.Close()
		<-e.done
	})
	return e
}

func (e *dapEditor) read() client.Message {
	e.t.Helper()
	m, err := client.ReadProtocolMessage(e.r)
	if err != nil {
		e.t.Fatal(err)
	}
	if o, ok := m.(*client.OutputEvent); ok {
		e.out.WriteString(o.Body.Output)
	}
	return m
}

func (e *dapEditor) ask(command string, arguments any) client.ResponseMessage {
	e.t.Helper()
	e.seq++
	raw, err := json.Marshal(map[string]any{"seq": e.seq, "type": "request", "command": command, "arguments": arguments})
	if err == nil {
		err = client.WriteBaseMessage(e.conn, raw)
	}
	if err != nil {
		e.t.Fatal(err)
	}
	for {
		if m, ok := e.read().(client.ResponseMessage); ok {
			return m
		}
	}
}

func (e *dapEditor) must(command string, arguments any) client.ResponseMessage {
	e.t.Helper()
	m := e.ask(command, arguments)
	if !m.GetResponse().Success {
		e.t.Fatalf("%s: %s", command, m.GetResponse().Message)
	}
	return m
}

func (e *dapEditor) until(event string) client.Message {
	e.t.Helper()
	for {
		if m, ok := e.read().(client.EventMessage); ok && m.GetEvent().Event == event {
			return m
		}
	}
}

func (e *dapEditor) line() (line int, file string) {
	e.t.Helper()
	f := e.must("stackTrace", client.StackTraceArguments{ThreadId: 1}).(*client.StackTraceResponse).Body.StackFrames[0]
	return f.Line, f.Source.Path
}

func (e *dapEditor) eval(expr string) string {
	e.t.Helper()
	m := e.ask("evaluate", client.EvaluateArguments{Expression: expr, FrameId: 1, Context: "repl"})
	if r, ok := m.(*client.EvaluateResponse); ok && r.Success {
		return r.Body.Result
	}
	return m.GetResponse().Message
}

// debugApp is an application whose program prints figures about its memory.
func debugApp(t *testing.T) (dir string, config map[string]any) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{
		"main.py": `import gc, micropython, time, os
from sensor import Sensor
s = Sensor(3)
for i in range(4):
    time.sleep_ms(250)
    print(i, s.read(), time.ticks_ms() % 1000, os.urandom(2))
    if i == 2:
        state = "late"
gc.collect()
print("free", gc.mem_free(), gc.mem_alloc(), id(s))
micropython.mem_info(1)
try:
    s.fail()
except ValueError as e:
    print("handled", e)
`,
		"lib/sensor.py": `class Sensor:
    def __init__(self, n):
        self.values = [n]

    def read(self):
        last = self.values[-1]
        self.values.append(last * 2)
        return last

    def fail(self):
        raise ValueError(len(self.values))
`,
		"skep.toml": "[app]\nname = \"debugged\"\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir, map[string]any{
		"program": dir, "clock": "virtual", "cloud": "off", "drm": "off", "net": "none", "state": filepath.Join(t.TempDir(), "state"),
		"type": "skep", "__sessionId": "1",
	}
}

// TestDebugModule debugs an application on a module, and wants the figures of one
// that is not debugged.
func TestDebugModule(t *testing.T) {
	dir, config := debugApp(t)
	figures := func(text string) string {
		_, text, _ = strings.Cut(text, "\nfree ")
		return text
	}
	run := func(breaks bool) string {
		config["state"] = filepath.Join(t.TempDir(), "state") // a fresh module
		e := debugWith(t, &debugCmd{})
		e.must("initialize", client.InitializeRequestArguments{LinesStartAt1: true})
		e.must("launch", config)
		e.until("initialized")
		sensor := filepath.Join(dir, "lib", "sensor.py")
		if breaks {
			set := e.must("setBreakpoints", client.SetBreakpointsArguments{Source: client.Source{Path: sensor}, Breakpoints: []client.SourceBreakpoint{{Line: 7}}}).(*client.SetBreakpointsResponse)
			if !set.Body.Breakpoints[0].Verified {
				t.Errorf("%+v", set.Body)
			}
			e.must("setExceptionBreakpoints", client.SetExceptionBreakpointsArguments{Filters: []string{"raised"}})
		}
		e.must("configurationDone", nil)
		if breaks {
			for i := range 4 {
				e.until("stopped")
				if line, file := e.line(); line != 7 || file != sensor {
					t.Fatalf("stopped at %s:%d", file, line)
				}
				if got, want := e.eval("self.values.pop() * 10 + len(self.values)"), 30<<i+i; got != strings.TrimSpace(jsonText(want)) {
					t.Errorf("evaluated: %s, want %d", got, want)
				}
				if got := e.eval("__import__('time').sleep(1)"); !strings.Contains(got, "outside of its memory") {
					t.Errorf("sleep: %s", got)
				}
				if i == 3 { // there and back again
					e.must("reverseContinue", client.ReverseContinueArguments{ThreadId: 1})
					e.until("stopped")
					if got := e.eval("self.values"); got != "[3, 6, 12]" {
						t.Errorf("in the past: %s", got)
					}
					if got := e.eval(".last state"); !strings.Contains(got, "no variable state") {
						t.Errorf("state: %s", got)
					}
					e.must("continue", client.ContinueArguments{ThreadId: 1})
					e.until("stopped")
				}
				e.must("continue", client.ContinueArguments{ThreadId: 1})
			}
			e.until("stopped")
			if line, _ := e.line(); line != 11 {
				t.Errorf("the exception is on line %d", line)
			}
			e.must("continue", client.ContinueArguments{ThreadId: 1})
		}
		if exit := e.until("exited").(*client.ExitedEvent); exit.Body.ExitCode != 0 {
			t.Errorf("exit status %d", exit.Body.ExitCode)
		}
		e.until("terminated")
		e.must("disconnect", client.DisconnectArguments{})
		if got := e.out.String(); strings.Count(got, "handled 5") != 1 || !strings.Contains(got, "0 3 ") {
			t.Errorf("printed:\n%s", got)
		}
		return figures(e.out.String())
	}
	alone, debugged := run(false), run(true)
	if alone != debugged || !strings.Contains(alone, "GC memory layout") {
		t.Errorf("without a stop:\n%s\nwith:\n%s", alone, debugged)
	}
	undebugged := runRecorded(t, dir, "")
	if figures(undebugged) != alone {
		t.Errorf("without a debugger:\n%s\nwith:\n%s", figures(undebugged), alone)
	}
}

func jsonText(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// runRecorded runs an application as skep run does, on a virtual clock, perhaps
// recorded in a file.
func runRecorded(t *testing.T, dir, file string) string {
	t.Helper()
	f, err := parseLaunch(json.RawMessage(jsonText(map[string]any{
		"clock": "virtual", "cloud": "off", "drm": "off", "net": "none", "state": filepath.Join(t.TempDir(), "state"), "record": file,
	})))
	if err != nil {
		t.Fatal(err)
	}
	opened, err := app.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	a, _, err := openDebuggee(&f.deviceFlags, opened, false, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer a.machine.close()
	var out strings.Builder
	a.wire.send(func(b []byte) { out.Write(b) })
	a.machine.device.Run()
	a.wire.close()
	return out.String()
}

// TestDebugRecording debugs what was recorded without a debugger.
func TestDebugRecording(t *testing.T) {
	dir, _ := debugApp(t)
	file := filepath.Join(t.TempDir(), "run.skep")
	printed := runRecorded(t, dir, file)
	e := debugWith(t, &debugCmd{Replay: file, Dir: dir})
	e.must("initialize", client.InitializeRequestArguments{LinesStartAt1: true})
	e.must("launch", map[string]any{})
	e.until("initialized")
	e.must("configurationDone", nil)
	e.until("stopped")
	if line, file := e.line(); line != 15 || file != filepath.Join(dir, "main.py") {
		t.Errorf("the end is at %s:%d", file, line)
	}
	if got := e.out.String(); !strings.HasPrefix(got, printed) || !strings.Contains(got, "recording has ended") {
		t.Errorf("printed:\n%s\nrecorded:\n%s", got, printed)
	}
	e.eval(".last state")
	e.until("stopped")
	if line, _ := e.line(); line != 8 {
		t.Errorf("state was last changed on line %d", line)
	}
	e.must("stepBack", client.StepBackArguments{ThreadId: 1})
	e.until("stopped")
	if got := e.eval("i"); got != "2" {
		t.Errorf("i is %s", got)
	}
	if got := e.eval("i = 5"); !strings.Contains(got, "past") {
		t.Errorf("i = 5: %s", got)
	}
	e.must("disconnect", client.DisconnectArguments{})
}

// TestDebugPause stops a program that sleeps, goes back from there, and comes again.
func TestDebugPause(t *testing.T) {
	dir, config := debugApp(t)
	config["clock"] = "real"
	if err := os.WriteFile(filepath.Join(dir, "main.py"), []byte("import time\nn = 1\ndef wait():\n    time.sleep(100000)\nwait()\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	e := debugWith(t, &debugCmd{})
	e.must("initialize", client.InitializeRequestArguments{LinesStartAt1: true})
	e.must("launch", config)
	e.until("initialized")
	e.must("setBreakpoints", client.SetBreakpointsArguments{Source: client.Source{Path: filepath.Join(dir, "main.py")}, Breakpoints: []client.SourceBreakpoint{{Line: 4}}})
	e.must("configurationDone", nil)
	e.until("stopped")
	e.must("continue", client.ContinueArguments{ThreadId: 1})
	e.must("pause", client.PauseArguments{ThreadId: 1})
	e.until("stopped")
	if line, _ := e.line(); line != 4 {
		t.Errorf("asleep on line %d", line)
	}
	e.must("stepBack", client.StepBackArguments{ThreadId: 1})
	e.until("stopped")
	if line, _ := e.line(); line != 5 {
		t.Errorf("before, on line %d", line)
	}
	e.must("setBreakpoints", client.SetBreakpointsArguments{Source: client.Source{Path: filepath.Join(dir, "main.py")}})
	e.must("continue", client.ContinueArguments{ThreadId: 1})
	e.until("stopped")
	if got := e.eval("n + 1"); got != "2" {
		t.Errorf("n + 1: %s", got)
	}
	e.must("continue", client.ContinueArguments{ThreadId: 1})
	e.must("disconnect", client.DisconnectArguments{TerminateDebuggee: true})
}

// TestLaunchConfiguration: what is wrong with one is said in its own words.
func TestLaunchConfiguration(t *testing.T) {
	for config, want := range map[string]string{
		`{"program": "/nowhere/at/all"}`:   "no such file",
		`{"program": "debug.go"}`:          "is a file",
		`{"modell": "cat1"}`:               "modell",
		`{"model": ["cat1"]}`:              "neither a text nor a number",
		`{"model": "cat7", "program":"."}`: "cat7",
		`{"replay": "debug.go"}`:           "debug.go",
		`[1]`:                              "launch configuration",
	} {
		_, err := (&debugCmd{}).launch(false, json.RawMessage(config), func(string) {})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", config, err, want)
		}
	}
}

// TestDebugRestarts: breakpoints hold when the program is bundled and the module
// restarts, and the way back leads through all of it.
func TestDebugRestarts(t *testing.T) {
	dir, config := debugApp(t)
	for name, text := range map[string]string{
		"main.py": `import os, machine
name = "sensor.mpy"
bundled = "sensor" in os.bundle()
if not bundled:
    os.bundle("/flash/lib/sensor.mpy")
import sensor
s = sensor.Sensor(1)
s.read()
if machine.reset_cause() != machine.SOFT_RESET or not os.listdir().count("again"):
    with open("again", "w") as f:
        f.write("x")
    machine.soft_reset()
print("done")
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	e := debugWith(t, &debugCmd{})
	e.must("initialize", client.InitializeRequestArguments{LinesStartAt1: true})
	e.must("launch", config)
	e.until("initialized")
	sensor := filepath.Join(dir, "lib", "sensor.py")
	e.must("setBreakpoints", client.SetBreakpointsArguments{Source: client.Source{Path: sensor}, Breakpoints: []client.SourceBreakpoint{{Line: 6}}})
	e.must("configurationDone", nil)
	for i := range 2 {
		e.until("stopped")
		f := e.must("stackTrace", client.StackTraceArguments{ThreadId: 1}).(*client.StackTraceResponse).Body.StackFrames[0]
		if f.Line != 6 || f.Source.Path != sensor || f.Name != "read (bundle)" {
			t.Errorf("stop %d: %+v", i, f)
		}
		if got := e.eval("self.values"); got != "[1]" {
			t.Errorf("self.values: %s", got)
		}
		if i == 1 {
			e.must("reverseContinue", client.ReverseContinueArguments{ThreadId: 1})
			e.until("stopped")
			if line, file := e.line(); line != 6 || file != sensor {
				t.Errorf("before the restart: %s:%d", file, line)
			}
			e.must("continue", client.ContinueArguments{ThreadId: 1})
			e.until("stopped")
		}
		e.must("continue", client.ContinueArguments{ThreadId: 1})
	}
	e.until("terminated")
	e.must("disconnect", client.DisconnectArguments{})
	if got := e.out.String(); strings.Count(got, "done") != 1 || strings.Count(got, "soft reboot") < 1 {
		t.Errorf("printed:\n%s", got)
	}
}
