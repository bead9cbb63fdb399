package dap_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	client "github.com/google/go-dap"

	"github.com/skep-sim/skep/internal/dap"
	"github.com/skep-sim/skep/internal/debug"
	"github.com/skep-sim/skep/internal/hosted"
	"github.com/skep-sim/skep/internal/vm"
)

// target is a program without a module.
type target struct {
	src    string
	killed atomic.Bool
}

func (p *target) Run(d *vm.Debugger, out func([]byte)) int {
	stop := d.Stop
	d.Stop = func(v *vm.VM, t vm.Trap) {
		stop(v, t)
		if p.killed.Load() {
			panic(vm.ErrSteps)
		}
	}
	w := writer(out)
	return hosted.RunOn(hosted.NewFirmware(vm.XBee()), hosted.Config{
		HeapBytes: 32768, NoFiles: true, Stdout: w, Stderr: w, Debug: d, StepLimit: 100000,
	}, []byte(p.src), "/flash/main.py", nil)
}

func (p *target) Kill()                        { p.killed.Store(true) }
func (p *target) Type([]byte)                  {}
func (p *target) Poke()                        {}
func (p *target) Again() (debug.Target, error) { return &target{src: p.src}, nil }

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) {
	w(bytes.Clone(b))
	return len(b), nil
}

// launch launches the text that the arguments hold.
func launch(attach bool, arguments json.RawMessage, say func(string)) (*dap.Program, error) {
	var a struct {
		Text        string
		StopOnEntry bool
	}
	if err := json.Unmarshal(arguments, &a); err != nil || attach || a.Text == "" {
		return nil, errors.New("give a text")
	}
	s := debug.NewSources(4, nil)
	s.Add("/flash/main.py", "/app/main.py", []byte(a.Text))
	s.Add("/flash/lib/other.py", "", []byte("x = 1\n"))
	say("launching\n")
	return &dap.Program{Target: &target{src: a.Text}, Sources: s, StopOnEntry: a.StopOnEntry}, nil
}

// editor is the client's side, by the library's own codec.
type editor struct {
	t     *testing.T
	conn  net.Conn
	r     *bufio.Reader
	codec *client.Codec
	seq   int
	out   strings.Builder // what the program printed
	done  chan error
}

func connect(t *testing.T) *editor {
	t.Helper()
	a, b := net.Pipe()
	e := &editor{t: t, conn: a, r: bufio.NewReader(a), done: make(chan error, 1), codec: client.NewCodec()}
	e.codec.RegisterRequest(lastChange, func() client.Message { return &dap.LastChangeRequest{} }, func() client.Message { return &client.ContinueResponse{} })
	go func() {
		e.done <- dap.Serve(b, launch, nil)
		b.Close()
	}()
	t.Cleanup(func() {
		a.Close()
		<-e.done
	})
	return e
}

// send sends a request without waiting for the answer.
func (e *editor) send(command string, arguments any) {
	e.t.Helper()
	e.seq++
	raw, err := json.Marshal(map[string]any{"seq": e.seq, "type": "request", "command": command, "arguments": arguments})
	if err != nil {
		e.t.Fatal(err)
	}
	if err := client.WriteBaseMessage(e.conn, raw); err != nil {
		e.t.Fatal(err)
	}
}

func (e *editor) read() client.Message {
	e.t.Helper()
	data, err := client.ReadBaseMessage(e.r)
	if err != nil {
		e.t.Fatal(err)
	}
	m, err := e.codec.DecodeMessage(data)
	if err != nil {
		e.t.Fatal(err)
	}
	if o, ok := m.(*client.OutputEvent); ok && o.Body.Category == "stdout" {
		e.out.WriteString(o.Body.Output)
	}
	return m
}

// ask sends a request and gives the answer.
func (e *editor) ask(command string, arguments any) client.ResponseMessage {
	e.t.Helper()
	e.send(command, arguments)
	for {
		if m, ok := e.read().(client.ResponseMessage); ok {
			if r := m.GetResponse(); r.RequestSeq != e.seq || r.Command != command {
				e.t.Fatalf("answer to %d %s: %+v", e.seq, command, m)
			}
			return m
		}
	}
}

// must wants a request to be carried out.
func (e *editor) must(command string, arguments any) client.ResponseMessage {
	e.t.Helper()
	m := e.ask(command, arguments)
	if !m.GetResponse().Success {
		e.t.Fatalf("%s: %s", command, m.GetResponse().Message)
	}
	return m
}

// refused wants a request to be refused, with a word in the reason.
func (e *editor) refused(command string, arguments any, word string) {
	e.t.Helper()
	m := e.ask(command, arguments)
	if r := m.GetResponse(); r.Success || !strings.Contains(r.Message, word) {
		e.t.Fatalf("%s: %+v, want a refusal that says %q", command, r, word)
	}
}

// await waits for an event.
func await[T client.Message](e *editor) T {
	e.t.Helper()
	for {
		if m, ok := e.read().(T); ok {
			return m
		}
	}
}

func (e *editor) begin(text string, stopOnEntry bool) {
	e.t.Helper()
	e.must("initialize", client.InitializeRequestArguments{AdapterID: "skep", LinesStartAt1: true})
	e.must("launch", map[string]any{"text": text, "stopOnEntry": stopOnEntry})
	await[*client.InitializedEvent](e)
}

func (e *editor) stoppedAt(line int, reason string) {
	e.t.Helper()
	stop := await[*client.StoppedEvent](e)
	trace := e.must("stackTrace", client.StackTraceArguments{ThreadId: 1}).(*client.StackTraceResponse)
	if f := trace.Body.StackFrames[0]; f.Line != line || stop.Body.Reason != reason {
		e.t.Fatalf("stopped for %+v at %+v, want line %d for %s", stop.Body, f, line, reason)
	}
}

const text = `class Thing:
    def __init__(self, n):
        self.n = n
def twice(n):
    r = n * 2
    return r
things = []
for i in range(4):
    things.append(Thing(twice(i)))
    print(len(things))
{}["gone"]
`

func TestSession(t *testing.T) {
	e := connect(t)
	e.refused("threads2", nil, "not possible")
	e.refused("stackTrace", client.StackTraceArguments{ThreadId: 1}, "launched")
	e.refused("launch", map[string]any{}, "give a text")
	e.begin(text, true)
	e.refused("launch", map[string]any{"text": text}, "already")
	source := client.Source{Path: "/app/main.py"}
	set := e.must("setBreakpoints", client.SetBreakpointsArguments{Source: source, Breakpoints: []client.SourceBreakpoint{
		{Line: 6, Condition: "n > 1"}, {Line: 10, LogMessage: "{i}: {things[i].n}"}, {Line: 300},
	}}).(*client.SetBreakpointsResponse)
	if b := set.Body.Breakpoints; !b[0].Verified || !b[1].Verified || b[2].Verified || b[0].Line != 6 {
		t.Errorf("breakpoints: %+v", b)
	}
	other := e.must("setBreakpoints", client.SetBreakpointsArguments{Source: client.Source{Path: "/app/no.py"}, Breakpoints: []client.SourceBreakpoint{{Line: 6}}}).(*client.SetBreakpointsResponse)
	if b := other.Body.Breakpoints; len(b) != 1 || b[0].Verified || !strings.Contains(b[0].Message, "no file of the program") {
		t.Errorf("breakpoints of another file: %+v", b)
	}
	e.must("setFunctionBreakpoints", client.SetFunctionBreakpointsArguments{Breakpoints: []client.FunctionBreakpoint{{Name: "__init__", HitCondition: "4"}}})
	e.must("setExceptionBreakpoints", client.SetExceptionBreakpointsArguments{Filters: []string{"uncaught"}})
	e.must("configurationDone", nil)
	e.stoppedAt(1, "entry")
	e.must("continue", client.ContinueArguments{ThreadId: 1})
	e.stoppedAt(6, "breakpoint")

	scopes := e.must("scopes", client.ScopesArguments{FrameId: 1}).(*client.ScopesResponse).Body.Scopes
	locals := e.must("variables", client.VariablesArguments{VariablesReference: scopes[0].VariablesReference}).(*client.VariablesResponse).Body.Variables
	if len(locals) != 2 || locals[0].Name != "n" || locals[0].Value != "2" || locals[1].Value != "4" {
		t.Errorf("locals: %+v", locals)
	}
	globals := e.must("variables", client.VariablesArguments{VariablesReference: scopes[1].VariablesReference}).(*client.VariablesResponse).Body.Variables
	for _, v := range globals {
		if v.Name == "things" {
			if v.IndexedVariables != 2 {
				t.Errorf("things: %+v", v)
			}
			items := e.must("variables", client.VariablesArguments{VariablesReference: v.VariablesReference, Filter: "indexed", Start: 1, Count: 1}).(*client.VariablesResponse).Body.Variables
			if len(items) != 1 || items[0].EvaluateName != "things[1]" || items[0].NamedVariables != 2 {
				t.Errorf("things[1]: %+v", items)
			}
		}
	}
	eval := func(expr, context string) string {
		m := e.ask("evaluate", client.EvaluateArguments{Expression: expr, FrameId: 1, Context: context})
		if r, ok := m.(*client.EvaluateResponse); ok && r.Success {
			return r.Body.Result
		}
		return m.GetResponse().Message + m.(*client.ErrorResponse).Body.Error.Variables["text"]
	}
	if got := eval("r + things[1].n", "hover"); got != "6" {
		t.Errorf("r + things[1].n: %s", got)
	}
	if got := eval("missing", "watch"); !strings.Contains(got, "NameError") {
		t.Errorf("missing: %s", got)
	}
	if got := eval(".mem", "repl"); !strings.Contains(got, "gc.mem_free(): ") {
		t.Errorf(".mem: %s", got)
	}
	if got := eval(".what", "repl"); !strings.Contains(got, "no command .what") {
		t.Errorf(".what: %s", got)
	}
	if got := eval("r = 40", "repl"); got != "40" {
		t.Errorf("r = 40: %s", got)
	}
	if v := e.must("setVariable", client.SetVariableArguments{VariablesReference: scopes[0].VariablesReference, Name: "n", Value: "n + 5"}).(*client.SetVariableResponse); v.Body.Value != "7" {
		t.Errorf("n = n + 5: %+v", v.Body)
	}
	names := e.must("completions", client.CompletionsArguments{FrameId: 1, Text: "x = thi", Column: 8}).(*client.CompletionsResponse).Body.Targets
	if len(names) != 1 || names[0].Label != "things" || names[0].Start != 4 || names[0].Length != 3 {
		t.Errorf("completions: %+v", names)
	}
	if list := e.must("loadedSources", nil).(*client.LoadedSourcesResponse).Body.Sources; len(list) != 2 || list[1].SourceReference != 2 {
		t.Errorf("sources: %+v", list)
	}
	if r := e.must("source", client.SourceArguments{SourceReference: 2}).(*client.SourceResponse); r.Body.Content != "x = 1\n" {
		t.Errorf("source 2: %+v", r.Body)
	}
	if at := e.must("breakpointLocations", client.BreakpointLocationsArguments{Source: source, Line: 1, EndLine: 5}); at.(*client.BreakpointLocationsResponse).Body.Breakpoints[0].Line != 1 {
		t.Errorf("locations: %+v", at)
	}

	e.must("stepOut", client.StepOutArguments{ThreadId: 1})
	e.stoppedAt(10, "step")
	e.must("continue", client.ContinueArguments{ThreadId: 1})
	e.stoppedAt(6, "breakpoint")
	e.must("continue", client.ContinueArguments{ThreadId: 1})
	e.stoppedAt(3, "function breakpoint")
	e.must("continue", client.ContinueArguments{ThreadId: 1})
	e.stoppedAt(11, "exception")
	info := e.must("exceptionInfo", client.ExceptionInfoArguments{ThreadId: 1}).(*client.ExceptionInfoResponse).Body
	if info.ExceptionId != "KeyError" || info.Description != "gone" || info.BreakMode != "unhandled" {
		t.Errorf("exception: %+v", info)
	}

	// backwards
	e.must("stepBack", client.StepBackArguments{ThreadId: 1})
	e.stoppedAt(11, "step") // before what went wrong
	e.must("stepBack", client.StepBackArguments{ThreadId: 1})
	e.stoppedAt(10, "step")
	e.refused("setVariable", client.SetVariableArguments{VariablesReference: 1, Name: "i", Value: "1"}, "past")
	e.must("reverseContinue", client.ReverseContinueArguments{ThreadId: 1})
	e.stoppedAt(3, "function breakpoint")
	e.must(lastChange, map[string]any{"name": "things", "frameId": 1})
	e.stoppedAt(9, "data breakpoint")
	for range 2 {
		e.must("continue", client.ContinueArguments{ThreadId: 1})
		e.stoppedAt(6, "breakpoint")
	}
	e.must("continue", client.ContinueArguments{ThreadId: 1})
	e.stoppedAt(3, "function breakpoint") // its fourth pass, also in the past
	e.must("setFunctionBreakpoints", client.SetFunctionBreakpointsArguments{Breakpoints: []client.FunctionBreakpoint{}})
	e.must("setBreakpoints", client.SetBreakpointsArguments{Source: source})
	e.must("continue", client.ContinueArguments{ThreadId: 1})
	e.stoppedAt(11, "exception")
	e.must("continue", client.ContinueArguments{ThreadId: 1})
	if exit := await[*client.ExitedEvent](e); exit.Body.ExitCode != 1 {
		t.Errorf("exit: %+v", exit.Body)
	}
	await[*client.TerminatedEvent](e)
	e.must("disconnect", client.DisconnectArguments{})
	if err := <-e.done; err != nil {
		t.Error(err)
	}
	e.done <- nil
	if got := e.out.String(); !strings.HasPrefix(got, "1\n2\n3\n4\nTraceback") {
		t.Errorf("printed %q", got)
	}
}

const lastChange = "skep/lastChange"

// TestData watches variables.
func TestData(t *testing.T) {
	e := connect(t)
	e.begin(text, true)
	e.must("configurationDone", nil)
	e.stoppedAt(1, "entry")
	none := e.must("dataBreakpointInfo", client.DataBreakpointInfoArguments{Name: "things", FrameId: 1}).(*client.DataBreakpointInfoResponse).Body
	if none.DataId != nil {
		t.Errorf("things, which are not there: %+v", none)
	}
	e.must("setBreakpoints", client.SetBreakpointsArguments{Source: client.Source{Path: "/app/main.py"}, Breakpoints: []client.SourceBreakpoint{{Line: 8}}})
	e.must("continue", client.ContinueArguments{ThreadId: 1})
	e.stoppedAt(8, "breakpoint")
	info := e.must("dataBreakpointInfo", client.DataBreakpointInfoArguments{Name: "things", FrameId: 1}).(*client.DataBreakpointInfoResponse).Body
	id, ok := info.DataId.(string)
	if !ok {
		t.Fatalf("things: %+v", info)
	}
	set := e.must("setDataBreakpoints", client.SetDataBreakpointsArguments{Breakpoints: []client.DataBreakpoint{{DataId: id}, {DataId: "x"}}}).(*client.SetDataBreakpointsResponse)
	if b := set.Body.Breakpoints; !b[0].Verified || b[1].Verified {
		t.Errorf("%+v", b)
	}
	e.must("continue", client.ContinueArguments{ThreadId: 1})
	e.stoppedAt(10, "data breakpoint")
	e.must("terminate", client.TerminateArguments{})
	await[*client.TerminatedEvent](e)
}

// TestPause stops a program that would run for ever, and one goes away from.
func TestPause(t *testing.T) {
	e := connect(t)
	e.begin("n = 0\nwhile True:\n    n += 1\n", false)
	e.must("configurationDone", nil)
	e.refused("stackTrace", client.StackTraceArguments{ThreadId: 1}, "pause")
	e.refused("next", client.NextArguments{ThreadId: 1}, "pause")
	e.must("pause", client.PauseArguments{ThreadId: 1})
	if stop := await[*client.StoppedEvent](e); stop.Body.Reason != "pause" {
		t.Errorf("%+v", stop.Body)
	}
	e.must("continue", client.ContinueArguments{ThreadId: 1})
	e.conn.Close() // the editor has crashed
	if err := <-e.done; err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
	e.done <- nil
}

// TestPresent goes back, takes the breakpoint away, and comes back to where it was.
func TestPresent(t *testing.T) {
	e := connect(t)
	e.begin(text, false)
	source := client.Source{Path: "/app/main.py"}
	e.must("setBreakpoints", client.SetBreakpointsArguments{Source: source, Breakpoints: []client.SourceBreakpoint{{Line: 6, Condition: "n == 2"}}})
	e.must("configurationDone", nil)
	e.stoppedAt(6, "breakpoint")
	e.must("stepBack", client.StepBackArguments{ThreadId: 1})
	e.stoppedAt(5, "step")
	e.must("reverseContinue", client.ReverseContinueArguments{ThreadId: 1})
	e.stoppedAt(1, "entry")
	e.must("setBreakpoints", client.SetBreakpointsArguments{Source: source})
	e.must("continue", client.ContinueArguments{ThreadId: 1})
	stop := await[*client.StoppedEvent](e).Body
	if stop.Reason != "pause" || stop.Description != "back in the present" || len(stop.HitBreakpointIds) > 0 {
		t.Errorf("back in the present: %+v", stop)
	}
	e.must("disconnect", client.DisconnectArguments{})
}

// TestNoMessage: what can be no message ends the conversation, with a reason.
func TestNoMessage(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`{]`, `not a JSON object: "{]"`},
		{`[]`, `not a JSON object: "[]"`},
		{`null`, `not a JSON object: "null"`},
		{``, `not a JSON object: ""`},
		{`{}`, ""},
		{`{"seq":1,"type":"request","command":"unheard"}`, ""},
	} {
		var in bytes.Buffer
		client.WriteBaseMessage(&in, []byte(c.body))
		err := dap.Serve(struct {
			io.Reader
			io.Writer
		}{&in, io.Discard}, launch, nil)
		if (err != nil) != (c.want != "") || err != nil && !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.body, err, c.want)
		}
	}
}

// FuzzServe gives the server what no client would send.
func FuzzServe(f *testing.F) {
	request := func(list ...string) (b []byte) {
		var w bytes.Buffer
		for _, s := range list {
			client.WriteBaseMessage(&w, []byte(s))
		}
		return w.Bytes()
	}
	f.Add(request(`{"seq":1,"type":"request","command":"initialize","arguments":{"linesStartAt1":false}}`,
		`{"seq":2,"type":"request","command":"launch","arguments":{"text":"a = [1]\nprint(a)\n","stopOnEntry":true}}`,
		`{"seq":3,"type":"request","command":"setBreakpoints","arguments":{"source":{"path":"/app/main.py"},"breakpoints":[{"line":1,"condition":"a["}]}}`,
		`{"seq":4,"type":"request","command":"configurationDone"}`, `{"seq":5,"type":"request","command":"pause"}`,
		`{"seq":6,"type":"request","command":"variables","arguments":{"variablesReference":-1}}`,
		`{"seq":7,"type":"request","command":"disconnect"}`))
	f.Add(request(`{"seq":1,"type":"request","command":"stepBack"}`, `{"type":"response"}`, `[]`, `{`))
	f.Add([]byte("Content-Length: 99999999999\r\n\r\n"))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rw := struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(b), io.Discard}
		dap.Serve(rw, launch, nil)
	})
}
