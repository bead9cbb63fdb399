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
	state  *store.Store
	server *awsiot.Server
	dir    string
	addrs  cloudAddrs
	share  *cloudShare
}

// cloudAddrs are the addresses of the local AWS IoT by kind of endpoint and, in
// the order of cloudPorts, port.
type cloudAddrs [2][2]netip.AddrPort

// The kinds of endpoint.
const (
	endpointATS = iota
	endpointLegacy
)

var cloudPorts = [2]uint16{8883, 8443}

// startCloud starts the local AWS IoT on the state in dir. What it refuses is
// written to log; with verbose, everything is.
func startCloud(dir, owner string, wait time.Duration, log io.Writer, verbose bool) (*localCloud, error) {
	st, err := store.Open(dir, store.Options{Owner: owner, Wait: wait})
	if err != nil {
		return nil, err
	}
	c := &localCloud{state: st, dir: dir, share: newCloudShare()}
	c.server, err = awsiot.New(awsiot.Config{
		State: st, Clock: wallClock{}, Rand: rand.Reader,
		Log: func(e event.Event) {
			if verbose || e.Kind == event.Refused || e.Kind == event.Trouble {
				fmt.Fprintln(log, "cloud:", e.String())
			}
			if e.Kind == event.Refused {
				c.share.tell(e.String())
			}
		},
	})
	if err != nil {
		st.Close()
		return nil, err
	}
	for kind, sni := range [...]identity.NoSNI{endpointATS: identity.NoSNIATS, endpointLegacy: identity.NoSNILegacy} {
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
	if err := c.share.open(c, owner); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
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

// prepare makes the application's thing, if there is none, and asks of its
// shadow what skep.toml says. It returns where the thing's files are.
func (c *localCloud) prepare(conf app.Cloud) (*awsiot.Init, error) {
	dir := filepath.Join(c.dir, "things", conf.Thing)
	in, _, err := awsiot.Ensure(c.state, wallClock{}, dir, initOptions(conf))
	if err != nil || len(conf.Desired) == 0 {
		return in, err
	}
	desired, err := json.Marshal(conf.Desired)
	if err == nil {
		_, err = c.server.UpdateDesired(conf.Thing, desired)
	}
	if err != nil {
		return nil, fmt.Errorf("skep.toml, [cloud] desired: %w; a shadow holds what JSON can say", err)
	}
	return in, nil
}

func (c *localCloud) close() {
	c.share.close()
	c.server.Close()
	c.state.Close()
}

// certFiles are a thing's files for the device's /flash/cert.
func certFiles(in *awsiot.Init) ([]app.File, error) {
	var files []app.File
	for _, path := range []string{in.CA, in.Cert, in.Key} {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files = append(files, app.File{Path: "cert/" + filepath.Base(path), Data: data, Secure: path == in.Key, From: path})
	}
	return files, nil
}
