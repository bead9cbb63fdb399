package awsiot

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/skep-sim/skep/internal/awsiot/identity"
	"github.com/skep-sim/skep/internal/awsiot/shadow"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// TestWithoutSNI: a program that gives each kind of endpoint a listener of its own decides by
// listener what a client that names none has reached.
func TestWithoutSNI(t *testing.T) {
	c := newCloud(t, func(c *Config) {
		c.NoSNI = identity.NoSNIRefuse
		c.ByAddress = map[netip.Addr]identity.Kind{netip.MustParseAddr("127.0.0.1"): identity.ATS}
	})
	chain := func(addr string) int {
		cfg := c.tlsConfig(0)
		cfg.ServerName, cfg.InsecureSkipVerify = "", true
		nc, err := tls.Dial("tcp", addr, cfg)
		if err != nil {
			return 0
		}
		defer nc.Close()
		return len(nc.ConnectionState().PeerCertificates)
	}
	listen := func(n identity.NoSNI) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		c.ListenMQTT(l, WithoutSNI(n))
		return l.Addr().String()
	}
	for _, tt := range []struct {
		addr string
		want int
	}{
		{c.mqtt, 4}, // by the configured address
		{listen(identity.NoSNILegacy), 2},
		{listen(identity.NoSNIATS), 4},
		{listen(identity.NoSNIRefuse), 0},
	} {
		if got := chain(tt.addr); got != tt.want {
			t.Errorf("chain of %d, want %d", got, tt.want)
		}
	}
	c.said("refused", "a TLS hello without an endpoint name (SNI)")
}

func TestClosedServer(t *testing.T) {
	c := newCloud(t, nil)
	s, err := New(c.cfg)
	must(t, err)
	s.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s.ListenMQTT(l) // too late: it is closed at once
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("accepting on a closed server's listener: %v", err)
	}
	if _, err := New(Config{}); err == nil {
		t.Fatal("a Server without state")
	}
}

func TestCloudSide(t *testing.T) {
	c := newCloud(t, nil)
	var refusal *shadow.Error
	if _, err := c.Shadow("T"); !errors.As(err, &refusal) || refusal.Code != 404 {
		t.Errorf("no shadow: %v", err)
	}
	if err := c.DeleteShadow("T"); !errors.As(err, &refusal) || refusal.Code != 404 {
		t.Errorf("no shadow to delete: %v", err)
	}
	for _, err := range []error{
		func() error { _, err := c.UpdateDesired("T", []byte("{")); return err }(),
		func() error { _, err := c.UpdateDesired("T T", []byte("{}")); return err }(),
		func() error { _, err := c.UpdateShadow("T", []byte("{}")); return err }(),
		c.Publish(Message{Topic: "a/+"}),
		c.Publish(Message{Topic: "$aws/events/x"}),
		func() error { _, err := c.Watch("a/#/b"); return err }(),
	} {
		if err == nil {
			t.Error("something impossible was done")
		}
	}
	x, _ := c.connect(0, "x", options{})
	x.subscribe(0, "t")
	must(t, c.Publish(Message{Topic: "t", Payload: []byte("from the cloud"), QoS: 1}))
	x.expect("t from the cloud")
	w, err := c.Watch("up/+")
	must(t, err)
	defer w.Close()
	x.publish("up/1", "from the device", 1, false)
	if m := <-w.C(); m.Topic != "up/1" || string(m.Payload) != "from the device" {
		t.Errorf("got %v", m)
	}
	if !bytes.Equal(c.AWSCA(), c.authority.AWSCA()) {
		t.Error("another root")
	}
}

// TestFirstStart: an empty directory becomes a cloud.
func TestFirstStart(t *testing.T) {
	st, err := store.Open(stateDir(t), store.Options{NoSync: true})
	must(t, err)
	defer st.Close()
	s, err := New(Config{State: st, Clock: realClock{}, Rand: rand.Reader})
	must(t, err)
	defer s.Close()
	if !bytes.Contains(s.AWSCA(), []byte("BEGIN CERTIFICATE")) {
		t.Fatal("no root")
	}
}
