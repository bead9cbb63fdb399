package vm

// A strBuf is a buffer on the device's heap with a printer into it. They are
// reused, so that formatting takes no Go memory; one that an exception leaves
// behind is simply lost.
type strBuf struct {
	Vstr
	p Printer
}

// takeBuf returns a buffer of alloc bytes. giveBuf takes it back.
func (vm *VM) takeBuf(alloc uint32) *strBuf {
	room := vm.makeVstr(alloc)
	var b *strBuf
	if n := len(vm.bufs); n > 0 {
		b = vm.bufs[n-1]
		vm.bufs = vm.bufs[:n-1]
	} else {
		b = &strBuf{}
		b.p = Printer{vm: vm, out: b.Write}
	}
	b.Vstr = room
	return b
}

func (vm *VM) giveBuf(b *strBuf) { vm.bufs = append(vm.bufs, b) }

// finish turns the buffer into a str or bytes object and gives it back.
func (b *strBuf) finish(typ Value) Value {
	vm := b.vm
	o := b.Object(typ)
	vm.giveBuf(b)
	return o
}
