package pylib

import (
	"bytes"

	"github.com/skep-sim/skep/internal/vm"
)

// This file is module ure. A compiled expression is [type, bytes of code, number
// of instructions, number of groups, code ...], a match [type, number of groups,
// text, then start and end of each group]; starts and ends are tagged as small
// ints, where C has addresses.

const (
	reHeader    = 16
	reGroups    = 3
	matchHeader = 12
	reDebug     = 0x1000
)

// regex is the types of one firmware.
type regex struct{ re, match *vm.Type }

// Regex declares module ure, if the options have it.
func Regex(fw *vm.Firmware) {
	o := &fw.Options
	if !o.Regex {
		return
	}
	x := &regex{}
	x.match = fw.NewType("match", &vm.Type{Print: func(v *vm.VM, p *vm.Printer, self vm.Value, kind vm.PrintKind) {
		p.Printf("<match num=%d>", int(v.Mem[self/4+1]))
	}})
	fw.Method(x.match, "group", fw.Func2("group", x.group))
	if o.RegexGroups {
		fw.Method(x.match, "groups", fw.Func1("groups", x.groups))
	}
	if o.RegexSpan {
		fw.Method(x.match, "span", fw.FuncV("span", 1, 2, func(v *vm.VM, args []vm.Value) vm.Value {
			s, e := x.span(v, args)
			return v.NewTuple(s, e)
		}))
		fw.Method(x.match, "start", fw.FuncV("start", 1, 2, func(v *vm.VM, args []vm.Value) vm.Value {
			s, _ := x.span(v, args)
			return s
		}))
		fw.Method(x.match, "end", fw.FuncV("end", 1, 2, func(v *vm.VM, args []vm.Value) vm.Value {
			_, e := x.span(v, args)
			return e
		}))
	}
	x.re = fw.NewType("ure", &vm.Type{Print: func(v *vm.VM, p *vm.Printer, self vm.Value, kind vm.PrintKind) {
		p.Printf("<re %p>", self)
	}})
	method := func(anchored bool) vm.FnV {
		return func(v *vm.VM, args []vm.Value) vm.Value { return x.exec(v, args[0], args[1], anchored) }
	}
	function := func(anchored bool) vm.FnV {
		return func(v *vm.VM, args []vm.Value) vm.Value {
			return x.exec(v, x.compile(v, args[:1]), args[1], anchored)
		}
	}
	fw.Method(x.re, "match", fw.FuncV("match", 2, 4, method(true)))
	fw.Method(x.re, "search", fw.FuncV("search", 2, 4, method(false)))
	fw.Method(x.re, "split", fw.FuncV("split", 2, 3, x.split))
	m := fw.Module("ure")
	m.Add("compile", fw.FuncV("compile", 1, 2, x.compile))
	m.Add("match", fw.FuncV("match", 2, 4, function(true)))
	m.Add("search", fw.FuncV("search", 2, 4, function(false)))
	if o.RegexSub {
		fw.Method(x.re, "sub", fw.FuncV("sub", 3, 5, func(v *vm.VM, args []vm.Value) vm.Value {
			return x.sub(v, args[0], args)
		}))
		m.Add("sub", fw.FuncV("sub", 3, 5, func(v *vm.VM, args []vm.Value) vm.Value {
			return x.sub(v, x.compile(v, args[:1]), args)
		}))
	}
	if o.RegexDebug {
		m.Int("DEBUG", reDebug)
	}
	weakLink(fw, "re", m)
}

// cString cuts b at a NUL.
func cString(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}

func (x *regex) compile(v *vm.VM, args []vm.Value) vm.Value {
	p, size, ok := compileRegex(cString(v.StrArg(args[0])), v.Options().V12)
	o := uint32(0)
	if size >= 0 {
		o = v.Alloc(reHeader + uint32(size))
	}
	flags := 0
	if len(args) > 1 && size >= 0 && v.Options().RegexDebug {
		flags = v.Int(args[1])
	}
	if !ok {
		v.RaiseMsg(vm.TypeValueError, "Error in regex")
	}
	v.Mem[o/4], v.Mem[o/4+1] = x.re.Value(), vm.Value(len(p.code))
	v.Mem[o/4+2], v.Mem[o/4+reGroups] = vm.Value(p.len), vm.Value(p.subs)
	copy(v.Bytes[o+reHeader:], p.code)
	if flags&reDebug != 0 {
		dumpRegex(v.Stdout(), p)
	}
	return vm.Value(o)
}

// matcher prepares matching a text with an expression.
func (x *regex) matcher(v *vm.VM, re, text vm.Value) matcher {
	if v.TypeOf(re) != x.re.Value() {
		v.RaiseMsg(vm.TypeTypeError, "argument has wrong type")
	}
	at := uint32(re) + reHeader
	cost := reFramePC
	if v.Options().ARM {
		cost = reFrameARM
	}
	return matcher{
		v: v, text: v.StrArg(text), code: v.Bytes[at : at+uint32(v.Mem[re/4+1])],
		caps: make([]int, 2*(int(v.Mem[re/4+reGroups])+1)), cost: cost,
	}
}

// fillMatch writes a match object.
func (x *regex) fillMatch(v *vm.VM, o uint32, text vm.Value, caps []int) {
	v.Mem[o/4], v.Mem[o/4+1], v.Mem[o/4+2] = x.match.Value(), vm.Value(len(caps)/2), text
	for i, c := range caps {
		v.Mem[int(o/4)+3+i] = vm.Null
		if c >= 0 {
			v.Mem[int(o/4)+3+i] = vm.SmallInt(c)
		}
	}
}

func (x *regex) exec(v *vm.VM, re, text vm.Value, anchored bool) vm.Value {
	m := x.matcher(v, re, text)
	o := v.Alloc(matchHeader + 4*uint32(len(m.caps)))
	if !m.run(anchored) {
		v.Free(o)
		return vm.None
	}
	x.fillMatch(v, o, text, m.caps)
	return vm.Value(o)
}

// bounds returns start and end of a group; ok is false if it did not match.
func (x *regex) bounds(v *vm.VM, m, no vm.Value) (s, e int, ok bool) {
	if v.TypeOf(m) != x.match.Value() {
		v.RaiseMsg(vm.TypeTypeError, "argument has wrong type")
	}
	i := v.Int(no)
	if i < 0 || i >= int(v.Mem[m/4+1]) {
		v.RaiseArg(vm.TypeIndexError, no)
	}
	w := int(m/4) + 3 + 2*i
	if v.Mem[w] == vm.Null {
		return 0, 0, false
	}
	if v.Mem[w+1] == vm.Null { // opened, but never closed
		return 0, 0, false
	}
	return v.Mem[w].SmallInt(), v.Mem[w+1].SmallInt(), true
}

func (x *regex) group(v *vm.VM, m, no vm.Value) vm.Value {
	s, e, ok := x.bounds(v, m, no)
	if !ok {
		return vm.None
	}
	text := v.Mem[m/4+2]
	return v.NewStrOf(v.TypeOf(text), v.StrBytes(text)[s:max(s, e)])
}

func (x *regex) groups(v *vm.VM, m vm.Value) vm.Value {
	x.bounds(v, m, vm.SmallInt(0))
	n := int(v.Mem[m/4+1])
	if n <= 1 {
		return vm.EmptyTuple
	}
	t := v.NewTupleLen(n - 1)
	for i := 1; i < n; i++ {
		v.TupleItems(t)[i-1] = x.group(v, m, vm.SmallInt(i))
	}
	return t
}

func (x *regex) span(v *vm.VM, args []vm.Value) (s, e vm.Value) {
	no := vm.SmallInt(0)
	if len(args) == 2 {
		no = args[1]
	}
	if a, b, ok := x.bounds(v, args[0], no); ok {
		return vm.SmallInt(a), vm.SmallInt(b)
	}
	return vm.SmallInt(-1), vm.SmallInt(-1)
}

func (x *regex) split(v *vm.VM, args []vm.Value) vm.Value {
	m := x.matcher(v, args[0], args[1])
	typ := v.TypeOf(args[1])
	limit := 0
	if len(args) > 2 {
		limit = v.Int(args[2])
	}
	list := v.NewList()
	v.Alloca(4 * uint32(len(m.caps)))
	mark := v.Mark()
	add := func(part []byte) {
		v.ListAppend(list, v.NewStrOf(typ, part))
		v.Release(mark)
	}
	for m.run(false) && m.caps[0] != m.caps[1] {
		add(m.text[m.from:m.caps[0]])
		if len(m.caps) > 2 {
			v.RaiseMsg(vm.TypeNotImplementedError, "Splitting with sub-captures")
		}
		m.from = m.caps[1]
		if limit > 0 {
			if limit--; limit == 0 {
				break
			}
		}
	}
	add(m.text[m.from:])
	return list
}

// sub is sub(expression, replacement, text, count).
func (x *regex) sub(v *vm.VM, re vm.Value, args []vm.Value) vm.Value {
	replace, where := args[1], args[2]
	count := 0
	if len(args) > 3 {
		count = v.Int(args[3])
	}
	m := x.matcher(v, re, where)
	callable := v.IsCallable(replace)
	size := matchHeader + 4*uint32(len(m.caps))
	var obj uint32
	if callable {
		obj = v.Alloc(size)
	} else {
		v.Alloca(size)
	}
	var out *vm.Vstr
	mark := v.Mark()
	for m.run(false) && m.caps[0] != m.caps[1] {
		if out == nil {
			out = v.NewVstr(uint32(m.caps[0] - m.from))
		}
		out.Write(m.text[m.from:m.caps[0]])
		with := replace
		if callable {
			x.fillMatch(v, obj, where, m.caps)
			with = v.Call1(replace, vm.Value(obj))
		}
		x.expand(v, out, cString(v.StrArg(with)), &m)
		v.Release(mark)
		out.Keep()
		m.from = m.caps[1]
		if count > 0 {
			if count--; count == 0 {
				break
			}
		}
	}
	if out == nil {
		return where
	}
	out.Write(m.text[m.from:])
	return out.Object(v.TypeOf(where))
}

// expand appends a replacement with its \1 and \g<1> filled in. A backslash that
// is followed by anything else is dropped.
func (x *regex) expand(v *vm.VM, out *vm.Vstr, repl []byte, m *matcher) {
	for i := 0; i < len(repl); {
		if repl[i] != '\\' {
			out.WriteByte(repl[i])
			i++
			continue
		}
		i++
		long := cAt(repl, i) == 'g' && cAt(repl, i+1) == '<'
		if long {
			i += 2
		}
		if !isDigit(cAt(repl, i)) {
			continue
		}
		no := uint32(0)
		for ; isDigit(cAt(repl, i)); i++ {
			no = no*10 + uint32(repl[i]-'0')
		}
		if long && cAt(repl, i) == '>' {
			i++
		}
		if no >= uint32(len(m.caps)/2) {
			v.RaiseArg(vm.TypeIndexError, v.NewUint(uint64(no)))
		}
		if s, e := m.caps[2*no], m.caps[2*no+1]; s >= 0 && e >= s {
			out.Write(m.text[s:e])
		}
	}
}

// dumpRegex prints the code of an expression.
func dumpRegex(p *vm.Printer, prog reProg) {
	code := prog.code
	jump := func(pc int) (int, int) { return pc + 1 + int(int8(code[pc])), int(int8(code[pc])) }
	for pc := 0; pc < len(code); {
		if pc < 10 {
			p.String(" ")
		}
		p.Printf("%d: ", pc)
		op := code[pc]
		pc++
		switch op {
		case reSplit, reRSplit, reJmp:
			name := map[byte]string{reSplit: "split", reRSplit: "rsplit", reJmp: "jmp"}[op]
			to, off := jump(pc)
			p.Printf("%s %d (%d)\n", name, to, off)
			pc++
		case reChar:
			p.Printf("char %c\n", code[pc])
			pc++
		case reAny:
			p.String("any\n")
		case reClass, reClassNot:
			not := ""
			if op == reClassNot {
				not = "not"
			}
			n := int(code[pc])
			p.Printf("class%s %d", not, n)
			pc++
			for ; n > 0; n-- {
				p.String(" 0x" + hexByte(code[pc]) + "-0x" + hexByte(code[pc+1]))
				pc += 2
			}
			p.String("\n")
		case reNamedClass:
			p.Printf("namedclass %c\n", code[pc])
			pc++
		case reMatch:
			p.String("match\n")
		case reSave:
			p.Printf("save %d\n", int(code[pc]))
			pc++
		case reBol:
			p.String("assert bol\n")
		case reEol:
			p.String("assert eol\n")
		}
	}
	p.Printf("Bytes: %d, insts: %d\n", len(code), prog.len)
}

func hexByte(c byte) string { return string([]byte{hexDigits[c>>4], hexDigits[c&15]}) }
