// Package remotemanager is a Digi Remote Manager on this machine, as far as a
// module's digi.cloud and those who test it need one: an inventory of devices,
// data streams, device requests (SCI) and a console, over HTTP in the form of
// Digi's own web services (ws/DeviceCore, ws/DataStream, ws/DataPoint, ws/sci,
// ws/v1/...).
//
// It is not Digi's: there are no accounts (any name and password will do),
// groups, alarms, monitors, firmware or settings of devices, and modules speak
// the protocol of package rmlink to it instead of EDP. Everything is kept in
// memory. It never contacts Digi and never imports the simulated device.
package remotemanager

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/skep-sim/skep/internal/rmlink"
)

// Config is what a Server is made of. Now, After and Certificate must be there.
type Config struct {
	// Now is the time: of what arrives without one, and of connections.
	Now func() time.Time
	// After calls f after d, unless it is stopped before: time.AfterFunc's Stop.
	After func(d time.Duration, f func()) (stop func() bool)
	// Certificate is shown to TLS clients, with an RSA key: the modems of some
	// modules have no other key exchange.
	Certificate tls.Certificate
	// Log takes a line for each thing a person may want to see (may be nil).
	Log func(refused bool, text string)
}

// Server is a running Remote Manager. Make one with New, hand it listeners, Close
// it. Its methods may be called from any goroutine.
type Server struct {
	conf Config
	tls  *tls.Config
	web  *http.Server
	http *handoff

	mu      sync.Mutex
	devices map[string]*device
	order   []string // device identifiers in the order of their coming
	streams map[string]*stream
	names   []string // of the streams, in the order of their making
	files   map[string]*file
	lastID  uint64
	jobs    map[uint64]*job
	closed  bool
	open    map[io.Closer]bool
	wg      sync.WaitGroup
}

// New makes a Server.
func New(c Config) *Server {
	s := &Server{
		conf: c, devices: map[string]*device{}, streams: map[string]*stream{}, files: map[string]*file{}, jobs: map[uint64]*job{}, open: map[io.Closer]bool{},
		http: newHandoff(),
	}
	s.tls = &tls.Config{
		Certificates: []tls.Certificate{c.Certificate}, Time: c.Now, MinVersion: tls.VersionTLS10,
		// those of the modems, of which one has RSA key exchange only
		CipherSuites: []uint16{
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_RSA_WITH_AES_128_CBC_SHA256, tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA,
		},
	}
	s.web = &http.Server{Handler: s.handler(), ReadHeaderTimeout: time.Minute}
	s.wg.Go(func() { s.web.Serve(s.http) })
	return s
}

func (s *Server) log(refused bool, format string, args ...any) {
	if s.conf.Log != nil {
		s.conf.Log(refused, fmt.Sprintf(format, args...))
	}
}

// track remembers what Close has to close; it reports false once closed.
func (s *Server) track(c io.Closer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.Close()
		return false
	}
	s.open[c] = true
	return true
}

func (s *Server) untrack(c io.Closer) {
	s.mu.Lock()
	delete(s.open, c)
	s.mu.Unlock()
	c.Close()
}

// Close ends listeners and connections and waits for them.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for c := range s.open {
		c.Close()
	}
	s.mu.Unlock()
	s.web.Close()
	s.http.Close()
	s.wg.Wait()
}

// Listen serves a listener: HTTP, HTTPS and modules, told apart by the first
// bytes they send.
func (s *Server) Listen(l net.Listener) {
	if !s.track(l) {
		return
	}
	s.wg.Go(func() {
		defer s.untrack(l)
		for {
			c, err := l.Accept()
			if err != nil {
				if !errors.Is(err, net.ErrClosed) {
					s.log(true, "accepting connections: %v", err)
				}
				return
			}
			s.wg.Go(func() { s.sort(c) })
		}
	})
}

// firstByte is how long a connection may say nothing; tlsHandshake is the first
// byte of one that wants TLS.
const (
	firstByte    = time.Minute
	tlsHandshake = 0x16
)

// peeked is a connection of which the first bytes were looked at.
type peeked struct {
	net.Conn
	r *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) { return p.r.Read(b) }

func peek(c net.Conn) (*peeked, byte, error) {
	p := &peeked{c, bufio.NewReader(c)}
	c.SetReadDeadline(time.Time{})
	b, err := p.r.Peek(1)
	if err != nil {
		return nil, 0, err
	}
	return p, b[0], nil
}

// sort finds out what a connection is for.
func (s *Server) sort(c net.Conn) {
	if !s.track(c) {
		return
	}
	stop := s.conf.After(firstByte, func() { c.Close() })
	p, first, err := peek(c)
	if err == nil && first == tlsHandshake {
		p, first, err = peek(tls.Server(p, s.tls))
	}
	stop()
	switch {
	case err != nil:
		s.untrack(c)
	case first == rmlink.Mark:
		defer s.untrack(c)
		s.serveDevice(p)
	default:
		s.http.give(&closing{p, func() { s.untrack(c) }})
	}
}

// closing tells the server when a connection is closed.
type closing struct {
	net.Conn
	closed func()
}

func (c *closing) Close() error {
	err := c.Conn.Close()
	c.closed()
	return err
}

// handoff is a listener whose connections others have accepted.
type handoff struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newHandoff() *handoff { return &handoff{conns: make(chan net.Conn), done: make(chan struct{})} }

func (h *handoff) give(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.done:
		c.Close()
	}
}

func (h *handoff) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

func (h *handoff) Close() error {
	h.once.Do(func() { close(h.done) })
	return nil
}

func (h *handoff) Addr() net.Addr { return &net.TCPAddr{} }
