package pylib

import (
	"github.com/skep-sim/skep/internal/memory"
	"github.com/skep-sim/skep/internal/vm"
)

// MicroPython declares module micropython.
func MicroPython(fw *vm.Firmware) {
	o := &fw.Options
	m := fw.Module("micropython")
	m.Add("const", fw.Func1("const", func(v *vm.VM, a vm.Value) vm.Value { return a }))
	m.Add("opt_level", fw.FuncV("opt_level", 0, 1, func(v *vm.VM, args []vm.Value) vm.Value {
		if len(args) == 0 {
			return vm.SmallInt(v.OptLevel())
		}
		v.SetOptLevel(v.Int(args[0]))
		return vm.None
	}))
	m.Add("mem_info", fw.FuncV("mem_info", 0, 1, memInfo))
	if o.MemStats {
		m.Add("mem_total", fw.Func0("mem_total", func(v *vm.VM) vm.Value { return v.NewUint(v.Heap().Taken()) }))
		m.Add("mem_current", fw.Func0("mem_current", func(v *vm.VM) vm.Value { return v.NewUint(uint64(v.Heap().MemAlloc())) }))
		m.Add("mem_peak", fw.Func0("mem_peak", func(v *vm.VM) vm.Value { return v.NewUint(uint64(v.Heap().MostUsed())) }))
	}
	m.Add("qstr_info", fw.FuncV("qstr_info", 0, 1, qstrInfo))
	m.Add("stack_use", fw.Func0("stack_use", func(v *vm.VM) vm.Value { return vm.SmallInt(v.StackUse()) }))
	if o.EmergencyBuf {
		m.Add("alloc_emergency_exception_buf", fw.Func1("alloc_emergency_exception_buf", func(v *vm.VM, n vm.Value) vm.Value {
			v.SetEmergencyBuf(v.Int(n))
			return vm.None
		}))
	}
	m.Add("heap_lock", fw.Func0("heap_lock", func(v *vm.VM) vm.Value {
		v.Heap().Lock()
		return vm.None
	}))
	m.Add("heap_unlock", fw.Func0("heap_unlock", func(v *vm.VM) vm.Value {
		v.Heap().Unlock()
		return vm.None
	}))
	if o.KbdIntr {
		m.Add("kbd_intr", fw.Func1("kbd_intr", func(v *vm.VM, c vm.Value) vm.Value {
			v.SetInterruptChar(v.Int(c))
			return vm.None
		}))
	}
	if o.Scheduler {
		m.Add("schedule", fw.Func2("schedule", func(v *vm.VM, f, arg vm.Value) vm.Value {
			if !v.Schedule(f, arg) {
				text := "schedule stack full"
				if o.V12 {
					text = "schedule queue full"
				}
				v.RaiseMsg(vm.TypeRuntimeError, text)
			}
			return vm.None
		}))
	}
}

// MemInfo prints what micropython.mem_info() prints.
func MemInfo(v *vm.VM, p *vm.Printer) {
	v.TellFigure(vm.StackFigure)
	v.TellFigure(vm.HeapFigure)
	if h := v.Heap(); v.Options().MemStats {
		p.Printf("mem: total=%u, current=%u, peak=%u\n", int(h.Taken()), int(h.MemAlloc()), int(h.MostUsed()))
	}
	p.Printf("stack: %u out of %u\n", v.StackUse(), v.Options().StackLimit)
	printHeap(p, v.Heap().Info())
}

func printHeap(p *vm.Printer, i memory.Info) {
	p.Printf("GC: total: %u, used: %u, free: %u\n", int(i.Total), int(i.Used), int(i.Free))
	p.Printf(" No. of 1-blocks: %u, 2-blocks: %u, max blk sz: %u, max free sz: %u\n",
		int(i.Num1Block), int(i.Num2Block), int(i.MaxBlock), int(i.MaxFree))
}

func memInfo(v *vm.VM, args []vm.Value) vm.Value {
	p := v.Stdout()
	MemInfo(v, p)
	if len(args) == 1 {
		v.DumpHeap(p)
	}
	return vm.None
}

func qstrInfo(v *vm.VM, args []vm.Value) vm.Value {
	pools, qstrs, text, total := v.QstrInfo()
	p := v.Stdout()
	p.Printf("qstr pool: n_pool=%u, n_qstr=%u, n_str_data_bytes=%u, n_total_bytes=%u\n", pools, qstrs, text, total)
	if len(args) == 1 {
		v.EachQstr(func(b []byte) { p.Printf("Q(%s)\n", b) })
	}
	return vm.None
}
