package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/skep-sim/skep/internal/awsiot"
	"github.com/skep-sim/skep/internal/awsiot/store"
	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/world"
)

// cloudLink is a command's way to the local AWS IoT of this user: the one that
// another process runs, or else one of its own, started when first needed.
type cloudLink struct {
	dir   string
	owner string
	log   io.Writer
	hint  string // what else to do when there is no cloud to be had

	leave chan struct{} // closed: do not wait for others
	once  sync.Once

	mu     sync.Mutex
	own    *localCloud
	shared *sharedCloud
	stop   func() // ends the watch on shared
}

// cloudWait is how long a link waits for a process that has the state but runs
// no cloud, such as skep cloud init.
const cloudWait = 3 * time.Second

// newCloudLink makes a link for a command, which the messages of other processes
// call owner.
func newCloudLink(owner string, log io.Writer) (*cloudLink, error) {
	dir, err := cloudState("")
	if err != nil {
		return nil, err
	}
	return &cloudLink{dir: dir, owner: owner, log: log, leave: make(chan struct{}), hint: "; or choose another directory for it with XDG_STATE_HOME, or go without: --cloud off"}, nil
}

// connect finds or starts the cloud. The lock is held.
func (l *cloudLink) connect() error {
	if l.own != nil || l.shared != nil {
		return nil
	}
	for begin := time.Now(); ; {
		if l.shared = findShared(l.dir); l.shared != nil {
			return l.follow()
		}
		var inUse *store.InUseError
		own, err := startCloud(l.dir, l.owner, 100*time.Millisecond, l.log, false)
		switch {
		case err == nil:
			l.own = own
			return nil
		case !errors.As(err, &inUse):
			return fmt.Errorf("the local AWS IoT: %w%s", err, l.hint)
		case time.Since(begin) > cloudWait:
			who := inUse.Owner
			if who == "" {
				who = "another process"
			}
			return fmt.Errorf("the local AWS IoT's state in %s is in use by %s, which does not share it: stop that process%s", inUse.Dir, who, l.hint)
		}
	}
}

// follow watches the shared cloud.
func (l *cloudLink) follow() (err error) {
	c := l.shared
	l.stop, err = c.watch(func(text string) { fmt.Fprintln(l.log, "cloud:", text) }, func() {
		fmt.Fprintf(l.log, "skep: the local AWS IoT of %s has ended, and connections to it are lost; skep cloud keeps one running\n", c.info.Owner)
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.shared == c {
			l.shared = nil
		}
	})
	if err != nil {
		l.shared = nil
	}
	return err
}

// prepare is [localCloud.prepare], wherever the cloud runs, with the content of
// the files.
func (l *cloudLink) prepare(conf app.Cloud) ([]app.File, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.connect(); err != nil {
		return nil, err
	}
	var in *awsiot.Init
	var err error
	if l.own != nil {
		in, err = l.own.prepare(conf)
	} else {
		in, err = l.shared.ask(shareRequest{Do: "prepare", Cloud: conf})
	}
	if err != nil {
		return nil, err
	}
	return certFiles(in)
}

// makeThing is [localCloud.makeThing], wherever the cloud runs.
func (l *cloudLink) makeThing(dir string, conf app.Cloud) (*awsiot.Init, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.connect(); err != nil {
		return nil, err
	}
	if l.own != nil {
		return l.own.makeThing(dir, conf)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return l.shared.ask(shareRequest{Do: "init", Dir: abs, Cloud: conf})
}

// addrs are where the cloud is now.
func (l *cloudLink) addrs() (cloudAddrs, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.connect(); err != nil {
		return cloudAddrs{}, err
	}
	if l.own != nil {
		return l.own.addrs, nil
	}
	return l.shared.info.Addrs, nil
}

// cloudLinger is how long a link waits with ending its cloud for other processes
// that use it.
const cloudLinger = 30 * time.Second

// abandon is close without waiting for others.
func (l *cloudLink) abandon() {
	l.once.Do(func() { close(l.leave) })
	l.close()
}

// close ends a cloud of the link's own.
func (l *cloudLink) close() {
	l.mu.Lock()
	stop, own := l.stop, l.own
	l.mu.Unlock()
	if stop != nil {
		stop()
	}
	if own != nil {
		own.share.wait(cloudLinger, l.leave, func(n int) {
			fmt.Fprintf(l.log, "skep: %d other modules use the local AWS IoT of this process, which therefore waits, up to %v; Ctrl-C ends it\n", n, cloudLinger)
		})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.own != nil {
		l.own.close()
		l.own = nil
	}
}

// network is n, in which the names of AWS IoT endpoints lead to the cloud, by
// way of host.
func (l *cloudLink) network(n, host world.Network) world.Network {
	return cloudNetwork{Network: n, host: host, link: l}
}

type cloudNetwork struct {
	world.Network
	host world.Network
	link *cloudLink
}

func (n cloudNetwork) Resolve(host string, l world.Limit) ([]netip.Addr, error) {
	if _, ok := endpointKind(host); ok {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, nil
	}
	return n.Network.Resolve(host, l)
}

func (n cloudNetwork) Dial(t world.Target, l world.Limit) (world.Conn, error) {
	kind, ok := endpointKind(t.Host)
	if !ok {
		return n.Network.Dial(t, l)
	}
	for i, port := range cloudPorts {
		if t.Port != port || t.Proto != world.TCP {
			continue
		}
		addrs, err := n.link.addrs()
		if err != nil {
			fmt.Fprintln(n.link.log, "skep:", err)
			return nil, &world.Failure{Kind: world.FailUnreachable, Err: err}
		}
		t.Host, t.Port = addrs[kind][i].Addr().String(), addrs[kind][i].Port()
		return n.host.Dial(t, l)
	}
	return nil, &world.Failure{Kind: world.FailRefused, Err: fmt.Errorf("the local AWS IoT serves TCP ports %d (MQTT) and %d (HTTPS)", cloudPorts[0], cloudPorts[1])}
}

// endpointKind tells whether a host name is that of an AWS IoT endpoint, and of
// which kind: NAME-ats.iot.REGION.amazonaws.com or NAME.iot.REGION.amazonaws.com.
func endpointKind(host string) (kind int, ok bool) {
	labels := strings.Split(strings.ToLower(strings.TrimSuffix(host, ".")), ".")
	if len(labels) != 5 || labels[0] == "" || labels[1] != "iot" || labels[3] != "amazonaws" || labels[4] != "com" {
		return 0, false
	}
	if strings.HasSuffix(labels[0], "-ats") {
		return endpointATS, true
	}
	return endpointLegacy, true
}
