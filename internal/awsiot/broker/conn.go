package broker

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/event"
)

// conn is one network connection. Its reader is the goroutine that called Broker.Serve, its
// writer a second one that starts with the session.
type conn struct {
	b    *Broker
	nc   net.Conn
	r    *bufio.Reader
	peer Peer // the reader's until connected is set, then nobody changes it

	remote string

	accepted  time.Time
	connected atomic.Bool  // CONNECT has been accepted
	lastRead  atomic.Int64 // UnixNano of the last packet
	writing   atomic.Int64 // UnixNano a write began, 0 when none is under way
	keepAlive time.Duration
	requests  atomic.Int32 // shadow requests not answered yet

	sess        *session
	sender      Sender // of what this connection publishes
	control     []byte // packets that go before the session's messages; session.mu guards it
	wake        chan struct{}
	closed      chan struct{}
	closing     atomic.Bool
	will        *Message
	preventWill atomic.Bool // the will is not to be sent
	sessionID   string      // for lifecycle events
	reason      string      // why it was closed, set with closing
	why         string      // the same for a person

	publishes, bytes bucket
}

// closure is why a connection ends.
type closure struct {
	reason string
	text   string
}

func (c closure) Error() string { return c.text }

func fault(format string, args ...any) error {
	return closure{reasonError, fmt.Sprintf(format, args...)}
}

// close ends the connection once; the first reason given counts. Closing TLS may wait some
// seconds for a client that does not read.
func (c *conn) close(reason, why string) {
	if c.end(reason, why) {
		c.nc.Close()
	}
}

// end settles why the connection ends, without closing the transport; false if that had been
// settled before.
func (c *conn) end(reason, why string) bool {
	if !c.closing.CompareAndSwap(false, true) {
		<-c.closed
		return false
	}
	c.reason, c.why = reason, why
	close(c.closed)
	return true
}

func (c *conn) wakeWriter() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// maxControl is how many bytes of answers may wait for a client before its packets are no
// longer read.
const maxControl = 4 << 10

// answer queues a packet for the writer, ahead of messages. It waits while the client does not
// read the answers it has.
func (c *conn) answer(write func([]byte) []byte) error {
	for {
		c.sess.mu.Lock()
		if len(c.control) < maxControl {
			c.control = write(c.control)
			c.sess.mu.Unlock()
			c.wakeWriter()
			return nil
		}
		c.sess.mu.Unlock()
		pause := make(chan struct{})
		t := c.b.cfg.Clock.AfterFunc(10*time.Millisecond, func() { close(pause) })
		select {
		case <-pause:
		case <-c.closed:
			t.Stop()
			return net.ErrClosed
		}
	}
}

// writeBatch is how many bytes the writer gathers before it writes.
const writeBatch = 32 << 10

// write is the writer: it sends answers and messages until the connection closes.
func (c *conn) write() {
	defer c.b.wg.Done()
	for {
		buf := c.b.buffers.Get().(*[]byte)
		c.sess.mu.Lock()
		out := append((*buf)[:0], c.control...)
		c.control = nil
		var wait time.Duration
		if c.sess.conn == c {
			out, wait = c.sess.take(out, writeBatch, c.b.cfg.Clock.Now())
		}
		c.sess.mu.Unlock()
		n := len(out)
		var err error
		if n > 0 {
			c.writing.Store(c.b.cfg.Clock.Now().UnixNano())
			_, err = c.nc.Write(out)
			c.writing.Store(0)
		}
		*buf = out
		if cap(out) <= 4*writeBatch {
			c.b.buffers.Put(buf)
		}
		if err != nil {
			c.close(reasonLost, "the connection was lost while writing: "+plain(err))
			return
		}
		if n > 0 {
			continue // there may be more already
		}
		var timer interface{ Stop() bool }
		if wait > 0 {
			timer = c.b.cfg.Clock.AfterFunc(wait, c.wakeWriter)
		}
		select {
		case <-c.wake:
		case <-c.closed:
			if timer != nil {
				timer.Stop()
			}
			return
		}
		if timer != nil {
			timer.Stop()
		}
	}
}

// plain says what a network error means.
func plain(err error) string {
	switch {
	case errors.Is(err, io.EOF):
		return "the client closed it without DISCONNECT"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the client closed it in the middle of a packet"
	case errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrClosed):
		return "it was closed"
	}
	return err.Error()
}

// read is the reader: it serves packets until one ends the connection.
func (c *conn) read() {
	for {
		h, body, err := readPacket(c.r, c.b.maxPacket())
		if err == nil {
			c.lastRead.Store(c.b.cfg.Clock.Now().UnixNano())
			err = c.packet(h, body)
		}
		if err == nil {
			continue
		}
		var end closure
		var bad *protocolError
		switch {
		case errors.As(err, &end):
			if end.reason != reasonClient && !c.closing.Load() {
				c.b.log(event.Refused, c.peer, c.sess.id, end.text+"; the connection is closed")
			}
			c.close(end.reason, end.text)
		case errors.As(err, &bad):
			if !c.closing.Load() {
				c.b.log(event.Refused, c.peer, c.sess.id, bad.Error()+"; the connection is closed")
			}
			c.close(reasonError, bad.Error())
		default:
			c.close(reasonLost, plain(err))
		}
		return
	}
}

// bucket is a token bucket that allows a second's worth at once.
type bucket struct {
	have float64
	at   time.Time
}

// take spends n and gives how long to wait until that is within rate.
func (k *bucket) take(n, rate float64, now time.Time) time.Duration {
	if k.at.IsZero() {
		k.have, k.at = rate, now
	}
	k.have = min(rate, k.have+rate*now.Sub(k.at).Seconds())
	k.at = now
	k.have -= n
	if k.have >= 0 {
		return 0
	}
	return time.Duration(-k.have / rate * float64(time.Second))
}

// throttle holds the reader back while the client publishes faster than it may: TCP then holds
// back the client.
func (c *conn) throttle(size int) error {
	l := &c.b.cfg.Limits
	now := c.b.cfg.Clock.Now()
	var wait time.Duration
	if l.PublishRate > 0 {
		wait = c.publishes.take(1, float64(l.PublishRate), now)
	}
	if l.ByteRate > 0 {
		wait = max(wait, c.bytes.take(float64(size), float64(l.ByteRate), now))
	}
	if wait <= 0 {
		return nil
	}
	done := make(chan struct{})
	t := c.b.cfg.Clock.AfterFunc(wait, func() { close(done) })
	defer t.Stop()
	select {
	case <-done:
		// The pause was ours: it must not count as silence of the client's.
		c.lastRead.Store(c.b.cfg.Clock.Now().UnixNano())
		return nil
	case <-c.closed:
		return net.ErrClosed
	}
}
