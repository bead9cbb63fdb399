package link

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"go.bug.st/serial"
)

// Forms of a port's name besides a path.
const (
	schemeTCP     = "tcp:"
	schemeRFC2217 = "rfc2217:"
)

// OpenPort opens a port by its name: the path of a serial port or pseudo-terminal
// (/dev/ttyUSB0, COM3), tcp:HOST:PORT for one whose bytes come over TCP as they
// are, or rfc2217:HOST:PORT. Nobody else who asks for a lock has it meanwhile.
func OpenPort(name string) (Port, error) {
	// pyserial writes socket:// and rfc2217://.
	plain := strings.Replace(strings.Replace(name, "://", ":", 1), "socket:", schemeTCP, 1)
	for _, scheme := range [...]string{schemeTCP, schemeRFC2217} {
		if addr, ok := strings.CutPrefix(plain, scheme); ok {
			return openTCP(name, addr, scheme == schemeRFC2217)
		}
	}
	return openSerial(name)
}

const dialTime = 10 * time.Second

func openTCP(name, addr string, telnet bool) (Port, error) {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return nil, fmt.Errorf("%s: give a host and a port, tcp:localhost:2000 say", name)
	}
	lock, err := lockFile(filepath.Join(os.TempDir(), "skep-"+strings.Map(fileChar, addr)+".lock"))
	if err != nil {
		return nil, inUse(name, err)
	}
	c, err := net.DialTimeout("tcp", addr, dialTime)
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("%s: %w: is skep serve --tcp, or the serial server, running there?", name, err)
	}
	p := &tcpPort{Conn: c, name: name, lock: lock}
	if telnet {
		return newTelnet(p), nil
	}
	return p, nil
}

func fileChar(r rune) rune {
	if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r == '.' || r == '-' {
		return r
	}
	return '_'
}

// tcpPort is a port at the other end of a TCP connection.
type tcpPort struct {
	net.Conn
	name string
	lock *os.File
}

func (p *tcpPort) String() string { return p.name }

func (p *tcpPort) Close() error { return errors.Join(p.Conn.Close(), p.lock.Close()) }

// serialPort is a port of this machine.
type serialPort struct {
	serial.Port
	name string
	lock *os.File // nil where the system has a port opened once only
}

func openSerial(name string) (Port, error) {
	path := name
	if real, err := filepath.EvalSymlinks(name); err == nil {
		path = real
	}
	st, err := os.Stat(path)
	switch {
	case runtime.GOOS == "windows": // COM3 is no file
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: there is no such port: skep ports lists those that are there; is the cable plugged in, or skep serve still running?", name)
	case err == nil && st.Mode()&os.ModeCharDevice == 0:
		return nil, fmt.Errorf("%s is no serial port: skep ports lists those that are there; a TCP port is named tcp:HOST:PORT", name)
	}
	lock, err := lockPort(path)
	if err != nil {
		return nil, inUse(name, err)
	}
	p, err := serial.Open(path, &serial.Mode{BaudRate: bauds[0], DataBits: 8})
	if err != nil {
		if lock != nil {
			lock.Close()
		}
		return nil, explainOpen(name, err)
	}
	out := &serialPort{p, name, lock}
	if isPTY(path) {
		return ptyPort{out}, nil
	}
	return out, nil
}

func inUse(name string, err error) error {
	if errors.Is(err, errLocked) {
		return fmt.Errorf("%s: %w by another program (a skep, a terminal): end that one first", name, ErrBusy)
	}
	return explainOpen(name, err)
}

// explainOpen says what to do when a port cannot be opened.
func explainOpen(name string, err error) error {
	var pe *serial.PortError
	code := serial.PortErrorCode(-1)
	if errors.As(err, &pe) {
		code = pe.Code()
	}
	switch {
	case code == serial.PortBusy:
		return fmt.Errorf("%s: %w by another program (a terminal, XCTU): end that one first", name, ErrBusy)
	case code == serial.PermissionDenied || errors.Is(err, fs.ErrPermission):
		if runtime.GOOS == "windows" { // which says so of a port that is open elsewhere
			return fmt.Errorf("%s: %w by another program, or not yours to open", name, ErrBusy)
		}
		return fmt.Errorf("%s: you may not open it: join the group that owns it (sudo usermod -aG dialout $USER, uucp on some systems), then log in again", name)
	case code == serial.PortNotFound || errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: there is no such port: skep ports lists those that are there", name)
	case code == serial.InvalidSerialPort:
		return fmt.Errorf("%s is no serial port (%w): skep ports lists those that are there", name, err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

func (p *serialPort) String() string { return p.name }

func (p *serialPort) Close() error {
	err := p.Port.Close()
	if p.lock != nil {
		err = errors.Join(err, p.lock.Close())
	}
	return err
}

// Write implements io.Writer; the library's stops in the middle when a signal
// comes.
func (p *serialPort) Write(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		m, err := p.Port.Write(b[n:])
		n += m
		if err != nil && !interrupted(err) {
			return n, err
		}
	}
	return n, nil
}

// SetBaud implements [Bauder].
func (p *serialPort) SetBaud(baud int) error {
	if err := p.SetMode(&serial.Mode{BaudRate: baud, DataBits: 8}); err != nil {
		return fmt.Errorf("%s: setting %d baud: %w", p.name, baud, err)
	}
	return nil
}

// CTS reports whether the module lets the host send; a sleeping one, or one
// without power, does not.
func (p *serialPort) CTS() bool {
	s, err := p.GetModemStatusBits()
	return err != nil || s.CTS
}

// ptyPort is a pseudo-terminal, which has no line: no baud rate that matters, no
// break.
type ptyPort struct{ *serialPort }

// SetBaud is not there.
func (p ptyPort) SetBaud() {}

// Break is not there.
func (p ptyPort) Break() {}
