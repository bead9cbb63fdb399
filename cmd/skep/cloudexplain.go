package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/skep-sim/skep/internal/awsiot"
	"github.com/skep-sim/skep/internal/awsiot/control"
	"github.com/skep-sim/skep/internal/awsiot/policy"
)

// explainQuery is a question to the policies.
type explainQuery struct {
	Cert, Thing, ClientID string
	HTTPS                 bool
	Action, Resource      string
	Policies              []policyText // in place of the certificate's
	SourceIP, DomainName  string
	ConnectAttributes     []string
}

// explainAnswer is how it was decided.
type explainAnswer struct {
	Allowed    bool     `json:"allowed"`
	Action     string   `json:"action"`
	Resource   string   `json:"resource"`
	Decision   string   `json:"decision"`
	Cert       string   `json:"certificateId,omitempty"`
	ClientID   string   `json:"clientId,omitempty"`
	Statements []string `json:"statements"`
}

func explainOp(c *localCloud, q explainQuery) (a explainAnswer, err error) {
	action, err := policy.ParseAction(q.Action)
	if err != nil {
		return a, err
	}
	name, err := action.Name(q.Resource)
	if err != nil {
		return a, err
	}
	ask := awsiot.Question{Action: action, Name: name, ClientID: q.ClientID, DomainName: q.DomainName, ConnectAttributes: q.ConnectAttributes}
	if q.SourceIP != "" {
		if ask.SourceIP, err = netip.ParseAddr(q.SourceIP); err != nil {
			return a, fmt.Errorf("%q is not an IP address", q.SourceIP)
		}
	}
	for _, p := range q.Policies {
		doc, err := policy.Parse(p.Name, p.Text)
		if err != nil {
			return a, err
		}
		ask.Documents = append(ask.Documents, doc)
	}
	if ask.CertID, err = c.explainCert(q); err != nil {
		return a, err
	}
	if ask.ClientID == "" && !q.HTTPS {
		if ask.ClientID, err = c.explainClient(q, ask.CertID, action, name); err != nil {
			return a, err
		}
	}
	a = explainAnswer{Action: action.String(), Resource: action.Resource(name), Cert: ask.CertID, ClientID: ask.ClientID, Statements: []string{}}
	e, err := c.server.Explain(ask)
	if err != nil { // such as an inactive certificate
		a.Decision = err.Error()
		return a, nil
	}
	a.Allowed, a.Decision, a.Statements = e.Allowed, e.Decision.String(), e.Lines
	return a, nil
}

// explainCert finds whose policies are meant: the certificate named, or the thing's.
func (c *localCloud) explainCert(q explainQuery) (string, error) {
	switch {
	case q.Cert != "":
		if c.state.Credential(q.Cert) != nil {
			return q.Cert, nil
		}
		cert, err := c.plane().Certificate(q.Cert)
		return cert.ID, err
	case q.Thing != "":
		t, err := c.plane().Thing(q.Thing)
		if err != nil {
			return "", err
		}
		active := slices.DeleteFunc(t.Certificates, func(id string) bool { return !c.state.Certificate(id).Active })
		if len(active) != 1 {
			return "", fmt.Errorf("thing %s has %d active certificates: say which is meant, with --cert (skep cloud thing show %s lists them)", t.Name, len(active), t.Name)
		}
		return active[0], nil
	default:
		return "", nil
	}
}

// explainClient is the client id to assume: the one that is connected to, or the thing's.
func (c *localCloud) explainClient(q explainQuery, certID string, a policy.Action, name string) (string, error) {
	if a == policy.Connect {
		return name, nil
	}
	if q.Thing != "" {
		return q.Thing, nil
	}
	if cert := c.state.Certificate(certID); cert != nil && len(cert.Things) == 1 {
		return cert.Things[0], nil
	}
	return "", fmt.Errorf("policies may ask for the client id: give --client-id, or --https for a client that has none")
}

// cloudExplainCmd is skep cloud explain.
type cloudExplainCmd struct {
	controlFlags
	Cert      string   `help:"Certificate (id, first digits or PEM file) or access key id." placeholder:"CERT"`
	Thing     string   `help:"Thing whose certificate is meant; its name is the client id, too." placeholder:"NAME"`
	Policy    []string `help:"Ask this document, or stored policy, instead of what is attached; may be repeated." placeholder:"FILE.json|NAME"`
	ClientID  string   `help:"Client id of the connection. Default: the thing's name." placeholder:"ID"`
	HTTPS     bool     `name:"https" help:"Ask as for HTTPS, which has no client id."`
	SourceIP  string   `name:"source-ip" help:"Address that the client comes from." placeholder:"IP"`
	Domain    string   `help:"Endpoint name that the client asks for." placeholder:"NAME"`
	Attribute []string `help:"PersistentConnect or LastWill, for iot:Connect; may be repeated." enum:"PersistentConnect,LastWill" placeholder:"NAME"`
	Action    string   `arg:"" help:"Such as iot:Publish."`
	Resource  string   `arg:"" help:"Topic, filter, client id or thing; with its kind or as an ARN if you like."`
}

func (c *cloudExplainCmd) Help() string {
	return "Example:\n  skep cloud explain --thing tracker-7 iot:Publish site/north/temperature\n  skep cloud explain --policy draft.json --client-id a iot:Subscribe 'site/+/#'\n\nThe exit status is 0 for allowed and 1 for denied."
}

func (c *cloudExplainCmd) Run() error {
	if c.Cert == "" && c.Thing == "" && len(c.Policy) == 0 {
		return fmt.Errorf("say whose policies are meant: --cert, --thing or --policy")
	}
	q := explainQuery{
		Thing: c.Thing, ClientID: c.ClientID, HTTPS: c.HTTPS, Action: c.Action, Resource: c.Resource,
		SourceIP: c.SourceIP, DomainName: c.Domain, ConnectAttributes: c.Attribute,
	}
	for _, path := range c.Policy {
		p, err := c.document(path)
		if err != nil {
			return err
		}
		q.Policies = append(q.Policies, p)
	}
	if c.Cert != "" {
		var err error
		if q.Cert, err = certRef(c.Cert); err != nil {
			return err
		}
	}
	a, err := askControl[explainAnswer](&c.controlFlags, "explain", q)
	if err != nil {
		return err
	}
	err = c.show(a, func(w io.Writer) {
		verdict := a.Decision // "allowed by ...", "explicitly denied by ..."
		if !strings.Contains(verdict, "denied by") && !a.Allowed {
			verdict = "denied: " + verdict
		}
		fmt.Fprintf(w, "%s on %s: %s\n", a.Action, a.Resource, verdict)
		if a.Cert != "" || a.ClientID != "" {
			fmt.Fprintf(w, "  asked for certificate %s, client id %s\n", dash(shortID(a.Cert)), dash(a.ClientID))
		}
		for _, line := range a.Statements {
			fmt.Fprintln(w, " ", line)
		}
	})
	if err == nil && !a.Allowed {
		return exitStatus(1)
	}
	return err
}

// document is what --policy names: a file, or else a policy that is stored.
func (c *cloudExplainCmd) document(name string) (policyText, error) {
	text, err := os.ReadFile(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return policyText{policyFileName(name), text}, err
	}
	p, err := askControl[control.Policy](&c.controlFlags, "policy show", byName{name})
	if err != nil {
		return policyText{}, fmt.Errorf("there is no file %s, and %w", name, err)
	}
	return policyText{p.Name, p.Text}, nil
}
