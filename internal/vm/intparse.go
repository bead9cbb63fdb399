package vm

// This file reads integers from text as parsenum.c does.

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// numBase finds the radix of a number's text, and the length of a prefix that
// goes with it: base 0 takes any prefix and means 10 without one.
func numBase(s []byte, base int) (realBase, skip int) {
	if len(s) > 1 && s[0] == '0' {
		c := s[1] | 0x20
		switch {
		case (base == 0 || base == 16) && c == 'x':
			return 16, 2
		case (base == 0 || base == 8) && c == 'o':
			return 8, 2
		case (base == 0 || base == 2) && c == 'b':
			return 2, 2
		}
	}
	if base == 0 {
		base = 10
	}
	return base, 0
}

// ParseInt makes an int of a number's text in the given base (0: by prefix), or
// raises ValueError. Space around it and underscores within are allowed, the
// latter only as long as the number is a small int, as in MicroPython v1.11.
func (vm *VM) ParseInt(text []byte, base int) Value {
	if base != 0 && base < 2 || base > 36 {
		vm.RaiseMsg(TypeValueError, "int() arg 2 must be >= 2 and <= 36")
	}
	i := 0
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	neg := false
	if i < len(text) && (text[i] == '+' || text[i] == '-') {
		neg = text[i] == '-'
		i++
	}
	base, skip := numBase(text[i:], base)
	i += skip
	start := i
	v := int64(0)
	ret := Null
	for ; i < len(text); i++ {
		if text[i] == '_' {
			continue
		}
		d := digitValue(text[i])
		if d >= base {
			break
		}
		// C looks at the product alone first, but the sum says no less
		if v = v*int64(base) + int64(d); v > MaxSmallInt {
			var n int
			ret, n = vm.parseBig(text[start:], neg, base)
			i = start + n
			break
		}
	}
	if ret == Null {
		if neg {
			v = -v
		}
		ret = SmallInt(int(v))
	}
	if i > start {
		for i < len(text) && isSpace(text[i]) {
			i++
		}
		if i == len(text) {
			return ret
		}
	}
	vm.badInt(text[start:], base)
	return Null
}

func digitValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return int(c|0x20-'a') + 10
	}
	return 99
}

func (vm *VM) badInt(text []byte, base int) {
	switch {
	case vm.terse():
		vm.RaiseMsg(TypeValueError, "invalid syntax for integer")
	case !vm.detailed():
		vm.Raisef(TypeValueError, "invalid syntax for integer with base %d", base)
	}
	s := vm.NewVstr(50)
	p := s.Printer()
	p.Printf("invalid syntax for integer with base %d: ", base)
	p.PrintQuoted(text, true)
	vm.RaiseArg(TypeValueError, s.Object(TypeStr))
}

// parseBig makes a big int of the digits at the start of text, and returns how
// many there are. Room is made for 8 bits for every byte of text.
func (vm *VM) parseBig(text []byte, neg bool, base int) (Value, int) {
	o := vm.newBig()
	z := bigint{neg: neg}
	vm.bigNeed(&z, uint32(len(text))/2+1)
	w := vm.bigSpace(&z)
	clear(w)
	n := 0
	used := 0 // limbs
	// as many digits at a time as a limb takes
	mul, add := uint64(1), uint64(0)
	flush := func() {
		if c := natMulAdd(w[:used], mul, add); c != 0 {
			w[used] = c
			used++
		}
		mul, add = 1, 0
	}
	limit := ^uint64(0) / uint64(base)
	for ; n < len(text); n++ {
		d := digitValue(text[n])
		if d >= base {
			break
		}
		if mul > limit {
			flush()
		}
		mul *= uint64(base)
		add = add*uint64(base) + uint64(d)
	}
	flush()
	vm.bigDone(&z, w)
	vm.storeBig(o, &z)
	return o, n
}
