package sizing

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"github.com/skep-sim/skep/internal/memory"
	"github.com/skep-sim/skep/internal/syntax"
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee"
	"github.com/skep-sim/skep/internal/xbee/bundle"
	"github.com/skep-sim/skep/internal/xbee/flash"
)

// form is how a module lies on the device.
type form uint8

const (
	shipped form = iota // as the application has it there
	asSource
	asMpy
)

// bench powers on devices with the application on them.
type bench struct {
	conf    Config
	heap    int // bytes of the raw region
	fw      *xbee.Firmware
	modules []*module
	byName  map[string]*module
	main    *module
	rest    []flash.HostFile
}

func newBench(c Config, files []flash.HostFile) (*bench, error) {
	b := &bench{conf: c, heap: c.HeapBytes, fw: xbee.NewFirmware(c.Profile, c.Features), byName: map[string]*module{}}
	if b.heap == 0 {
		b.heap = c.Profile.HeapBytes.Value
	}
	b.modules, b.main, b.rest = findModules(files, c.Profile.MpyVersion.Value)
	for _, m := range b.modules {
		b.byName[m.name] = m
	}
	for _, name := range c.Use {
		if b.byName[name] == nil {
			return nil, fmt.Errorf("the application has no module %s: it has %s", name, strings.Join(b.names(), ", "))
		}
	}
	// The flash must take the files before anything is measured.
	l := b.layout(shipped, nil)
	l.files = append(l.files, b.mainFile()...)
	_, err := l.flash()
	return b, err
}

func (b *bench) names() (names []string) {
	for _, m := range b.modules {
		names = append(names, m.name)
	}
	return names
}

func (b *bench) progress(what string) {
	if b.conf.Progress != nil {
		b.conf.Progress(what)
	}
}

func (b *bench) mainFile() []flash.HostFile {
	switch {
	case b.main == nil:
		return nil
	case b.main.source != nil:
		return []flash.HostFile{{Path: b.main.path + ".py", Data: b.main.source}}
	}
	return []flash.HostFile{{Path: b.main.path + ".mpy", Data: b.main.mpy}}
}

// layout is what lies on a device's flash.
type layout struct {
	files   []flash.HostFile
	bundled []bundle.Source
}

// layout puts every module there in one form, if it has it, and some into the
// bundle as well.
func (b *bench) layout(f form, bundled []string) layout {
	l := layout{files: append([]flash.HostFile(nil), b.rest...)}
	for _, m := range b.modules {
		source := f == asSource || f == shipped && b.conf.AsSource
		switch {
		case m.source != nil && (source || m.mpy == nil):
			l.files = append(l.files, flash.HostFile{Path: m.path + ".py", Data: m.source})
		case m.mpy != nil:
			l.files = append(l.files, flash.HostFile{Path: m.path + ".mpy", Data: m.mpy})
		}
	}
	for _, name := range bundled {
		l.bundled = append(l.bundled, bundle.Source{Name: name, Mpy: b.byName[name].mpy})
	}
	return l
}

// flash makes the flash of a device.
func (l *layout) flash() (*flash.Device, error) {
	d, err := flash.Open(flash.NewMemory())
	if err != nil {
		return nil, err
	}
	if _, err = d.Lay(l.files); err != nil {
		return nil, err
	}
	if len(l.bundled) > 0 {
		err = d.Blob("bundle").Put((&bundle.Record{Sources: l.bundled}).Marshal())
	}
	return d, err
}

// step is one thing that is done on a device.
type step struct {
	name string
	do   func(v *vm.VM) vm.Value
}

// result is what came of a trial.
type result struct {
	total, base int // the pool; what was in use at the first prompt
	steps       []stepResult
	left, kept  int // in use at the end, and after a collection
	largest     int // free piece, in bytes
	loaded      []string
	output      string
	ended       error // it ended before its time
	heapMap     []int8
}

// stepResult is what a step took, in bytes over what was in use before the first.
type stepResult struct {
	peak     int
	err      string // the exception it ended with
	noMemory bool
	builtin  bool // what was imported is the firmware's
}

// noMemory is the number of the step at which there was no memory, or -1.
func (r *result) noMemory() int {
	for i, s := range r.steps {
		if s.noMemory {
			return i
		}
	}
	return -1
}

// stepLimit is how long a step may take, in polls of the interpreter's loop: some ten
// million instructions.
const stepLimit = 4000

// trial boots a device and takes steps on it, up to one that finds no memory.
func (b *bench) trial(l layout, heap int, steps []step) result {
	var r result
	dev, err := l.flash()
	if err != nil {
		r.ended = err
		return r
	}
	var out bytes.Buffer
	w := world.Virtual(1).WithSerial(world.Console(strings.NewReader(""), &out))
	d := xbee.New(xbee.Config{
		Profile: &b.conf.Profile, World: w, Flash: dev, Serial: 1, HeapBytes: heap, Firmware: b.fw, Settings: []string{"AP4"},
	})
	quiet := 0
	r.ended = d.Trial(func(v *vm.VM) {
		quiet = out.Len()
		r.run(v, steps)
	})
	r.output = strings.ReplaceAll(out.String()[min(quiet, out.Len()):], "\r\n", "\n")
	return r
}

// run takes the steps on a device that has booted.
func (r *result) run(v *vm.VM, steps []step) {
	h := v.Heap()
	v.StepLimit = stepLimit
	r.base = int(h.MemAlloc())
	r.total = r.base + int(h.MemFree())
	pool, _ := h.Pool()
	r.heapMap = make([]int8, r.total/memory.BlockBytes)
	for i, st := range steps {
		var s stepResult
		h.Trace = func(op byte, addr, n, old uint32) {
			if op == memory.OpAlloc {
				r.heapMap[(addr-pool)/memory.BlockBytes] = int8(min(i+2, 127))
			}
			if op == memory.OpAlloc || op == memory.OpRealloc {
				s.peak = max(s.peak, int(h.MemAlloc())-r.base)
			}
		}
		r.steps = append(r.steps, s)
		exc := v.Try(func() { s.builtin = vm.IsROM(st.do(v)) })
		h.Trace = nil
		if exc != vm.Null {
			s.noMemory = v.IsSubclass(v.TypeOf(exc), vm.TypeMemoryError)
			s.err = exceptionText(v, exc)
		}
		v.UnlockHeap()
		v.Release(0)
		r.steps[i] = s
		if s.noMemory {
			r.markBlocks(h, pool)
			return
		}
	}
	r.left = int(h.MemAlloc())
	v.Collect()
	r.kept = int(h.MemAlloc())
	info := h.Info()
	r.largest = int(info.MaxFree) * memory.BlockBytes
	r.loaded = v.LoadedModules()
	r.markBlocks(h, pool)
}

// markBlocks turns the notes of who allocated what into the map of what is there.
func (r *result) markBlocks(h *memory.Heap, pool uint32) {
	blocks := make([]int8, len(r.heapMap))
	h.Each(func(addr, size uint32, _ bool) bool {
		at := (addr - pool) / memory.BlockBytes
		owner := max(r.heapMap[at], 1)
		for i := range size / memory.BlockBytes {
			blocks[at+i] = -owner
		}
		blocks[at] = owner
		return true
	})
	r.heapMap = blocks
}

// exceptionText is an exception in one line, with the place where it came from.
func exceptionText(v *vm.VM, exc vm.Value) string {
	var b bytes.Buffer
	v.NewPrinter(func(p []byte) { b.Write(p) }).ReportException(exc)
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	text := lines[len(lines)-1]
	if len(lines) > 2 {
		if where := strings.TrimSpace(lines[len(lines)-2]); strings.HasPrefix(where, "File ") {
			text += " (" + where + ")"
		}
	}
	return text
}

// load is the step that imports a module.
func load(name string) step {
	return step{name, func(v *vm.VM) vm.Value { return v.Import(name) }}
}

// compileMain is the step that loads the main program's code, which stays there.
func (b *bench) compileMain() step {
	return step{mainModule, func(v *vm.VM) vm.Value {
		raw := uint32(0)
		if b.main.source != nil {
			raw = v.CompileFile(b.main.source, "<stdin>", syntax.File, func() {})
		} else {
			raw = v.LoadMpyFile(path.Join(flash.Root, b.main.path+".mpy"), b.main.mpy)
		}
		v.AddRoots(func(m *memory.Marker) { m.Word(raw) })
		return vm.None
	}}
}
