//go:build !windows

package hostport

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// pollHost is how often a pseudo-terminal is asked whether somebody has opened
// it, where the system does not tell.
const pollHost = 20 * time.Millisecond

// OpenPTY opens the line as a pseudo-terminal and returns its path. It is in raw
// mode, and programs may open and close it as often as they like.
func (l *Line) OpenPTY() (path string, err error) {
	master, slave, err := pty.Open()
	if err != nil {
		return "", err
	}
	path = slave.Name()
	if _, err = term.MakeRaw(int(slave.Fd())); err == nil {
		err = setSpeed(slave)
	}
	// Nobody has it open until a program of the host does: while this process
	// had, the bytes that nobody reads would wait for whoever comes next.
	if e := slave.Close(); err == nil {
		err = e
	}
	if err != nil {
		master.Close()
		return "", err
	}
	if master, err = interruptible(master); err != nil {
		return "", err
	}
	opened := watchOpening(path)
	l.onClose(master)
	l.onClose(opened)
	l.working.Add(1)
	go func() {
		defer l.working.Done()
		for l.awaitHost(master, opened) {
			l.servePTY(master)
			flush(path)
		}
	}()
	return path, nil
}

// interruptible makes a file one whose Read ends when it is closed; package pty
// hands out one that blocks.
func interruptible(f *os.File) (*os.File, error) {
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// opening waits until somebody may have opened a file.
type opening interface {
	io.Closer
	wait() error
}

// polling is how to wait where the system tells nothing.
type polling struct{}

func (polling) wait() error {
	time.Sleep(pollHost)
	return nil
}

func (polling) Close() error { return nil }

// awaitHost waits until somebody has the terminal open; false is the end.
func (l *Line) awaitHost(master *os.File, opened opening) bool {
	for {
		raw, err := master.SyscallConn()
		if err != nil {
			return false
		}
		var there bool
		err = raw.Control(func(fd uintptr) {
			p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			n, err := unix.Poll(p, 0)
			there = err == nil && (n == 0 || p[0].Revents&unix.POLLIN != 0)
		})
		if err != nil {
			return false
		}
		if there {
			return true
		}
		if opened.wait() != nil {
			return false
		}
	}
}

// servePTY serves whoever has the terminal open until nobody has.
func (l *Line) servePTY(master *os.File) {
	master.SetWriteDeadline(time.Time{})
	e := l.attach(master, nil)
	defer func() {
		e.detach()
		master.SetWriteDeadline(time.Unix(1, 0)) // whoever came next would read what waits
		<-e.sent
	}()
	buf := make([]byte, 4096)
	for {
		n, err := master.Read(buf)
		if n > 0 {
			if s, ok := hostSettings(master); ok {
				l.adopt(s)
			}
			e.put(buf[:n])
		}
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return
		}
	}
}
