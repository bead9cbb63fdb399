// Package world is everything a device takes from outside itself: the time,
// sleep, entropy, the network, the bytes on its serial pins, and the state of
// its power supply.
//
// What a device does is a function of its program, its flash and what comes
// through a [World]; nothing else in the tree reads a clock, a random source
// or a socket on a device's behalf. That is why one seed replays a run. All of
// it crosses here as data (bytes, times, failures with a kind) and only when
// the device's own goroutine asks: streams are polled, dialling and waiting
// return to the caller. A recorder (package record) therefore only has to wrap
// these few interfaces and note each answer in order, and a replayer to give the
// same answers again; neither needs keys, sockets or a clock. What other
// goroutines do to a device meanwhile comes in through a [Gate].
//
// This is the only package that may call time.Now. It is not the modem: it
// knows no registration, no errno, no endpoint rule and no XBee.
package world

import "io"

// World is what one device is connected to. It is an immutable value: the
// With methods return changed copies. Make one with [Real] or [Virtual].
type World struct {
	clock   Clock
	entropy io.Reader
	network Network
	serial  Stream
	power   Power
	gate    Gate
}

// Real is the host's world: its clock, its random source and its network, wall
// power, and nothing on the serial pins.
func Real() World {
	c := RealClock()
	return World{clock: c, entropy: HostEntropy(), network: HostNetwork(c), serial: NoSerial(), power: Supply(Wall)}
}

// Virtual is a world in which every run is the same: a [VirtualClock] that
// starts at [VirtualStart], entropy from seed, no network, wall power, and
// nothing on the serial pins.
func Virtual(seed uint64) World {
	return World{clock: NewVirtualClock(VirtualStart), entropy: SeededEntropy(seed), network: NoNetwork(), serial: NoSerial(), power: Supply(Wall)}
}

// Clock is the device's time. It is never nil.
func (w World) Clock() Clock { return w.clock }

// Entropy is the hardware random number generator. It never fails and never
// returns fewer bytes than asked for.
func (w World) Entropy() io.Reader { return w.entropy }

// Network is what lies behind the modem. It is never nil.
func (w World) Network() Network { return w.network }

// Serial is the wire on the module's UART pins. It is never nil.
func (w World) Serial() Stream { return w.serial }

// Power is the supply that feeds the board. It is never nil.
func (w World) Power() Power { return w.power }

// WithClock returns w with another clock. A network made for the old clock
// keeps waiting on the old one: set the network after the clock.
func (w World) WithClock(c Clock) World { w.clock = c; return w }

// WithEntropy returns w with another source of random bytes.
func (w World) WithEntropy(r io.Reader) World { w.entropy = r; return w }

// WithNetwork returns w with another network.
func (w World) WithNetwork(n Network) World { w.network = n; return w }

// WithSerial returns w with s on the module's UART pins.
func (w World) WithSerial(s Stream) World { w.serial = s; return w }

// WithPower returns w with another power supply.
func (w World) WithPower(p Power) World { w.power = p; return w }
