package hostport

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/skep-sim/skep/internal/world"
)

// speeds are the numbers that termios has for baud rates.
var speeds = [...]struct {
	code uint32
	baud int
}{
	{unix.B1200, 1200}, {unix.B2400, 2400}, {unix.B4800, 4800}, {unix.B9600, 9600}, {unix.B19200, 19200}, {unix.B38400, 38400},
	{unix.B57600, 57600}, {unix.B115200, 115200}, {unix.B230400, 230400}, {unix.B460800, 460800}, {unix.B921600, 921600},
}

// setSpeed gives a terminal the speed that a module comes with, so that a
// program which sets none has the right one.
func setSpeed(slave *os.File) error {
	t, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil {
		return err
	}
	t.Cflag = t.Cflag&^unix.CBAUD | unix.B9600
	return unix.IoctlSetTermios(int(slave.Fd()), unix.TCSETS, t)
}

// hostSettings are what the program at the terminal has set; false if the speed
// is none of the usual ones.
func hostSettings(master *os.File) (s world.LineSettings, ok bool) {
	raw, err := master.SyscallConn()
	if err != nil {
		return s, false
	}
	var t *unix.Termios
	if raw.Control(func(fd uintptr) { t, err = unix.IoctlGetTermios(int(fd), unix.TCGETS) }) != nil || err != nil {
		return s, false
	}
	s = world.LineSettings{Parity: 'N', StopBits: 1}
	for _, k := range speeds {
		if t.Cflag&unix.CBAUD == k.code {
			s.Baud = k.baud
		}
	}
	if t.Cflag&unix.PARENB != 0 {
		s.Parity = 'E'
		if t.Cflag&unix.PARODD != 0 {
			s.Parity = 'O'
		}
	}
	if t.Cflag&unix.CSTOPB != 0 {
		s.StopBits = 2
	}
	return s, s.Baud != 0
}

// flush forgets what the module sent and nobody has read.
func flush(path string) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return
	}
	defer f.Close()
	unix.IoctlSetInt(int(f.Fd()), unix.TCFLSH, unix.TCIFLUSH) // on failure somebody sees old bytes
}

// watching is a watch on a file of the host's.
type watching struct{ f *os.File }

// watchOpening begins to watch for a file's being opened.
func watchOpening(path string) opening {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return polling{} // the user has used up what the system grants
	}
	if _, err := unix.InotifyAddWatch(fd, path, unix.IN_OPEN); err != nil {
		unix.Close(fd)
		return polling{}
	}
	return watching{os.NewFile(uintptr(fd), "inotify")}
}

func (w watching) wait() error {
	var events [4096]byte
	_, err := w.f.Read(events[:])
	return err
}

func (w watching) Close() error { return w.f.Close() }
