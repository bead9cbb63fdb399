package vm

// Owner: containers. Replaced by tuple.go, list.go, dict.go ...

// polyList is the kind word of a list iterator: the iterators over sequences
// are [TypePolyIter, kind, object, position]. The kind is tagged as small int.
const polyList Value = 1<<1 | 1

// NewSet makes a set.
func (vm *VM) NewSet(items ...Value) Value { panic("stub") }

// SetAdd adds an item to a set.
func (vm *VM) SetAdd(s, v Value) { panic("stub") }

// NewSlice makes a slice object.
func (vm *VM) NewSlice(start, stop, step Value) Value { panic("stub") }

// isTupleLike reports whether v is a tuple, a named tuple or the like.
func (vm *VM) isTupleLike(v Value) bool { return vm.TypeOf(v) == TypeTuple }

// isDictLike reports whether v is a dict or an ordered dict.
func (vm *VM) isDictLike(v Value) bool { return vm.TypeOf(v) == TypeDict }

// newGetItemIter makes an iterator that calls __getitem__ 0, 1, 2 ...
func (vm *VM) newGetItemIter(m [2]Value, buf uint32) Value { panic("stub") }

func (vm *VM) printTuple(p *Printer, t Value, kind PrintKind) { panic("stub") }

func (fw *Firmware) initContainers() {}
