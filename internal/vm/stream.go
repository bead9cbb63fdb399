package vm

// This file is the methods that all streams share (stream.c). A type becomes a
// stream by its Stream slot, and gets the methods it wants by AddStreamMethods.

// Error numbers that the stream methods themselves know.
const (
	errAgain   Errno = 11
	errInval   Errno = 22
	errFileBig Errno = 27
)

// wouldBlock reports whether an error means that a non-blocking stream has
// nothing to give or take now.
func wouldBlock(e Errno) bool { return e == errAgain }

const readChunk = 256

// StreamOf returns the stream behind an object and the object to pass to it: a
// built-in object, or one whose class derives from a built-in stream. It is nil
// for what is no stream.
func (vm *VM) StreamOf(v Value) (*Stream, Value) {
	t := vm.typeInfoOf(v)
	if t.Stream == nil && vm.isInstance(v) {
		base := vm.nativeBaseOf(v)
		if base == Null {
			return nil, v
		}
		t = vm.TypeInfo(base)
		if t.Stream != nil && !t.Stream.OnInstance {
			v = vm.baseObject(v)
		}
	}
	return t.Stream, v
}

// StreamFor is StreamOf that raises OSError unless the stream can be read, or
// written.
func (vm *VM) StreamFor(v Value, read, write bool) (*Stream, Value) {
	s, o := vm.StreamOf(v)
	if s == nil || read && s.Read == nil || write && s.Write == nil {
		vm.noStream()
	}
	return s, o
}

func (vm *VM) noStream() { vm.RaiseMsg(TypeOSError, "stream operation not supported") }

// content returns the type that reading gives.
func (s *Stream) content(vm *VM, o Value) Value {
	if s.Text != nil && s.Text(vm, o) {
		return TypeStr
	}
	return TypeBytes
}

// transfer reads or writes all of b, or with once what one call does. It returns
// how many bytes were done before an error.
func transfer(vm *VM, f func(vm *VM, self Value, b []byte) (int, Errno), o Value, b []byte, once bool) (int, Errno) {
	done := 0
	for done < len(b) {
		n, e := f(vm, o, b[done:])
		if e != 0 {
			if wouldBlock(e) && done != 0 {
				e = 0
			}
			return done, e
		}
		if n <= 0 {
			break
		}
		done += n
		if once {
			break
		}
	}
	return done, 0
}

// streamError is None for an operation that would block, else raises.
func (vm *VM) streamError(e Errno) Value {
	if wouldBlock(e) {
		return None
	}
	vm.RaiseOS(e)
	return Null
}

func streamReader(once bool) FnV {
	return func(vm *VM, args []Value) Value {
		n := -1
		if len(args) > 1 {
			n = vm.Int(args[1])
		}
		s, o := vm.StreamFor(args[0], true, false)
		if n == -1 {
			return vm.readAll(s, o)
		}
		if n < -1 {
			vm.memoryError(uint32(n + 1))
		}
		v := vm.makeVstr(uint32(n) + 1)
		got, e := transfer(vm, s.Read, o, vm.Bytes[v.buf:v.buf+uint32(n)], once)
		if e != 0 {
			v.Free()
			return vm.streamError(e)
		}
		v.len = uint32(got)
		return v.Object(s.content(vm, o))
	}
}

// readAll reads to the end into a buffer that grows by 256 bytes.
func (vm *VM) readAll(s *Stream, o Value) Value {
	v := vm.makeVstr(readChunk)
	for {
		n, e := s.Read(vm, o, vm.Bytes[v.buf+v.len:v.buf+v.alloc])
		if e != 0 {
			if wouldBlock(e) && v.len != 0 {
				break
			}
			return vm.streamError(e)
		}
		if n <= 0 {
			break
		}
		v.len += uint32(n)
		if v.len == v.alloc {
			v.buf = vm.Realloc(v.buf, v.alloc+readChunk)
			v.alloc += readChunk
		}
	}
	return v.Object(s.content(vm, o))
}

func streamReadInto(vm *VM, args []Value) Value {
	b := vm.Buffer(args[1], true)
	if len(args) > 2 {
		// a negative length is taken for a large one
		if n := vm.Int(args[2]); n >= 0 && n < len(b) {
			b = b[:n]
		}
	}
	s, o := vm.StreamFor(args[0], true, false)
	n, e := transfer(vm, s.Read, o, b, false)
	if e != 0 {
		return vm.streamError(e)
	}
	return SmallInt(n)
}

// readLine reads byte by byte up to and with a line feed. maxLen < 0 is no limit.
func (vm *VM) readLine(self Value, maxLen int) Value {
	s, o := vm.StreamFor(self, true, false)
	room := uint32(16)
	if maxLen != -1 {
		room = uint32(maxLen)
	}
	v := vm.makeVstr(room)
	for maxLen == -1 || maxLen != 0 {
		if maxLen != -1 {
			maxLen--
		}
		v.Grow(1)
		b := vm.Bytes[v.buf+v.len : v.buf+v.len+1]
		n, e := s.Read(vm, o, b)
		if e != 0 {
			if !wouldBlock(e) {
				vm.RaiseOS(e)
			}
			if v.len == 0 {
				v.Free()
				return None
			}
			break
		}
		if n <= 0 {
			break
		}
		v.len++
		if b[0] == '\n' {
			break
		}
	}
	return v.Object(s.content(vm, o))
}

func streamReadLine(vm *VM, args []Value) Value {
	n := -1
	if len(args) > 1 {
		n = int(int32(args[1])) >> 1 // C takes it for a small int
	}
	return vm.readLine(args[0], n)
}

func streamReadLines(vm *VM, self Value) Value {
	list := vm.NewList()
	for mark := vm.Mark(); ; vm.Release(mark) {
		line := vm.readLine(self, -1)
		if !vm.IsTrue(line) {
			return list
		}
		vm.ListAppend(list, line)
	}
}

// StreamNext is the Next slot of streams: the next line.
func StreamNext(vm *VM, self Value) Value {
	if line := vm.readLine(self, -1); vm.IsTrue(line) {
		return line
	}
	return Null
}

// StreamWrite writes b to a stream; the result is what method write returns.
func (vm *VM) StreamWrite(self Value, b []byte, once bool) Value {
	s, o := vm.StreamFor(self, false, true)
	n, e := transfer(vm, s.Write, o, b, once)
	if e != 0 {
		return vm.streamError(e)
	}
	return SmallInt(n)
}

func streamWrite(vm *VM, args []Value) Value {
	b := vm.Buffer(args[1], false)
	n := -1
	if len(args) > 2 {
		n = vm.IntTruncated(args[len(args)-1])
	}
	if len(args) == 4 {
		off := uint32(vm.IntTruncated(args[2]))
		b = b[min(off, uint32(len(b))):]
	}
	if n >= 0 && n < len(b) {
		b = b[:n]
	}
	return vm.StreamWrite(args[0], b, false)
}

func streamWrite1(vm *VM, self, arg Value) Value {
	return vm.StreamWrite(self, vm.Buffer(arg, false), true)
}

func streamSeek(vm *VM, args []Value) Value {
	offset, whence := vm.Int(args[1]), 0
	if len(args) == 3 {
		whence = vm.Int(args[2])
	}
	if whence == 0 && offset < 0 {
		vm.RaiseOS(errInval)
	}
	s, o := vm.StreamFor(args[0], false, false)
	if s.Seek == nil {
		vm.RaiseOS(errInval)
	}
	at, e := s.Seek(vm, o, offset, whence)
	if e != 0 {
		vm.RaiseOS(e)
	}
	return vm.NewUint(uint64(uint32(at)))
}

func streamTell(vm *VM, self Value) Value {
	return streamSeek(vm, []Value{self, SmallInt(0), SmallInt(1)})
}

func streamFlush(vm *VM, self Value) Value {
	s, o := vm.StreamFor(self, false, false)
	if s.Flush != nil {
		if e := s.Flush(vm, o); e != 0 {
			vm.RaiseOS(e)
		}
	}
	return None
}

func streamClose(vm *VM, self Value) Value {
	s, o := vm.StreamFor(self, false, false)
	if s.Close != nil {
		if e := s.Close(vm, o); e != 0 {
			vm.RaiseOS(e)
		}
	}
	return None
}

func streamExit(vm *VM, args []Value) Value { return streamClose(vm, args[0]) }

// streamIoctl does what a number asks for: 1 flush, 4 close. Others need the
// stream's own way, Ioctl.
func streamIoctl(vm *VM, args []Value) Value {
	arg := 0
	if len(args) > 2 {
		if b, _, ok := vm.BufferMaybe(args[2], true); ok {
			arg = int(vm.AddrOf(b))
		} else {
			arg = vm.IntTruncated(args[2])
		}
	}
	s, o := vm.StreamFor(args[0], false, false)
	request := vm.Int(args[1])
	n, e := 0, errInval
	switch {
	case s.Ioctl != nil:
		n, e = s.Ioctl(vm, o, request, arg)
	case request == ioctlFlush && s.Flush != nil:
		e = s.Flush(vm, o)
	case request == ioctlClose && s.Close != nil:
		e = s.Close(vm, o)
	}
	if e != 0 {
		vm.RaiseOS(e)
	}
	return vm.NewInt(int64(n))
}

// Requests of ioctl, as stream.h numbers them.
const (
	ioctlFlush = 1
	ioctlClose = 4
)

// initStreams makes the functions that stream types put into their tables.
func (fw *Firmware) initStreams() {
	fw.streamMethods = map[string]Value{
		"read":      fw.FuncV("read", 1, 2, streamReader(false)),
		"read1":     fw.FuncV("read1", 1, 2, streamReader(true)),
		"readinto":  fw.FuncV("readinto", 2, 3, streamReadInto),
		"readline":  fw.FuncV("readline", 1, 2, streamReadLine),
		"readlines": fw.Func1("readlines", streamReadLines),
		"write":     fw.FuncV("write", 2, 4, streamWrite),
		"write1":    fw.Func2("write1", streamWrite1),
		"seek":      fw.FuncV("seek", 2, 3, streamSeek),
		"tell":      fw.Func1("tell", streamTell),
		"flush":     fw.Func1("flush", streamFlush),
		"close":     fw.Func1("close", streamClose),
		"ioctl":     fw.FuncV("ioctl", 2, 3, streamIoctl),
		"__enter__": fw.Func1("__enter__", func(vm *VM, self Value) Value { return self }),
		"__exit__":  fw.FuncV("__exit__", 4, 4, streamExit),
		"__del__":   fw.Func1("__del__", streamClose),
	}
}

// StreamMethod returns one of the functions that AddStreamMethods knows.
func (fw *Firmware) StreamMethod(name string) Value { return fw.streamMethods[name] }

// AddStreamMethods adds the named methods to a type with a Stream slot, in that
// order: read, read1, readinto, readline, readlines, write, write1, seek, tell,
// flush, close, ioctl, __enter__, __exit__ (which closes) and __del__. read1 and
// write1, which do one call only, may be given another name in the table:
// "recv=read1". The type gets StreamNext as its iteration if it has the flag
// FlagOwnIter and no Next.
func (fw *Firmware) AddStreamMethods(t *Type, names ...string) {
	for _, name := range names {
		as := name
		for i := range name {
			if name[i] == '=' {
				as, name = name[:i], name[i+1:]
				break
			}
		}
		f, ok := fw.streamMethods[name]
		if !ok {
			panic("vm: AddStreamMethods: no stream method " + name)
		}
		fw.Method(t, as, f)
	}
	if t.Flags&FlagOwnIter != 0 && t.Next == nil {
		t.Iter, t.Next = identityIter, StreamNext
	}
}
