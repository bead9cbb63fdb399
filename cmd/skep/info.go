package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/skep-sim/skep/internal/host/info"
	"github.com/skep-sim/skep/internal/host/link"
)

// infoCmd is skep info.
type infoCmd struct {
	portFlags
	JSON bool `name:"json" help:"Print it as JSON."`
}

func (*infoCmd) Help() string {
	return "Example:\n  skep info --port /dev/ttyUSB0\n\n" +
		"Finds the baud rate and the mode of the module at a port, real or virtual, and asks what\n" +
		"it is and how it is. It changes nothing; a program that runs goes on."
}

func (i *infoCmd) Run() error {
	return i.with(func(c *connection, s *link.Session) error {
		report, err := info.Read(s)
		if err != nil {
			return err
		}
		if i.JSON {
			e := json.NewEncoder(os.Stdout)
			e.SetIndent("", "  ")
			return e.Encode(report)
		}
		_, err = fmt.Print(report)
		return err
	})
}
