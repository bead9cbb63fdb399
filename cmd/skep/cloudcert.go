package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/control"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// certOps are the operations on certificates.
func certOps() map[string]cloudOp {
	return map[string]cloudOp{
		"cert create": op(func(c *localCloud, q control.NewCertificate) (control.MadeCertificate, error) {
			return c.plane().CreateCertificate(q)
		}),
		"cert register": op(func(c *localCloud, q certRegistration) (control.Certificate, error) {
			return c.plane().RegisterCertificate(q.Cert, q.CA, q.Inactive)
		}),
		"cert list": op(func(c *localCloud, _ none) ([]control.Certificate, error) { return c.plane().Certificates(), nil }),
		"cert show": op(func(c *localCloud, q byName) (control.Certificate, error) { return c.plane().Certificate(q.Name) }),
		"cert status": op(func(c *localCloud, q certStatus) (certStatus, error) {
			cert, was, err := c.plane().SetStatus(q.Cert, q.Status)
			return certStatus{Cert: cert.ID, Status: cert.Status, Was: was}, err
		}),
		"cert rotate": op(func(c *localCloud, q certRotation) (control.MadeCertificate, error) {
			return c.plane().RotateCertificate(q.Cert, q.Dir)
		}),
		"cert attach": op(func(c *localCloud, q certThing) (none, error) {
			return none{}, c.plane().AttachThing(q.Cert, q.Thing, q.Detach)
		}),
		"cert delete": op(func(c *localCloud, q certDeletion) (none, error) {
			return none{}, c.plane().DeleteCertificate(q.Cert, q.Force)
		}),
	}
}

type certRegistration struct {
	Cert     []byte // PEM
	CA       string // id, or its beginning; "" is without a CA
	Inactive bool
}

type certStatus struct {
	Cert   string `json:"certificateId"`
	Status string `json:"status"`
	Was    string `json:"was,omitempty"`
}

type certRotation struct{ Cert, Dir string }

type certThing struct {
	Cert   string `json:"certificateId"`
	Thing  string `json:"thingName"`
	Detach bool   `json:"detached"`
}

type certDeletion struct {
	Cert  string `json:"certificateId"`
	Force bool   `json:"force,omitempty"`
}

// cloudCertCmd is skep cloud cert.
type cloudCertCmd struct {
	Create     cloudCertCreateCmd     `cmd:"" help:"Make a certificate: write aws.ca, aws.crt and aws.key into a directory."`
	Register   cloudCertRegisterCmd   `cmd:"" help:"Take a certificate that was issued elsewhere."`
	List       cloudCertListCmd       `cmd:"" help:"List the certificates."`
	Show       cloudCertShowCmd       `cmd:"" help:"Show a certificate."`
	Activate   cloudCertActivateCmd   `cmd:"" help:"Let a certificate be used."`
	Deactivate cloudCertDeactivateCmd `cmd:"" help:"Keep a certificate from being used, and close its connections."`
	Revoke     cloudCertRevokeCmd     `cmd:"" help:"Deactivate a certificate for good."`
	Rotate     cloudCertRotateCmd     `cmd:"" help:"Make a certificate's successor."`
	Attach     cloudCertAttachCmd     `cmd:"" help:"Attach a thing to a certificate."`
	Detach     cloudCertDetachCmd     `cmd:"" help:"Detach a thing from a certificate."`
	Delete     cloudCertDeleteCmd     `cmd:"" help:"Delete a certificate that is not active."`
}

func (c *cloudCertCmd) Help() string {
	return "Example:\n  skep cloud cert create app/cert --thing tracker-7 --policy tracker\n\nCERT is a certificate's id, the first digits of it, or a PEM file."
}

// certArg names a certificate.
type certArg struct {
	controlFlags
	Cert string `arg:"" help:"Id of the certificate, the first digits of it, or its PEM file."`
}

type cloudCertCreateCmd struct {
	controlFlags
	Dir          string   `arg:"" help:"Where the files go; it is made if need be, nothing in it is overwritten."`
	Thing        string   `help:"Thing to attach; it is made if need be." placeholder:"NAME"`
	Policy       []string `help:"Stored policy to attach; may be repeated." placeholder:"NAME"`
	Inactive     bool     `help:"Do not let it be used yet."`
	EC           bool     `name:"ec" help:"A P-256 key instead of RSA-2048."`
	CommonName   string   `help:"Common name of its subject." placeholder:"NAME"`
	CSR          string   `name:"csr" help:"Issue it for a certificate request; no key is written." placeholder:"FILE"`
	ValidFrom    string   `help:"First day of its validity." placeholder:"YYYY-MM-DD"`
	ValidTo      string   `help:"Last day of its validity." placeholder:"YYYY-MM-DD"`
	CACert       string   `name:"ca-cert" help:"A CA of your own that issues it, registered by skep cloud ca." placeholder:"FILE"`
	CAKey        string   `name:"ca-key" help:"That CA's key." placeholder:"FILE"`
	Unregistered bool     `help:"Only write the files: it registers itself when it connects, if its CA has automatic registration."`
}

func (c *cloudCertCreateCmd) Help() string {
	return "Example:\n  skep cloud cert create app/cert --thing tracker-7 --policy tracker\n\nWithout a policy nothing is allowed."
}

func (c *cloudCertCreateCmd) Run() error {
	q := control.NewCertificate{
		Thing: c.Thing, Policies: c.Policy, Inactive: c.Inactive, EC: c.EC, CommonName: c.CommonName, Unregistered: c.Unregistered,
	}
	if (c.CACert == "") != (c.CAKey == "") {
		return fmt.Errorf("--ca-cert and --ca-key go together")
	}
	for _, f := range []struct {
		path string
		text *[]byte
	}{{c.CSR, &q.CSR}, {c.CACert, &q.CACert}, {c.CAKey, &q.CAKey}} {
		var err error
		if *f.text, err = optionalFile(f.path); err != nil {
			return err
		}
	}
	for _, d := range []struct {
		text string
		at   *time.Time
		end  time.Duration
	}{{c.ValidFrom, &q.NotBefore, 0}, {c.ValidTo, &q.NotAfter, 24*time.Hour - time.Second}} {
		if d.text == "" {
			continue
		}
		day, err := time.Parse(time.DateOnly, d.text)
		if err != nil {
			return fmt.Errorf("%q is not a day: write it as 2026-12-31", d.text)
		}
		*d.at = day.Add(d.end)
	}
	return c.make(&c.controlFlags, "cert create", c.Dir, func(dir string) any {
		q.Dir = dir
		return q
	})
}

// make asks for a certificate and says what was written.
func (*cloudCertCreateCmd) make(f *controlFlags, do, dir string, q func(dir string) any) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	made, err := askControl[control.MadeCertificate](f, do, q(abs))
	if err != nil {
		return err
	}
	made.Files = relative(made.Files, abs, dir)
	return f.show(made, func(w io.Writer) {
		fmt.Fprintf(w, "certificate %s, %s\n", made.ID, made.Status)
		for _, p := range made.Files {
			fmt.Fprintln(w, "wrote", p)
		}
		if made.Replaces != "" {
			fmt.Fprintf(w, "certificate %s stays valid until it is deactivated: skep cloud cert deactivate %s\n", shortID(made.Replaces), shortID(made.Replaces))
		}
	})
}

type cloudCertRegisterCmd struct {
	controlFlags
	File     string `arg:"" help:"The certificate, PEM."`
	CA       string `name:"ca" help:"The registered CA that issued it: id, the first digits of it, or PEM file. Default: it is registered without a CA." placeholder:"CA"`
	Inactive bool   `help:"Do not let it be used yet."`
}

func (c *cloudCertRegisterCmd) Help() string {
	return "Example:\n  skep cloud cert register device.crt && skep cloud policy attach tracker device.crt"
}

func (c *cloudCertRegisterCmd) Run() error {
	text, err := optionalFile(c.File)
	if err != nil {
		return err
	}
	q := certRegistration{Cert: text, Inactive: c.Inactive}
	if c.CA != "" {
		if q.CA, err = certRef(c.CA); err != nil {
			return err
		}
	}
	cert, err := askControl[control.Certificate](&c.controlFlags, "cert register", q)
	if err != nil {
		return err
	}
	return c.done(cert, "certificate %s, %s, %s", cert.ID, cert.Status, cert.Origin)
}

type cloudCertListCmd struct{ controlFlags }

func (c *cloudCertListCmd) Help() string { return "Example:\n  skep cloud cert list" }

func (c *cloudCertListCmd) Run() error {
	list, err := askControl[[]control.Certificate](&c.controlFlags, "cert list", none{})
	if err != nil {
		return err
	}
	return c.show(list, func(w io.Writer) { writeCerts(w, list) })
}

func writeCerts(w io.Writer, list []control.Certificate) {
	fmt.Fprintln(w, "CERTIFICATE\tSTATUS\tVALIDITY\tKEY\tTHINGS\tPOLICIES\tORIGIN")
	for _, c := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", shortID(c.ID), c.Status, c.Validity, c.Key, orDash(c.Things), orDash(c.Policies), c.Origin)
	}
}

type cloudCertShowCmd struct{ certArg }

func (c *cloudCertShowCmd) Help() string {
	return "Example:\n  skep cloud cert show app/cert/aws.crt"
}

func (c *cloudCertShowCmd) Run() error {
	id, err := certRef(c.Cert)
	if err != nil {
		return err
	}
	cert, err := askControl[control.Certificate](&c.controlFlags, "cert show", byName{id})
	if err != nil {
		return err
	}
	return c.show(cert, func(w io.Writer) {
		fmt.Fprintf(w, "certificate\t%s\nstatus\t%s\nsubject\t%s\nissuer\t%s\nkey\t%s\nvalid\t%s to %s (%s)\norigin\t%s\n",
			cert.ID, cert.Status, cert.Subject, cert.Issuer, cert.Key, cert.NotBefore, cert.NotAfter, cert.Validity, cert.Origin)
		if cert.CA != "" {
			fmt.Fprintf(w, "CA\t%s\n", cert.CA)
		}
		if cert.Replaces != "" {
			fmt.Fprintf(w, "replaces\t%s\n", cert.Replaces)
		}
		fmt.Fprintf(w, "things\t%s\npolicies\t%s\n", orDash(cert.Things), orDash(cert.Policies))
	})
}

// set changes a certificate's status.
func (c *certArg) set(status string) error {
	id, err := certRef(c.Cert)
	if err != nil {
		return err
	}
	now, err := askControl[certStatus](&c.controlFlags, "cert status", certStatus{Cert: id, Status: status})
	if err != nil {
		return err
	}
	if now.Was == now.Status {
		return c.done(now, "certificate %s is %s already", shortID(now.Cert), now.Status)
	}
	return c.done(now, "certificate %s is %s, was %s", shortID(now.Cert), now.Status, now.Was)
}

type cloudCertActivateCmd struct{ certArg }

func (c *cloudCertActivateCmd) Help() string { return "Example:\n  skep cloud cert activate 3f2a9c41" }

func (c *cloudCertActivateCmd) Run() error { return c.set(store.StatusActive) }

type cloudCertDeactivateCmd struct{ certArg }

func (c *cloudCertDeactivateCmd) Help() string {
	return "Example:\n  skep cloud cert deactivate app/cert/aws.crt\n\nClients that are connected with it are disconnected at once."
}

func (c *cloudCertDeactivateCmd) Run() error { return c.set(store.StatusInactive) }

type cloudCertRevokeCmd struct{ certArg }

func (c *cloudCertRevokeCmd) Help() string { return "Example:\n  skep cloud cert revoke 3f2a9c41" }

func (c *cloudCertRevokeCmd) Run() error { return c.set(store.StatusRevoked) }

type cloudCertRotateCmd struct {
	certArg
	Dir string `help:"Where the new files go. Default: beside the PEM file that names the certificate." placeholder:"DIR"`
}

func (c *cloudCertRotateCmd) Help() string {
	return "Example:\n  skep cloud cert rotate app/cert/aws.crt\n\nThe new certificate has the old one's things and policies. Its files get the time\nin their names; nothing is overwritten. Both certificates work until the old one is\ndeactivated."
}

func (c *cloudCertRotateCmd) Run() error {
	id, err := certRef(c.Cert)
	if err != nil {
		return err
	}
	dir := c.Dir
	if dir == "" {
		if id == c.Cert {
			return fmt.Errorf("say where the new files go: --dir DIR")
		}
		dir = filepath.Dir(c.Cert)
	}
	return (*cloudCertCreateCmd)(nil).make(&c.controlFlags, "cert rotate", dir, func(abs string) any { return certRotation{id, abs} })
}

// certThingFlags name a certificate and a thing.
type certThingFlags struct {
	certArg
	Thing string `help:"Name of the thing." required:"" placeholder:"NAME"`
}

func (c *certThingFlags) attach(detach bool) error {
	id, err := certRef(c.Cert)
	if err != nil {
		return err
	}
	q := certThing{id, c.Thing, detach}
	if _, err := askControl[none](&c.controlFlags, "cert attach", q); err != nil {
		return err
	}
	verb := "attached to"
	if detach {
		verb = "detached from"
	}
	return c.done(q, "thing %s is %s certificate %s", c.Thing, verb, shortID(strings.ToLower(id)))
}

type cloudCertAttachCmd struct{ certThingFlags }

func (c *cloudCertAttachCmd) Help() string {
	return "Example:\n  skep cloud cert attach 3f2a9c41 --thing tracker-7"
}

func (c *cloudCertAttachCmd) Run() error { return c.attach(false) }

type cloudCertDetachCmd struct{ certThingFlags }

func (c *cloudCertDetachCmd) Help() string {
	return "Example:\n  skep cloud cert detach 3f2a9c41 --thing tracker-7"
}

func (c *cloudCertDetachCmd) Run() error { return c.attach(true) }

type cloudCertDeleteCmd struct {
	certArg
	Force bool `help:"Although policies are attached."`
}

func (c *cloudCertDeleteCmd) Help() string { return "Example:\n  skep cloud cert delete 3f2a9c41" }

func (c *cloudCertDeleteCmd) Run() error {
	id, err := certRef(c.Cert)
	if err != nil {
		return err
	}
	q := certDeletion{id, c.Force}
	if _, err := askControl[none](&c.controlFlags, "cert delete", q); err != nil {
		return err
	}
	return c.done(q, "deleted certificate %s", shortID(id))
}
