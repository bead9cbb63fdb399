package vm

import "strconv"

// A Printer is where values are printed to: the console or a buffer.
type Printer struct {
	vm  *VM
	out func(b []byte)
	buf [32]byte
	num [40]byte // digits of a number being laid out
}

// NewPrinter returns a printer that hands every piece to out.
func (vm *VM) NewPrinter(out func(b []byte)) *Printer { return &Printer{vm: vm, out: out} }

// Stdout returns a printer to the console.
func (vm *VM) Stdout() *Printer { return &vm.stdout }

// Printer returns a printer into the buffer.
func (v *Vstr) Printer() *Printer { return &Printer{vm: v.vm, out: v.Write} }

// Bytes writes b as one piece.
func (p *Printer) Bytes(b []byte) { p.out(b) }

// String writes s as one piece.
func (p *Printer) String(s string) { p.out(unsafeBytes(s)) }

// Byte writes one byte.
func (p *Printer) Byte(c byte) {
	p.buf[0] = c
	p.out(p.buf[:1])
}

// Int writes a number in decimal.
func (p *Printer) Int(i int) { p.out(strconv.AppendInt(p.buf[:0], int64(i), 10)) }

// Qstr writes a name.
func (p *Printer) Qstr(q Qstr) { p.out(p.vm.QstrBytes(q)) }

// Printf writes a format of MicroPython's own printf, piece by piece as it
// does: %q a Qstr, %s a string or []byte, %d and %u an int, %x an int in hex, %c a
// byte, %p an address, %% a percent sign.
func (p *Printer) Printf(format string, args ...any) {
	for i := 0; i < len(format); {
		j := i
		for j < len(format) && format[j] != '%' {
			j++
		}
		if j > i {
			p.String(format[i:j])
		}
		if j+1 >= len(format) {
			return
		}
		verb := format[j+1]
		i = j + 2
		if verb == '%' {
			p.Byte('%')
			continue
		}
		a := args[0]
		args = args[1:]
		switch x := a.(type) {
		case Qstr:
			p.Qstr(x)
		case string:
			p.String(x)
		case []byte:
			p.Bytes(x)
		case byte:
			p.Byte(x)
		case int:
			if verb == 'x' || verb == 'p' {
				p.out(strconv.AppendInt(p.buf[:0], int64(x), 16))
			} else {
				p.Int(x)
			}
		case uint32:
			if verb == 'x' || verb == 'p' {
				p.out(strconv.AppendUint(p.buf[:0], uint64(x), 16))
			} else {
				p.out(strconv.AppendUint(p.buf[:0], uint64(x), 10))
			}
		case Value:
			if verb == 'p' {
				p.out(strconv.AppendUint(p.buf[:0], uint64(x), 16))
			} else {
				p.Value(x, PrintStr)
			}
		default:
			panic("vm: Printf: unknown argument type")
		}
	}
}

// Value prints an object.
func (p *Printer) Value(v Value, kind PrintKind) {
	vm := p.vm
	leave := vm.enterNative()
	t := vm.TypeInfo(vm.TypeOf(v))
	if t.Print != nil {
		t.Print(vm, p, v, kind)
	} else {
		p.Printf("<%q>", t.Name)
	}
	vm.cstack = leave
}

// ReportException is PrintException of what nothing is left to handle. Printing
// may run the program's own code; where that raises, C has nowhere to go and gives up.
func (p *Printer) ReportException(exc Value) {
	if p.vm.Try(func() { p.PrintException(exc) }) != Null {
		p.String("FATAL: uncaught NLR\n")
	}
}

// PrintException writes the traceback of an exception and its text, as
// mp_obj_print_exception does.
func (p *Printer) PrintException(exc Value) {
	vm := p.vm
	if vm.hook.Exception != nil {
		vm.hook.Exception(exc)
	}
	if vm.IsExceptionInstance(exc) {
		tb := vm.Traceback(exc)
		if len(tb) > 0 {
			p.String("Traceback (most recent call last):\n")
			for i := len(tb) - 1; i >= 0; i-- {
				p.Printf("  File \"%q\", line %d", tb[i].File, tb[i].Line)
				if tb[i].Block == 0 {
					p.String("\n")
				} else {
					p.Printf(", in %q\n", tb[i].Block)
				}
			}
		}
	}
	p.Value(exc, PrintExc)
	p.String("\n")
}
