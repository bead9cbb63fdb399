package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/skep-sim/skep/internal/awsiot/control"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// policyOps are the operations on policies.
func policyOps() map[string]cloudOp {
	return map[string]cloudOp{
		"policy put": op(func(c *localCloud, q policyText) (policyPut, error) {
			replaced, err := c.plane().PutPolicy(q.Name, q.Text)
			return policyPut{q.Name, replaced}, err
		}),
		"policy list":   op(func(c *localCloud, _ none) ([]control.Policy, error) { return c.plane().Policies(), nil }),
		"policy show":   op(func(c *localCloud, q byName) (control.Policy, error) { return c.plane().Policy(q.Name) }),
		"policy delete": op(func(c *localCloud, q byName) (none, error) { return none{}, c.plane().DeletePolicy(q.Name) }),
		"policy attach": op(func(c *localCloud, q policyTarget) (none, error) {
			return none{}, c.plane().AttachPolicy(q.Policy, q.Target, q.Detach)
		}),
	}
}

// policyText is a policy's file: bytes, since it may be anything until it has been parsed.
type policyText struct {
	Name string
	Text []byte
}

type policyPut struct {
	Name     string `json:"policyName"`
	Replaced bool   `json:"replaced"`
}

type policyTarget struct {
	Policy string `json:"policyName"`
	Target string `json:"target"`
	Detach bool   `json:"detached"`
}

// cloudPolicyCmd is skep cloud policy.
type cloudPolicyCmd struct {
	Put    cloudPolicyPutCmd    `cmd:"" help:"Store a policy; one of that name is replaced."`
	List   cloudPolicyListCmd   `cmd:"" help:"List the policies."`
	Show   cloudPolicyShowCmd   `cmd:"" help:"Write a policy's text."`
	Attach cloudPolicyAttachCmd `cmd:"" help:"Attach a policy to a certificate or access key."`
	Detach cloudPolicyDetachCmd `cmd:"" help:"Detach a policy."`
	Delete cloudPolicyDeleteCmd `cmd:"" help:"Delete a policy that is attached to nothing."`
}

func (c *cloudPolicyCmd) Help() string {
	return "Example:\n  skep cloud policy put tracker.json\n  skep cloud policy attach tracker app/cert/aws.crt\n\nA change counts at once, for connected clients too; AWS takes some minutes."
}

type cloudPolicyPutCmd struct {
	controlFlags
	File string `arg:"" help:"The policy document, as AWS IoT takes it."`
	Name string `help:"Name of the policy. Default: the file's, without .json." placeholder:"NAME"`
}

func (c *cloudPolicyPutCmd) Help() string {
	return "Example:\n  skep cloud policy put restricted.json --name tracker"
}

func (c *cloudPolicyPutCmd) Run() error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	name := c.Name
	if name == "" {
		name = policyFileName(c.File)
	}
	put, err := askControl[policyPut](&c.controlFlags, "policy put", policyText{name, text})
	if err != nil {
		return err
	}
	if put.Replaced {
		return c.done(put, "policy %s, replaced", put.Name)
	}
	return c.done(put, "policy %s", put.Name)
}

// policyFileName is what a policy is called that comes from a file.
func policyFileName(path string) string {
	name := filepath.Base(path)
	return strings.TrimSuffix(name, filepath.Ext(name))
}

type cloudPolicyListCmd struct{ controlFlags }

func (c *cloudPolicyListCmd) Help() string { return "Example:\n  skep cloud policy list" }

func (c *cloudPolicyListCmd) Run() error {
	list, err := askControl[[]control.Policy](&c.controlFlags, "policy list", none{})
	if err != nil {
		return err
	}
	return c.show(list, func(w io.Writer) { writePolicies(w, list) })
}

func writePolicies(w io.Writer, list []control.Policy) {
	fmt.Fprintln(w, "POLICY\tSTATEMENTS\tATTACHED TO")
	for _, p := range list {
		to := shortIDs(p.Certificates)
		if len(p.Keys) > 0 {
			to = strings.TrimPrefix(to+","+strings.Join(p.Keys, ","), "-,")
		}
		fmt.Fprintf(w, "%s\t%d\t%s\n", p.Name, p.Statements, to)
	}
}

type cloudPolicyShowCmd struct {
	controlFlags
	Name string `arg:"" help:"Name of the policy."`
}

func (c *cloudPolicyShowCmd) Help() string {
	return "Example:\n  skep cloud policy show tracker > tracker.json\n\nWith --json it says where the policy is attached, too."
}

func (c *cloudPolicyShowCmd) Run() error {
	p, err := askControl[control.Policy](&c.controlFlags, "policy show", byName{c.Name})
	if err != nil {
		return err
	}
	return c.show(p, func(w io.Writer) {
		var text bytes.Buffer
		if json.Indent(&text, p.Text, "", "  ") != nil {
			text.Write(p.Text)
		}
		fmt.Fprintln(w, text.String())
	})
}

// policyTargetFlags name a policy and what it is attached to.
type policyTargetFlags struct {
	controlFlags
	Name   string `arg:"" help:"Name of the policy."`
	Target string `arg:"" help:"Certificate (id, first digits or PEM file) or access key id."`
}

func (c *policyTargetFlags) attach(detach bool) error {
	target := c.Target
	if !store.IsKeyID(target) {
		var err error
		if target, err = certRef(target); err != nil {
			return err
		}
	}
	q := policyTarget{c.Name, target, detach}
	if _, err := askControl[none](&c.controlFlags, "policy attach", q); err != nil {
		return err
	}
	verb := "attached to"
	if detach {
		verb = "detached from"
	}
	kind := "certificate " + shortID(target)
	if store.IsKeyID(target) {
		kind = "access key " + target
	}
	return c.done(q, "policy %s is %s %s", c.Name, verb, kind)
}

type cloudPolicyAttachCmd struct{ policyTargetFlags }

func (c *cloudPolicyAttachCmd) Help() string {
	return "Example:\n  skep cloud policy attach tracker app/cert/aws.crt"
}

func (c *cloudPolicyAttachCmd) Run() error { return c.attach(false) }

type cloudPolicyDetachCmd struct{ policyTargetFlags }

func (c *cloudPolicyDetachCmd) Help() string {
	return "Example:\n  skep cloud policy detach skep-open app/cert/aws.crt"
}

func (c *cloudPolicyDetachCmd) Run() error { return c.attach(true) }

type cloudPolicyDeleteCmd struct {
	controlFlags
	Name string `arg:"" help:"Name of the policy."`
}

func (c *cloudPolicyDeleteCmd) Help() string { return "Example:\n  skep cloud policy delete tracker" }

func (c *cloudPolicyDeleteCmd) Run() error {
	if _, err := askControl[none](&c.controlFlags, "policy delete", byName{c.Name}); err != nil {
		return err
	}
	return c.done(byName{c.Name}, "deleted policy %s", c.Name)
}
