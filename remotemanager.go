package skep

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/skep-sim/skep/internal/remotemanager/local"
)

// RemoteManager is a Digi Remote Manager on this machine, for modules whose
// programs use digi.cloud. It has Digi's web services (ws/DeviceCore,
// ws/DataStream, ws/DataPoint, ws/sci, ws/v1/...) at URL, for any user and
// password. Give it to modules as [Options.RemoteManager].
type RemoteManager struct{ m *local.Manager }

// NewRemoteManager starts one at an address such as "127.0.0.1:8010"; "" is a
// free port of the loopback interface.
func NewRemoteManager(addr string) (*RemoteManager, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	m, err := local.Start(addr, nil)
	if err != nil {
		return nil, fmt.Errorf("skep: the local Remote Manager: %w", err)
	}
	return &RemoteManager{m}, nil
}

// URL is where its web services are: "http://127.0.0.1:8010".
func (r *RemoteManager) URL() string { return "http://" + r.m.Addr.String() }

// Close ends it, and the connections of modules to it.
func (r *RemoteManager) Close() { r.m.Close() }

// Devices lists the identifiers of the modules that have come, and whether each
// is connected.
func (r *RemoteManager) Devices() (ids []string, connected []bool) { return r.m.Server.Devices() }

// Request sends a device request to a module's target, "micropython" for its
// program, and waits for the answer, at most limit.
func (r *RemoteManager) Request(device, target string, data []byte, limit time.Duration) ([]byte, error) {
	answer, err := r.m.Server.Request(device, target, data, limit)
	if err != nil {
		return nil, fmt.Errorf("skep: a request to %s: %w", device, err)
	}
	return answer, nil
}

// DataPoint is one value of a data stream.
type DataPoint struct {
	Data string
	Time time.Time
}

// DataPoints returns those of a stream, the oldest first. The streams of a module
// are called after its identifier: ID/NAME.
func (r *RemoteManager) DataPoints(stream string) []DataPoint {
	var all []DataPoint
	for _, p := range r.m.Server.Points(stream) {
		all = append(all, DataPoint{p.Data, p.Time})
	}
	return all
}

// Streams lists the names of the data streams, the oldest first.
func (r *RemoteManager) Streams() []string { return r.m.Server.Streams() }

func (r *RemoteManager) where() (netip.AddrPort, error) { return r.m.Addr, nil }
