package awsiot

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/awsiot/policy"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

func TestInitDir(t *testing.T) {
	c := newCloud(t, nil)
	dir := filepath.Join(t.TempDir(), "new", "cert")
	in, err := InitDir(c.store, realClock{}, dir, InitOptions{})
	must(t, err)
	if !strings.HasPrefix(in.Thing, "xbee-") || c.store.Thing(in.Thing) == nil {
		t.Fatalf("thing is %q", in.Thing)
	}
	if info, err := os.Stat(in.Key); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("key file: %v, %v", info, err)
	}
	// The files are enough to connect, by both kinds of endpoint.
	cert, err := tls.LoadX509KeyPair(in.Cert, in.Key)
	must(t, err)
	for _, name := range []string{endpointATS, endpointLegacy} {
		cfg := c.tlsConfig(0)
		cfg.Certificates, cfg.ServerName = []tls.Certificate{cert}, name
		nc, err := tls.Dial("tcp", c.mqtt, cfg)
		must(t, err)
		nc.Close()
	}
	if e, err := c.Explain(Question{CertID: in.CertID, ClientID: in.Thing, Action: policy.Publish, Name: "any/thing"}); err != nil || !e.Allowed {
		t.Fatalf("%v, %v", e, err)
	}
	if _, err := c.Explain(Question{CertID: "nobody", Action: policy.Publish, Name: "x"}); err == nil {
		t.Fatal("an unknown certificate is explained")
	}

	// Nothing is overwritten, whichever file is there, and nothing is registered then.
	before := len(c.store.Certificates())
	for _, file := range []string{FileCA, FileCert, FileKey} {
		d := t.TempDir()
		path := filepath.Join(d, file)
		must(t, os.WriteFile(path, []byte("mine"), 0o600))
		_, err := InitDir(c.store, realClock{}, d, InitOptions{})
		if err == nil || !strings.Contains(err.Error(), path+" is there already") {
			t.Fatalf("%s: %v", file, err)
		}
		if text, _ := os.ReadFile(path); string(text) != "mine" {
			t.Fatalf("%s was overwritten", file)
		}
		if entries, _ := os.ReadDir(d); len(entries) != 1 {
			t.Fatalf("%s: %d files", file, len(entries))
		}
	}
	if n := len(c.store.Certificates()); n != before {
		t.Fatalf("%d certificates were left behind", n-before)
	}
	// A second certificate for a thing of a given name, with a policy of its own.
	must(t, c.store.PutPolicy("p", []byte(openPolicy)))
	second, err := InitDir(c.store, realClock{}, t.TempDir(), InitOptions{Thing: in.Thing, Policy: "p"})
	must(t, err)
	if second.Thing != in.Thing || second.CertID == in.CertID {
		t.Fatalf("%+v", second)
	}
	for _, o := range []InitOptions{{Thing: "no good"}, {Policy: "none"}} {
		d := t.TempDir()
		if _, err := InitDir(c.store, realClock{}, d, o); err == nil {
			t.Fatalf("%+v was accepted", o)
		}
		if entries, _ := os.ReadDir(d); len(entries) != 0 {
			t.Fatalf("%+v left files", o)
		}
	}
}

func TestEnsure(t *testing.T) {
	c := newCloud(t, nil)
	dir := t.TempDir()
	in, made, err := Ensure(c.store, realClock{}, dir, InitOptions{Thing: "tracker"})
	must(t, err)
	if !made || in.Thing != "tracker" {
		t.Fatalf("%+v %v", in, made)
	}
	again, made, err := Ensure(c.store, realClock{}, dir, InitOptions{Thing: "other"})
	must(t, err)
	if made || again.Thing != "tracker" || again.CertID != in.CertID {
		t.Fatalf("%+v %v", again, made)
	}
	fails := func(want string) {
		t.Helper()
		if _, _, err := Ensure(c.store, realClock{}, dir, InitOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("error %v, want %q", err, want)
		}
	}
	other, err := store.Open("", store.Options{})
	must(t, err)
	defer other.Close()
	a, err := testAuthority()
	must(t, err)
	must(t, other.SetAuthority(a))
	if _, _, err := Ensure(other, realClock{}, dir, InitOptions{}); err == nil || !strings.Contains(err.Error(), "is not registered") {
		t.Fatalf("error %v", err)
	}
	must(t, os.WriteFile(in.CA, testDevice(t, 0).CertPEM, 0o600))
	fails("is not the root of the local AWS IoT in memory")
	must(t, os.Remove(in.CA))
	fails("aws.ca is missing while")
}

// TestOwn: a certificate that is of the state and of the thing is taken for the thing's, keeps
// its policy unless another one is asked for, and no other certificate is taken.
func TestOwn(t *testing.T) {
	c := newCloud(t, nil)
	text := []byte(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}}`)
	in, err := InitDir(c.store, realClock{}, t.TempDir(), InitOptions{Thing: "a", Policy: "first", PolicyText: text})
	must(t, err)
	mine, err := os.ReadFile(in.Cert)
	must(t, err)
	for _, tt := range []struct {
		text   []byte
		o      InitOptions
		ok     bool
		policy string
	}{
		{mine, InitOptions{Thing: "a", ThingType: "sensor"}, true, "first"},
		{mine, InitOptions{Thing: "b"}, false, "first"},
		{[]byte("nothing"), InitOptions{Thing: "a"}, false, "first"},
		{testDevice(t, 0).CertPEM, InitOptions{Thing: "a"}, false, "first"},
		{mine, InitOptions{Thing: "a", Policy: "second", PolicyText: text}, true, "second"},
	} {
		ok, err := Own(c.store, tt.text, tt.o)
		if got := c.store.Certificate(in.CertID).Policies; err != nil || ok != tt.ok || len(got) != 1 || got[0] != tt.policy {
			t.Errorf("%+v: %v, %v, policies %v; want %v, %s", tt.o, ok, err, got, tt.ok, tt.policy)
		}
	}
	if got := c.store.Thing("a").Type; got != "sensor" {
		t.Errorf("the thing's type is %q", got)
	}
	if _, err := Own(c.store, mine, InitOptions{Thing: "a", Policy: "third"}); err == nil {
		t.Error("a policy that is not there was taken")
	}
}

// TestInitPolicy: a policy's text is stored under its name, counts for who has it, and Ensure
// gives a certificate the policy and its thing the type that are asked for.
func TestInitPolicy(t *testing.T) {
	c := newCloud(t, nil)
	const onlyOut = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:Publish", "Resource": "arn:aws:iot:us-east-2:1:topic/out"}]}`
	dir := t.TempDir()
	may := func(id, topic string) bool {
		t.Helper()
		e, err := c.Explain(Question{CertID: id, Action: policy.Publish, Name: topic})
		must(t, err)
		return e.Allowed
	}
	in, err := InitDir(c.store, realClock{}, dir, InitOptions{Thing: "bound", Policy: "narrow", PolicyText: []byte(onlyOut)})
	must(t, err)
	if !may(in.CertID, "out") || may(in.CertID, "else") {
		t.Error("the policy does not count")
	}
	ensure := func(o InitOptions) {
		t.Helper()
		o.Thing = "bound"
		if _, made, err := Ensure(c.store, realClock{}, dir, o); err != nil || made {
			t.Fatal(made, err)
		}
	}
	ensure(InitOptions{ThingType: "sensor", Policy: "narrow", PolicyText: []byte(strings.ReplaceAll(onlyOut, "topic/out", "topic/else"))})
	if may(in.CertID, "out") || !may(in.CertID, "else") || c.store.Thing("bound").Type != "sensor" {
		t.Error("a changed policy does not count")
	}
	ensure(InitOptions{})
	if !may(in.CertID, "out") || !may(in.CertID, "else") || c.store.Thing("bound").Type != "sensor" {
		t.Error("without a policy not everything is allowed")
	}
	for want, o := range map[string]InitOptions{
		`policy "bad": the document is not JSON`: {Policy: "bad", PolicyText: []byte("")},
		`there is no policy "none"`:              {Policy: "none"},
		"choose another name":                    {Policy: OpenPolicy, PolicyText: []byte(onlyOut)},
	} {
		if _, err := InitDir(c.store, realClock{}, t.TempDir(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
