package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/skep-sim/skep/internal/awsiot/control"
)

// thingOps are the operations on things and thing types.
func thingOps() map[string]cloudOp {
	return map[string]cloudOp{
		"thing create": op(func(c *localCloud, q control.ThingChange) (control.Thing, error) { return c.plane().CreateThing(q) }),
		"thing update": op(func(c *localCloud, q control.ThingChange) (control.Thing, error) { return c.plane().UpdateThing(q) }),
		"thing list":   op(func(c *localCloud, _ none) ([]control.Thing, error) { return c.plane().Things(), nil }),
		"thing show":   op(func(c *localCloud, q byName) (control.Thing, error) { return c.plane().Thing(q.Name) }),
		"thing delete": op(func(c *localCloud, q byName) (none, error) { return none{}, c.plane().DeleteThing(q.Name) }),
		"type create": op(func(c *localCloud, q control.ThingType) (control.ThingType, error) {
			return c.plane().CreateType(q.Name, q.Description, q.Searchable)
		}),
		"type list": op(func(c *localCloud, _ none) ([]control.ThingType, error) { return c.plane().Types(), nil }),
		"type show": op(func(c *localCloud, q byName) (control.ThingType, error) { return c.plane().Type(q.Name) }),
		"type deprecate": op(func(c *localCloud, q deprecation) (none, error) {
			return none{}, c.plane().DeprecateType(q.Name, q.Undo)
		}),
		"type delete": op(func(c *localCloud, q byName) (none, error) { return none{}, c.plane().DeleteType(q.Name) }),
	}
}

type deprecation struct {
	Name string
	Undo bool
}

// cloudThingCmd is skep cloud thing.
type cloudThingCmd struct {
	Create cloudThingCreateCmd `cmd:"" help:"Make a thing."`
	Update cloudThingUpdateCmd `cmd:"" help:"Change a thing's type or attributes."`
	List   cloudThingListCmd   `cmd:"" help:"List the things."`
	Show   cloudThingShowCmd   `cmd:"" help:"Show a thing."`
	Delete cloudThingDeleteCmd `cmd:"" help:"Delete a thing that no certificate is attached to."`
}

func (c *cloudThingCmd) Help() string {
	return "Example:\n  skep cloud type create tracker\n  skep cloud thing create tracker-7 --type tracker --attribute site=north\n\nskep cloud init makes a thing with a certificate in one step."
}

// thingFlags say what to make of a thing.
type thingFlags struct {
	controlFlags
	Name      string   `arg:"" help:"Name of the thing."`
	Type      string   `help:"Its type." placeholder:"TYPE"`
	Attribute []string `help:"An attribute; may be repeated. An empty value removes it." placeholder:"NAME=VALUE" sep:"none"`
}

func (c *thingFlags) change() (control.ThingChange, error) {
	attr, err := attributes(c.Attribute)
	return control.ThingChange{Name: c.Name, Type: c.Type, Attributes: attr}, err
}

type cloudThingCreateCmd struct{ thingFlags }

func (c *cloudThingCreateCmd) Help() string {
	return "Example:\n  skep cloud thing create tracker-7 --attribute site=north --attribute owner=ops"
}

func (c *cloudThingCreateCmd) Run() error {
	q, err := c.change()
	if err != nil {
		return err
	}
	t, err := askControl[control.Thing](&c.controlFlags, "thing create", q)
	if err != nil {
		return err
	}
	return c.done(t, "thing %s", t.Name)
}

type cloudThingUpdateCmd struct {
	thingFlags
	NoType  bool `help:"Take its type away."`
	Replace bool `help:"Drop the attributes that are not named."`
}

func (c *cloudThingUpdateCmd) Help() string {
	return "Example:\n  skep cloud thing update tracker-7 --type tracker --attribute owner="
}

func (c *cloudThingUpdateCmd) Run() error {
	q, err := c.change()
	if err != nil {
		return err
	}
	q.NoType, q.Replace = c.NoType, c.Replace
	t, err := askControl[control.Thing](&c.controlFlags, "thing update", q)
	if err != nil {
		return err
	}
	return c.done(t, "thing %s is at version %d", t.Name, t.Version)
}

type cloudThingListCmd struct{ controlFlags }

func (c *cloudThingListCmd) Help() string { return "Example:\n  skep cloud thing list --json" }

func (c *cloudThingListCmd) Run() error {
	list, err := askControl[[]control.Thing](&c.controlFlags, "thing list", none{})
	if err != nil {
		return err
	}
	return c.show(list, func(w io.Writer) { writeThings(w, list) })
}

func writeThings(w io.Writer, list []control.Thing) {
	fmt.Fprintln(w, "THING\tTYPE\tATTRIBUTES\tCERTIFICATES")
	for _, t := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.Name, dash(t.Type), attributeText(t.Attributes), shortIDs(t.Certificates))
	}
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func attributeText(m map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+"="+m[k])
	}
	return dash(strings.Join(out, " "))
}

type cloudThingShowCmd struct {
	controlFlags
	Name string `arg:"" help:"Name of the thing."`
}

func (c *cloudThingShowCmd) Help() string { return "Example:\n  skep cloud thing show tracker-7" }

func (c *cloudThingShowCmd) Run() error {
	t, err := askControl[control.Thing](&c.controlFlags, "thing show", byName{c.Name})
	if err != nil {
		return err
	}
	return c.show(t, func(w io.Writer) {
		fmt.Fprintf(w, "thing\t%s\ntype\t%s\nattributes\t%s\nversion\t%d\ncreated\t%s\n", t.Name, dash(t.Type), attributeText(t.Attributes), t.Version, dash(t.Created))
		for _, id := range t.Certificates {
			fmt.Fprintf(w, "certificate\t%s\n", id)
		}
	})
}

type cloudThingDeleteCmd struct {
	controlFlags
	Name string `arg:"" help:"Name of the thing."`
}

func (c *cloudThingDeleteCmd) Help() string {
	return "Example:\n  skep cloud thing delete tracker-7\n\nIts shadows stay, as at AWS."
}

func (c *cloudThingDeleteCmd) Run() error {
	if _, err := askControl[none](&c.controlFlags, "thing delete", byName{c.Name}); err != nil {
		return err
	}
	return c.done(byName{c.Name}, "deleted thing %s", c.Name)
}
