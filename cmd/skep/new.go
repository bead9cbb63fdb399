package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/skep-sim/skep/internal/host/scaffold"
)

// newCmd is skep new.
type newCmd struct {
	Name     string `help:"Name of the application, and of its thing. Default: the directory's."`
	Template string `help:"minimal: readings on the console; aws: telemetry and a shadow on AWS IoT." default:"minimal" placeholder:"TEMPLATE"`

	Dir string `arg:"" help:"The directory to make: it must be empty or not exist."`
}

func (n *newCmd) Help() string {
	return "Example:\n  skep new door && skep run door\n  skep new tracker --template aws\n\n" +
		"The application runs at once, on a virtual module and without a network: main.py, which\n" +
		"keeps the bundle up to date, app.py, lib/, cert/, tests/, skep.toml, and a .gitignore that\n" +
		"keeps keys out of git."
}

func (n *newCmd) Run() error {
	if n.Dir == "" { // of a shell's variable that is not set: not meant for this directory
		return errors.New("the directory's name is empty: name the directory to make, or . for this one")
	}
	name := n.Name
	if name == "" {
		abs, err := filepath.Abs(n.Dir)
		if err != nil {
			return err
		}
		name = filepath.Base(abs)
		if err := scaffold.CheckName(name); err != nil {
			return fmt.Errorf("%w, or give it another one with --name", err)
		}
	}
	files, err := scaffold.New(n.Dir, name, n.Template)
	if err != nil {
		return err
	}
	for _, f := range files {
		fmt.Println(filepath.Join(n.Dir, filepath.FromSlash(f)))
	}
	fmt.Fprintf(os.Stderr, "skep: run it with: skep run %s\n", n.Dir)
	return nil
}
