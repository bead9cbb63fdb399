package awsiot

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/store"
)

// TestNoGoroutinesLeft: a Server that is closed leaves nothing running, whatever its clients do.
func TestNoGoroutinesLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("server", func(t *testing.T) {
		c := newCloud(t, nil)
		for i := range 5 {
			x, _ := c.connect(0, fmt.Sprint("c", i), options{persistent: i%2 == 0})
			x.subscribe(1, "t/#", "$aws/things/T/shadow/#")
			x.publish("$aws/things/T/shadow/update", `{"state":{"reported":{"a":1}}}`, 0, false)
		}
		nc, err := tls.Dial("tcp", c.https, c.tlsConfig(0))
		must(t, err)
		t.Cleanup(func() { nc.Close() })
		raw, err := net.Dial("tcp", c.mqtt) // never says a word
		must(t, err)
		t.Cleanup(func() { raw.Close() })
	})
	for end := time.Now().Add(patience); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines before, %d after\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
		}
	}
}

// TestShadowOverload: more than ten requests of a connection under way get 429.
func TestShadowOverload(t *testing.T) {
	c := newCloud(t, nil)
	x, _ := c.connect(0, "x", options{})
	x.subscribe(0, "$aws/things/thing0/shadow/get/rejected")
	// While the store is held back, nothing is answered.
	hold := make(chan struct{})
	c.store.Barrier(func(error) { <-hold })
	get := publishBytes("$aws/things/thing0/shadow/get", "", 0, false)
	x.write(bytes.Repeat(get, 12))
	for range 2 {
		if m := x.message(); !strings.Contains(string(m.Payload), `"code":429,"message":"Too many requests"`) {
			t.Fatalf("got %s", m.Payload)
		}
	}
	close(hold)
	for range 10 {
		if m := x.message(); !strings.Contains(string(m.Payload), `"code":404`) {
			t.Fatalf("got %s", m.Payload)
		}
	}
	x.write(get)
	x.message()
	x.silent()
}

// BenchmarkMessages sends 256 bytes through TLS from one client to another.
func BenchmarkMessages(b *testing.B) {
	for qos := range byte(2) {
		b.Run(fmt.Sprintf("qos%d", qos), func(b *testing.B) {
			c := newCloud(b, func(c *Config) { c.Limits.PublishRate, c.Limits.ByteRate = 0, 0 })
			sub, _ := c.connect(0, "sub", options{})
			sub.subscribe(qos, "t")
			pub, _ := c.connect(0, "pub", options{})
			must(b, pub.conn.SetDeadline(time.Time{}))
			must(b, sub.conn.SetDeadline(time.Time{}))
			packet := publishBytes("t", strings.Repeat("x", 256), qos, false)
			batch := bytes.Repeat(packet, 16)
			b.SetBytes(256)
			b.ResetTimer()
			// A window of sixteen at a time, so that nothing is dropped.
			for n := 0; n < b.N; n += 16 {
				_, err := pub.conn.Write(batch)
				must(b, err)
				for range 16 {
					m, id := sub.unacked()
					if m.QoS == 1 {
						sub.puback(id)
					}
				}
				if qos == 1 {
					_, err = io.CopyN(io.Discard, pub.r, 4*16)
					must(b, err)
				}
			}
		})
	}
}

// BenchmarkShadowUpdate updates shadows of many things from the cloud side.
func BenchmarkShadowUpdate(b *testing.B) {
	for _, kind := range []string{"memory", "disk"} {
		b.Run(kind, func(b *testing.B) {
			c := newCloud(b, func(c *Config) {
				if kind == "memory" {
					return
				}
				st, err := store.Open(stateDir(b), store.Options{NoSync: true})
				must(b, err)
				b.Cleanup(func() { st.Close() })
				a, err := testAuthority()
				must(b, err)
				must(b, st.SetAuthority(a))
				c.State = st
			})
			var wg sync.WaitGroup
			const workers = 50
			b.ResetTimer()
			for w := range workers {
				wg.Go(func() {
					thing := fmt.Sprint("t", w)
					for i := range b.N/workers + 1 {
						if _, err := c.UpdateShadow(thing, fmt.Appendf(nil, `{"state":{"desired":{"a":%d},"reported":{"t":21.5}}}`, i)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// BenchmarkConnect is a TLS 1.2 handshake with RSA keys on both sides, CONNECT and DISCONNECT;
// client and server are both counted.
func BenchmarkConnect(b *testing.B) {
	c := newCloud(b, nil)
	for b.Loop() {
		x, _ := c.connect(0, "c", options{})
		x.disconnect()
		x.conn.Close()
	}
}
