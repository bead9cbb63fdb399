package broker

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/clock"
)

// discard is the far end of a connection that takes everything and says nothing. ackIDs makes
// it acknowledge.
type discard struct {
	net.Conn
	closed chan struct{}
}

func (d discard) Read([]byte) (int, error) {
	<-d.closed
	return 0, io.EOF
}

func (d discard) Write(b []byte) (int, error)      { return len(b), nil }
func (d discard) Close() error                     { return nil }
func (d discard) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (d discard) SetWriteDeadline(time.Time) error { return nil }

// feed is a connection whose client sends what it is given, and reads nothing.
type feed struct {
	discard
	r io.Reader
}

func (f feed) Read(b []byte) (int, error) { return f.r.Read(b) }

// machineClock is the machine's: a benchmark waits for real.
type machineClock struct{}

func (machineClock) Now() time.Time { return time.Now() }

func (machineClock) AfterFunc(d time.Duration, f func()) clock.Timer { return time.AfterFunc(d, f) }

// BenchmarkPublish reads, routes and writes messages of 256 bytes, without a network: what the
// broker itself costs.
func BenchmarkPublish(b *testing.B) {
	for _, version := range []byte{4, 5} {
		for qos := range byte(2) {
			for _, fan := range []int{1, 10} {
				b.Run(fmt.Sprintf("v%d/qos%d/to%d", version, qos, fan), func(b *testing.B) { benchPublish(b, version, qos, fan) })
			}
		}
	}
}

func benchPublish(b *testing.B, version, qos byte, fan int) {
	r := newRig(b, func(c *Config) {
		c.Log, c.Clock = nil, machineClock{}
		c.Limits.InFlight, c.Limits.QueueMessages, c.Limits.QueueBytes = 1<<20, 1<<20, 1<<30
	})
	done := make(chan struct{})
	b.Cleanup(func() { close(done) })
	serve := func(nc net.Conn) {
		go r.Serve(nc, func() (Peer, error) { return Peer{CertID: "cert"}, nil })
	}
	m := &Message{Topic: "load/1/state", Payload: make([]byte, 256)}
	for i := range fan {
		hello := connectBytes(fmt.Sprint("sub", i), true, 0)
		// QoS 0: a client that acknowledges would be a second load.
		sub := append([]byte{0x82, byte(5 + len(m.Topic)), 0, 1, 0, byte(len(m.Topic))}, append([]byte(m.Topic), 0)...)
		serve(feed{discard{closed: done}, io.MultiReader(bytes.NewReader(append(hello, sub...)), discard{closed: done})})
	}
	r.until("the subscribers", func() bool { return len(r.tree.match(m.Topic, nil, true)) == fan })
	hello, packet := connectBytes("pub", true, 0), appendPublish(nil, m, qos, false, 7)
	if version == 5 {
		hello, packet = []byte(connect5Bytes), appendPublish5(nil, m, qos, false, 7, 0, false, 0)
	}
	b.SetBytes(256)
	b.ReportAllocs()
	b.ResetTimer()
	pipe, end := io.Pipe()
	serve(feed{discard{closed: done}, pipe})
	end.Write(hello)
	batch := bytes.Repeat(packet, 16)
	for n := 0; n < b.N; n += 16 {
		end.Write(batch)
	}
	end.Write([]byte{0xe0, 0})
	r.until("the end", func() bool { c, ok := r.Connection("pub"); return !ok || !c.Connected })
	end.Close()
}

// BenchmarkIdle weighs a connection that is up and says nothing, without TLS and the network:
// bytes of heap and stack.
func BenchmarkIdle(b *testing.B) {
	for _, version := range []byte{4, 5} {
		b.Run(fmt.Sprintf("v%d", version), func(b *testing.B) {
			r := newRig(b, func(c *Config) { c.Log, c.Limits.ConnectTotal = nil, 0 })
			done := make(chan struct{})
			b.Cleanup(func() { close(done) })
			heap, stack := memory()
			for i := range b.N {
				hello := idleHello(version, fmt.Sprintf("device-%07d", i))
				go r.Serve(feed{discard{closed: done}, io.MultiReader(bytes.NewReader(hello), discard{closed: done})},
					func() (Peer, error) { return Peer{CertID: "cert"}, nil })
			}
			r.until("all subscriptions", func() bool { return len(r.tree.match("cmd", nil, true)) == b.N })
			heap2, stack2 := memory()
			b.ReportMetric(float64(heap2-heap)/float64(b.N), "heap-B/conn")
			b.ReportMetric(float64(stack2-stack)/float64(b.N), "stack-B/conn")
		})
	}
}

// idleHello is CONNECT and a SUBSCRIBE to cmd with QoS 1.
func idleHello(version byte, id string) []byte {
	if version == 4 {
		return append(connectBytes(id, true, 0), 0x82, 8, 0, 1, 0, 3, 'c', 'm', 'd', 1)
	}
	b := append([]byte{0x10, byte(13 + len(id)), 0, 4, 'M', 'Q', 'T', 'T', 5, 2, 0, 0, 0, 0, byte(len(id))}, id...)
	return append(b, 0x82, 9, 0, 1, 0, 0, 3, 'c', 'm', 'd', 1)
}

func memory() (heap, stack uint64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, m.StackInuse
}
