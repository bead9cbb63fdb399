package vm

// This file sorts lists: MicroPython's quicksort, which is not stable, with its
// order of comparisons.

// sorter is one run of sort.
type sorter struct {
	vm    *VM
	list  Value
	n     int
	block Value // address of the items
	key   Value // key function, or Null
	want  Value // what "less" must be: False to sort in reverse
	mark  int
}

// sort sorts a list in place.
func (vm *VM) sort(list, key Value, reverse bool) {
	s := sorter{vm: vm, list: list, key: key, want: True, n: len(vm.ListItems(list)), block: vm.Mem[list/4+3]}
	if reverse {
		s.want = False
	}
	if s.n > 1 {
		s.mark = vm.Mark()
		s.sort(0, s.n-1)
	}
}

// keyOf returns what an item is compared by.
func (s *sorter) keyOf(item Value) Value {
	if s.key == Null {
		return item
	}
	k := s.vm.Call1(s.key, item)
	s.check()
	return k
}

// check makes sure that the program did not change the list while it was asked:
// C would go on in memory that may be somebody else's.
func (s *sorter) check() {
	i := s.list / 4
	if s.vm.Mem[i+3] != s.block || int(s.vm.Mem[i+2]) != s.n {
		s.vm.RaiseMsg(TypeValueError, "list modified during sort")
	}
}

// less compares two keys; pivot is what must survive the collector meanwhile.
func (s *sorter) less(a, b, pivot Value) bool {
	if a&b&1 != 0 {
		return Bool(int32(a) < int32(b)) == s.want
	}
	r := s.vm.BinaryOp(BinLess, a, b) == s.want
	s.vm.Release(s.mark, pivot)
	s.check()
	return r
}

// sort sorts the items from head to tail.
func (s *sorter) sort(head, tail int) {
	vm := s.vm
	leave := vm.enterNative()
	items := vm.Mem[s.block/4:]
	mark := s.mark
	for head < tail {
		s.mark = vm.Mark()
		h, t := head-1, tail
		pivot := s.keyOf(items[tail])
		vm.Keep(pivot)
		for {
			for h++; h < t && s.less(s.keyOf(items[h]), pivot, pivot); h++ {
			}
			for t--; h < t && s.less(pivot, s.keyOf(items[t]), pivot); t-- {
			}
			if h >= t {
				break
			}
			items[h], items[t] = items[t], items[h]
		}
		items[h], items[tail] = items[tail], items[h]
		vm.Release(s.mark)
		// the smaller part first keeps the depth logarithmic
		if t-head < tail-h-1 {
			s.sort(head, t)
			head = h + 1
		} else {
			s.sort(h+1, tail)
			tail = t
		}
	}
	s.mark = mark
	vm.cstack = leave
}

// initSort adds the method sort to the type list, and the function sorted.
func (fw *Firmware) initSort(list *Type) {
	spec := []Arg{
		{Name: fw.Q("key"), KwOnly: true, Obj: None},
		{Name: fw.Q("reverse"), KwOnly: true, Kind: ArgBool},
	}
	sort := func(vm *VM, l Value, pos, kw []Value) {
		var a [2]ArgVal
		vm.ParseArgs(pos, kw, spec, a[:])
		vm.wantList(l)
		key := a[0].Obj
		if key == None {
			key = Null
		}
		vm.sort(l, key, a[1].Bool())
	}
	fw.Method(list, "sort", fw.FuncKw("sort", 1, func(vm *VM, args, kw []Value) Value {
		sort(vm, args[0], args[1:], kw)
		return None
	}))
	fw.Builtin("sorted", fw.FuncKw("sorted", 1, func(vm *VM, args, kw []Value) Value {
		if len(args) > 1 {
			vm.RaiseMsg(TypeTypeError, "must use keyword argument for key function")
		}
		l := listNew(vm, TypeList, args, nil)
		sort(vm, l, nil, kw)
		return l
	}))
}
