package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/skep-sim/skep/internal/awsiot"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/host/app"
)

// Operations are what skep commands do with the local AWS IoT of this user. One
// process at a time holds its state. A command gives the name of an operation and a
// value to its link, which carries it out in this process if nobody holds the state,
// and otherwise asks the process that does; the command cannot tell which:
//
//	link, err := newControlLink("skep cloud thing", c.State, os.Stderr)
//	defer link.close()
//	list, err := ask[[]store.Thing](link, "thing list", thingQuery{})
//	err = follow(ctx, link, "events", struct{}{}, nil, func(e event.Event) error { ... })
//
// A further operation is a function and a line in cloudOps, or for one that goes on
// answering in cloudFlows. Values go as JSON in both cases, so that there is one
// behaviour. A path in them must be absolute: the other process is elsewhere.

// cloudOp answers an operation once.
type cloudOp func(c *localCloud, in json.RawMessage) (out any, err error)

// cloudFlow answers an operation again and again, until ctx is done: the asker has
// gone or the cloud ends. It calls begun as soon as what happens from now on will be
// sent. What send cannot send is an error, with which to end.
type cloudFlow struct {
	run func(ctx context.Context, c *localCloud, in json.RawMessage, begun func(), send func(item any) error) error
	// holds says that the asker needs the cloud: before it ends by itself it waits.
	holds bool
}

// cloudOps is the table of operations that answer once. Each group of commands has
// its own part of it, beside the commands.
func cloudOps() map[string]cloudOp {
	ops := map[string]cloudOp{
		"hello":   op(func(c *localCloud, _ struct{}) (string, error) { return c.owner, nil }),
		"init":    op(func(c *localCloud, q thingFiles) (*awsiot.Init, error) { return c.makeThing(q.Dir, q.Cloud) }),
		"prepare": op(func(c *localCloud, q preparation) (*awsiot.Init, error) { return c.prepare(q) }),
	}
	maps.Copy(ops, controlOps())
	maps.Copy(ops, ruleOps())
	maps.Copy(ops, jobOps())
	return ops
}

// cloudFlows is the table of operations that go on answering.
func cloudFlows() map[string]cloudFlow {
	return map[string]cloudFlow{
		"refusals": flow(true, sendRefusals),
		"events":   flow(false, sendEvents),
		"traffic":  flow(false, sendTraffic),
	}
}

// thingFiles asks for a thing with its files in a directory.
type thingFiles struct {
	Dir   string
	Cloud app.Cloud
}

// op makes an operation of a function with types.
func op[In, Out any](f func(*localCloud, In) (Out, error)) cloudOp {
	return func(c *localCloud, raw json.RawMessage) (any, error) {
		var in In
		if err := json.Unmarshal(raw, &in); err != nil {
			return nil, fmt.Errorf("what was asked cannot be read: %w", err)
		}
		return f(c, in)
	}
}

// flow makes a flow of a function with types.
func flow[In, Item any](holds bool, f func(ctx context.Context, c *localCloud, in In, begun func(), send func(Item) error) error) cloudFlow {
	return cloudFlow{holds: holds, run: func(ctx context.Context, c *localCloud, raw json.RawMessage, begun func(), send func(any) error) error {
		var in In
		if err := json.Unmarshal(raw, &in); err != nil {
			return fmt.Errorf("what was asked cannot be read: %w", err)
		}
		return f(ctx, c, in, begun, func(item Item) error { return send(item) })
	}}
}

// ask is [cloudLink.call] with a type.
func ask[Out any](l *cloudLink, do string, in any) (out Out, err error) {
	err = l.call(do, in, &out)
	return out, err
}

// follow is [cloudLink.stream] with a type.
func follow[Item any](ctx context.Context, l *cloudLink, do string, in any, begun func(), each func(Item) error) error {
	return l.stream(ctx, do, in, begun, func(raw json.RawMessage) error {
		var item Item
		if err := json.Unmarshal(raw, &item); err != nil {
			return err
		}
		return each(item)
	})
}

// errUnknownOp is for a process of another version.
func errUnknownOp(do string) error {
	return fmt.Errorf("the local AWS IoT that runs does not know %q: stop it, and start it with this version of skep", do)
}

// do carries out an operation that answers once.
func (c *localCloud) do(name string, in json.RawMessage) (json.RawMessage, error) {
	f, ok := cloudOps()[name]
	if !ok {
		return nil, errUnknownOp(name)
	}
	out, err := f(c, in)
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

// errCloudEnded says that the process that ran the cloud has ended it.
var errCloudEnded = errors.New("the local AWS IoT has ended")

// flow carries out an operation that goes on answering.
func (c *localCloud) flow(ctx context.Context, name string, in json.RawMessage, begun func(), send func(json.RawMessage) error) error {
	f, ok := cloudFlows()[name]
	if !ok {
		return errUnknownOp(name)
	}
	return f.run(ctx, c, in, begun, func(item any) error {
		text, err := json.Marshal(item)
		if err != nil {
			return err
		}
		return send(text)
	})
}

// sendRefusals passes every refusal on, as a line for a person.
func sendRefusals(ctx context.Context, c *localCloud, _ struct{}, begun func(), send func(string) error) error {
	return c.events.follow(ctx, begun, func(e event.Event) error {
		if e.Kind != event.Refused {
			return nil
		}
		return send(e.String())
	})
}

// sendEvents passes all events on.
func sendEvents(ctx context.Context, c *localCloud, _ struct{}, begun func(), send func(event.Event) error) error {
	return c.events.follow(ctx, begun, send)
}
