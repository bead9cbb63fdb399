package vm

import "bytes"

// This file is the methods of str and bytes that make strings or ask about
// them; strsplit.go has those that take them apart.

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isLower(c byte) bool { return c >= 'a' && c <= 'z' }
func isAlpha(c byte) bool { return isUpper(c) || isLower(c) }

// strRange applies the optional bounds args[2:] to a string of n bytes.
func (vm *VM) strRange(args []Value, n int) (start, end int) {
	end = n
	typ := vm.TypeOf(args[0])
	if len(args) >= 3 && args[2] != None {
		start = vm.Index(typ, n, args[2], true)
	}
	if len(args) >= 4 && args[3] != None {
		end = vm.Index(typ, n, args[3], true)
	}
	return start, end
}

func strFinder(find func(s, sep []byte) int, index bool) FnV {
	return func(vm *VM, args []Value) Value {
		self := vm.strSelf(args[0])
		needle := vm.sameStr(args[0], args[1])
		start, end := vm.strRange(args, len(self))
		at := -1
		if end >= start {
			at = find(self[start:end], needle)
		}
		if at >= 0 {
			return SmallInt(start + at)
		}
		if index {
			vm.RaiseMsg(TypeValueError, "substring not found")
		}
		return SmallInt(-1)
	}
}

func strCount(vm *VM, args []Value) Value {
	self := vm.strSelf(args[0])
	needle := vm.sameStr(args[0], args[1])
	start, end := vm.strRange(args, len(self))
	if len(needle) == 0 {
		return SmallInt(end - start + 1)
	}
	if end < start {
		return SmallInt(0)
	}
	return SmallInt(bytes.Count(self[start:end], needle))
}

func strStartsWith(vm *VM, args []Value) Value {
	self, prefix := vm.strSelf(args[0]), vm.StrArg(args[1])
	start := 0
	if len(args) > 2 {
		start = vm.Index(vm.TypeOf(args[0]), len(self), args[2], true)
	}
	return Bool(bytes.HasPrefix(self[start:], prefix))
}

func strEndsWith(vm *VM, args []Value) Value {
	self, suffix := vm.strSelf(args[0]), vm.StrArg(args[1])
	if len(args) > 2 {
		vm.RaiseMsg(TypeNotImplementedError, "start/end indices")
	}
	return Bool(bytes.HasSuffix(self, suffix))
}

func strJoin(vm *VM, self, arg Value) Value {
	sep := vm.strSelf(self)
	typ := vm.TypeOf(self)
	if t := vm.TypeOf(arg); t != TypeList && t != TypeTuple {
		arg = vm.TypeInfo(TypeList).New(vm, TypeList, []Value{arg}, nil)
	}
	items := vm.Array(arg)
	n := 0
	for i, v := range items {
		if vm.TypeOf(v) != typ {
			vm.RaiseMsg(TypeTypeError, "join expects a list of str/bytes objects consistent with self object")
		}
		if i > 0 {
			n += len(sep)
		}
		n += len(vm.StrBytes(v))
	}
	v := vm.makeVstr(uint32(n) + 1)
	v.len = uint32(n)
	b := v.Bytes()
	for i, item := range items {
		if i > 0 {
			b = b[copy(b, sep):]
		}
		b = b[copy(b, vm.StrBytes(item)):]
	}
	return v.Object(typ)
}

// strip returns the bounds of b without the bytes of cut at its ends.
func strip(b, cut []byte, left, right bool) (lo, hi int) {
	hi = len(b)
	if left {
		for lo < hi && bytes.IndexByte(cut, b[lo]) >= 0 {
			lo++
		}
	}
	if right {
		for hi > lo && bytes.IndexByte(cut, b[hi-1]) >= 0 {
			hi--
		}
	}
	return lo, hi
}

func strStripper(left, right bool) FnV {
	return func(vm *VM, args []Value) Value {
		b := vm.strSelf(args[0])
		typ := vm.TypeOf(args[0])
		cut := unsafeBytes(" \t\n\r\v\f")
		if len(args) > 1 {
			cut = vm.sameStr(args[0], args[1])
		}
		lo, hi := strip(b, cut, left, right)
		switch {
		case lo == hi:
			return emptyOf(typ)
		case hi-lo == len(b):
			return args[0]
		}
		return vm.NewStrOf(typ, b[lo:hi])
	}
}

func strCenter(vm *VM, self, width Value) Value {
	b := vm.strSelf(self)
	w := vm.Int(width)
	if w < 0 { // it is taken for a width of nearly 2^32
		vm.memoryError(uint32(w) + 1)
	}
	if len(b) >= w {
		return self
	}
	v := vm.makeVstr(uint32(w) + 1)
	v.len = uint32(w)
	out := v.Bytes()
	for i := range out {
		out[i] = ' '
	}
	copy(out[(w-len(b))/2:], b)
	return v.Object(vm.TypeOf(self))
}

func strReplace(vm *VM, args []Value) Value {
	s := vm.strSelf(args[0])
	limit := -1
	if len(args) == 4 {
		if limit = vm.Int(args[3]); limit == 0 {
			return args[0]
		}
	}
	old, with := vm.sameStr(args[0], args[1]), vm.sameStr(args[0], args[2])
	if len(old) > len(s) {
		return args[0]
	}
	found, n := replaceBytes(nil, s, old, with, limit)
	if found == 0 {
		return args[0]
	}
	v := vm.makeVstr(uint32(n) + 1)
	v.len = uint32(n)
	replaceBytes(v.Bytes(), s, old, with, limit)
	return v.Object(vm.TypeOf(args[0]))
}

// replaceBytes writes s with old replaced to dst, or, if that is nil, only finds
// the number of replacements and the length of the result. An empty old is
// found before the string and after each of its bytes.
func replaceBytes(dst, s, old, with []byte, limit int) (found, n int) {
	put := func(b []byte) {
		if dst != nil {
			copy(dst[n:], b)
		}
		n += len(b)
	}
	if len(old) == 0 {
		put(with)
		found++
	}
	for found != limit && len(s) > 0 {
		at := bytes.Index(s, old)
		if at < 0 {
			break
		}
		if len(old) == 0 {
			at++
		}
		put(s[:at])
		put(with)
		s = s[at+len(old):]
		found++
	}
	put(s)
	return found, n
}

func strCase(conv func(c byte) byte) Fn1 {
	return func(vm *VM, self Value) Value {
		b := vm.strSelf(self)
		v := vm.makeVstr(uint32(len(b)) + 1)
		v.len = uint32(len(b))
		out := v.Bytes()
		for i, c := range b {
			out[i] = conv(c)
		}
		return v.Object(vm.TypeOf(self))
	}
}

func toLower(c byte) byte {
	if isUpper(c) {
		return c + 0x20
	}
	return c
}

func toUpper(c byte) byte {
	if isLower(c) {
		return c - 0x20
	}
	return c
}

// strAll is a method that tells whether all characters are of a kind.
func strAll(is func(c byte) bool) Fn1 {
	return func(vm *VM, self Value) Value {
		b := vm.strSelf(self)
		for _, c := range b {
			if !is(c) {
				return False
			}
		}
		return Bool(len(b) > 0)
	}
}

// strAllLetters is a method that tells whether there are letters, all of a kind.
func strAllLetters(is func(c byte) bool) Fn1 {
	return func(vm *VM, self Value) Value {
		some := false
		for _, c := range vm.strSelf(self) {
			if isAlpha(c) {
				if !is(c) {
					return False
				}
				some = true
			}
		}
		return Bool(some)
	}
}

func bytesDecode(vm *VM, args []Value) Value {
	return strNew(vm, TypeStr, withEncoding(args), nil)
}

func strEncode(vm *VM, args []Value) Value {
	return bytesNew(vm, TypeBytes, withEncoding(args), nil)
}

// withEncoding adds the default encoding, which is never looked at.
func withEncoding(args []Value) []Value {
	if len(args) == 1 {
		return []Value{args[0], EmptyStr}
	}
	return args
}

// strMethods is the table of methods that str and bytes share.
func (fw *Firmware) strMethods() *Dict {
	o := &fw.Options
	d := &Dict{}
	add := func(name string, f Value) { d.set(fw.Q(name), f) }
	v := func(name string, lo, hi int, f FnV) { add(name, fw.FuncV(name, lo, hi, f)) }
	one := func(name string, f Fn1) { add(name, fw.Func1(name, f)) }
	if o.CPythonCompat {
		fw.decode = fw.FuncV("decode", 1, 3, bytesDecode)
		add("decode", fw.decode)
		v("encode", 1, 3, strEncode)
	}
	v("find", 2, 4, strFinder(bytes.Index, false))
	v("rfind", 2, 4, strFinder(bytes.LastIndex, false))
	v("index", 2, 4, strFinder(bytes.Index, true))
	v("rindex", 2, 4, strFinder(bytes.LastIndex, true))
	add("join", fw.Func2("join", strJoin))
	v("split", 1, 3, strSplit)
	if o.StrSplitlines {
		add("splitlines", fw.FuncKw("splitlines", 1, strSplitlines(fw.Q("keepends"))))
	}
	v("rsplit", 1, 3, strRsplit)
	v("startswith", 2, 3, strStartsWith)
	v("endswith", 2, 3, strEndsWith)
	v("strip", 1, 2, strStripper(true, true))
	v("lstrip", 1, 2, strStripper(true, false))
	v("rstrip", 1, 2, strStripper(false, true))
	add("format", fw.FuncKw("format", 1, strFormat))
	v("replace", 3, 4, strReplace)
	if o.StrCount {
		v("count", 2, 4, strCount)
	}
	if o.StrPartition {
		add("partition", fw.Func2("partition", strPartitioner(bytes.Index, true)))
		add("rpartition", fw.Func2("rpartition", strPartitioner(bytes.LastIndex, false)))
	}
	if o.StrCenter {
		add("center", fw.Func2("center", strCenter))
	}
	one("lower", strCase(toLower))
	one("upper", strCase(toUpper))
	one("isspace", strAll(isSpace))
	one("isalpha", strAll(isAlpha))
	one("isdigit", strAll(isDigit))
	one("isupper", strAllLetters(isUpper))
	one("islower", strAllLetters(isLower))
	return d
}
