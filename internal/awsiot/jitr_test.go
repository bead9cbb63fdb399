package awsiot

import (
	"crypto/tls"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/control"
	"github.com/skep-sim/skep/internal/awsiot/identity"
)

// filesOf is the TLS configuration of a client with the files in dir.
func (c *cloud) filesOf(dir string) *tls.Config {
	c.t.Helper()
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "aws.crt"), filepath.Join(dir, "aws.key"))
	must(c.t, err)
	return &tls.Config{RootCAs: c.authority.Pool(), ServerName: endpointATS, Certificates: []tls.Certificate{cert}}
}

// refusedTLS tries a handshake that the server must refuse, saying all the words.
func (c *cloud) refusedTLS(cfg *tls.Config, words ...string) {
	c.t.Helper()
	nc, err := tls.Dial("tcp", c.mqtt, cfg)
	if err == nil { // TLS 1.3: the client is told after its own end is done
		must(c.t, nc.SetDeadline(time.Now().Add(patience)))
		_, err = nc.Read(make([]byte, 1))
		nc.Close()
	}
	if err == nil {
		c.t.Fatalf("the handshake succeeded, want %q", words)
	}
	c.said(append([]string{"refused", "TLS"}, words...)...)
}

// enters makes an MQTT connection with the files in dir.
func (c *cloud) enters(cfg *tls.Config, id string) *client {
	c.t.Helper()
	nc, err := tls.Dial("tcp", c.mqtt, cfg)
	must(c.t, err)
	c.t.Cleanup(func() { nc.Close() })
	must(c.t, nc.SetDeadline(time.Now().Add(patience)))
	cl := newClient(c.t, nc)
	cl.write(encode(connectPacket(id, options{})))
	if got := cl.bytes(4); got[0] != 0x20 || got[3] != 0 {
		c.t.Fatalf("CONNACK of %s is % x", id, got)
	}
	return cl
}

// TestJustInTime: a device certificate of a registered CA registers itself, an event says so, and
// it gets in once it is active and has a policy.
func TestJustInTime(t *testing.T) {
	c := newCloud(t, nil)
	plane := c.Control()
	ca, files, err := plane.CreateCA(t.TempDir(), "Factory", false, true)
	must(t, err)
	caCert, err := os.ReadFile(files[0])
	must(t, err)
	caKey, err := os.ReadFile(files[1])
	must(t, err)
	device := func(q control.NewCertificate) *tls.Config {
		t.Helper()
		q.Dir, q.CACert, q.CAKey, q.Unregistered = t.TempDir(), caCert, caKey, true
		_, err := plane.CreateCertificate(q)
		must(t, err)
		return c.filesOf(q.Dir)
	}
	cfg := device(control.NewCertificate{EC: true})
	id := identity.Fingerprint(cfg.Certificates[0].Certificate[0])

	alone := cfg.Clone()
	alone.Certificates = []tls.Certificate{cfg.Certificates[0]}
	alone.Certificates[0].Certificate = alone.Certificates[0].Certificate[:1]
	c.refusedTLS(alone, id[:10], "did not send that CA's certificate")
	off, on := false, true
	_, err = plane.UpdateCA(ca.ID, nil, &off)
	must(t, err)
	c.refusedTLS(cfg, "has no automatic registration")
	_, err = plane.UpdateCA(ca.ID, &off, &on)
	must(t, err)
	c.refusedTLS(cfg, "is inactive")
	_, err = plane.UpdateCA(ca.ID, &on, nil)
	must(t, err)
	if c.store.Certificate(id) != nil {
		t.Fatal("it was registered by a refusal")
	}

	w, err := c.Watch("$aws/events/certificates/registered/#")
	must(t, err)
	defer w.Close()
	c.refusedTLS(cfg, "has registered itself and waits", "skep cloud cert activate "+id[:10])
	m := <-w.C()
	var event struct {
		CertificateID, CACertificateID, CertificateStatus, AWSAccountID, CertificateRegistrationTimestamp string
		Timestamp                                                                                         int64
	}
	must(t, json.Unmarshal(m.Payload, &event))
	if m.Topic != "$aws/events/certificates/registered/"+ca.ID || event.CertificateID != id || event.CACertificateID != ca.ID ||
		event.CertificateStatus != "PENDING_ACTIVATION" || event.Timestamp == 0 || len(event.AWSAccountID) != 12 {
		t.Errorf("%s %s", m.Topic, m.Payload)
	}
	c.refusedTLS(cfg, "is not active (PENDING_ACTIVATION)")
	_, was, err := plane.SetStatus(id, "ACTIVE")
	if err != nil || was != "PENDING_ACTIVATION" {
		t.Fatal(was, err)
	}
	must(t, plane.AttachPolicy(OpenPolicy, id, false))
	x := c.enters(cfg, "x")

	// It gets no further than its validity, and never did before it.
	c.refusedTLS(device(control.NewCertificate{EC: true, NotAfter: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}), "it is expired: 2015-01-01 to 2020-01-01")
	c.refusedTLS(device(control.NewCertificate{EC: true, NotBefore: time.Date(2048, 1, 1, 0, 0, 0, 0, time.UTC)}), "it is not yet valid: 2048-01-01")

	// Revoking and deleting end connections.
	_, _, err = plane.SetStatus(id, "REVOKED")
	must(t, err)
	x.closed()
	c.said("disconnected", `"x"`, "FORBIDDEN_ACCESS", "is revoked")
	c.refusedTLS(cfg, "is revoked")
	must(t, plane.DeleteCertificate(id, true))

	// Without a CA's knowing it is like any stranger's.
	_, err = plane.UpdateCA(ca.ID, &off, nil)
	must(t, err)
	must(t, plane.DeleteCA(ca.ID))
	c.refusedTLS(cfg, id[:10], "is not registered here")
}

// TestSelfRegistered: certificates registered without a CA get in by their fingerprint, whoever
// signed them, and only within their time.
func TestSelfRegistered(t *testing.T) {
	c := newCloud(t, nil)
	plane := c.Control()
	for name, q := range map[string]control.NewCertificate{"RSA": {}, "EC": {EC: true}} {
		certText, keyText, err := identity.NewIssuer("its own "+name, q.EC)
		must(t, err)
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, "aws.crt"), certText, 0o600))
		must(t, os.WriteFile(filepath.Join(dir, "aws.key"), keyText, 0o600))
		cfg := c.filesOf(dir)
		c.refusedTLS(cfg, "is not registered here")
		cert, err := plane.RegisterCertificate(certText, "", false)
		must(t, err)
		must(t, plane.AttachPolicy(OpenPolicy, cert.ID, false))
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			cfg.MaxVersion = version
			c.enters(cfg, name)
		}
		x := c.enters(cfg, name)
		must(t, plane.AttachPolicy(OpenPolicy, cert.ID, true))
		x.write(publishBytes("t", "x", 0, false))
		x.closed()
		c.said("refused", "iot:Publish on topic/t", "no statement allows it")
	}
	for _, tt := range []struct {
		q    control.NewCertificate
		says string
	}{
		{control.NewCertificate{NotAfter: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}, "is valid from 2015-01-01 to 2020-01-01, and now it is"},
		{control.NewCertificate{NotBefore: time.Date(2048, 1, 1, 0, 0, 0, 0, time.UTC)}, "is valid from 2048-01-01 to 2049-12-31"},
	} {
		tt.q.Dir, tt.q.EC = t.TempDir(), true
		_, err := plane.CreateCertificate(tt.q)
		must(t, err)
		c.refusedTLS(c.filesOf(tt.q.Dir), tt.says)
	}
}

// TestRotation: both certificates work until the old one is deactivated, which ends its
// connections and not the other's.
func TestRotation(t *testing.T) {
	c := newCloud(t, nil)
	plane := c.Control()
	dir := t.TempDir()
	old, err := plane.CreateCertificate(control.NewCertificate{Dir: dir, EC: true, Thing: "t", Policies: []string{OpenPolicy}})
	must(t, err)
	next := t.TempDir()
	made, err := plane.RotateCertificate(old.ID, next)
	must(t, err)
	cfg := c.filesOf(dir)
	rotated := cfg.Clone()
	pair, err := tls.LoadX509KeyPair(made.Files[0], made.Files[1])
	must(t, err)
	rotated.Certificates = []tls.Certificate{pair}
	x, y := c.enters(cfg, "x"), c.enters(rotated, "y")
	_, _, err = plane.SetStatus(old.ID, "INACTIVE")
	must(t, err)
	x.closed()
	y.silent()
	c.refusedTLS(cfg, "is not active (INACTIVE)")
	c.enters(rotated, "z")
}

// TestEras: what changed at AWS over the years changes here.
func TestEras(t *testing.T) {
	five := []byte{0x10, 14, 0, 4, 'M', 'Q', 'T', 'T', 5, 2, 0, 60, 0, 0, 1, 'v'}
	for _, e := range eras() {
		t.Run(e.Name, func(t *testing.T) {
			named, err := EraNamed(e.Name)
			if err != nil || named != e {
				t.Fatal(named, err)
			}
			c := newCloud(t, e.Apply)
			dial := func(name string) (*client, error) {
				cfg := c.tlsConfig(0)
				cfg.ServerName, cfg.InsecureSkipVerify = name, name == "" // without a name Go checks none
				nc, err := tls.Dial("tcp", c.mqtt, cfg)
				if err != nil {
					return nil, err
				}
				t.Cleanup(func() { nc.Close() })
				must(t, nc.SetDeadline(time.Now().Add(patience)))
				return newClient(t, nc), nil
			}
			chain := func(cl *client) int { return len(cl.conn.(*tls.Conn).ConnectionState().PeerCertificates) }
			cl, err := dial(endpointATS)
			if err != nil || chain(cl) != 4 {
				t.Fatalf("-ats: %v", err)
			}
			cl.write(five)
			if e.MQTT5Off {
				if got := cl.bytes(4); got[3] != 1 {
					t.Errorf("CONNACK to MQTT 5 is % x", got)
				}
				cl.closed()
				c.said("refused", "MQTT 5 is switched off")
			} else if got := cl.bytes(4); got[0] != 0x20 || got[3] != 0 {
				t.Errorf("CONNACK to MQTT 5 is % x", got)
			}
			cl, err = dial(endpointLegacy)
			if (err != nil) != e.LegacyOff || err == nil && chain(cl) != 2 {
				t.Errorf("legacy: %v", err)
			}
			cl, err = dial("")
			switch {
			case e.NoSNI == identity.NoSNIRefuse:
				if err == nil {
					t.Error("a hello without SNI is served")
				}
				c.said("refused", "names no endpoint (SNI)")
			case err != nil || (chain(cl) == 2) != (e.NoSNI == identity.NoSNILegacy):
				t.Errorf("without SNI: %v", err)
			}
			x, _ := c.connect(0, "x", options{})
			x.write(publishBytes("t", "kept", 0, true))
			if e.RetainOff {
				x.closed()
				return
			}
			x.subscribe(0, "t")
			if m := x.message(); !strings.HasPrefix(string(m.Payload), "kept") {
				t.Errorf("retained %+v", m)
			}
		})
	}
	if _, err := EraNamed("1999"); err == nil || !strings.Contains(err.Error(), "known are any (") {
		t.Error(err)
	}
}
