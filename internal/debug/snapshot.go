package debug

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/skep-sim/skep/internal/vm"
)

// snapshot is a copy of a stopped program, and what a client has been told of it.
type snapshot struct {
	s       *Session
	v       *vm.VM
	frames  []vm.Frame
	places  []place
	stop    Stop
	handles []handle
}

// handle is something that can be opened.
type handle struct {
	kind  handleKind
	v     *vm.VM // whose memory the value is in
	frame int
	value vm.Value
	path  string // an expression for it, or ""
}

type handleKind uint8

const (
	localsHandle handleKind = iota
	closureHandle
	dictHandle // the names of a dict, as variables
	memoryHandle
	valueHandle
)

// Frame is a function that runs.
type Frame struct {
	ID     int // its number, 0 is the innermost
	Name   string
	Source *Source // nil: not known
	File   string  // as the code has it
	Line   int
	// Bundled: its code lies in bundle flash. Foreign: built-in code called it.
	Bundled, Foreign bool
}

// Scope is a group of variables of a frame.
type Scope struct {
	Name           string
	Kind           string // "locals", "globals" or ""
	Ref            int
	Named, Indexed int
	Expensive      bool
}

// Variable is a name and what it stands for.
type Variable struct {
	Name, Value, Type string
	// Path is an expression for it, or "".
	Path string
	// Ref opens it; 0: there is nothing more to see.
	Ref            int
	Named, Indexed int
}

// look calls f with a copy of the stopped program.
func (s *Session) look(f func(p *snapshot) error) error {
	s.mu.Lock()
	if s.stop == nil || s.cur == nil || s.cur.v == nil {
		s.mu.Unlock()
		return ErrRunning
	}
	if s.snap == nil {
		p := &snapshot{s: s, v: s.cur.v.Fork(func([]byte) {}, newPatience()), stop: *s.stop}
		p.frames = p.v.Frames()
		s.mu.Unlock()
		for _, f := range p.frames {
			p.places = append(p.places, s.sources.of(p.v, f.Code()))
		}
		s.mu.Lock()
		s.snap = p
	}
	p := s.snap
	s.mu.Unlock()
	return guard(func() error { return f(p) })
}

// renew makes a copy again, when the program was changed; what a client was told of
// stays.
func (p *snapshot) renew(of *vm.VM) {
	old := p.v
	p.v = of.Fork(func([]byte) {}, newPatience())
	p.frames = p.v.Frames()
	for i := range p.handles {
		if h := &p.handles[i]; h.v == old {
			h.v = p.v
		}
	}
}

// guard makes an error of what damaged memory of the program does to whoever reads
// it.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the program's memory is damaged here: %v", r)
		}
	}()
	return f()
}

// Frames are those that run, from one on, and how many there are.
func (s *Session) Frames(from, n int) (list []Frame, total int, err error) {
	err = s.look(func(p *snapshot) error {
		total = len(p.frames)
		for i := from; i < total && (n <= 0 || i < from+n); i++ {
			f, at := p.frames[i], p.places[i]
			list = append(list, Frame{
				ID: i, Name: p.v.Name(f.Code()), Source: at.source, File: p.v.File(f.Code()), Line: f.Line(),
				Bundled: p.v.Bundled(f.Code()), Foreign: f.Foreign(),
			})
		}
		return nil
	})
	return list, total, err
}

// frame checks the number of a frame.
func (p *snapshot) frame(i int) (vm.Frame, error) {
	if i < 0 || i >= len(p.frames) {
		return vm.Frame{}, fmt.Errorf("there is no frame %d now", i)
	}
	return p.frames[i], nil
}

// open keeps something that can be opened, and returns its number.
func (p *snapshot) open(h handle) int {
	p.handles = append(p.handles, h)
	return len(p.handles)
}

func (p *snapshot) handle(ref int) (handle, error) {
	if ref < 1 || ref > len(p.handles) {
		return handle{}, fmt.Errorf("variable %d is of an earlier stop", ref)
	}
	return p.handles[ref-1], nil
}

// local is a local variable of a frame.
type local struct {
	name  string
	index int
}

// locals are the variables of a frame that have a name, by number; free: those of
// functions around it.
func (p *snapshot) locals(i int, free bool) (list []local) {
	f := p.frames[i]
	if at := p.places[i]; at.function != nil {
		for _, n := range slices.Sorted(maps.Keys(at.function.locals)) {
			name := at.function.locals[n]
			if n < f.NumLocals() && name != "" && (n < at.function.free) == free {
				list = append(list, local{name, n})
			}
		}
		return list
	}
	if free {
		return nil
	}
	for n := range f.Code().Args() {
		if name := f.ArgName(n); name != "" {
			list = append(list, local{name, n})
		}
	}
	return list
}

// class is the dict of the class whose body a frame runs, or vm.Null.
func (p *snapshot) class(frame int) vm.Value {
	if frame != 0 || p.places[0].function == nil || p.places[0].function.locals != nil {
		return vm.Null
	}
	return p.v.Locals()
}

// Scopes are the variables that a frame sees.
func (s *Session) Scopes(frame int) (list []Scope, err error) {
	err = s.look(func(p *snapshot) error {
		f, err := p.frame(frame)
		if err != nil {
			return err
		}
		if n := len(p.locals(frame, false)); n > 0 || frame == 0 && p.stop.Exception != vm.Null {
			list = append(list, Scope{Name: "Locals", Kind: "locals", Named: n, Ref: p.open(handle{kind: localsHandle, frame: frame})})
		}
		if n := len(p.locals(frame, true)); n > 0 {
			list = append(list, Scope{Name: "Closure", Named: n, Ref: p.open(handle{kind: closureHandle, frame: frame})})
		}
		if d := p.class(frame); d != vm.Null {
			list = append(list, Scope{Name: "Class", Kind: "locals", Named: p.v.DictLen(d), Ref: p.open(handle{kind: dictHandle, v: p.v, value: d})})
		}
		g := f.Globals()
		list = append(list,
			Scope{Name: "Globals", Kind: "globals", Named: p.v.DictLen(g), Ref: p.open(handle{kind: dictHandle, v: p.v, value: g})},
			Scope{Name: "Modules", Named: p.v.DictLen(p.v.SysModules()), Expensive: true, Ref: p.open(handle{kind: dictHandle, v: p.v, value: p.v.SysModules()})},
			Scope{Name: "Memory", Expensive: true, Ref: p.open(handle{kind: memoryHandle})})
		return nil
	})
	return list, err
}

// Variables are what something opens to: of its items those from one on, up to n (0:
// all), and its attributes. filter is "indexed", "named" or "" for both.
func (s *Session) Variables(ref int, filter string, from, n int) (list []Variable, err error) {
	err = s.look(func(p *snapshot) error {
		h, err := p.handle(ref)
		if err != nil {
			return err
		}
		switch h.kind {
		case localsHandle, closureHandle:
			if exc := p.stop.Exception; h.kind == localsHandle && h.frame == 0 && exc != vm.Null {
				list = append(list, p.variable("(exception)", "", exc, p.v))
			}
			for _, l := range p.locals(h.frame, h.kind == closureHandle) {
				if v := p.frames[h.frame].Local(l.index); v != vm.Null {
					list = append(list, p.variable(l.name, l.name, v, p.v))
				}
			}
		case dictHandle:
			for pos := 0; ; {
				k, v, ok := h.v.DictNext(h.value, &pos)
				if !ok {
					break
				}
				name := p.text(k, h.v, 60)
				if h.v.IsStr(k) {
					name = h.v.Str(k)
				}
				list = append(list, p.variable(name, name, v, h.v))
			}
			slices.SortFunc(list, byName)
		case memoryHandle:
			list = p.memory()
		default:
			list = p.children(h, filter, from, n)
			return nil
		}
		list = page(list, from, n)
		return nil
	})
	return list, err
}

func byName(a, b Variable) int {
	hidden := func(s string) int { return boolInt(len(s) > 1 && s[:2] == "__") }
	if d := hidden(a.Name) - hidden(b.Name); d != 0 {
		return d
	}
	if a.Name < b.Name {
		return -1
	}
	return boolInt(a.Name > b.Name)
}

func page(list []Variable, from, n int) []Variable {
	from = min(max(from, 0), len(list))
	list = list[from:]
	if n > 0 && n < len(list) {
		list = list[:n]
	}
	return list
}

// summary is how long the text of a value in a list of variables is at most.
const summary = 120

// text prints a value without running any code of the program.
func (p *snapshot) text(v vm.Value, in *vm.VM, limit int) (text string) {
	defer func() {
		if recover() != nil {
			text = "(damaged)"
		}
	}()
	text, whole := in.Repr(v, vm.PrintRepr, limit, true)
	if !whole {
		text += "..."
	}
	return text
}

// variable describes a value.
func (p *snapshot) variable(name, path string, v vm.Value, in *vm.VM) (x Variable) {
	x = Variable{Name: name, Path: path}
	if v == vm.Null {
		x.Value = "(none)"
		return x
	}
	defer func() {
		if recover() != nil {
			x.Value, x.Ref, x.Named, x.Indexed = "(damaged)", 0, 0, 0
		}
	}()
	x.Value, x.Type = p.text(v, in, summary), in.QstrString(in.TypeNameOf(v))
	if x.Type == "str" || x.Type == "int" || x.Type == "float" || x.Type == "NoneType" || x.Type == "bool" {
		return x
	}
	x.Indexed, _ = in.NumItems(v)
	x.Named = len(in.Attributes(v))
	if _, ok := in.GeneratorFrame(v); ok {
		x.Named++
	}
	if _, ok := in.CodeOf(v); ok {
		x.Named++
	}
	if x.Named+x.Indexed > 0 {
		x.Ref = p.open(handle{kind: valueHandle, v: in, value: v, path: path})
	}
	return x
}

// children are the parts of an object.
func (p *snapshot) children(h handle, filter string, from, n int) (list []Variable) {
	v := h.v
	below := func(suffix string) string {
		if h.path == "" || suffix == "" {
			return ""
		}
		return h.path + suffix
	}
	if filter != "indexed" {
		for _, c := range v.SortedAttributes(h.value) {
			list = append(list, p.variable(c.Name, below("."+c.Name), c.Value, v))
		}
		list = append(list, p.hidden(h)...)
		if filter == "named" {
			return page(list, from, n)
		}
	}
	total, _ := v.NumItems(h.value)
	if n <= 0 || filter == "" {
		from, n = 0, total
	}
	for _, c := range v.Items(h.value, from, n) {
		name, suffix := c.Name, c.Name
		if c.Key != vm.Null {
			name = p.text(c.Key, v, 60)
			if suffix = ""; c.Key.IsSmallInt() || v.IsStrOrBytes(c.Key) {
				suffix = "[" + name + "]"
			}
		} else if t := v.TypeOf(h.value); t == vm.TypeSet || t == vm.TypeFrozenSet || t == vm.TypeDeque {
			suffix = ""
		}
		list = append(list, p.variable(name, below(suffix), c.Value, v))
	}
	return list
}

// hidden is what is no attribute but good to see: the frame of a generator, where a
// function is defined.
func (p *snapshot) hidden(h handle) (list []Variable) {
	if f, ok := h.v.GeneratorFrame(h.value); ok {
		at := p.s.sources.of(h.v, f.Code())
		where := h.v.File(f.Code())
		if at.source != nil {
			where = at.source.Device
		}
		list = append(list, Variable{Name: "(waits at)", Value: fmt.Sprintf("%s:%d, in %s", where, f.Line(), h.v.Name(f.Code()))})
		if at.function != nil {
			for _, n := range slices.Sorted(maps.Keys(at.function.locals)) {
				if name, v := at.function.locals[n], f.Local(n); name != "" && v != vm.Null {
					list = append(list, p.variable("("+name+")", "", v, h.v))
				}
			}
		}
	}
	if c, ok := h.v.CodeOf(h.value); ok {
		at := p.s.sources.of(h.v, c)
		where := h.v.File(c)
		if at.source != nil {
			where = at.source.Device
			if at.function != nil {
				where += ":" + strconv.Itoa(at.function.first)
			}
		}
		list = append(list, Variable{Name: "(defined in)", Value: where})
	}
	return list
}

// memory are the figures of the program's memory.
func (p *snapshot) memory() []Variable {
	number := func(name string, n int) Variable { return Variable{Name: name, Value: strconv.Itoa(n), Type: "int"} }
	h := p.v.Heap()
	return []Variable{
		number("gc.mem_free()", int(h.MemFree())), number("gc.mem_alloc()", int(h.MemAlloc())),
		number("micropython.stack_use()", p.v.StackUse()), number("collections", int(h.NumCollections())),
		number("allocations", int(h.Allocations())),
	}
}

// ExceptionText is the exception of a stop, its class and the traceback it would
// have.
func (s *Session) ExceptionText() (text, class, details string, uncaught bool, err error) {
	err = s.look(func(p *snapshot) error {
		if p.stop.Exception == vm.Null {
			return fmt.Errorf("the program did not stop for an exception")
		}
		text, _ = p.v.Repr(p.stop.Exception, vm.PrintStr, 1000, true)
		class = p.v.QstrString(p.v.TypeNameOf(p.stop.Exception))
		uncaught = p.stop.Uncaught
		for i, f := range slices.Backward(p.frames) {
			file := p.v.File(f.Code())
			if src := p.places[i].source; src != nil {
				file = src.Device
			}
			details += fmt.Sprintf("  File \"%s\", line %d, in %s\n", file, f.Line(), p.v.Name(f.Code()))
		}
		details = "Traceback (most recent call last):\n" + details + class + ": " + text
		return nil
	})
	return text, class, details, uncaught, err
}

// whereIs finds where a variable lives: a part of what ref opens to, or, with ref 0,
// a name in a frame, or an attribute or item of an expression.
func (p *snapshot) whereIs(ref, frame int, name string) (w where, err error) {
	if ref == 0 {
		return p.nameIn(frame, name)
	}
	h, err := p.handle(ref)
	if err != nil {
		return w, err
	}
	switch h.kind {
	case localsHandle, closureHandle:
		return p.nameIn(h.frame, name)
	case dictHandle:
		return where{kind: dictPlace, owner: h.value, key: name}, nil
	case memoryHandle:
		return w, fmt.Errorf("%s is no variable", name)
	}
	return p.partOf(h.v, h.value, name)
}

// nameIn finds a name as the code of a frame does.
func (p *snapshot) nameIn(frame int, name string) (w where, err error) {
	f, err := p.frame(frame)
	if err != nil {
		return w, err
	}
	for _, l := range append(p.locals(frame, false), p.locals(frame, true)...) {
		if l.name == name {
			return where{kind: localPlace, serial: f.Serial(), gen: f.Generator(), index: l.index}, nil
		}
	}
	if q := p.v.FindQstr([]byte(name)); q != 0 {
		if d := p.class(frame); d != vm.Null && p.v.DictGet(d, q.Value()) != vm.Null {
			return where{kind: dictPlace, owner: d, key: name}, nil
		}
		if p.v.DictGet(f.Globals(), q.Value()) != vm.Null {
			return where{kind: dictPlace, owner: f.Globals(), key: name}, nil
		}
	}
	base, last, ok := splitPath(name)
	if !ok {
		return w, fmt.Errorf("there is no variable %s here", name)
	}
	v, err := p.existing(frame, base)
	if err != nil {
		return w, err
	}
	if last[0] == '[' {
		return p.partOf(p.v, v, last)
	}
	return p.partOf(p.v, v, last[1:])
}

// partOf finds an attribute or item of an object.
func (p *snapshot) partOf(v *vm.VM, of vm.Value, name string) (w where, err error) {
	if v != p.v {
		return w, fmt.Errorf("%s belongs to the result of an expression, not to the program", name)
	}
	if !v.IsWritable(of) {
		return w, fmt.Errorf("%s is part of what is built into the firmware, and does not change", name)
	}
	switch v.TypeOf(of) {
	case vm.TypeModule, vm.TypeType:
		return where{kind: memberPlace, owner: of, key: name}, nil
	}
	for _, c := range v.Attributes(of) {
		if c.Name == name {
			return where{kind: memberPlace, owner: of, key: name}, nil
		}
	}
	n, _ := v.NumItems(of)
	for i, c := range v.Items(of, 0, n) {
		if c.Key == vm.Null && c.Name == name {
			return where{kind: itemPlace, owner: of, index: i}, nil
		}
		if c.Key != vm.Null {
			if text := p.text(c.Key, v, 60); text == name || "["+text+"]" == name {
				return where{kind: keyPlace, owner: of, index: int(c.Key)}, nil
			}
		}
	}
	return w, fmt.Errorf("it has no %s", name)
}
