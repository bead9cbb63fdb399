package main

import (
	"encoding/json"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/skep-sim/skep/internal/host/ports"
)

// portsCmd is skep ports.
type portsCmd struct {
	JSON bool `name:"json" help:"Print a line of JSON for each port."`
}

func (*portsCmd) Help() string {
	return "Example:\n  skep ports\n\n" +
		"The likeliest are first: Digi's development boards, then other USB adapters. What a\n" +
		"module says of itself: skep info --port PORT."
}

func (p *portsCmd) Run() error {
	list, err := ports.List()
	if err != nil {
		return fmt.Errorf("listing the serial ports: %w", err)
	}
	if p.JSON {
		e := json.NewEncoder(os.Stdout)
		for _, port := range list {
			if err := e.Encode(port); err != nil {
				return err
			}
		}
		return nil
	}
	if len(list) == 0 {
		fmt.Fprintln(os.Stderr, "skep: there is no serial port: plug a board in, or try skep serve for a virtual module")
		return nil
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	for _, port := range list {
		usb := ""
		if port.VID != "" {
			usb = port.VID + ":" + port.PID
		}
		what := port.Board
		if what == "" {
			what = port.Product
		}
		if port.Serial != "" {
			what += " (" + port.Serial + ")"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", port.Name, usb, what)
	}
	return w.Flush()
}
