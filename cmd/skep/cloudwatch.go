package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/skep-sim/skep/internal/awsiot/traffic"
)

// watchQuery says what is to be seen.
type watchQuery struct {
	Filters []string // of messages; none for no messages
	Events  bool
}

// sendTraffic passes messages and events on.
func sendTraffic(ctx context.Context, c *localCloud, q watchQuery, begun func(), send func(traffic.Item) error) error {
	return traffic.Follow(ctx, c.traffic(), q.Filters, q.Events, begun, send)
}

// traffic is what passes through the cloud.
func (c *localCloud) traffic() traffic.Source {
	return traffic.Source{Clock: wallClock{}, Watch: c.server.Watch, Events: c.events.follow}
}

// cloudWatchCmd is skep cloud watch.
type cloudWatchCmd struct {
	controlFlags
	Events     bool     `help:"Show connections, disconnections and refusals, too, with the reason for each."`
	NoMessages bool     `help:"Show no messages."`
	Filter     []string `arg:"" optional:"" help:"Topic filters. Default: all messages, AWS IoT's own on $aws/ included."`
}

func (c *cloudWatchCmd) Help() string {
	return "Example:\n  skep cloud watch --events 'tracker/+/temperature'\n\nIt watches the cloud that another process runs, such as skep run or skep cloud, or\nelse runs one itself. With --json each line is a JSON object."
}

func (c *cloudWatchCmd) Run(ctx context.Context) error {
	q := watchQuery{Filters: c.Filter, Events: c.Events}
	switch {
	case c.NoMessages && len(c.Filter) > 0:
		return fmt.Errorf("--no-messages goes without a filter")
	case c.NoMessages && !c.Events:
		return fmt.Errorf("--no-messages leaves nothing to show without --events")
	case c.NoMessages:
	case len(c.Filter) == 0:
		q.Filters = traffic.All()
	}
	link, err := newControlLink("skep cloud watch", c.State, os.Stderr)
	if err != nil {
		return err
	}
	link.brief, link.silent = false, true
	defer link.abandon()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for {
		err := follow(ctx, link, "traffic", q, func() { c.say(link) }, func(i traffic.Item) error {
			if c.JSON {
				return out.Encode(i)
			}
			_, err := fmt.Println(i)
			return err
		})
		if ctx.Err() != nil {
			return nil
		}
		if !errors.Is(err, errCloudEnded) {
			return err
		}
		fmt.Fprintln(os.Stderr, "skep: the process that ran the local AWS IoT has ended; watching goes on")
	}
}

// say tells whose cloud is watched.
func (c *cloudWatchCmd) say(link *cloudLink) {
	own, shared, err := link.connection()
	switch {
	case err != nil:
	case own != nil:
		fmt.Fprintf(os.Stderr, "skep: nobody else runs the local AWS IoT, so this process does; state in %s; Ctrl-C ends it\n", link.dir)
	default:
		fmt.Fprintf(os.Stderr, "skep: watching the local AWS IoT of %s; Ctrl-C ends it\n", shared.info.Owner)
	}
}
