package awsiot

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/sigv4"
)

// ends waits for the server to close a connection. advance, when not nil, makes time pass
// meanwhile.
func ends(t *testing.T, nc net.Conn, advance func()) {
	t.Helper()
	must(t, nc.SetReadDeadline(time.Now().Add(patience)))
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, nc)
		done <- err
	}()
	for {
		select {
		case err := <-done:
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal("the connection stays open")
			}
			return
		case <-time.After(10 * time.Millisecond):
			if advance != nil {
				advance()
			}
		}
	}
}

// TestSlow: on no port does a client that says nothing, or a byte at a time, hold a connection
// for longer than the handshake's deadline. Time passes by hand.
func TestSlow(t *testing.T) {
	m := clock.NewManual(time.Now())
	c := newCloud(t, func(cfg *Config) { cfg.Clock = m })
	ports := map[string]string{"mqtt": c.mqtt, "https": c.https, "443": c.listen443()}
	protocols := map[string][]string{"443": {"x-amzn-mqtt-ca"}}
	second := func() { m.Advance(time.Second) }
	for name, addr := range ports {
		t.Run(name, func(t *testing.T) {
			silent, err := net.Dial("tcp", addr)
			must(t, err)
			defer silent.Close()
			ends(t, silent, second)
			c.said("refused", silent.LocalAddr().String(), "within 10s of the TCP connection")

			// The first bytes of a TLS record, and then one now and again.
			dripping, err := net.Dial("tcp", addr)
			must(t, err)
			defer dripping.Close()
			_, err = dripping.Write([]byte{22, 3, 1, 1, 0, 1})
			must(t, err)
			ends(t, dripping, func() {
				second()
				dripping.Write([]byte{0})
			})
			c.said("refused", dripping.LocalAddr().String(), "within 10s")

			cfg := c.tlsConfig(0)
			cfg.NextProtos = protocols[name]
			shaken, err := tls.Dial("tcp", addr, cfg)
			must(t, err)
			defer shaken.Close()
			ends(t, shaken, second)
			c.said("refused", shaken.LocalAddr().String(), "within 10s")
		})
	}
	// A request whose header never ends, and one whose body does not come.
	for _, begin := range []string{"GET /things/T/shadow HTTP/1.1\r\nX-A: ", "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"} {
		nc, err := tls.Dial("tcp", c.https, c.tlsConfig(0))
		must(t, err)
		defer nc.Close()
		_, err = nc.Write([]byte(begin))
		must(t, err)
		ends(t, nc, second)
	}
	// Half-open: a client that is gone without a word is missed after 1.5 times its keep-alive.
	x, _ := c.connect(0, "halfopen", options{keepAlive: 30})
	ends(t, x.conn, second)
	c.said("disconnected", `"halfopen"`, "MQTT_KEEP_ALIVE_TIMEOUT")
}

// TestGarbage: on no port does anything but the right protocol get anywhere, and the service
// is there afterwards.
func TestGarbage(t *testing.T) {
	c := newCloud(t, nil)
	ports := map[string]string{"mqtt": c.mqtt, "https": c.https, "443": c.listen443()}
	random := make([]byte, 4096)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	pieces := map[string][]byte{
		"random":        random,
		"zeros":         make([]byte, 1<<16),
		"http":          []byte("GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
		"mqtt":          encode(connectPacket("x", options{})),
		"ssh":           []byte("SSH-2.0-OpenSSH_9.2\r\n"),
		"long record":   append([]byte{22, 3, 1, 0xff, 0xff}, random...),
		"alert":         {21, 3, 3, 0, 2, 2, 40},
		"huge publish":  {0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1, 'a'},
		"broken length": {0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"long header":   []byte("GET / HTTP/1.1\r\nX: " + strings.Repeat("y", 64<<10)),
	}
	for name, addr := range ports {
		for kind, b := range pieces {
			t.Run(name+"/"+kind, func(t *testing.T) {
				nc, err := net.Dial("tcp", addr)
				must(t, err)
				defer nc.Close()
				nc.Write(b)
				nc.(*net.TCPConn).CloseWrite()
				ends(t, nc, nil)
				// The same inside TLS.
				tc, err := tls.Dial("tcp", addr, c.tlsConfig(0))
				must(t, err)
				defer tc.Close()
				tc.Write(b)
				tc.CloseWrite()
				ends(t, tc, nil)
			})
		}
	}
	x, _ := c.connect(0, "after", options{})
	x.silent()
	if got := c.request(0, "GET /things/T/shadow HTTP/1.0\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 404") {
		t.Error(got)
	}
}

// TestStorm: fifty clients with certificates of strangers, and fifty without, on all
// ports: those who belong here are served meanwhile.
func TestStorm(t *testing.T) {
	c := newCloud(t, nil)
	ports := []string{c.mqtt, c.https, c.listen443()}
	stranger, nobody := c.tlsConfig(2), c.anonymous("x-amzn-http-ca")
	stranger.NextProtos = []string{"x-amzn-mqtt-ca"}
	var wg sync.WaitGroup
	for i := range 100 {
		cfg := stranger
		if i%2 == 0 {
			cfg = nobody
		}
		wg.Go(func() {
			nc, err := tls.Dial("tcp", ports[i%len(ports)], cfg)
			if err == nil {
				nc.Close()
				t.Error("a stranger is let in")
			}
		})
	}
	for range 3 {
		x, _ := c.connect(0, "mine", options{})
		x.subscribe(1, "a")
		x.publish("a", "b", 0, false)
		x.expect("a b")
		x.disconnect()
	}
	wg.Wait()
	c.said("refused", "is not registered")
	c.said("refused", "no certificate and key configured")
}

// TestTooMany: connections beyond the limit are closed at once, and there is room again when
// one has left.
func TestTooMany(t *testing.T) {
	c := newCloud(t, func(cfg *Config) { cfg.AcceptLimits = &AcceptLimits{Connections: 2} })
	first, _ := c.connect(0, "first", options{})
	second, _ := c.connect(0, "second", options{})
	nc, err := net.Dial("tcp", c.mqtt)
	must(t, err)
	defer nc.Close()
	ends(t, nc, nil)
	c.said("refused", "connections closed at once: 1; 2 are open, the limit")
	first.disconnect()
	for { // until it has left
		nc, err := tls.Dial("tcp", c.mqtt, c.tlsConfig(0))
		if err == nil {
			nc.Close()
			break
		}
	}
	second.silent()
}

// TestRequestsInOne: many requests in one write are answered in order, and a body does not run
// into the next request.
func TestRequestsInOne(t *testing.T) {
	c := newCloud(t, nil)
	nc, err := tls.Dial("tcp", c.https, c.tlsConfig(0))
	must(t, err)
	defer nc.Close()
	must(t, nc.SetDeadline(time.Now().Add(patience)))
	one := "POST /topics/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nGET /GET /things/none/shadow HTTP/1.1\r\nHost: h\r\n\r\n"
	_, err = nc.Write(bytes.Repeat([]byte(one), 20))
	must(t, err)
	r := bufio.NewReader(nc)
	for range 20 {
		for _, want := range []string{"HTTP/1.1 200", "HTTP/1.1 404"} {
			if got := readAnswer(t, r); !strings.HasPrefix(got, want) {
				t.Fatalf("%s, want %s", got, want)
			}
		}
	}
}

// TestReplayedSignature: a signed request of six minutes ago is worth nothing.
func TestReplayedSignature(t *testing.T) {
	m := clock.NewManual(time.Now())
	c := newCloud(t, func(cfg *Config) { cfg.Clock = m })
	addr := c.listen443()
	query := sigv4.Presign(endpointATS, "/things/T/shadow", c.addKey(OpenPolicy), "us-east-1", sigv4.ServiceData, m.Now(), 5*time.Minute)
	for _, want := range []string{"404", "403"} {
		nc, err := tls.Dial("tcp", addr, c.anonymous())
		must(t, err)
		defer nc.Close()
		_, err = nc.Write([]byte("GET /things/T/shadow?" + query + " HTTP/1.1\r\nHost: " + endpointATS + "\r\n\r\n"))
		must(t, err)
		if got := readAnswer(t, bufio.NewReader(nc)); !strings.HasPrefix(got, "HTTP/1.1 "+want) {
			t.Fatalf("%s, want %s", got, want)
		}
		m.Advance(6 * time.Minute)
	}
}
