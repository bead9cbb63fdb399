package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/skep-sim/skep/internal/awsiot/cluster"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// clusterFlags join a skep cloud with others.
type clusterFlags struct {
	NATS        string `name:"nats" help:"Join the other skep cloud processes at these NATS servers, which must have JetStream, into one endpoint. Several with commas between them." placeholder:"URL"`
	NATSCreds   string `name:"nats-creds" help:"File with the credentials for NATS." placeholder:"FILE" type:"existingfile"`
	Cluster     string `help:"Name of the endpoint: processes of one name belong together." default:"skep" placeholder:"NAME"`
	DurableQoS1 bool   `name:"durable-qos1" help:"With --nats: acknowledge a QoS 1 message only when JetStream has it, so that it survives this process."`
	Replicas    int    `help:"With --nats: how many NATS servers keep each thing. Default: three, or one where NATS is one server." placeholder:"N"`
}

// config is the cluster to join, nil for none.
func (f *clusterFlags) config() (*cluster.Config, error) {
	if f.NATS == "" {
		if f.DurableQoS1 || f.NATSCreds != "" || f.Replicas != 0 {
			return nil, errors.New("--durable-qos1, --nats-creds and --replicas are for several processes: say with --nats where their NATS servers are")
		}
		return nil, nil
	}
	if f.Replicas < 0 || f.Replicas > 5 {
		return nil, fmt.Errorf("--replicas %d: JetStream keeps 1 to 5 copies", f.Replicas)
	}
	return &cluster.Config{URL: f.NATS, Credentials: f.NATSCreds, Name: f.Cluster, DurableQoS1: f.DurableQoS1, Replicas: f.Replicas}, nil
}

// join makes a process that has opened its state one of the cluster's.
func (c *localCloud) join(conf *cluster.Config, st *store.Store, log func(event.Event)) error {
	if conf == nil {
		return nil
	}
	conf.State, conf.Clock, conf.Rand, conf.Log = st, wallClock{}, rand.Reader, log
	var err error
	if c.cluster, err = cluster.Join(*conf); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "node %s of the endpoint %q\n", c.cluster.Node(), conf.Name)
	return nil
}
