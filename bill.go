package skep

import (
	"io"
	"time"

	"github.com/skep-sim/skep/internal/xbee/meter"
)

// Bytes are a number of bytes each way, as they go over the air.
type Bytes struct{ Up, Down uint64 }

// Traffic is bytes by what they were for. The parts do not overlap.
type Traffic struct {
	Payload      Bytes // what the program sent and received
	TLSHandshake Bytes
	TLSRecords   Bytes // what TLS adds to payload
	KeepAlive    Bytes // MQTT's pings, with all they cost
	Headers      Bytes // of TCP, UDP and IP, and what else connections take
}

// Total is all of it.
func (t Traffic) Total() Bytes {
	var sum Bytes
	for _, b := range [...]Bytes{t.Payload, t.TLSHandshake, t.TLSRecords, t.KeepAlive, t.Headers} {
		sum.Up += b.Up
		sum.Down += b.Down
	}
	return sum
}

// Destination is all that went to one place.
type Destination struct {
	Host        string // as the program named it
	Port        int
	Proto       string // "TCP", "UDP", "TLS", or "DNS" for looking the name up
	Connections int
	Failed      int // of the connections
	Traffic
}

// RadioTime is how long the radio was in one state.
type RadioTime struct {
	State   string // "searching", "idle", "sending", "deep sleep", ...
	Time    time.Duration
	Current float64 // mA, drawn by the whole module
	Charge  float64 // mAh
	Source  string  // of the current
}

// Bill is what a module has cost over the air since New. How it is reckoned is
// told in docs/rationale.md.
type Bill struct {
	Duration     time.Duration
	Total        Traffic
	Destinations []Destination // the most expensive first
	Radio        []RadioTime
	Charge       float64 // mAh, in all

	report meter.Report
}

// Month is what a number of the bill, such as Charge, would be in thirty days at
// the rate of the run.
func (b Bill) Month(n float64) float64 { return b.report.AMonth(n) }

// Write prints the bill as a table.
func (b Bill) Write(w io.Writer) error { return b.report.Write(w) }

func trafficOf(c meter.Counts) Traffic {
	return Traffic{Bytes(c.Payload), Bytes(c.Handshake), Bytes(c.Records), Bytes(c.KeepAlive), Bytes(c.Headers)}
}

// Bill is what the module has cost over the air so far.
func (m *Module) Bill() Bill {
	r := m.device.Bill()
	b := Bill{Duration: r.Duration, Total: trafficOf(r.Total), Charge: r.Charge(), report: r}
	for _, d := range r.Destinations {
		b.Destinations = append(b.Destinations, Destination{d.Host, int(d.Port), d.Proto, d.Connections, d.Failures, trafficOf(d.Counts)})
	}
	for _, t := range r.Radio {
		b.Radio = append(b.Radio, RadioTime{t.Radio.String(), t.Time, t.Current, t.Charge, t.Source})
	}
	return b
}
