package world

import "time"

// Gate is where a run is recorded, or replayed: the moments at which a device sees
// what others have done meanwhile, and the answers that are no answers of a clock,
// a stream or a network. A world without one lets everything in as it comes.
//
// Every call is the device's goroutine's, or, while the device does not run, one
// caller's at a time.
type Gate interface {
	// Event is what a device is to wait for in the place of raw, on which another
	// goroutine sends: it receives when the device next asks the clock, or calls
	// Admit, after raw has received.
	Event(raw <-chan struct{}) <-chan struct{}
	// Admit lets in what has come since.
	Admit()
	// Past reports whether the clock has reached a moment of its [Uptime].
	Past(t time.Duration) bool
	// Ask returns what live does, and when a run is replayed what it did then. Nil
	// is the usual answer, which costs nothing.
	Ask(what string, live func() []byte) []byte
	// Replays reports whether this is a replay, where live of Ask is never called.
	Replays() bool
	// Mark tells what the device does, for who reads the recording. A replay must
	// do the same.
	Mark(what, text string)
	// Check compares a figure of the device's with what it was at this moment. It
	// is taken now and then, or with must each time.
	Check(what string, must bool, figure func() uint64)
	// End is the end of the run. What crosses the seam after that is neither
	// recorded nor replayed.
	End()
}

// Gate is where the run is recorded or replayed; nil if it is not.
func (w World) Gate() Gate { return w.gate }

// WithGate returns w with a gate.
func (w World) WithGate(g Gate) World { w.gate = g; return w }
