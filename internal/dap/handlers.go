package dap

import (
	"encoding/json"
	"errors"

	"github.com/google/go-dap"

	"github.com/skep-sim/skep/internal/debug"
)

// handler answers a request; after, if not nil, is called when the answer was sent.
// A nil answer has no body.
type handler func(s *server, m dap.Message) (answer dap.ResponseMessage, after func(), err error)

// handlers are the requests that can be made.
var handlers = map[string]handler{
	"initialize": initialize,
	"launch": func(s *server, m dap.Message) (dap.ResponseMessage, func(), error) {
		return s.begin(false, m.(*dap.LaunchRequest).Arguments)
	},
	"attach": func(s *server, m dap.Message) (dap.ResponseMessage, func(), error) {
		return s.begin(true, m.(*dap.AttachRequest).Arguments)
	},
	"configurationDone":       configurationDone,
	"setBreakpoints":          setBreakpoints,
	"setFunctionBreakpoints":  setFunctionBreakpoints,
	"setExceptionBreakpoints": setExceptionBreakpoints,
	"setDataBreakpoints":      setDataBreakpoints,
	"dataBreakpointInfo":      dataBreakpointInfo,
	"breakpointLocations":     breakpointLocations,
	"threads":                 threads,
	"stackTrace":              stackTrace,
	"scopes":                  scopes,
	"variables":               variables,
	"evaluate":                evaluate,
	"completions":             completions,
	"setVariable":             setVariable,
	"setExpression":           setExpression,
	"exceptionInfo":           exceptionInfo,
	"source":                  sourceText,
	"loadedSources":           loadedSources,
	"continue": going((*debug.Session).Continue, func() dap.ResponseMessage {
		return &dap.ContinueResponse{Body: dap.ContinueResponseBody{AllThreadsContinued: true}}
	}),
	"next":            going((*debug.Session).Next, nil),
	"stepIn":          going((*debug.Session).StepIn, nil),
	"stepOut":         going((*debug.Session).StepOut, nil),
	"stepBack":        going((*debug.Session).StepBack, nil),
	"reverseContinue": going((*debug.Session).ReverseContinue, nil),
	"pause":           pause,
	"terminate":       terminate,
	"disconnect":      disconnect,
	"cancel":          func(*server, dap.Message) (dap.ResponseMessage, func(), error) { return nil, nil, nil },
	lastChangeRequest: lastChange,
}

// lastChangeRequest goes to the line that has last changed a variable; it is no part
// of the protocol. Its arguments are those of dataBreakpointInfo.
const lastChangeRequest = "skep/lastChange"

// LastChangeRequest is skep/lastChange.
type LastChangeRequest struct {
	dap.Request
	Arguments dap.DataBreakpointInfoArguments `json:"arguments"`
}

// GetRequest implements dap.RequestMessage.
func (r *LastChangeRequest) GetRequest() *dap.Request { return &r.Request }

// newCodec knows the protocol and our own request.
func newCodec() *dap.Codec {
	c := dap.NewCodec()
	c.RegisterRequest(lastChangeRequest, func() dap.Message { return &LastChangeRequest{} }, func() dap.Message { return &dap.ErrorResponse{} })
	return c
}

// The filters of exceptions.
const (
	filterRaised   = "raised"
	filterUncaught = "uncaught"
)

func initialize(s *server, m dap.Message) (dap.ResponseMessage, func(), error) {
	a := m.(*dap.InitializeRequest).Arguments
	if !a.LinesStartAt1 {
		s.lineBase = 0
	}
	return &dap.InitializeResponse{Body: dap.Capabilities{
		SupportsConfigurationDoneRequest:   true,
		SupportsFunctionBreakpoints:        true,
		SupportsConditionalBreakpoints:     true,
		SupportsHitConditionalBreakpoints:  true,
		SupportsLogPoints:                  true,
		SupportsDataBreakpoints:            true,
		SupportsBreakpointLocationsRequest: true,
		SupportsEvaluateForHovers:          true,
		SupportsSetVariable:                true,
		SupportsSetExpression:              true,
		SupportsStepBack:                   true,
		SupportsExceptionInfoRequest:       true,
		SupportsCompletionsRequest:         true,
		CompletionTriggerCharacters:        []string{"."},
		SupportsLoadedSourcesRequest:       true,
		SupportsTerminateRequest:           true,
		SupportTerminateDebuggee:           true,
		SupportsDelayedStackTraceLoading:   true,
		SupportsCancelRequest:              true,
		ExceptionBreakpointFilters: []dap.ExceptionBreakpointsFilter{
			{Filter: filterRaised, Label: "Raised Exceptions", Description: "Stop where an exception is raised, even if something handles it."},
			{Filter: filterUncaught, Label: "Uncaught Exceptions", Description: "Stop where an exception is raised that nothing handles.", Default: true},
		},
	}}, nil, nil
}

// begin makes what is to be debugged; it starts when the client is done configuring.
func (s *server) begin(attach bool, arguments json.RawMessage) (dap.ResponseMessage, func(), error) {
	if s.program != nil {
		return nil, nil, errors.New("a program was launched already: disconnect first")
	}
	p, err := s.launch(attach, arguments, func(text string) { s.say("console", text, nil) })
	if err != nil {
		return nil, nil, err
	}
	s.program = p
	s.session = debug.New(debug.Config{
		Target: p.Target, Sources: p.Sources, Recorded: p.Recorded, StopOnEntry: p.StopOnEntry && !p.NoDebug, Events: s.events(),
	})
	return nil, func() { s.tell("initialized", &dap.InitializedEvent{}) }, nil
}

func configurationDone(s *server, _ dap.Message) (dap.ResponseMessage, func(), error) {
	if s.session == nil {
		return nil, nil, errNothing
	}
	return nil, func() {
		if !s.started {
			s.started = true
			s.session.Start()
		}
	}, nil
}

// going is a request that lets the program go.
func going(f func(*debug.Session) error, answer func() dap.ResponseMessage) handler {
	return func(s *server, _ dap.Message) (dap.ResponseMessage, func(), error) {
		if s.session == nil {
			return nil, nil, errNothing
		}
		if _, stopped := s.session.Stopped(); !stopped {
			return nil, nil, debug.ErrRunning
		}
		// The answer comes before whatever the program then does.
		after := func() {
			if err := f(s.session); err != nil {
				s.say("important", err.Error()+"\n", nil)
				if stop, ok := s.session.Stopped(); ok {
					s.events().Stopped(stop)
				}
			}
		}
		if answer == nil {
			return nil, after, nil
		}
		return answer(), after, nil
	}
}

func pause(s *server, _ dap.Message) (dap.ResponseMessage, func(), error) {
	if s.session == nil {
		return nil, nil, errNothing
	}
	return nil, s.session.Pause, nil
}

func terminate(s *server, _ dap.Message) (dap.ResponseMessage, func(), error) {
	if s.session == nil {
		return nil, nil, errNothing
	}
	return nil, func() {
		s.session.Close()
		s.events().Ended(0)
	}, nil
}

func disconnect(s *server, m dap.Message) (dap.ResponseMessage, func(), error) {
	a := m.(*dap.DisconnectRequest).Arguments
	s.stop = true
	if s.program != nil && a != nil && a.TerminateDebuggee {
		s.program.Attached = false
	}
	s.close()
	s.program = nil
	return nil, nil, nil
}

func lastChange(s *server, m dap.Message) (dap.ResponseMessage, func(), error) {
	if s.session == nil {
		return nil, nil, errNothing
	}
	a := m.(*LastChangeRequest).Arguments
	return nil, nil, s.session.LastChange(a.VariablesReference, frameOf(a.FrameId), a.Name)
}

func threads(*server, dap.Message) (dap.ResponseMessage, func(), error) {
	return &dap.ThreadsResponse{Body: dap.ThreadsResponseBody{Threads: []dap.Thread{{Id: thread, Name: "MicroPython"}}}}, nil, nil
}
