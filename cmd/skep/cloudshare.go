package main

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/skep-sim/skep/internal/awsiot"
	"github.com/skep-sim/skep/internal/host/app"
)

// shareFile is where, in the state directory, the process that runs the local
// AWS IoT says how others reach it. Who may read it may use the state anyway.
const shareFile = "cloud.share"

// shareInfo is the content of the share file.
type shareInfo struct {
	Owner   string     `json:"owner"` // "skep run (process 123)"
	Control string     `json:"control"`
	Token   string     `json:"token"`
	Addrs   cloudAddrs `json:"addrs"`
}

// shareRequest is what one process asks of the one that runs the cloud: one
// JSON value a connection, answered by one, or for "watch" by one for each
// refusal until the cloud ends.
type shareRequest struct {
	Token string    `json:"token"`
	Do    string    `json:"do"` // "init", "prepare" or "watch"
	Dir   string    `json:"dir,omitempty"`
	Cloud app.Cloud `json:"cloud"`
}

// shareReply answers a request.
type shareReply struct {
	Init    *awsiot.Init `json:"init,omitempty"`
	Error   string       `json:"error,omitempty"`
	Refused string       `json:"refused,omitempty"`
}

// shareDelay bounds the dialogue between two processes of one machine.
const shareDelay = 10 * time.Second

// cloudShare serves other processes.
type cloudShare struct {
	cloud    *localCloud
	token    string
	listener net.Listener
	file     string

	mu       sync.Mutex
	watchers map[net.Conn]chan string
	wg       sync.WaitGroup
}

func newCloudShare() *cloudShare {
	return &cloudShare{token: rand.Text(), watchers: map[net.Conn]chan string{}}
}

// open listens and writes the share file.
func (s *cloudShare) open(c *localCloud, owner string) (err error) {
	s.cloud = c
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	text, err := json.Marshal(shareInfo{
		Owner: fmt.Sprintf("%s (process %d)", owner, os.Getpid()), Control: s.listener.Addr().String(), Token: s.token, Addrs: c.addrs,
	})
	if err != nil {
		return err
	}
	s.file = filepath.Join(c.dir, shareFile)
	if err := os.WriteFile(s.file+".new", text, 0o600); err != nil {
		return err
	}
	if err := os.Rename(s.file+".new", s.file); err != nil {
		return err
	}
	s.wg.Go(func() {
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.serve(conn) })
		}
	})
	return nil
}

// wait returns when nobody watches any more, or after limit, or when stop is
// closed. It calls note after a second.
func (s *cloudShare) wait(limit time.Duration, stop <-chan struct{}, note func(watchers int)) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	begin := time.Now()
	for told := false; ; {
		s.mu.Lock()
		n := len(s.watchers)
		s.mu.Unlock()
		since := time.Since(begin)
		if n == 0 || since > limit {
			return
		}
		if since > time.Second && !told {
			note(n)
			told = true
		}
		select {
		case <-tick.C:
		case <-stop:
			return
		}
	}
}

// close ends the service, while the state is still held.
func (s *cloudShare) close() {
	if s.listener == nil {
		return
	}
	if s.file != "" {
		os.Remove(s.file)
	}
	s.listener.Close()
	s.mu.Lock()
	for conn, lines := range s.watchers {
		close(lines)
		conn.Close()
	}
	s.watchers = nil
	s.mu.Unlock()
	s.wg.Wait()
}

// tell passes a refusal on; a watcher that is slow misses some.
func (s *cloudShare) tell(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, lines := range s.watchers {
		select {
		case lines <- text:
		default:
		}
	}
}

func (s *cloudShare) serve(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(shareDelay))
	var q shareRequest
	if err := json.NewDecoder(conn).Decode(&q); err != nil || subtle.ConstantTimeCompare([]byte(q.Token), []byte(s.token)) != 1 {
		return
	}
	out := json.NewEncoder(conn)
	var in *awsiot.Init
	var err error
	switch q.Do {
	case "watch":
		conn.SetDeadline(time.Time{})
		s.watch(conn, out)
		return
	case "init":
		in, err = s.cloud.makeThing(q.Dir, q.Cloud)
	case "prepare":
		in, err = s.cloud.prepare(q.Cloud)
	default:
		err = fmt.Errorf("the local AWS IoT that runs does not know %q: stop it, and start it with this version of skep", q.Do)
	}
	reply := shareReply{Init: in}
	if err != nil {
		reply.Error = err.Error()
	}
	out.Encode(reply)
}

func (s *cloudShare) watch(conn net.Conn, out *json.Encoder) {
	lines := make(chan string, 64)
	s.mu.Lock()
	if s.watchers == nil {
		s.mu.Unlock()
		return
	}
	s.watchers[conn] = lines
	s.mu.Unlock()
	// The other side sends no more: an end of its input is its end.
	s.wg.Go(func() {
		conn.Read(make([]byte, 1))
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, ok := s.watchers[conn]; ok {
			delete(s.watchers, conn)
			close(lines)
		}
	})
	if out.Encode(shareReply{}) != nil {
		return
	}
	for text := range lines {
		if out.Encode(shareReply{Refused: text}) != nil {
			return
		}
	}
}

// sharedCloud is a local AWS IoT that another process runs.
type sharedCloud struct{ info shareInfo }

// findShared finds who runs the cloud on the state in dir; nil is nobody.
func findShared(dir string) *sharedCloud {
	text, err := os.ReadFile(filepath.Join(dir, shareFile))
	if err != nil {
		return nil
	}
	c := &sharedCloud{}
	if json.Unmarshal(text, &c.info) != nil || !c.alive() {
		return nil
	}
	return c
}

// alive reports whether the process is still there: a file may outlive it.
func (c *sharedCloud) alive() bool {
	conn, err := c.dial(shareRequest{Do: "watch"})
	if err != nil {
		return false
	}
	defer conn.Close()
	return json.NewDecoder(conn).Decode(&shareReply{}) == nil
}

func (c *sharedCloud) dial(q shareRequest) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", c.info.Control, shareDelay)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(shareDelay))
	q.Token = c.info.Token
	if err := json.NewEncoder(conn).Encode(q); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func (c *sharedCloud) ask(q shareRequest) (*awsiot.Init, error) {
	conn, err := c.dial(q)
	var reply shareReply
	if err == nil {
		defer conn.Close()
		err = json.NewDecoder(conn).Decode(&reply)
	}
	if err != nil {
		return nil, fmt.Errorf("asking the local AWS IoT of %s: %w", c.info.Owner, err)
	}
	if reply.Error != "" {
		return nil, errors.New(reply.Error)
	}
	return reply.Init, nil
}

// watch hands every refusal to line, and calls ended when the cloud has ended.
// The returned function stops both, after the refusals up to then.
func (c *sharedCloud) watch(line func(string), ended func()) (stop func(), err error) {
	conn, err := c.dial(shareRequest{Do: "watch"})
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Time{})
	stopped, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		in := json.NewDecoder(conn)
		for {
			var r shareReply
			if in.Decode(&r) != nil {
				break
			}
			if r.Refused != "" {
				line(r.Refused)
			}
		}
		select {
		case <-stopped:
		default:
			ended()
		}
	}()
	return sync.OnceFunc(func() {
		close(stopped)
		conn.SetReadDeadline(time.Now().Add(time.Second))
		conn.(*net.TCPConn).CloseWrite() // the other side then sends what is left, and ends
		<-done
		conn.Close()
	}), nil
}
