package xbee

import (
	"time"

	"github.com/skep-sim/skep/internal/xbee/modem"
	"github.com/skep-sim/skep/internal/xbee/script"
)

// This file is what a script does to the network. A modem is made at every reset
// of the module, so it is kept here, and done to each.

// settle puts a modem that was just made into the surroundings.
func (d *Device) settle() {
	m, a := d.modem, &d.around
	if a.signal != nil {
		m.SetSignal(*a.signal)
	}
	m.SetCoverage(!a.uncovered)
	m.SetNATTimeout(a.nat)
	for _, s := range a.sms {
		m.DeliverSMS(s.Phone, s.Text)
	}
	a.sms = nil
	d.modemEvents = m.Subscribe()
}

// online reports whether there is a modem to do something to.
func (h *hand) online() bool { return !h.dark }

func (h *hand) DeliverSMS(sender, text string) {
	if !h.online() {
		h.around.sms = append(h.around.sms, modem.SMS{Phone: sender, Text: text})
		return
	}
	h.modem.DeliverSMS(sender, text)
}

func (h *hand) SetSignal(rssi, rsrp, rsrq float32) {
	h.around.signal = &modem.Signal{RSSI: rssi, RSRP: rsrp, RSRQ: rsrq}
	if h.online() {
		h.modem.SetSignal(*h.around.signal)
	}
}

func (h *hand) SetNetwork(up bool) {
	h.around.uncovered = !up
	if h.online() {
		h.modem.SetCoverage(up)
	}
}

func (h *hand) SetNAT(idle time.Duration) {
	h.around.nat = idle
	if h.online() {
		h.modem.SetNATTimeout(idle)
	}
}

func (h *hand) ResetConnections() {
	if h.online() {
		h.modem.ResetConnections("")
	}
}

// sentKept is how many of the messages that the module has sent are kept.
const sentKept = 100

// modemHappened passes on what has happened to the modem.
func (d *Device) modemHappened() {
	if d.modemEvents == nil {
		return
	}
	for e, ok := d.modemEvents.Next(); ok; e, ok = d.modemEvents.Next() {
		d.modemEvent(e)
		switch e.Kind {
		case modem.Online:
			d.happened(script.Event{Kind: script.Connected})
		case modem.Offline:
			d.happened(script.Event{Kind: script.Disconnected})
		case modem.SMSSent:
			d.sentSMS = append(d.sentSMS, e.SMS)
			d.sentSMS = d.sentSMS[max(0, len(d.sentSMS)-sentKept):]
			d.happened(script.Event{Kind: script.SentSMS, Text: e.SMS.Text})
		}
	}
}

// SentSMS returns the last 100 messages that the module has sent, the oldest first.
func (d *Device) SentSMS() (sent []modem.SMS) {
	d.ask(d.ordered(newOrder(orderSMS), func() {
		d.modemHappened()
		sent = append(sent, d.sentSMS...)
	}))
	return sent
}
