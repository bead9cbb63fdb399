// Command skep is an XBee 3 Cellular in software: it runs MicroPython
// applications on a virtual module, compiles them as the module does, and brings
// a local AWS IoT for them to talk to.
//
// It is flags, files and output: the module, the language, the cloud and the tools
// for modules at a serial port are packages.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

// cli is the command line.
type cli struct {
	New     newCmd     `cmd:"" help:"Make the directory of a new application, which runs at once."`
	Run     runCmd     `cmd:"" help:"Power on a module whose /flash holds a directory's files, and run its main.py."`
	Repl    replCmd    `cmd:"" help:"Power on a module and leave you at its prompt."`
	Serve   serveCmd   `cmd:"" help:"Power on a module whose serial port other programs can open."`
	Debug   debugCmd   `cmd:"" help:"Debug an application from an editor, forwards and backwards (Debug Adapter Protocol)."`
	Exec    execCmd    `cmd:"" help:"Run one program as 'micropython FILE.py' would."`
	Mem     memCmd     `cmd:"" help:"Measure what the modules of an application cost on a module, and find its best bundle."`
	Build   buildCmd   `cmd:"" help:"Compile an application, lay out its /flash, and hold what it costs against the module's limits."`
	Check   checkCmd   `cmd:"" help:"Say what of an application will fail on a module, and what to write instead."`
	Compile compileCmd `cmd:"" help:"Cross-compile a module to a .mpy file."`
	Disasm  disasmCmd  `cmd:"" help:"List the code of a .mpy file."`
	Deploy  deployCmd  `cmd:"" help:"Bring an application onto the module at a serial port, as one transaction."`
	Fs      fsCmd      `cmd:"" help:"Files of the module at a serial port."`
	At      atCmd      `cmd:"" help:"AT commands and settings of the module at a serial port."`
	Console consoleCmd `cmd:"" help:"Terminal at a serial port."`
	Info    infoCmd    `cmd:"" help:"What the module at a serial port is, and how it is."`
	Ports   portsCmd   `cmd:"" help:"List the serial ports of this machine."`
	Profile profileCmd `cmd:"" help:"The modules that can be simulated, fact by fact with its source."`
	Test    testCmd    `cmd:"" help:"Run the tests of an application inside virtual modules."`
	Replay  replayCmd  `cmd:"" help:"Show what happened in a recorded run, or run it again."`
	Cloud   cloudCmd   `cmd:"" help:"The local AWS IoT."`
	Version versionCmd `cmd:"" help:"Which skep this is."`

	ShowVersion kong.VersionFlag `name:"version" help:"Say which skep this is."`
}

// Help is what skep --help says besides.
func (c *cli) Help() string {
	return "Example:\n  skep run examples/tracker\n\nEvery command has an example: skep COMMAND --help."
}

// exitStatus ends the program with a status and nothing more to say.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func main() {
	k, err := parserFor(os.Args[1:]).Parse(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "skep: %v; see %s --help\n", err, commandOf(err))
		os.Exit(2)
	}
	err = k.Run()
	var status exitStatus
	if errors.As(err, &status) {
		os.Exit(int(status))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "skep:", err)
		os.Exit(1)
	}
}

// parserFor is a parser for a command line. If that begins with a command, it knows no
// other: the flags of all of them take as long to set up as a short program runs.
func parserFor(args []string) *kong.Kong {
	all := reflect.TypeFor[cli]()
	var kept []reflect.StructField // the command, and the flags of every command
	found := false
	for i := range all.NumField() {
		f := all.Field(i)
		_, isCommand := f.Tag.Lookup("cmd")
		named := isCommand && len(args) > 0 && args[0] == strings.ToLower(f.Name)
		found = found || named
		if named || !isCommand {
			kept = append(kept, f)
		}
	}
	if found {
		return mustParser(reflect.New(reflect.StructOf(kept)).Interface())
	}
	return newParser()
}

func newParser() *kong.Kong { return mustParser(&cli{}) }

func mustParser(commands any) *kong.Kong {
	k, err := newParserOf(commands)
	if err != nil {
		panic(err) // the declarations above are wrong
	}
	return k
}

func newParserOf(commands any) (*kong.Kong, error) {
	return kong.New(commands, kong.Name("skep"), kong.KindMapper(reflect.String, kong.MapperFunc(exactString)),
		kong.Vars{"version": readVersion().String()}, kong.BindTo(context.Background(), (*context.Context)(nil)),
		kong.Description("A Digi XBee 3 Cellular in software: MicroPython, memory, flash, serial port, modem and cloud."))
}

// exactString takes an argument byte by byte: kong's own reader replaces what is not
// UTF-8, and the names of files need not be.
func exactString(ctx *kong.DecodeContext, target reflect.Value) error {
	t, err := ctx.Scan.PopValue("string")
	if err != nil {
		return err
	}
	s, ok := t.Value.(string)
	if !ok {
		return fmt.Errorf("expected text but got %v", t.Value)
	}
	target.SetString(s)
	return nil
}

// commandOf is the command whose flags or arguments were wrong, as far as it was
// recognised.
func commandOf(err error) string {
	name := "skep"
	var wrong *kong.ParseError
	if errors.As(err, &wrong) {
		for _, p := range wrong.Context.Path {
			if p.Command != nil {
				name += " " + p.Command.Name
			}
		}
	}
	return name
}
