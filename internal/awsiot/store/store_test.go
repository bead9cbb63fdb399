package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/identity"
)

var authority = sync.OnceValues(identity.NewAuthority)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir, Options{Owner: "the test", NoSync: true, Wait: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// both runs a test on a directory and in memory.
func both(t *testing.T, f func(t *testing.T, dir string)) {
	t.Run("disk", func(t *testing.T) { f(t, t.TempDir()) })
	t.Run("memory", func(t *testing.T) { f(t, "") })
}

func TestPutGet(t *testing.T) {
	both(t, func(t *testing.T, dir string) {
		s := open(t, dir)
		var order []int
		done := make(chan struct{})
		for i := range 100 {
			s.Put(Shadows, fmt.Sprintf("k%02d", i%10), fmt.Appendf(nil, "v%d", i), func(err error) {
				if err != nil {
					t.Error(err)
				}
				order = append(order, i)
			})
		}
		s.Put(Shadows, "k05", nil, func(error) {})
		s.Barrier(func(error) { close(done) })
		<-done
		for i, n := range order {
			if i != n {
				t.Fatalf("done in order %v", order)
			}
		}
		if v, err := s.Get(Shadows, "k03"); err != nil || string(v) != "v93" {
			t.Fatalf("k03 is %q, %v", v, err)
		}
		if v, err := s.Get(Shadows, "k05"); err != nil || v != nil {
			t.Fatalf("k05 is %q, %v", v, err)
		}
		var keys []string
		err := s.Each(Shadows, "k0", func(key string, _ []byte) error {
			keys = append(keys, key)
			return nil
		})
		if got := strings.Join(keys, " "); err != nil || got != "k00 k01 k02 k03 k04 k06 k07 k08 k09" {
			t.Fatalf("keys %s, %v", got, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		failed := make(chan error, 1)
		s.Put(Shadows, "x", nil, func(err error) { failed <- err })
		if err := <-failed; !errors.Is(err, ErrClosed) {
			t.Fatalf("a write after Close: %v", err)
		}
	})
}

func TestInUse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	s := open(t, dir)
	_, err := Open(dir, Options{Owner: "second", Wait: 20 * time.Millisecond})
	var inUse *InUseError
	if !errors.As(err, &inUse) || !strings.Contains(err.Error(), fmt.Sprintf("in use by the test (process %d): stop it, or choose another directory with --state", os.Getpid())) {
		t.Fatalf("error %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, ownerFile)); err == nil {
		t.Fatal("the owner's name stays behind")
	}
	open(t, dir)
}

func TestRegistry(t *testing.T) {
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	d, err := a.IssueDevice()
	if err != nil {
		t.Fatal(err)
	}
	both(t, func(t *testing.T, dir string) {
		s := open(t, dir)
		if err := s.SetAuthority(a); err != nil {
			t.Fatal(err)
		}
		if err := s.SetAuthority(a); err == nil {
			t.Fatal("an authority can be replaced")
		}
		cert := Certificate{ID: d.ID, PEM: string(d.CertPEM), Active: true, Things: []string{"T"}, Policies: []string{"P"}}
		var changes []string
		s.OnChange(func(id string) { changes = append(changes, id) })
		for _, step := range []struct {
			do    func() error
			wants string
		}{
			{func() error { return s.PutCertificate(cert) }, `no policy "P"`},
			{func() error { return s.PutPolicy("P", []byte(`{}`)) }, "Statement is missing"},
			{func() error {
				return s.PutPolicy("P", []byte(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`))
			}, ""},
			{func() error { return s.PutCertificate(cert) }, `no thing "T"`},
			{func() error { return s.PutThing(Thing{Name: "a b"}) }, "thing name"},
			{func() error {
				return s.PutThing(Thing{Name: "T", Type: "XBee", Attributes: map[string]string{"IMEI": "1"}})
			}, ""},
			{func() error { return s.PutCertificate(Certificate{ID: "x", PEM: string(d.CertPEM)}) }, "id is " + d.ID},
			{func() error { return s.PutCertificate(Certificate{PEM: "x"}) }, "cannot be read"},
			{func() error { return s.PutCertificate(cert) }, ""},
		} {
			err := step.do()
			if (err == nil) != (step.wants == "") || err != nil && !strings.Contains(err.Error(), step.wants) {
				t.Fatalf("error %v, want %q", err, step.wants)
			}
		}
		if got := strings.Join(changes, ","); got != ",,"+d.ID {
			t.Fatalf("changes %q", got)
		}
		check := func(s *Store) {
			t.Helper()
			c := s.Certificate(d.ID)
			if c == nil || !c.Active || len(s.Documents(c)) != 1 || s.Thing("T").Attributes["IMEI"] != "1" ||
				len(s.Certificates()) != 1 || len(s.Things()) != 1 || len(s.Policies()) != 1 || s.Policy("none") != nil {
				t.Fatalf("certificate %+v", c)
			}
		}
		check(s)
		if dir == "" {
			return
		}
		s.Close()
		s = open(t, dir)
		check(s)
		if b, err := s.Authority(); err != nil || string(b.AWSCA()) != string(a.AWSCA()) {
			t.Fatalf("the authority is another one, %v", err)
		}
	})
}

// TestCrash: a copy of the files taken at any time opens and holds what was acknowledged
// before, or what came after it, but nothing half.
func TestCrash(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for i := range 30 {
		value := strings.Repeat(fmt.Sprint(i%10), 3000)
		if err := s.putWait(Shadows, "k", []byte(value)); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, dbFile))
		if err != nil {
			t.Fatal(err)
		}
		copyDir := t.TempDir()
		if err := os.WriteFile(filepath.Join(copyDir, dbFile), text, 0o600); err != nil {
			t.Fatal(err)
		}
		c := open(t, copyDir)
		got, err := c.Get(Shadows, "k")
		if err != nil || string(got) != value {
			t.Fatalf("after write %d the copy has %d bytes, %v", i, len(got), err)
		}
		c.Close()
	}
}

// TestDamage writes garbage over every part of a state: opening it is an error
// that says what to do, or works.
func TestDamage(t *testing.T) {
	whole := t.TempDir()
	s := open(t, whole)
	for i := range 20 {
		done := make(chan error, 1)
		s.Put(Shadows, fmt.Sprintf("k%d", i), make([]byte, 700), func(err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(filepath.Join(whole, dbFile))
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	try := func(b []byte) {
		dir := t.TempDir() // a database that panicked stays locked by this process
		if err := os.WriteFile(filepath.Join(dir, dbFile), b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(dir, Options{Owner: "the test", NoSync: true, Wait: 50 * time.Millisecond})
		if err == nil {
			s.Close()
			return
		}
		refused++
		if !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "move the directory away") {
			t.Errorf("error %v", err)
		}
	}
	for at := 0; at < len(good); at += 1024 {
		b := append([]byte{}, good...)
		for i := at; i < min(at+300, len(b)); i++ {
			b[i] = byte(i*7 + i>>8)
		}
		try(b)
	}
	try(good[:5000])
	try(good[:len(good)/2])
	try([]byte(strings.Repeat("not a database ", 2000)))
	if refused == 0 {
		t.Error("no damage was noticed")
	}
}
