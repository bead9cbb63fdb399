package pylib

import "github.com/skep-sim/skep/internal/vm"

// Collections declares module ucollections: namedtuple, and deque and OrderedDict
// where the firmware has them.
func Collections(fw *vm.Firmware) {
	m := fw.Module("ucollections")
	if fw.Options.Deque {
		m.Add("deque", vm.TypeDeque)
	}
	m.Add("namedtuple", fw.NamedTupleFunc())
	if fw.Options.OrderedDict {
		m.Add("OrderedDict", vm.TypeOrderedDict)
	}
	weakLink(fw, "collections", m)
}
