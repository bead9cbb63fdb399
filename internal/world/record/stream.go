package record

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/skep-sim/skep/internal/world"
)

// stream is a stream that is recorded. raw is the host's; nil when replaying.
type stream struct {
	*seam
	raw     world.Stream
	number  uint64 // in the order in which streams were opened; 0 is the serial line
	changed *gate
	// out, if not nil, sees what is sent.
	out  func(b []byte)
	name string // for messages
}

func (s *seam) newStream(raw world.Stream, name string) stream {
	t := stream{seam: s, raw: raw, number: s.streams, changed: s.newGate(), name: name}
	s.streams++
	if raw != nil {
		t.changed.raw = raw.Changed()
	}
	return t
}

func (t *stream) id() []byte { return binary.AppendUvarint(nil, t.number) }

// own checks that an entry is about this stream.
func (t *stream) own(d *decoder) {
	if n := d.uint(); n != t.number {
		t.diverge(fmt.Sprintf("the recording has traffic of stream %d here, and the device uses %s (stream %d)", n, t.name, t.number))
	}
}

// Recv implements world.Stream.
func (t *stream) Recv(p []byte) (int, error) {
	t.step()
	if t.play != nil {
		d, ok := t.take(KindRecv)
		if !ok {
			return 0, nil
		}
		t.own(&d)
		err := d.error()
		b := d.rest()
		if d.err != nil {
			t.done(&d)
		}
		if len(b) > len(p) {
			t.diverge(fmt.Sprintf("%d bytes came from %s, and the device asks for %d", len(b), t.name, len(p)))
		}
		return copy(p, b), err
	}
	n, err := t.raw.Recv(p)
	if (n > 0 || err != nil) && t.recording() {
		t.put(KindRecv, append(appendError(t.id(), err), p[:n]...))
	}
	return n, err
}

// Send implements world.Stream.
func (t *stream) Send(p []byte) (int, error) {
	t.step()
	if t.play == nil {
		n, err := t.raw.Send(p)
		if t.recording() {
			b := binary.AppendUvarint(appendError(t.id(), err), uint64(len(p)))
			t.put(KindSend, append(b, p[:n]...))
		}
		return n, err
	}
	d := t.must(KindSend)
	if t.over {
		return len(p), nil
	}
	t.onTime()
	t.own(&d)
	err := d.error()
	size, b := d.uint(), d.rest()
	if d.err != nil {
		t.done(&d)
	}
	if size != uint64(len(p)) || len(b) > len(p) || !bytes.Equal(b, p[:len(b)]) {
		t.diverge(fmt.Sprintf("sent to %s: recorded %d bytes, %s; now %d bytes, %s", t.name, size, quote(b, p), len(p), quote(p, b)))
	}
	if t.out != nil {
		t.out(b)
	}
	return len(b), err
}

// quote shows the part of b around the first difference from other.
func quote(b, other []byte) string {
	at := 0
	for at < len(b) && at < len(other) && b[at] == other[at] {
		at++
	}
	from, to := max(0, at-20), min(len(b), at+40)
	text := fmt.Sprintf("%q", b[from:to])
	if from > 0 {
		text = "..." + text
	}
	if to < len(b) {
		text += "..."
	}
	return text
}

// Changed implements world.Stream.
func (t *stream) Changed() <-chan struct{} {
	if t.raw != nil {
		t.changed.raw = t.raw.Changed()
	}
	return t.changed.seen
}

// Close implements world.Stream.
func (t *stream) Close() error {
	t.step()
	t.drop(t.changed)
	if t.play == nil {
		t.put(KindClose, t.id())
		return t.raw.Close()
	}
	d := t.must(KindClose)
	if !t.over {
		t.own(&d)
		t.done(&d)
	}
	return nil
}

// line is a serial line whose other end is known.
type line struct {
	stream
	raw      world.Line // nil if nobody knows of it
	brk      bool
	settings world.LineSettings
	known    bool
}

// look notes how the other end is, if it has changed.
func (l *line) look() {
	l.step()
	if l.play != nil {
		d, ok := l.take(KindLine)
		if ok {
			l.brk, l.known = d.byte() == 1, d.byte() == 1
			l.settings = world.LineSettings{Baud: int(d.uint()), Parity: d.byte(), StopBits: int(d.uint())}
			l.done(&d)
		}
		return
	}
	if l.raw == nil {
		return
	}
	brk := l.raw.Break()
	settings, known := l.raw.Settings()
	if brk == l.brk && settings == l.settings && known == l.known {
		return
	}
	l.brk, l.settings, l.known = brk, settings, known
	b := append([]byte{}, flag(brk), flag(known))
	b = append(binary.AppendUvarint(b, uint64(settings.Baud)), settings.Parity)
	l.put(KindLine, binary.AppendUvarint(b, uint64(settings.StopBits)))
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// Break implements world.Line.
func (l *line) Break() bool {
	l.look()
	return l.brk
}

// Settings implements world.Line.
func (l *line) Settings() (world.LineSettings, bool) {
	l.look()
	return l.settings, l.known
}

// conn is a connection.
type conn struct {
	stream
	local, remote netip.AddrPort
}

func (c *conn) Local() netip.AddrPort  { return c.local }
func (c *conn) Remote() netip.AddrPort { return c.remote }

// carrier is a connection that knows its traffic.
type carrier struct {
	conn
	traffic world.Traffic
}

// Traffic implements world.Carrier.
func (c *carrier) Traffic() world.Traffic {
	c.step()
	if c.play != nil {
		if d, ok := c.take(KindTraffic); ok {
			c.own(&d)
			c.traffic = d.traffic()
			c.done(&d)
		}
		return c.traffic
	}
	t, _ := world.TrafficOf(c.raw.(world.Conn))
	if t != c.traffic {
		c.traffic = t
		c.put(KindTraffic, appendTraffic(c.id(), t))
	}
	return t
}
