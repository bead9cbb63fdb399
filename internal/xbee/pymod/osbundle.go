package pymod

import (
	"errors"
	"path"
	"strings"

	"github.com/skep-sim/skep/internal/memory"
	"github.com/skep-sim/skep/internal/pylib"
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/bundle"
	"github.com/skep-sim/skep/internal/xbee/flash"
)

// osBundle is bundle(*files): without arguments the list of what is bundled,
// with None an empty bundle, else a new bundle and a soft reboot whatever came
// of it (device-facts.md 5.3).
func osBundle(v *vm.VM, args []vm.Value) vm.Value {
	b := board(v)
	if len(args) == 0 {
		list := v.NewList()
		for _, name := range b.bundleRecord().Names() {
			mark := v.Mark()
			v.ListAppend(list, v.NewString(name))
			v.Release(mark)
		}
		return list
	}
	if len(args) == 1 && args[0] == vm.None {
		b.raise(v, b.EraseBundle())
		return vm.None
	}
	files := make([]string, len(args))
	for i, a := range args {
		files[i] = string(v.StrArg(a))
	}
	w := bundling{v: v, b: b, out: v.Stdout()}
	if exc := v.Try(func() { v.WithStack(bundleStack, func() { w.run(files) }) }); exc != vm.Null {
		w.out.PrintException(exc) // no memory to begin with: the old bundle stays
	}
	panic(Reset{Kind: SoftReset, Cause: SoftResetCause})
}

// Calibrations: what the device holds while it bundles, fitted to the one report
// that was observed (used: 7168, 103 1-blocks, 91 2-blocks; stack: 984). A second
// copy of the module without its bytecode accounts for the rest, and for what is
// in pieces of more than two blocks exactly.
const (
	// bundleNote is what a constant carries beside itself: the word that says
	// where in flash it lies would make a str of 16 bytes two blocks.
	bundleNote = 4
	// The working memory: pieces of one block and of two.
	bundleSmallPieces = 11
	bundleLargePieces = 3
	// bundleStack is the C stack that bundling takes: 984, less the 576 that
	// mem_info() typed at a prompt reports on such a module.
	bundleStack = 408
)

// bundling is one call of bundle with files.
type bundling struct {
	v      *vm.VM
	b      *Board
	out    *vm.Printer
	build  *bundle.Builder
	record bundle.Record
}

func (w *bundling) run(files []string) {
	w.v.TellFigure(vm.BundleFigure)
	base, _ := w.v.Heap().Flash()
	w.build = bundle.NewBuilder(w.v.Firmware(), w.b.bundleArea(), base)
	for range bundleSmallPieces {
		w.v.Alloc(memory.BlockBytes)
	}
	for range bundleLargePieces {
		w.v.Alloc(2 * memory.BlockBytes)
	}
	for _, file := range files {
		w.out.String("bundling " + file + "...")
		mark := w.v.Mark()
		if exc := w.v.Try(func() { w.add(file) }); exc != vm.Null {
			// The failed module stays in the list, without its name.
			w.record.Sources = append(w.record.Sources, bundle.Source{})
			w.out.PrintException(exc)
		}
		w.v.Release(mark)
	}
	w.out.Printf("Used %u/%u QSTR entries.\n", w.build.Qstrs(), w.b.Profile.BundleQstrs.Value)
	pylib.MemInfo(w.v, w.out)
	image := w.build.Image()
	w.record.Date = uint32(w.b.RTC())
	w.record.Hash = image.Hash()
	w.record.Bytes = uint32(image.Used)
	if err := w.b.storeBundle(&w.record); err != nil {
		w.out.PrintException(w.v.NewException(vm.TypeOSError, vm.SmallInt(int(w.b.errno(err))+w.v.Options().ErrnoOffset)))
		return
	}
	w.out.Printf("Embedded %u module(s) to %u/%u bytes of flash.\n", len(image.Modules), image.Used, w.b.Profile.BundleBytes.Value)
}

// add puts one file into the bundle. On its way there the module is on the
// heap; what it takes is free for the next one.
func (w *bundling) add(file string) {
	v := w.v
	data, err := w.b.FS().ReadSecure(w.b.Cwd, file)
	w.b.raise(v, err)
	base := path.Base(file)
	name := strings.TrimSuffix(base, path.Ext(base))
	reader := v.Alloc(vm.FileReader)
	m := v.ReadMpy(file, data)
	v.Intern(name)
	v.LoadWithoutCode(m, bundleNote)
	v.Free(reader)
	mod, err := w.build.Add(name, m)
	if err != nil {
		w.b.note(err.Error())
		var full *bundle.FullError
		if errors.As(err, &full) {
			v.RaiseOS(vm.Errno(flash.ENOSPC))
		}
		v.RaiseMsg(vm.TypeValueError, "name too long")
	}
	w.record.Sources = append(w.record.Sources, bundle.Source{Name: name, Mpy: data})
	w.out.Printf("%u bytes of raw code\n", mod.Parts.Total())
}
