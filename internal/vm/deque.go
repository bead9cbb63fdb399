package vm

// This file is the type deque, a ring of fixed size: [type, slots, next to get,
// next to put, address of the slots, flags].

const (
	dequeAlloc = 1
	dequeGet   = 2
	dequePut   = 3
	dequeItems = 4
	dequeFlags = 5

	dequeCheck = 1 // flag: a full deque refuses instead of dropping the first item
)

func dequeNew(vm *VM, typ Value, args, kw []Value) Value {
	vm.checkArgs(len(args), len(kw)/2, 2, 3, false)
	if args[0] != EmptyTuple {
		vm.Raise(vm.NewException(TypeValueError))
	}
	n := vm.Int(args[1])
	if n < 0 {
		vm.Raise(vm.NewException(TypeValueError))
	}
	o := vm.Alloc(24)
	i := o / 4
	vm.Mem[i], vm.Mem[i+dequeAlloc] = typ, 0
	if n > 1<<29 {
		vm.memoryError(uint32(4 * (n + 1)))
	}
	vm.Mem[i+dequeItems] = Value(vm.Alloc(4 * uint32(n+1)))
	vm.Mem[i+dequeAlloc] = Value(n + 1)
	if len(args) > 2 {
		vm.Mem[i+dequeFlags] = Value(vm.Int(args[2]))
	}
	return Value(o)
}

func dequeUnary(vm *VM, op UnaryOp, self Value) Value {
	i := self / 4
	get, put, n := vm.Mem[i+dequeGet], vm.Mem[i+dequePut], vm.Mem[i+dequeAlloc]
	switch op {
	case UnaryBool:
		return Bool(get != put)
	case UnaryLen:
		if put < get {
			put += n
		}
		return SmallInt(int(put - get))
	case UnarySizeof:
		if vm.opt.SysGetsizeof {
			return SmallInt(24 + 4*int(n))
		}
	}
	return Null
}

func (vm *VM) wantDeque(self Value) {
	if vm.TypeOf(self) != TypeDeque {
		vm.checkSelf()
	}
}

func dequeAppend(vm *VM, self, v Value) Value {
	vm.wantDeque(self)
	i := self / 4
	n, put := vm.Mem[i+dequeAlloc], vm.Mem[i+dequePut]
	next := (put + 1) % n
	if vm.Mem[i+dequeFlags]&dequeCheck != 0 && next == vm.Mem[i+dequeGet] {
		vm.RaiseMsg(TypeIndexError, "full")
	}
	vm.Mem[vm.Mem[i+dequeItems]/4+put] = v
	vm.Mem[i+dequePut] = next
	if vm.Mem[i+dequeGet] == next {
		vm.Mem[i+dequeGet] = (next + 1) % n
	}
	return None
}

func dequePopleft(vm *VM, self Value) Value {
	vm.wantDeque(self)
	i := self / 4
	get := vm.Mem[i+dequeGet]
	if get == vm.Mem[i+dequePut] {
		vm.RaiseMsg(TypeIndexError, "empty")
	}
	slot := vm.Mem[i+dequeItems]/4 + get
	v := vm.Mem[slot]
	vm.Mem[slot] = Null
	vm.Mem[i+dequeGet] = (get + 1) % vm.Mem[i+dequeAlloc]
	return v
}

func (fw *Firmware) initDeque() {
	t := fw.define(TypeDeque, &Type{Name: fw.Q("deque"), New: dequeNew, Unary: dequeUnary})
	fw.Method(t, "append", fw.Func2("append", dequeAppend))
	fw.Method(t, "popleft", fw.Func1("popleft", dequePopleft))
}
