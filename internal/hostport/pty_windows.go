package hostport

import "errors"

// OpenPTY fails: Windows has no pseudo-terminals that a program could open as a
// serial port.
func (l *Line) OpenPTY() (path string, err error) {
	return "", errors.New("Windows has no pseudo-terminal that serial tools could open: use a TCP port (--tcp localhost:2000, and --rfc2217 for tools that know it)")
}
