package pylib

import "github.com/skep-sim/skep/internal/vm"

// JSON declares module ujson.
func JSON(fw *vm.Firmware) {
	m := fw.Module("ujson")
	m.Add("dump", fw.Func2("dump", jsonDump))
	m.Add("dumps", fw.Func1("dumps", jsonDumps))
	m.Add("load", fw.Func1("load", jsonLoad))
	m.Add("loads", fw.Func1("loads", jsonLoads))
	weakLink(fw, "json", m)
}

func jsonDump(v *vm.VM, o, stream vm.Value) vm.Value {
	v.StreamPrinter(stream).Value(o, vm.PrintJSON)
	return vm.None
}

func jsonDumps(v *vm.VM, o vm.Value) vm.Value {
	s := v.NewVstr(8)
	s.Printer().Value(o, vm.PrintJSON)
	return s.Object(vm.TypeStr)
}

func jsonLoad(v *vm.VM, stream vm.Value) vm.Value {
	s, o := v.StreamFor(stream, true, false)
	var b [1]byte
	return parseJSON(v, func() byte {
		n, e := s.Read(v, o, b[:])
		if e != 0 {
			v.RaiseOS(e)
		}
		if n <= 0 {
			return 0
		}
		return b[0]
	})
}

// jsonLoads takes str and bytes; in v1.12 anything with bytes in it.
func jsonLoads(v *vm.VM, text vm.Value) vm.Value {
	var b []byte
	if v.Options().V12 {
		b = v.Buffer(text, false)
	} else {
		b = v.StrArg(text)
	}
	return parseJSON(v, func() byte {
		if len(b) == 0 {
			return 0
		}
		c := b[0]
		b = b[1:]
		return c
	})
}

// jsonParser is MicroPython's parser: it takes commas and colons for blanks and
// does not care whether brackets match.
type jsonParser struct {
	v     *vm.VM
	read  func() byte // the next byte, 0 at the end
	cur   byte
	buf   *vm.Vstr
	top   vm.Value // the list or dict being filled
	key   vm.Value // of the next item of a dict, or Null
	stack jsonStack
}

func parseJSON(v *vm.VM, read func() byte) vm.Value {
	p := jsonParser{v: v, read: read, buf: v.NewVstr(8), stack: jsonStack{v: v}}
	p.next()
	mark := v.Mark()
	root := vm.Null
	for p.cur != 0 {
		done := p.item()
		if root == vm.Null {
			root = p.top
		}
		v.Release(mark, root, p.key, vm.Value(p.stack.block))
		p.buf.Keep()
		if done {
			break
		}
	}
	for p.cur == ' ' || p.cur >= '\t' && p.cur <= '\r' {
		p.next()
	}
	if p.cur != 0 || p.top == vm.Null || p.stack.n != 0 {
		p.fail()
	}
	p.buf.Free()
	return p.top
}

func (p *jsonParser) next() byte {
	p.cur = p.read()
	return p.cur
}

func (p *jsonParser) fail() { p.v.RaiseMsg(vm.TypeValueError, "syntax error in JSON") }

// word checks the rest of a word.
func (p *jsonParser) word(rest string, value vm.Value) vm.Value {
	for i := range len(rest) {
		if p.cur != rest[i] {
			p.fail()
		}
		p.next()
	}
	return value
}

// item reads one item; it reports true when the outermost object is complete.
func (p *jsonParser) item() (done bool) {
	c := p.cur
	p.next()
	var value vm.Value
	enter := false
	switch c {
	case ',', ':', ' ', '\t', '\n', '\r':
		return false
	case 'n':
		value = p.word("ull", vm.None)
	case 'f':
		value = p.word("alse", vm.False)
	case 't':
		value = p.word("rue", vm.True)
	case '"':
		value = p.str()
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		value = p.number(c)
	case '[':
		value, enter = p.v.NewList(), true
	case '{':
		value, enter = p.v.NewDict(0), true
	case '}', ']':
		if p.top == vm.Null {
			p.fail()
		}
		if p.stack.n == 0 {
			return true
		}
		p.top = p.stack.pop()
		return false
	default:
		p.fail()
	}
	if p.top == vm.Null {
		p.top = value
		return !enter
	}
	p.add(value, enter)
	return false
}

// add puts a value into the object being filled; enter makes it the one that is.
func (p *jsonParser) add(value vm.Value, enter bool) {
	switch {
	case p.v.TypeOf(p.top) == vm.TypeList:
		p.v.ListAppend(p.top, value)
	case p.key == vm.Null:
		p.key = value
		if enter {
			p.fail()
		}
	default:
		p.v.DictStore(p.top, p.key, value)
		p.key = vm.Null
	}
	if enter {
		p.stack.push(p.top)
		p.top = value
	}
}

func (p *jsonParser) str() vm.Value {
	p.buf.Truncate(0)
	for ; p.cur != 0 && p.cur != '"'; p.next() {
		c := p.cur
		if c == '\\' {
			c = p.escape()
		}
		p.buf.WriteByte(c)
	}
	if p.cur == 0 {
		p.fail()
	}
	p.next()
	return p.v.NewStr(p.buf.Bytes())
}

// escape reads what follows a backslash. A character beyond one byte is cut.
func (p *jsonParser) escape() byte {
	switch c := p.next(); c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'u':
		num := 0
		for range 4 {
			d := p.next() | 0x20 - '0'
			if d > 9 {
				d -= 'a' - ('9' + 1)
			}
			num = num<<4 | int(d)
		}
		return byte(num)
	default:
		return c
	}
}

func (p *jsonParser) number(c byte) vm.Value {
	p.buf.Truncate(0)
	float := false
	for {
		p.buf.WriteByte(c)
		c = p.cur
		if c == '.' || c == 'E' || c == 'e' {
			float = true
		} else if c != '+' && c != '-' && !isDigit(c) {
			break
		}
		p.next()
	}
	if float {
		return p.v.ParseFloat(p.buf.Bytes())
	}
	return p.v.ParseInt(p.buf.Bytes(), 10)
}

// jsonStack holds the objects around the one being filled, in an array on the
// heap that C leaves to the collector.
type jsonStack struct {
	v        *vm.VM
	block    uint32
	n, alloc uint32
}

func (s *jsonStack) push(o vm.Value) {
	if s.n == s.alloc {
		alloc := max(4, 2*s.alloc)
		s.block = s.v.Realloc(s.block, 4*alloc)
		clear(s.v.Mem[s.block/4+s.n : s.block/4+alloc])
		s.alloc = alloc
	}
	s.v.Mem[s.block/4+s.n] = o
	s.n++
}

func (s *jsonStack) pop() vm.Value {
	s.n--
	return s.v.Mem[s.block/4+s.n]
}
