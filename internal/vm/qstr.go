package vm

// This file interns strings. Qstrs that the firmware holds are free; those made
// at run time lie on the heap in pools of pointers (20, 40, 80 ... entries) and
// chunks of text, as qstr.c of MicroPython v1.11 keeps them.

// qstrTable is what C keeps in MP_STATE_VM about qstrs, and an index beside it.
type qstrTable struct {
	names map[string]Qstr // made at run time
	data  []qstrText      // of those, in order
	first Qstr            // number of the first of them
	used  map[Qstr]uint32 // names that Go code knows and ROM does not -> text address

	made []Qstr // all of both, in the order they were made

	chars [256]Qstr // of one character each, 0: not looked up yet

	pool      uint32 // last pool, 0 for the ROM's
	poolAlloc uint32
	poolLen   uint32
	pools     int
	chunk     uint32
	chunkUsed uint32
	chunkLen  uint32
}

type qstrText struct {
	addr uint32 // of the text
	len  uint32
	hash uint16
}

func (t *qstrTable) reset(romNames int) {
	*t = qstrTable{names: make(map[string]Qstr), first: Qstr(romNames)}
}

// hashBytes is MicroPython's string hash (djb2 with XOR), cut to the width that
// qstrs store; it is never 0.
func hashBytes(b []byte, width int) uint16 {
	h := uint32(5381)
	for _, c := range b {
		h = h*33 ^ uint32(c)
	}
	h &= 1<<(8*width) - 1
	if h == 0 {
		h = 1
	}
	return uint16(h)
}

// HashBytes hashes a string's bytes as the VM's qstrs do.
func (vm *VM) HashBytes(b []byte) uint32 { return uint32(hashBytes(b, vm.opt.HashBytes)) }

// FindQstr returns the qstr with this text, or 0 if there is none.
func (vm *VM) FindQstr(b []byte) Qstr {
	if q, ok := vm.fw.index[string(b)]; ok {
		if vm.fw.notInROM[q] && vm.qstrs.used[q] == 0 {
			return 0
		}
		return q
	}
	return vm.qstrs.names[string(b)]
}

// Intern returns the qstr with this text, making it if there is none.
func (vm *VM) Intern(s string) Qstr {
	q, ok := vm.fw.index[s]
	if ok {
		if vm.fw.notInROM[q] && vm.qstrs.used[q] == 0 {
			addr := vm.storeQstr(s)
			if vm.qstrs.used == nil {
				vm.qstrs.used = make(map[Qstr]uint32)
			}
			vm.qstrs.used[q] = addr
			vm.qstrs.made = append(vm.qstrs.made, q)
		}
		return q
	}
	if q, ok = vm.qstrs.names[s]; ok {
		return q
	}
	addr := vm.storeQstr(s)
	t := &vm.qstrs
	q = t.first + Qstr(len(t.data))
	t.data = append(t.data, qstrText{addr, uint32(len(s)), hashBytes([]byte(s), vm.opt.HashBytes)})
	t.names[s] = q
	t.made = append(t.made, q)
	return q
}

// storeQstr puts a new name's text into the current chunk and its pointer into
// the current pool; it returns the text's address.
func (vm *VM) storeQstr(s string) uint32 {
	if len(s) > 255 {
		if vm.opt.V12 {
			vm.RaiseMsg(TypeRuntimeError, "name too long")
		}
		vm.RaiseMsg(TypeValueError, "name too long") // where v1.11 would go on with a damaged name
	}
	t := &vm.qstrs
	header := uint32(vm.opt.HashBytes) + 1
	n := header + uint32(len(s)) + 1
	if t.chunk != 0 && t.chunkUsed+n > t.chunkLen {
		if vm.heap.Realloc(t.chunk, t.chunkLen+n, false) == 0 {
			vm.heap.Realloc(t.chunk, t.chunkUsed, false)
			t.chunk = 0
		} else {
			t.chunkLen += n
		}
	}
	if t.chunk == 0 {
		size := max(n, uint32(vm.opt.QstrChunk))
		p := vm.heap.Alloc(size)
		if p == 0 {
			size = n
			if p = vm.heap.Alloc(n); p == 0 {
				vm.memoryError(n)
			}
		}
		t.chunk, t.chunkLen, t.chunkUsed = p, size, 0
	}
	at := t.chunk + t.chunkUsed
	t.chunkUsed += n
	h := hashBytes([]byte(s), vm.opt.HashBytes)
	vm.Bytes[at] = byte(h)
	if vm.opt.HashBytes > 1 {
		vm.Bytes[at+1] = byte(h >> 8)
	}
	vm.Bytes[at+header-1] = byte(len(s))
	copy(vm.Bytes[at+header:], s)
	vm.Bytes[at+header+uint32(len(s))] = 0
	vm.poolAdd(at)
	return at + header
}

// poolAdd appends a pointer to the newest pool, making a new pool of twice the
// size when it is full. Layout: prev, total_prev_len, alloc, len, pointers.
func (vm *VM) poolAdd(at uint32) {
	t := &vm.qstrs
	if t.poolLen >= t.poolAlloc {
		alloc := t.poolAlloc * 2
		if t.pool == 0 {
			alloc = uint32(vm.opt.FirstPool)
		}
		p := vm.heap.Alloc(16 + 4*alloc)
		if p == 0 {
			vm.memoryError(alloc)
		}
		vm.Mem[p/4] = Value(t.pool)
		vm.Mem[p/4+2] = Value(alloc)
		t.pool, t.poolAlloc, t.poolLen = p, alloc, 0
		t.pools++
	}
	vm.Mem[t.pool/4+4+t.poolLen] = Value(at)
	t.poolLen++
	vm.Mem[t.pool/4+3] = Value(t.poolLen)
}

// QstrBytes returns the text of a qstr. It must not be changed.
func (vm *VM) QstrBytes(q Qstr) []byte {
	if q < vm.qstrs.first {
		s := vm.fw.names[q]
		return unsafeBytes(s)
	}
	if int(q-vm.qstrs.first) >= len(vm.qstrs.data) {
		return nil // a number that only damaged bytecode can make
	}
	d := vm.qstrs.data[q-vm.qstrs.first]
	return vm.Bytes[d.addr : d.addr+d.len]
}

// qstrData returns the address and length of the text of a qstr.
func (vm *VM) qstrData(q Qstr) (addr, n uint32) {
	if q >= vm.qstrs.first {
		d := vm.qstrs.data[q-vm.qstrs.first]
		return d.addr, d.len
	}
	s := vm.fw.names[q]
	if addr, ok := vm.qstrs.used[q]; ok {
		return addr, uint32(len(s))
	}
	return vm.text(s), uint32(len(s))
}

// QstrString returns the text of a qstr as a Go string.
func (vm *VM) QstrString(q Qstr) string {
	if q < vm.qstrs.first {
		return vm.fw.names[q]
	}
	return string(vm.QstrBytes(q))
}

func (vm *VM) qstrHash(q Qstr) uint32 {
	if q < vm.qstrs.first {
		return uint32(vm.fw.hashes[q])
	}
	return uint32(vm.qstrs.data[q-vm.qstrs.first].hash)
}

// QstrInfo returns what micropython.qstr_info prints: the number of pools made
// at run time, of qstrs in them, of bytes of their text, and of all bytes. Those
// in bundle flash are not counted, as ROM's are not.
func (vm *VM) QstrInfo() (pools, qstrs, textBytes, totalBytes int) {
	t := &vm.qstrs
	for p := t.pool; p != 0; p = uint32(vm.Mem[p/4]) {
		totalBytes += int(vm.heap.Size(p))
	}
	for _, d := range t.data {
		if !vm.beyondRAM(d.addr) {
			qstrs++
			textBytes += vm.opt.HashBytes + 1 + int(d.len) + 1
		}
	}
	for q, addr := range t.used {
		if !vm.beyondRAM(addr) {
			qstrs++
			textBytes += vm.opt.HashBytes + 1 + len(vm.fw.names[q]) + 1
		}
	}
	return t.pools, qstrs, textBytes, totalBytes + textBytes
}

// EachQstr calls f with every name made at run time, newest pool first as
// micropython.qstr_info(1) lists them.
func (vm *VM) EachQstr(f func(text []byte)) {
	header := uint32(vm.opt.HashBytes) + 1
	for p := vm.qstrs.pool; p != 0; p = uint32(vm.Mem[p/4]) {
		for i := uint32(0); i < uint32(vm.Mem[p/4+3]); i++ {
			at := uint32(vm.Mem[p/4+4+i])
			n := uint32(vm.Bytes[at+header-1])
			f(vm.Bytes[at+header : at+header+n])
		}
	}
}
