package main

import (
	"context"
	"encoding/json"
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
	brief bool   // the command asks and ends: others need not know of its cloud
	// silent: the command follows a flow and needs no line for each refusal. Others come to
	// know of its cloud when the flow has begun, so that it misses nothing of them.
	silent bool

	leave chan struct{} // closed: do not wait for others
	once  sync.Once

	mu     sync.Mutex
	own    *localCloud
	shared *sharedCloud
	stop   func() // ends the flow of refusals from shared
}

// cloudWait is how long a link waits for a process that has the state but shares no
// cloud, such as skep cloud init. Those are brief, unless the machine is busy.
const cloudWait = 60 * time.Second

// newCloudLink makes a link for a command that needs the cloud while it runs, and
// which the messages of other processes call owner.
func newCloudLink(owner string, log io.Writer) (*cloudLink, error) {
	dir, err := cloudState("")
	if err != nil {
		return nil, err
	}
	return &cloudLink{dir: dir, owner: owner, log: log, leave: make(chan struct{}), hint: "; or choose another directory for it with XDG_STATE_HOME, or go without: --cloud off"}, nil
}

// newControlLink makes a link for a command that asks something of the cloud, or tells
// it something, and ends. state is the command's --state.
func newControlLink(owner, state string, log io.Writer) (*cloudLink, error) {
	dir, err := cloudState(state)
	if err != nil {
		return nil, err
	}
	return &cloudLink{dir: dir, owner: owner, log: log, leave: make(chan struct{}), hint: "; or choose another directory with --state", brief: true}, nil
}

// call has the operation do of cloudOps carried out, wherever the state is held. in goes
// to it and its answer comes to out (nil: not wanted), both as JSON.
func (l *cloudLink) call(do string, in, out any) error {
	text, err := json.Marshal(in)
	if err != nil {
		return err
	}
	for {
		own, shared, err := l.connection()
		if err != nil {
			return err
		}
		if own != nil {
			answer, err := own.do(do, text)
			if err != nil || out == nil {
				return err
			}
			return json.Unmarshal(answer, out)
		}
		if err = shared.ask(do, text, out); !errors.Is(err, errNotTaken) {
			return err
		}
		l.lose(shared)
	}
}

// stream hands the items of the flow do of cloudFlows to each, until ctx is done or each
// returns an error. When another process ran the cloud and ends it, the error is
// errCloudEnded; calling stream again finds another cloud or starts one. begun, if not nil,
// is called when all that happens from then on will come.
func (l *cloudLink) stream(ctx context.Context, do string, in any, begun func(), each func(json.RawMessage) error) error {
	text, err := json.Marshal(in)
	if err != nil {
		return err
	}
	if begun == nil {
		begun = func() {}
	}
	for {
		own, shared, err := l.connection()
		if err != nil {
			return err
		}
		if own != nil && l.silent {
			return own.flow(ctx, do, text, func() { l.open(own, begun) }, each)
		}
		if own != nil {
			return own.flow(ctx, do, text, begun, each)
		}
		err = shared.flow(ctx, do, text, begun, each)
		if errors.Is(err, errNotTaken) || errors.Is(err, errCloudEnded) {
			l.lose(shared)
		}
		if !errors.Is(err, errNotTaken) {
			return err
		}
	}
}

// open makes the link's own cloud known, if it is not.
func (l *cloudLink) open(own *localCloud, begun func()) {
	if own.share.listener == nil {
		if err := own.open(); err != nil {
			fmt.Fprintln(l.log, "skep: other processes cannot use this local AWS IoT:", err)
		}
	}
	begun()
}

// connection is the cloud, found or started.
func (l *cloudLink) connection() (*localCloud, *sharedCloud, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.connect()
	return l.own, l.shared, err
}

// lose forgets a shared cloud that has ended.
func (l *cloudLink) lose(c *sharedCloud) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shared == c {
		l.shared = nil
	}
}

// connect finds or starts the cloud. The lock is held.
func (l *cloudLink) connect() error {
	if l.own != nil || l.shared != nil {
		return nil
	}
	told := false
	for begin := time.Now(); ; {
		var err error
		if l.shared, err = findShared(l.dir); err != nil {
			return err
		}
		if l.shared != nil {
			if l.brief || l.silent || l.follow() {
				return nil
			}
			continue
		}
		var inUse *store.InUseError
		l.own, err = startCloud(cloudConfig{dir: l.dir, owner: l.owner, wait: 100 * time.Millisecond, log: l.log, private: l.brief || l.silent})
		if err == nil {
			return nil
		}
		if !errors.As(err, &inUse) {
			return fmt.Errorf("the local AWS IoT: %w%s", err, l.hint)
		}
		who := inUse.Owner
		if who == "" {
			who = "another process"
		}
		if time.Since(begin) > cloudWait {
			return fmt.Errorf("the local AWS IoT's state in %s is in use by %s, which does not share it: stop that process%s", inUse.Dir, who, l.hint)
		}
		if time.Since(begin) > 2*time.Second && !told {
			fmt.Fprintf(l.log, "skep: waiting for %s, which has the state in %s\n", who, inUse.Dir)
			told = true
		}
	}
}

// follow passes refusals of the shared cloud on. It returns false when the cloud has
// just ended. The lock is held.
func (l *cloudLink) follow() bool {
	c := l.shared
	ctx, cancel := context.WithCancel(context.Background())
	begun, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		err := c.flow(ctx, "refusals", []byte("{}"), func() { close(begun) }, func(item json.RawMessage) error {
			var text string
			if err := json.Unmarshal(item, &text); err != nil {
				return err
			}
			fmt.Fprintln(l.log, "cloud:", text)
			return nil
		})
		select {
		case <-begun:
		default:
			return
		}
		if err != nil {
			fmt.Fprintf(l.log, "skep: the local AWS IoT of %s has ended, and connections to it are lost; skep cloud keeps one running\n", c.info.Owner)
			l.lose(c)
		}
	}()
	select {
	case <-begun:
	case <-done:
		select {
		case <-begun: // both: it has lived
		default:
			cancel()
			l.shared = nil
			return false
		}
	}
	l.stop = func() {
		cancel()
		<-done
	}
	return true
}

// prepare is [localCloud.prepare], wherever the cloud runs, with the content of
// the files. own are those that the application has already.
func (l *cloudLink) prepare(conf app.Cloud, own []app.File) ([]app.File, error) {
	if _, err := json.Marshal(conf.Desired); err != nil {
		return nil, desiredError(err)
	}
	in, err := ask[*awsiot.Init](l, "prepare", preparation{conf, ownCert(own)})
	if err != nil {
		return nil, err
	}
	return certFiles(in)
}

// makeThing is [localCloud.makeThing], wherever the cloud runs.
func (l *cloudLink) makeThing(dir string, conf app.Cloud) (*awsiot.Init, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	in, err := ask[*awsiot.Init](l, "init", thingFiles{Dir: abs, Cloud: conf})
	if err != nil || filepath.IsAbs(dir) {
		return in, err
	}
	for _, p := range []*string{&in.CA, &in.Cert, &in.Key} {
		*p = filepath.Join(dir, filepath.Base(*p)) // as it was asked for
	}
	return in, nil
}

// addrs are where the cloud is now.
func (l *cloudLink) addrs() (cloudAddrs, error) {
	own, shared, err := l.connection()
	switch {
	case err != nil:
		return cloudAddrs{}, err
	case own != nil:
		return own.addrs, nil
	default:
		return shared.info.Addrs, nil
	}
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
	return nil, &world.Failure{Kind: world.FailRefused, Err: fmt.Errorf("the local AWS IoT serves TCP ports %d (MQTT), %d (HTTPS) and %d", cloudPorts[0], cloudPorts[1], cloudPorts[2])}
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
