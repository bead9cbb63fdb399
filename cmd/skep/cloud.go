package main

import (
	"context"
	"fmt"
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
	Run  cloudRunCmd  `cmd:"" default:"withargs" help:"Run the local AWS IoT by itself, on ports 8883 and 8443."`
	Init cloudInitCmd `cmd:"" help:"Make a thing: write aws.ca, aws.crt and aws.key into a directory."`
}

// Help is for both.
func (c *cloudCmd) Help() string {
	return "Example:\n  skep cloud init app/cert && skep cloud\n\nskep run and skep repl use the cloud that runs, or else start one for themselves."
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
	for _, port := range [...]int{c.MQTT, c.HTTPS} {
		if port < 1 || port > 65535 {
			return fmt.Errorf("port %d: a port is a number from 1 to 65535", port)
		}
	}
	cloud, err := startCloud(cloudConfig{dir: dir, owner: "skep cloud", wait: time.Second, log: os.Stderr, verbose: true})
	if err != nil {
		return err
	}
	defer cloud.close()
	sni := map[string]identity.NoSNI{"ats": identity.NoSNIATS, "legacy": identity.NoSNILegacy, "refuse": identity.NoSNIRefuse}[c.NoSNI]
	for i, port := range [...]int{c.MQTT, c.HTTPS} {
		l, err := net.Listen("tcp", net.JoinHostPort(c.Listen, fmt.Sprint(port)))
		if err != nil {
			return fmt.Errorf("%w: stop what uses the port, or choose others with --mqtt, --https and --listen", err)
		}
		if i == 0 {
			cloud.server.ListenMQTT(l, awsiot.WithoutSNI(sni))
		} else {
			cloud.server.ListenHTTPS(l, awsiot.WithoutSNI(sni))
		}
	}
	fmt.Fprintf(os.Stderr, "AWS IoT on %s: MQTT on port %d, HTTPS on port %d; state in %s; Ctrl-C ends it\n", c.Listen, c.MQTT, c.HTTPS, dir)
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	<-ctx.Done()
	return nil
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
