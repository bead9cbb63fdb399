// Package event is what the local AWS IoT tells a person about what it does: connections, and
// above all every refusal with the rule, statement or certificate it came from.
//
// It is not a metrics system: events are for reading.
package event

import (
	"fmt"
	"strings"
	"time"
)

// Kind sorts events.
type Kind string

// The kinds.
const (
	Refused      Kind = "refused"      // a rule, a limit or a policy said no
	Connected    Kind = "connected"    // an MQTT client is in
	Disconnected Kind = "disconnected" // an MQTT client is out
	Note         Kind = "note"         // worth knowing, nothing was refused
	Trouble      Kind = "trouble"      // the service itself failed, such as a full disk
)

// Event is one thing that happened.
type Event struct {
	Time   time.Time
	Kind   Kind
	Remote string // the client's address, "" when there is none
	Client string // the MQTT client id, "" before CONNECT and over HTTPS
	CertID string // the certificate's id or the access key's, "" before the handshake
	Text   string // what happened and why, one line
}

// String is a line for a log, without the time.
func (e Event) String() string {
	var b strings.Builder
	b.WriteString(string(e.Kind))
	if e.Client != "" {
		fmt.Fprintf(&b, " client %q", e.Client)
	}
	switch {
	case strings.HasPrefix(e.CertID, "AKIA"): // certificate ids are in lower case
		fmt.Fprintf(&b, " key %s", e.CertID)
	case e.CertID != "":
		fmt.Fprintf(&b, " cert %.10s", e.CertID)
	}
	if e.Remote != "" {
		fmt.Fprintf(&b, " from %s", e.Remote)
	}
	b.WriteString(": ")
	b.WriteString(e.Text)
	return b.String()
}
