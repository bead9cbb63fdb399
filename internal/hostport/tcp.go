package hostport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Listen opens the line at a TCP address, with RFC 2217 or with bytes as they
// are. One client at a time has it; log takes a line for each that comes while
// another is there, and is turned away.
func (l *Line) Listen(addr string, rfc2217 bool, log func(text string)) (net.Addr, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &server{l: l, rfc2217: rfc2217, log: log}
	l.onClose(listener)
	l.onClose(s)
	l.working.Add(1)
	go func() {
		defer l.working.Done()
		for {
			c, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				s.welcome(c)
			}
		}
	}()
	return listener.Addr(), nil
}

// server is a TCP port.
type server struct {
	l       *Line
	rfc2217 bool
	log     func(text string)

	mu     sync.Mutex
	client net.Conn
	closed bool
}

// welcome lets a client have the line unless another one has it.
func (s *server) welcome(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.Close()
		return
	}
	if s.client != nil {
		s.log(fmt.Sprintf("%s was turned away: %s has the serial port open", c.RemoteAddr(), s.client.RemoteAddr()))
		c.Close()
		return
	}
	s.client = c
	s.l.working.Add(1)
	go func() {
		defer s.l.working.Done()
		if s.rfc2217 {
			serveTelnet(s.l, c)
		} else {
			servePlain(s.l, c)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		c.Close()
		s.client = nil
	}()
}

// Close ends the client's connection.
func (s *server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.client != nil {
		return s.client.Close()
	}
	return nil
}

// servePlain serves a client that sends and takes bytes as they are.
func servePlain(l *Line, c io.ReadWriter) {
	e := l.attach(c, nil)
	defer e.detach()
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if !e.put(buf[:n]) || err != nil {
			return
		}
	}
}
