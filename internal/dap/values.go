package dap

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-dap"

	"github.com/skep-sim/skep/internal/debug"
)

// This file is the requests that look at a stopped program. A client's number of a
// frame is ours plus one, since 0 is none.

func frameOf(id int) int { return max(id-1, 0) }

func stackTrace(s *server, m dap.Message) (dap.ResponseMessage, func(), error) {
	if s.session == nil {
		return nil, nil, errNothing
	}
	a := m.(*dap.StackTraceRequest).Arguments
	frames, total, err := s.session.Frames(a.StartFrame, a.Levels)
	if err != nil {
		return nil, nil, err
	}
	answer := &dap.StackTraceResponse{Body: dap.StackTraceResponseBody{StackFrames: []dap.StackFrame{}, TotalFrames: total}}
	for _, f := range frames {
		frame := dap.StackFrame{Id: f.ID + 1, Name: f.Name, Source: s.source(f.Source), Line: s.toClient(f.Line), Column: s.lineBase}
		if f.Bundled {
			frame.Name += " (bundle)"
		}
		if f.Source == nil {
			frame.Source, frame.PresentationHint = &dap.Source{Name: f.File, PresentationHint: "deemphasize"}, "subtle"
		}
		answer.Body.StackFrames = append(answer.Body.StackFrames, frame)
	}
	return answer, nil, nil
}

func scopes(s *server, m dap.Message) (dap.ResponseMessage, func(), error) {
	if s.session == nil {
		return nil, nil, errNothing
	}
	list, err := s.session.Scopes(frameOf(m.(*dap.ScopesRequest).Arguments.FrameId))
	if err != nil {
		return nil, nil, err
	}
	answer := &dap.ScopesResponse{Body: dap.ScopesResponseBody{Scopes: []dap.Scope{}}}
	for _, sc := range list {
		answer.Body.Scopes = append(answer.Body.Scopes, dap.Scope{
			Name: sc.Name, PresentationHint: sc.Kind, VariablesReference: sc.Ref, NamedVariables: sc.Named, IndexedVariables: sc.Indexed, Expensive: sc.Expensive,
		})
	}
	return answer, nil, nil
}

func variables(s *server, m dap.Message) (dap.ResponseMessage, func(), error) {
	if s.session == nil {
		return nil, nil, errNothing
	}
	a := m.(*dap.VariablesRequest).Arguments
	list, err := s.session.Variables(a.VariablesReference, a.Filter, a.Start, a.Count)
	if err != nil {
		return nil, nil, err
	}
	answer := &dap.VariablesResponse{Body: dap.VariablesResponseBody{Variables: []dap.Variable{}}}
	for _, v := range list {
		answer.Body.Variables = append(answer.Body.Variables, dap.Variable{
			Name: v.Name, Value: v.Value, Type: v.Type, EvaluateName: v.Path, VariablesReference: v.Ref, NamedVariables: v.Named, IndexedVariables: v.Indexed,
		})
	}
	return answer, nil, nil
}

func evaluate(s *server, m dap.Message) (dap.ResponseMessage, func(), error) {
	if s.session == nil {
		return nil, nil, errNothing
	}
	a := m.(*dap.EvaluateRequest).Arguments
	typed := a.Context == "repl"
	if command, ok := strings.CutPrefix(a.Expression, "."); ok && typed {
		text, err := s.command(command, frameOf(a.FrameId))
		return &dap.EvaluateResponse{Body: dap.EvaluateResponseBody{Result: text}}, nil, err
	}
	if target, value, ok := debug.Assignment(a.Expression); ok && typed {
		v, err := s.session.Assign(0, frameOf(a.FrameId), target, value)
		if err != nil {
			return nil, nil, err
		}
		return &dap.EvaluateResponse{Body: dap.EvaluateResponseBody{Result: v.Value, Type: v.Type, VariablesReference: v.Ref, NamedVariables: v.Named, IndexedVariables: v.Indexed}}, nil, nil
	}
	r, err := s.session.Evaluate(a.Expression, a.FrameId-1, typed)
	if r.Output != "" && typed {
		s.say("stdout", r.Output, nil)
	}
	if err != nil {
		return nil, nil, err
	}
	if typed && r.Value == "None" {
		r.Value = ""
	}
	return &dap.EvaluateResponse{Body: dap.EvaluateResponseBody{
		Result: r.Value, Type: r.Type, VariablesReference: r.Ref, NamedVariables: r.Named, IndexedVariables: r.Indexed,
	}}, nil, nil
}

// help is what the commands of the debug console are.
const help = `.last NAME  go back to the line that has last changed a variable
.type TEXT  type a line into the module's serial port
.mem        the program's memory, as it is now
Anything else is evaluated, in a copy of the program that is thrown away; NAME = VALUE changes the program.`

// command carries out a command of the debug console.
func (s *server) command(text string, frame int) (string, error) {
	name, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	rest = strings.TrimSpace(rest)
	switch {
	case name == "last" && rest != "":
		return "", s.session.LastChange(0, frame, rest)
	case name == "type":
		return "", s.session.Type(rest + "\r")
	case name == "mem":
		return s.session.Memory()
	case name == "help":
		return help, nil
	}
	return "", errors.New("there is no command ." + name + ":\n" + help)
}

func completions(s *server, m dap.Message) (dap.ResponseMessage, func(), error) {
	if s.session == nil {
		return nil, nil, errNothing
	}
	a := m.(*dap.CompletionsRequest).Arguments
	text := []rune(a.Text)
	column := min(max(a.Column-1, 0), len(text))
	names, start, err := s.session.Complete(string(text[:column]), frameOf(a.FrameId))
	if err != nil {
		return nil, nil, err
	}
	answer := &dap.CompletionsResponse{Body: dap.CompletionsResponseBody{Targets: []dap.CompletionItem{}}}
	for _, n := range names {
		answer.Body.Targets = append(answer.Body.Targets, dap.CompletionItem{Label: n, Start: start, Length: column - start})
	}
	return answer, nil, nil
}

func setVariable(s *server, m dap.Message) (dap.ResponseMessage, func(), error) {
	if s.session == nil {
		return nil, nil, errNothing
	}
	a := m.(*dap.SetVariableRequest).Arguments
	v, err := s.session.Assign(a.VariablesReference, 0, a.Name, a.Value)
	if err != nil {
		return nil, nil, err
	}
	return &dap.SetVariableResponse{Body: dap.SetVariableResponseBody{
		Value: v.Value, Type: v.Type, VariablesReference: v.Ref, NamedVariables: v.Named, IndexedVariables: v.Indexed,
	}}, nil, nil
}

func setExpression(s *server, m dap.Message) (dap.ResponseMessage, func(), error) {
	if s.session == nil {
		return nil, nil, errNothing
	}
	a := m.(*dap.SetExpressionRequest).Arguments
	v, err := s.session.Assign(0, frameOf(a.FrameId), a.Expression, a.Value)
	if err != nil {
		return nil, nil, err
	}
	return &dap.SetExpressionResponse{Body: dap.SetExpressionResponseBody{
		Value: v.Value, Type: v.Type, VariablesReference: v.Ref, NamedVariables: v.Named, IndexedVariables: v.Indexed,
	}}, nil, nil
}

func exceptionInfo(s *server, _ dap.Message) (dap.ResponseMessage, func(), error) {
	if s.session == nil {
		return nil, nil, errNothing
	}
	text, class, details, uncaught, err := s.session.ExceptionText()
	if err != nil {
		return nil, nil, err
	}
	mode := dap.ExceptionBreakMode("always")
	if uncaught {
		mode = "unhandled"
	}
	return &dap.ExceptionInfoResponse{Body: dap.ExceptionInfoResponseBody{
		ExceptionId: class, Description: text, BreakMode: mode,
		Details: &dap.ExceptionDetails{Message: text, TypeName: class, StackTrace: details},
	}}, nil, nil
}

func sourceText(s *server, m dap.Message) (dap.ResponseMessage, func(), error) {
	if s.program == nil {
		return nil, nil, errNothing
	}
	a := m.(*dap.SourceRequest).Arguments
	id := a.SourceReference
	if a.Source != nil && a.Source.SourceReference != 0 {
		id = a.Source.SourceReference
	}
	src := s.program.Sources.ByID(id)
	if src == nil {
		return nil, nil, fmt.Errorf("there is no source %d", id)
	}
	return &dap.SourceResponse{Body: dap.SourceResponseBody{Content: string(src.Text), MimeType: "text/x-python"}}, nil, nil
}

func loadedSources(s *server, _ dap.Message) (dap.ResponseMessage, func(), error) {
	answer := &dap.LoadedSourcesResponse{Body: dap.LoadedSourcesResponseBody{Sources: []dap.Source{}}}
	if s.program != nil {
		for _, src := range s.program.Sources.List() {
			answer.Body.Sources = append(answer.Body.Sources, *s.source(src))
		}
	}
	return answer, nil, nil
}
