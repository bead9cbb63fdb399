package pylib

import "github.com/skep-sim/skep/internal/vm"

// GC declares module gc.
func GC(fw *vm.Firmware) {
	m := fw.Module("gc")
	m.Add("collect", fw.Func0("collect", func(v *vm.VM) vm.Value {
		n := v.Collect()
		if v.Options().ReturnCollected {
			return vm.SmallInt(n)
		}
		return vm.None
	}))
	m.Add("disable", fw.Func0("disable", func(v *vm.VM) vm.Value {
		v.Heap().Enable(false)
		return vm.None
	}))
	m.Add("enable", fw.Func0("enable", func(v *vm.VM) vm.Value {
		v.Heap().Enable(true)
		return vm.None
	}))
	m.Add("isenabled", fw.Func0("isenabled", func(v *vm.VM) vm.Value { return vm.Bool(v.Heap().Enabled()) }))
	m.Add("mem_free", fw.Func0("mem_free", func(v *vm.VM) vm.Value {
		v.TellFigure(vm.HeapFigure)
		return vm.SmallInt(int(v.Heap().MemFree()))
	}))
	m.Add("mem_alloc", fw.Func0("mem_alloc", func(v *vm.VM) vm.Value {
		v.TellFigure(vm.HeapFigure)
		return vm.SmallInt(int(v.Heap().MemAlloc()))
	}))
	if fw.Options.Threshold {
		m.Add("threshold", fw.FuncV("threshold", 0, 1, gcThreshold))
	}
}

func gcThreshold(v *vm.VM, args []vm.Value) vm.Value {
	h := v.Heap()
	if len(args) == 0 {
		return v.NewInt(int64(h.Threshold()))
	}
	h.SetThreshold(v.Int(args[0]))
	return vm.None
}
