// Package meter counts what a run costs over the air: the bytes of each
// connection, told apart as payload, TLS handshake, TLS records, keep-alive and
// headers, and the charge that the radio draws in each of its states.
//
// It sits between the modem and the world's network, so that it sees what a
// program sends and receives and, from a host's connection, how many bytes TLS
// made of it. What only packets would tell is computed by a model, which
// [Headers] describes: a bill from it is an estimate, good to some per cent
// where a carrier rounds sessions up anyway.
//
// It is not a packet capture, it knows no tariff, and it counts nothing that
// goes on below IP: registration and paging are the network's own affair.
package meter

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/skep-sim/skep/internal/world"
)

// Bytes are a number of bytes each way.
type Bytes struct{ Up, Down uint64 }

// Total is both ways together.
func (b Bytes) Total() uint64 { return b.Up + b.Down }

func (b *Bytes) add(o Bytes) { b.Up += o.Up; b.Down += o.Down }

// Counts are the bytes that went over the air, headers of IP included, by what
// they were for. The parts do not overlap.
type Counts struct {
	Payload   Bytes // what the program sent and received
	Handshake Bytes // agreeing on TLS
	Records   Bytes // what TLS adds to payload
	KeepAlive Bytes // messages that only keep a connection alive, with all they cost
	Headers   Bytes // of TCP, UDP and IP, connecting, acknowledging and closing
}

// Total is all of it.
func (c Counts) Total() Bytes {
	var t Bytes
	for _, b := range [...]Bytes{c.Payload, c.Handshake, c.Records, c.KeepAlive, c.Headers} {
		t.add(b)
	}
	return t
}

func (c *Counts) add(o Counts) {
	c.Payload.add(o.Payload)
	c.Handshake.add(o.Handshake)
	c.Records.add(o.Records)
	c.KeepAlive.add(o.KeepAlive)
	c.Headers.add(o.Headers)
}

// Connection is the record of one connection, or of one attempt to connect.
type Connection struct {
	Host   string // as the program named it
	Port   uint16
	Proto  string // "TCP", "UDP", "TLS" or "DNS"
	Opened time.Time
	Closed time.Time // zero while it is open
	Failed string    // why connecting failed; "" if it did not
	Counts
}

// Destination is all connections to one place together.
type Destination struct {
	Host        string
	Port        uint16
	Proto       string
	Connections int
	Failures    int // of the connections, how many could not be made
	Counts
}

// maxRecords is how many connections are remembered one by one; of older ones
// only the sums remain.
const maxRecords = 1000

// Meter counts for one device, whose goroutine it serves.
type Meter struct {
	clock        world.Clock
	draw         Draw
	begun        time.Duration // on the clock, as are the other durations
	begunAt      time.Time
	records      []*Connection
	destinations []*Destination
	open         []*conn

	radio     Radio
	since     time.Duration // when the radio got into its state
	in        [radios]time.Duration
	sending   time.Duration // of the time when idle, how much was not
	lastBurst time.Duration
	bursts    uint64
}

// New makes a meter that begins now. The radio has no power yet.
func New(clock world.Clock, draw Draw) *Meter {
	now := world.Uptime(clock)
	return &Meter{clock: clock, draw: draw, begun: now, begunAt: clock.Now(), since: now, lastBurst: -1}
}

// SetDraw changes what the module draws, as when it uses another technology. The
// charge is reckoned as if it had been so from the beginning.
func (m *Meter) SetDraw(d Draw) { m.draw = d }

// Network is a network whose traffic counts; via is where it goes.
func (m *Meter) Network(via world.Network) world.Network { return &network{m: m, via: via} }

type network struct {
	m   *Meter
	via world.Network
}

// Resolve implements world.Network.
func (n *network) Resolve(host string, l world.Limit) ([]netip.Addr, error) {
	n.lookUp(host)
	return n.via.Resolve(host, l)
}

// lookUp counts a question to a name server, and its answer.
func (n *network) lookUp(host string) {
	if _, err := netip.ParseAddr(host); err == nil {
		return
	}
	r := n.m.record(&Connection{Host: host, Port: 53, Proto: "DNS", Opened: n.m.clock.Now(), Closed: n.m.clock.Now()})
	n.m.count(r, Counts{Headers: lookUp(host)})
}

// Dial implements world.Network.
func (n *network) Dial(t world.Target, l world.Limit) (world.Conn, error) {
	n.lookUp(t.Host)
	r := &Connection{Host: t.Host, Port: t.Port, Proto: "TCP", Opened: n.m.clock.Now()}
	switch {
	case t.Proto == world.UDP:
		r.Proto = "UDP"
	case t.TLS != nil:
		r.Proto = "TLS"
	}
	c, err := n.via.Dial(t, l)
	if err != nil {
		r.Closed, r.Failed = n.m.clock.Now(), failure(err)
		n.m.record(r)
		n.m.count(r, failed(t, err))
		return nil, err
	}
	n.m.record(r)
	k := &conn{Conn: c, m: n.m, record: r, udp: t.Proto == world.UDP, tls: t.TLS != nil}
	k.opened()
	n.m.open = append(n.m.open, k)
	return k, nil
}

// failure is the kind of a failure alone: the host's words are long.
func failure(err error) string {
	var f *world.Failure
	if errors.As(err, &f) {
		return f.Kind.String()
	}
	return err.Error()
}

// record remembers a connection.
func (m *Meter) record(r *Connection) *Connection {
	m.records = append(m.records, r)
	if len(m.records) > maxRecords {
		// One that is still open is kept by itself and by its destination's sum.
		m.records = slices.Delete(m.records, 0, 1)
	}
	d := m.destination(r)
	d.Connections++
	if r.Failed != "" {
		d.Failures++
	}
	return r
}

func (m *Meter) destination(r *Connection) *Destination {
	for _, d := range m.destinations {
		if d.Host == r.Host && d.Port == r.Port && d.Proto == r.Proto {
			return d
		}
	}
	d := &Destination{Host: r.Host, Port: r.Port, Proto: r.Proto}
	m.destinations = append(m.destinations, d)
	return d
}

// count adds what has gone over the air, and what sending it took of the radio.
func (m *Meter) count(r *Connection, c Counts) {
	r.add(c)
	m.destination(r).add(c)
	m.burst(c.Total())
}

// Report is what a run has cost so far.
type Report struct {
	Begun        time.Time
	Duration     time.Duration
	Total        Counts
	Destinations []Destination // the most expensive first
	Connections  []Connection  // the last thousand, in the order of their opening
	Radio        []RadioTime
}

// Report sums up. Connections that are open are counted up to now.
func (m *Meter) Report() Report {
	for _, k := range m.open {
		k.flush()
	}
	now := world.Uptime(m.clock)
	r := Report{Begun: m.begunAt, Duration: now - m.begun, Radio: m.radioTimes(now)}
	for _, d := range m.destinations {
		r.Total.add(d.Counts)
		r.Destinations = append(r.Destinations, *d)
	}
	slices.SortStableFunc(r.Destinations, func(a, b Destination) int {
		if c := cmp.Compare(b.Total().Total(), a.Total().Total()); c != 0 {
			return c
		}
		return cmp.Compare(fmt.Sprint(a.Host, a.Port, a.Proto), fmt.Sprint(b.Host, b.Port, b.Proto))
	})
	for _, c := range m.records {
		r.Connections = append(r.Connections, *c)
	}
	return r
}

// Month is what bills are made for: thirty days.
const Month = 30 * 24 * time.Hour

// AMonth is what a count of this run would be in a month at this rate; 0 if the
// run took no time.
func (r Report) AMonth(n float64) float64 {
	if r.Duration <= 0 {
		return 0
	}
	return n * float64(Month) / float64(r.Duration)
}

// Charge is what the radio and the rest of the module drew in all, mAh.
func (r Report) Charge() float64 {
	sum := 0.0
	for _, t := range r.Radio {
		sum += t.Charge
	}
	return sum
}
