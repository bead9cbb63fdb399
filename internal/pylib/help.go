package pylib

import (
	"slices"
	"strings"

	"github.com/skep-sim/skep/internal/vm"
)

// HelpText is what help() prints on upstream's builds.
const HelpText = `Welcome to MicroPython!

For online docs please visit http://docs.micropython.org/

Control commands:
  CTRL-A        -- on a blank line, enter raw REPL mode
  CTRL-B        -- on a blank line, enter normal REPL mode
  CTRL-C        -- interrupt a running program
  CTRL-D        -- on a blank line, exit or do a soft reset
  CTRL-E        -- on a blank line, enter paste mode

For further help on a specific object, type help(obj)
`

// Help declares the function help.
func Help(fw *vm.Firmware, text string) {
	modules := fw.Q("modules").Value()
	fw.Builtin("help", fw.FuncV("help", 0, 1, func(v *vm.VM, args []vm.Value) vm.Value {
		p := v.Stdout()
		switch {
		case len(args) == 0:
			p.String(text)
		case args[0] == modules && fw.Options.HelpModules:
			helpModules(v, p)
		default:
			helpObject(v, p, args[0])
		}
		return vm.None
	}))
}

// helpModules lists the built-in modules, sorted, in four columns that are read
// downwards. The device builds and sorts a list of names on its heap.
func helpModules(v *vm.VM, p *vm.Printer) {
	const columns, width = 4, 18
	names := v.Firmware().ModuleNames()
	list := v.NewList()
	for _, n := range names {
		v.ListAppend(list, v.NewString(n))
	}
	slices.Sort(names)
	rows := (len(names) + columns - 1) / columns
	for i := 0; i < rows; i++ {
		for j := i; ; {
			p.String(names[j])
			n := len(names[j])
			if j += rows; j >= len(names) {
				break
			}
			gap := width - n
			for gap < 1 {
				gap += width
			}
			p.String(strings.Repeat(" ", gap))
		}
		p.String("\n")
	}
	p.String("Plus any modules on the filesystem\n")
}

// helpObject prints an object, its type and the names that it has itself.
func helpObject(v *vm.VM, p *vm.Printer, o vm.Value) {
	p.String("object ")
	p.Value(o, vm.PrintStr)
	p.Printf(" is of type %q\n", v.TypeNameOf(o))
	v.EachOwn(o, func(name, value vm.Value) {
		p.String("  ")
		p.Value(name, vm.PrintStr)
		p.String(" -- ")
		p.Value(value, vm.PrintStr)
		p.String("\n")
	})
}
