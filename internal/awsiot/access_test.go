package awsiot

import (
	"bytes"
	"crypto/tls"
	"strings"
	"testing"
	"time"
)

// TestUnknownCertificates: who is not registered and active does not get past the handshake.
func TestUnknownCertificates(t *testing.T) {
	c := newCloud(t, nil)
	fails := func(cfg *tls.Config, says string) {
		t.Helper()
		nc, err := tls.Dial("tcp", c.mqtt, cfg)
		if err == nil {
			// With TLS 1.3 a client learns of it when it reads.
			must(t, nc.SetDeadline(time.Now().Add(patience)))
			_, err = nc.Read(make([]byte, 1))
			nc.Close()
		}
		if err == nil {
			t.Fatalf("%s: the handshake succeeded", says)
		}
		c.said("refused", "TLS", says)
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		unknown := c.tlsConfig(1)
		unknown.MaxVersion = version
		fails(unknown, "is not registered")
	}
	none := c.tlsConfig(0)
	none.Certificates = nil
	fails(none, "no certificate and key configured")
	old := c.tlsConfig(0)
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	fails(old, "TLS 1.2 is the least")
	distrust := c.tlsConfig(0)
	distrust.RootCAs = nil
	fails(distrust, "aws.ca is not the one")

	// Deactivating ends connections and forbids new ones, resumed TLS sessions included.
	cfg := c.tlsConfig(0)
	cfg.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	nc, err := tls.Dial("tcp", c.mqtt, cfg)
	must(t, err)
	nc.Close()
	x, _ := c.connect(0, "x", options{})
	cert := *c.store.Certificate(testDevice(t, 0).ID)
	cert.Active = false
	must(t, c.store.PutCertificate(cert))
	x.closed()
	c.said("disconnected", `"x"`, "FORBIDDEN_ACCESS")
	fails(cfg, "is not active")
}

// TestPolicyOverMQTT: each action is asked for, and the log names the statement.
func TestPolicyOverMQTT(t *testing.T) {
	const text = `{"Version":"2012-10-17","Statement":[
		{"Sid":"Own","Effect":"Allow","Action":"iot:Connect","Resource":"arn:aws:iot:us-east-1:123456789012:client/${iot:Connection.Thing.ThingName}"},
		{"Effect":"Allow","Action":["iot:Publish","iot:Receive"],"Resource":"arn:aws:iot:us-east-1:123456789012:topic/room*"},
		{"Effect":"Allow","Action":"iot:Subscribe","Resource":"arn:aws:iot:us-east-1:123456789012:topicfilter/room/#"},
		{"Sid":"Not here","Effect":"Deny","Action":"iot:*","Resource":"arn:aws:iot:us-east-1:123456789012:topic/room/secret"}]}`
	c := newCloud(t, nil)
	must(t, c.store.PutPolicy("rooms", []byte(text)))
	c.addDevice(1, "thing1", "rooms")
	boss, _ := c.connect(0, "boss", options{})

	stranger := c.dial(1)
	stranger.write(encode(connectPacket("someone", options{})))
	stranger.closed()
	c.said("refused", `"someone"`, "iot:Connect on client/someone", "no statement allows it", "without a CONNACK")

	x, _ := c.connect(1, "thing1", options{})
	x.subscribe(0, "room/#")
	boss.publish("room/1", "hello", 0, false)
	x.expect("room/1 hello")
	boss.publish("room/secret", "psst", 0, false)
	x.silent()
	c.said("refused", "iot:Receive on topic/room/secret", `explicitly denied by policy "rooms", statement 4 (Sid "Not here")`)
	x.publish("room/2", "x", 1, false)
	x.expect("room/2 x")
	for _, tt := range []struct {
		send []byte
		says string
	}{
		{publishBytes("garden", "x", 0, false), "iot:Publish on topic/garden: no statement allows it"},
		{publishBytes("room/secret", "x", 1, false), "iot:Publish on topic/room/secret: explicitly denied"},
		{publishBytes("room/1", "x", 0, true), "iot:RetainPublish on topic/room/1"},
		{subscribeBytes(0, "room/+"), "iot:Subscribe on topicfilter/room/+"},
	} {
		x, _ := c.connect(1, "thing1", options{})
		x.write(tt.send)
		x.closed()
		c.said("refused", tt.says)
		c.said("disconnected", `"thing1"`, "AUTH_ERROR", tt.says)
	}

	soft := newCloud(t, func(c *Config) { c.RefuseSubscribe = true })
	must(t, soft.store.PutPolicy("rooms", []byte(text)))
	soft.addDevice(1, "thing1", "rooms")
	y, _ := soft.connect(1, "thing1", options{})
	if got := y.subscribe(0, "room/#", "garden"); !bytes.Equal(got, []byte{0, 0x80}) {
		t.Fatalf("SUBACK codes % x", got)
	}

	// A changed policy counts at once for who is connected.
	must(t, c.store.PutPolicy("rooms", []byte(strings.ReplaceAll(text, "topic/room*", "topic/hall*"))))
	z, _ := c.connect(1, "thing1", options{})
	z.subscribe(0, "room/#")
	boss.publish("room/1", "hello", 0, false)
	z.silent()
}
