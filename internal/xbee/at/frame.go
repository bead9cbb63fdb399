package at

import "fmt"

// Frame carries out a command of an API frame (08, 09): param is what comes
// behind its two letters, big-endian if it is a number, and without it the
// command is read or obeyed. The answer is in the form that frame 88 has.
//
// What is set counts at once, and with it all that is pending; with queue it
// waits for the next Frame without it, or for AC. A command that only command
// mode has is [ErrUnknown].
func (r *Registers) Frame(name string, param []byte, queue bool) ([]byte, error) {
	i, err := r.find(name)
	if err != nil {
		return nil, err
	}
	reg := &r.table[i]
	if reg.CommandModeOnly {
		return nil, fmt.Errorf("%w %q: only command mode has it", ErrUnknown, reg.Name)
	}
	var v Value
	if len(param) == 0 {
		v, err = r.Get(reg.Name)
	} else {
		v, err = r.Set(reg.Name, Raw(param))
	}
	if err != nil {
		return nil, err
	}
	if !queue {
		r.Apply()
	}
	return reg.Encode(v), nil
}

// Encode is a value of this command as API frames carry it: text without a
// terminator, bytes, or a number big-endian in as many bytes as the command's
// numbers have. Nothing is no bytes.
func (reg *Register) Encode(v Value) []byte { return v.encode(reg.Width) }

// Lookup finds a command of the table by name, in letters of either case.
func (r *Registers) Lookup(name string) (Register, error) {
	i, err := r.find(name)
	if err != nil {
		return Register{}, err
	}
	return r.table[i], nil
}
