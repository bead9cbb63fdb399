package pymod

import (
	"errors"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/bundle"
	"github.com/skep-sim/skep/internal/xbee/flash"
)

// bundleState is the bundle of the running interpreter.
type bundleState struct {
	record *bundle.Record
	image  *bundle.Image
}

// bundleBlob is where the bundle outlives power.
func (b *Board) bundleBlob() flash.Blob { return b.Flash.Blob("bundle") }

// MapBundle maps the bundle into a VM's flash. It is called after the VM was
// made, and after each Reset, before any program runs.
func (b *Board) MapBundle(v *vm.VM) {
	b.files.reset()
	r := b.bundleRecord()
	if len(r.Sources) == 0 {
		b.bundle.image = nil
		return
	}
	base, _ := v.Heap().Flash()
	if b.bundle.image == nil || b.bundle.image.Base != base {
		image, err := r.Build(v.Firmware(), b.bundleArea(), base)
		if err != nil {
			b.note(err.Error() + "; this firmware leaves it out: bundle it again")
		}
		b.bundle.image = image
	}
	v.MapFlash(b.bundle.image.Bytes, b.bundle.image.Names)
}

// bundleArea is how much room the firmware has for the bundle.
func (b *Board) bundleArea() bundle.Area {
	return bundle.Area{PayloadBytes: b.Profile.BundleBytes.Value, Qstrs: b.Profile.BundleQstrs.Value}
}

// bundleRecord returns what is bundled, reading it at first use.
func (b *Board) bundleRecord() *bundle.Record {
	if b.bundle.record == nil {
		r, err := bundle.ParseRecord(b.bundleBlob().Get())
		if err != nil {
			b.note(err.Error())
			r = &bundle.Record{}
		}
		b.bundle.record = r
	}
	return b.bundle.record
}

// storeBundle replaces what is bundled. The running interpreter keeps the old
// image until it restarts.
func (b *Board) storeBundle(r *bundle.Record) error {
	if err := b.bundleBlob().Put(r.Marshal()); err != nil {
		return err
	}
	b.bundle = bundleState{record: r}
	return nil
}

// EraseBundle empties the bundle area, as os.bundle(None) and ATPYE do. Modules
// that are loaded keep running until the interpreter restarts.
func (b *Board) EraseBundle() error {
	if err := b.bundleBlob().Delete(); err != nil {
		return err
	}
	b.bundle = bundleState{record: &bundle.Record{}}
	return nil
}

// BundleReport is what ATPYB tells: bytes in use, hash, and the time of bundling
// in seconds since 2000; all 0 when nothing is bundled.
func (b *Board) BundleReport() (bytes, hash, date uint32) {
	r := b.bundleRecord()
	return r.Bytes, r.Hash, r.Date
}

// note tells the person at the host something.
func (b *Board) note(text string) {
	if b.Note != nil {
		b.Note(text)
	}
}

// Importer is where a device's interpreter imports from: the bundle, then the
// files, the secure ones too.
type Importer struct{ Board *Board }

// Stat implements vm.Files.
func (i *Importer) Stat(path string) vm.FileKind {
	info, err := i.Board.FS().Stat(i.Board.Cwd, path)
	switch {
	case err != nil:
		return vm.NoFile
	case info.Dir:
		return vm.Directory
	}
	return vm.RegularFile
}

// ReadFile implements vm.Files.
func (i *Importer) ReadFile(path string) ([]byte, vm.Errno) {
	data, err := i.Board.FS().ReadSecure(i.Board.Cwd, path)
	return data, i.Board.errno(err)
}

// Bundled implements vm.Files.
func (i *Importer) Bundled(module string) uint32 {
	if m := i.Board.bundle.image; m != nil {
		return m.Find(module)
	}
	return 0
}

// errno is the number of a failed file operation. What failed on the host's
// side is told to the person there.
func (b *Board) errno(err error) vm.Errno {
	if err == nil {
		return 0
	}
	var host *flash.HostError
	if errors.As(err, &host) {
		b.note(host.Error())
	}
	return vm.Errno(flash.ErrnoOf(err))
}

// raise raises the OSError of a failed file operation, if it failed.
func (b *Board) raise(v *vm.VM, err error) {
	if err != nil {
		v.RaiseOS(b.errno(err))
	}
}
