package world

import (
	"io"
	"sync"
	"time"
)

// queueLimit bounds what a stream holds for either side, in bytes. It is of
// the size of a host's socket buffer, so a device that does not read pushes
// back on its peer.
const queueLimit = 64 << 10

// drainLimit is how long, in the host's time, Close waits for the peer to take
// what was sent.
const drainLimit = 2 * time.Second

// queue is a bounded queue of bytes, or of whole datagrams.
type queue struct {
	chunks  [][]byte
	size    int
	message int   // longest datagram, 0 on a byte stream
	end     error // what follows after the last byte, nil while open
}

func newQueue(message int) *queue { return &queue{message: message} }

func (q *queue) full() bool { return q.size >= queueLimit }

// put appends a copy of as much of p as there is room for.
func (q *queue) put(p []byte) int {
	room := queueLimit - q.size
	if q.message > 0 {
		if len(p) > room {
			return 0
		}
	} else if len(p) > room {
		p = p[:max(room, 0)]
	}
	if len(p) == 0 && q.message == 0 {
		return 0
	}
	q.chunks = append(q.chunks, append([]byte(nil), p...))
	q.size += len(p)
	return len(p)
}

// take moves bytes, or one datagram, into p.
func (q *queue) take(p []byte) int {
	n := 0
	for len(q.chunks) > 0 && n < len(p) {
		c := q.chunks[0]
		m := copy(p[n:], c)
		n += m
		if q.message > 0 || m == len(c) {
			q.size -= len(c)
			q.chunks = q.chunks[1:]
		} else {
			q.chunks[0] = c[m:]
			q.size -= m
		}
		if q.message > 0 {
			break
		}
	}
	if len(q.chunks) == 0 {
		q.chunks = nil
	}
	return n
}

// pump turns a blocking reader and writer into a polled stream, with one
// goroutine each way.
type pump struct {
	mu      sync.Mutex
	room    sync.Cond // in has room, out has bytes, or the stream is closed
	in, out *queue
	wake    chan struct{}
	closed  bool
	drained chan struct{} // closed when the writing goroutine has ended
	closer  io.Closer
}

// newPump starts reading r and, unless w is nil, writing w. message is the
// longest datagram, 0 for a byte stream.
func newPump(r io.Reader, w io.Writer, closer io.Closer, message int) *pump {
	p := &pump{
		in: newQueue(message), out: newQueue(message),
		wake: make(chan struct{}, 1), drained: make(chan struct{}), closer: closer,
	}
	p.room.L = &p.mu
	go p.read(r)
	if w == nil {
		close(p.drained)
	} else {
		go p.write(w)
	}
	return p
}

func (p *pump) read(r io.Reader) {
	size := 256 // most say little: it grows with what comes
	if p.in.message > 0 {
		size = max(4096, p.in.message)
	}
	buf := make([]byte, size)
	for {
		n, err := r.Read(buf)
		p.mu.Lock()
		for rest := buf[:n]; !p.closed && (len(rest) > 0 || p.in.message > 0 && err == nil); {
			m := p.in.put(rest)
			nudge(p.wake)
			rest = rest[m:]
			if p.in.message > 0 { // a datagram that finds no room is lost
				break
			}
			for p.in.full() && !p.closed {
				p.room.Wait()
			}
		}
		if err != nil {
			p.in.end = classify(err)
			nudge(p.wake)
		}
		stop := err != nil || p.closed
		p.mu.Unlock()
		if stop {
			return
		}
		if n == len(buf) && n < 4096 {
			buf = make([]byte, 2*n)
		}
	}
}

func (p *pump) write(w io.Writer) {
	defer close(p.drained)
	buf := make([]byte, max(4096, p.out.message))
	for {
		p.mu.Lock()
		for len(p.out.chunks) == 0 && !p.closed {
			p.room.Wait()
		}
		if len(p.out.chunks) == 0 {
			p.mu.Unlock()
			return
		}
		n := p.out.take(buf)
		nudge(p.wake)
		p.mu.Unlock()
		if _, err := w.Write(buf[:n]); err != nil {
			p.mu.Lock()
			p.out.end = classify(err)
			nudge(p.wake)
			p.mu.Unlock()
			return
		}
	}
}

func (p *pump) Recv(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, &Failure{Kind: FailClosed}
	}
	had := len(p.in.chunks)
	n := p.in.take(b)
	if had > 0 {
		p.room.Broadcast()
		return n, nil
	}
	return 0, p.in.end
}

func (p *pump) Send(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, &Failure{Kind: FailClosed}
	}
	if p.out.end != nil {
		return 0, p.out.end
	}
	n := p.out.put(b)
	p.room.Broadcast()
	return n, nil
}

func (p *pump) Changed() <-chan struct{} { return p.wake }

// abandon stops both goroutines as soon as they come up for air.
func (p *pump) abandon() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.closed
	p.closed = true
	p.room.Broadcast()
	nudge(p.wake)
	return was
}

func (p *pump) Close() error {
	if p.abandon() {
		return nil
	}
	select {
	case <-p.drained:
	case <-time.After(drainLimit):
	}
	return p.closer.Close()
}
