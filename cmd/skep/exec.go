package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"strconv"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/skep-sim/skep/internal/hosted"
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world"
)

// execCmd is skep exec.
type execCmd struct {
	optimise
	Options string `help:"Build options of the interpreter." enum:"xbee,full,bare" default:"xbee"`
	Python  string `help:"Release of MicroPython whose rules hold: 1.11, or 1.12 as in firmware from level x16 on." enum:"1.11,1.12" default:"1.11"`
	Heap    int    `help:"Bytes of the raw heap region (32768 gives a pool of 32000). Default: the module's, or 1 MiB with --options full and bare."`

	Plain      bool   `hidden:"" help:"Run one instruction of the bytecode at a time, to see that it makes no difference."`
	CPUProfile string `name:"cpuprofile" hidden:"" help:"Write a profile of skep itself." placeholder:"FILE"`

	File string   `arg:"" help:"The program (.py or .mpy); - for standard input."`
	Args []string `arg:"" optional:"" passthrough:"" help:"What the program finds in sys.argv."`
}

// optimise is the -O flags: -O, -O1, -O2 and -O3, as mpy-cross and micropython
// spell them.
type optimise struct {
	O optLevel `short:"O" help:"Level of optimisation, as -O or -O1 to -O3: from 1 on there is no assert, from 3 on no line numbers." placeholder:"N"`
}

// optLevel is a number that may be missing.
type optLevel int

// Decode reads what follows -O.
func (o *optLevel) Decode(ctx *kong.DecodeContext) error {
	*o = 1
	if t := ctx.Scan.Peek(); t.Type == kong.FlagValueToken || t.Type == kong.ShortFlagTailToken {
		s, _ := ctx.Scan.Pop().Value.(string)
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 || n > 3 {
			return fmt.Errorf("-O%s: give a level from 0 to 3", s)
		}
		*o = optLevel(n)
	}
	return nil
}

// IsBool tells that -O needs no value.
func (o *optLevel) IsBool() bool { return true }

func (o *optimise) level() int { return int(o.O) }

func (e *execCmd) Help() string {
	return "Example:\n  skep exec --options full hello.py\n\nThe program's output goes to stdout, an uncaught exception's traceback to stderr, with exit status 1."
}

// hostedStack is the limit of the C stack, in bytes, of upstream's hosted builds.
const hostedStack = 40000

// interpreterOptions gives the options by the names they have on the command line.
func interpreterOptions(name, release string) (vm.Options, int) {
	v12 := release == "1.12"
	switch {
	case name == "full" && v12:
		return hosted.Full12(), 1 << 20
	case name == "full":
		return hosted.Full(), 1 << 20
	case name == "bare" && v12:
		return hosted.Bare12(), 1 << 20
	case name == "bare":
		return hosted.Bare(), 1 << 20
	}
	if v12 {
		return vm.XBee().WithRelease(12), 32768
	}
	return vm.XBee(), 32768
}

func (e *execCmd) Run() error {
	if err := checkHeap(e.Heap); err != nil {
		return err
	}
	o, heap := interpreterOptions(e.Options, e.Python)
	if e.Heap != 0 {
		heap = e.Heap
		if heap > 65536 { // more memory than any module has: the stack of a PC goes with it
			o.StackLimit = max(o.StackLimit, hostedStack)
		}
	}
	src, name, err := readInput(e.File)
	if err != nil {
		return err
	}
	if e.File == "-" && isMpy(src) {
		name = "stdin.mpy"
	}
	if e.CPUProfile != "" {
		f, err := os.Create(e.CPUProfile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	var path []string
	if e.Options == "full" {
		path = hosted.FullPath()
	}
	interrupt, stop := interrupts()
	defer stop()
	status := hosted.Run(hosted.Config{
		Options: o, HeapBytes: heap, OptLevel: e.level(), Plain: e.Plain, Path: path,
		Clock: world.RealClock(), Absolute: e.Options == "full", Interrupt: interrupt,
		Stdin: os.Stdin, Terminal: term.IsTerminal(int(os.Stdin.Fd())), Stdout: os.Stdout, Stderr: os.Stderr,
	}, src, name, e.Args)
	if status != 0 {
		return exitStatus(status)
	}
	return nil
}

// interrupts gives every Ctrl-C to the program. One that comes while the program has
// not felt the one before, because it waits for input or never looks, ends skep.
func interrupts() (program <-chan struct{}, stop func()) {
	signals, felt := make(chan os.Signal, 1), make(chan struct{}, 1)
	signal.Notify(signals, os.Interrupt)
	go func() {
		for range signals {
			select {
			case felt <- struct{}{}:
			default:
				os.Exit(130)
			}
		}
	}()
	return felt, func() {
		signal.Stop(signals)
		close(signals)
	}
}
