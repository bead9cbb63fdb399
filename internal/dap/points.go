package dap

import (
	"slices"

	"github.com/google/go-dap"

	"github.com/skep-sim/skep/internal/debug"
)

// This file is the requests about breakpoints.

func setBreakpoints(s *server, m dap.Message) (dap.ResponseMessage, func(), error) {
	a := m.(*dap.SetBreakpointsRequest).Arguments
	answer := &dap.SetBreakpointsResponse{Body: dap.SetBreakpointsResponseBody{Breakpoints: []dap.Breakpoint{}}}
	src, err := s.find(a.Source)
	if err != nil || s.program.NoDebug {
		for _, b := range a.Breakpoints {
			answer.Body.Breakpoints = append(answer.Body.Breakpoints, dap.Breakpoint{Line: b.Line, Message: message(err)})
		}
		return answer, nil, nil
	}
	list := make([]debug.Breakpoint, len(a.Breakpoints))
	for i, b := range a.Breakpoints {
		list[i] = debug.Breakpoint{Line: s.fromClient(b.Line), Condition: b.Condition, Hits: b.HitCondition, Log: b.LogMessage}
	}
	for _, p := range s.session.SetBreakpoints(src, list) {
		answer.Body.Breakpoints = append(answer.Body.Breakpoints, dap.Breakpoint{
			Id: p.ID, Verified: p.Set, Message: p.Message, Source: s.source(p.Source), Line: s.toClient(p.Line),
		})
	}
	return answer, nil, nil
}

func message(err error) string {
	if err == nil {
		return "the program runs without a debugger"
	}
	return err.Error()
}

func setFunctionBreakpoints(s *server, m dap.Message) (dap.ResponseMessage, func(), error) {
	if s.session == nil {
		return nil, nil, errNothing
	}
	a := m.(*dap.SetFunctionBreakpointsRequest).Arguments
	var list []debug.Breakpoint
	for _, b := range a.Breakpoints {
		list = append(list, debug.Breakpoint{Function: b.Name, Condition: b.Condition, Hits: b.HitCondition})
	}
	if s.program.NoDebug {
		list = nil
	}
	answer := &dap.SetFunctionBreakpointsResponse{Body: dap.SetFunctionBreakpointsResponseBody{Breakpoints: []dap.Breakpoint{}}}
	for _, p := range s.session.SetFunctionBreakpoints(list) {
		answer.Body.Breakpoints = append(answer.Body.Breakpoints, dap.Breakpoint{Id: p.ID, Verified: p.Set, Message: p.Message})
	}
	return answer, nil, nil
}

func setExceptionBreakpoints(s *server, m dap.Message) (dap.ResponseMessage, func(), error) {
	if s.session == nil {
		return nil, nil, errNothing
	}
	filters := m.(*dap.SetExceptionBreakpointsRequest).Arguments.Filters
	wanted := func(f string) bool { return slices.Contains(filters, f) && !s.program.NoDebug }
	s.session.SetExceptions(wanted(filterRaised), wanted(filterUncaught))
	return &dap.SetExceptionBreakpointsResponse{}, nil, nil
}

func dataBreakpointInfo(s *server, m dap.Message) (dap.ResponseMessage, func(), error) {
	if s.session == nil {
		return nil, nil, errNothing
	}
	a := m.(*dap.DataBreakpointInfoRequest).Arguments
	answer := &dap.DataBreakpointInfoResponse{}
	id, name, err := s.session.WatchPlace(a.VariablesReference, frameOf(a.FrameId), a.Name)
	if err != nil {
		answer.Body.Description = err.Error()
		return answer, nil, nil
	}
	answer.Body.DataId, answer.Body.Description = id+"\x00"+name, name
	answer.Body.AccessTypes = []dap.DataBreakpointAccessType{"write"}
	return answer, nil, nil
}

func setDataBreakpoints(s *server, m dap.Message) (dap.ResponseMessage, func(), error) {
	if s.session == nil {
		return nil, nil, errNothing
	}
	var ids, names []string
	var when []debug.Breakpoint
	for _, b := range m.(*dap.SetDataBreakpointsRequest).Arguments.Breakpoints {
		id, name := cut(b.DataId)
		ids, names = append(ids, id), append(names, name)
		when = append(when, debug.Breakpoint{Condition: b.Condition, Hits: b.HitCondition})
	}
	placed, err := s.session.SetWatches(ids, names, when...)
	if err != nil {
		return nil, nil, err
	}
	answer := &dap.SetDataBreakpointsResponse{Body: dap.SetDataBreakpointsResponseBody{Breakpoints: []dap.Breakpoint{}}}
	for _, p := range placed {
		answer.Body.Breakpoints = append(answer.Body.Breakpoints, dap.Breakpoint{Id: p.ID, Verified: p.Set, Message: p.Message})
	}
	return answer, nil, nil
}

func cut(id string) (place, name string) {
	for i := range len(id) {
		if id[i] == 0 {
			return id[:i], id[i+1:]
		}
	}
	return id, id
}

func breakpointLocations(s *server, m dap.Message) (dap.ResponseMessage, func(), error) {
	a := m.(*dap.BreakpointLocationsRequest).Arguments
	answer := &dap.BreakpointLocationsResponse{Body: dap.BreakpointLocationsResponseBody{Breakpoints: []dap.BreakpointLocation{}}}
	if a == nil {
		return answer, nil, nil
	}
	src, err := s.find(a.Source)
	if err != nil {
		return answer, nil, nil
	}
	for _, line := range src.Lines(s.fromClient(a.Line), s.fromClient(max(a.EndLine, a.Line))) {
		answer.Body.Breakpoints = append(answer.Body.Breakpoints, dap.BreakpointLocation{Line: s.toClient(line)})
	}
	return answer, nil, nil
}
