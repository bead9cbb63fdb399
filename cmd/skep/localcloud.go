package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/skep-sim/skep/internal/awsiot"
	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/identity"
	"github.com/skep-sim/skep/internal/awsiot/store"
	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/world"
)

// wallClock is the host's clock as the local AWS IoT wants it.
type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) AfterFunc(d time.Duration, f func()) clock.Timer { return time.AfterFunc(d, f) }

// localCloud is the local AWS IoT inside this process, on free ports of the
// loopback interface.
type localCloud struct {
	state  *store.Store
	server *awsiot.Server
	dir    string
	addrs  [2][2]netip.AddrPort // [kind of endpoint][8883, 8443]
}

// The kinds of endpoint and the ports, as localCloud.addrs has them.
const (
	endpointATS = iota
	endpointLegacy
)

var cloudPorts = [2]uint16{8883, 8443}

// startCloud starts the local AWS IoT. What it refuses is written to log.
func startCloud(stateDir, owner string, log io.Writer) (*localCloud, error) {
	dir, err := cloudState(stateDir)
	if err != nil {
		return nil, err
	}
	st, err := store.Open(dir, store.Options{Owner: owner})
	if err != nil {
		return nil, err
	}
	c := &localCloud{state: st, dir: dir}
	c.server, err = newCloudServer(st, log, false)
	if err != nil {
		st.Close()
		return nil, err
	}
	for kind, sni := range [...]identity.NoSNI{identity.NoSNIATS, identity.NoSNILegacy} {
		for i := range cloudPorts {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				c.close()
				return nil, err
			}
			c.addrs[kind][i] = l.Addr().(*net.TCPAddr).AddrPort()
			if i == 0 {
				c.server.ListenMQTT(l, awsiot.WithoutSNI(sni))
			} else {
				c.server.ListenHTTPS(l, awsiot.WithoutSNI(sni))
			}
		}
	}
	return c, nil
}

// newCloudServer makes the server on a state; verbose tells of everything, not
// only of refusals.
func newCloudServer(st *store.Store, log io.Writer, verbose bool) (*awsiot.Server, error) {
	return awsiot.New(awsiot.Config{
		State: st, Clock: wallClock{}, Rand: rand.Reader,
		Log: func(e event.Event) {
			if verbose || e.Kind == event.Refused {
				fmt.Fprintln(log, "cloud:", e.String())
			}
		},
	})
}

// routes lead the device's names of AWS IoT endpoints here.
func (c *localCloud) routes() []world.Route {
	var routes []world.Route
	for kind, pattern := range [...]string{"*-ats.iot.*.amazonaws.com", "*.iot.*.amazonaws.com"} {
		for i, port := range cloudPorts {
			routes = append(routes, world.Route{Hosts: pattern, Port: port, To: c.addrs[kind][i]})
		}
	}
	return routes
}

// prepare makes the application's thing, if there is none, asks of its shadow
// what skep.toml says, and returns the files for the device's /flash/cert.
func (c *localCloud) prepare(conf app.Cloud) ([]app.File, error) {
	dir := filepath.Join(c.dir, "things", conf.Thing)
	in, _, err := awsiot.Ensure(c.state, wallClock{}, dir, awsiot.InitOptions{Thing: conf.Thing})
	if err != nil {
		return nil, err
	}
	var files []app.File
	for _, path := range []string{in.CA, in.Cert, in.Key} {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files = append(files, app.File{Path: "cert/" + filepath.Base(path), Data: data, Secure: path == in.Key, From: path})
	}
	if len(conf.Desired) == 0 {
		return files, nil
	}
	desired, err := json.Marshal(conf.Desired)
	if err != nil {
		return nil, fmt.Errorf("skep.toml, [cloud] desired: %w", err)
	}
	if _, err := c.server.UpdateDesired(conf.Thing, desired); err != nil {
		return nil, fmt.Errorf("skep.toml, [cloud] desired: %w", err)
	}
	return files, nil
}

func (c *localCloud) close() {
	c.server.Close()
	c.state.Close()
}

// cloudCmd is skep cloud.
type cloudCmd struct {
	Run  cloudRunCmd  `cmd:"" default:"withargs" help:"Run the local AWS IoT by itself, on ports 8883 and 8443."`
	Init cloudInitCmd `cmd:"" help:"Make a thing: write aws.ca, aws.crt and aws.key into a directory."`
}

// cloudRunCmd is skep cloud without a further word.
type cloudRunCmd struct {
	State  string `help:"State directory. Default: this user's, which skep run uses, too." placeholder:"DIR"`
	Listen string `help:"Address to listen on." default:"127.0.0.1" placeholder:"ADDRESS"`
	MQTT   int    `help:"Port for MQTT." default:"8883"`
	HTTPS  int    `help:"Port for HTTPS." default:"8443"`
	NoSNI  string `name:"no-sni" help:"Which endpoint a TLS hello without a server name reaches." enum:"ats,legacy,refuse" default:"ats"`
}

func (c *cloudRunCmd) Help() string {
	return "Example:\n  skep cloud init cert && skep cloud\n\nClients connect with the three files of skep cloud init; everything that AWS IoT\nCore would refuse is refused, with a line that says why."
}

func (c *cloudRunCmd) Run(ctx context.Context) error {
	dir, err := cloudState(c.State)
	if err != nil {
		return err
	}
	st, err := store.Open(dir, store.Options{Owner: "skep cloud"})
	if err != nil {
		return err
	}
	defer st.Close()
	server, err := newCloudServer(st, os.Stderr, true)
	if err != nil {
		return err
	}
	sni := map[string]identity.NoSNI{"ats": identity.NoSNIATS, "legacy": identity.NoSNILegacy, "refuse": identity.NoSNIRefuse}[c.NoSNI]
	for i, port := range [...]int{c.MQTT, c.HTTPS} {
		l, err := net.Listen("tcp", net.JoinHostPort(c.Listen, fmt.Sprint(port)))
		if err != nil {
			server.Close()
			return fmt.Errorf("%w: stop what uses the port, or choose another with --mqtt and --https", err)
		}
		if i == 0 {
			server.ListenMQTT(l, awsiot.WithoutSNI(sni))
		} else {
			server.ListenHTTPS(l, awsiot.WithoutSNI(sni))
		}
	}
	fmt.Fprintf(os.Stderr, "AWS IoT on %s: MQTT on port %d, HTTPS on port %d; state in %s; Ctrl-C ends it\n", c.Listen, c.MQTT, c.HTTPS, dir)
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	<-ctx.Done()
	server.Close()
	return nil
}

// cloudInitCmd is skep cloud init.
type cloudInitCmd struct {
	State string `help:"State directory. Default: this user's, which skep run uses, too." placeholder:"DIR"`
	Thing string `help:"Name of the thing. Default: made from its certificate." placeholder:"NAME"`

	Dir string `arg:"" help:"Where aws.ca, aws.crt and aws.key go; it is made if need be, nothing in it is overwritten."`
}

func (c *cloudInitCmd) Help() string {
	return "Example:\n  skep cloud init app/cert --thing tracker"
}

func (c *cloudInitCmd) Run() error {
	dir, err := cloudState(c.State)
	if err != nil {
		return err
	}
	st, err := store.Open(dir, store.Options{Owner: "skep cloud init"})
	if err != nil {
		return err
	}
	defer st.Close()
	in, err := awsiot.InitDir(st, wallClock{}, c.Dir, awsiot.InitOptions{Thing: c.Thing})
	if err != nil {
		return err
	}
	fmt.Printf("thing %s, certificate %s\n", in.Thing, in.CertID)
	for _, p := range []string{in.CA, in.Cert, in.Key} {
		fmt.Println("wrote", p)
	}
	return nil
}
