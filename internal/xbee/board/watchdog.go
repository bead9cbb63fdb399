package board

// Response is what the watchdog does when it was not fed.
type Response uint8

// The responses.
const (
	RestartInterpreter Response = iota
	RestartModule
	ShutDownCleanly // shut the modem down, then restart the module
)

// Watchdog restarts a program that stops feeding it. Once started it cannot be
// stopped but by the restart of the interpreter or the module.
type Watchdog struct {
	now      func() int64
	running  bool
	timeout  int64 // µs
	deadline int64
	response Response
}

// Start starts the watchdog, to bite timeout microseconds after it was last fed.
// It reports false if it runs already: it cannot be reconfigured.
func (w *Watchdog) Start(timeout int64, r Response) bool {
	if w.running {
		return false
	}
	w.running, w.timeout, w.response = true, timeout, r
	w.Feed()
	return true
}

// Feed puts the bite off.
func (w *Watchdog) Feed() { w.deadline = w.now() + w.timeout }

// Deadline is when it will bite; false while it is off.
func (w *Watchdog) Deadline() (at int64, running bool) { return w.deadline, w.running }

// Bites reports whether it is time, and what is to be done. It asks for the time
// only while the watchdog runs.
func (w *Watchdog) Bites() (Response, bool) {
	if !w.running || w.now() < w.deadline {
		return 0, false
	}
	return w.response, true
}

func (w *Watchdog) stop() { w.running = false }
