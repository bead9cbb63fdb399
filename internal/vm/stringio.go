package vm

// This file is StringIO and BytesIO: [type, address of the buffer's head,
// position, object whose data the buffer shares]. The head is a vstr: room,
// length, address of the bytes, and whether they are somebody else's.

const (
	ioHead = 1
	ioPos  = 2
	ioRef  = 3

	headRoom  = 0
	headLen   = 1
	headBuf   = 2
	headFixed = 3
)

// ioOpen returns the word index of the buffer's head, or raises ValueError if
// the stream was closed.
func (vm *VM) ioOpen(o Value) uint32 {
	h := uint32(vm.Mem[o/4+ioHead])
	if h == 0 {
		vm.RaiseMsg(TypeValueError, "I/O operation on closed file")
	}
	return h / 4
}

func ioPrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	name := "BytesIO"
	if vm.Mem[self/4] == TypeStringIO {
		name = "StringIO"
	}
	p.Printf("<io."+name+" 0x%x>", uint32(self))
}

func ioContent(vm *VM, o Value) []byte {
	h := vm.ioOpen(o)
	return vm.dataBytes(uint32(vm.Mem[h+headBuf]), uint32(vm.Mem[h+headLen]))
}

func ioRead(vm *VM, o Value, b []byte) (int, Errno) {
	content, pos := ioContent(vm, o), uint32(vm.Mem[o/4+ioPos])
	if uint32(len(content)) <= pos {
		return 0, 0
	}
	n := copy(b, content[pos:])
	vm.Mem[o/4+ioPos] += Value(n)
	return n, 0
}

func ioWrite(vm *VM, o Value, b []byte) (int, Errno) {
	h := vm.ioOpen(o)
	if vm.Mem[h+headFixed] != 0 {
		old := vm.dataBytes(uint32(vm.Mem[h+headBuf]), uint32(vm.Mem[h+headLen]))
		p := vm.Alloc(uint32(len(old)))
		copy(vm.Bytes[p:], old)
		vm.Mem[h+headBuf], vm.Mem[h+headFixed], vm.Mem[o/4+ioRef] = Value(p), 0, Null
	}
	pos := uint32(vm.Mem[o/4+ioPos])
	end := pos + uint32(len(b))
	if end < pos {
		return 0, errFileBig
	}
	n, room := uint32(vm.Mem[h+headLen]), uint32(vm.Mem[h+headRoom])
	if end > room {
		v := Vstr{vm: vm, buf: uint32(vm.Mem[h+headBuf]), len: room, alloc: room}
		v.Grow(end - room)
		vm.Mem[h+headBuf], vm.Mem[h+headRoom] = Value(v.buf), Value(v.alloc)
		vm.Mem[h+headLen] = Value(end)
	}
	buf := uint32(vm.Mem[h+headBuf])
	if pos > n { // a hole left by seeking
		clear(vm.Bytes[buf+n : buf+pos])
	}
	copy(vm.Bytes[buf+pos:], b)
	vm.Mem[o/4+ioPos] = Value(end)
	if end > uint32(vm.Mem[h+headLen]) {
		vm.Mem[h+headLen] = Value(end)
	}
	return len(b), 0
}

func ioSeek(vm *VM, o Value, offset, whence int) (int, Errno) {
	ref := uint32(0)
	switch whence { // only the end has to do with the buffer, which may be closed
	case 1:
		ref = uint32(vm.Mem[o/4+ioPos])
	case 2:
		ref = uint32(vm.Mem[vm.ioOpen(o)+headLen])
	}
	pos := ref + uint32(offset)
	if whence != 0 && offset < 0 {
		if pos > ref {
			pos = 0
		}
	} else if pos < ref {
		return 0, errInval
	}
	vm.Mem[o/4+ioPos] = Value(pos)
	return int(pos), 0
}

func ioClose(vm *VM, o Value) Errno {
	h := uint32(vm.Mem[o/4+ioHead])
	if h == 0 {
		return 0
	}
	if vm.Mem[h/4+headFixed] == 0 {
		vm.Free(uint32(vm.Mem[h/4+headBuf]))
	}
	if vm.opt.CPythonCompat {
		vm.Free(h)
		vm.Mem[o/4+ioHead] = 0
		return 0
	}
	vm.Mem[h/4+headBuf], vm.Mem[h/4+headRoom], vm.Mem[h/4+headLen], vm.Mem[o/4+ioPos] = 0, 0, 0, 0
	return 0
}

func ioGetValue(vm *VM, o Value) Value {
	t := vm.TypeOf(o)
	if t != TypeStringIO && t != TypeBytesIO {
		vm.checkSelf()
	}
	content := ioContent(vm, o)
	if t == TypeStringIO {
		return vm.NewStr(content)
	}
	return vm.NewBytes(content)
}

// ioNewHead makes the head of a buffer with room for n bytes.
func (vm *VM) ioNewHead(n uint32) uint32 {
	h := vm.Alloc(16)
	v := vm.makeVstr(n)
	vm.Mem[h/4+headRoom], vm.Mem[h/4+headLen], vm.Mem[h/4+headBuf] = Value(v.alloc), 0, Value(v.buf)
	return h
}

func ioNew(vm *VM, typ Value, args, kw []Value) Value {
	o := vm.Alloc(16)
	vm.Mem[o/4] = typ
	if len(args) == 0 {
		vm.Mem[o/4+ioHead] = Value(vm.ioNewHead(16))
		return Value(o)
	}
	if vm.IsInt(args[0]) {
		vm.Mem[o/4+ioHead] = Value(vm.ioNewHead(uint32(vm.Int(args[0]))))
		return Value(o)
	}
	b := vm.Buffer(args[0], false)
	if vm.IsStrOrBytes(args[0]) {
		h := vm.Alloc(16)
		addr, n := vm.strPointer(args[0])
		vm.Mem[h/4+headRoom], vm.Mem[h/4+headLen] = Value(n), Value(n)
		vm.Mem[h/4+headBuf], vm.Mem[h/4+headFixed] = Value(addr), 1
		vm.Mem[o/4+ioHead], vm.Mem[o/4+ioRef] = Value(h), args[0]
		return Value(o)
	}
	vm.Mem[o/4+ioHead] = Value(vm.ioNewHead(uint32(len(b))))
	ioWrite(vm, Value(o), b)
	vm.Mem[o/4+ioPos] = 0
	return Value(o)
}

func (fw *Firmware) initStringIO() {
	fw.initStreams()
	for _, typ := range [...]Value{TypeStringIO, TypeBytesIO} {
		name, text := "StringIO", true
		if typ == TypeBytesIO {
			name, text = "BytesIO", false
		}
		t := fw.define(typ, &Type{
			Name: fw.Q(name), Flags: FlagOwnIter, Print: ioPrint, New: ioNew,
			Stream: &Stream{
				Read: ioRead, Write: ioWrite, Seek: ioSeek, Close: ioClose,
				Flush: func(vm *VM, self Value) Errno { return 0 },
				Text:  func(vm *VM, self Value) bool { return text },
			},
		})
		fw.AddStreamMethods(t, "read", "readinto", "readline", "write", "seek", "flush", "close")
		fw.Method(t, "getvalue", fw.Func1("getvalue", ioGetValue))
		fw.AddStreamMethods(t, "__enter__", "__exit__")
	}
}
