package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/skep-sim/skep/internal/awsiot/rules"
)

// ruleOps are the operations on topic rules.
func ruleOps() map[string]cloudOp {
	return map[string]cloudOp{
		"rule put": op(func(c *localCloud, q rulePut) (rules.Rule, error) {
			return c.server.Rules().Put(q.Name, q.Text, q.Confirmed)
		}),
		"rule list":   op(func(c *localCloud, _ none) ([]rules.Rule, error) { return c.server.Rules().List(), nil }),
		"rule show":   op(func(c *localCloud, q byName) (rules.Rule, error) { return c.server.Rules().Get(q.Name) }),
		"rule delete": op(func(c *localCloud, q byName) (none, error) { return none{}, c.server.Rules().Delete(q.Name) }),
		"rule enable": op(func(c *localCloud, q ruleSwitch) (none, error) {
			return none{}, c.server.Rules().Enable(q.Name, q.On)
		}),
		"rule confirm":      op(func(c *localCloud, q byName) (string, error) { return c.server.Rules().ConfirmDestination(q.Name) }),
		"rule destinations": op(func(c *localCloud, _ none) ([]rules.Destination, error) { return c.server.Rules().Destinations(), nil }),
	}
}

type rulePut struct {
	Name      string
	Text      []byte
	Confirmed bool
}

type ruleSwitch struct {
	Name string
	On   bool
}

// cloudRuleCmd is skep cloud rule.
type cloudRuleCmd struct {
	Put          cloudRulePutCmd          `cmd:"" help:"Make a rule, or replace it."`
	List         cloudRuleListCmd         `cmd:"" help:"List the rules with what they have done."`
	Show         cloudRuleShowCmd         `cmd:"" help:"Show a rule."`
	Delete       cloudRuleDeleteCmd       `cmd:"" help:"Delete a rule."`
	Enable       cloudRuleEnableCmd       `cmd:"" help:"Switch a rule on."`
	Disable      cloudRuleDisableCmd      `cmd:"" help:"Switch a rule off."`
	Confirm      cloudRuleConfirmCmd      `cmd:"" help:"Confirm a destination of http actions by the token it was sent."`
	Destinations cloudRuleDestinationsCmd `cmd:"" help:"List the destinations of http actions."`
}

func (c *cloudRuleCmd) Help() string {
	return "Example:\n  skep cloud rule put hot hot.json\n\nhot.json is AWS's topic rule payload:\n  {\"sql\": \"SELECT * FROM 'dt/+/telemetry' WHERE temperature > 40\",\n   \"awsIotSqlVersion\": \"2016-03-23\",\n   \"actions\": [{\"republish\": {\"topic\": \"alarm/${topic(2)}\"}},\n               {\"file\": {\"path\": \"alarms.jsonl\"}}]}"
}

// oneRule is a command about one rule.
type oneRule struct {
	controlFlags
	Name string `arg:"" help:"Name of the rule."`
}

type cloudRulePutCmd struct {
	oneRule
	File      string `arg:"" help:"The rule, as AWS IoT's CreateTopicRule takes it; - reads it from stdin."`
	Confirmed bool   `help:"Take the destinations of its http actions for confirmed, instead of asking them."`
}

func (c *cloudRulePutCmd) Help() string {
	return "Example:\n  skep cloud rule put hot hot.json\n\nThe actions republish, http and file are there. A file's relative path is below\nfiles in the state directory."
}

func (c *cloudRulePutCmd) Run() error {
	text, err := readFileOrStdin(c.File)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, new(json.RawMessage)); err != nil {
		return fmt.Errorf("%s is not JSON (%w): it holds AWS's topic rule payload, such as %s", nameOrStdin(c.File), err, rulePayload)
	}
	r, err := askControl[rules.Rule](&c.controlFlags, "rule put", rulePut{c.Name, text, c.Confirmed})
	if err != nil {
		return err
	}
	on := r.Filter
	if on == "" {
		on = "$aws/rules/" + r.Name + "/... only"
	}
	return c.done(r, "rule %s on %s", r.Name, on)
}

// rulePayload is a short rule, for messages.
const rulePayload = `{"sql": "SELECT * FROM 'dt/+'", "awsIotSqlVersion": "2016-03-23", "actions": [{"republish": {"topic": "seen"}}]}`

// nameOrStdin is what messages call the argument of readFileOrStdin.
func nameOrStdin(name string) string {
	if name == "-" {
		return "what comes from stdin"
	}
	return name
}

// readFileOrStdin reads a file; - is stdin.
func readFileOrStdin(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(name)
}

type cloudRuleListCmd struct{ controlFlags }

func (c *cloudRuleListCmd) Help() string { return "Example:\n  skep cloud rule list --json" }

func (c *cloudRuleListCmd) Run() error {
	list, err := askControl[[]rules.Rule](&c.controlFlags, "rule list", none{})
	if err != nil {
		return err
	}
	return c.show(list, func(w io.Writer) {
		if len(list) == 0 {
			fmt.Fprintln(w, "no rules")
			return
		}
		fmt.Fprintln(w, "NAME\tTOPICS\tSTATE\tMATCHED\tPASSED\tACTIONS\tFAILED\tDROPPED")
		for _, r := range list {
			state, on := "enabled", r.Filter
			if r.Disabled {
				state = "disabled"
			}
			if on == "" {
				on = "-"
			}
			n := r.Counters
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\n", r.Name, on, state, n.Matched, n.Passed, n.Actions, n.Failed+n.ActionFailures, n.Dropped)
		}
	})
}

type cloudRuleShowCmd struct{ oneRule }

func (c *cloudRuleShowCmd) Help() string { return "Example:\n  skep cloud rule show hot" }

func (c *cloudRuleShowCmd) Run() error {
	r, err := askControl[rules.Rule](&c.controlFlags, "rule show", byName{c.Name})
	if err != nil {
		return err
	}
	c.JSON = true // a rule is JSON
	return c.show(r, nil)
}

type cloudRuleDeleteCmd struct{ oneRule }

func (c *cloudRuleDeleteCmd) Help() string { return "Example:\n  skep cloud rule delete hot" }

func (c *cloudRuleDeleteCmd) Run() error {
	if _, err := askControl[none](&c.controlFlags, "rule delete", byName{c.Name}); err != nil {
		return err
	}
	return c.done(byName{c.Name}, "rule %s deleted", c.Name)
}

type cloudRuleEnableCmd struct{ oneRule }

func (c *cloudRuleEnableCmd) Help() string { return "Example:\n  skep cloud rule enable hot" }

func (c *cloudRuleEnableCmd) Run() error { return c.set(true, "enabled") }

type cloudRuleDisableCmd struct{ oneRule }

func (c *cloudRuleDisableCmd) Help() string { return "Example:\n  skep cloud rule disable hot" }

func (c *cloudRuleDisableCmd) Run() error { return c.set(false, "disabled") }

func (c *oneRule) set(on bool, word string) error {
	if _, err := askControl[none](&c.controlFlags, "rule enable", ruleSwitch{c.Name, on}); err != nil {
		return err
	}
	return c.done(byName{c.Name}, "rule %s %s", c.Name, word)
}

type cloudRuleConfirmCmd struct {
	controlFlags
	Token string `arg:"" help:"The confirmationToken of the message that the destination was sent."`
}

func (c *cloudRuleConfirmCmd) Help() string {
	return "Example:\n  skep cloud rule confirm 3f0c...\n\nAs at AWS, a web server gets messages of rules only after it has confirmed that it\nwants them; skep cloud rule put --confirmed does without."
}

func (c *cloudRuleConfirmCmd) Run() error {
	if c.Token == "" {
		return errors.New("the token is empty")
	}
	url, err := askControl[string](&c.controlFlags, "rule confirm", byName{c.Token})
	if err != nil {
		return err
	}
	return c.done(byName{url}, "destination %s confirmed", url)
}

type cloudRuleDestinationsCmd struct{ controlFlags }

func (c *cloudRuleDestinationsCmd) Help() string {
	return "Example:\n  skep cloud rule destinations"
}

func (c *cloudRuleDestinationsCmd) Run() error {
	list, err := askControl[[]rules.Destination](&c.controlFlags, "rule destinations", none{})
	if err != nil {
		return err
	}
	return c.show(list, func(w io.Writer) {
		if len(list) == 0 {
			fmt.Fprintln(w, "no destinations")
			return
		}
		fmt.Fprintln(w, "URL\tSTATUS")
		for _, d := range list {
			fmt.Fprintf(w, "%s\t%s\n", d.URL, d.Status)
		}
	})
}
