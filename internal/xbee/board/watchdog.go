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
	// changed receives when it was started or stopped.
	changed chan struct{}
	started func()
}

// OnStart has f called when the watchdog is started.
func (w *Watchdog) OnStart(f func()) { w.started = f }

// Start starts the watchdog, to bite timeout microseconds after it was last fed.
// It reports false if it runs already: it cannot be reconfigured.
func (w *Watchdog) Start(timeout int64, r Response) bool {
	if w.running {
		return false
	}
	w.running, w.timeout, w.response = true, timeout, r
	w.Feed()
	nudge(w.changed)
	if w.started != nil {
		w.started()
	}
	return true
}

// Feed puts the bite off.
func (w *Watchdog) Feed() { w.deadline = w.now() + w.timeout }

// Deadline is when it will bite; false while it is off.
func (w *Watchdog) Deadline() (at int64, running bool) { return w.deadline, w.running }

// Bites reports whether it is time, and what is to be done; the watchdog is off
// then. It asks for the time only while the watchdog runs.
func (w *Watchdog) Bites() (Response, bool) {
	if !w.running || w.now() < w.deadline {
		return 0, false
	}
	w.running = false
	return w.response, true
}

// Changed receives when Deadline has another answer but for feeding, which only
// puts it off.
func (w *Watchdog) Changed() <-chan struct{} { return w.changed }

func (w *Watchdog) stop() {
	w.running = false
	nudge(w.changed)
}

// nudge leaves a value in a channel of one place.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
