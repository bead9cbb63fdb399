package drm

import "github.com/skep-sim/skep/internal/rmlink"

// Request is a device request.
type Request struct {
	Target string
	Data   []byte

	c        *Client
	id       uint32
	answered bool
}

// Answer completes the request, with one of rmlink's statuses. Only the first
// call counts.
func (r *Request) Answer(status byte, data []byte) {
	if r.answered {
		return
	}
	r.answered = true
	if c := r.c; c.sock != nil {
		c.send(rmlink.Message{Type: rmlink.Result, ID: r.id, Status: status, Data: data})
		if !c.stepping {
			c.converse()
		}
	}
}

// request is one that has come in: for the program, or for whoever took
// [Client.OnRequest].
func (c *Client) request(m rmlink.Message) {
	r := &Request{Target: m.Name, Data: m.Data, c: c, id: m.ID}
	refuse := func(status byte, text string) {
		r.answered = true
		c.send(rmlink.Message{Type: rmlink.Result, ID: r.id, Status: status, Data: []byte(text)})
	}
	switch {
	case m.Name == MicroPython && len(c.requests) < maxWaiting:
		c.requests = append(c.requests, r)
	case m.Name == MicroPython:
		refuse(rmlink.Refused, "too many requests wait for the program")
	case c.other == nil || !c.other(r):
		refuse(rmlink.NoTarget, "no target of this name")
	}
}

// NextRequest takes the oldest request for the program; nil if there is none.
func (c *Client) NextRequest() *Request {
	if len(c.requests) == 0 {
		return nil
	}
	r := c.requests[0]
	c.requests = c.requests[1:]
	return r
}

// OnRequest sets who is given the requests for other targets than the program;
// it returns false to refuse one, or answers it later.
func (c *Client) OnRequest(take func(*Request) bool) { c.other = take }

// consoleSession is somebody at Remote Manager's end of a console.
type consoleSession struct {
	open  bool
	typed []byte
}

func (s *consoleSession) receive(m rmlink.Message) {
	switch m.Type {
	case rmlink.ConsoleOpen:
		s.open, s.typed = true, nil
	case rmlink.ConsoleClose:
		s.end()
	case rmlink.ConsoleData:
		if s.open {
			s.typed = append(s.typed, m.Data[:min(len(m.Data), consoleMax-len(s.typed))]...)
		}
	}
}

func (s *consoleSession) end() { s.open, s.typed = false, nil }

// ConsoleOpen reports whether a console session is attached.
func (c *Client) ConsoleOpen() bool { return c.console.open }

// ReadConsole takes what was typed at the console.
func (c *Client) ReadConsole(p []byte) int {
	n := copy(p, c.console.typed)
	c.console.typed = c.console.typed[n:]
	return n
}

// ConsoleWaiting is how many bytes ReadConsole would find.
func (c *Client) ConsoleWaiting() int { return len(c.console.typed) }

// WriteConsole writes to the console; without a session it does nothing.
func (c *Client) WriteConsole(p []byte) {
	if !c.console.open || c.sock == nil {
		return
	}
	for len(p) > 0 {
		n := min(len(p), consoleMax)
		c.send(rmlink.Message{Type: rmlink.ConsoleData, Data: p[:n]})
		p = p[n:]
	}
	c.Step()
}

// CloseConsole ends the session.
func (c *Client) CloseConsole() {
	if c.console.open && c.sock != nil {
		c.send(rmlink.Message{Type: rmlink.ConsoleClose})
	}
	c.console.end()
	c.Step()
}
