package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	api "github.com/skep-sim/skep"
	"github.com/skep-sim/skep/internal/awsiot/jobs"
	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// otaWorld is the local AWS IoT, a web server with updates, and modules that run
// examples/ota.
type otaWorld struct {
	t     *testing.T
	cloud *localCloud
	files fstest.MapFS // of every module
	mpy   int
	ca    []byte // of the web server
	hosts map[string]string

	mu      sync.Mutex
	modules map[string]*api.Module
	states  map[string]string
	updates map[string][]byte // by path
	serve   func(w http.ResponseWriter, thing string, body []byte)
}

const updateHost = "updates.example.com"

func newOTAWorld(t *testing.T) *otaWorld {
	w := &otaWorld{t: t, files: fstest.MapFS{}, modules: map[string]*api.Module{}, states: map[string]string{}, updates: map[string][]byte{}}
	var err error
	w.cloud, err = startCloud(cloudConfig{dir: t.TempDir(), owner: "the test", wait: time.Second, log: io.Discard})
	w.must(err)
	t.Cleanup(w.cloud.close)
	a, err := app.Open(filepath.Join("..", "..", "examples", "ota"))
	w.must(err)
	var library profile.Library
	p, err := library.Find("ltem", "")
	w.must(err)
	w.mpy = p.MpyVersion.Value
	list, err := a.Files(w.mpy)
	w.must(err)
	for _, f := range list {
		w.files[f.Path] = &fstest.MapFile{Data: f.Data}
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(w.update))
	// The LTE-M modem knows no key exchange but RSA's.
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{w.certificate()}, MaxVersion: tls.VersionTLS12,
		CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_128_CBC_SHA},
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	w.hosts = map[string]string{
		updateHost + ":443": server.Listener.Addr().String(),
		"a1b2c3d4e5f6g7-ats.iot.us-east-2.amazonaws.com:8883": w.cloud.addrs[endpointATS][0].String(),
	}
	return w
}

func (w *otaWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// certificate makes the web server's, and w.ca for who is to trust it.
func (w *otaWorld) certificate() tls.Certificate {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	w.must(err)
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "updates"}, DNSNames: []string{updateHost}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2049, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	w.must(err)
	w.ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// update answers a module that asks for an update.
func (w *otaWorld) update(rw http.ResponseWriter, req *http.Request) {
	w.mu.Lock()
	body, ok := w.updates[req.URL.Path]
	w.mu.Unlock()
	if !ok {
		http.NotFound(rw, req)
		return
	}
	rw.Header().Set("content-length", fmt.Sprint(len(body)))
	w.serve(rw, req.URL.Query().Get("thing"), body)
}

// thing makes a thing with a module's flash of its own.
func (w *otaWorld) thing(name string) {
	certs := w.t.TempDir()
	_, err := w.cloud.makeThing(certs, app.Cloud{Thing: name})
	w.must(err)
	files := fstest.MapFS{"cert/files.ca": {Data: w.ca}, "aws.json": {Data: fmt.Appendf(nil, `{"endpoint":"a1b2c3d4e5f6g7.iot.us-east-2.amazonaws.com","thing":%q,"ca":"files.ca"}`, name)}}
	for path, f := range w.files {
		if files[path] == nil {
			files[path] = f
		}
	}
	for _, c := range []string{"aws.ca", "aws.crt", "aws.key"} {
		data, err := os.ReadFile(filepath.Join(certs, c))
		w.must(err)
		files["cert/"+c] = &fstest.MapFile{Data: data}
	}
	w.states[name] = w.t.TempDir()
	w.must(w.module(name, files).Stop())
}

// module makes a thing's module, as it was left; files are laid on it first.
func (w *otaWorld) module(name string, files fs.FS) *api.Module {
	w.t.Helper()
	m, err := api.New(api.Options{Files: files, State: w.states[name], Hosts: w.hosts, Seed: uint64(len(name)), Log: func(text string) { w.t.Log(name, text) }})
	w.must(err)
	return m
}

// run runs all modules at once until their programs have ended, and gives what each wrote.
func (w *otaWorld) run() map[string]string {
	w.t.Helper()
	var wg sync.WaitGroup
	for name := range w.states {
		m := w.module(name, nil)
		w.mu.Lock()
		w.modules[name] = m
		w.mu.Unlock()
	}
	out := map[string]string{}
	for name, m := range w.modules {
		wg.Go(func() {
			r := m.Run()
			w.mu.Lock()
			defer w.mu.Unlock()
			out[name] = strings.ReplaceAll(m.Output(), "\r", "")
			if !r.Ran || r.Failed {
				w.t.Errorf("%s ended %+v:\n%s", name, r, out[name])
			}
		})
	}
	wg.Wait()
	for _, m := range w.modules {
		w.must(m.Stop())
	}
	return out
}

// release offers a version of the application, and makes the job for it.
func (w *otaWorld) release(id string, version int, change func(source string) string) {
	w.t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "..", "examples", "ota", "app.py"))
	w.must(err)
	text := change(strings.Replace(string(source), "VERSION = 1", fmt.Sprintf("VERSION = %d", version), 1))
	code, err := app.Cross(w.mpy)([]byte(text), "app.py")
	w.must(err)
	path := "/" + id + ".mpy"
	w.mu.Lock()
	w.updates[path] = code
	w.mu.Unlock()
	document, err := json.Marshal(map[string]any{
		"operation": "update", "version": version, "host": updateHost, "path": path, "size": len(code), "sha256": fmt.Sprintf("%x", sha256.Sum256(code)),
	})
	w.must(err)
	_, err = w.cloud.server.Jobs().Create(jobs.Config{ID: id, Document: document, All: true})
	w.must(err)
}

// outcome is a job's executions: THING STATUS DETAILS.
func (w *otaWorld) outcome(id string) []string {
	w.t.Helper()
	list, err := w.cloud.server.Jobs().Executions(id)
	w.must(err)
	var out []string
	for _, x := range list {
		out = append(out, fmt.Sprintf("%s %s version %s %s", x.Thing, x.Status, x.Details["version"], x.Details["reason"]))
	}
	return out
}

// TestOverTheAir updates a fleet of modules by jobs: one loses its power in the middle of the
// download, one is sent a bad file, one a bad file once. Then comes an update that does not
// start, from which each goes back to what it had.
func TestOverTheAir(t *testing.T) {
	w := newOTAWorld(t)
	for _, name := range []string{"plain", "cut", "spoiled", "unlucky", "also-plain"} {
		w.thing(name)
	}
	sent := map[string]int{}
	w.serve = func(rw http.ResponseWriter, thing string, body []byte) {
		w.mu.Lock()
		sent[thing]++
		n, m := sent[thing], w.modules[thing]
		w.mu.Unlock()
		switch {
		case thing == "cut" && n == 1:
			rw.Write(body[:len(body)/2])
			http.NewResponseController(rw).Flush()
			m.CutPower()
			m.RestorePower()
			return
		case thing == "spoiled", thing == "unlucky" && n == 1:
			body = slices.Clone(body)
			body[len(body)-1] ^= 1
		}
		rw.Write(body)
	}
	w.release("update-2", 2, func(s string) string { return s })
	out := w.run()
	for name, text := range out {
		version := "2"
		if name == "spoiled" {
			version = "1"
		}
		if !strings.HasSuffix(strings.TrimSpace(text), "Version "+version+" at work") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
	want := []string{
		"also-plain SUCCEEDED version 2 ", "cut SUCCEEDED version 2 ", "plain SUCCEEDED version 2 ",
		"spoiled FAILED version 1 the hash is wrong", "unlucky SUCCEEDED version 2 ",
	}
	if got := w.outcome("update-2"); !slices.Equal(got, want) {
		t.Errorf("the job's outcome is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if sent["cut"] != 2 || sent["spoiled"] != 3 || sent["unlucky"] != 2 || sent["plain"] != 1 {
		t.Errorf("downloads: %v", sent)
	}
	boots := func(name string) int { return strings.Count(out[name], "MicroPython v1.11") }
	if boots("cut") != boots("plain")+1 {
		t.Errorf("the module without power began %d times, another %d times", boots("cut"), boots("plain"))
	}
	if j, err := w.cloud.server.Jobs().Describe("update-2"); err != nil || j.Status != jobs.Completed {
		t.Errorf("the job is %+v, %v", j, err)
	}

	w.serve = func(rw http.ResponseWriter, _ string, body []byte) { rw.Write(body) }
	w.release("update-3", 3, func(s string) string { return strings.Replace(s, "ota.check(VERSION)", "no_such_name()", 1) })
	out = w.run()
	var want3 []string
	for _, line := range want {
		name, _, _ := strings.Cut(line, " ")
		version := "2"
		if name == "spoiled" {
			version = "1"
		}
		want3 = append(want3, fmt.Sprintf(`%s FAILED version %s NameError("name 'no_such_name' isn't defined",)`, name, version))
		if !strings.HasSuffix(strings.TrimSpace(out[name]), "Version "+version+" at work") {
			t.Errorf("%s:\n%s", name, out[name])
		}
	}
	if got := w.outcome("update-3"); !slices.Equal(got, want3) {
		t.Errorf("the job's outcome is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want3, "\n"))
	}
}
