package vm

import "bytes"

// This file is str.format().

// formatter is one call of format().
type formatter struct {
	vm       *VM
	args, kw []Value
	auto     int // number of automatic fields so far, -1: fields are numbered
}

func strFormat(vm *VM, args, kw []Value) Value {
	self := vm.strSelf(args[0])
	f := formatter{vm: vm, args: args[1:], kw: kw}
	out := f.format(self)
	return out.finish(vm.TypeOf(args[0]))
}

// fail raises the ValueError of a bad format string.
func (f *formatter) fail(msg string) {
	if f.vm.terse() {
		msg = "bad format string"
	}
	f.vm.RaiseMsg(TypeValueError, msg)
}

// at returns the byte at i, or 0 behind the end, where C has a NUL.
func at(s []byte, i int) byte {
	if i < len(s) {
		return s[i]
	}
	return 0
}

// format fills in the fields of s.
func (f *formatter) format(s []byte) *strBuf {
	out := f.vm.takeBuf(16)
	mark := f.vm.Mark()
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '}':
			if i++; at(s, i) != '}' {
				f.fail("single '}' encountered in format string")
			}
			out.WriteByte('}')
		case c != '{':
			out.WriteByte(c)
		case at(s, i+1) == '{':
			i++
			out.WriteByte('{')
		default:
			i = f.field(out, s, i+1)
			f.vm.Release(mark, Value(out.buf))
		}
	}
	return out
}

// field formats the replacement field that begins at s[i], behind its brace. It
// returns the index of the closing brace.
func (f *formatter) field(out *strBuf, s []byte, i int) int {
	nameEnd := i
	for nameEnd < len(s) && bytes.IndexByte(unsafeBytes("}!:"), s[nameEnd]) < 0 {
		nameEnd++
	}
	name := s[i:nameEnd]
	i = nameEnd
	var conv byte
	if at(s, i) == '!' {
		i++
		if conv = at(s, i); i >= len(s) || conv != 'r' && conv != 's' {
			f.badConversion(s, i)
		}
		i++
	}
	var spec []byte
	hasSpec := false
	if at(s, i) == ':' {
		i++
		// {:} is the same as {}
		if at(s, i) != '}' {
			hasSpec = true
			start := i
			i += fieldEnd(s[i:])
			spec = s[start:i]
		}
	}
	if i >= len(s) {
		f.fail("unmatched '{' in format")
	}
	if s[i] != '}' {
		f.fail("expected ':' after format specifier")
	}
	arg := f.argument(name)
	f.vm.Keep(arg)
	if !hasSpec && conv == 0 {
		conv = 's'
	}
	switch conv {
	case 's':
		arg = f.vm.toStr(arg, PrintStr)
	case 'r':
		arg = f.vm.toStr(arg, PrintRepr)
	}
	layout := fieldLayout{width: -1, prec: -1}
	if hasSpec {
		layout = f.parseSpec(spec)
	}
	f.put(out, arg, layout)
	return i
}

// fieldEnd returns the offset of the brace that closes a format specifier in
// which fields may be nested, or len(s).
func fieldEnd(s []byte) int {
	nest := 1
	for i, c := range s {
		switch c {
		case '{':
			nest++
		case '}':
			if nest--; nest == 0 {
				return i
			}
		}
	}
	return len(s)
}

func (f *formatter) badConversion(s []byte, i int) {
	vm := f.vm
	switch {
	case vm.terse():
		f.fail("")
	case !vm.detailed():
		f.fail("bad conversion specifier")
	case i >= len(s):
		f.fail("end of format while looking for conversion specifier")
	}
	vm.Raisef(TypeValueError, "unknown conversion specifier %c", s[i])
}

// argument finds the value of a field.
func (f *formatter) argument(name []byte) Value {
	vm := f.vm
	if len(name) == 0 {
		if f.auto < 0 {
			f.fail("can't switch from manual field specification to automatic field numbering")
		}
		f.auto++
		return f.positional(f.auto - 1)
	}
	var v Value
	rest := 0
	if isDigit(name[0]) {
		if f.auto > 0 {
			f.fail("can't switch from automatic field numbering to manual field specification")
		}
		var index int
		rest = parseDigits(name, 0, &index)
		v = f.positional(index)
		f.auto = -1
	} else {
		for rest < len(name) && name[rest] != '.' && name[rest] != '[' {
			rest++
		}
		key := vm.Intern(string(name[:rest])).Value()
		if v = kwLookup(f.kw, key.Qstr()); v == Null {
			vm.RaiseArg(TypeKeyError, key)
		}
	}
	if rest < len(name) {
		vm.RaiseMsg(TypeNotImplementedError, "attributes not supported yet")
	}
	return v
}

func (f *formatter) positional(i int) Value {
	if uint32(i) >= uint32(len(f.args)) {
		f.vm.RaiseMsg(TypeIndexError, "tuple index out of range")
	}
	return f.args[i]
}

// parseDigits reads an unsigned decimal number at s[i] into *n, which is left
// alone where there is none. It wraps around at 32 bits.
func parseDigits(s []byte, i int, n *int) int {
	if !isDigit(at(s, i)) {
		return i
	}
	v := int32(0)
	for ; isDigit(at(s, i)); i++ {
		v = v*10 + int32(s[i]-'0')
	}
	*n = int(v)
	return i
}

// fieldLayout is a parsed format specifier.
type fieldLayout struct {
	fill, align, typ byte
	flags            PrintFlags
	width, prec      int
}

func isAlign(c byte) bool { return c == '<' || c == '>' || c == '=' || c == '^' }

// parseSpec reads
//
//	[[fill]align][sign][#][0][width][,][.precision][type]
//
// in which fields are filled in first.
func (f *formatter) parseSpec(spec []byte) fieldLayout {
	leave := f.vm.enterNative()
	buf := f.format(spec)
	f.vm.cstack = leave
	if buf.len == buf.alloc { // room for C's NUL
		buf.alloc++
		buf.buf = f.vm.Realloc(buf.buf, buf.alloc)
	}
	s := buf.Bytes()
	l := fieldLayout{width: -1, prec: -1}
	i := 0
	switch {
	case isAlign(at(s, 0)):
		l.align = s[0]
		i = 1
	case at(s, 0) != 0 && isAlign(at(s, 1)):
		l.fill, l.align = s[0], s[1]
		i = 2
	}
	switch at(s, i) {
	case '+':
		l.flags |= PrintSign
		i++
	case ' ':
		l.flags |= PrintSpaceSign
		i++
	case '-':
		i++
	}
	if at(s, i) == '#' {
		l.flags |= PrintPrefix
		i++
	}
	if at(s, i) == '0' {
		if l.align == 0 {
			l.align = '='
		}
		if l.fill == 0 {
			l.fill = '0'
		}
	}
	i = parseDigits(s, i, &l.width)
	if at(s, i) == ',' {
		l.flags |= PrintComma
		i++
	}
	if at(s, i) == '.' {
		i = parseDigits(s, i+1, &l.prec)
	}
	if c := at(s, i); c != 0 && bytes.IndexByte(unsafeBytes("bcdeEfFgGnosxX%"), c) >= 0 {
		l.typ = c
		i++
	}
	if at(s, i) != 0 {
		f.fail("invalid format specifier")
	}
	buf.Free()
	f.vm.giveBuf(buf)
	return l
}

// isIntLike reports whether v is an int or a bool.
func (vm *VM) isIntLike(v Value) bool { return vm.IsInt(v) || v == True || v == False }

// put prints a value as its field says.
func (f *formatter) put(out *strBuf, arg Value, l fieldLayout) {
	vm := f.vm
	integer := vm.isIntLike(arg)
	numeric := integer || vm.TypeOf(arg) == TypeFloat
	if l.align == 0 {
		l.align = '<'
		if numeric {
			l.align = '>'
		}
	}
	if l.fill == 0 {
		l.fill = ' '
	}
	if l.flags&(PrintSign|PrintSpaceSign) != 0 {
		switch l.typ {
		case 's':
			f.fail("sign not allowed in string format specifier")
		case 'c':
			f.fail("sign not allowed with integer format specifier 'c'")
		}
	}
	switch l.align {
	case '<':
		l.flags |= PrintLeft
	case '=':
		l.flags |= PrintPadAfterSign
	case '^':
		l.flags |= PrintCenter
	}
	p := &out.p
	switch {
	case integer && f.putInt(p, arg, l):
	case numeric:
		f.putFloat(p, arg, l)
	default:
		f.putText(p, arg, l)
	}
}

func (f *formatter) unknownCode(arg Value, l fieldLayout) {
	if f.vm.terse() {
		f.fail("")
	}
	f.vm.Raisef(TypeValueError, "unknown format code '%c' for object of type '%s'", l.typ, f.vm.TypeNameOf(arg))
}

// putInt prints an integer; it reports false for the formats of floats.
func (f *formatter) putInt(p *Printer, arg Value, l fieldLayout) bool {
	switch l.typ {
	case 'b':
		p.PrintInt(arg, 2, 'a', l.flags, l.fill, l.width, 0)
	case 'c':
		p.paddedByte(byte(f.vm.Int(arg)), l.flags, l.fill, l.width)
	case 0, 'n', 'd':
		p.PrintInt(arg, 10, 'a', l.flags, l.fill, l.width, 0)
	case 'o':
		if l.flags&PrintPrefix != 0 {
			l.flags |= PrintOctalLetter
		}
		p.PrintInt(arg, 8, 'a', l.flags, l.fill, l.width, 0)
	case 'x', 'X':
		p.PrintInt(arg, 16, l.typ-('X'-'A'), l.flags, l.fill, l.width, 0)
	case 'e', 'E', 'f', 'F', 'g', 'G', '%':
		return false
	default:
		f.unknownCode(arg, l)
	}
	return true
}

func (f *formatter) putFloat(p *Printer, arg Value, l fieldLayout) {
	switch l.typ {
	case 0, 'n':
		l.typ = 'g'
		fallthrough
	case 'e', 'E', 'f', 'F', 'g', 'G':
		p.PrintFloat(f.vm.Float(arg), l.typ, l.flags, l.fill, l.width, l.prec)
	case '%':
		p.PrintFloat(f.vm.Float(arg)*100, 'f', l.flags|PrintPercent, l.fill, l.width, l.prec)
	default:
		f.unknownCode(arg, l)
	}
}

func (f *formatter) putText(p *Printer, arg Value, l fieldLayout) {
	if l.align == '=' {
		f.fail("'=' alignment not allowed in string format specifier")
	}
	if l.typ != 0 && l.typ != 's' {
		f.unknownCode(arg, l)
	}
	b := f.vm.StrArg(arg)
	if l.prec >= 0 && len(b) > l.prec {
		b = b[:l.prec]
	}
	p.Padded(b, l.flags, l.fill, l.width)
}
