package record

import (
	"fmt"
	"iter"
	"net"
	"strconv"
	"time"

	"github.com/skep-sim/skep/internal/world"
)

// Event is an entry of a recording as a person, or a script, reads it.
type Event struct {
	// Call is its position: the number of the call at the seam.
	Call uint64 `json:"call"`
	// Time is how long the device had been there, in nanoseconds, as far as its
	// clock had been read by then.
	Time time.Duration `json:"time"`
	Kind Kind          `json:"-"`
	// Stream is the number of the stream, from 1; 0 is the serial line.
	Stream uint64 `json:"stream,omitempty"`
	// Peer is the host that is looked up, or the host and port that is connected to.
	Peer string `json:"peer,omitempty"`
	// What and Text are those of a mark, a request or a check.
	What string `json:"what,omitempty"`
	Text string `json:"text,omitempty"`
	// Data are the bytes that moved.
	Data []byte `json:"data,omitempty"`
	// Err is how it failed.
	Err error `json:"-"`
	// TLS: a connection is secure. UDP: it carries datagrams.
	TLS bool `json:"tls,omitempty"`
	UDP bool `json:"udp,omitempty"`
	// Index is the event that ended a wait.
	Index int `json:"-"`
}

// Events lists what was recorded. An entry that cannot be read ends the list.
func (l *Log) Events() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		r := lister{peers: map[uint64]string{}, at: l.Elapsed}
		rest := l.entries
		for n := uint64(0); ; {
			e, more, ok := cutEntry(rest, n)
			if !ok {
				return
			}
			n, rest = e.n, more
			ev, ok := r.event(e)
			if !ok {
				return
			}
			if e.kind != KindAt && !yield(ev) {
				return
			}
		}
	}
}

// lister remembers what later entries refer to.
type lister struct {
	at     time.Duration
	dialed Event // the last connection asked for
	peers  map[uint64]string
}

func (r *lister) event(e entry) (ev Event, ok bool) {
	d := decoder{b: e.data}
	switch e.kind {
	case KindAt:
		r.at += time.Duration(d.int())
	case KindTime:
		r.at += time.Duration(d.uint()) * time.Microsecond
	}
	ev = Event{Call: e.n, Time: r.at, Kind: e.kind}
	switch e.kind {
	case KindWait:
		ev.Index = int(d.uint())
	case KindEntropy:
		ev.Data = d.rest()
	case KindRecv:
		ev.Stream = d.uint()
		ev.Err = d.error()
		ev.Data = d.rest()
	case KindSend:
		ev.Stream = d.uint()
		ev.Err = d.error()
		d.uint()
		ev.Data = d.rest()
	case KindClose, KindTraffic:
		ev.Stream = d.uint()
		if e.kind == KindTraffic {
			t := d.traffic()
			ev.Text = fmt.Sprintf("%d bytes out, %d in, on the wire so far", t.Sent, t.Received)
		}
	case KindLine:
		brk, known := d.byte() == 1, d.byte() == 1
		s := world.LineSettings{Baud: int(d.uint()), Parity: d.byte(), StopBits: int(d.uint())}
		if known {
			ev.Text = fmt.Sprintf("the host has %d 8%c%d", s.Baud, s.Parity, s.StopBits)
		}
		if brk {
			ev.What = "break"
		}
	case KindLookup:
		ev.Peer = d.text()
	case KindFound:
		ev.Err = d.error()
		for sep := ""; len(d.b) > 0; sep = " " {
			ev.Text += sep + d.text()
		}
	case KindDial:
		flags, host := d.byte(), d.text()
		ev.Peer = net.JoinHostPort(host, strconv.FormatUint(d.uint(), 10))
		ev.TLS, ev.UDP = flags&targetTLS != 0, flags&targetUDP != 0
		if sni := d.text(); sni != "" {
			ev.Text = "SNI " + sni
		}
		r.dialed = ev
	case KindDialled:
		ev.Peer, ev.TLS, ev.UDP = r.dialed.Peer, r.dialed.TLS, r.dialed.UDP
		if ev.Err = d.error(); ev.Err == nil {
			ev.Stream = d.uint()
			d.byte()
			r.peers[ev.Stream] = ev.Peer
			ev.Text = fmt.Sprintf("%s to %s", d.addr(), d.addr())
		}
	case KindAsk:
		ev.What = d.text()
		ev.Text = string(d.rest())
	case KindMark:
		ev.What, ev.Text = d.text(), d.text()
	case KindCheck:
		ev.What = d.text()
		ev.Text = fmt.Sprintf("%016x", d.uint())
	}
	if ev.Peer == "" && ev.Stream != 0 {
		ev.Peer = r.peers[ev.Stream]
	}
	return ev, d.err == nil
}

// Duration is the time of the last entry.
func (l *Log) Duration() (t time.Duration) {
	for e := range l.Events() {
		t = e.Time
	}
	return t
}
