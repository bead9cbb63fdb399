package main

import (
	"fmt"
	"io"

	"github.com/skep-sim/skep/internal/awsiot/control"
)

// keyOps are the operations on access keys.
func keyOps() map[string]cloudOp {
	return map[string]cloudOp{
		"credentials create": op(func(c *localCloud, q keyCreation) (control.Key, error) {
			return c.plane().CreateKey(q.Name, q.Policies)
		}),
		"credentials list": op(func(c *localCloud, _ none) ([]control.Key, error) { return c.plane().Keys(), nil }),
		"credentials status": op(func(c *localCloud, q keyStatus) (none, error) {
			return none{}, c.plane().SetKeyActive(q.Key, q.Active)
		}),
		"credentials delete": op(func(c *localCloud, q byName) (none, error) { return none{}, c.plane().DeleteKey(q.Name) }),
	}
}

type keyCreation struct {
	Name     string
	Policies []string
}

type keyStatus struct {
	Key    string `json:"accessKeyId"`
	Active bool   `json:"active"`
}

// cloudCredentialsCmd is skep cloud credentials.
type cloudCredentialsCmd struct {
	Create     cloudKeyCreateCmd     `cmd:"" help:"Make an access key for signed requests."`
	List       cloudKeyListCmd       `cmd:"" help:"List the access keys."`
	Activate   cloudKeyActivateCmd   `cmd:"" help:"Let an access key be used."`
	Deactivate cloudKeyDeactivateCmd `cmd:"" help:"Keep an access key from being used."`
	Delete     cloudKeyDeleteCmd     `cmd:"" help:"Delete an access key."`
}

func (c *cloudCredentialsCmd) Help() string {
	return "Example:\n  skep cloud credentials create --policy backend\n\nBack ends sign with them (SigV4): HTTPS and MQTT over WebSocket on port 443. At AWS\nthey belong to a user or role; here a stored policy says what they may do."
}

type cloudKeyCreateCmd struct {
	controlFlags
	Name   string   `help:"What it is for." placeholder:"TEXT"`
	Policy []string `help:"Stored policy to attach; may be repeated." placeholder:"NAME"`
}

func (c *cloudKeyCreateCmd) Help() string {
	return "Example:\n  skep cloud credentials create --policy backend >> ~/.aws/credentials\n\nThe secret is shown this once."
}

func (c *cloudKeyCreateCmd) Run() error {
	key, err := askControl[control.Key](&c.controlFlags, "credentials create", keyCreation{c.Name, c.Policy})
	if err != nil {
		return err
	}
	return c.show(key, func(w io.Writer) {
		fmt.Fprintf(w, "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", key.ID, key.Secret)
	})
}

type cloudKeyListCmd struct{ controlFlags }

func (c *cloudKeyListCmd) Help() string { return "Example:\n  skep cloud credentials list" }

func (c *cloudKeyListCmd) Run() error {
	list, err := askControl[[]control.Key](&c.controlFlags, "credentials list", none{})
	if err != nil {
		return err
	}
	return c.show(list, func(w io.Writer) { writeKeys(w, list) })
}

func writeKeys(w io.Writer, list []control.Key) {
	fmt.Fprintln(w, "ACCESS KEY\tACTIVE\tPOLICIES\tNAME")
	for _, k := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", k.ID, yesNo(k.Active), orDash(k.Policies), dash(k.Name))
	}
}

// keyArg names an access key.
type keyArg struct {
	controlFlags
	Key string `arg:"" help:"Access key id."`
}

func (c *keyArg) set(active bool) error {
	q := keyStatus{c.Key, active}
	if _, err := askControl[none](&c.controlFlags, "credentials status", q); err != nil {
		return err
	}
	if active {
		return c.done(q, "access key %s is active", c.Key)
	}
	return c.done(q, "access key %s is inactive", c.Key)
}

type cloudKeyActivateCmd struct{ keyArg }

func (c *cloudKeyActivateCmd) Help() string {
	return "Example:\n  skep cloud credentials activate AKIAEXAMPLEEXAMPLE22"
}

func (c *cloudKeyActivateCmd) Run() error { return c.set(true) }

type cloudKeyDeactivateCmd struct{ keyArg }

func (c *cloudKeyDeactivateCmd) Help() string {
	return "Example:\n  skep cloud credentials deactivate AKIAEXAMPLEEXAMPLE22"
}

func (c *cloudKeyDeactivateCmd) Run() error { return c.set(false) }

type cloudKeyDeleteCmd struct{ keyArg }

func (c *cloudKeyDeleteCmd) Help() string {
	return "Example:\n  skep cloud credentials delete AKIAEXAMPLEEXAMPLE22"
}

func (c *cloudKeyDeleteCmd) Run() error {
	if _, err := askControl[none](&c.controlFlags, "credentials delete", byName{c.Key}); err != nil {
		return err
	}
	return c.done(byName{c.Key}, "deleted access key %s", c.Key)
}
