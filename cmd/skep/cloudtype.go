package main

import (
	"fmt"
	"io"

	"github.com/skep-sim/skep/internal/awsiot/control"
)

// cloudTypeCmd is skep cloud type.
type cloudTypeCmd struct {
	Create    cloudTypeCreateCmd    `cmd:"" help:"Make a thing type."`
	List      cloudTypeListCmd      `cmd:"" help:"List the thing types."`
	Show      cloudTypeShowCmd      `cmd:"" help:"Show a thing type."`
	Deprecate cloudTypeDeprecateCmd `cmd:"" help:"Keep further things from getting a type."`
	Delete    cloudTypeDeleteCmd    `cmd:"" help:"Delete a type that has been deprecated for 5 minutes and that no thing has."`
}

func (c *cloudTypeCmd) Help() string {
	return "Example:\n  skep cloud type create tracker --description 'on a pallet'\n\nPolicies ask for a thing's type as ${iot:Connection.Thing.ThingTypeName}."
}

type cloudTypeCreateCmd struct {
	controlFlags
	Name        string   `arg:"" help:"Name of the type."`
	Description string   `help:"What it is." placeholder:"TEXT"`
	Searchable  []string `help:"A searchable attribute; up to 3." placeholder:"NAME"`
}

func (c *cloudTypeCreateCmd) Help() string { return "Example:\n  skep cloud type create tracker" }

func (c *cloudTypeCreateCmd) Run() error {
	t, err := askControl[control.ThingType](&c.controlFlags, "type create", control.ThingType{Name: c.Name, Description: c.Description, Searchable: c.Searchable})
	if err != nil {
		return err
	}
	return c.done(t, "thing type %s", t.Name)
}

type cloudTypeListCmd struct{ controlFlags }

func (c *cloudTypeListCmd) Help() string { return "Example:\n  skep cloud type list" }

func (c *cloudTypeListCmd) Run() error {
	list, err := askControl[[]control.ThingType](&c.controlFlags, "type list", none{})
	if err != nil {
		return err
	}
	return c.show(list, func(w io.Writer) {
		fmt.Fprintln(w, "TYPE\tTHINGS\tDEPRECATED\tDESCRIPTION")
		for _, t := range list {
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", t.Name, len(t.Things), yesNo(t.Deprecated), dash(t.Description))
		}
	})
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

type cloudTypeShowCmd struct {
	controlFlags
	Name string `arg:"" help:"Name of the type."`
}

func (c *cloudTypeShowCmd) Help() string { return "Example:\n  skep cloud type show tracker --json" }

func (c *cloudTypeShowCmd) Run() error {
	t, err := askControl[control.ThingType](&c.controlFlags, "type show", byName{c.Name})
	if err != nil {
		return err
	}
	return c.show(t, func(w io.Writer) {
		fmt.Fprintf(w, "type\t%s\ndescription\t%s\nsearchable\t%s\ndeprecated\t%s\ncreated\t%s\nthings\t%s\n",
			t.Name, dash(t.Description), orDash(t.Searchable), yesNo(t.Deprecated), dash(t.Created), orDash(t.Things))
	})
}

type cloudTypeDeprecateCmd struct {
	controlFlags
	Name string `arg:"" help:"Name of the type."`
	Undo bool   `help:"Let things get it again."`
}

func (c *cloudTypeDeprecateCmd) Help() string { return "Example:\n  skep cloud type deprecate tracker" }

func (c *cloudTypeDeprecateCmd) Run() error {
	if _, err := askControl[none](&c.controlFlags, "type deprecate", deprecation{c.Name, c.Undo}); err != nil {
		return err
	}
	if c.Undo {
		return c.done(byName{c.Name}, "thing type %s is in use again", c.Name)
	}
	return c.done(byName{c.Name}, "thing type %s is deprecated", c.Name)
}

type cloudTypeDeleteCmd struct {
	controlFlags
	Name string `arg:"" help:"Name of the type."`
}

func (c *cloudTypeDeleteCmd) Help() string { return "Example:\n  skep cloud type delete tracker" }

func (c *cloudTypeDeleteCmd) Run() error {
	if _, err := askControl[none](&c.controlFlags, "type delete", byName{c.Name}); err != nil {
		return err
	}
	return c.done(byName{c.Name}, "deleted thing type %s", c.Name)
}
