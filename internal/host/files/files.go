// Package files reads and writes the files on a module's flash over its serial
// port: ATFS, and YMODEM for what files hold (device-facts.md 10.5). Everything
// that is written is checked by the hash that the module computes of it.
//
// It knows neither applications nor what a file is for, and it is not a file
// system: a name is a path below /flash.
package files

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/skep-sim/skep/internal/host/link"
	"github.com/skep-sim/skep/internal/ymodem"
)

// Root is where a module has its files.
const Root = "/flash"

// Limits of names (device-facts.md 4.3).
const (
	maxName = 64
	maxPath = 255
)

// tries is how often a transfer is begun, or a listing asked for, that came out
// wrong.
const tries = 3

// Entry is one name in a directory.
type Entry struct {
	Name   string
	Dir    bool
	Secure bool // it can be used and replaced, but not read
	Size   int64
}

// Info is how full the flash is, in bytes.
type Info struct {
	Used  int64 `json:"used"`
	Free  int64 `json:"free"`
	Bad   int64 `json:"bad"`
	Total int64 `json:"total"`
}

// Progress is told how far a transfer has come, in bytes.
type Progress func(done, total int64)

// FS is the flash of the module at the other end of a link.
type FS struct {
	s        *link.Session
	commands []string
}

// Open asks the module what ATFS can do.
func Open(s *link.Session) (*FS, error) {
	f := &FS{s: s}
	for range tries {
		text, err := s.Query("FS")
		if err != nil {
			var refused *link.CommandError
			if errors.As(err, &refused) {
				return nil, fmt.Errorf("%w: its firmware has no file system (it came with level x0B)", err)
			}
			return nil, err
		}
		if _, list, ok := strings.Cut(text, "ATFS commands: "); ok {
			f.commands = strings.Fields(strings.ToUpper(list))
			return f, nil
		}
	}
	return nil, errors.New("ATFS: the module does not list its commands as it should")
}

// Can reports whether ATFS has a command; older firmware has no MV.
func (f *FS) Can(command string) bool { return slices.Contains(f.commands, command) }

// Check says why a path cannot be a file's on the module: what it does not allow,
// or would change.
func Check(p string) error {
	switch {
	case p == "":
		return errors.New("the name is empty: give one below /flash, lib/x.mpy say")
	case len(p) > maxPath:
		return fmt.Errorf("%s: the path is longer than the %d characters that a module allows", p, maxPath)
	}
	for name := range strings.SplitSeq(strings.Trim(p, "/"), "/") {
		switch {
		case len(name) > maxName:
			return fmt.Errorf("%s: %s is longer than the %d characters that a module allows", p, name, maxName)
		case strings.Trim(name, nameChars) != "":
			return fmt.Errorf("%s: a module's names have letters, digits, and . - _ only: rename it", p)
		case name != "." && name != ".." && strings.HasSuffix(name, "."):
			return fmt.Errorf("%s: a module ignores a period at the end of a name: rename it", p)
		}
	}
	return nil
}

const nameChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

// abs is a path as the module is given it, which does not depend on its current
// directory.
func abs(p string) (string, error) {
	if err := Check(p); err != nil {
		return "", err
	}
	if !path.IsAbs(p) {
		p = Root + "/" + p
	}
	return path.Clean(p), nil
}

// The lines of ATFS LS, as Digi's Python library reads them.
var (
	dirLine  = regexp.MustCompile(`^ *<DIR> ([^ ]+)/$`)
	fileLine = regexp.MustCompile(`^ *([0-9]+) ([^ ]+)$`)
)

// List lists a directory.
func (f *FS) List(dir string) ([]Entry, error) {
	p, err := abs(dir)
	if err != nil {
		return nil, err
	}
	var wrong error
	for range tries {
		text, err := f.s.List("FS LS " + p)
		if err != nil {
			return nil, explain(dir, err)
		}
		var list []Entry
		if list, wrong = parseList(text); wrong == nil {
			return list, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", dir, wrong)
}

func parseList(text string) ([]Entry, error) {
	var list []Entry
	self := false
	for line := range strings.SplitSeq(text, "\n") {
		if line == "" {
			continue
		}
		if m := dirLine.FindStringSubmatch(line); m != nil {
			self = self || m[1] == "."
			if m[1] != "." && m[1] != ".." {
				list = append(list, Entry{Name: m[1], Dir: true})
			}
			continue
		}
		m := fileLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("the module lists %q, which is neither a file nor a directory", line)
		}
		size, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("the module lists %q: %w", line, err)
		}
		name := strings.TrimSuffix(m[2], "#")
		if name == "" {
			return nil, fmt.Errorf("the module lists %q, a file without a name", line)
		}
		list = append(list, Entry{Name: name, Size: size, Secure: name != m[2]})
	}
	if !self {
		return nil, fmt.Errorf("the module's list %q is not whole", text)
	}
	return list, nil
}

// Walk lists everything below a directory, paths relative to it: "lib" before
// "lib/x.mpy".
func (f *FS) Walk(dir string) ([]Entry, error) {
	list, err := f.List(dir)
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, e := range list {
		all = append(all, e)
		if !e.Dir {
			continue
		}
		below, err := f.Walk(path.Join(dir, e.Name))
		if err != nil {
			return nil, err
		}
		for _, b := range below {
			b.Name = e.Name + "/" + b.Name
			all = append(all, b)
		}
	}
	return all, nil
}

// Hash is the SHA-256 that the module computes of a file, secure or not.
func (f *FS) Hash(name string) (sum [sha256.Size]byte, err error) {
	p, err := abs(name)
	if err != nil {
		return sum, err
	}
	for range tries {
		var text string
		if text, err = f.s.Query("FS HASH " + p); err != nil {
			return sum, explain(name, err)
		}
		_, digits, _ := strings.Cut(text, "sha256 ")
		n, bad := hex.Decode(sum[:], []byte(strings.TrimSpace(digits)))
		if bad == nil && n == len(sum) {
			return sum, nil
		}
		err = fmt.Errorf("%s: the module's hash is %q, which is none", name, text)
	}
	return sum, err
}

// Mkdir makes a directory; one that is there already is no error.
func (f *FS) Mkdir(name string) error {
	p, err := abs(name)
	if err != nil {
		return err
	}
	err = f.s.Do("FS MD " + p)
	if Word(err) == "EEXIST" {
		list, e := f.List(path.Dir(p))
		if e != nil {
			return e
		}
		base := path.Base(p)
		if !slices.ContainsFunc(list, func(e Entry) bool { return e.Dir && strings.EqualFold(e.Name, base) }) {
			return fmt.Errorf("%s: there is a file of that name", name)
		}
		return nil
	}
	return explain(name, err)
}

// Remove removes a file or an empty directory; one that is not there is no error.
func (f *FS) Remove(name string) error {
	p, err := abs(name)
	if err != nil {
		return err
	}
	err = f.s.Do("FS RM " + p)
	if Word(err) == "ENOENT" {
		return nil
	}
	return explain(name, err)
}

// Rename renames a file. Nothing may be there under the new name.
func (f *FS) Rename(from, to string) error {
	p, err := abs(from)
	if err != nil {
		return err
	}
	q, err := abs(to)
	if err != nil {
		return err
	}
	return explain(from, f.s.Do("FS MV "+p+" "+q))
}

// Info tells how full the flash is.
func (f *FS) Info() (Info, error) {
	text, err := f.s.Command("FS INFO")
	if err != nil {
		return Info{}, err
	}
	var i Info
	for line := range strings.SplitSeq(text, "\n") {
		number, label, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			continue
		}
		for word, to := range map[string]*int64{"used": &i.Used, "free": &i.Free, "bad": &i.Bad, "total": &i.Total} {
			if strings.Contains(strings.ToLower(label), word) {
				*to = n
			}
		}
	}
	if i.Free == 0 && i.Total > i.Used+i.Bad {
		i.Free = i.Total - i.Used - i.Bad
	}
	if i == (Info{}) {
		return i, fmt.Errorf("ATFS INFO: there are no figures in %q", text)
	}
	return i, nil
}

// Format erases every file. What is left are the directories cert and lib.
func (f *FS) Format() error {
	text, err := f.s.Command("FS FORMAT confirm")
	if err == nil && !strings.HasSuffix(text, "OK") {
		err = &link.CommandError{Command: "FS FORMAT confirm", Answer: text}
	}
	return err
}

// Put writes a file and makes sure that it is whole. What was there under the
// name is replaced.
func (f *FS) Put(name string, data []byte, secure bool, progress Progress) error {
	p, err := abs(name)
	if err != nil {
		return err
	}
	want := sha256.Sum256(data)
	for n := range tries {
		if err = f.put(p, data, secure, progress); err == nil {
			var got [sha256.Size]byte
			if got, err = f.Hash(p); err == nil && got == want {
				return nil
			}
			if err == nil {
				err = fmt.Errorf("%s: the module's hash of it is not the file's", name)
			}
		}
		if !again(err) {
			break
		}
		// It may be there although the module's last word was lost.
		if got, e := f.Hash(p); e == nil && got == want && f.isSecure(p) == secure {
			return nil
		}
		if Word(err) == "EEXIST" && n == 0 { // firmware without MV does not overwrite
			if err := f.Remove(p); err != nil {
				return err
			}
		}
	}
	return explain(name, err)
}

// isSecure tells whether a file is there as a secure one.
func (f *FS) isSecure(p string) bool {
	list, err := f.List(path.Dir(p))
	return err == nil && slices.ContainsFunc(list, func(e Entry) bool {
		return strings.EqualFold(e.Name, path.Base(p)) && e.Secure
	})
}

// again tells whether it makes sense to try once more.
func again(err error) bool {
	switch Word(err) {
	case "ENOSPC", "EISDIR", "ENOTDIR", "EPERM", "ENAMETOOLONG":
		return false
	}
	return true
}

func (f *FS) put(p string, data []byte, secure bool, progress Progress) error {
	command := "FS PUT " + p
	if secure {
		command = "FS XPUT " + p
	}
	r := &counted{r: bytes.NewReader(data), total: int64(len(data)), progress: progress}
	return f.s.Transfer(command, func(port ymodem.Port) error {
		return ymodem.Send(port, ymodem.File{Header: ymodem.Header{Name: path.Base(p), Size: int64(len(data))}, Content: r})
	})
}

// counted tells of what has been read.
type counted struct {
	r           io.Reader
	done, total int64
	progress    Progress
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.done += int64(n)
	if c.progress != nil && n > 0 {
		c.progress(c.done, c.total)
	}
	return n, err
}

// Get reads a file, and makes sure that it is whole.
func (f *FS) Get(name string, progress Progress) ([]byte, error) {
	p, err := abs(name)
	if err != nil {
		return nil, err
	}
	for range tries {
		var k keeper
		k.progress = progress
		err = f.s.Transfer("FS GET "+p, func(port ymodem.Port) error {
			// The module says by a NAK that it is ready.
			b, ok := port.Byte(promptWait)
			if ok && b != ymodem.NAK {
				port.(ymodem.Unreader).Unread(b)
			}
			return ymodem.Receive(port, &k)
		})
		if err == nil {
			var sum [sha256.Size]byte
			if sum, err = f.Hash(p); err != nil || sum == sha256.Sum256(k.data) {
				return k.data, err
			}
			err = fmt.Errorf("%s: what came is not what the module has", name)
		}
		if Word(err) == "ENOENT" || !again(err) {
			break
		}
	}
	return nil, explain(name, err)
}

// keeper is a ymodem.Sink for one file.
type keeper struct {
	data     []byte
	size     int64
	progress Progress
}

func (k *keeper) Begin(h ymodem.Header) error { k.data, k.size = nil, h.Size; return nil }

func (k *keeper) Write(p []byte) (int, error) {
	k.data = append(k.data, p...)
	if k.progress != nil {
		k.progress(int64(len(k.data)), max(k.size, int64(len(k.data))))
	}
	return len(p), nil
}

func (k *keeper) End() error { return nil }

// Same tells whether the module has a file with this content, secure or not as
// asked.
func (f *FS) Same(name string, data []byte, secure bool) (bool, error) {
	e, err := f.Stat(name)
	if Word(err) == "ENOENT" {
		return false, nil
	}
	if err != nil || e.Dir || e.Secure != secure || e.Size != int64(len(data)) {
		return false, err
	}
	sum, err := f.Hash(name)
	return sum == sha256.Sum256(data), err
}

// Stat is the entry of a file or directory.
func (f *FS) Stat(name string) (Entry, error) {
	p, err := abs(name)
	if err != nil {
		return Entry{}, err
	}
	if p == Root || p == "/" {
		return Entry{Name: path.Base(p), Dir: true}, nil
	}
	list, err := f.List(path.Dir(p))
	if err != nil {
		return Entry{}, err
	}
	for _, e := range list {
		if strings.EqualFold(e.Name, path.Base(p)) {
			return e, nil
		}
	}
	return Entry{}, explain(name, &link.CommandError{Command: "FS LS " + path.Dir(p), Answer: "ENOENT"})
}

// RemoveAll removes a directory with what is in it. Of /flash itself everything is
// removed but the directories that belong to it.
func (f *FS) RemoveAll(name string) error {
	list, err := f.List(name)
	if err != nil {
		return err
	}
	for _, e := range list {
		below := path.Join(name, e.Name)
		if e.Dir {
			err = f.RemoveAll(below)
		} else {
			err = f.Remove(below)
		}
		if err != nil {
			return err
		}
	}
	if p, err := abs(name); err != nil || p == Root || p == "/" || p == Root+"/lib" || p == Root+"/cert" {
		return err
	}
	return f.Remove(name)
}
