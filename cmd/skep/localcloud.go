package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/awsiot"
	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/cluster"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/identity"
	"github.com/skep-sim/skep/internal/awsiot/store"
	"github.com/skep-sim/skep/internal/host/app"
)

// wallClock is the host's clock as the local AWS IoT wants it.
type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) AfterFunc(d time.Duration, f func()) clock.Timer { return time.AfterFunc(d, f) }

// localCloud is the local AWS IoT inside this process, on free ports of the
// loopback interface. Other skep processes of the same user reach it, too.
type localCloud struct {
	cluster *cluster.Cluster // nil: it is alone
	state   *store.Store
	server  *awsiot.Server
	events  *eventFeed
	dir     string
	owner   string
	addrs   cloudAddrs
	share   *cloudShare
}

// cloudConfig says how a local AWS IoT is started.
type cloudConfig struct {
	dir   string // of the state
	owner string // what the messages of other processes call this one
	wait  time.Duration
	log   io.Writer
	// verbose writes all events to log, instead of refusals and trouble only.
	verbose bool
	// accept limits connections; nil is as at AWS.
	accept *awsiot.AcceptLimits
	// era is when; its zero value serves what AWS served at any time.
	era awsiot.Era
	// broker are the switches of its message broker.
	broker brokerFlags
	// cluster joins it with others; nil: it is alone.
	cluster *cluster.Config
	// private keeps it to this process: for a command that ends at once.
	private bool
}

// cloudAddrs are the addresses of the local AWS IoT by kind of endpoint and, in
// the order of cloudPorts, port.
type cloudAddrs [2][3]netip.AddrPort

// The kinds of endpoint.
const (
	endpointATS = iota
	endpointLegacy
)

// cloudPorts are AWS IoT's: MQTT, HTTPS, and the one where ALPN or a signature
// decides.
var cloudPorts = [3]uint16{8883, 8443, 443}

// serve are what the ports of cloudPorts speak.
func (c *localCloud) serve() [3]func(net.Listener, ...awsiot.ListenOption) {
	return [3]func(net.Listener, ...awsiot.ListenOption){c.server.ListenMQTT, c.server.ListenHTTPS, c.server.Listen443}
}

// startCloud starts the local AWS IoT. A *store.InUseError says that another process
// has the state.
func startCloud(conf cloudConfig) (*localCloud, error) {
	st, err := store.Open(conf.dir, store.Options{Owner: conf.owner, Wait: conf.wait})
	if err != nil {
		return nil, err
	}
	c := &localCloud{state: st, dir: conf.dir, owner: conf.owner, events: newEventFeed(), share: newCloudShare()}
	log := func(e event.Event) {
		if conf.verbose || e.Kind == event.Refused || e.Kind == event.Trouble {
			fmt.Fprintln(conf.log, "cloud:", e.String())
		}
		c.events.tell(e)
	}
	if err = c.join(conf.cluster, st, log); err == nil {
		server := awsiot.Config{State: st, Clock: wallClock{}, Rand: rand.Reader, AcceptLimits: conf.accept, Cluster: c.cluster, Log: log}
		conf.era.Apply(&server)
		conf.broker.apply(&server)
		c.server, err = awsiot.New(server)
	}
	if err != nil {
		c.leave()
		st.Close()
		return nil, err
	}
	if !conf.private {
		if err := c.open(); err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

// open makes it known to other processes.
func (c *localCloud) open() error {
	if err := c.listen(); err != nil {
		return err
	}
	return c.share.open(c)
}

// listen serves on free ports of the loopback interface.
func (c *localCloud) listen() error {
	for kind, sni := range [...]identity.NoSNI{endpointATS: identity.NoSNIATS, endpointLegacy: identity.NoSNILegacy} {
		for i, serve := range c.serve() {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			c.addrs[kind][i] = l.Addr().(*net.TCPAddr).AddrPort()
			serve(l, awsiot.WithoutSNI(sni))
		}
	}
	return nil
}

// makeThing writes the files of a thing into dir, as skep cloud init does.
func (c *localCloud) makeThing(dir string, conf app.Cloud) (*awsiot.Init, error) {
	return awsiot.InitDir(c.state, wallClock{}, dir, initOptions(conf))
}

// initOptions are those for a thing. A policy is called as its file.
func initOptions(conf app.Cloud) awsiot.InitOptions {
	name := filepath.Base(conf.Policy)
	if conf.Policy == "" {
		name = ""
	}
	return awsiot.InitOptions{
		Thing: conf.Thing, ThingType: conf.Type,
		Policy: strings.TrimSuffix(name, filepath.Ext(name)), PolicyText: conf.PolicyText,
	}
}

// preparation is what prepare is told of an application.
type preparation struct {
	app.Cloud
	// Own is the certificate among its files, PEM; nil: it lacks one, or what belongs to it.
	Own []byte
}

// prepare makes the application's thing, if there is none, and asks of its
// shadow what skep.toml says. It returns where the thing's files are; nil if the
// application holds them itself.
func (c *localCloud) prepare(conf preparation) (in *awsiot.Init, err error) {
	own := false
	if conf.Own != nil { // a further certificate would be of no use, and active
		own, err = awsiot.Own(c.state, conf.Own, initOptions(conf.Cloud))
	}
	if err == nil && !own {
		dir := filepath.Join(c.dir, "things", conf.Thing)
		in, _, err = awsiot.Ensure(c.state, wallClock{}, dir, initOptions(conf.Cloud))
	}
	if err != nil || len(conf.Desired) == 0 {
		return in, err
	}
	desired, err := json.Marshal(conf.Desired)
	if err == nil {
		_, err = c.server.UpdateDesired(conf.Thing, desired)
	}
	if err != nil {
		return nil, desiredError(err)
	}
	return in, nil
}

func desiredError(err error) error {
	return fmt.Errorf("skep.toml, [cloud] desired: %w; a shadow holds what JSON can say", err)
}

func (c *localCloud) close() {
	c.share.close()
	c.server.Close()
	c.leave()
	c.state.Close()
}

// leave leaves the cluster, if there is one.
func (c *localCloud) leave() {
	if c.cluster != nil {
		c.cluster.Close()
	}
}

// ownCert is the certificate for AWS IoT among an application's files; nil if it, its key or
// the root is not there.
func ownCert(files []app.File) (cert []byte) {
	n := 0
	for _, f := range files {
		switch f.Path {
		case "cert/" + awsiot.FileCert:
			cert = f.Data
			n++
		case "cert/" + awsiot.FileKey, "cert/" + awsiot.FileCA:
			n++
		}
	}
	if n < 3 {
		return nil
	}
	return cert
}

// certFiles are a thing's files for the device's /flash/cert; none if in is nil.
func certFiles(in *awsiot.Init) ([]app.File, error) {
	var files []app.File
	if in == nil {
		return nil, nil
	}
	for _, path := range []string{in.CA, in.Cert, in.Key} {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files = append(files, app.File{Path: "cert/" + filepath.Base(path), Data: data, Secure: path == in.Key, From: path})
	}
	return files, nil
}
