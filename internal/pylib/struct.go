package pylib

import (
	"bytes"

	"github.com/skep-sim/skep/internal/vm"
)

// Struct declares module ustruct.
func Struct(fw *vm.Firmware) {
	m := fw.Module("ustruct")
	m.Add("calcsize", fw.Func1("calcsize", structCalcsize))
	m.Add("pack", fw.FuncV("pack", 1, -1, structPack))
	m.Add("pack_into", fw.FuncV("pack_into", 3, -1, structPackInto))
	unpack := fw.FuncV("unpack_from", 2, 3, structUnpack)
	m.Add("unpack", unpack)
	m.Add("unpack_from", unpack)
	weakLink(fw, "struct", m)
}

// format walks a format string.
type format struct {
	v      *vm.VM
	s      []byte
	layout byte
}

func newFormat(v *vm.VM, s []byte) format {
	if i := bytes.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	f := format{v, s, '@'}
	if len(s) > 0 {
		switch c := s[0]; c {
		case '!':
			f.layout, f.s = '>', s[1:]
		case '@', '=', '<', '>':
			f.layout, f.s = c, s[1:]
		}
	}
	return f
}

// next returns the next typecode and its count; code 0 is the end, or follows a
// number that has no typecode.
func (f *format) next() (count int, code byte) {
	count = 1
	if len(f.s) > 0 && isDigit(f.s[0]) {
		count = 0
		for len(f.s) > 0 && isDigit(f.s[0]) {
			if count = count*10 + int(f.s[0]-'0'); count > vm.MaxSmallInt {
				f.v.RaiseMsg(vm.TypeValueError, "bad typecode")
			}
			f.s = f.s[1:]
		}
	}
	if len(f.s) == 0 {
		return count, 0
	}
	code, f.s = f.s[0], f.s[1:]
	return count, code
}

// size returns the number of items of a format and of bytes that they take.
func (f format) size() (items, total int) {
	for len(f.s) > 0 {
		n, code := f.next()
		if code == 's' {
			items++
			total += n
			continue
		}
		items += n
		size, align := f.v.BinarySize(f.layout, code)
		if n > 0 {
			total = (total+align-1)&^(align-1) + size
			step := (size + align - 1) &^ (align - 1)
			total += (n - 1) * step
		}
		if total > vm.MaxSmallInt {
			f.v.RaiseNoMemory(total)
		}
	}
	return items, total
}

// skewOf is how far a buffer is off the alignment of the native layout. v1.12
// aligns within the buffer, whatever its address.
func skewOf(v *vm.VM, b []byte) int {
	if v.Options().V12 {
		return 0
	}
	return v.Misalignment(b)
}

// place returns the bytes of the next value at *pos. In the native layout its
// address is aligned; skew is how far the buffer itself is off.
func (f *format) place(b []byte, pos *int, code byte, skew int) []byte {
	size, align := f.v.BinarySize(f.layout, code)
	at := *pos
	if f.layout == '@' {
		at = (at+skew+align-1)&^(align-1) - skew
	}
	if at+size > len(b) {
		tooSmall(f.v)
	}
	*pos = at + size
	return b[at : at+size]
}

func tooSmall(v *vm.VM) { v.RaiseMsg(vm.TypeValueError, "buffer too small") }

func structCalcsize(v *vm.VM, fmtIn vm.Value) vm.Value {
	_, n := newFormat(v, v.StrArg(fmtIn)).size()
	return vm.SmallInt(n)
}

// bufferAt applies an offset, which counts from the end if it is negative.
func bufferAt(v *vm.VM, b []byte, offset int) []byte {
	if offset < 0 {
		offset += len(b)
	}
	if offset < 0 || offset > len(b) {
		tooSmall(v)
	}
	return b[offset:]
}

func structUnpack(v *vm.VM, args []vm.Value) vm.Value {
	f := newFormat(v, v.StrArg(args[0]))
	n, total := f.size()
	t := v.NewTupleLen(n)
	b := v.Buffer(args[1], false)
	if len(args) > 2 {
		b = bufferAt(v, b, v.Int(args[2]))
	}
	if total > len(b) {
		tooSmall(v)
	}
	items := v.TupleItems(t)
	skew, pos := skewOf(v, b), 0
	for i := 0; i < n; {
		count, code := f.next()
		if code == 's' {
			if pos+count > len(b) { // where a misaligned buffer has moved it; C reads on
				tooSmall(v)
			}
			items[i] = v.NewBytes(b[pos : pos+count])
			pos += count
			i++
			continue
		}
		for ; count > 0; count-- {
			items[i] = v.UnpackValue(code, f.layout == '>', f.place(b, &pos, code, skew))
			i++
		}
	}
	return t
}

// pack writes values; what has no format or no value is left out.
func pack(v *vm.VM, f format, b []byte, vals []vm.Value) {
	skew, pos := skewOf(v, b), 0
	for i := 0; i < len(vals) && len(f.s) > 0; {
		count, code := f.next()
		if code == 's' {
			src := v.Buffer(vals[i], false)
			i++
			if pos+count > len(b) {
				tooSmall(v)
			}
			clear(b[pos+copy(b[pos:pos+count], src) : pos+count])
			pos += count
			continue
		}
		for ; count > 0 && i < len(vals); count-- {
			v.PackValue(code, f.layout == '>', vals[i], f.place(b, &pos, code, skew))
			i++
		}
	}
}

func structPack(v *vm.VM, args []vm.Value) vm.Value {
	f := newFormat(v, v.StrArg(args[0]))
	_, n := f.size()
	s := v.NewVstrLen(uint32(n))
	clear(s.Bytes())
	pack(v, f, s.Bytes(), args[1:])
	return s.Object(vm.TypeBytes)
}

func structPackInto(v *vm.VM, args []vm.Value) vm.Value {
	b := bufferAt(v, v.Buffer(args[1], true), v.Int(args[2]))
	f := newFormat(v, v.StrArg(args[0]))
	if _, n := f.size(); n > len(b) {
		tooSmall(v)
	}
	pack(v, f, b, args[3:])
	return vm.None
}
