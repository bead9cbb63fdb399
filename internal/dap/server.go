package dap

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/google/go-dap"

	"github.com/skep-sim/skep/internal/debug"
)

// Program is what is debugged.
type Program struct {
	Target  debug.Target
	Sources *debug.Sources
	// Recorded: it repeats a recording, see debug.Config.
	Recorded bool
	// StopOnEntry stops before the first line. NoDebug only runs it.
	StopOnEntry, NoDebug bool
	// Attached: it was there before the client, and stays when that leaves.
	Attached bool
	// Close lets go of what belongs to it, when it has ended.
	Close func()
}

// Launch makes a program as the arguments of a launch request say (attach: of an
// attach request). say shows a remark to the user, at any time.
type Launch func(attach bool, arguments json.RawMessage, say func(text string)) (*Program, error)

// server is a conversation with one client.
type server struct {
	launch Launch
	codec  *dap.Codec

	mu      sync.Mutex
	out     io.Writer
	seq     int
	printed []byte // by the module, not yet sent
	later   func(f func())
	waiting bool // later will flush

	program  *Program
	session  *debug.Session
	started  bool
	ended    chan struct{} // the program has ended
	endOnce  sync.Once
	lineBase int // of the client: 0 or 1
	stop     bool
}

// Serve talks to a client until it disconnects or the stream ends. What it has
// launched ends with it. later calls a function a moment later, in any goroutine:
// until then output without a line feed is held back (nil: it is not). The error
// says what was wrong with the stream.
func Serve(rw io.ReadWriter, launch Launch, later func(f func())) error {
	s := &server{launch: launch, codec: newCodec(), out: rw, lineBase: 1, ended: make(chan struct{}), later: later}
	defer s.close()
	r := bufio.NewReader(rw)
	for !s.stop {
		data, err := readMessage(r)
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("dap: %w", err)
		}
		if err := s.receive(data); err != nil {
			return fmt.Errorf("dap: %w", err)
		}
	}
	return nil
}

// maxMessage is more than any client sends.
const maxMessage = 16 << 20

// readMessage is dap.ReadBaseMessage with a limit.
func readMessage(r *bufio.Reader) ([]byte, error) {
	n := -1
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			if errors.Is(err, bufio.ErrBufferFull) {
				err = errors.New("this is not the Debug Adapter Protocol: a header without an end")
			}
			return nil, err
		}
		text := string(trimEnd(line))
		if text == "" && n >= 0 {
			break
		}
		if _, err := fmt.Sscanf(text, "Content-Length: %d", &n); err != nil || n < 0 || n > maxMessage {
			return nil, fmt.Errorf("this is not the Debug Adapter Protocol: the header %.80q", text)
		}
	}
	data := make([]byte, n)
	_, err := io.ReadFull(r, data)
	return data, err
}

func trimEnd(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}

// close ends the program.
func (s *server) close() {
	if s.program == nil {
		return
	}
	if s.program.Attached && s.started {
		s.session.Release()
	} else {
		s.session.Close()
	}
	if s.program.Close != nil {
		s.program.Close()
	}
}

// receive answers a request. What can be no message at all is an error.
func (s *server) receive(data []byte) error {
	message, err := s.codec.DecodeMessage(data)
	if err != nil {
		var object map[string]json.RawMessage
		if json.Unmarshal(data, &object) != nil || object == nil {
			return fmt.Errorf("this is not the Debug Adapter Protocol: a message that is not a JSON object: %.80q", data)
		}
		var request dap.Request
		if json.Unmarshal(data, &request) == nil && request.Type == "request" {
			s.refuse(&request, fmt.Errorf("%s is not possible here", request.Command))
		}
		return nil
	}
	request, ok := message.(dap.RequestMessage)
	if !ok {
		return nil // a response; none was asked for
	}
	handle := handlers[request.GetRequest().Command]
	if handle == nil {
		s.refuse(request.GetRequest(), fmt.Errorf("%s is not possible here", request.GetRequest().Command))
		return nil
	}
	answer, after, err := handle(s, message)
	if err != nil {
		s.refuse(request.GetRequest(), err)
		return nil
	}
	s.respond(request.GetRequest(), answer)
	if after != nil {
		after()
	}
	return nil
}

// respond sends the answer to a request.
func (s *server) respond(r *dap.Request, answer dap.ResponseMessage) {
	if answer == nil {
		answer = &dap.ErrorResponse{} // its body is empty
	}
	a := answer.GetResponse()
	a.Type, a.RequestSeq, a.Command, a.Success = "response", r.Seq, r.Command, true
	s.send(&a.ProtocolMessage, answer)
}

// refuse says why a request is not carried out.
func (s *server) refuse(r *dap.Request, err error) {
	e := &dap.ErrorResponse{}
	e.Type, e.RequestSeq, e.Command, e.Message = "response", r.Seq, r.Command, err.Error()
	e.Body.Error = &dap.ErrorMessage{Id: 1, Format: "{text}", Variables: map[string]string{"text": err.Error()}, ShowUser: true}
	s.send(&e.ProtocolMessage, e)
}

// tell sends an event.
func (s *server) tell(name string, event dap.EventMessage) {
	e := event.GetEvent()
	e.Type, e.Event = "event", name
	s.send(&e.ProtocolMessage, event)
}

// send numbers and writes a message. A client that is gone is found out by reading.
func (s *server) send(p *dap.ProtocolMessage, message dap.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flush()
	s.write(p, message)
}

func (s *server) write(p *dap.ProtocolMessage, message dap.Message) {
	s.seq++
	p.Seq = s.seq
	dap.WriteProtocolMessage(s.out, message)
}

// muchOutput is sent at once. A module prints in small pieces; what it prints is sent
// by the line, or when it is much, or later.
const muchOutput = 4096

// print sends what the module prints.
func (s *server) print(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.printed = append(s.printed, text...)
	if s.later == nil || s.printed[len(s.printed)-1] == '\n' || len(s.printed) > muchOutput {
		s.flush()
		return
	}
	if !s.waiting {
		s.waiting = true
		s.later(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.waiting = false
			s.flush()
		})
	}
}

// flush sends what was printed; s.mu is held.
func (s *server) flush() {
	if len(s.printed) == 0 {
		return
	}
	e := &dap.OutputEvent{Body: dap.OutputEventBody{Category: "stdout", Output: string(s.printed)}}
	e.Type, e.Event.Event = "event", "output"
	s.printed = s.printed[:0]
	s.write(&e.ProtocolMessage, e)
}

// say shows a text in the client's console.
func (s *server) say(category, text string, at *debug.Location) {
	e := &dap.OutputEvent{Body: dap.OutputEventBody{Category: category, Output: text}}
	if at != nil && at.Source != nil {
		e.Body.Source, e.Body.Line = s.source(at.Source), s.toClient(at.Line)
	}
	s.tell("output", e)
}

// events are what a session tells.
func (s *server) events() debug.Events {
	return debug.Events{
		Stopped: func(stop debug.Stop) {
			e := &dap.StoppedEvent{Body: dap.StoppedEventBody{
				Reason: stop.Reason, Description: stop.Description, ThreadId: thread, AllThreadsStopped: true, HitBreakpointIds: stop.Breakpoints,
			}}
			if stop.Reason == debug.ReasonException {
				if text, class, _, _, err := s.session.ExceptionText(); err == nil {
					e.Body.Text = class + ": " + text
				}
			}
			if stop.Past && e.Body.Description == "" {
				e.Body.Description = "Stopped in the past"
			}
			s.tell("stopped", e)
		},
		Output: func(text string, console bool, at *debug.Location) {
			if !console {
				s.print(text)
				return
			}
			s.say("console", text, at)
		},
		Ended: func(status int) {
			s.endOnce.Do(func() {
				s.tell("exited", &dap.ExitedEvent{Body: dap.ExitedEventBody{ExitCode: status}})
				s.tell("terminated", &dap.TerminatedEvent{})
				close(s.ended)
			})
		},
		Changed: func(debug.Placed) {},
	}
}

// fromClient and toClient translate the number of a line.
func (s *server) fromClient(line int) int { return line + 1 - s.lineBase }
func (s *server) toClient(line int) int   { return line - 1 + s.lineBase }

// source is a source as a client wants it: with a path that it can open, or with a
// number to ask for the text with.
func (s *server) source(src *debug.Source) *dap.Source {
	if src == nil {
		return nil
	}
	if src.Host != "" {
		return &dap.Source{Name: src.Name(), Path: src.Host}
	}
	return &dap.Source{Name: src.Name(), Path: src.Device, SourceReference: src.ID, Origin: "on the module"}
}

// find is the opposite of source.
func (s *server) find(src dap.Source) (*debug.Source, error) {
	if s.program == nil {
		return nil, errNothing
	}
	var found *debug.Source
	if src.SourceReference > 0 {
		found = s.program.Sources.ByID(src.SourceReference)
	}
	if found == nil && src.Path != "" {
		found = s.program.Sources.ByPath(src.Path)
	}
	if found == nil {
		return nil, fmt.Errorf("%s is no file of the program", src.Path)
	}
	return found, nil
}

var errNothing = errors.New("nothing was launched yet")

// thread is the number of the one thread that there is.
const thread = 1
