package debug

import "github.com/skep-sim/skep/internal/vm"

// Target is a program on a module that can be run once with a debugger.
type Target interface {
	// Run runs it to its end and returns its exit status. What the module sends on its
	// serial port goes to out. d, out and Remark are called by the goroutine that
	// calls Run.
	Run(d *vm.Debugger, out func([]byte)) (status int)
	// Kill makes Run return soon. Any goroutine may call it, also before Run.
	Kill()
	// Poke has the program let the debugger in soon if it waits for something, in a
	// built-in function. Any goroutine may call it.
	Poke()
	// Type types into the serial port. Any goroutine may call it.
	Type(b []byte)
	// Again is a target that does what this one has done so far, and ends there. It
	// is only called while this one is stopped, or has ended. An error says why that
	// is not possible.
	Again() (Target, error)
}

// A Moment is a place in a run: at the start of a line, or where an exception was
// raised.
type Moment struct {
	// Passed is how many traps were passed; see vm.Debugger.
	Passed uint64
	// Raise counts the exceptions since the last of them; 0: none, it is the trap.
	Raise int
}

// Before reports whether m comes before n.
func (m Moment) Before(n Moment) bool {
	return m.Passed < n.Passed || m.Passed == n.Passed && m.Raise < n.Raise
}

// Reasons for which a program stops, as DAP names them.
const (
	ReasonEntry     = "entry"
	ReasonStep      = "step"
	ReasonBreak     = "breakpoint"
	ReasonFunction  = "function breakpoint"
	ReasonData      = "data breakpoint"
	ReasonException = "exception"
	ReasonPause     = "pause"
	ReasonGoto      = "goto"
)

// Stop is why and where a program has stopped.
type Stop struct {
	Moment      Moment
	Reason      string
	Description string
	// Breakpoints are the numbers of those that were hit.
	Breakpoints []int
	// Exception is what was raised, or vm.Null.
	Exception vm.Value
	// Uncaught: nothing in the program would handle it.
	Uncaught bool
	// Past: the program is run again, and has already got further than this.
	Past bool
}

// Events are what a session tells, from its own goroutines, one at a time.
type Events struct {
	Stopped func(s Stop)
	// Output has what the module printed, or, with console, what the debugger says.
	Output func(text string, console bool, at *Location)
	// Ended is called once, when the program has ended.
	Ended func(status int)
	// Changed says that a breakpoint is now at another place.
	Changed func(b Placed)
}

// Location is a line of a source.
type Location struct {
	Source *Source
	Line   int
}
