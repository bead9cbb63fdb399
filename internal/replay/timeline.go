package replay

import (
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/world/record"
)

// Row is a line of a timeline.
type Row struct {
	// Time is how long the device had been there.
	Time time.Duration
	// Call is the position in the recording.
	Call uint64
	Kind string // one of [RowKinds]
	Text string
	// Data are the bytes that moved, if any did; Peer is who was at the other end.
	Data []byte
	Peer string
}

// The kinds of rows.
const (
	RowBoot      = "boot"
	RowSerialIn  = "serial-in"
	RowSerialOut = "serial-out"
	RowLookup    = "lookup"
	RowConnect   = "connect"
	RowTLS       = "tls"
	RowNetIn     = "net-in"
	RowNetOut    = "net-out"
	RowClose     = "close"
	RowTraffic   = "traffic"
	RowSleep     = "sleep"
	RowFlash     = "flash"
	RowException = "exception"
	RowOutside   = "outside"
	RowRandom    = "random"
	RowPower     = "power"
	RowCheck     = "check"
	RowOff       = "off"
)

// RowKinds lists the kinds of rows, with what each is about.
func RowKinds() [][2]string {
	return [][2]string{
		{RowBoot, "the module starts, and why"}, {RowSerialIn, "bytes typed into the serial port"}, {RowSerialOut, "bytes sent by it"},
		{RowLookup, "names looked up"}, {RowConnect, "connections, and what came of them"}, {RowTLS, "files that TLS cannot use"},
		{RowNetIn, "bytes received"}, {RowNetOut, "bytes sent"}, {RowClose, "connections closed"}, {RowTraffic, "bytes on the wire"},
		{RowSleep, "time that passes: the module waits, sleeps or computes"}, {RowFlash, "what is stored"}, {RowException, "exceptions that were printed"},
		{RowOutside, "what was done to the module: pins, SMS, AT commands of the API"}, {RowRandom, "random bytes taken"}, {RowPower, "the supply changes"},
		{RowCheck, "checksums of memory and flash"}, {RowOff, "the end"},
	}
}

// shortest is the time that has a row of its own when it passes.
const shortest = 10 * time.Millisecond

// Timeline lists what happened in the recorded run.
func (r *Recording) Timeline() iter.Seq[Row] {
	return func(yield func(Row) bool) {
		t := timeline{yield: yield, last: r.Log.Elapsed}
		for e := range r.Log.Events() {
			if !t.event(e) {
				return
			}
		}
		t.flush()
	}
}

// timeline makes rows of events: bytes that follow each other are one row, and a
// line that the module sends is.
type timeline struct {
	yield func(Row) bool
	last  time.Duration
	held  *Row
	ended bool
}

// flush gives out the row that was held back.
func (t *timeline) flush() bool {
	if h := t.held; h != nil && !t.ended {
		t.held = nil
		t.ended = !t.yield(*h)
	}
	return !t.ended
}

func (t *timeline) row(r Row) bool {
	if t.flush() {
		t.ended = !t.yield(r)
	}
	return !t.ended
}

// bytes holds a row back that may become longer.
func (t *timeline) bytes(r Row) bool {
	if len(r.Data) == 0 {
		return true
	}
	h := t.held
	if h != nil && h.Kind == r.Kind && h.Peer == r.Peer && !(r.Kind == RowSerialOut && h.Data[len(h.Data)-1] == '\n') {
		h.Data = append(h.Data[:len(h.Data):len(h.Data)], r.Data...)
		return true
	}
	if !t.flush() {
		return false
	}
	t.held = &r
	return true
}

func (t *timeline) event(e record.Event) bool {
	if d := e.Time - t.last; d >= shortest {
		if !t.row(Row{Time: t.last, Call: e.Call, Kind: RowSleep, Text: fmt.Sprintf("%v pass", d.Round(time.Microsecond))}) {
			return false
		}
	}
	t.last = e.Time
	r := Row{Time: e.Time, Call: e.Call, Text: e.Text, Data: e.Data, Peer: e.Peer}
	switch e.Kind {
	case record.KindRecv, record.KindSend:
		return t.moved(r, e)
	case record.KindLookup:
		r.Kind, r.Text = RowLookup, e.Peer+"?"
	case record.KindFound:
		r.Kind = RowLookup
		if e.Err != nil {
			r.Text = e.Err.Error()
		}
	case record.KindDial, record.KindDialled:
		r.Kind, r.Text = RowConnect, connectText(e)
	case record.KindClose:
		if e.Stream == 0 {
			return true
		}
		r.Kind, r.Text = RowClose, e.Peer
	case record.KindTraffic:
		r.Kind = RowTraffic
	case record.KindLine:
		r.Kind = RowSerialIn
		r.Text = strings.TrimSpace(e.What + " " + e.Text)
		if r.Text == "" {
			r.Text = "the line is idle again"
		}
	case record.KindEntropy:
		r.Kind = RowRandom
	case record.KindSupply:
		r.Kind = RowPower
	case record.KindCheck:
		r.Kind, r.Text = RowCheck, e.What+" "+e.Text
	case record.KindMark:
		r.Kind = e.What // boot, sleep, flash, exception, off
	case record.KindAsk:
		if !asked(&r, e) {
			return true
		}
	default:
		return true
	}
	return t.row(r)
}

// moved is bytes that were received or sent, and how that ended.
func (t *timeline) moved(r Row, e record.Event) bool {
	in := e.Kind == record.KindRecv
	switch {
	case e.Stream == 0 && in:
		r.Kind = RowSerialIn
	case e.Stream == 0:
		r.Kind = RowSerialOut
	case in:
		r.Kind = RowNetIn
	default:
		r.Kind = RowNetOut
	}
	if !t.bytes(r) {
		return false
	}
	if e.Err == nil {
		return true
	}
	r.Data, r.Text = nil, e.Err.Error()
	if r.Text == "EOF" {
		r.Text = "the other end has finished"
	}
	return t.row(r)
}

func connectText(e record.Event) string {
	text := "TCP to "
	if e.UDP {
		text = "UDP to "
	}
	if e.TLS {
		text = "TLS to "
	}
	text += e.Peer
	switch {
	case e.Kind == record.KindDial:
		text += " ..."
	case e.Err != nil:
		text += ": " + e.Err.Error()
	default:
		text += ": connected, "
	}
	if e.Text != "" && e.Err == nil {
		if e.Kind == record.KindDial {
			text += " "
		}
		text += e.Text
	}
	return text
}

// asked is what came through the gate; false is nothing to see.
func asked(r *Row, e record.Event) bool {
	switch e.What {
	case "flash":
		r.Kind, r.Text = RowFlash, "the host could not store it: "+e.Text
	case "tls files":
		r.Kind = RowTLS
	case "order":
		var o struct {
			Do   string            `json:"do"`
			With []json.RawMessage `json:"with"`
		}
		if json.Unmarshal([]byte(e.Text), &o) != nil {
			return false
		}
		r.Kind, r.Text = RowOutside, o.Do
		for _, w := range o.With {
			r.Text += " " + string(w)
		}
	default:
		return false
	}
	return true
}
