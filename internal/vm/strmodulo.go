package vm

// This file is the % operator of str and bytes.

// modulo is one formatting.
type modulo struct {
	vm      *VM
	s       []byte
	i       int // index of the next byte of s
	args    []Value
	used    int
	dict    Value // of keyed fields, or Null
	isBytes bool
}

func (vm *VM) strModulo(pattern, arg Value) Value {
	room, back := vm.pass(1)
	room[0] = arg
	m := modulo{
		vm: vm, s: vm.strSelf(pattern), args: room, isBytes: vm.TypeOf(pattern) == TypeBytes,
	}
	switch vm.TypeOf(arg) {
	case TypeTuple:
		m.args = vm.TupleItems(arg)
	case TypeDict:
		m.dict = arg
	}
	out := vm.takeBuf(16)
	mark := vm.Mark()
	for ; m.i < len(m.s); m.i++ {
		if c := m.s[m.i]; c != '%' {
			out.WriteByte(c)
			continue
		}
		if m.i++; at(m.s, m.i) == '%' {
			out.WriteByte('%')
			continue
		}
		m.field(&out.p)
		vm.Release(mark, Value(out.buf))
	}
	if m.used != len(m.args) {
		vm.RaiseMsg(TypeTypeError, "format string didn't convert all arguments")
	}
	vm.nscratch = back
	return out.finish(vm.TypeOf(pattern))
}

func (m *modulo) fail(msg string) {
	if m.vm.terse() {
		msg = "bad format string"
	}
	m.vm.RaiseMsg(TypeValueError, msg)
}

func (m *modulo) next() Value {
	if m.used >= len(m.args) {
		m.vm.RaiseMsg(TypeTypeError, "format string needs more arguments")
	}
	m.used++
	return m.args[m.used-1]
}

// keyed looks up the key of a field like %(key)s.
func (m *modulo) keyed() Value {
	vm := m.vm
	if m.dict == Null {
		vm.RaiseMsg(TypeTypeError, "format needs a dict")
	}
	m.used = 1
	m.i++
	start := m.i
	for at(m.s, m.i) != ')' {
		if m.i >= len(m.s) {
			m.fail("incomplete format key")
		}
		m.i++
	}
	key := vm.Intern(string(m.s[start:m.i])).Value()
	m.i++
	v := vm.DictGet(m.dict, key)
	if v == Null {
		vm.RaiseArg(TypeKeyError, key)
	}
	vm.Keep(v)
	return v
}

// number reads a width or precision: digits, or * for the next argument.
func (m *modulo) number(n *int) {
	if m.s[m.i] == '*' {
		*n = m.vm.Int(m.next())
		m.i++
		return
	}
	m.i = parseDigits(m.s, m.i, n)
}

// field formats the field behind a percent sign and leaves m.i at its letter.
func (m *modulo) field(p *Printer) {
	if m.i >= len(m.s) {
		m.fail("incomplete format")
	}
	arg := Null
	if m.s[m.i] == '(' {
		arg = m.keyed()
	}
	l, alt := m.layout()
	if m.i >= len(m.s) {
		m.fail("incomplete format")
	}
	if arg == Null {
		arg = m.next()
	}
	m.put(p, arg, l, alt)
}

// layout reads what stands between the percent sign and the letter. alt is
// PrintPrefix if # is among it.
func (m *modulo) layout() (l fieldLayout, alt PrintFlags) {
	l = fieldLayout{fill: ' ', prec: -1}
flags:
	for ; m.i < len(m.s); m.i++ {
		switch m.s[m.i] {
		case '-':
			l.flags |= PrintLeft
		case '+':
			l.flags |= PrintSign
		case ' ':
			l.flags |= PrintSpaceSign
		case '#':
			alt = PrintPrefix
		case '0':
			l.flags |= PrintPadAfterSign
			l.fill = '0'
		default:
			break flags
		}
	}
	if m.i < len(m.s) {
		m.number(&l.width)
	}
	if at(m.s, m.i) == '.' {
		if m.i++; m.i < len(m.s) {
			l.prec = 0
			m.number(&l.prec)
		}
	}
	return l, alt
}

// put prints an argument as the letter at m.i says.
func (m *modulo) put(p *Printer, arg Value, l fieldLayout, alt PrintFlags) {
	vm := m.vm
	switch c := m.s[m.i]; c {
	case 'c':
		m.putChar(p, arg, l)
	case 'd', 'i', 'u':
		if vm.TypeOf(arg) == TypeFloat {
			arg = vm.IntFromFloat(vm.Float(arg))
		}
		p.PrintInt(arg, 10, 'a', l.flags, l.fill, l.width, l.prec)
	case 'e', 'E', 'f', 'F', 'g', 'G':
		p.PrintFloat(vm.Float(arg), c, l.flags, l.fill, l.width, l.prec)
	case 'o':
		if alt != 0 {
			l.flags |= PrintPrefix | PrintOctalLetter
		}
		p.PrintInt(arg, 8, 'a', l.flags, l.fill, l.width, l.prec)
	case 'r', 's':
		m.putText(p, arg, c, l)
	case 'x', 'X':
		p.PrintInt(arg, 16, c-('X'-'A'), l.flags|alt, l.fill, l.width, l.prec)
	default:
		if vm.terse() {
			m.fail("")
		}
		vm.Raisef(TypeValueError, "unsupported format character '%c' (0x%x) at index %d", c, int(c), m.i)
	}
}

func (m *modulo) putChar(p *Printer, arg Value, l fieldLayout) {
	vm := m.vm
	switch {
	case vm.IsStr(arg):
		b := vm.StrBytes(arg)
		if len(b) != 1 {
			vm.RaiseMsg(TypeTypeError, "%%c needs int or char")
		}
		p.Padded(b, l.flags, ' ', l.width)
	case vm.isIntLike(arg):
		p.paddedByte(byte(vm.Int(arg)), l.flags, ' ', l.width)
	default:
		vm.RaiseMsg(TypeTypeError, "integer needed")
	}
}

// putText prints the argument into a buffer of its own first.
func (m *modulo) putText(p *Printer, arg Value, c byte, l fieldLayout) {
	vm := m.vm
	kind := PrintStr
	if c == 'r' {
		kind = PrintRepr
	} else if m.isBytes && vm.TypeOf(arg) == TypeBytes {
		kind = PrintRaw
	}
	buf := vm.takeBuf(16)
	buf.p.Value(arg, kind)
	b := buf.Bytes()
	if l.prec >= 0 && len(b) > l.prec {
		b = b[:l.prec]
	}
	p.Padded(b, l.flags, ' ', l.width)
	buf.Free()
	vm.giveBuf(buf)
}
