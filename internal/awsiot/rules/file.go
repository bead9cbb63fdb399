package rules

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/skep-sim/skep/internal/awsiot/sql"
)

// fileAction appends the result to a file, one line of JSON a message. It is ours: at AWS
// something else would take its place.
type fileAction struct{ path *sql.Template }

func (e *Engine) newFile(raw json.RawMessage) (action, error) {
	var spec struct {
		Path string `json:"path"`
	}
	if err := strict(raw, &spec); err != nil {
		return nil, fmt.Errorf("file: %w", err)
	}
	path, err := sql.ParseTemplate(spec.Path)
	if err != nil {
		return nil, fmt.Errorf("file: path: %w", err)
	}
	absolute := filepath.IsAbs(spec.Path)
	switch {
	case spec.Path == "":
		return nil, errors.New(`file: "path" is missing`)
	case absolute && !path.Fixed():
		return nil, errors.New("file: a path with ${...} in it is relative: messages must not choose where on this machine")
	case !absolute && e.cfg.Files == "":
		return nil, errors.New("file: the state is in memory, so a relative path leads nowhere: give an absolute one")
	case !absolute && path.Fixed() && !filepath.IsLocal(spec.Path):
		return nil, fmt.Errorf("file: path %q leads out of the directory of files", spec.Path)
	}
	return &fileAction{path}, nil
}

func (*fileAction) name() string { return "FileAction" }
func (*fileAction) slow() bool   { return false }

func (a *fileAction) do(e *Engine, x *execution) (string, error) {
	path, err := a.path.Expand(x.in)
	if err != nil {
		return "", err
	}
	return path, e.files.append(path, line(x.out))
}

// line is a result as one line of JSON; raw bytes go as {"base64":"..."}.
func line(out sql.Output) []byte {
	var b bytes.Buffer
	if !out.JSON || json.Compact(&b, out.Payload) != nil {
		b.Reset()
		b.WriteString(`{"base64":"`)
		b.WriteString(base64.StdEncoding.EncodeToString(out.Payload))
		b.WriteString(`"}`)
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// files are the files of file actions. The last one stays open.
type files struct {
	dir string

	mu   sync.Mutex
	root *os.Root
	name string
	file *os.File
}

// maxName is how long the name of a file may get.
const maxName = 1024

func (f *files) append(path string, text []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil || f.name != path || f.moved() {
		if err := f.open(path); err != nil {
			return err
		}
	}
	_, err := f.file.Write(text)
	return err
}

// moved says that the open file is not the one of its name any more.
func (f *files) moved() bool {
	open, err := f.file.Stat()
	if err != nil {
		return true
	}
	var now os.FileInfo
	if filepath.IsAbs(f.name) {
		now, err = os.Stat(f.name)
	} else {
		now, err = f.root.Stat(f.name)
	}
	return err != nil || !os.SameFile(open, now)
}

// open opens a file for appending; relative paths cannot leave the directory, whatever links
// are in it.
func (f *files) open(path string) error {
	f.closeFile()
	if path == "" || len(path) > maxName || strings.ContainsRune(path, 0) {
		return fmt.Errorf("%.40q is not the name of a file", path)
	}
	const flags = os.O_CREATE | os.O_APPEND | os.O_WRONLY
	var err error
	if filepath.IsAbs(path) {
		f.file, err = os.OpenFile(path, flags, 0o600)
	} else if f.root == nil {
		if err = os.MkdirAll(f.dir, 0o700); err == nil {
			f.root, err = os.OpenRoot(f.dir)
		}
	}
	if err == nil && f.file == nil {
		path := filepath.FromSlash(path)
		if err = f.root.MkdirAll(filepath.Dir(path), 0o700); err == nil {
			f.file, err = f.root.OpenFile(path, flags, 0o600)
		}
	}
	if err != nil {
		f.file = nil
		return err
	}
	f.name = path
	return nil
}

func (f *files) closeFile() {
	if f.file != nil {
		f.file.Close()
		f.file = nil
	}
}

func (f *files) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closeFile()
	if f.root != nil {
		f.root.Close()
		f.root = nil
	}
}
