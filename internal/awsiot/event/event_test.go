package event

import "testing"

func TestString(t *testing.T) {
	e := Event{Kind: Refused, Client: "c 1", CertID: "0123456789abcdef", Remote: "10.0.0.1:5", Text: "why"}
	if got := e.String(); got != `refused client "c 1" cert 0123456789 from 10.0.0.1:5: why` {
		t.Fatal(got)
	}
	if got := (Event{Kind: Note, Text: "why"}).String(); got != "note: why" {
		t.Fatal(got)
	}
}
