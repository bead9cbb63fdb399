package awsiot

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/skep-sim/skep/internal/awsiot/sigv4"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// listen443 opens what stands on port 443.
func (c *cloud) listen443() string {
	c.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(c.t, err)
	c.Listen443(l)
	return l.Addr().String()
}

// addKey makes an access key with stored policies.
func (c *cloud) addKey(policies ...string) sigv4.Key {
	c.t.Helper()
	k, err := store.NewCredential(nil)
	must(c.t, err)
	k.Policies = policies
	must(c.t, c.store.PutCredential(k))
	return sigv4.Key{ID: k.KeyID, Secret: k.Secret}
}

// anonymous is the TLS configuration of a client without a certificate.
func (c *cloud) anonymous(protocols ...string) *tls.Config {
	cfg := c.tlsConfig(0)
	cfg.Certificates, cfg.NextProtos = nil, protocols
	return cfg
}

// TestALPN: a client certificate and ALPN choose MQTT or HTTPS on one port.
func TestALPN(t *testing.T) {
	c := newCloud(t, nil)
	addr := c.listen443()
	dial := func(cfg *tls.Config) (*client, error) {
		nc, err := tls.Dial("tcp", addr, cfg)
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() { nc.Close() })
		must(t, nc.SetDeadline(time.Now().Add(patience)))
		return newClient(t, nc), nil
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		cfg := c.tlsConfig(0)
		cfg.MaxVersion = version
		cfg.NextProtos = []string{"x-amzn-mqtt-ca"}
		x, err := dial(cfg)
		must(t, err)
		x.write(encode(connectPacket("thing0", options{})))
		if got := x.bytes(4); !bytes.Equal(got, []byte{0x20, 2, 0, 0}) {
			t.Fatalf("CONNACK % x", got)
		}
		x.subscribe(1, "a/b")
		x.publish("a/b", "over 443", 0, false)
		x.expect("a/b over 443")
		x.disconnect()
		cfg = cfg.Clone()
		cfg.NextProtos = []string{"x-amzn-http-ca"}
		x, err = dial(cfg)
		must(t, err)
		x.write([]byte("GET /things/T/shadow HTTP/1.0\r\n\r\n"))
		if got := readAnswer(t, x.r); !strings.HasPrefix(got, "HTTP/1.1 404") {
			t.Fatalf("%s", got)
		}
	}
	// Without a certificate both end in the handshake, which TLS 1.2 tells the client.
	for _, p := range []string{"x-amzn-mqtt-ca", "x-amzn-http-ca"} {
		if _, err := dial(c.anonymous(p)); err == nil {
			t.Errorf("%s without a certificate is let in", p)
		}
	}
	c.said("refused", "no certificate and key configured")
	// What custom authorisers use, and HTTP/2, are not there.
	for _, p := range []string{"mqtt", "h2"} {
		if _, err := dial(c.anonymous(p)); err == nil {
			t.Errorf("ALPN %s is taken", p)
		}
		c.said("refused", `["`+p+`"]`, "x-amzn-mqtt-ca for MQTT")
	}
	if x, err := dial(c.anonymous("h2", "http/1.1")); err != nil || x.conn.(*tls.Conn).ConnectionState().NegotiatedProtocol != "http/1.1" {
		t.Errorf("h2 or http/1.1: %v", err)
	}
}

// TestSession443: a session of a client without a certificate is no way round the certificate.
func TestSession443(t *testing.T) {
	c := newCloud(t, nil)
	addr := c.listen443()
	cache := tls.NewLRUClientSessionCache(1)
	for i, protocols := range [][]string{nil, nil, {"x-amzn-mqtt-ca"}} {
		cfg := c.anonymous(protocols...)
		cfg.ClientSessionCache = cache
		nc, err := tls.Dial("tcp", addr, cfg)
		if i == 2 {
			if err == nil {
				t.Fatal("a resumed session needs no certificate")
			}
			break
		}
		must(t, err)
		if resumed := nc.ConnectionState().DidResume; resumed != (i == 1) {
			t.Fatalf("connection %d resumed: %v", i, resumed)
		}
		nc.Close()
	}
}

// TestSignedREST: HTTPS without a certificate is for those who sign.
func TestSignedREST(t *testing.T) {
	c := newCloud(t, nil)
	addr := c.listen443()
	must(t, c.store.PutPolicy("reader", []byte(`{"Statement":{"Effect":"Allow","Action":"iot:GetThingShadow","Resource":"arn:aws:iot:us-east-1:123456789012:thing/T"}}`)))
	open, reader := c.addKey(OpenPolicy), c.addKey("reader")
	unknown := sigv4.Key{ID: "AKIAAAAAAAAAAAAAAAAA", Secret: "x"}
	web := &http.Client{Transport: &http.Transport{
		TLSClientConfig: c.anonymous(),
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
	}}
	defer web.CloseIdleConnections()
	for _, tt := range []struct {
		name, method, path, body string
		key                      *sigv4.Key
		change                   func(*http.Request)
		status                   int
		says                     []string
	}{
		{"unsigned", "GET", "/things/T/shadow", "", nil, nil, 403, []string{"neither signed", "ALPN x-amzn-mqtt-ca"}},
		{"update", "POST", "/things/T/shadow", `{"state":{"desired":{"a":1}}}`, &open, nil, 200, nil},
		{"get", "GET", "/things/T/shadow", "", &reader, nil, 200, nil},
		{"publish", "POST", "/topics/a%2Fb%20c?qos=1", "x", &open, nil, 200, nil},
		{"publish reserved", "POST", "/topics/%24aws%2Fthings%2FT%2Fshadow%2Fget", "", &open, nil, 200, nil},
		{"policy", "GET", "/things/U/shadow", "", &reader, nil, 403, []string{"key " + reader.ID, "iot:GetThingShadow on thing/U"}},
		{"unknown key", "GET", "/things/T/shadow", "", &unknown, nil, 403, []string{"is not known here: make one with `skep cloud credentials`"}},
		{"another body", "POST", "/things/T/shadow", "{}", &open, func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("{")), 1
		}, 403, []string{"does not match"}},
		{"token", "GET", "/things/T/shadow", "", &sigv4.Key{ID: open.ID, Secret: open.Secret, Token: "t"}, nil, 403, []string{"no temporary keys"}},
		{"another scheme", "GET", "/things/T/shadow", "", nil, func(r *http.Request) { r.Header.Set("Authorization", "Basic eDp5") }, 403, []string{`begins with "Basic"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := http.NewRequest(tt.method, "https://"+endpointATS+tt.path, strings.NewReader(tt.body))
			must(t, err)
			if tt.key != nil {
				must(t, sigv4.Sign(r, []byte(tt.body), *tt.key, "us-east-1", sigv4.ServiceData, time.Now()))
			}
			if tt.change != nil {
				tt.change(r)
			}
			got, err := web.Do(r)
			must(t, err)
			text, err := io.ReadAll(got.Body)
			must(t, err)
			got.Body.Close()
			if got.StatusCode != tt.status {
				t.Errorf("%s: %s", got.Status, text)
			}
			if tt.status == 403 && (got.Header.Get("x-amzn-ErrorType") != "ForbiddenException" || !strings.Contains(string(text), `"message":"Forbidden"`)) {
				t.Errorf("%v %s", got.Header, text)
			}
			if tt.says != nil {
				c.said(append([]string{"refused"}, tt.says...)...)
			}
		})
	}
}

// socket opens MQTT over WebSocket with a signed URL.
func (c *cloud) socket(addr, query string, subprotocols ...string) (*websocket.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, answer, err := websocket.Dial(ctx, "wss://"+endpointATS+"/mqtt?"+query, &websocket.DialOptions{
		Subprotocols: subprotocols,
		HTTPClient: &http.Client{Transport: &http.Transport{
			TLSClientConfig: c.anonymous("http/1.1"),
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, addr)
			},
		}},
	})
	if err != nil {
		return nil, answer, err
	}
	c.t.Cleanup(func() { ws.CloseNow() })
	return ws, answer, nil
}

func presigned(k sigv4.Key, at time.Time) string {
	return sigv4.Presign(endpointATS, "/mqtt", k, "us-east-1", sigv4.ServiceGateway, at, time.Hour)
}

func TestWebSocket(t *testing.T) {
	c := newCloud(t, nil)
	addr := c.listen443()
	key := c.addKey(OpenPolicy)
	connect := func(id string) *client {
		ws, _, err := c.socket(addr, presigned(key, time.Now()), "mqtt")
		must(t, err)
		nc := websocket.NetConn(context.Background(), ws, websocket.MessageBinary)
		must(t, nc.SetDeadline(time.Now().Add(patience)))
		x := newClient(t, nc)
		// A packet may be cut into any messages.
		for _, b := range encode(connectPacket(id, options{})) {
			x.write([]byte{b})
		}
		if got := x.bytes(4); !bytes.Equal(got, []byte{0x20, 2, 0, 0}) {
			t.Fatalf("CONNACK % x", got)
		}
		return x
	}
	device, _ := c.connect(0, "device", options{})
	device.subscribe(1, "from/browser")
	browser := connect("browser")
	browser.subscribe(0, "from/device")
	// Several packets in one message.
	browser.write(append(publishBytes("from/browser", "one", 0, false), publishBytes("from/browser", strings.Repeat("x", 100<<10), 0, false)...))
	device.expect("from/browser one")
	device.expect("from/browser " + strings.Repeat("x", 100<<10))
	device.publish("from/device", "two", 1, false)
	browser.expect("from/device two")
	c.said("connected", `client "browser"`, "key "+key.ID)
	browser.disconnect()
	c.said("disconnected", `client "browser"`, "CLIENT_INITIATED_DISCONNECT")

	// A key that is taken away ends its connections, too.
	browser = connect("browser")
	k := *c.store.Credential(key.ID)
	k.Active = false
	must(t, c.store.PutCredential(k))
	if _, err := io.Copy(io.Discard, browser.r); errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		t.Fatal("the connection stays open")
	}
	c.said("refused", `client "browser"`, "is inactive")
}

// TestWebSocketRefused: who may not come in gets an HTTP answer.
func TestWebSocketRefused(t *testing.T) {
	c := newCloud(t, nil)
	addr := c.listen443()
	key := c.addKey(OpenPolicy)
	wrong := sigv4.Key{ID: key.ID, Secret: "wrong"}
	for _, tt := range []struct {
		name, query string
		protocol    string
		status      int
		says        string
	}{
		{"unsigned", "", "mqtt", 403, "neither signed"},
		{"wrong secret", presigned(wrong, time.Now()), "mqtt", 403, "does not match"},
		{"expired", presigned(key, time.Now().Add(-2*time.Hour)), "mqtt", 403, "was good for 1h0m0s"},
		{"service", sigv4.Presign(endpointATS, "/mqtt", key, "us-east-1", sigv4.ServiceData, time.Now(), time.Hour), "mqtt", 403, "this is iotdevicegateway"},
		{"region", sigv4.Presign(endpointATS, "/mqtt", key, "eu-west-1", sigv4.ServiceGateway, time.Now(), time.Hour), "mqtt", 403, `this is "us-east-1"`},
		{"subprotocol", presigned(key, time.Now()), "chat", 400, "it must offer mqtt"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, answer, err := c.socket(addr, tt.query, tt.protocol)
			if err == nil || answer == nil || answer.StatusCode != tt.status {
				t.Fatalf("%v %v", answer, err)
			}
			c.said("refused", "GET /mqtt", tt.says)
		})
	}
	// Signed, but not a WebSocket.
	nc, err := tls.Dial("tcp", addr, c.anonymous())
	must(t, err)
	defer nc.Close()
	_, err = nc.Write([]byte("GET /mqtt?" + presigned(key, time.Now()) + " HTTP/1.1\r\nHost: " + endpointATS + "\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"))
	must(t, err)
	if got := readAnswer(t, bufio.NewReader(nc)); !strings.HasPrefix(got, "HTTP/1.1 400") {
		t.Error(got)
	}
	// A text message is not MQTT.
	ws, _, err := c.socket(addr, presigned(key, time.Now()), "mqtt")
	must(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	must(t, ws.Write(ctx, websocket.MessageText, encode(connectPacket("text", options{}))))
	if _, _, err := ws.Read(ctx); websocket.CloseStatus(err) != websocket.StatusUnsupportedData {
		t.Errorf("a text message: %v", err)
	}
}
