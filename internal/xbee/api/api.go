// Package api is what the module does with API frames (ATAP 1 and 2): AT
// commands, text messages, IP data, sockets, Remote Manager, user data relay and
// the file system, each as frames in and frames out (device-facts.md 11).
//
// The form of a frame is package frame's, and what lies behind the frames is
// that of others: at, modem, flash, relay. Here is their translation, with what
// only frames have: sockets kept by address and port, socket and file handles,
// path ids, the queue of AT commands that take long.
//
// An [API] serves the one goroutine that runs its device at a time. What has to
// wait (connecting, looking up a name) does so in jobs that Config.Go starts.
//
// It is no serial port: who selects the mode, watches for the escape sequence
// and owns the line hands bytes over with Receive and takes frames with
// Config.Send.
package api

import (
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/at"
	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/frame"
	"github.com/skep-sim/skep/internal/xbee/modem"
	"github.com/skep-sim/skep/internal/xbee/relay"
)

// Config is what an API is made of.
type Config struct {
	// Level is the feature level of the firmware: frames that came later are as
	// unknown.
	Level     int
	Registers *at.Registers
	Modem     *modem.Modem
	Files     *flash.FS
	Relay     *relay.Relay
	// Cloud is the module's connection to Remote Manager (nil: there is none).
	Cloud Cloud
	// Credentials reads the files that a setting such as AT$0 names.
	Credentials func(tls string) (modem.Credentials, error)
	// Clock is the device's clock for jobs that listen all the time.
	Clock world.Clock
	// Go starts a job, which may wait on Clock and in the modem.
	Go func(name string, f func())
	// Send sends a frame, which is only lent, to the serial port. Frames that
	// are sent by several jobs at a time must not be mixed.
	Send func(frame []byte)
	// Ready is called when Full has become false (may be nil).
	Ready func()
	// Indicate is told how a connection that a frame 20 or 23 wanted went, for
	// ATCI (may be nil).
	Indicate func(p modem.Proto, why modem.Reason)
	// Note takes a remark for the person at the host (may be nil).
	Note func(text string)
}

// API is the API mode of one device.
type API struct {
	conf    Config
	decoder frame.Decoder
	open    bool // the port is ours
	active  bool // it has been, since the mode was selected
	heard   time.Duration
	missed  []byte // codes of modem status that came in command mode

	coded []byte // to build frames in; nil while one is being sent

	commands commands
	ips      []*ipConn
	sockets  []*socket // as they were made
	requests map[byte]*request
	lastReq  byte
	queued   int // bytes that wait to be sent to the network
	files    *files
}

// New makes the API mode of a device that has just been powered on, and starts
// its jobs.
func New(c Config) *API {
	a := &API{conf: c, requests: map[byte]*request{}}
	a.decoder.Handle = a.handle
	a.files = newFiles(a)
	c.Relay.SetSerial(a.relayed)
	events := c.Modem.Subscribe()
	c.Go("api events", func() { a.listen(events) })
	return a
}

// SetEscaped selects ATAP2, with escapes, or ATAP1, without.
func (a *API) SetEscaped(on bool) { a.decoder.Escaped = on }

// silence is how long the line has to be silent within a frame for the frame to
// be given up. Not documented: a choice.
const silence = time.Second

// Receive takes bytes that have arrived at the serial port, which are only lent.
func (a *API) Receive(p []byte) {
	now := world.Uptime(a.conf.Clock)
	if now-a.heard >= silence {
		a.decoder.Silence()
	}
	a.heard = now
	a.decoder.Write(p)
}

// Open tells whether the port is that of API mode: not while another mode is
// selected, nor in command mode. Meanwhile nothing is sent to it; what arrives
// on sockets waits, and so do the modem's last states.
func (a *API) Open(open bool) {
	a.open = open
	if !open {
		return
	}
	a.active = true
	missed := a.missed
	a.missed = nil
	for _, code := range missed {
		a.ModemStatus(code)
	}
	a.kickAll()
}

// Full reports whether so much waits to be sent to the network that the host
// had better wait. Config.Ready tells when that is over.
func (a *API) Full() bool { return a.queued > maxQueued }

// maxQueued is a choice.
const maxQueued = 16 << 10

// Stats counts the frames that have arrived.
func (a *API) Stats() frame.Stats { return a.decoder.Stats() }

// Reset ends everything that API mode has begun: sockets, handles, requests. It
// is for when another mode is selected.
func (a *API) Reset() {
	a.active, a.missed = false, nil
	a.decoder.Silence()
	for len(a.ips) > 0 {
		a.ips[0].drop()
	}
	for len(a.sockets) > 0 {
		a.sockets[0].free()
	}
	for id := range 256 {
		if r := a.requests[byte(id)]; r != nil {
			delete(a.requests, byte(id))
			r.answer(nil, false)
		}
	}
	a.files.reset()
	a.commands.waiting = nil
}

// The types of frames.
const (
	frameAT         = 0x08
	frameATQueued   = 0x09
	frameSMS        = 0x1F
	frameIPv4       = 0x20
	frameIPv4TLS    = 0x23
	frameSendData   = 0x28
	frameResponse   = 0x2A
	frameUpdate     = 0x2B
	frameUnlock     = 0x2C
	frameRelay      = 0x2D
	frameFiles      = 0x3B
	frameCreate     = 0x40
	frameOption     = 0x41
	frameConnect    = 0x42
	frameClose      = 0x43
	frameSend       = 0x44
	frameSendTo     = 0x45
	frameBind       = 0x46
	frameATResponse = 0x88
	frameTxStatus   = 0x89
	frameModem      = 0x8A
	frameSMSArrived = 0x9F
	frameUpdated    = 0xAB
	frameUnlocked   = 0xAC
	frameRelayed    = 0xAD
	frameReceived   = 0xB0
	frameDataSent   = 0xB8
	frameRequest    = 0xB9
	frameResponded  = 0xBA
	frameFilesReply = 0xBB
	frameCreated    = 0xC0
	frameOptionSet  = 0xC1
	frameConnecting = 0xC2
	frameClosed     = 0xC3
	frameBound      = 0xC6
	frameFromPeer   = 0xCD
	frameFrom       = 0xCE
	frameState      = 0xCF
	frameError      = 0xFE
)

// Codes of frame FE (xpy models/status.py). That the module sends it is a choice.
const (
	errorType   = 0x02
	errorLength = 0x03
)

// Levels from which frames are known (device-facts.md 1.2; 2B: guide 90002258).
const (
	levelUpdate  = 0x12
	levelSockets = 0x15
	levelFiles   = 0x16
)

// handler is how a frame is dealt with: from which level on, the length it has
// at least, type included, and by what.
type handler struct {
	since, length int
	run           func(data []byte)
}

func (a *API) handler(kind byte) handler {
	switch kind {
	case frameAT:
		return handler{0, 4, func(d []byte) { a.command(d, false) }}
	case frameATQueued:
		return handler{0, 4, func(d []byte) { a.command(d, true) }}
	case frameSMS:
		return handler{0, 3 + modem.MaxPhone, a.sendSMS}
	case frameIPv4, frameIPv4TLS:
		return handler{0, 12, a.sendIPv4}
	case frameSendData:
		return handler{0, 6, a.sendData}
	case frameResponse:
		return handler{0, 4, a.respond}
	case frameUpdate:
		return handler{levelUpdate, 4, a.update}
	case frameUnlock:
		return handler{0, 2, a.unlock}
	case frameRelay:
		return handler{0, 3, a.relay}
	case frameFiles:
		return handler{levelFiles, 3, a.files.handle}
	case frameCreate:
		return handler{levelSockets, 3, a.createSocket}
	case frameOption:
		return handler{levelSockets, 4, a.socketOption}
	case frameConnect:
		return handler{levelSockets, 6, a.connectSocket}
	case frameClose:
		return handler{levelSockets, 3, a.closeSocket}
	case frameSend:
		return handler{levelSockets, 4, a.sendSocket}
	case frameSendTo:
		return handler{levelSockets, 10, a.sendSocketTo}
	case frameBind:
		return handler{levelSockets, 5, a.bindSocket}
	}
	return handler{}
}

// handle deals with the data of a frame.
func (a *API) handle(data []byte) {
	h := a.handler(data[0])
	switch {
	case h.run == nil || a.conf.Level < h.since:
		a.send(frameError, errorType)
	case len(data) < h.length:
		a.send(frameError, errorLength)
	default:
		h.run(data)
	}
}

// send sends a frame of a few bytes.
func (a *API) send(data ...byte) { a.sendFrame(data) }

// sendFrame sends a frame, if the port is ours.
func (a *API) sendFrame(data []byte) {
	if !a.open {
		return
	}
	// Sending may wait, and others may send meanwhile.
	b := frame.Append(a.coded[:0], data, a.decoder.Escaped)
	a.coded = nil
	a.conf.Send(b)
	a.coded = b
}

// ModemStatus sends a modem status: frame 8A. 00 is for a module that was reset
// or powered on, 01 for one that its watchdog has reset, 0E and 0F for a
// connection to Remote Manager that has come or gone; the modem's own states
// are sent without being asked for.
func (a *API) ModemStatus(code byte) {
	if !a.open {
		if a.active && len(a.missed) < 16 {
			a.missed = append(a.missed, code)
		}
		return
	}
	a.send(frameModem, code)
}

// Codes of frame 8A that the modem's events have.
const (
	statusRegistered   = 0x02
	statusUnregistered = 0x03
)

// listen passes the modem's events on.
func (a *API) listen(s *modem.Subscription) {
	for {
		for e, ok := s.Next(); ok; e, ok = s.Next() {
			switch e.Kind {
			case modem.Registered:
				a.ModemStatus(statusRegistered)
			case modem.Unregistered:
				a.ModemStatus(statusUnregistered)
			case modem.SMSArrived:
				a.smsArrived(e.SMS)
			}
		}
		a.conf.Clock.Wait(world.Forever, s.Changed())
	}
}

func (a *API) note(text string) {
	if a.conf.Note != nil {
		a.conf.Note(text)
	}
}
