package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// client is a bare MQTT 3.1.1 client, as cheap as can be: what it costs is taken from
// the brokers.
type client struct {
	conn *tls.Conn
	r    *bufio.Reader
	body []byte
}

// patience is how long a client waits for an answer.
const patience = time.Minute

// dial connects as id with a clean session.
func dial(addr string, config *tls.Config, id string) (*client, error) {
	nc, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", addr, config)
	if err != nil {
		return nil, err
	}
	c := &client{conn: nc, r: bufio.NewReaderSize(nc, 1024)}
	nc.SetDeadline(time.Now().Add(patience))
	b := []byte{0x10, byte(12 + len(id)), 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 4, 0xb0, 0, byte(len(id))}
	if _, err := nc.Write(append(b, id...)); err != nil {
		return nil, err
	}
	head, body, err := c.packet()
	if err == nil && (head != 0x20 || body[1] != 0) {
		err = fmt.Errorf("the answer is %x %x", head, body)
	}
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("CONNECT of %s: %w", id, err)
	}
	nc.SetDeadline(time.Time{})
	return c, nil
}

// packet reads one packet; body is good until the next.
func (c *client) packet() (head byte, body []byte, err error) {
	if head, err = c.r.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(c.r) // the same code as MQTT's remaining length
	if err != nil {
		return 0, nil, err
	}
	if uint64(cap(c.body)) < n {
		c.body = make([]byte, n)
	}
	body = c.body[:n]
	_, err = io.ReadFull(c.r, body)
	return head, body, err
}

func (c *client) subscribe(qos byte, filters ...string) error {
	b := []byte{0, 1}
	for _, f := range filters {
		b = append(b, 0, byte(len(f)))
		b = append(append(b, f...), qos)
	}
	head := binary.AppendUvarint([]byte{0x82}, uint64(len(b)))
	if _, err := c.conn.Write(append(head, b...)); err != nil {
		return err
	}
	h, body, err := c.packet()
	if err != nil {
		return err
	}
	if h != 0x90 || !bytes.Equal(body[2:], bytes.Repeat([]byte{qos}, len(filters))) {
		return fmt.Errorf("SUBSCRIBE to %q: %x %x", filters, h, body)
	}
	return nil
}

// ping waits for the answer to a PINGREQ.
func (c *client) ping() error {
	c.conn.SetDeadline(time.Now().Add(patience))
	defer c.conn.SetDeadline(time.Time{})
	if _, err := c.conn.Write([]byte{0xc0, 0}); err != nil {
		return err
	}
	head, _, err := c.packet()
	if err == nil && head != 0xd0 {
		err = fmt.Errorf("the answer to PINGREQ is %x", head)
	}
	return err
}

func publishPacket(topic string, payload []byte, qos byte, id uint16) []byte {
	n := 2 + len(topic) + len(payload) + 2*int(qos)
	b := binary.AppendUvarint([]byte{0x30 | qos<<1}, uint64(n))
	b = append(append(b, 0, byte(len(topic))), topic...)
	if qos > 0 {
		b = binary.BigEndian.AppendUint16(b, id)
	}
	return append(b, payload...)
}

// load is pairs of a publisher and a subscriber, each pair with a window of messages
// under way.
type load struct {
	o     options
	qos   byte
	pubs  []*client
	subs  []*client
	total []atomic.Int64 // messages that arrived, by pair
	ended atomic.Bool
	wg    sync.WaitGroup

	mu     sync.Mutex
	failed error
}

func newLoad(b *process, o options, qos byte) (*load, error) {
	l := &load{o: o, qos: qos, total: make([]atomic.Int64, o.pairs)}
	for i := range o.pairs {
		sub, err := dial(b.Addr, b.tls, fmt.Sprint("sub-", i))
		if err != nil {
			return nil, err
		}
		l.subs = append(l.subs, sub)
		if err := sub.subscribe(qos, topic(i)); err != nil {
			return nil, err
		}
		pub, err := dial(b.Addr, b.tls, fmt.Sprint("pub-", i))
		if err != nil {
			return nil, err
		}
		l.pubs = append(l.pubs, pub)
	}
	return l, nil
}

func topic(pair int) string { return fmt.Sprint("load/", pair, "/data") }

func (l *load) start() {
	for i := range l.pubs {
		arrived, acked := make(chan struct{}, l.o.window), make(chan struct{}, l.o.window)
		for range l.o.window {
			arrived <- struct{}{}
			acked <- struct{}{}
		}
		l.wg.Go(func() { l.fail(l.publish(i, arrived, acked)) })
		l.wg.Go(func() { l.fail(l.receive(i, arrived)) })
		if l.qos > 0 {
			l.wg.Go(func() { l.fail(l.acknowledged(i, acked)) })
		}
	}
}

func (l *load) fail(err error) {
	if l.ended.Load() {
		return // closing made it
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = errors.Join(l.failed, err)
}

// publish sends while fewer than a window of messages are under way: neither arrived
// nor, with QoS 1, acknowledged.
func (l *load) publish(pair int, arrived, acked <-chan struct{}) error {
	packet := publishPacket(topic(pair), bytes.Repeat([]byte("x"), l.o.size), l.qos, 1)
	at := bytes.Index(packet, []byte("/data")) + len("/data")
	for id := uint16(1); ; id = id%1000 + 1 {
		if _, ok := <-arrived; !ok {
			return nil
		}
		if l.qos > 0 {
			if _, ok := <-acked; !ok {
				return nil
			}
			binary.BigEndian.PutUint16(packet[at:], id)
		}
		if _, err := l.pubs[pair].conn.Write(packet); err != nil {
			return err
		}
	}
}

func (l *load) receive(pair int, arrived chan<- struct{}) error {
	defer close(arrived)
	c, at := l.subs[pair], 2+len(topic(pair))
	for {
		head, body, err := c.packet()
		if err != nil {
			return err
		}
		if head&0xf0 != 0x30 {
			return fmt.Errorf("packet %x", head)
		}
		if l.qos > 0 {
			if _, err := c.conn.Write([]byte{0x40, 2, body[at], body[at+1]}); err != nil {
				return err
			}
		}
		l.total[pair].Add(1)
		arrived <- struct{}{}
	}
}

func (l *load) acknowledged(pair int, acked chan<- struct{}) error {
	defer close(acked)
	for {
		head, _, err := l.pubs[pair].packet()
		if err != nil {
			return err
		}
		if head != 0x40 {
			return fmt.Errorf("packet %x", head)
		}
		acked <- struct{}{}
	}
}

// count is how many messages have arrived.
func (l *load) count() (n int64) {
	for i := range l.total {
		n += l.total[i].Load()
	}
	return n
}

// stop ends the load; the error is what went wrong before.
func (l *load) stop() error {
	l.ended.Store(true)
	l.close()
	l.wg.Wait()
	return l.failed
}

func (l *load) close() {
	closeAll(append(append([]*client{}, l.pubs...), l.subs...))
}

// measureShadows gives the microseconds of CPU that a shadow update costs our broker,
// and how many there were in a second.
func measureShadows(state string, o options) (cost, rate float64, err error) {
	b, err := start(state, o.profile)
	if err != nil {
		return 0, 0, err
	}
	defer b.stop()
	var clients []*client
	defer func() { closeAll(clients) }()
	var n atomic.Int64
	failures := make(chan error, o.pairs)
	for i := range o.pairs {
		c, err := dial(b.Addr, b.tls, fmt.Sprint("thing", i))
		if err != nil {
			return 0, 0, err
		}
		clients = append(clients, c)
		base := fmt.Sprintf("$aws/things/thing%d/shadow/update", i)
		if err := c.subscribe(0, base+"/accepted", base+"/delta"); err != nil {
			return 0, 0, err
		}
		go func() {
			failures <- c.update(base, func() { n.Add(1) })
		}()
	}
	time.Sleep(o.time / 5)
	cpu, count, begin := b.cpu(), n.Load(), time.Now()
	time.Sleep(o.time)
	cpu, count = b.cpu()-cpu, n.Load()-count
	rate = float64(count) / time.Since(begin).Seconds()
	select {
	case err := <-failures:
		return 0, 0, err
	default:
	}
	if count == 0 {
		return 0, 0, errors.New("no update went through")
	}
	return float64(cpu.Microseconds()) / float64(count), rate, nil
}

// update reports one value after another, and waits for accepted and delta each time.
func (c *client) update(topic string, done func()) error {
	for i := 0; ; i++ {
		request := fmt.Appendf(nil, `{"state":{"desired":{"interval":60},"reported":{"temperature":%d.5,"interval":30,"battery":%d}}}`, i%100, i)
		if _, err := c.conn.Write(publishPacket(topic, request, 0, 0)); err != nil {
			return err
		}
		for range 2 {
			head, body, err := c.packet()
			if err == nil && head&0xf0 != 0x30 {
				err = fmt.Errorf("packet %x %.80s", head, body)
			}
			if err != nil {
				return err
			}
		}
		done()
	}
}
