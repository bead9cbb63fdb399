package atfs

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/ymodem"
)

// Shell is the ATFS of one module. It has a working directory of its own, which
// is not Python's.
type Shell struct {
	fs  *flash.FS
	cwd string
}

// New is the shell after power-on, in /flash.
func New(fs *flash.FS) *Shell { return &Shell{fs: fs, cwd: flash.Root} }

// Error is a refusal in the form that ATFS prints: a word that begins with a
// capital E, a space, a description. The words are those of uerrno and, where
// it has none that fits, POSIX's; the descriptions may differ from a module's
// (only that of ENOENT has been seen).
type Error struct{ Word, Text string }

func (e *Error) Error() string { return e.Word + " " + e.Text }

// command is a sub-command: how many arguments it takes, and what it does with
// them.
type command struct {
	name     string
	min, max int
	usage    string // of the arguments
	run      func(s *Shell, args []string, port ymodem.Port) (string, error)
}

// commands lists the sub-commands in the order in which ATFS names them.
func commands() []command {
	return []command{
		{"PWD", 0, 0, "", (*Shell).pwd},
		{"CD", 1, 1, "DIRECTORY", (*Shell).cd},
		{"MD", 1, 1, "DIRECTORY", (*Shell).md},
		{"LS", 0, 1, "[DIRECTORY]", (*Shell).ls},
		{"PUT", 1, 1, "FILE", func(s *Shell, args []string, port ymodem.Port) (string, error) { return s.put(args[0], false, port) }},
		{"XPUT", 1, 1, "FILE", func(s *Shell, args []string, port ymodem.Port) (string, error) { return s.put(args[0], true, port) }},
		{"GET", 1, 1, "FILE", (*Shell).get},
		{"MV", 2, 2, "FROM TO", (*Shell).mv},
		{"RM", 1, 1, "NAME", (*Shell).rm},
		{"HASH", 1, 1, "FILE", (*Shell).hash},
		{"INFO", 0, 0, "", (*Shell).info},
		{"FORMAT", 1, 1, "confirm", (*Shell).format},
	}
}

// Run carries out what comes behind ATFS, "LS lib" say, and returns the answer:
// lines separated by CR, without the CR that ends the last one. The answer to a
// mistake is an [Error]'s text. PUT, XPUT and GET use port in between; the
// others do not.
//
// Power that fails meanwhile leaves every file as it was or as it was to be.
func (s *Shell) Run(line string, port ymodem.Port) string {
	answer, err := s.run(strings.Fields(line), port)
	if err != nil {
		return word(err).Error()
	}
	return answer
}

func (s *Shell) run(args []string, port ymodem.Port) (string, error) {
	all := commands()
	if len(args) == 0 {
		names := make([]string, len(all))
		for i, c := range all {
			names[i] = c.name
		}
		return "ATFS commands: " + strings.Join(names, " "), nil
	}
	for _, c := range all {
		if !strings.EqualFold(c.name, args[0]) {
			continue
		}
		if n := len(args) - 1; n < c.min || n > c.max {
			return "", &Error{"EINVAL", strings.TrimRight("use ATFS "+c.name+" "+c.usage, " ")}
		}
		return c.run(s, args[1:], port)
	}
	return "", &Error{"EINVAL", "unknown command, ATFS lists them"}
}

// word is the form in which an error is printed.
func word(err error) *Error {
	var e *Error
	var short *ymodem.ShortError
	var sequence *ymodem.SequenceError
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, ymodem.ErrCancelled):
		return &Error{"ECANCELED", "transfer cancelled"}
	case errors.Is(err, ymodem.ErrTimeout):
		return &Error{"ETIMEDOUT", "transfer timed out"}
	case errors.Is(err, ymodem.ErrGarbled), errors.As(err, &short), errors.As(err, &sequence):
		return &Error{"EIO", err.Error()}
	}
	errno := flash.ErrnoOf(err)
	return &Error{errno.Name(), errno.Text()}
}

func (s *Shell) pwd([]string, ymodem.Port) (string, error) { return s.cwd, nil }

func (s *Shell) cd(args []string, _ ymodem.Port) (string, error) {
	if err := s.directory(args[0]); err != nil {
		return "", err
	}
	dir, err := s.fs.Chdir(s.cwd, args[0])
	if err != nil {
		return "", err
	}
	s.cwd = dir
	return dir, nil
}

// directory checks that there is one at a path.
func (s *Shell) directory(p string) error {
	info, err := s.fs.Stat(s.cwd, p)
	if err == nil && !info.Dir {
		err = &Error{"ENOTDIR", "is not a directory"}
	}
	return err
}

func (s *Shell) md(args []string, _ ymodem.Port) (string, error) {
	return "OK", s.fs.Mkdir(s.cwd, args[0])
}

// ls lists a directory, which is itself in its list, like the one above it. The
// list ends with an empty line.
func (s *Shell) ls(args []string, _ ymodem.Port) (string, error) {
	dir := "."
	if len(args) > 0 {
		dir = args[0]
	}
	if err := s.directory(dir); err != nil {
		return "", err
	}
	list, err := s.fs.List(s.cwd, dir)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	line := func(size, name string) { fmt.Fprintf(&b, "%12s %s\r", size, name) }
	line("<DIR>", "./")
	line("<DIR>", "../")
	for _, e := range list {
		switch {
		case e.Dir:
			line("<DIR>", e.Name+"/")
		case e.Secure:
			line(fmt.Sprint(e.Size), e.Name+"#")
		default:
			line(fmt.Sprint(e.Size), e.Name)
		}
	}
	return b.String(), nil
}

func (s *Shell) mv(args []string, _ ymodem.Port) (string, error) {
	return "OK", s.fs.Rename(s.cwd, args[0], args[1])
}

// rm removes a file or an empty directory, but for the one it is in.
func (s *Shell) rm(args []string, _ ymodem.Port) (string, error) {
	info, err := s.fs.Stat(s.cwd, args[0])
	if err != nil {
		return "", err
	}
	if !info.Dir {
		return "OK", s.fs.Remove(s.cwd, args[0])
	}
	if dir, err := s.fs.Chdir(s.cwd, args[0]); err != nil || dir == s.cwd {
		return "", errors.Join(err, &Error{"EBUSY", "is the current directory"})
	}
	if list, err := s.fs.List(s.cwd, args[0]); err != nil || len(list) > 0 {
		return "", errors.Join(err, &Error{"ENOTEMPTY", "directory is not empty"})
	}
	return "OK", s.fs.Rmdir(s.cwd, args[0])
}

func (s *Shell) hash(args []string, _ ymodem.Port) (string, error) {
	sum, err := s.fs.Hash(s.cwd, args[0])
	return "sha256 " + hex.EncodeToString(sum[:]), err
}

func (s *Shell) info([]string, ymodem.Port) (string, error) {
	u := s.fs.Usage()
	used, free := (u.Blocks-u.Free)*flash.BlockSize, u.Free*flash.BlockSize
	return fmt.Sprintf("%d bytes used\r%d bytes free\r%d bytes bad\r%d bytes total", used, free, 0, used+free), nil
}

func (s *Shell) format(args []string, _ ymodem.Port) (string, error) {
	if !strings.EqualFold(args[0], "confirm") {
		return "", &Error{"EINVAL", "use ATFS FORMAT confirm"}
	}
	if err := s.fs.Format(); err != nil {
		return "", err
	}
	s.cwd = flash.Root
	return "Formatting...\rOK", nil
}

// put receives a file. What there is under the name stays until the new file is
// whole; the name in the transfer does not matter.
func (s *Shell) put(name string, secure bool, port ymodem.Port) (string, error) {
	if err := s.fs.CanStore(s.cwd, name, 0); err != nil {
		return "", err
	}
	port.Write([]byte("Receiving file with YMODEM...\r"))
	u := &upload{shell: s, name: name, secure: secure}
	err := ymodem.Receive(port, u)
	if err == nil && !u.stored {
		err = &Error{"ECANCELED", "the sender had no file"}
	}
	return "OK", err
}

// upload is a file on its way in.
type upload struct {
	shell  *Shell
	name   string
	secure bool
	stored bool
	data   []byte
}

// Begin implements ymodem.Sink.
func (u *upload) Begin(h ymodem.Header) error {
	if u.stored {
		return &Error{"EINVAL", "one file at a time, the first is stored"}
	}
	return u.fits(h.Size)
}

func (u *upload) fits(size int64) error {
	// More than there is room for, whatever an int can hold.
	size = min(size, flash.Blocks*flash.BlockSize+1)
	return u.shell.fs.CanStore(u.shell.cwd, u.name, int(max(size, 0)))
}

// Write implements ymodem.Sink.
func (u *upload) Write(p []byte) (int, error) {
	if err := u.fits(int64(len(u.data) + len(p))); err != nil {
		return 0, err
	}
	u.data = append(u.data, p...)
	return len(p), nil
}

// End implements ymodem.Sink.
func (u *upload) End() error {
	u.stored = true
	return u.shell.fs.Store(u.shell.cwd, u.name, u.data, u.secure)
}

// get sends a file, as it was when the command came.
func (s *Shell) get(args []string, port ymodem.Port) (string, error) {
	info, err := s.fs.Stat(s.cwd, args[0])
	switch {
	case err != nil:
		return "", err
	case info.Dir:
		return "", flash.EISDIR
	case info.Secure:
		return "", &Error{"EPERM", "is a secure file"}
	}
	data, err := s.fs.ReadSecure(s.cwd, args[0])
	if err != nil {
		return "", err
	}
	port.Write(append([]byte("Sending file with YMODEM...\r"), ymodem.NAK))
	h := ymodem.Header{Name: info.Name, Size: int64(len(data))}
	return "OK", ymodem.Send(port, ymodem.File{Header: h, Content: bytes.NewReader(data)})
}
