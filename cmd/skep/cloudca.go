package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/skep-sim/skep/internal/awsiot/control"
)

// caOps are the operations on certificate authorities of one's own.
func caOps() map[string]cloudOp {
	return map[string]cloudOp{
		"ca create": op(func(c *localCloud, q caCreation) (madeCA, error) {
			ca, files, err := c.plane().CreateCA(q.Dir, q.CommonName, q.EC, q.AutoRegister)
			return madeCA{ca, files}, err
		}),
		"ca register": op(func(c *localCloud, q control.NewCA) (control.CA, error) { return c.plane().RegisterCA(q) }),
		"ca code":     op(func(c *localCloud, _ none) (string, error) { return c.state.RegistrationCode() }),
		"ca list":     op(func(c *localCloud, _ none) ([]control.CA, error) { return c.plane().CAs(), nil }),
		"ca update": op(func(c *localCloud, q caChange) (control.CA, error) {
			return c.plane().UpdateCA(q.CA, q.Active, q.AutoRegister)
		}),
		"ca delete": op(func(c *localCloud, q byName) (none, error) { return none{}, c.plane().DeleteCA(q.Name) }),
	}
}

type caCreation struct {
	Dir, CommonName  string
	EC, AutoRegister bool
}

type madeCA struct {
	control.CA
	Files []string `json:"files"`
}

type caChange struct {
	CA                   string
	Active, AutoRegister *bool
}

// cloudCACmd is skep cloud ca.
type cloudCACmd struct {
	Create   cloudCACreateCmd   `cmd:"" help:"Make a CA for trials, and register it."`
	Code     cloudCACodeCmd     `cmd:"" help:"Write the registration code, the common name of a verification certificate."`
	Register cloudCARegisterCmd `cmd:"" help:"Register a CA."`
	List     cloudCAListCmd     `cmd:"" help:"List the registered CAs."`
	Update   cloudCAUpdateCmd   `cmd:"" help:"Switch a CA, or its automatic registration, on or off."`
	Delete   cloudCADeleteCmd   `cmd:"" help:"Delete an inactive CA."`
}

func (c *cloudCACmd) Help() string {
	return "Example:\n  skep cloud ca create factory --auto-register\n  skep cloud cert create device --ca-cert factory/ca.crt --ca-key factory/ca.key --unregistered\n\nSuch a device's first connection registers it as PENDING_ACTIVATION and is refused;\nan event on $aws/events/certificates/registered/ID says so, and skep cloud cert\nactivate lets it in."
}

type cloudCACreateCmd struct {
	controlFlags
	Dir          string `arg:"" help:"Where ca.crt and ca.key go; nothing is overwritten."`
	CommonName   string `help:"Common name of its subject." default:"Test CA" placeholder:"NAME"`
	EC           bool   `name:"ec" help:"A P-256 key instead of RSA-2048."`
	AutoRegister bool   `help:"Register devices' certificates at their first connection."`
}

func (c *cloudCACreateCmd) Help() string { return "Example:\n  skep cloud ca create factory" }

func (c *cloudCACreateCmd) Run() error {
	abs, err := filepath.Abs(c.Dir)
	if err != nil {
		return err
	}
	made, err := askControl[madeCA](&c.controlFlags, "ca create", caCreation{abs, c.CommonName, c.EC, c.AutoRegister})
	if err != nil {
		return err
	}
	made.Files = relative(made.Files, abs, c.Dir)
	return c.show(made, func(w io.Writer) {
		fmt.Fprintf(w, "CA %s, %s\n", made.ID, made.Status)
		for _, p := range made.Files {
			fmt.Fprintln(w, "wrote", p)
		}
	})
}

type cloudCACodeCmd struct{ controlFlags }

func (c *cloudCACodeCmd) Help() string {
	return "Example:\n  openssl req -new -key verify.key -subj /CN=$(skep cloud ca code) -out verify.csr"
}

func (c *cloudCACodeCmd) Run() error {
	code, err := askControl[string](&c.controlFlags, "ca code", none{})
	if err != nil {
		return err
	}
	return c.done(map[string]string{"registrationCode": code}, "%s", code)
}

type cloudCARegisterCmd struct {
	controlFlags
	File         string `arg:"" help:"The CA's certificate, PEM."`
	Verification string `help:"Certificate signed by the CA whose common name is the registration code: the proof that you have its key." placeholder:"FILE"`
	SNIOnly      bool   `name:"sni-only" help:"AWS's mode SNI_ONLY: no proof, but its devices must send a server name."`
	AutoRegister bool   `help:"Register devices' certificates at their first connection."`
	Inactive     bool   `help:"Do not let its certificates be registered yet."`
}

func (c *cloudCARegisterCmd) Help() string {
	return "Example:\n  skep cloud ca register factory.crt --verification verify.crt --auto-register"
}

func (c *cloudCARegisterCmd) Run() error {
	if c.SNIOnly && c.Verification != "" {
		return fmt.Errorf("--sni-only takes no --verification: leave one out")
	}
	text, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	proof, err := optionalFile(c.Verification)
	if err != nil {
		return err
	}
	ca, err := askControl[control.CA](&c.controlFlags, "ca register", control.NewCA{
		Cert: text, Verification: proof, SNIOnly: c.SNIOnly, AutoRegister: c.AutoRegister, Inactive: c.Inactive,
	})
	if err != nil {
		return err
	}
	return c.done(ca, "CA %s, %s", ca.ID, ca.Status)
}

type cloudCAListCmd struct{ controlFlags }

func (c *cloudCAListCmd) Help() string { return "Example:\n  skep cloud ca list" }

func (c *cloudCAListCmd) Run() error {
	list, err := askControl[[]control.CA](&c.controlFlags, "ca list", none{})
	if err != nil {
		return err
	}
	return c.show(list, func(w io.Writer) { writeCAs(w, list) })
}

func writeCAs(w io.Writer, list []control.CA) {
	fmt.Fprintln(w, "CA\tSTATUS\tMODE\tAUTO-REGISTRATION\tKEY\tCERTIFICATES\tSUBJECT")
	for _, ca := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", shortID(ca.ID), ca.Status, ca.Mode, yesNo(ca.AutoRegister), ca.Key, ca.Certificates, ca.Subject)
	}
}

type cloudCAUpdateCmd struct {
	controlFlags
	CA             string `arg:"" help:"Id of the CA, the first digits of it, or its PEM file."`
	Active         bool   `help:"Let its certificates be registered." xor:"active"`
	Inactive       bool   `help:"Do not let its certificates be registered; those that are stay." xor:"active"`
	AutoRegister   bool   `help:"Register devices' certificates at their first connection." xor:"auto"`
	NoAutoRegister bool   `help:"Do not." xor:"auto"`
}

func (c *cloudCAUpdateCmd) Help() string {
	return "Example:\n  skep cloud ca update factory/ca.crt --no-auto-register"
}

func (c *cloudCAUpdateCmd) Run() error {
	id, err := certRef(c.CA)
	if err != nil {
		return err
	}
	choice := func(on, off bool) *bool {
		if on == off {
			return nil
		}
		return &on
	}
	q := caChange{CA: id, Active: choice(c.Active, c.Inactive), AutoRegister: choice(c.AutoRegister, c.NoAutoRegister)}
	if q.Active == nil && q.AutoRegister == nil {
		return fmt.Errorf("say what to change: --active, --inactive, --auto-register or --no-auto-register")
	}
	ca, err := askControl[control.CA](&c.controlFlags, "ca update", q)
	if err != nil {
		return err
	}
	return c.done(ca, "CA %s is %s, automatic registration: %s", shortID(ca.ID), ca.Status, yesNo(ca.AutoRegister))
}

type cloudCADeleteCmd struct {
	controlFlags
	CA string `arg:"" help:"Id of the CA, the first digits of it, or its PEM file."`
}

func (c *cloudCADeleteCmd) Help() string {
	return "Example:\n  skep cloud ca update 3f2a9c41 --inactive && skep cloud ca delete 3f2a9c41"
}

func (c *cloudCADeleteCmd) Run() error {
	id, err := certRef(c.CA)
	if err != nil {
		return err
	}
	if _, err := askControl[none](&c.controlFlags, "ca delete", byName{id}); err != nil {
		return err
	}
	return c.done(byName{id}, "deleted CA %s", shortID(id))
}
