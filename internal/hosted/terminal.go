package hosted

import "github.com/skep-sim/skep/internal/vm"

// terminal is stdin and stdout as the function input uses them.
type terminal struct {
	vm     *vm.VM
	silent bool // the host's terminal edits the line and shows it
}

// terminalKey is the name under which the terminal is kept with the VM.
const terminalKey = "terminal"

// Key reads a byte; a line feed is the Enter key.
func (t *terminal) Key() (byte, bool) {
	var b [1]byte
	if t.vm.ReadConsole(b[:], true) == 0 {
		return 0, false
	}
	if b[0] == '\n' {
		return '\r', true
	}
	return b[0], true
}

func (t *terminal) Write(b []byte) {
	if !t.silent {
		t.vm.WriteConsole(b)
	}
}

func (t *terminal) SetInterrupt(int) {}
