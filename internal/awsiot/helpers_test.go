package awsiot

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/identity"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// realClock is the machine's clock: tests over real sockets need real waiting.
type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) AfterFunc(d time.Duration, f func()) clock.Timer { return time.AfterFunc(d, f) }

// testAuthority is made once for all tests: its ten keys take a second.
var testAuthority = sync.OnceValues(identity.NewAuthority)

// testDevices are device certificates made once, by number.
var testDevices = sync.OnceValues(func() ([]*identity.Device, error) {
	a, err := testAuthority()
	if err != nil {
		return nil, err
	}
	var out []*identity.Device
	for range 3 {
		d, err := a.IssueDevice()
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
})

// patience is how long a test waits for what must come: much longer than it ever takes.
const patience = time.Minute

const endpointATS = "abcdefg1234567-ats.iot.us-east-1.amazonaws.com"
const endpointLegacy = "abcdefg1234567.iot.us-east-1.amazonaws.com"

// cloud is a Server on loopback ports with its log.
type cloud struct {
	*Server
	t           testing.TB
	store       *store.Store
	mqtt, https string
	mu          sync.Mutex
	events      []event.Event
}

// newCloud starts a Server in memory. device 0 is thing "thing0" with an open policy.
func newCloud(t testing.TB, change func(*Config)) *cloud {
	t.Helper()
	st, err := store.Open("", store.Options{})
	must(t, err)
	a, err := testAuthority()
	must(t, err)
	must(t, st.SetAuthority(a))
	must(t, st.PutPolicy(OpenPolicy, []byte(openPolicy)))
	c := &cloud{t: t, store: st}
	cfg := Config{State: st, Clock: realClock{}, Rand: rand.Reader, Log: c.note}
	limits := broker.DefaultLimits()
	limits.ReplayRate = 0
	cfg.Limits = &limits
	if change != nil {
		change(&cfg)
	}
	if cfg.State != st {
		must(t, st.Close())
		st, c.store = cfg.State, cfg.State
		must(t, st.PutPolicy(OpenPolicy, []byte(openPolicy)))
	}
	c.Server, err = New(cfg)
	must(t, err)
	c.addDevice(0, "thing0", OpenPolicy)
	lm, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	lh, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	c.ListenMQTT(lm)
	c.ListenHTTPS(lh)
	c.mqtt, c.https = lm.Addr().String(), lh.Addr().String()
	t.Cleanup(func() {
		c.Server.Close()
		must(t, st.Close())
	})
	return c
}

func (c *cloud) note(e event.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, e)
}

// said waits for a log line that has all the words.
func (c *cloud) said(words ...string) {
	c.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		c.mu.Lock()
		var all []string
		for _, e := range c.events {
			line := e.String()
			all = append(all, line)
			hit := true
			for _, w := range words {
				hit = hit && strings.Contains(line, w)
			}
			if hit {
				c.mu.Unlock()
				return
			}
		}
		c.mu.Unlock()
		if time.Now().After(deadline) {
			c.t.Fatalf("no log line has all of %q; the log:\n%s", words, strings.Join(all, "\n"))
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func testDevice(t testing.TB, n int) *identity.Device {
	t.Helper()
	devices, err := testDevices()
	must(t, err)
	return devices[n]
}

// addDevice registers certificate n for a thing with stored policies.
func (c *cloud) addDevice(n int, thing string, policies ...string) {
	c.t.Helper()
	d := testDevice(c.t, n)
	if c.store.Thing(thing) == nil {
		must(c.t, c.store.PutThing(store.Thing{Name: thing, Type: "XBee_Cellular", Attributes: map[string]string{"IMEI": "357"}}))
	}
	must(c.t, c.store.PutCertificate(store.Certificate{
		ID: d.ID, PEM: string(d.CertPEM), Active: true, Things: []string{thing}, Policies: policies,
	}))
}

// tlsConfig is what a careful client uses: our root, the endpoint's name, certificate n.
func (c *cloud) tlsConfig(n int) *tls.Config {
	d := testDevice(c.t, n)
	cert, err := tls.X509KeyPair(d.CertPEM, d.KeyPEM)
	must(c.t, err)
	return &tls.Config{RootCAs: c.authority.Pool(), ServerName: endpointATS, Certificates: []tls.Certificate{cert}, MaxVersion: tls.VersionTLS12}
}

// client is a bare MQTT client for tests.
type client struct {
	t     testing.TB
	conn  net.Conn
	r     *bufio.Reader
	aside []early // messages that nobody has asked for yet
}

// dial connects without CONNECT.
func (c *cloud) dial(n int) *client {
	c.t.Helper()
	nc, err := tls.Dial("tcp", c.mqtt, c.tlsConfig(n))
	must(c.t, err)
	c.t.Cleanup(func() { nc.Close() })
	must(c.t, nc.SetDeadline(time.Now().Add(patience)))
	return newClient(c.t, nc)
}

// options are the fields of a CONNECT; the zero value is a clean session.
type options struct {
	persistent bool
	keepAlive  uint16
	will       *broker.Message
}

func connectPacket(id string, o options) *packets.Packet {
	pk := &packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Connect}, ProtocolVersion: 4}
	pk.Connect = packets.ConnectParams{
		ProtocolName: []byte("MQTT"), ClientIdentifier: id, Clean: !o.persistent, Keepalive: o.keepAlive,
	}
	if o.will != nil {
		pk.Connect.WillFlag = true
		pk.Connect.WillTopic, pk.Connect.WillPayload = o.will.Topic, o.will.Payload
		pk.Connect.WillQos, pk.Connect.WillRetain = o.will.QoS, o.will.Retain
	}
	return pk
}

func encode(pk *packets.Packet) []byte {
	var b bytes.Buffer
	var err error
	switch pk.FixedHeader.Type {
	case packets.Connect:
		err = pk.ConnectEncode(&b)
	case packets.Publish:
		err = pk.PublishEncode(&b)
	case packets.Subscribe:
		err = pk.SubscribeEncode(&b)
	case packets.Unsubscribe:
		err = pk.UnsubscribeEncode(&b)
	case packets.Puback:
		err = pk.PubackEncode(&b)
	}
	if err != nil {
		panic(err)
	}
	return b.Bytes()
}

// connect dials and connects, with success.
func (c *cloud) connect(n int, id string, o options) (cl *client, present bool) {
	c.t.Helper()
	cl = c.dial(n)
	cl.write(encode(connectPacket(id, o)))
	got := cl.bytes(4)
	if got[0] != 0x20 || got[1] != 2 || got[3] != 0 {
		c.t.Fatalf("CONNACK of %s is % x", id, got)
	}
	return cl, got[2] == 1
}

func (cl *client) write(b []byte) {
	cl.t.Helper()
	_, err := cl.conn.Write(b)
	must(cl.t, err)
}

func (cl *client) bytes(n int) []byte {
	cl.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(cl.r, b); err != nil {
		cl.t.Fatalf("reading %d bytes: %v", n, err)
	}
	return b
}

func (cl *client) publish(topic, payload string, qos byte, retain bool) {
	cl.t.Helper()
	cl.write(publishBytes(topic, payload, qos, retain))
	if qos == 1 {
		cl.setAside()
		if got := cl.bytes(4); !bytes.Equal(got, []byte{0x40, 2, 0, 7}) {
			cl.t.Fatalf("PUBACK is % x", got)
		}
	}
}

// setAside keeps the messages that come before an answer for message and unacked: nothing says
// which is first.
func (cl *client) setAside() {
	cl.t.Helper()
	for {
		head, err := cl.r.Peek(1)
		must(cl.t, err)
		if head[0]>>4 != packets.Publish {
			return
		}
		m, id := cl.read()
		cl.aside = append(cl.aside, early{m, id})
	}
}

// early is a message that came before somebody asked for it.
type early struct {
	m  broker.Message
	id uint16
}

func publishBytes(topic, payload string, qos byte, retain bool) []byte {
	pk := &packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: qos, Retain: retain}, TopicName: topic, Payload: []byte(payload)}
	if qos > 0 {
		pk.PacketID = 7
	}
	return encode(pk)
}

func subscribeBytes(qos byte, filters ...string) []byte {
	pk := &packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 9}
	for _, f := range filters {
		pk.Filters = append(pk.Filters, packets.Subscription{Filter: f, Qos: qos})
	}
	return encode(pk)
}

// subscribe subscribes and gives the SUBACK's codes.
func (cl *client) subscribe(qos byte, filters ...string) []byte {
	cl.t.Helper()
	cl.write(subscribeBytes(qos, filters...))
	cl.setAside()
	got := cl.bytes(4 + len(filters))
	if got[0] != 0x90 || int(got[1]) != 2+len(filters) || got[2] != 0 || got[3] != 9 {
		cl.t.Fatalf("SUBACK is % x", got)
	}
	return got[4:]
}

// message reads one PUBLISH and acknowledges it.
func (cl *client) message() broker.Message {
	cl.t.Helper()
	m, id := cl.unacked()
	if m.QoS == 1 {
		cl.puback(id)
	}
	return m
}

func (cl *client) puback(id uint16) {
	cl.t.Helper()
	cl.write([]byte{0x40, 2, byte(id >> 8), byte(id)})
}

// unacked gives the next PUBLISH.
func (cl *client) unacked() (broker.Message, uint16) {
	cl.t.Helper()
	if len(cl.aside) > 0 {
		e := cl.aside[0]
		cl.aside = cl.aside[1:]
		return e.m, e.id
	}
	return cl.read()
}

// read reads one PUBLISH.
func (cl *client) read() (broker.Message, uint16) {
	cl.t.Helper()
	head := cl.bytes(1)[0]
	n, _, err := packets.DecodeLength(cl.r)
	must(cl.t, err)
	body := cl.bytes(n)
	pk := &packets.Packet{}
	must(cl.t, pk.FixedHeader.Decode(head))
	if pk.FixedHeader.Type != packets.Publish {
		cl.t.Fatalf("packet type %d, not PUBLISH: % x", pk.FixedHeader.Type, body)
	}
	must(cl.t, pk.PublishDecode(body))
	if pk.FixedHeader.Dup {
		cl.t.Fatalf("DUP is set on %s", pk.TopicName)
	}
	return broker.Message{Topic: pk.TopicName, Payload: pk.Payload, QoS: pk.FixedHeader.Qos, Retain: pk.FixedHeader.Retain}, pk.PacketID
}

// expect reads a message and compares it with "topic payload".
func (cl *client) expect(want string) {
	cl.t.Helper()
	m := cl.message()
	if got := m.Topic + " " + string(m.Payload); got != want {
		cl.t.Fatalf("got message %q, want %q", got, want)
	}
}

// silent makes sure that nothing is on the way: a PINGREQ is answered first.
func (cl *client) silent() {
	cl.t.Helper()
	cl.write([]byte{0xc0, 0})
	if got := cl.bytes(2); got[0] != 0xd0 {
		rest := make([]byte, 200)
		n, _ := cl.r.Read(rest)
		cl.t.Fatalf("expected silence, got % x %q", got, rest[:n])
	}
}

// closed waits for the server to close without a further byte.
func (cl *client) closed() {
	cl.t.Helper()
	rest, err := io.ReadAll(cl.r)
	if len(rest) > 0 {
		cl.t.Fatalf("got % x before the close", rest)
	}
	if ne, ok := err.(net.Error); ok && ne.Timeout() {
		cl.t.Fatal("the server did not close the connection")
	}
}

func (cl *client) disconnect() {
	cl.write([]byte{0xe0, 0})
	cl.closed()
}

// get makes one HTTPS request over a connection of its own and gives the whole answer.
func (c *cloud) request(n int, text string) string {
	c.t.Helper()
	nc, err := tls.Dial("tcp", c.https, c.tlsConfig(n))
	must(c.t, err)
	defer nc.Close()
	must(c.t, nc.SetDeadline(time.Now().Add(patience)))
	_, err = nc.Write([]byte(text))
	must(c.t, err)
	return readAnswer(c.t, bufio.NewReader(nc))
}

// readAnswer reads one HTTP answer by its content-length.
func readAnswer(t testing.TB, r *bufio.Reader) string {
	t.Helper()
	var b strings.Builder
	length := 0
	for {
		line, err := r.ReadString('\n')
		must(t, err)
		b.WriteString(line)
		fmt.Sscanf(line, "content-length: %d", &length)
		if line == "\r\n" {
			break
		}
	}
	body := make([]byte, length)
	_, err := io.ReadFull(r, body)
	must(t, err)
	return b.String() + string(body)
}

func stateDir(t testing.TB) string { return filepath.Join(t.TempDir(), "cloud") }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newClient(t testing.TB, nc net.Conn) *client {
	return &client{t: t, conn: nc, r: bufio.NewReader(nc)}
}
