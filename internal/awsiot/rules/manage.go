package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/skep-sim/skep/internal/awsiot/store"
)

// counters count what a rule did since the engine began.
type counters struct {
	matched, passed, failed, dropped, actions, actionFailures atomic.Int64
}

// Counters are counters at one moment.
type Counters struct {
	Matched        int64 `json:"matched"`        // messages that the topic filter or Basic Ingest brought
	Passed         int64 `json:"passed"`         // for which WHERE held
	Failed         int64 `json:"failed"`         // whose evaluation failed
	Dropped        int64 `json:"dropped"`        // for want of room or time
	Actions        int64 `json:"actions"`        // that succeeded
	ActionFailures int64 `json:"actionFailures"` // that did not
}

func (c *counters) read() Counters {
	return Counters{c.matched.Load(), c.passed.Load(), c.failed.Load(), c.dropped.Load(), c.actions.Load(), c.actionFailures.Load()}
}

// Rule is a rule as it is shown, with AWS's names.
type Rule struct {
	Name     string   `json:"ruleName"`
	Filter   string   `json:"topicPattern"` // "" when only Basic Ingest reaches it
	Disabled bool     `json:"ruleDisabled"`
	Created  int64    `json:"createdAt"` // seconds since 1970
	Payload  any      `json:"topicRulePayload"`
	Counters Counters `json:"counters"`
}

func (r *rule) show() Rule {
	return Rule{Name: r.name, Filter: r.statement.Filter(), Disabled: r.payload.Disabled, Created: r.created, Payload: r.payload, Counters: r.counters.read()}
}

// Put makes a rule, or replaces it; its counters then go on. confirmed takes the destinations
// of its http actions for confirmed, which otherwise is asked of each destination.
func (e *Engine) Put(name string, text []byte, confirmed bool) (Rule, error) {
	r, err := e.parse(name, text)
	if err != nil {
		return Rule{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	old := e.index.Load().byName
	r.created = e.cfg.Clock.Now().Unix()
	if before := old[name]; before != nil {
		r.created, r.counters = before.created, before.counters
	} else if len(old) >= maxRules {
		return Rule{}, fmt.Errorf("there are %d rules, the limit is %d", len(old), maxRules)
	}
	if err := e.keep(r); err != nil {
		return Rule{}, err
	}
	for _, a := range append(slices.Clone(r.actions), r.errorAction) {
		if h, ok := a.(*httpAction); ok {
			if err := e.want(h.confirm, confirmed); err != nil {
				return Rule{}, err
			}
		}
	}
	e.replace(name, r)
	return r.show(), nil
}

// keep stores a rule.
func (e *Engine) keep(r *rule) error {
	body, err := json.Marshal(r.payload)
	if err != nil {
		return err
	}
	text, err := json.Marshal(stored{Payload: body, Created: r.created})
	if err != nil {
		return err
	}
	if err := e.put(keyRule+r.name, text); err != nil {
		return fmt.Errorf("storing rule %s: %w", r.name, err)
	}
	return nil
}

// put stores and waits until that is safe.
func (e *Engine) put(key string, text []byte) error {
	result := make(chan error, 1)
	e.cfg.State.Put(store.Rules, key, text, func(err error) { result <- err })
	return <-result
}

// replace shows a rule in place of the one of its name; nil removes that. e.mu is held.
func (e *Engine) replace(name string, r *rule) {
	next := maps.Clone(e.index.Load().byName)
	delete(next, name)
	if r != nil {
		next[name] = r
	}
	e.show(next)
}

// Get shows a rule.
func (e *Engine) Get(name string) (Rule, error) {
	r := e.index.Load().byName[name]
	if r == nil {
		return Rule{}, noRule(name)
	}
	return r.show(), nil
}

// List shows all rules in order of their names.
func (e *Engine) List() []Rule {
	byName := e.index.Load().byName
	out := []Rule{}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		out = append(out, byName[name].show())
	}
	return out
}

// Delete removes a rule.
func (e *Engine) Delete(name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.index.Load().byName[name] == nil {
		return noRule(name)
	}
	if err := e.put(keyRule+name, nil); err != nil {
		return fmt.Errorf("deleting rule %s: %w", name, err)
	}
	e.replace(name, nil)
	return nil
}

// Enable switches a rule on or off.
func (e *Engine) Enable(name string, on bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	before := e.index.Load().byName[name]
	if before == nil {
		return noRule(name)
	}
	r := *before
	r.payload.Disabled = !on
	if err := e.keep(&r); err != nil {
		return err
	}
	e.replace(name, &r)
	return nil
}
