package pylib

import (
	"hash/crc32"

	"github.com/skep-sim/skep/internal/vm"
)

// Binascii declares module ubinascii.
func Binascii(fw *vm.Firmware) {
	m := fw.Module("ubinascii")
	m.Add("hexlify", fw.FuncV("hexlify", 1, 2, hexlify))
	m.Add("unhexlify", fw.Func1("unhexlify", unhexlify))
	m.Add("a2b_base64", fw.Func1("a2b_base64", a2bBase64))
	m.Add("b2a_base64", fw.Func1("b2a_base64", b2aBase64))
	if fw.Options.CRC32 {
		m.Add("crc32", fw.FuncV("crc32", 1, 2, binasciiCRC32))
	}
	weakLink(fw, "binascii", m)
}

const hexDigits = "0123456789abcdef"

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func hexlify(v *vm.VM, args []vm.Value) vm.Value {
	b := v.Buffer(args[0], false)
	if len(b) == 0 {
		return vm.EmptyBytes
	}
	n := 2 * len(b)
	step, sep := 2, byte(0)
	if len(args) > 1 {
		n += len(b) - 1
		step = 3
		if s := v.StrArg(args[1]); len(s) > 0 {
			sep = s[0]
		}
	}
	out := v.NewVstrLen(uint32(n))
	to := out.Bytes()
	for i, c := range b {
		at := i * step
		to[at], to[at+1] = hexDigits[c>>4], hexDigits[c&15]
		if step == 3 && i < len(b)-1 {
			to[at+2] = sep
		}
	}
	return out.Object(vm.TypeBytes)
}

// hexValue returns the value of a hexadecimal digit, or -1.
func hexValue(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

func unhexlify(v *vm.VM, data vm.Value) vm.Value {
	b := v.Buffer(data, false)
	if len(b)&1 != 0 {
		v.RaiseMsg(vm.TypeValueError, "odd-length string")
	}
	out := v.NewVstrLen(uint32(len(b) / 2))
	to := out.Bytes()
	for i := range to {
		hi, lo := hexValue(b[2*i]), hexValue(b[2*i+1])
		if hi < 0 || lo < 0 {
			v.RaiseMsg(vm.TypeValueError, "non-hex digit found")
		}
		to[i] = byte(hi<<4 | lo)
	}
	return out.Object(vm.TypeBytes)
}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// sextet returns the value of a base 64 digit, or -1.
func sextet(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 26
	case isDigit(c):
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}

// a2bBase64 skips what is no digit. The padding ends the data wherever it
// comes at the right place.
func a2bBase64(v *vm.VM, data vm.Value) vm.Value {
	b := v.Buffer(data, false)
	room := len(b)/4*3 + 1 // enough for all that is well padded
	out := v.NewVstr(uint32(room))
	shift, bits, padded := 0, 0, false
	for _, c := range b {
		if c == '=' {
			if bits == 2 || bits == 4 && padded {
				bits = 0
				break
			}
			padded = true
		}
		s := sextet(c)
		if s < 0 {
			continue
		}
		padded = false
		shift = (shift<<6 | s) & 0xffff
		bits += 6
		if bits >= 8 {
			bits -= 8
			if out.Len() < room {
				out.WriteByte(byte(shift >> bits))
			}
		}
	}
	if bits != 0 {
		v.RaiseMsg(vm.TypeValueError, "incorrect padding")
	}
	return out.Object(vm.TypeBytes)
}

func b2aBase64(v *vm.VM, data vm.Value) vm.Value {
	b := v.Buffer(data, false)
	out := v.NewVstrLen(uint32((len(b)+2)/3*4 + 1))
	to := out.Bytes()
	for ; len(b) > 0; to = to[4:] {
		var g [3]byte
		n := copy(g[:], b)
		b = b[n:]
		to[0] = base64Digits[g[0]>>2]
		to[1] = base64Digits[g[0]&3<<4|g[1]>>4]
		to[2], to[3] = '=', '='
		if n > 1 {
			to[2] = base64Digits[g[1]&15<<2|g[2]>>6]
		}
		if n > 2 {
			to[3] = base64Digits[g[2]&63]
		}
	}
	to[0] = '\n'
	return out.Object(vm.TypeBytes)
}

func binasciiCRC32(v *vm.VM, args []vm.Value) vm.Value {
	b := v.Buffer(args[0], false)
	crc := uint32(0)
	if len(args) > 1 {
		crc = uint32(v.IntTruncated(args[1]))
	}
	return v.NewUint(uint64(crc32.Update(crc, crc32.IEEETable, b)))
}
