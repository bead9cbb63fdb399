package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/skep-sim/skep/internal/awsiot/control"
	"github.com/skep-sim/skep/internal/awsiot/identity"
)

// controlOps are the operations of the control plane, see cloudOps.
func controlOps() map[string]cloudOp {
	ops := map[string]cloudOp{}
	maps.Copy(ops, thingOps())
	maps.Copy(ops, certOps())
	maps.Copy(ops, policyOps())
	maps.Copy(ops, caOps())
	maps.Copy(ops, keyOps())
	ops["explain"] = op(explainOp)
	ops["overview"] = op(func(c *localCloud, _ struct{}) (cloudOverview, error) { return c.overview(), nil })
	return ops
}

// controlFlags are common to the commands of the control plane.
type controlFlags struct {
	State string `help:"State directory. Default: this user's, which skep run uses, too." placeholder:"DIR"`
	JSON  bool   `help:"Write JSON."`
}

// link is the way to the state.
func (f *controlFlags) link(command string) (*cloudLink, error) {
	return newControlLink("skep cloud "+command, f.State, os.Stderr)
}

// askControl has an operation of the control plane carried out.
func askControl[Out any](f *controlFlags, do string, in any) (out Out, err error) {
	l, err := f.link(do)
	if err != nil {
		return out, err
	}
	defer l.close()
	return ask[Out](l, do, in)
}

// show writes v as JSON if that is asked for, and else what text writes.
func (f *controlFlags) show(v any, text func(w io.Writer)) error {
	if f.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		return out.Encode(v)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	text(w)
	return w.Flush()
}

// done says what was done, or as JSON the object it was done to.
func (f *controlFlags) done(v any, format string, args ...any) error {
	return f.show(v, func(w io.Writer) { fmt.Fprintf(w, format+"\n", args...) })
}

// byName is a request about one object.
type byName struct {
	Name string `json:"name"`
}

// none is the answer of operations that have none.
type none struct{}

// shortID is an id as lists show it, long enough for commands.
func shortID(id string) string { return id[:min(len(id), 10)] }

func shortIDs(ids []string) string {
	if len(ids) == 0 {
		return "-"
	}
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = shortID(id)
	}
	return strings.Join(out, ",")
}

func orDash(list []string) string {
	if len(list) == 0 {
		return "-"
	}
	return strings.Join(list, ",")
}

// certRef is the id that a certificate is named by: the argument, or that of the PEM file it
// names.
func certRef(arg string) (string, error) {
	text, err := os.ReadFile(arg)
	if err != nil {
		if looksLikePath(arg) {
			return "", err
		}
		return arg, nil
	}
	parsed, err := identity.ParseCertificate(text)
	if err != nil {
		return "", fmt.Errorf("%s: %w", arg, err)
	}
	return identity.Fingerprint(parsed.Raw), nil
}

func looksLikePath(arg string) bool {
	return strings.ContainsAny(arg, `/\.`) && !strings.HasSuffix(arg, "…")
}

// attributes are written NAME=VALUE.
func attributes(list []string) (map[string]string, error) {
	out := map[string]string{}
	for _, s := range list {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return nil, fmt.Errorf("attribute %q: write NAME=VALUE", s)
		}
		out[name] = value
	}
	return out, nil
}

// optionalFile reads a file if one is named.
func optionalFile(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	return os.ReadFile(path)
}

// relative shows paths below dir, absolute, as the user would write them.
func relative(paths []string, abs, dir string) []string {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = p
		if rest, err := filepath.Rel(abs, p); err == nil {
			out[i] = filepath.Join(dir, rest)
		}
	}
	return out
}

// plane is the control plane of the state.
func (c *localCloud) plane() *control.Control { return c.server.Control() }
