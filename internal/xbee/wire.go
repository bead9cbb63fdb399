package xbee

import (
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/script"
)

// wire is the line at the module's serial port, with what a script types into it
// and the breaks it holds.
type wire struct {
	world.Stream
	d        *Device
	typed    []byte
	breakEnd time.Duration
}

// Recv gives what was typed first. The line has no end as long as the script may
// type something.
func (w *wire) Recv(p []byte) (int, error) {
	if len(w.typed) > 0 {
		n := copy(p, w.typed)
		w.typed = w.typed[n:]
		w.d.heard = world.Uptime(w.d.world.Clock())
		return n, nil
	}
	n, err := w.Stream.Recv(p)
	if n > 0 {
		w.d.heard = world.Uptime(w.d.world.Clock())
	}
	if n == 0 && err != nil && w.d.outside.player != nil && w.d.outside.player.WillType() {
		return 0, nil
	}
	return n, err
}

// Send shows the script what the module sends.
func (w *wire) Send(p []byte) (int, error) {
	n, err := w.Stream.Send(p)
	if n > 0 {
		w.d.happened(script.Event{Kind: script.SentSerial, Text: string(p[:n])})
	}
	return n, err
}

// Break implements world.Line.
func (w *wire) Break() bool {
	if world.Uptime(w.d.world.Clock()) < w.breakEnd {
		return true
	}
	l, ok := w.Stream.(world.Line)
	return ok && l.Break()
}

// Settings implements world.Line.
func (w *wire) Settings() (world.LineSettings, bool) {
	if l, ok := w.Stream.(world.Line); ok {
		return l.Settings()
	}
	return world.LineSettings{}, false
}

// wakeSerial has the serial port look at its line again.
func (d *Device) wakeSerial() {
	if d.uart != nil {
		d.uart.Wake()
	}
}
