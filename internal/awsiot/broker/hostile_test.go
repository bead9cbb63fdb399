package broker

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestPromises: who promises long packets and sends little of them costs little.
func TestPromises(t *testing.T) {
	r := newRig(t, nil)
	const n = 50
	for i := range n {
		c := r.connect(fmt.Sprint("c", i), true, 0)
		r.write(c, append(binary.AppendUvarint([]byte{0x30}, 190<<10), 0, 1, 'a'))
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if limit := uint64(n * 190 << 10); m.HeapInuse > limit {
		t.Errorf("%d connections that promised %d bytes each hold %d bytes", n, 190<<10, m.HeapInuse)
	}
}

// TestSlowLoris: a packet that trickles in does not keep a connection alive.
func TestSlowLoris(t *testing.T) {
	r := newRig(t, nil)
	c := r.connect("c", true, 30)
	r.write(c, []byte{0x30, 100})
	r.idle()
	for range 4 {
		r.write(c, []byte{'x'})
		r.clock.Advance(10 * time.Second)
	}
	r.clock.Advance(10 * time.Second)
	r.closed(c)
	r.said("MQTT_KEEP_ALIVE_TIMEOUT")
}

// TestSubscribeFlood: a client that subscribes without end and reads nothing is held back, has
// no more than its subscriptions, and leaves nothing behind.
func TestSubscribeFlood(t *testing.T) {
	r := newRig(t, nil)
	c := r.connect("c", true, 0)
	sent := make(chan int)
	go func() {
		n := 0
		for i := range 1 << 20 {
			filter := fmt.Sprintf("flood/%d", i)
			b := append([]byte{0x82, byte(5 + len(filter)), 0, 1, 0, byte(len(filter))}, filter...)
			if _, err := c.Write(append(b, 0)); err != nil {
				break
			}
			n++
		}
		sent <- n
	}()
	r.said("has 50 subscriptions, the limit")
	r.until("the writer's write", func() bool {
		r.Broker.mu.Lock()
		defer r.Broker.mu.Unlock()
		for c := range r.conns {
			return c.writing.Load() != 0
		}
		return false
	})
	// The client is closed as one that does not read.
	r.clock.Advance(32 * time.Second)
	if n := <-sent; n >= 1<<20 {
		t.Errorf("%d SUBSCRIBEs went in unread", n)
	}
	r.until("the end", func() bool { return r.count() == 0 })
	if left := r.Filters(); len(left) > 0 {
		t.Errorf("%d filters are left", len(left))
	}
}

// TestStorm: many clients at once that connect, say anything, and go, while others talk: the
// others hear each other, and nothing is left in the end.
func TestStorm(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.ConnectTotal = 0 })
	w, err := r.Watch("calm/#")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(i), 1))
			c := r.pipe()
			defer c.Close()
			go io.Copy(io.Discard, c)
			if i%2 == 0 {
				hello := connectBytes(fmt.Sprint("storm", i%8), i%4 == 0, 0)
				if i%3 == 0 {
					hello = []byte(connect5Bytes)
				}
				if _, err := c.Write(hello); err != nil {
					return
				}
			}
			for range 30 {
				b := make([]byte, 1+rnd.IntN(60))
				for k := range b {
					b[k] = byte(rnd.IntN(256))
				}
				if rnd.IntN(2) == 0 {
					b = append([]byte{0x32, 9, 0, 3, 'a', '/', 'b', 0, 1}, "hi"...)
				}
				if _, err := c.Write(b); err != nil {
					return
				}
			}
		})
	}
	pub := r.connect("calm", true, 0)
	for i := range 200 {
		b := appendPublish(nil, &Message{Topic: "calm/1", Payload: []byte{byte(i)}}, 1, false, 1)
		r.write(pub, b)
		if got := r.read(pub, 4); !bytes.Equal(got, []byte{0x40, 2, 0, 1}) {
			t.Fatalf("PUBACK % x", got)
		}
	}
	wg.Wait()
	for i := range 200 {
		if m := <-w.C(); m.Payload[0] != byte(i) {
			t.Fatalf("message %d is %d", i, m.Payload[0])
		}
	}
	r.until("the end of all but one", func() bool { return r.count() == 1 })
}

// TestRefusalsAreSaid: every limit that closes or refuses says which one, to whom, in one line.
func TestRefusalsAreSaid(t *testing.T) {
	r := newRig(t, func(c *Config) {
		c.Limits.PublishRate, c.Limits.ByteRate, c.Limits.ConnectTotal = 2, 100, 3
	})
	c := r.connect("fast", true, 0)
	go func() {
		for range 3 {
			c.Write(appendPublish(nil, &Message{Topic: "t"}, 0, false, 0))
		}
	}()
	r.said("the client publishes more than 2 messages a second: it is held back")
	big := r.connect("big", true, 0)
	go big.Write(appendPublish(nil, &Message{Topic: "t", Payload: make([]byte, 200)}, 0, false, 0))
	r.said("the client publishes more than 100 bytes a second: it is held back")
	r.connect("third", true, 0)
	late := r.pipe()
	r.write(late, connectBytes("late", true, 0))
	r.closed(late)
	r.said("more than 3 clients connect in a second")
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range r.lines {
		if strings.HasPrefix(line, "refused") && (!strings.Contains(line, "client ") || !strings.Contains(line, "cert ") || strings.Contains(line, "\n")) {
			t.Errorf("a refusal does not say whose: %s", line)
		}
	}
}
