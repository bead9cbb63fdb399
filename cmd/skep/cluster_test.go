package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The tests of a cluster start three real NATS servers and three skep processes. The server's
// program is named by SKEP_NATS_SERVER; .ci/run installs it.

// process is one that a test can kill.
type process struct {
	cmd *exec.Cmd
	out *lockedBuffer
}

func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, args...), out: &lockedBuffer{}}
	if name == os.Args[0] {
		p.cmd.Args[0] = "skep"
	}
	p.cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_STATE_HOME="+t.TempDir())
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for begin := time.Now(); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatalf("it does not come about that %s", what)
		}
	}
}

// testCluster is three NATS servers and three nodes.
type testCluster struct {
	t      *testing.T
	urls   string
	nats   []*process
	nodes  []*process
	ports  []int // of the nodes: MQTT, HTTPS, 443 of each
	client *tls.Config
	args   [][]string
}

// newTestCluster starts a cluster. part is that of its ports, of which each test has one.
func newTestCluster(t *testing.T, part int, flags ...string) *testCluster {
	t.Helper()
	program := os.Getenv("SKEP_NATS_SERVER")
	if program == "" {
		t.Skip("SKEP_NATS_SERVER does not name a NATS server's program; bash .ci/run cluster installs one")
	}
	c := &testCluster{t: t}
	for pool := newPortPool(part); len(c.ports) < 15; {
		port, err := pool.free()
		if err != nil {
			t.Fatal(err)
		}
		c.ports = append(c.ports, port)
	}
	natsPorts, routes := c.ports[9:12], c.ports[12:15]
	var urls, routeURLs []string
	for i := range 3 {
		urls = append(urls, fmt.Sprintf("nats://127.0.0.1:%d", natsPorts[i]))
		routeURLs = append(routeURLs, fmt.Sprintf("nats://127.0.0.1:%d", routes[i]))
	}
	for i := range 3 {
		c.nats = append(c.nats, start(t, program, "-a", "127.0.0.1", "-p", fmt.Sprint(natsPorts[i]), "-n", fmt.Sprintf("n%d", i), "-js", "-sd", t.TempDir(),
			"--cluster_name", "test", "--cluster", routeURLs[i], "--routes", strings.Join(routeURLs, ",")))
	}
	c.urls = strings.Join(urls, ",")
	eventually(t, "JetStream has a leader", func() bool {
		all := ""
		for _, p := range c.nats {
			all += p.out.String()
		}
		return strings.Contains(all, "JetStream cluster new metadata leader")
	})
	cert, state := t.TempDir(), t.TempDir()
	if out, err := exec.Command(os.Args[0], "-test.run=^$").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	in := start(t, os.Args[0], "cloud", "init", cert, "--state", state)
	in.cmd.Wait()
	c.client = clientConfig(t, cert, in.out.String())
	for i := range 3 {
		if i > 0 {
			state = t.TempDir()
		}
		c.args = append(c.args, append([]string{"cloud", "--state", state, "--mqtt", fmt.Sprint(c.ports[3*i]), "--https", fmt.Sprint(c.ports[3*i+1]), "--port-443", fmt.Sprint(c.ports[3*i+2]),
			"--nats", c.urls}, flags...))
		c.nodes = append(c.nodes, nil)
		c.startNode(i)
	}
	for i, p := range c.nodes {
		eventually(t, fmt.Sprintf("node %d knows two others", i), func() bool { return strings.Count(p.out.String(), "is there\n") >= 2 })
	}
	return c
}

func (c *testCluster) startNode(i int) {
	c.t.Helper()
	p := start(c.t, os.Args[0], c.args[i]...)
	c.nodes[i] = p
	c.t.Cleanup(func() {
		if c.t.Failed() {
			c.t.Logf("node %d: %s", i, p.out)
		}
	})
	for begin := time.Now(); !strings.Contains(p.out.String(), "AWS IoT on "); time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > 2*time.Minute { // joining may take one
			c.t.Fatalf("node %d does not serve; it says %s", i, p.out)
		}
	}
}

func clientConfig(t *testing.T, dir, said string) *tls.Config {
	t.Helper()
	ca, err := os.ReadFile(filepath.Join(dir, "aws.ca"))
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "aws.crt"), filepath.Join(dir, "aws.key"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, ServerName: "a1-ats.iot.us-east-1.amazonaws.com"}
}

// device is an MQTT client that knows several nodes and notes what it gets.
type device struct {
	mqtt.Client
	t    *testing.T
	mu   sync.Mutex
	got  []string
	lost int
}

func (c *testCluster) device(id string, clean bool, nodes ...int) *device {
	c.t.Helper()
	d := &device{t: c.t}
	o := mqtt.NewClientOptions().SetClientID(id).SetCleanSession(clean).SetTLSConfig(c.client).SetAutoReconnect(true).SetMaxReconnectInterval(500 * time.Millisecond).
		SetConnectRetry(true).SetConnectRetryInterval(300 * time.Millisecond).SetKeepAlive(30 * time.Second).SetOrderMatters(true).SetConnectTimeout(20 * time.Second)
	for _, n := range nodes {
		o.AddBroker(fmt.Sprintf("ssl://127.0.0.1:%d", c.ports[3*n]))
	}
	o.SetConnectionLostHandler(func(mqtt.Client, error) { d.mu.Lock(); d.lost++; d.mu.Unlock() })
	o.SetDefaultPublishHandler(d.note)
	d.Client = mqtt.NewClient(o)
	c.await(d.Connect())
	c.t.Cleanup(func() { d.Disconnect(0) })
	return d
}

func (d *device) note(_ mqtt.Client, m mqtt.Message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.got = append(d.got, m.Topic()+" "+string(m.Payload()))
}

// has says that a message has come.
func (d *device) has(want string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, g := range d.got {
		if strings.HasPrefix(g, want) {
			return true
		}
	}
	return false
}

func (c *testCluster) await(token mqtt.Token) {
	c.t.Helper()
	if !token.WaitTimeout(time.Minute) {
		c.t.Fatal("no answer within a minute")
	}
	if err := token.Error(); err != nil {
		c.t.Fatal(err)
	}
}

func (d *device) subscribe(c *testCluster, filter string) {
	c.t.Helper()
	c.await(d.Client.Subscribe(filter, 1, nil)) // to the default handler, once whatever matches
}

// TestCluster is what nodes share: messages, retained ones, shadows, the registry and sessions.
func TestCluster(t *testing.T) {
	t.Parallel()
	c := newTestCluster(t, 1)
	a, b := c.device("a", true, 0), c.device("b", true, 1)
	b.subscribe(c, "dt/+/x y")
	b.subscribe(c, "dt/#")
	b.subscribe(c, "$aws/things/T/shadow/#")
	c.await(a.Publish("dt/1.2/x y", 1, false, "across"))
	eventually(t, "a message crosses", func() bool { return b.has("dt/1.2/x y across") })
	c.await(a.Publish("$aws/things/T/shadow/update", 1, false, `{"state":{"desired":{"n":1}}}`))
	eventually(t, "a shadow's delta crosses", func() bool { return b.has("$aws/things/T/shadow/update/delta") })
	c.await(a.Publish("status", 1, true, "kept"))
	late := c.device("late", true, 2)
	eventually(t, "a retained message is known everywhere", func() bool {
		late.subscribe(c, "status")
		return late.has("status kept")
	})
	if got := c.shadow(2, "T"); !strings.Contains(got, `"n":1`) {
		t.Errorf("the shadow at node 2: %s", got)
	}

	// a persistent session goes along, with what has come meanwhile
	p := c.device("roamer", false, 0)
	p.subscribe(c, "news/#")
	p.Disconnect(100)
	for i := range 20 {
		c.await(b.Publish("news/x", 1, false, fmt.Sprint("n", i, ".")))
	}
	q := c.device("roamer", false, 2)
	eventually(t, "the queue comes along", func() bool { return q.has("news/x n19.") })
	q.mu.Lock()
	order := slices.Clone(q.got)
	q.mu.Unlock()
	for i := range 20 {
		if i >= len(order) || order[i] != fmt.Sprintf("news/x n%d.", i) {
			t.Fatalf("in the wrong order, or not once each: %q", order)
		}
	}
	// the newer connection wins, also on another node
	c.device("b", true, 2)
	eventually(t, "the older connection is closed", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return b.lost > 0 })
	b.mu.Lock()
	defer b.mu.Unlock()
	copies := 0
	for _, g := range b.got {
		if g == "dt/1.2/x y across" {
			copies++
		}
	}
	if copies != 1 {
		t.Errorf("%d copies for two filters that match, want one, as from one node", copies)
	}
}

// TestClusterInterest publishes at one node as soon as another has confirmed a subscription, again and again: each
// message arrives. NATS itself does not say when its other servers know of a subscription.
func TestClusterInterest(t *testing.T) {
	t.Parallel()
	c := newTestCluster(t, 2)
	nodes := []*device{c.device("at0", true, 0), c.device("at1", true, 1), c.device("at2", true, 2)}
	var waits []time.Duration
	for i := range 300 {
		from, to := nodes[i%3], nodes[(i/3)%3]
		topic := fmt.Sprintf("fresh/%d", i)
		filter := topic
		if i%2 == 1 {
			filter = fmt.Sprintf("$share/g%d/%s", i, topic)
		}
		asked := time.Now()
		to.subscribe(c, filter)
		waits = append(waits, time.Since(asked))
		c.await(from.Publish(topic, 1, false, "now"))
		for begin := time.Now(); !to.has(topic + " now"); time.Sleep(time.Millisecond) {
			if time.Since(begin) > 10*time.Second {
				t.Fatalf("message %d, from node %d to node %d, does not come to %s", i, i%3, (i/3)%3, filter)
			}
		}
		c.await(to.Unsubscribe(filter))
	}
	slices.Sort(waits)
	t.Logf("SUBACK came after %v (median), %v (longest)", waits[len(waits)/2], waits[len(waits)-1])
}

// shadow reads a shadow over HTTPS at a node.
func (c *testCluster) shadow(node int, thing string) string {
	c.t.Helper()
	conf := c.client.Clone()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: conf, DisableKeepAlives: true}, Timeout: time.Minute}
	r, err := client.Get(fmt.Sprintf("https://127.0.0.1:%d/things/%s/shadow", c.ports[3*node+1], thing))
	if err != nil {
		return err.Error()
	}
	defer r.Body.Close()
	body, _ := io.ReadAll(r.Body)
	return string(body)
}

// TestClusterLosesNothing kills a node with a session and its queue, and the NATS server that leads, while a
// publisher publishes: all that was acknowledged arrives.
func TestClusterLosesNothing(t *testing.T) {
	t.Parallel()
	c := newTestCluster(t, 3, "--durable-qos1")
	s := c.device("keeper", false, 0)
	s.subscribe(c, "log/#")
	away := c.device("away", false, 0)
	away.subscribe(c, "log/#")
	away.Disconnect(100)
	p := c.device("publisher", true, 1)
	const total = 300
	waits := map[string]time.Duration{}
	phase := "nothing died"
	for i := range total {
		switch i {
		case total / 3:
			phase = "a node died"
			c.nodes[0].kill()
			s.Disconnect(0)
		case 2 * total / 3:
			phase = "the leader of the stream died"
			c.leader().kill()
		}
		begin := time.Now()
		c.await(p.Publish("log/x", 1, false, fmt.Sprint("m", i, ".")))
		waits[phase] = max(waits[phase], time.Since(begin))
	}
	t.Logf("%d messages acknowledged; the longest wait for one, while %v", total, waits)
	for _, id := range []string{"keeper", "away"} {
		d := c.device(id, false, 2, 1)
		missing := func() (list []int) {
			for i := range total {
				if m := fmt.Sprintf("log/x m%d.", i); !d.has(m) && !(id == "keeper" && s.has(m)) {
					list = append(list, i)
				}
			}
			return list
		}
		for begin := time.Now(); len(missing()) > 0; time.Sleep(50 * time.Millisecond) {
			if time.Since(begin) > 3*time.Minute { // 10 a second are sent again
				t.Fatalf("%s has not got %v\nnode 1: %s\nnode 2: %s", id, missing(), c.nodes[1].out, c.nodes[2].out)
			}
		}
	}
	if got := c.shadow(2, "none"); !strings.Contains(got, "No shadow exists") {
		t.Errorf("shadows after the deaths: %s", got)
	}
}

// TestClusterMoves has a client with a persistent session go from node to node while others publish on all of
// them: it gets all that was acknowledged, though no two nodes are equally far at any moment.
func TestClusterMoves(t *testing.T) {
	t.Parallel()
	c := newTestCluster(t, 4, "--durable-qos1")
	publishers := []*device{c.device("p0", true, 0), c.device("p1", true, 1), c.device("p2", true, 2)}
	d := c.device("mover", false, 0)
	d.subscribe(c, "log/#")
	lives := []*device{d}
	var want []string
	for move := range 9 {
		var tokens []mqtt.Token
		for n, p := range publishers {
			for i := range 6 {
				text := fmt.Sprintf("m%d-%d-%d.", move, n, i)
				want = append(want, "log/x "+text)
				tokens = append(tokens, p.Publish("log/x", 1, false, text))
			}
			if n == 0 {
				d.Disconnect(0)
			}
		}
		d = c.device("mover", false, (move+1)%3)
		lives = append(lives, d)
		for _, token := range tokens {
			c.await(token)
		}
	}
	var missing []string
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		missing = slices.DeleteFunc(slices.Clone(want), func(m string) bool {
			return slices.ContainsFunc(lives, func(d *device) bool { return d.has(m) })
		})
		if len(missing) == 0 {
			return
		}
		if time.Since(begin) > 3*time.Minute { // 10 a second are sent again
			t.Fatalf("of %d messages these are missing: %v", len(want), missing)
		}
	}
}

// leader is the NATS server that leads the stream of QoS 1 messages.
func (c *testCluster) leader() *process {
	c.t.Helper()
	nc, err := nats.Connect(c.urls)
	if err != nil {
		c.t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := js.Stream(ctx, "SKEP_SKEP_QOS1")
	if err != nil {
		c.t.Fatal(err)
	}
	info, err := s.Info(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	for i, p := range c.nats {
		if info.Cluster.Leader == fmt.Sprintf("n%d", i) {
			return p
		}
	}
	c.t.Fatalf("the leader is %q", info.Cluster.Leader)
	return nil
}
