package vm

// This file is int.from_bytes and int.to_bytes. The argument signed is taken and
// ignored, as MicroPython v1.11 does.

func intFromBytes(vm *VM, args []Value) Value {
	b := vm.Buffer(args[1], false)
	little := args[2] == vm.fw.qLittle.Value()
	var v uint32
	for i := range b {
		c := b[i]
		if little {
			c = b[len(b)-1-i]
		}
		if v > MaxSmallInt>>8 {
			return vm.bigFromBytes(b, little)
		}
		v = v<<8 | uint32(c)
	}
	return vm.NewUint(uint64(v))
}

func (vm *VM) bigFromBytes(b []byte, little bool) Value {
	o := vm.newBig()
	var z bigint
	vm.bigNeed(&z, uint32(len(b)+1)/2)
	w := vm.bigSpace(&z)
	clear(w)
	for i := range b {
		c := b[i]
		if !little {
			c = b[len(b)-1-i]
		}
		w[i/8] |= uint64(c) << (8 * (i % 8))
	}
	vm.bigDone(&z, w)
	vm.storeBig(o, &z)
	return o
}

func intToBytes(vm *VM, args []Value) Value {
	n := vm.Int(args[1])
	if n < 0 {
		vm.Raise(vm.NewException(TypeValueError))
	}
	little := args[2] == vm.fw.qLittle.Value()
	s := vm.NewVstrLen(uint32(n))
	b := s.Bytes()
	clear(b)
	put := func(i int, c byte) {
		if !little {
			i = n - 1 - i
		}
		b[i] = c
	}
	if args[0].IsSmallInt() {
		v := uint32(args[0].SmallInt())
		for i := 0; i < min(n, 4); i++ {
			put(i, byte(v>>(8*i)))
		}
	} else {
		// A negative number is not extended beyond its own digits.
		var z bigint
		vm.loadBig(&z, args[0])
		carry := uint(1)
		for i := 0; i < min(n, 2*int(z.n)); i++ {
			c := uint(byte(z.w[i/8] >> (8 * (i % 8))))
			if z.neg {
				c = ^c&0xff + carry
				carry = c >> 8
			}
			put(i, byte(c))
		}
	}
	return s.Object(TypeBytes)
}
