package awsiot

import (
	"net/netip"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/policy"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// Question is one about what may be done.
type Question struct {
	// CertID is whose policies count, and whose fields policy variables have: a certificate or
	// an access key; "" is nobody's.
	CertID string
	// ClientID is the one it would connect with; "" asks as for HTTPS.
	ClientID string
	Action   policy.Action
	Name     string // of a topic, filter, client, or THING[/SHADOW]
	// Documents, if not nil, stand in for the policies of the certificate.
	Documents []*policy.Document
	// SourceIP, DomainName and ConnectAttributes are as in policy.Vars.
	SourceIP          netip.Addr
	DomainName        string
	ConnectAttributes []string
}

// Explain answers whether a certificate may do an action, and by which statement. An error says
// that the certificate may not even connect.
func (s *Server) Explain(q Question) (policy.Explanation, error) {
	docs, cert := q.Documents, (*store.Certificate)(nil)
	if q.CertID != "" {
		var err error
		if docs, cert, err = s.principal(q.CertID); err != nil {
			return policy.Explanation{}, err
		}
		if q.Documents != nil {
			docs = q.Documents
		}
	}
	p := broker.Peer{CertID: q.CertID, IP: q.SourceIP, DomainName: q.DomainName}
	compiled := policy.Compile(docs, s.variables(p, cert, q.ClientID, q.ClientID != "", q.ConnectAttributes))
	return compiled.Explain(q.Action, q.Name), nil
}
