package rest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/policy"
	"github.com/skep-sim/skep/internal/awsiot/shadow"
	"github.com/skep-sim/skep/internal/awsiot/shadows"
	"github.com/skep-sim/skep/internal/awsiot/websocket"
)

// Peer is who is at the other end of a connection.
type Peer struct {
	CertID string // the certificate, or the access key of the request that is answered; "" for neither
	Remote string
	// Authorize says who makes a request and what that one may do now; an error says why
	// nothing.
	Authorize func(req *http.Request, body []byte) (id string, allowed *policy.Compiled, err error)
	// MQTT serves MQTT over WebSocket, which id has asked for, until its connection ends. nil:
	// there is none here.
	MQTT func(nc net.Conn, id string)
}

// Shadows is the part of the shadow service that HTTPS needs; shadows.Service is it.
type Shadows interface {
	Update(k shadow.Key, payload []byte, answered func(shadows.Answer))
	Get(k shadow.Key, payload []byte, answered func(shadows.Answer))
	Delete(k shadow.Key, payload []byte, answered func(shadows.Answer))
	Names(thing string) ([]string, error)
}

// Limits are the bounds of a connection.
type Limits struct {
	HandshakeTime time.Duration // TLS handshake and the first request's header together
	IdleTime      time.Duration // between requests, and for reading one
	Header        int           // bytes of a request's header
	Body          int           // bytes of a request's body
}

// DefaultLimits are AWS's where it names any (128 KB of payload), else ours.
func DefaultLimits() Limits {
	return Limits{HandshakeTime: 10 * time.Second, IdleTime: 60 * time.Second, Header: 16 << 10, Body: 128 << 10}
}

// Config is what a Server is made of.
type Config struct {
	Clock   clock.Clock
	Rand    io.Reader // for request ids; safe for use by many goroutines
	Limits  Limits
	Log     func(event.Event)
	Shadows Shadows
	Jobs    Jobs
	Broker  Broker
	// Thing says which thing a client is, "" for none.
	Thing func(certID, clientID string) string
}

// Broker is the part of the message broker that HTTPS needs; broker.Broker is it.
type Broker interface {
	PublishRule(topic string, retain bool) string
	PublishFor(m broker.Message) error
	RetainedAt(topic string) (m broker.Message, at time.Time, ok bool)
	RetainedTopics() []string
	Connection(clientID string) (broker.Connection, bool)
	Subscriptions(clientID string) ([]broker.Subscription, bool)
	Disconnect(clientID string, cleanSession, preventWill bool, by string) bool
	SendTo(clientID string, m broker.Message) bool
}

// Server answers requests. Make one with New.
type Server struct {
	cfg Config

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
	wg     sync.WaitGroup
}

// New makes a Server.
func New(cfg Config) *Server {
	return &Server{cfg: cfg, conns: map[net.Conn]struct{}{}}
}

// Close ends all connections and waits for their goroutines.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for nc := range s.conns {
		s.wg.Go(func() { nc.Close() })
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// Serve answers the requests of one connection until it ends. The handshake runs under the
// deadline of the first request.
func (s *Server) Serve(nc net.Conn, shake func() (Peer, error)) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		nc.Close()
		return
	}
	s.conns[nc] = struct{}{}
	s.wg.Add(1)
	s.mu.Unlock()
	defer s.wg.Done()
	defer func() {
		nc.Close()
		s.mu.Lock()
		delete(s.conns, nc)
		s.mu.Unlock()
	}()
	early := Peer{Remote: nc.RemoteAddr().String()} // all that is known before the handshake
	guard := s.cfg.Clock.AfterFunc(s.cfg.Limits.HandshakeTime, func() {
		s.log(event.Refused, early, fmt.Sprintf("HTTPS: no request within %v of the TCP connection; it is closed", s.cfg.Limits.HandshakeTime))
		nc.Close()
	})
	peer, err := shake()
	if err != nil {
		if guard.Stop() {
			s.log(event.Refused, early, "TLS: "+err.Error())
		}
		return
	}
	in := &limitedReader{r: nc}
	r := bufio.NewReaderSize(in, 2048)
	for {
		keep := s.one(nc, in, r, peer, guard)
		if !keep {
			return
		}
		guard = s.cfg.Clock.AfterFunc(s.cfg.Limits.IdleTime, func() { nc.Close() })
	}
}

// one reads and answers one request. guard closes the connection if that takes too long.
func (s *Server) one(nc net.Conn, in *limitedReader, r *bufio.Reader, peer Peer, guard clock.Timer) bool {
	defer func() { guard.Stop() }()
	in.left = s.cfg.Limits.Header
	req, err := http.ReadRequest(r)
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
			return false
		}
		why := "the request is not HTTP: " + err.Error()
		if in.left <= 0 {
			why = fmt.Sprintf("the request's header is longer than %d bytes", s.cfg.Limits.Header)
		}
		s.log(event.Refused, peer, "HTTPS: "+why)
		s.write(nc, &response{status: 400, kind: "InvalidRequestException", body: s.problem("Bad request: " + why)}, false)
		s.linger(nc)
		return false
	}
	if peer.MQTT != nil && req.URL.Path == "/mqtt" {
		in.endless = true
		s.upgrade(nc, r, peer, req, guard)
		return false
	}
	in.left = s.cfg.Limits.Body + s.cfg.Limits.Header
	if strings.EqualFold(req.Header.Get("Expect"), "100-continue") {
		if _, err := io.WriteString(nc, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return false
		}
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, int64(s.cfg.Limits.Body)+1))
	if err != nil {
		return s.half(nc, in, peer, req, err)
	}
	keep := !req.Close || req.ProtoMajor == 1 && req.ProtoMinor == 0 && req.Header.Get("Connection") == ""
	var resp *response
	if len(body) > s.cfg.Limits.Body {
		keep = false
		resp = s.refuse(peer, req, 413, "RequestEntityTooLargeException", "The payload exceeds the maximum size allowed",
			fmt.Sprintf("the body has more than %d bytes", s.cfg.Limits.Body))
	} else {
		resp = s.answer(peer, req, body)
	}
	resp.head = req.Method == http.MethodHead
	if s.write(nc, resp, keep) != nil || !keep {
		if len(body) > s.cfg.Limits.Body {
			s.linger(nc)
		}
		return false
	}
	return true
}

// half answers a request whose body could not be read to its end, if there is anyone to answer.
// It is false, as the connection cannot go on.
func (s *Server) half(nc net.Conn, in *limitedReader, peer Peer, req *http.Request, err error) bool {
	var lost net.Error
	switch {
	case in.left <= 0: // chunks so small that what is around them is too much
		s.write(nc, s.refuse(peer, req, 413, "RequestEntityTooLargeException", "The payload exceeds the maximum size allowed",
			"the body is too long as it is sent"), false)
		s.linger(nc)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe), errors.As(err, &lost):
		s.log(event.Refused, peer, fmt.Sprintf("%s %s: the connection ended within the request's body", req.Method, req.URL.Path))
	default:
		s.write(nc, s.refuse(peer, req, 400, "InvalidRequestException", "Bad request", "the body cannot be read: "+err.Error()), false)
		s.linger(nc)
	}
	return false
}

// linger reads on for a while what a client still sends that has had its answer. To close at
// once would reset the connection, and the answer be lost with it.
func (s *Server) linger(nc net.Conn) {
	if half, ok := nc.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_, _ = io.CopyN(io.Discard, nc, int64(lingerTimes*s.cfg.Limits.Body)) // the guard ends it, too
}

// lingerTimes is how many times the longest body a client may send in vain before it is cut off.
const lingerTimes = 64

// upgrade makes a connection one of MQTT over WebSocket and serves it.
func (s *Server) upgrade(nc net.Conn, r *bufio.Reader, peer Peer, req *http.Request, guard clock.Timer) {
	id, _, err := peer.Authorize(req, nil)
	if err != nil {
		s.write(nc, s.refuse(peer, req, 403, "ForbiddenException", "Forbidden", err.Error()), false)
		return
	}
	peer.CertID = id
	inner, err := websocket.Accept(nc, r, req)
	if err != nil {
		s.write(nc, s.refuse(peer, req, 400, "InvalidRequestException", "Bad request", err.Error()), false)
		return
	}
	guard.Stop() // MQTT has deadlines of its own
	peer.MQTT(inner, id)
}

// response is an answer before it is written.
type response struct {
	status int
	kind   string // exception name of an error, as the SDKs expect it in x-amzn-ErrorType
	body   []byte
	head   bool // the body is not sent
}

// write sends the answer in one piece, with the fields and order of the real service.
func (s *Server) write(nc net.Conn, r *response, keep bool) error {
	b := append([]byte("HTTP/1.1 "), strconv.Itoa(r.status)...)
	b = append(append(b, ' '), http.StatusText(r.status)...)
	b = append(b, "\r\ncontent-type: application/json\r\ncontent-length: "...)
	b = strconv.AppendInt(b, int64(len(r.body)), 10)
	b = append(b, "\r\ndate: "...)
	b = append(b, s.cfg.Clock.Now().UTC().Format(http.TimeFormat)...)
	b = append(b, "\r\nx-amzn-RequestId: "...)
	b = append(b, s.id()...)
	if r.kind != "" {
		b = append(append(b, "\r\nx-amzn-ErrorType: "...), r.kind...)
	}
	if keep {
		b = append(b, "\r\nconnection: keep-alive\r\n\r\n"...)
	} else {
		b = append(b, "\r\nconnection: close\r\n\r\n"...)
	}
	if !r.head {
		b = append(b, r.body...)
	}
	_, err := nc.Write(b)
	return err
}

// id makes a request or trace id, a UUID.
func (s *Server) id() string {
	var r [16]byte
	if _, err := io.ReadFull(s.cfg.Rand, r[:]); err != nil {
		s.log(event.Trouble, Peer{}, "no entropy for a request id: "+err.Error())
	}
	r[6], r[8] = r[6]&0x0f|0x40, r[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", r[:4], r[4:6], r[6:8], r[8:10], r[10:])
}

func (s *Server) log(kind event.Kind, peer Peer, text string) {
	if s.cfg.Log != nil {
		s.cfg.Log(event.Event{Time: s.cfg.Clock.Now(), Kind: kind, Remote: peer.Remote, CertID: peer.CertID, Text: text})
	}
}

// limitedReader stops a request that does not end.
type limitedReader struct {
	r       io.Reader
	left    int
	endless bool // it is no request any more
}

var errTooMuch = errors.New("too many bytes")

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.endless {
		return l.r.Read(p)
	}
	if l.left <= 0 {
		return 0, errTooMuch
	}
	if len(p) > l.left {
		p = p[:l.left]
	}
	n, err := l.r.Read(p)
	l.left -= n
	return n, err
}
