package main

import (
	"fmt"
	"io"
	"os"

	"github.com/skep-sim/skep/internal/hosted"
	"github.com/skep-sim/skep/internal/vm"
)

// execCmd is skep exec.
type execCmd struct {
	optimise
	Options string `help:"Build options of the interpreter." enum:"xbee,full,bare" default:"xbee"`
	Heap    int    `help:"Bytes of the raw heap region (32768 gives a pool of 32000). Default: the module's, or 1 MiB with --options full."`

	File string   `arg:"" help:"The program (.py or .mpy); - for standard input."`
	Args []string `arg:"" optional:"" passthrough:"" help:"What the program finds in sys.argv."`
}

// optimise is the -O flags.
type optimise struct {
	O  bool `short:"O" help:"Drop assert statements."`
	O1 bool `name:"O1" help:"The same." hidden:""`
}

func (e *execCmd) Help() string {
	return "Example:\n  skep exec --options full hello.py\n\nThe program's output goes to stdout, an uncaught exception's traceback to stderr, with exit status 1."
}

// interpreterOptions gives the options by the name they have on the command line.
func interpreterOptions(name string) (vm.Options, int) {
	switch name {
	case "full":
		return vm.Full(), 1 << 20
	case "bare":
		return vm.Bare(), 1 << 20
	}
	return vm.XBee(), 32768
}

func (e *execCmd) Run() error {
	o, heap := interpreterOptions(e.Options)
	if e.Heap != 0 {
		heap = e.Heap
	}
	var src []byte
	var err error
	name := e.File
	if name == "-" {
		name = "<stdin>"
		src, err = io.ReadAll(os.Stdin)
	} else {
		src, err = os.ReadFile(name)
	}
	if err != nil {
		return fmt.Errorf("%w: give the path of a .py or .mpy file, or - for standard input", err)
	}
	level := 0
	if e.O || e.O1 {
		level = 1
	}
	status := hosted.Run(hosted.Config{
		Options: o, HeapBytes: heap, OptLevel: level, Stdout: os.Stdout, Stderr: os.Stderr,
	}, src, name, e.Args)
	if status != 0 {
		return exitStatus(status)
	}
	return nil
}
