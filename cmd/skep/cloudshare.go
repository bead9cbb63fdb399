package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// shareFile is where, in the state directory, the process that runs the local
// AWS IoT says how others reach it. Who may read it may use the state anyway.
const shareFile = "cloud.share"

// shareProtocol numbers the dialogue below. Bump it on any change of its form;
// operations come and go without.
const shareProtocol = 2

// shareInfo is the content of the share file.
type shareInfo struct {
	Protocol int        `json:"protocol"`
	Owner    string     `json:"owner"` // "skep run (process 123)"
	Control  string     `json:"control"`
	Token    string     `json:"token"`
	Addrs    cloudAddrs `json:"addrs"`
}

// shareRequest is what one process asks of the one that runs the cloud: one
// request a connection. The first reply says that it is taken, before anything
// is done: an asker that gets none may ask again elsewhere. An operation then has
// one more reply; a flow has one for each item, and a last one that says Ended.
type shareRequest struct {
	Token string          `json:"token"`
	Do    string          `json:"do"`
	In    json.RawMessage `json:"in"`
	Flow  bool            `json:"flow,omitempty"`
}

// shareReply answers a request.
type shareReply struct {
	Taken bool            `json:"taken,omitempty"`
	Out   json.RawMessage `json:"out,omitempty"`
	Ended bool            `json:"ended,omitempty"`
	Error string          `json:"error,omitempty"`
}

const (
	// shareDelay bounds how long a process of the same machine takes to listen.
	shareDelay = 30 * time.Second
	// shareWork bounds how long an operation takes: making keys is the longest.
	shareWork = 5 * time.Minute
)

// cloudShare serves other processes.
type cloudShare struct {
	cloud    *localCloud
	token    string
	listener net.Listener
	file     string
	ctx      context.Context // done: the cloud ends
	end      context.CancelFunc

	mu      sync.Mutex
	holders int                   // flows under way that need the cloud
	conns   map[net.Conn]struct{} // those that have not said what they want
	ended   bool
	wg      sync.WaitGroup
}

func newCloudShare() *cloudShare {
	s := &cloudShare{token: rand.Text(), conns: map[net.Conn]struct{}{}}
	s.ctx, s.end = context.WithCancel(context.Background())
	return s
}

// open listens and writes the share file.
func (s *cloudShare) open(c *localCloud) (err error) {
	s.cloud = c
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	text, err := json.Marshal(shareInfo{
		Protocol: shareProtocol, Owner: fmt.Sprintf("%s (process %d)", c.owner, os.Getpid()),
		Control: s.listener.Addr().String(), Token: s.token, Addrs: c.addrs,
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

// wait returns when nobody needs the cloud any more, or after limit, or when stop
// is closed. It calls note after a second.
func (s *cloudShare) wait(limit time.Duration, stop <-chan struct{}, note func(holders int)) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	begin := time.Now()
	for told := false; ; {
		s.mu.Lock()
		n := s.holders
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

// close ends the service, while the state is still held: what has been taken is
// finished, and flows end.
func (s *cloudShare) close() {
	if s.listener == nil {
		return
	}
	if s.file != "" {
		os.Remove(s.file)
	}
	s.listener.Close()
	s.mu.Lock()
	s.ended = true
	for conn := range s.conns {
		conn.Close()
	}
	s.mu.Unlock()
	s.end()
	s.wg.Wait()
}

func (s *cloudShare) serve(conn net.Conn) {
	defer conn.Close()
	q, ok := s.take(conn)
	if !ok {
		return
	}
	out := json.NewEncoder(conn)
	if q.Flow {
		s.serveFlow(conn, out, q)
		return
	}
	conn.SetDeadline(time.Now().Add(shareWork))
	if out.Encode(shareReply{Taken: true}) != nil {
		return
	}
	var reply shareReply
	var err error
	if reply.Out, err = s.cloud.do(q.Do, q.In); err != nil {
		reply.Error = err.Error()
	}
	out.Encode(reply)
}

// take reads a request that may be served.
func (s *cloudShare) take(conn net.Conn) (q shareRequest, ok bool) {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return q, false
	}
	s.conns[conn] = struct{}{}
	s.mu.Unlock()
	conn.SetDeadline(time.Now().Add(shareDelay))
	err := json.NewDecoder(conn).Decode(&q)
	s.mu.Lock()
	delete(s.conns, conn)
	ended := s.ended
	s.mu.Unlock()
	return q, err == nil && !ended && subtle.ConstantTimeCompare([]byte(q.Token), []byte(s.token)) == 1
}

func (s *cloudShare) serveFlow(conn net.Conn, out *json.Encoder, q shareRequest) {
	if cloudFlows()[q.Do].holds {
		s.hold(1)
		defer s.hold(-1)
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	conn.SetDeadline(time.Time{})
	// The other side sends no more: an end of its input is its end.
	s.wg.Go(func() {
		conn.Read(make([]byte, 1))
		cancel()
	})
	defer conn.Close() // and that ends the goroutine
	taken := sync.OnceFunc(func() { out.Encode(shareReply{Taken: true}) })
	// An asker that reads nothing must not keep the cloud from ending.
	stop := context.AfterFunc(ctx, func() { conn.SetWriteDeadline(time.Now().Add(time.Second)) })
	defer stop()
	err := s.cloud.flow(ctx, q.Do, q.In, taken, func(item json.RawMessage) error {
		return out.Encode(shareReply{Out: item})
	})
	taken()
	reply := shareReply{Ended: true}
	if err != nil && s.ctx.Err() == nil {
		reply.Error = err.Error()
	}
	out.Encode(reply)
}

func (s *cloudShare) hold(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holders += n
}
