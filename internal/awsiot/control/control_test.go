package control

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/identity"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

var authority = sync.OnceValues(identity.NewAuthority)

const openText = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:*","Resource":"*"}}`

// newControl is one on an empty state, with a clock that stands.
func newControl(t *testing.T, dir string) (*Control, *clock.Manual) {
	t.Helper()
	s, err := store.Open(dir, store.Options{NoSync: true})
	must(t, err)
	t.Cleanup(func() { s.Close() })
	a, err := authority()
	must(t, err)
	must(t, s.SetAuthority(a))
	now := clock.NewManual(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))
	return &Control{State: s, Clock: now}, now
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// step is something to do, and a part of its error; "" is none.
type step struct {
	name string
	do   func() error
	want string
}

func run(t *testing.T, steps []step) {
	t.Helper()
	for _, s := range steps {
		err := s.do()
		if (err == nil) != (s.want == "") || err != nil && !strings.Contains(err.Error(), s.want) {
			t.Fatalf("%s: %v, want %q", s.name, err, s.want)
		}
	}
}

// first drops the value of a call.
func first[T any](_ T, err error) error { return err }

func TestThingsAndTypes(t *testing.T) {
	c, now := newControl(t, "")
	four := map[string]string{"a": "1", "b": "2", "c": "3", "d": "4"}
	run(t, []step{
		{"no type", func() error { return first(c.CreateThing(ThingChange{Name: "t", Type: "x"})) }, "there is no thing type"},
		{"four attributes without a type", func() error { return first(c.CreateThing(ThingChange{Name: "t", Attributes: four})) }, "takes 3 without"},
		{"type name", func() error { return first(c.CreateType("a b", "", nil)) }, "thing type name"},
		{"searchable", func() error { return first(c.CreateType("x", "", []string{"1", "2", "3", "4"})) }, "takes 3"},
		{"type", func() error { return first(c.CreateType("x", "about", nil)) }, ""},
		{"type again", func() error { return first(c.CreateType("x", "", nil)) }, "there already"},
		{"four attributes with a type", func() error { return first(c.CreateThing(ThingChange{Name: "t", Type: "x", Attributes: four})) }, ""},
		{"the same again", func() error { return first(c.CreateThing(ThingChange{Name: "t", Type: "x", Attributes: four})) }, ""},
		{"another of that name", func() error { return first(c.CreateThing(ThingChange{Name: "t", Type: "x"})) }, "skep cloud thing update"},
		{"type away", func() error { return first(c.UpdateThing(ThingChange{Name: "t", NoType: true})) }, "takes 3 without"},
		{"both", func() error { return first(c.UpdateThing(ThingChange{Name: "t", NoType: true, Type: "x"})) }, "not both"},
		{"bad name", func() error {
			return first(c.UpdateThing(ThingChange{Name: "t", Attributes: map[string]string{"ä": "1"}}))
		}, "attribute name"},
		{"bad value", func() error {
			return first(c.UpdateThing(ThingChange{Name: "t", Attributes: map[string]string{"a": "x y"}}))
		}, "the value of attribute a"},
		{"long value", func() error {
			return first(c.UpdateThing(ThingChange{Name: "t", Attributes: map[string]string{"a": strings.Repeat("x", 801)}}))
		}, "801 characters"},
		{"type in use", func() error { return c.DeleteType("x") }, `thing "t" has type`},
		{"attributes and type away", func() error {
			return first(c.UpdateThing(ThingChange{Name: "t", NoType: true, Replace: true, Attributes: map[string]string{"e": "5"}}))
		}, ""},
		{"not deprecated", func() error { return c.DeleteType("x") }, "must be deprecated first"},
		{"deprecate", func() error { return c.DeprecateType("x", false) }, ""},
		{"deprecated type", func() error { return first(c.UpdateThing(ThingChange{Name: "t", Type: "x"})) }, "is deprecated"},
		{"too early", func() error { return c.DeleteType("x") }, "it can be deleted in 5m0s"},
		{"undo", func() error { return c.DeprecateType("x", true) }, ""},
		{"again", func() error { return c.DeprecateType("x", false) }, ""},
		{"later", func() error { now.Advance(5 * time.Minute); return c.DeleteType("x") }, ""},
		{"gone", func() error { return first(c.Type("x")) }, "there is no thing type"},
	})
	got, err := c.Thing("t")
	if err != nil || got.Version != 2 || got.Type != "" || len(got.Attributes) != 1 || got.Attributes["e"] != "5" {
		t.Errorf("%+v, %v", got, err)
	}
	must(t, c.DeleteThing("t"))
	if len(c.Things()) != 0 {
		t.Error("the thing is still there")
	}
}

func TestCertificates(t *testing.T) {
	c, _ := newControl(t, "")
	dir := t.TempDir()
	_, err := c.PutPolicy("open", []byte(openText))
	must(t, err)
	made, err := c.CreateCertificate(NewCertificate{Dir: dir, Thing: "t", Policies: []string{"open"}, EC: true})
	must(t, err)
	if made.Status != "ACTIVE" || made.Key != "EC P-256" || made.Validity != "valid" || len(made.Files) != 3 || c.State.Thing("t") == nil {
		t.Errorf("%+v", made)
	}
	if info, err := os.Stat(filepath.Join(dir, "aws.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file: %v, %v", info.Mode(), err)
	}
	rotated, err := c.RotateCertificate(made.ID[:8], dir)
	must(t, err)
	if rotated.Replaces != made.ID || rotated.Key != "EC P-256" || len(rotated.Things) != 1 || len(rotated.Policies) != 1 || !strings.HasSuffix(rotated.Files[0], "aws-20261123-120000.crt") {
		t.Errorf("%+v", rotated)
	}
	run(t, []step{
		{"overwriting", func() error { return first(c.CreateCertificate(NewCertificate{Dir: dir})) }, "is not overwritten"},
		{"rotating twice in a second", func() error { return first(c.RotateCertificate(made.ID, dir)) }, "is not overwritten"},
		{"no policy", func() error {
			return first(c.CreateCertificate(NewCertificate{Dir: t.TempDir(), Policies: []string{"none"}}))
		}, `no policy "none"`},
		{"thing name", func() error { return first(c.CreateCertificate(NewCertificate{Dir: t.TempDir(), Thing: "a/b"})) }, "thing name"},
		{"backwards", func() error {
			return first(c.CreateCertificate(NewCertificate{Dir: t.TempDir(), NotBefore: time.Unix(2, 0), NotAfter: time.Unix(1, 0)}))
		}, "end before it begins"},
		{"not a request", func() error { return first(c.CreateCertificate(NewCertificate{Dir: t.TempDir(), CSR: []byte("x")})) }, "no PEM certificate request"},
		{"unregistered of ours", func() error { return first(c.CreateCertificate(NewCertificate{Dir: t.TempDir(), Unregistered: true})) }, "must come from a CA of your own"},
		{"short id", func() error { return first(c.Certificate(made.ID[:3])) }, "at least 4 digits"},
		{"no id", func() error { return first(c.Certificate("xyz")) }, "is not the id of a certificate"},
		{"status", func() error { _, _, err := c.SetStatus(made.ID, "PENDING_ACTIVATION"); return err }, "cannot be set"},
		{"active", func() error { return c.DeleteCertificate(made.ID, true) }, "deactivate it first"},
		{"deactivate", func() error { _, _, err := c.SetStatus(made.ID, "INACTIVE"); return err }, ""},
		{"rotating an inactive one", func() error { return first(c.RotateCertificate(made.ID, t.TempDir())) }, "only an active one"},
		{"with a thing", func() error { return c.DeleteCertificate(made.ID, true) }, `thing "t" is attached`},
		{"no such thing", func() error { return c.AttachThing(made.ID, "u", true) }, "is not attached"},
		{"detach", func() error { return c.AttachThing(made.ID, "t", true) }, ""},
		{"with a policy", func() error { return c.DeleteCertificate(made.ID, false) }, `policy "open" is attached`},
		{"revoke", func() error { _, _, err := c.SetStatus(made.ID, "REVOKED"); return err }, ""},
		{"unrevoke", func() error { _, _, err := c.SetStatus(made.ID, "ACTIVE"); return err }, "for good"},
		{"forced", func() error { return c.DeleteCertificate(made.ID, true) }, ""},
		{"policy in use", func() error { return c.DeletePolicy("open") }, "is attached to certificate"},
	})
	if list := c.Certificates(); len(list) != 1 || list[0].ID != rotated.ID || list[0].PEM != "" {
		t.Errorf("%+v", list)
	}
}

// TestRequest: a certificate for a request has its key and subject, and no key file.
func TestRequest(t *testing.T) {
	c, _ := newControl(t, "")
	_, keyText, err := identity.NewIssuer("for its key", true)
	must(t, err)
	block, _ := pem.Decode(keyText)
	key, err := x509.ParseECPrivateKey(block.Bytes)
	must(t, err)
	der, err := x509.CreateCertificateRequest(strings.NewReader(strings.Repeat("x", 200)), &x509.CertificateRequest{}, key)
	must(t, err)
	dir := t.TempDir()
	made, err := c.CreateCertificate(NewCertificate{Dir: dir, CSR: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), Inactive: true})
	must(t, err)
	if len(made.Files) != 2 || made.Status != "INACTIVE" {
		t.Errorf("%+v", made)
	}
	text, err := os.ReadFile(filepath.Join(dir, "aws.crt"))
	must(t, err)
	cert, err := identity.ParseCertificate(text)
	must(t, err)
	if !key.PublicKey.Equal(cert.PublicKey) {
		t.Error("it is for another key")
	}
}

func TestCAs(t *testing.T) {
	c, _ := newControl(t, "")
	dir := t.TempDir()
	ca, files, err := c.CreateCA(dir, "Factory", true, false)
	must(t, err)
	caText, err := os.ReadFile(files[0])
	must(t, err)
	keyText, err := os.ReadFile(files[1])
	must(t, err)
	a, err := authority()
	must(t, err)
	plain, err := a.IssueDevice()
	must(t, err)
	issuer, err := identity.ParseIssuer(caText, keyText)
	must(t, err)
	wrongCode, err := a.Issue(identity.DeviceOptions{EC: true, CommonName: "wrong", Issuer: issuer})
	must(t, err)
	code, err := c.State.RegistrationCode()
	must(t, err)
	foreign, err := a.Issue(identity.DeviceOptions{EC: true, CommonName: code})
	must(t, err)
	off, on := false, true
	own := func(dir string) NewCertificate {
		return NewCertificate{Dir: filepath.Join(t.TempDir(), dir), CACert: caText, CAKey: keyText, EC: true}
	}
	run(t, []step{
		{"again", func() error { return first(c.RegisterCA(NewCA{Cert: caText})) }, "registered already"},
		{"no CA", func() error { return first(c.RegisterCA(NewCA{Cert: plain.CertPEM})) }, "basicConstraints CA:TRUE"},
		{"no PEM", func() error { return first(c.RegisterCA(NewCA{Cert: []byte("x")})) }, "no PEM certificate"},
		{"active", func() error { return c.DeleteCA(ca.ID) }, "switch it off first"},
		{"issue", func() error { return first(c.CreateCertificate(own("a"))) }, ""},
		{"off", func() error { return first(c.UpdateCA(ca.ID[:6], &off, nil)) }, ""},
		{"issue of an inactive one", func() error { return first(c.CreateCertificate(own("b"))) }, "is inactive"},
		{"delete", func() error { return c.DeleteCA(ca.ID) }, ""},
		{"issue of an unknown one", func() error { return first(c.CreateCertificate(own("b"))) }, "skep cloud ca register"},
		{"no proof", func() error { return first(c.RegisterCA(NewCA{Cert: caText})) }, "with the common name " + code},
		{"wrong code", func() error { return first(c.RegisterCA(NewCA{Cert: caText, Verification: wrongCode.CertPEM})) }, `has the common name "wrong"`},
		{"wrong signer", func() error { return first(c.RegisterCA(NewCA{Cert: caText, Verification: foreign.CertPEM})) }, "is not signed by CA"},
		{"without proof", func() error { return first(c.RegisterCA(NewCA{Cert: caText, SNIOnly: true, AutoRegister: true})) }, ""},
		{"not of this CA", func() error { return first(c.RegisterCertificate(plain.CertPEM, ca.ID, false)) }, "is not signed by CA"},
		{"without a CA", func() error { return first(c.RegisterCertificate(plain.CertPEM, "", true)) }, ""},
		{"twice", func() error { return first(c.RegisterCertificate(plain.CertPEM, "", true)) }, "registered already, and INACTIVE"},
		{"auto off and on", func() error {
			if _, err := c.UpdateCA(ca.ID, nil, &off); err != nil {
				return err
			}
			return first(c.UpdateCA(ca.ID, &on, &on))
		}, ""},
	})
	if list := c.CAs(); len(list) != 1 || list[0].Mode != "SNI_ONLY" || !list[0].AutoRegister || list[0].Certificates != 1 {
		t.Errorf("%+v", list)
	}
}

func TestPoliciesAndKeys(t *testing.T) {
	c, _ := newControl(t, "")
	var key Key
	run(t, []step{
		{"name", func() error { return first(c.PutPolicy("a b", []byte(openText))) }, "policy name"},
		{"text", func() error { return first(c.PutPolicy("p", []byte("{}"))) }, "Statement is missing"},
		{"put", func() error { return first(c.PutPolicy("p", []byte(openText))) }, ""},
		{"no policy", func() error { return first(c.CreateKey("", []string{"q"})) }, `no policy "q"`},
		{"key", func() (err error) { key, err = c.CreateKey("back end", []string{"p"}); return err }, ""},
		{"in use", func() error { return c.DeletePolicy("p") }, "is attached to access key"},
	})
	for i := range maxPolicies {
		name := string(rune('a' + i))
		_, err := c.PutPolicy(name, []byte(openText))
		must(t, err)
		if err := c.AttachPolicy(name, key.ID, false); (err == nil) != (i < maxPolicies-1) {
			t.Errorf("policy %d: %v", i+2, err)
		}
	}
	replaced, err := c.PutPolicy("p", []byte(strings.ReplaceAll(openText, ":", ": ")))
	if err != nil || !replaced { // iot:* has become "iot: *"
		t.Errorf("%v, %v", replaced, err)
	}
	if replaced, err = c.PutPolicy("a", []byte(strings.ReplaceAll(openText, ",", ", "))); err != nil || replaced {
		t.Errorf("white space alone: %v, %v", replaced, err)
	}
	run(t, []step{
		{"off", func() error { return c.SetKeyActive(key.ID, false) }, ""},
		{"detach", func() error { return c.AttachPolicy("p", key.ID, true) }, ""},
		{"detach again", func() error { return c.AttachPolicy("p", key.ID, true) }, "is not attached"},
		{"delete policy", func() error { return c.DeletePolicy("p") }, ""},
		{"unknown", func() error { return c.AttachPolicy("a", "AKIAAAAAAAAAAAAAAAAA", false) }, "no access key"},
	})
	if list := c.Keys(); len(list) != 1 || list[0].Active || list[0].Secret != "" || key.Secret == "" {
		t.Errorf("%+v", list)
	}
	must(t, c.DeleteKey(key.ID))
	if p, err := c.Policy("a"); err != nil || len(p.Keys) != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestTwoAtOnce: changes of one certificate at the same time are all made.
func TestTwoAtOnce(t *testing.T) {
	c, _ := newControl(t, "")
	made, err := c.CreateCertificate(NewCertificate{Dir: t.TempDir(), EC: true})
	must(t, err)
	var wg sync.WaitGroup
	for i := range 8 {
		name := string(rune('a' + i))
		wg.Go(func() {
			if _, err := c.CreateThing(ThingChange{Name: name}); err != nil {
				t.Error(err)
			}
			if err := c.AttachThing(made.ID, name, false); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if cert, err := c.Certificate(made.ID); err != nil || len(cert.Things) != 8 {
		t.Errorf("%v, %v", cert.Things, err)
	}
}

// TestReopened: all of it is there after the state was closed and opened.
func TestReopened(t *testing.T) {
	dir := t.TempDir()
	c, _ := newControl(t, dir)
	_, err := c.CreateType("x", "about", []string{"imei"})
	must(t, err)
	_, err = c.CreateThing(ThingChange{Name: "t", Type: "x", Attributes: map[string]string{"imei": "1"}})
	must(t, err)
	ca, _, err := c.CreateCA(t.TempDir(), "Factory", true, true)
	must(t, err)
	made, err := c.CreateCertificate(NewCertificate{Dir: t.TempDir(), EC: true, Thing: "t"})
	must(t, err)
	_, _, err = c.SetStatus(made.ID, store.StatusRevoked)
	must(t, err)
	code, err := c.State.RegistrationCode()
	must(t, err)
	must(t, c.State.Close())
	s, err := store.Open(dir, store.Options{NoSync: true})
	must(t, err)
	defer s.Close()
	c = &Control{State: s, Clock: c.Clock}
	again, err := c.State.RegistrationCode()
	if err != nil || again != code || len(code) != 64 {
		t.Errorf("code %q, then %q, %v", code, again, err)
	}
	if cas := c.CAs(); len(cas) != 1 || cas[0].ID != ca.ID || !cas[0].AutoRegister {
		t.Errorf("%+v", cas)
	}
	if cert, err := c.Certificate(made.ID); err != nil || cert.Status != "REVOKED" || cert.Things[0] != "t" {
		t.Errorf("%+v, %v", cert, err)
	}
	if types := c.Types(); len(types) != 1 || types[0].Things[0] != "t" || types[0].Searchable[0] != "imei" {
		t.Errorf("%+v", types)
	}
}

// TestWriteFilesFails: after a failure none of the files is there, and those that were are whole.
func TestWriteFilesFails(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	must(t, os.WriteFile(in("file"), []byte("x"), 0o600))
	err := WriteFiles([]File{{in("a"), []byte("a"), 0o600}, {in("file/b"), []byte("b"), 0o600}})
	if err == nil {
		t.Fatal("a file is a directory")
	}
	if _, err := os.Stat(in("a")); err == nil {
		t.Error("the first file stayed")
	}
	if err := WriteFiles([]File{{in("a"), []byte("a"), 0o600}, {in("file"), []byte("b"), 0o600}}); err == nil || !strings.Contains(err.Error(), "is not overwritten") {
		t.Error(err)
	}
	if text, err := os.ReadFile(in("file")); err != nil || string(text) != "x" {
		t.Errorf("%q, %v", text, err)
	}
}
