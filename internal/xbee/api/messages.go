package api

import (
	"bytes"
	"errors"

	"github.com/skep-sim/skep/internal/xbee/modem"
	"github.com/skep-sim/skep/internal/xbee/relay"
)

// This file is text messages (1F, 9F), user data relay (2D, AD), and the two
// frames whose work the module cannot do (2B and AB, 2C and AC).

// sendSMS is frame 1F: id, options, phone number of 20 bytes padded with NUL,
// text. It is answered by frame 89.
func (a *API) sendSMS(d []byte) {
	id := d[1]
	phone, _, _ := bytes.Cut(d[3:3+modem.MaxPhone], []byte{0})
	number, text := string(phone), string(d[3+modem.MaxPhone:])
	if len(text) > modem.MaxSMS {
		a.txReply(id, txTooLarge)
		return
	}
	a.conf.Go("api message", func() {
		status := byte(txOK)
		switch a.conf.Modem.SendSMS(number, text) {
		case 0:
		case modem.EINVAL:
			a.note("API frame 1F: the phone number has up to 20 digits, after a + if need be, and the text up to 160 characters of 7-bit ASCII")
			status = txInvalid
		case modem.ENOTCONN:
			status = txNotRegistered
		default:
			status = txUnknown
		}
		a.txReply(id, status)
	})
}

// smsArrived sends frame 9F. The Python program gets the message as well, which
// is a choice.
func (a *API) smsArrived(s modem.SMS) {
	b := make([]byte, 1+modem.MaxPhone, 1+modem.MaxPhone+len(s.Text))
	b[0] = frameSMSArrived
	copy(b[1:], s.Phone)
	a.sendFrame(append(b, s.Text...))
}

// relay is frame 2D: id, interface, data. Success is not answered.
func (a *API) relay(d []byte) {
	err := a.conf.Relay.Send(relay.Serial, int(d[2]), d[3:])
	switch {
	case err == nil:
	case errors.Is(err, relay.ErrNoDevice):
		a.txReply(d[1], txNoInterface)
	case errors.Is(err, relay.ErrNoBuffer):
		a.txReply(d[1], txTooLarge)
	default:
		a.txReply(d[1], txInterfaceFull)
	}
}

// relayed sends frame AD, if the port is that of API mode.
func (a *API) relayed(m relay.Message) bool {
	if !a.open {
		return false
	}
	a.sendFrame(append([]byte{frameRelayed, byte(m.From)}, m.Data...))
	return true
}

// Status of frame AB (guide 90002258).
const (
	updateInternal   = 5
	updateNotStarted = 3
)

// update is frame 2B: id, component, flags (bit 0 is the first block), a block
// of the modem's new firmware. There is no modem to be updated, so that no
// update ever starts.
func (a *API) update(d []byte) {
	if d[3]&1 != 0 {
		a.note("API frame 2B: the virtual module's modem cannot be updated")
		a.send(frameUpdated, d[1], updateInternal)
		return
	}
	a.send(frameUpdated, d[1], updateNotStarted)
}

// noUnlock is the step with which frame AC says that unlocking cannot begin.
const noUnlock = 0x80

// unlock is frame 2C: step, data of the Secure Remote Password protocol. It is
// for a client that is connected by Bluetooth, which no client is.
func (a *API) unlock([]byte) { a.send(frameUnlocked, noUnlock) }
