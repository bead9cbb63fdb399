// Package relay carries user data between the three interfaces of the module:
// the serial port (API frames 2D and AD), Bluetooth and MicroPython
// (xbee.relay).
//
// A message is handed to its destination at once or refused at once; nothing
// is acknowledged further and nothing is repeated. Only MicroPython has a
// queue, since it takes messages when its program gets round to it; the serial
// port takes them as they come while it is in API mode. Bluetooth is never
// connected: the virtual module has no radio for it.
//
// It knows no frame and no Python: the errors are named after the errno that
// xbee.relay.send raises and the status that frame 89 reports.
package relay

import "errors"

// The interfaces, by the numbers that frames and xbee.relay use
// (device-facts.md 8.3, 11.2).
const (
	Serial      = 0
	Bluetooth   = 1
	MicroPython = 2
)

// MaxData is the longest message in bytes, xbee.relay.MAX_DATA_LENGTH, and
// QueueLength how many messages wait for the Python program. Neither is
// documented; both are choices (device-facts.md 14 no. 16).
const (
	MaxData     = 1500
	QueueLength = 16
)

// What sending fails with. Xmp typehints/xbee/relay.pyi names the errno of
// each; frames have no status of their own for ErrNoBuffer.
var (
	// ErrNoBuffer (ENOBUFS, frame status 74 "payload too large"): the message
	// is longer than any buffer.
	ErrNoBuffer = errors.New("ENOBUFS: the message is longer than a relay buffer")
	// ErrNoDevice (ENODEV, frame status 7C): there is no such interface.
	ErrNoDevice = errors.New("ENODEV: there is no such relay interface")
	// ErrRefused (ECONNREFUSED, frame status 7D): the interface does not take
	// messages now. The serial port is not in API mode, Bluetooth is not
	// connected, or the queue of MicroPython is full.
	ErrRefused = errors.New("ECONNREFUSED: the relay interface takes no message now")
)

// Message is what arrives: who sent it, and its bytes, which belong to the
// receiver.
type Message struct {
	From int
	Data []byte
}

// Relay is the relay of one module. It serves the one goroutine that runs the
// device at a time. Make one with [New].
type Relay struct {
	serial  func(Message) bool
	queue   []Message
	arrived chan struct{}
	hook    func()
}

// New is the relay of a module that has just been given power.
func New() *Relay { return &Relay{arrived: make(chan struct{}, 1)} }

// SetSerial sets who takes what is sent to the serial port; it returns false
// to refuse, as outside API mode. The message's bytes are its own.
func (r *Relay) SetSerial(take func(Message) bool) { r.serial = take }

// Send sends a copy of data from one interface to another, which may be the
// same. It returns nil, ErrNoDevice, ErrNoBuffer or ErrRefused.
func (r *Relay) Send(from, to int, data []byte) error {
	switch {
	case to != Serial && to != Bluetooth && to != MicroPython:
		return ErrNoDevice
	case len(data) > MaxData:
		return ErrNoBuffer
	case to == Bluetooth:
		return ErrRefused
	}
	m := Message{From: from, Data: append([]byte(nil), data...)}
	if to == Serial {
		if r.serial == nil || !r.serial(m) {
			return ErrRefused
		}
		return nil
	}
	if len(r.queue) >= QueueLength {
		return ErrRefused
	}
	r.queue = append(r.queue, m)
	select {
	case r.arrived <- struct{}{}:
	default:
	}
	if r.hook != nil {
		r.hook()
	}
	return nil
}

// Receive takes the oldest message for MicroPython; false if there is none.
func (r *Relay) Receive() (Message, bool) {
	if len(r.queue) == 0 {
		return Message{}, false
	}
	m := r.queue[0]
	r.queue[0] = Message{}
	r.queue = r.queue[1:]
	return m, true
}

// Waiting is how many messages wait for MicroPython.
func (r *Relay) Waiting() int { return len(r.queue) }

// Arrived receives after a message for MicroPython has arrived; one value may
// stand for several.
func (r *Relay) Arrived() <-chan struct{} { return r.arrived }

// OnMessage sets what is called, by the sender's job, each time a message for
// MicroPython has been put into the queue; nil calls nobody. It is for
// relay.callback, which should schedule a Receive and return.
func (r *Relay) OnMessage(hook func()) { r.hook = hook }

// Reset is what a restart of the interpreter does: the queue and the hook are
// gone, the serial port stays.
func (r *Relay) Reset() {
	r.queue, r.hook = nil, nil
	select {
	case <-r.arrived:
	default:
	}
}
