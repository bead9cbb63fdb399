package pymod

import (
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/pylib"
	"github.com/skep-sim/skep/internal/syntax"
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/at"
	hw "github.com/skep-sim/skep/internal/xbee/board"
	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// rig is a device without a serial port: programs are run on it one by one.
type rig struct {
	t     testing.TB
	vm    *vm.VM
	board *Board
	clock *world.VirtualClock
	out   strings.Builder
	notes []string
}

// testModule answers for the states of the AT table.
type testModule struct{ b *Board }

func (m testModule) ReadState(name string) (at.Value, error) {
	switch name {
	case "SH", "SL":
		return at.Raw([]byte(name + "xx")), nil
	case "TP":
		return at.Int(0xFFF6), nil
	case "IM":
		return at.Str("354658090000002"), nil
	}
	return at.Value{}, nil
}

func (m testModule) Obey(name string, arg at.Value) (at.Value, error) {
	if name == "NR" {
		return at.Value{}, at.ErrFailed
	}
	return at.Value{}, nil
}

func (m testModule) Applied([]string) {}

func newRig(t testing.TB, more ...func(*vm.Firmware)) *rig {
	t.Helper()
	dev, err := flash.Open(flash.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	return newRigOn(t, dev, more...)
}

func newRigOn(t testing.TB, dev *flash.Device, more ...func(*vm.Firmware)) *rig {
	t.Helper()
	return newRigAt(t, dev, 0, more...)
}

// newRigAt is newRigOn at a feature level; 0 is the default profile's.
func newRigAt(t testing.TB, dev *flash.Device, level uint32, more ...func(*vm.Firmware)) *rig {
	t.Helper()
	p, err := profile.Find("", "")
	if err != nil {
		t.Fatal(err)
	}
	if level != 0 {
		p.Firmware = p.Firmware&^0xFF | level
	}
	r := &rig{t: t, clock: world.NewVirtualClock(world.VirtualStart)}
	r.board = &Board{
		Profile: &p, World: world.Virtual(1).WithClock(r.clock), Hardware: hw.New(r.clock.Ticks), Flash: dev, Cwd: flash.Root, Cause: PowerOnReset,
		Note: func(text string) { r.notes = append(r.notes, text) },
	}
	r.board.Registers = at.New(at.Table(p), &p, testModule{r.board}, dev.Blob("registers"))
	o := vm.XBee()
	o.IOBase = p.Level() >= 0x18
	fw := vm.NewFirmware(o)
	Errnos(fw)
	pylib.Standard(fw, pylib.SysConfig{Platform: "xbee-cellular", Version: [3]int{1, 11, 0}})
	Declare(fw, p)
	for _, f := range more {
		f(fw)
	}
	fw.Seal()
	r.vm = vm.New(vm.Config{
		Firmware: fw, HeapBytes: 32768,
		Hooks: vm.Hooks{
			Stdout: func(b []byte) { r.out.Write(b) },
			Files:  &Importer{Board: r.board},
			Note:   r.board.Note,
			Poll: func() {
				if reset, bites := r.board.Bite(); bites {
					panic(reset)
				}
				if r.vm != nil {
					r.board.Pump(r.vm)
				}
			},
		},
	})
	Attach(r.vm, r.board)
	r.boot()
	return r
}

// boot is what a soft reboot does.
func (r *rig) boot() {
	r.vm.Reset()
	r.board.MapBundle(r.vm)
	path, _ := r.vm.InitSysLists()
	for _, dir := range []string{"", flash.Root, flash.Root + "/lib"} {
		r.vm.ListAppend(path, r.vm.StaticStr(dir))
	}
	r.vm.Release(0)
}

// run runs a program and returns what it printed, its traceback too. A reset is
// told as a line, and followed by a boot.
func (r *rig) run(src string) (out string) {
	r.t.Helper()
	r.out.Reset()
	defer func() {
		if p := recover(); p != nil {
			reset, ok := p.(Reset)
			if !ok {
				panic(p)
			}
			r.out.WriteString([]string{"soft", "hard"}[reset.Kind] + " reset\n")
			r.board.FS().CloseAll()
			r.board.Cwd, r.board.Cause = flash.Root, reset.Cause
			r.board.Hardware.SoftReset()
			r.boot()
			out = r.out.String()
		}
	}()
	v := r.vm
	exc := v.Try(func() { v.Exec([]byte(src), "test.py", syntax.File, vm.FileReader, v.MainDict(), v.MainDict()) })
	if exc != vm.Null {
		v.NewPrinter(func(b []byte) { r.out.Write(b) }).Value(exc, vm.PrintExc)
		r.out.WriteString("\n")
	}
	v.Release(0)
	return r.out.String()
}

func (r *rig) want(src, want string) {
	r.t.Helper()
	if got := r.run(src); got != want {
		r.t.Errorf("%s\nprinted\n%s\nwant\n%s", src, got, want)
	}
}

// put writes a file.
func (r *rig) put(path, text string) {
	r.t.Helper()
	if err := r.board.FS().Store(flash.Root, path, []byte(text), false); err != nil {
		r.t.Fatal(err)
	}
}
