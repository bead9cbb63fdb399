package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/skep-sim/skep/internal/awsiot"
	"github.com/skep-sim/skep/internal/awsiot/identity"
	"github.com/skep-sim/skep/internal/host/app"
)

// cloudCmd is skep cloud.
type cloudCmd struct {
	Run   cloudRunCmd   `cmd:"" default:"withargs" help:"Run the local AWS IoT by itself, on ports 8883, 8443 and 443."`
	Init  cloudInitCmd  `cmd:"" help:"Make a thing: write aws.ca, aws.crt and aws.key into a directory."`
	List  cloudListCmd  `cmd:"" help:"List all that is registered, and who is connected."`
	Watch cloudWatchCmd `cmd:"" help:"Show messages as they pass, and connections and refusals."`

	Thing       cloudThingCmd       `cmd:"" help:"Things and their attributes."`
	Type        cloudTypeCmd        `cmd:"" help:"Thing types."`
	Cert        cloudCertCmd        `cmd:"" help:"Certificates of devices."`
	Policy      cloudPolicyCmd      `cmd:"" help:"Policies: what certificates and access keys may do."`
	CA          cloudCACmd          `cmd:"" name:"ca" help:"Certificate authorities of your own."`
	Credentials cloudCredentialsCmd `cmd:"" help:"Access keys for signed requests."`
	Rule        cloudRuleCmd        `cmd:"" help:"Topic rules: SQL on messages, and what to do with the result."`
	Job         cloudJobCmd         `cmd:"" help:"Jobs: documents that things are to act on, such as updates."`
	Explain     cloudExplainCmd     `cmd:"" help:"Say whether a policy allows an action, and by which statement."`
}

// Help is for both.
func (c *cloudCmd) Help() string {
	return "Example:\n  skep cloud init app/cert && skep cloud\n\nskep run and skep repl use the cloud that runs, or else start one for themselves."
}

// cloudRunCmd is skep cloud without a further word.
type cloudRunCmd struct {
	State        string  `help:"State directory. Default: this user's, which skep run uses, too." placeholder:"DIR"`
	Listen       string  `help:"Address to listen on." default:"127.0.0.1" placeholder:"ADDRESS"`
	LegacyListen string  `help:"A second address, where a client without a server name reaches the legacy endpoint." placeholder:"ADDRESS"`
	MQTT         int     `help:"Port for MQTT." default:"8883"`
	HTTPS        int     `help:"Port for HTTPS." default:"8443"`
	Port443      int     `name:"port-443" help:"Port for what AWS has on 443: MQTT and HTTPS by ALPN, MQTT over WebSocket, signed HTTPS. 443 itself is left out where it may not be used." default:"443" placeholder:"PORT"`
	ConnectRate  int     `help:"Connections accepted in a second; 0 is no limit." default:"500"`
	Connections  int     `help:"Connections at a time; 0 is no limit." default:"500000"`
	Web          webAddr `help:"Show what happens on a page for a browser. Alone it is at 127.0.0.1:8480; --web=ADDRESS:PORT has it elsewhere."`
	NoSNI        string  `name:"no-sni" help:"Which endpoint a TLS hello without a server name reaches: ats, legacy or refuse. Default: as in the era." enum:",ats,legacy,refuse" default:""`
	Era          string  `help:"Be as AWS IoT Core was: any (all that it took at any time), 2019 (no retained messages, no MQTT 5), 2021 (no MQTT 5), 2023 (server name needed), today (no legacy endpoints)." enum:"any,2019,2021,2023,today" default:"any"`
	brokerFlags
	clusterFlags
}

func (c *cloudRunCmd) Help() string {
	return "Example:\n  skep cloud init cert && skep cloud\n\nClients connect with the three files of skep cloud init; everything that AWS IoT\nCore would refuse is refused, with a line that says why."
}

func (c *cloudRunCmd) Run(ctx context.Context) error {
	dir, err := cloudState(c.State)
	if err != nil {
		return err
	}
	accept := &awsiot.AcceptLimits{Rate: c.ConnectRate, Connections: c.Connections}
	if err := c.check(); err != nil {
		return err
	}
	era, err := awsiot.EraNamed(c.Era)
	if err != nil {
		return err
	}
	joined, err := c.clusterFlags.config()
	if err != nil {
		return err
	}
	cloud, err := startCloud(cloudConfig{broker: c.brokerFlags, cluster: joined, dir: dir, owner: "skep cloud", wait: time.Second, log: os.Stderr, verbose: true, accept: accept, era: era})
	var file *fs.PathError
	if errors.As(err, &file) {
		return fmt.Errorf("%w; or choose another directory with --state", err)
	}
	if err != nil {
		return err
	}
	defer cloud.close()
	ports, err := c.listen(cloud, era)
	if err != nil {
		return err
	}
	if c.Web != "" {
		stop, err := cloud.startWeb(c.Web, os.Stderr)
		if err != nil {
			return err
		}
		defer stop()
	}
	fmt.Fprintf(os.Stderr, "AWS IoT on %s: %s; state in %s; Ctrl-C ends it\n", c.Listen, ports, dir)
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	<-ctx.Done()
	return nil
}

func (c *cloudRunCmd) check() error {
	for _, port := range [...]int{c.MQTT, c.HTTPS, c.Port443} {
		if port < 1 || port > 65535 {
			return fmt.Errorf("port %d: a port is a number from 1 to 65535", port)
		}
	}
	if c.ConnectRate < 0 || c.Connections < 0 {
		return fmt.Errorf("--connect-rate and --connections are numbers from 0, which is no limit")
	}
	return nil
}

// listen serves at the addresses asked for, and says what is where.
func (c *cloudRunCmd) listen(cloud *localCloud, era awsiot.Era) (string, error) {
	sni, ok := map[string]identity.NoSNI{"ats": identity.NoSNIATS, "legacy": identity.NoSNILegacy, "refuse": identity.NoSNIRefuse}[c.NoSNI]
	if !ok {
		sni = era.NoSNI
	}
	ports, err := c.listenAt(cloud, c.Listen, sni)
	if err != nil || c.LegacyListen == "" {
		return ports, err
	}
	if era.LegacyOff {
		return "", fmt.Errorf("--legacy-listen: there are no legacy endpoints in the era %s", era.Name)
	}
	_, err = c.listenAt(cloud, c.LegacyListen, identity.NoSNILegacy)
	return ports, err
}

// listenAt serves on the ports asked for. Only the real port 443 may fail: it is often not for
// everybody.
func (c *cloudRunCmd) listenAt(cloud *localCloud, address string, sni identity.NoSNI) (string, error) {
	ports := fmt.Sprintf("MQTT on port %d, HTTPS on port %d", c.MQTT, c.HTTPS)
	serve := cloud.serve()
	for i, port := range [...]int{c.MQTT, c.HTTPS, c.Port443} {
		l, err := net.Listen("tcp", net.JoinHostPort(address, fmt.Sprint(port)))
		switch {
		case err == nil:
			serve[i](l, awsiot.WithoutSNI(sni))
			if i == 2 {
				ports += fmt.Sprintf(", ALPN, WebSocket and signed HTTPS on port %d", port)
			}
		case i == 2 && port == 443:
			fmt.Fprintf(os.Stderr, "skep: %v: without it there is no ALPN, no MQTT over WebSocket and no signed HTTPS; --port-443 4433 has them on another port\n", err)
		case noAddressHere(err):
			return "", fmt.Errorf("%w: --listen and --legacy-listen take an address of this machine, such as 127.0.0.1", err)
		default:
			return "", fmt.Errorf("%w: stop what uses the port, or choose others with --mqtt, --https, --port-443 and --listen", err)
		}
	}
	return ports, nil
}

// noAddressHere says that it is not for the port that one cannot listen.
func noAddressHere(err error) bool {
	var unknown *net.DNSError
	return errors.As(err, &unknown) || errors.Is(err, syscall.EADDRNOTAVAIL)
}

// cloudInitCmd is skep cloud init.
type cloudInitCmd struct {
	State string `help:"State directory. Default: this user's, which skep run uses, too." placeholder:"DIR"`
	Thing string `help:"Name of the thing. Default: made from its certificate." placeholder:"NAME"`
	Type  string `help:"Type of the thing, which a policy may ask for." placeholder:"NAME"`

	Policy string `help:"Policy of the certificate, as AWS IoT takes it. It is called as the file; a changed one of that name counts for every certificate that has it. Default: everything is allowed." placeholder:"FILE.json"`

	Dir string `arg:"" help:"Where aws.ca, aws.crt and aws.key go; it is made if need be, nothing in it is overwritten."`
}

func (c *cloudInitCmd) Help() string {
	return "Example:\n  skep cloud init app/cert --thing tracker --policy restricted.json"
}

func (c *cloudInitCmd) Run() error {
	conf := app.Cloud{Thing: c.Thing, Type: c.Type, Policy: c.Policy}
	if c.Policy != "" {
		var err error
		if conf.PolicyText, err = os.ReadFile(c.Policy); err != nil {
			return err
		}
	}
	link, err := newControlLink("skep cloud init", c.State, os.Stderr)
	if err != nil {
		return err
	}
	defer link.close()
	in, err := link.makeThing(c.Dir, conf)
	if err != nil {
		return err
	}
	fmt.Printf("thing %s, certificate %s\n", in.Thing, in.CertID)
	for _, p := range []string{in.CA, in.Cert, in.Key} {
		fmt.Println("wrote", p)
	}
	return nil
}
