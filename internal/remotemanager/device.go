package remotemanager

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/rmlink"
)

// device is one that has connected, or been added.
type device struct {
	number    uint64
	info      rmlink.Info
	added     time.Time
	connected time.Time
	gone      time.Time
	link      *link // nil: not connected

	console *console
}

// link is a device's connection.
type link struct {
	conn    net.Conn
	send    chan rmlink.Message
	done    chan struct{}
	waiting map[uint32]chan rmlink.Message // requests without an answer yet
	lastID  uint32
}

// The errors of a request to a device, numbered and worded as Digi's are.
var (
	errNotConnected = &sciError{2001, "Device Not Connected"}
	errTimeout      = &sciError{2002, "Message Timeout"}
)

// sendQueue is how many messages may wait for a slow device.
const sendQueue = 64

// lookUp finds a device, making it if it is new. The lock is held.
func (s *Server) lookUp(id string) *device {
	id = strings.ToUpper(id)
	d := s.devices[id]
	if d == nil {
		s.lastID++
		d = &device{number: s.lastID, info: rmlink.Info{ID: id}, added: s.conf.Now()}
		s.devices[id] = d
		s.order = append(s.order, id)
	}
	return d
}

// validID reports whether a text has the form of a device identifier: four groups
// of eight hexadecimal digits.
func validID(id string) bool {
	parts := strings.Split(id, "-")
	if len(parts) != 4 {
		return false
	}
	for _, p := range parts {
		if len(p) != 8 || strings.Trim(p, "0123456789abcdefABCDEF") != "" {
			return false
		}
	}
	return true
}

// errHello is what ends a connection that does not begin as it should.
var errHello = errors.New("the connection does not begin with who is calling")

// serveDevice speaks with a module until it hangs up.
func (s *Server) serveDevice(c net.Conn) {
	var in rmlink.Decoder
	l := &link{conn: c, send: make(chan rmlink.Message, sendQueue), done: make(chan struct{}), waiting: map[uint32]chan rmlink.Message{}}
	s.wg.Go(func() { l.write() })
	defer close(l.done)
	var d *device
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		in.Write(buf[:n])
		for {
			m, ok, bad := in.Next()
			if bad == nil && ok && d == nil {
				if d, bad = s.attach(l, m); bad == nil {
					continue
				}
			}
			if bad != nil {
				s.log(true, "a device was turned away: %v", bad)
				err = bad
				break
			}
			if !ok {
				break
			}
			s.handle(d, l, m)
		}
		if err != nil {
			break
		}
	}
	if d != nil {
		s.detach(d, l)
	}
}

func (l *link) write() {
	var b []byte
	for {
		select {
		case m := <-l.send:
			b = rmlink.Append(b[:0], m)
			if _, err := l.conn.Write(b); err != nil {
				l.conn.Close()
				return
			}
		case <-l.done:
			return
		}
	}
}

// post hands a message to the device; one that takes nothing any more is cut off.
func (l *link) post(m rmlink.Message) {
	select {
	case l.send <- m:
	default:
		l.conn.Close()
	}
}

// attach takes a device's first message.
func (s *Server) attach(l *link, m rmlink.Message) (*device, error) {
	var info rmlink.Info
	if m.Type != rmlink.Hello || json.Unmarshal(m.Data, &info) != nil || !validID(info.ID) {
		return nil, errHello
	}
	s.mu.Lock()
	d := s.lookUp(info.ID)
	info.ID = d.info.ID
	old := d.link
	d.info, d.link, d.connected = info, l, s.conf.Now()
	console := d.console
	s.mu.Unlock()
	if old != nil {
		old.conn.Close()
	}
	l.post(rmlink.Message{Type: rmlink.Welcome})
	if console != nil {
		l.post(rmlink.Message{Type: rmlink.ConsoleOpen})
	}
	s.log(false, "%s (%s) is connected", info.ID, info.Type)
	return d, nil
}

func (s *Server) detach(d *device, l *link) {
	s.mu.Lock()
	if d.link == l {
		d.link, d.gone = nil, s.conf.Now()
	}
	for _, c := range l.waiting {
		close(c)
	}
	l.waiting = nil
	id := d.info.ID
	s.mu.Unlock()
	s.log(false, "%s has disconnected", id)
}

// handle is a message of an attached device.
func (s *Server) handle(d *device, l *link, m rmlink.Message) {
	switch m.Type {
	case rmlink.Upload:
		l.post(s.store(d, m))
	case rmlink.Result:
		s.mu.Lock()
		c := l.waiting[m.ID]
		delete(l.waiting, m.ID)
		s.mu.Unlock()
		if c != nil {
			c <- m
		}
	case rmlink.ConsoleData, rmlink.ConsoleClose:
		s.mu.Lock()
		c := d.console
		s.mu.Unlock()
		if c != nil {
			c.fromDevice(m)
		}
	}
}

// store keeps what a device uploads, and says what became of it.
func (s *Server) store(d *device, m rmlink.Message) rmlink.Message {
	var err error
	what := "a file"
	if strings.HasPrefix(m.Name, "DataPoint/") {
		var points []point
		if points, err = parseCSV(string(m.Data)); err == nil {
			for i := range points {
				points[i].stream = d.info.ID + "/" + points[i].stream
			}
			what, err = fmt.Sprintf("%d data points", len(points)), s.addPoints(points)
		}
	} else {
		err = s.addFile(d.info.ID, m)
	}
	reply := rmlink.Message{Type: rmlink.Result, ID: m.ID}
	if err != nil {
		reply.Status, reply.Data = rmlink.Refused, []byte(err.Error())
		s.log(true, "what %s uploaded to %s was refused: %v", d.info.ID, m.Name, err)
		return reply
	}
	s.log(false, "%s uploaded %s: %s", d.info.ID, what, m.Name)
	return reply
}

// ServePacket serves a socket on which modules send single uploads.
func (s *Server) ServePacket(c net.PacketConn) {
	if !s.track(c) {
		return
	}
	s.wg.Go(func() {
		defer s.untrack(c)
		buf := make([]byte, 2048)
		for {
			n, from, err := c.ReadFrom(buf)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				continue
			}
			var in rmlink.Decoder
			in.Write(buf[:n])
			hello, ok, err := in.Next()
			m, ok2, err2 := in.Next()
			if err != nil || err2 != nil || !ok || !ok2 || hello.Type != rmlink.Hello || m.Type != rmlink.Upload || !validID(hello.Name) {
				continue
			}
			s.mu.Lock()
			d := s.lookUp(hello.Name)
			s.mu.Unlock()
			c.WriteTo(rmlink.Append(nil, s.store(d, m)), from)
		}
	})
}

// ask sends a device request and waits for the answer.
func (s *Server) ask(id, target string, data []byte, limit time.Duration, cancel <-chan struct{}) (rmlink.Message, error) {
	s.mu.Lock()
	d := s.devices[strings.ToUpper(id)]
	if d == nil || d.link == nil {
		s.mu.Unlock()
		return rmlink.Message{}, errNotConnected
	}
	l := d.link
	l.lastID++
	answer := make(chan rmlink.Message, 1)
	m := rmlink.Message{Type: rmlink.Request, ID: l.lastID, Name: target, Data: data}
	l.waiting[m.ID] = answer
	s.mu.Unlock()
	l.post(m)
	late := make(chan struct{})
	defer s.conf.After(limit, func() { close(late) })()
	select {
	case got, ok := <-answer:
		if !ok {
			return got, errNotConnected
		}
		return got, nil
	case <-late:
	case <-cancel:
	}
	s.mu.Lock()
	delete(l.waiting, m.ID)
	s.mu.Unlock()
	return rmlink.Message{}, errTimeout
}

// Request sends a device request to a device's target and waits for the answer,
// at most limit.
func (s *Server) Request(id, target string, data []byte, limit time.Duration) ([]byte, error) {
	m, err := s.ask(id, target, data, limit, nil)
	if err == nil && m.Status != rmlink.OK {
		err = fmt.Errorf("the device answered with status %d: %s", m.Status, m.Data)
	}
	return m.Data, err
}

// Devices lists the identifiers of the devices, and whether each is connected.
func (s *Server) Devices() (ids []string, connected []bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range s.order {
		ids = append(ids, id)
		connected = append(connected, s.devices[id].link != nil)
	}
	return ids, connected
}
