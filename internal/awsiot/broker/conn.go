package broker

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/event"
)

// conn is one network connection. Its reader is the goroutine that called Broker.Serve. A
// writer, a second one, is there only while there is something to write: an idle connection
// costs one goroutine and no buffer.
type conn struct {
	b    *Broker
	nc   net.Conn
	r    reader
	peer Peer // the reader's until connected is set, then nobody changes it

	accepted  time.Time
	connected atomic.Bool  // CONNECT has been accepted
	lastRead  atomic.Int64 // UnixNano of the last packet
	writing   atomic.Int64 // UnixNano a write began, 0 when none is under way
	requests  atomic.Int32 // shadow requests not answered yet
	waiting   atomic.Int32 // len(acks)

	hello       *hello // of CONNECT; set with connected
	version     byte   // 4 or 5
	keepAlive   time.Duration
	receiveMax  int    // QoS 1 messages the client takes before it acknowledges
	maxPacket   uint32 // the longest packet it takes, 0 for any
	sess        *session
	sender      Sender // of what this connection publishes
	will        *Message
	preventWill atomic.Bool // the will is not to be sent
	sessionID   string      // for lifecycle events

	// The session's lock guards these.
	control  []byte // packets that go before the session's messages
	acks     []*ack // PUBACKs in the order of their PUBLISHes, from the first that waits
	running  bool   // there is a writer
	dead     bool   // there will be none any more
	pacing   bool   // a timer will wake the writer
	farewell bool   // DISCONNECT is to be sent, then the connection closes
	idle     chan struct{}
	aliasOut map[string]uint16 // topics the client knows by a number

	aliasIn   []string // the reader's
	lastTopic string   // the reader's: what was published to last
	slowed    bool     // the reader's: that it is held back was said

	closing atomic.Bool
	closed  chan struct{}
	reason  string // why it was closed, set with closing
	why     string // the same for a person
	code    byte   // the same for MQTT 5

	publishes, bytes bucket
}

// close ends the connection once; the first reason given counts. Closing TLS may wait some
// seconds for a client that does not read.
func (c *conn) close(reason string, code byte, why string) {
	if c.end(reason, code, why) {
		c.finish()
	}
}

// end settles why the connection ends, without closing the transport; false if that had been
// settled before.
func (c *conn) end(reason string, code byte, why string) bool {
	if !c.closing.CompareAndSwap(false, true) {
		<-c.closed
		return false
	}
	c.reason, c.why, c.code = reason, why, code
	close(c.closed)
	return true
}

// finish closes the transport; of MQTT 5 after a DISCONNECT that says why, if the client
// takes it in time.
func (c *conn) finish() {
	if !c.connected.Load() || c.version != 5 || c.code == 0 {
		c.nc.Close()
		return
	}
	c.sess.mu.Lock()
	gone := c.dead
	c.farewell = true
	c.wake()
	c.sess.mu.Unlock()
	if gone {
		c.nc.Close()
		return
	}
	c.b.cfg.Clock.AfterFunc(c.b.cfg.Limits.FarewellTime, func() { c.nc.Close() })
}

// wake starts a writer unless there is one. The session's lock is held.
func (c *conn) wake() {
	if c.running || c.dead {
		return
	}
	c.running = true
	go c.write()
}

// maxControl is how many bytes of answers may wait for a client before its packets are no
// longer read.
const maxControl = 4 << 10

// answer queues a packet for the writer, ahead of messages. It waits while the client does not
// read the answers it has.
func (c *conn) answer(write func([]byte) []byte) error {
	if err := c.waitFor(func() bool { return len(c.control) < maxControl }); err != nil {
		return err
	}
	c.control = write(c.control)
	c.wake()
	c.sess.mu.Unlock()
	return nil
}

// waitFor returns with the session's lock held once ok, which is asked under it, says so; or
// without it and with an error when the connection has ended.
func (c *conn) waitFor(ok func() bool) error {
	for {
		c.sess.mu.Lock()
		if ok() {
			return nil
		}
		c.sess.mu.Unlock()
		if err := c.pause(10 * time.Millisecond); err != nil {
			return err
		}
	}
}

// pause waits, or gives an error when the connection ends first.
func (c *conn) pause(d time.Duration) error {
	done := make(chan struct{})
	t := c.b.cfg.Clock.AfterFunc(d, func() { close(done) })
	select {
	case <-done:
		return nil
	case <-c.closed:
		t.Stop()
		return net.ErrClosed
	}
}

// ack is a PUBACK that waits for its message to be safe, or for one before it.
type ack struct {
	id   uint16
	code byte // of MQTT 5
	left int  // what it waits for
}

// roomForAck keeps the client to the number of messages it may have unacknowledged.
func (c *conn) roomForAck() error {
	limit := int32(c.b.cfg.Limits.InFlight)
	for limit > 0 && c.waiting.Load() >= limit {
		if c.version == 5 {
			return fault(codeReceiveMaximum, "the client has %d messages unacknowledged and sends another", limit)
		}
		if err := c.pause(10 * time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// ackNow answers a PUBLISH of QoS 1 behind the answers to those before it.
func (c *conn) ackNow(id uint16, code byte) error {
	if c.waiting.Load() == 0 {
		return c.answer(func(b []byte) []byte { return appendPuback(b, id, code) })
	}
	c.sess.mu.Lock()
	defer c.sess.mu.Unlock()
	c.acks = append(c.acks, &ack{id: id, code: code})
	c.flushAcks()
	return nil
}

// ackLater answers a PUBLISH of QoS 1, behind the answers to those before it, once the function
// it gives has been called so many times. An error closes the connection instead.
func (c *conn) ackLater(id uint16, times int) func(error) {
	a := &ack{id: id, left: times}
	c.sess.mu.Lock()
	c.acks = append(c.acks, a)
	c.waiting.Store(int32(len(c.acks)))
	c.sess.mu.Unlock()
	return func(err error) {
		if err == nil && c.b.storeFails.Load() {
			err = errors.New("persistent sessions cannot be stored")
		}
		if err != nil {
			go c.close(reasonTrouble, codeUnspecified, "a message could not be made safe: "+err.Error())
			return
		}
		c.sess.mu.Lock()
		defer c.sess.mu.Unlock()
		a.left--
		c.flushAcks()
	}
}

// flushAcks answers what waits for nothing any more. The session's lock is held.
func (c *conn) flushAcks() {
	n := 0
	for n < len(c.acks) && c.acks[n].left == 0 {
		c.control = appendPuback(c.control, c.acks[n].id, c.acks[n].code)
		n++
	}
	if n == 0 {
		c.waiting.Store(int32(len(c.acks)))
		return
	}
	if c.acks = c.acks[n:]; len(c.acks) == 0 {
		c.acks = nil
	}
	c.waiting.Store(int32(len(c.acks)))
	c.wake()
}

// writeBatch is how many bytes the writer gathers before it writes.
const writeBatch = 32 << 10

// write is the writer: it sends answers and messages until there are none.
func (c *conn) write() {
	buf := c.b.buffers.Get().(*[]byte)
	for {
		c.sess.mu.Lock()
		out := append((*buf)[:0], c.control...)
		if c.control = c.control[:0]; cap(c.control) > maxControl {
			c.control = nil
		}
		last := c.farewell
		var wait time.Duration
		if c.sess.conn == c && !last {
			out, wait = c.sess.take(c, out, writeBatch, c.b.cfg.Clock.Now())
		}
		if last {
			out = appendDisconnect(out, c.code)
		}
		if len(out) == 0 || c.dead {
			c.rest(wait)
			c.sess.mu.Unlock()
			c.b.recycle(buf, out)
			return
		}
		c.sess.mu.Unlock()
		c.writing.Store(c.b.cfg.Clock.Now().UnixNano())
		_, err := c.nc.Write(out)
		c.writing.Store(0)
		*buf = out
		if err != nil || last {
			c.stopWriting(err)
			c.b.recycle(buf, out)
			return
		}
	}
}

// rest ends the writer; a timer starts the next when only the replay's pace holds messages
// back. The session's lock is held.
func (c *conn) rest(wait time.Duration) {
	c.running = false
	if cap(c.control) > 256 {
		c.control = nil
	}
	if c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
	if wait <= 0 || c.pacing || c.dead {
		return
	}
	c.pacing = true
	c.b.cfg.Clock.AfterFunc(wait, func() {
		c.sess.mu.Lock()
		defer c.sess.mu.Unlock()
		c.pacing = false
		c.wake()
	})
}

// stopWriting ends the writer for good.
func (c *conn) stopWriting(err error) {
	if err != nil {
		c.close(reasonLost, 0, "the connection was lost while writing: "+plain(err))
	}
	c.nc.Close()
	c.sess.mu.Lock()
	defer c.sess.mu.Unlock()
	c.dead = true
	c.rest(0)
}

// noWriter waits until there is no writer and will be none. The transport is closed, or is
// about to be.
func (c *conn) noWriter() {
	c.sess.mu.Lock()
	if !c.running {
		c.dead = true
		c.sess.mu.Unlock()
		return
	}
	if c.idle == nil {
		c.idle = make(chan struct{})
	}
	idle := c.idle
	if !c.farewell {
		c.dead = true
	}
	c.sess.mu.Unlock()
	<-idle
}

// appendMessage writes a message as this client takes it. The session's lock is held.
func (c *conn) appendMessage(b []byte, o *outgoing, now time.Time) []byte {
	if c.version != 5 {
		return appendPublish(b, o.m, o.qos, o.retain, o.id())
	}
	alias, known := c.alias(o.m.Topic)
	return appendPublish5(b, o.m, o.qos, o.retain, o.id(), alias, known, now.UnixMilli())
}

// alias gives a topic's number, 0 for none, and whether the client knows it. The first topics
// of a connection get one; the session's lock is held.
func (c *conn) alias(topic string) (alias uint16, known bool) {
	most := min(int(c.hello.aliasMax), c.b.cfg.Limits.TopicAlias)
	if most == 0 {
		return 0, false
	}
	if n, ok := c.aliasOut[topic]; ok {
		return n, true
	}
	if len(c.aliasOut) >= most {
		return 0, false
	}
	if c.aliasOut == nil {
		c.aliasOut = map[string]uint16{}
	}
	n := uint16(len(c.aliasOut) + 1)
	c.aliasOut[topic] = n
	return n, false
}

// plain says what a network error means.
func plain(err error) string {
	switch {
	case errors.Is(err, io.EOF):
		return "the client closed it without DISCONNECT"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the client closed it in the middle of a packet"
	case errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrClosed), errors.Is(err, io.ErrClosedPipe):
		return "it was closed"
	}
	return err.Error()
}

// read is the reader: it serves packets until one ends the connection.
func (c *conn) read() {
	limit := c.b.maxPacket()
	for {
		h, body, err := c.r.packet(limit)
		if err == nil {
			c.lastRead.Store(c.b.cfg.Clock.Now().UnixNano())
			err = c.packet(h, body)
		}
		if err == nil {
			continue
		}
		var end closure
		if !errors.As(err, &end) {
			c.close(reasonLost, 0, plain(err))
			return
		}
		if end.reason != reasonClient && !c.closing.Load() {
			c.b.log(event.Refused, c.peer, c.sess.id, end.text+"; the connection is closed")
		}
		c.close(end.reason, end.code, end.text)
		return
	}
}

// reader reads packets. Between them it holds no buffer: the first byte of what comes next is
// read by itself.
type reader struct {
	from  io.Reader
	pool  *sync.Pool // *bufio.Reader
	first [1]byte
	buf   *bufio.Reader // while there is something in it
}

// packet reads one packet. The body belongs to the caller.
func (r *reader) packet(limit int) (h header, body []byte, err error) {
	if r.buf == nil {
		if _, err := io.ReadFull(r.from, r.first[:]); err != nil {
			return h, nil, err
		}
		r.buf = r.pool.Get().(*bufio.Reader)
		r.buf.Reset(r.from)
		h, body, err = readRest(r.first[0], r.buf, limit)
	} else {
		h, body, err = readPacket(r.buf, limit)
	}
	if err != nil || r.buf.Buffered() == 0 {
		r.drop()
	}
	return h, body, err
}

func (r *reader) drop() {
	if r.buf != nil {
		r.buf.Reset(nil)
		r.pool.Put(r.buf)
		r.buf = nil
	}
}

// bucket is a token bucket: it fills at a rate up to its size.
type bucket struct {
	have float64
	at   time.Time
}

// take spends n and gives how long to wait until that is within the rate.
func (k *bucket) take(n, rate, size float64, now time.Time) time.Duration {
	k.fill(rate, size, now)
	k.have -= n
	if k.have >= 0 {
		return 0
	}
	return time.Duration(-k.have / rate * float64(time.Second))
}

// may spends n if it is there.
func (k *bucket) may(n, rate, size float64, now time.Time) bool {
	k.fill(rate, size, now)
	if k.have < n {
		return false
	}
	k.have -= n
	return true
}

func (k *bucket) fill(rate, size float64, now time.Time) {
	if k.at.IsZero() {
		k.have = size
	} else {
		k.have = min(size, k.have+rate*now.Sub(k.at).Seconds())
	}
	k.at = now
}

// throttle holds the reader back while the client publishes faster than it may: TCP then holds
// back the client.
func (c *conn) throttle(size int) error {
	l := &c.b.cfg.Limits
	now := c.b.cfg.Clock.Now()
	var wait time.Duration
	what := "PUBLISH"
	if rate := float64(l.PublishRate); rate > 0 {
		wait = c.publishes.take(1, rate, rate, now)
		what = fmt.Sprintf("the client publishes more than %d messages a second", l.PublishRate)
	}
	if rate := float64(l.ByteRate); rate > 0 {
		if w := c.bytes.take(float64(size), rate, rate, now); w > wait {
			wait, what = w, fmt.Sprintf("the client publishes more than %d bytes a second", l.ByteRate)
		}
	}
	if wait <= 0 {
		return nil
	}
	if c.b.cfg.ThrottleClose {
		return closure{reasonThrottled, codeQuota, what}
	}
	if !c.slowed {
		c.slowed = true
		c.b.log(event.Refused, c.peer, c.sess.id, what+": it is held back, now and whenever it does")
	}
	if err := c.pause(wait); err != nil {
		return err
	}
	// The pause was ours: it must not count as silence of the client's.
	c.lastRead.Store(c.b.cfg.Clock.Now().UnixNano())
	return nil
}
