package main

import (
	"fmt"
	"io"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/control"
)

// cloudOverview is all that a local AWS IoT has.
type cloudOverview struct {
	Owner        string                `json:"runBy"`
	State        string                `json:"state"`
	Things       []control.Thing       `json:"things"`
	Types        []control.ThingType   `json:"thingTypes"`
	Certificates []control.Certificate `json:"certificates"`
	Policies     []control.Policy      `json:"policies"`
	CAs          []control.CA          `json:"cas"`
	Keys         []control.Key         `json:"accessKeys"`
	Connections  []connectionInfo      `json:"connections"`
}

// connectionInfo is a client as it is shown.
type connectionInfo struct {
	ClientID  string `json:"clientId"`
	Connected bool   `json:"connected"`
	CertID    string `json:"certificateId"`
	Remote    string `json:"remote"`
	Protocol  string `json:"protocol"`
	Since     string `json:"since"`
	KeepAlive int    `json:"keepAlive"` // seconds
	Filters   int    `json:"subscriptions"`
	Queued    int    `json:"queued"`
	InFlight  int    `json:"inFlight"`
}

func showConnection(c broker.Connection) connectionInfo {
	protocol := "MQTT 3.1.1"
	if c.Protocol == 5 {
		protocol = "MQTT 5"
	}
	return connectionInfo{
		ClientID: c.ClientID, Connected: c.Connected, CertID: c.CertID, Remote: c.Remote, Protocol: protocol,
		Since: c.Since.UTC().Format(time.RFC3339), KeepAlive: int(c.KeepAlive / time.Second), Filters: c.Filters, Queued: c.Queued, InFlight: c.InFlight,
	}
}

func (c *localCloud) overview() cloudOverview {
	p := c.plane()
	o := cloudOverview{
		Owner: c.owner, State: c.dir, Things: p.Things(), Types: p.Types(), Certificates: p.Certificates(), Policies: p.Policies(),
		CAs: p.CAs(), Keys: p.Keys(), Connections: []connectionInfo{},
	}
	for _, conn := range c.server.Connections() {
		o.Connections = append(o.Connections, showConnection(conn))
	}
	return o
}

// cloudListCmd is skep cloud list.
type cloudListCmd struct{ controlFlags }

func (c *cloudListCmd) Help() string {
	return "Example:\n  skep cloud list\n\nClients are shown when another process runs the cloud."
}

func (c *cloudListCmd) Run() error {
	o, err := askControl[cloudOverview](&c.controlFlags, "overview", none{})
	if err != nil {
		return err
	}
	parts := []struct {
		n     int
		write func(w io.Writer)
	}{
		{len(o.Things), func(w io.Writer) { writeThings(w, o.Things) }},
		{len(o.Certificates), func(w io.Writer) { writeCerts(w, o.Certificates) }},
		{len(o.Policies), func(w io.Writer) { writePolicies(w, o.Policies) }},
		{len(o.CAs), func(w io.Writer) { writeCAs(w, o.CAs) }},
		{len(o.Keys), func(w io.Writer) { writeKeys(w, o.Keys) }},
		{len(o.Connections), func(w io.Writer) { writeConnections(w, o.Connections) }},
	}
	if c.JSON {
		return c.show(o, nil)
	}
	fmt.Println("state", o.State)
	empty := true
	for _, p := range parts {
		if p.n == 0 {
			continue
		}
		empty = false
		fmt.Println()
		if err := c.show(nil, p.write); err != nil {
			return err
		}
	}
	if empty {
		fmt.Println("nothing yet: skep cloud init DIR makes a thing with a certificate")
	}
	return nil
}

func writeConnections(w io.Writer, list []connectionInfo) {
	fmt.Fprintln(w, "CLIENT\tCONNECTED\tCERTIFICATE\tFROM\tPROTOCOL\tSUBSCRIPTIONS\tQUEUED")
	for _, c := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\n", c.ClientID, yesNo(c.Connected), dash(shortID(c.CertID)), c.Remote, c.Protocol, c.Filters, c.Queued)
	}
}
