package store

import (
	"strings"
	"testing"
)

func TestCredentials(t *testing.T) {
	both(t, func(t *testing.T, dir string) {
		s := open(t, dir)
		if err := s.PutPolicy("p", []byte(`{"Statement":{"Effect":"Allow","Action":"iot:*","Resource":"*"}}`)); err != nil {
			t.Fatal(err)
		}
		c, err := NewCredential(nil)
		if err != nil || !IsKeyID(c.KeyID) || len(c.Secret) != 40 || !c.Active {
			t.Fatalf("%+v %v", c, err)
		}
		other, err := NewCredential(strings.NewReader(strings.Repeat("x", 56)))
		if err != nil || other.KeyID == c.KeyID {
			t.Fatalf("%+v %v", other, err)
		}
		if _, err := NewCredential(strings.NewReader("short")); err == nil {
			t.Error("a key without enough random bytes")
		}
		var told []string
		s.OnChange(func(id string) { told = append(told, id) })
		c.Policies = []string{"p"}
		for _, bad := range []Credential{
			{KeyID: "akia", Secret: "x"},
			{KeyID: c.KeyID},
			{KeyID: c.KeyID, Secret: "x", Policies: []string{"none"}},
		} {
			if s.PutCredential(bad) == nil {
				t.Errorf("%+v is stored", bad)
			}
		}
		if err := s.PutCredential(c); err != nil {
			t.Fatal(err)
		}
		if len(told) != 1 || told[0] != c.KeyID {
			t.Errorf("told of %q", told)
		}
		if dir != "" {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, dir)
		}
		got := s.Credential(c.KeyID)
		if got == nil || got.Secret != c.Secret || len(s.CredentialDocuments(got)) != 1 || len(s.Credentials()) != 1 {
			t.Fatalf("%+v", got)
		}
		if err := s.DeleteCredential(c.KeyID); err != nil || s.Credential(c.KeyID) != nil {
			t.Fatal(err)
		}
		if s.DeleteCredential(c.KeyID) == nil {
			t.Error("deleted twice")
		}
	})
}
