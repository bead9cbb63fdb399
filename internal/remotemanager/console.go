package remotemanager

import (
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/skep-sim/skep/internal/rmlink"
)

// console is somebody's session with a device's console.
type console struct {
	out  chan []byte
	done chan struct{}
	once sync.Once
}

func (c *console) close() { c.once.Do(func() { close(c.done) }) }

func (c *console) fromDevice(m rmlink.Message) {
	if m.Type == rmlink.ConsoleClose {
		c.close()
		return
	}
	select {
	case c.out <- m.Data:
	case <-c.done:
	}
}

// consoleHandler is /console/DEVICE, a session for as long as the request lasts:
// its body is what is typed, the answer's body what the device writes. It is not
// one of Digi's services, whose console is a web page.
func (s *Server) consoleHandler(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost && r.Method != http.MethodPut {
		notAllowed(w, r, "console", "POST, PUT")
		return
	}
	id := strings.ToUpper(rest(r, "/console"))
	c := &console{out: make(chan []byte, 16), done: make(chan struct{})}
	s.mu.Lock()
	d := s.devices[id]
	var problem error
	switch {
	case d == nil || d.link == nil:
		problem = errNotConnected
	case d.console != nil:
		problem = errors.New("somebody else has a console session with this device")
	default:
		d.console = c
	}
	s.mu.Unlock()
	if problem != nil {
		answerError(w, r, http.StatusConflict, "console", problem)
		return
	}
	post := func(m rmlink.Message) {
		s.mu.Lock()
		l := d.link
		s.mu.Unlock()
		if l != nil {
			l.post(m)
		}
	}
	post(rmlink.Message{Type: rmlink.ConsoleOpen})
	defer func() {
		s.mu.Lock()
		d.console = nil
		s.mu.Unlock()
		c.close()
		post(rmlink.Message{Type: rmlink.ConsoleClose})
	}()
	control := http.NewResponseController(w)
	control.EnableFullDuplex()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.WriteHeader(http.StatusOK)
	control.Flush()
	go func() {
		buf := make([]byte, 1024)
		for {
			n, err := r.Body.Read(buf)
			if n > 0 {
				post(rmlink.Message{Type: rmlink.ConsoleData, Data: append([]byte(nil), buf[:n]...)})
			}
			if err != nil { // the end of what is typed does not end the session
				return
			}
		}
	}()
	for {
		select {
		case b := <-c.out:
			if _, err := w.Write(b); err != nil {
				return
			}
			control.Flush()
		case <-c.done:
			return
		case <-r.Context().Done():
			return
		case <-s.http.done:
			return
		}
	}
}
