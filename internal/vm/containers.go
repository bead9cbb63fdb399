package vm

// initContainers declares the containers, their iterators, and the functions
// that go with them.
func (fw *Firmware) initContainers() {
	fw.initIterators()
	fw.initTuple()
	fw.initList()
	fw.initDict()
	fw.initSet()
	fw.initRange()
	fw.initSlice()
	fw.initNamedTuples()
	if fw.Options.Deque {
		fw.initDeque()
	}
	fw.initIterTypes()
	fw.initIterFuncs()
}
