package at

import "fmt"

// update is what FO keeps for an update of the modem's firmware by FTP. A
// virtual modem has no firmware to replace: the parameters can be set, and
// beginning fails.
type update struct {
	parameters map[byte]string
	status     uint64 // what FI shows
}

// updateNone is FI when no update has been tried.
const updateNone = 0xFF

// updateMax bounds a parameter; the module's limit is not known.
const updateMax = 100

// newUpdate has the defaults of the guide.
func newUpdate() update {
	return update{
		parameters: map[byte]string{
			'S': "ftp1.digi.com", 'P': "21", 'U': "anonymous", 'W': "fota@digi.com", 'D': "support/telit", 'F': "",
		},
		status: updateNone,
	}
}

// order carries out FO and a letter: S, P, U, W, D and F read or set a
// parameter, C clears all of them, I begins.
func (u *update) order(arg string) (Value, error) {
	if arg == "" {
		return Value{}, fmt.Errorf("FO: %w: give S, P, U, W, D, F, I or C", ErrValue)
	}
	letter := arg[0]
	if 'a' <= letter && letter <= 'z' {
		letter -= 'a' - 'A'
	}
	value, known := u.parameters[letter]
	switch {
	case known && len(arg) == 1:
		return Str(value), nil
	case known && len(arg)-1 <= updateMax:
		u.parameters[letter] = arg[1:]
		return Value{}, nil
	case letter == 'C' && len(arg) == 1:
		*u = newUpdate()
		return Value{}, nil
	case letter == 'I' && len(arg) == 1:
		return Value{}, fmt.Errorf("FOI: %w: a virtual modem has no firmware to update", ErrFailed)
	}
	return Value{}, fmt.Errorf("FO%s: %w: give S, P, U, W, D, F, I or C", arg, ErrValue)
}
