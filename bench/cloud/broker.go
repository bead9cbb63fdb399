package main

import (
	"bufio"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/skep-sim/skep/internal/awsiot"
	mqtt "github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/identity"
	"github.com/skep-sim/skep/internal/awsiot/policy"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// deviceName is the name of the policy of all clients, devicePolicy what it says: as a
// fleet's would, so that each message is a real question.
const (
	deviceName   = "device"
	devicePolicy = `{"Version":"2012-10-17","Statement":[
	{"Effect":"Allow","Action":"iot:Connect","Resource":"arn:aws:iot:us-east-1:123456789012:client/${iot:ClientId}"},
	{"Effect":"Allow","Action":["iot:Publish","iot:Receive"],"Resource":["arn:aws:iot:us-east-1:123456789012:topic/load/*","arn:aws:iot:us-east-1:123456789012:topic/$aws/things/*"]},
	{"Effect":"Allow","Action":"iot:Subscribe","Resource":["arn:aws:iot:us-east-1:123456789012:topicfilter/load/*","arn:aws:iot:us-east-1:123456789012:topicfilter/$aws/things/*"]},
	{"Effect":"Deny","Action":["iot:Publish","iot:Receive"],"Resource":"arn:aws:iot:us-east-1:123456789012:topic/load/secret/*"}]}`
)

// greeting is the first line a broker process writes.
type greeting struct {
	Addr     string
	CA       []byte
	Cert     []byte
	Key      []byte
	Endpoint string
}

// broker is a broker process: it greets, answers each line of in after it has given
// memory back, and ends with in.
func broker(name string, in io.Reader, out io.Writer, profile string) error {
	authority, err := identity.NewAuthority()
	if err != nil {
		return err
	}
	device, err := authority.IssueDevice()
	if err != nil {
		return err
	}
	var addr string
	var stop func()
	switch name {
	case "skep", "skep-disk":
		addr, stop, err = serveSkep(authority, device, name == "skep-disk")
	case "mochi":
		addr, stop, err = serveMochi(authority)
	default:
		return fmt.Errorf("-serve %s: there are skep and mochi", name)
	}
	if err != nil {
		return err
	}
	defer stop()
	enc := json.NewEncoder(out)
	err = enc.Encode(greeting{addr, authority.AWSCA(), device.CertPEM, device.KeyPEM, "bench-ats.iot.us-east-1.amazonaws.com"})
	if err != nil {
		return err
	}
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		runtime.GC()
		debug.FreeOSMemory()
		if err := enc.Encode("ready"); err != nil {
			return err
		}
	}
	return nil
}

type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) AfterFunc(d time.Duration, f func()) clock.Timer { return time.AfterFunc(d, f) }

func serveSkep(authority *identity.Authority, device *identity.Device, disk bool) (addr string, stop func(), err error) {
	dir := ""
	if disk {
		if dir, err = os.MkdirTemp("", "skep-bench"); err != nil {
			return "", nil, err
		}
	}
	st, err := store.Open(dir, store.Options{Owner: "bench"})
	if err == nil {
		err = errors.Join(st.SetAuthority(authority), st.PutPolicy(deviceName, []byte(devicePolicy)))
	}
	if err != nil {
		return "", nil, err
	}
	err = st.PutCertificate(store.Certificate{ID: device.ID, PEM: string(device.CertPEM), Active: true, Policies: []string{deviceName}})
	if err != nil {
		return "", nil, err
	}
	limits := mqtt.DefaultLimits()
	limits.ConnectRate, limits.ConnectTotal, limits.PublishRate, limits.ByteRate = 0, 0, 0, 0
	s, err := awsiot.New(awsiot.Config{
		State: st, Clock: wallClock{}, Rand: rand.Reader, Limits: &limits, AcceptLimits: &awsiot.AcceptLimits{},
	})
	if err != nil {
		return "", nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	s.ListenMQTT(l)
	return l.Addr().String(), func() {
		s.Close()
		st.Close()
		if dir != "" {
			os.RemoveAll(dir)
		}
	}, nil
}

func serveMochi(authority *identity.Authority) (addr string, stop func(), err error) {
	doc, err := policy.Parse(deviceName, []byte(devicePolicy))
	if err != nil {
		return "", nil, err
	}
	// Pending writes as many as in its own documentation's example of a busy broker; its
	// default of 8192 costs 7 kB a client more.
	capabilities := mochi.NewDefaultServerCapabilities()
	capabilities.MaximumClientWritesPending = 1024
	s := mochi.New(&mochi.Options{Capabilities: capabilities, Logger: slog.New(slog.DiscardHandler)})
	if err := s.AddHook(&asked{doc: doc}, nil); err != nil {
		return "", nil, err
	}
	l := listeners.NewTCP(listeners.Config{ID: "tls", Address: "127.0.0.1:0", TLSConfig: authority.ServerConfig(identity.Choice{
		Region: "us-east-1", Now: time.Now, NoSNI: identity.NoSNIATS,
		Verify: func(cs tls.ConnectionState) error {
			_ = identity.Fingerprint(cs.PeerCertificates[0].Raw)
			return nil
		},
	})})
	if err := s.AddListener(l); err != nil {
		return "", nil, err
	}
	if err := s.Serve(); err != nil {
		return "", nil, err
	}
	return l.Address(), func() {}, nil // its Close was seen to wait for ever; the process ends anyway
}

// asked is the hook that asks the same policy, compiled for each connection, as ours.
type asked struct {
	mochi.HookBase
	doc *policy.Document
}

// allowed is what a client may do, kept on the client.
type allowed struct {
	net.Conn
	policy *policy.Compiled
}

func (h *asked) ID() string { return "asked" }

func (h *asked) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}

func (h *asked) OnConnectAuthenticate(cl *mochi.Client, _ packets.Packet) bool {
	p := policy.Compile([]*policy.Document{h.doc}, &policy.Vars{ClientID: cl.ID, HasClientID: true, Now: time.Now})
	cl.Net.Conn = &allowed{cl.Net.Conn, p}
	return p.Check(policy.Connect, cl.ID).Allowed
}

func (h *asked) OnACLCheck(cl *mochi.Client, topic string, write bool) bool {
	a, ok := cl.Net.Conn.(*allowed)
	if !ok {
		return false
	}
	action := policy.Receive
	switch {
	case write:
		action = policy.Publish
	case strings.ContainsAny(topic, "+#"):
		action = policy.Subscribe
	}
	return a.policy.Check(action, topic).Allowed
}
