package repl_test

import (
	"bytes"

	"github.com/skep-sim/skep/internal/pylib"
	"github.com/skep-sim/skep/internal/repl"
	"github.com/skep-sim/skep/internal/vm"
)

// desk is a prompt with somebody who types and reads.
type desk struct {
	vm    *vm.VM
	repl  *repl.REPL
	keys  []byte
	out   bytes.Buffer
	intr  []int // what SetInterrupt was called with
	alive bool  // the prompt could be started
}

func (d *desk) Key() (byte, bool) {
	if len(d.keys) == 0 {
		return 0, false
	}
	c := d.keys[0]
	d.keys = d.keys[1:]
	return c, true
}

func (d *desk) Write(b []byte) { d.out.Write(b) }

func (d *desk) SetInterrupt(c int) { d.intr = append(d.intr, c) }

const banner = "BANNER\r\n"

// firmware makes one of the modules that need no device.
func firmware(o vm.Options) *vm.Firmware {
	fw := vm.NewFirmware(o)
	pylib.Standard(fw, pylib.SysConfig{Platform: "test", Version: [3]int{1, 11, 0}})
	pylib.Help(fw, pylib.HelpText)
	return fw.Seal()
}

// newDesk starts an interpreter with so many bytes of heap and types keys at it.
func newDesk(fw *vm.Firmware, heap int, keys []byte) *desk {
	d := &desk{keys: keys}
	d.vm = vm.New(vm.Config{Firmware: fw, HeapBytes: uint32(heap), Hooks: vm.Hooks{
		Stdout: func(b []byte) { d.Write(bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))) },
	}})
	d.repl = repl.New(d.vm, d, repl.Config{Banner: banner, NumberedPaste: fw.Options.NoAlloca}) // as the module's build
	d.start()
	return d
}

func (d *desk) start() {
	d.alive = d.vm.Try(func() {
		d.vm.InitSysLists()
		d.repl.Start()
	}) == vm.Null
}

// reset is a soft reset.
func (d *desk) reset() {
	d.vm.Reset()
	d.start()
}

func (d *desk) run() repl.Exit {
	if !d.alive {
		return repl.EndOfInput
	}
	return d.repl.Run()
}
