package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/skep-sim/skep/internal/compiler"
	"github.com/skep-sim/skep/internal/mpy"
)

// compileCmd is skep compile.
type compileCmd struct {
	optimise
	profileFlags
	Mpy    int    `help:"Version of the .mpy format: 3 (MicroPython v1.9.4, v1.10), 4 (v1.11, firmware below x16) or 5 (v1.12). Default: the firmware's." enum:"0,3,4,5" default:"0" placeholder:"VERSION"`
	Output string `short:"o" help:"File to write; - for standard output. Default: FILE with .mpy for its .py." placeholder:"OUT.mpy"`
	Source string `short:"s" help:"Source name that goes into the file and so into tracebacks. Default: FILE as given." placeholder:"NAME"`

	File string `arg:"" help:"The source; - for standard input."`
}

func (c *compileCmd) Help() string {
	return "Example:\n  skep compile app.py -o app.mpy\n\nThe bytes are those of mpy-cross -mno-unicode -msmall-int-bits=31 of the same release. The exit\nstatus is 1 if the source does not compile; the message names file and line."
}

func (c *compileCmd) Run() error {
	src, name, err := readInput(c.File)
	if err != nil {
		return err
	}
	if isMpy(src) {
		return fmt.Errorf("%s is compiled already: skep disasm lists it, skep exec runs it", name)
	}
	if c.Source != "" {
		name = c.Source
	}
	version := c.Mpy
	if version == 0 {
		p, err := c.find()
		if err != nil {
			return err
		}
		version = p.MpyVersion.Value
	}
	data, err := crossCompile(src, name, version, c.level())
	if err != nil {
		return err
	}
	out := c.Output
	if out == "" {
		if c.File == "-" {
			out = "-"
			if term.IsTerminal(int(os.Stdout.Fd())) {
				return errors.New("the code is no text for a terminal: give -o OUT.mpy, or -o - to have it nevertheless")
			}
		} else {
			out = strings.TrimSuffix(c.File, ".py") + ".mpy"
		}
	}
	if out == "-" {
		_, err = os.Stdout.Write(data)
		return err
	}
	if is, err := os.Stat(c.File); err == nil && is.Mode().IsRegular() {
		if there, err := os.Stat(out); err == nil && os.SameFile(is, there) {
			return fmt.Errorf("%s is the source itself, which would be lost: give another file with -o", out)
		}
	}
	return writeFile(out, data)
}

// crossCompile compiles source text to the content of a .mpy file.
func crossCompile(src []byte, name string, version, level int) ([]byte, error) {
	opts := compiler.CrossOptions(version)
	opts.OptLevel = level
	m, err := compiler.Compile(src, name, opts)
	if err != nil {
		return nil, err
	}
	return mpy.Write(m)
}

// isMpy reports whether data is compiled code: M and a number of version, of which no
// text begins with.
func isMpy(data []byte) bool { return len(data) > 1 && data[0] == 'M' && data[1] < 9 }

// readInput reads a file, or standard input for "-", and returns its name, too.
func readInput(path string) ([]byte, string, error) {
	if path == "-" {
		src, err := io.ReadAll(os.Stdin)
		return src, "<stdin>", err
	}
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		return nil, path, fmt.Errorf("%s is a directory: give the path of a file, or run the application in it with skep run", path)
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, path, fmt.Errorf("%w: give the path of a file, or - for standard input", err)
	}
	return src, path, nil
}

// writeFile writes a file so that nobody ever sees half of it.
func writeFile(path string, data []byte) error {
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return os.WriteFile(path, data, 0o644) // a device or a pipe stays what it is
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // a link stays one, too
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		var where *fs.PathError
		if errors.As(err, &where) { // the name that was asked for, not ours
			err = where.Err
		}
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Chmod(tmp.Name(), 0o644)
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// disasmCmd is skep disasm.
type disasmCmd struct {
	File string `arg:"" help:"The .mpy file; - for standard input."`
}

func (d *disasmCmd) Help() string {
	return "Example:\n  skep disasm app.mpy\n  skep compile -O3 - < app.py | skep disasm -\n\nThe file is checked first; the exit status is 1 if it is damaged, or of a version\nthat is not known."
}

func (d *disasmCmd) Run() error {
	data, name, err := readInput(d.File)
	if err != nil {
		return err
	}
	m, err := mpy.Read(data, mpy.ReadOptions{})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := mpy.Verify(m); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return mpy.Disassemble(os.Stdout, m)
}
