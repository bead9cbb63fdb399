package pymod

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/skep-sim/skep/internal/vm"
)

// A UUID object is its type, the length of the value and the value, least byte
// first as Bluetooth has it (upstream's ubluetooth.UUID; the order is a choice).
const (
	uuidBytes = 24
	uuidLen   = 4
	uuidValue = 8
)

// uuidDigits are the places of the hyphens in a UUID of 128 bits.
const uuidForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"

// bleUUID declares class UUID.
func bleUUID(fw *vm.Firmware) vm.Value {
	var t *vm.Type
	value := func(v *vm.VM, o vm.Value) []byte {
		b := v.Bytes[o:]
		return b[uuidValue : uuidValue+int(b[uuidLen])]
	}
	t = fw.NewType("UUID", &vm.Type{
		New: func(v *vm.VM, typ vm.Value, args, kw []vm.Value) vm.Value {
			v.CheckArgs(args, kw, 1, 1)
			raw := parseUUID(v, args[0])
			o := v.Alloc(uuidBytes)
			v.Mem[o/4] = typ
			v.Bytes[o+uuidLen] = byte(len(raw))
			copy(v.Bytes[o+uuidValue:], raw)
			return vm.Value(o)
		},
		Print: func(v *vm.VM, p *vm.Printer, self vm.Value, kind vm.PrintKind) {
			p.String("UUID(" + uuidText(value(v, self)) + ")")
		},
		Unary: func(v *vm.VM, op vm.UnaryOp, self vm.Value) vm.Value {
			switch op {
			case vm.UnaryLen:
				return vm.SmallInt(len(value(v, self)))
			case vm.UnaryHash:
				return vm.SmallInt(int(v.HashBytes(value(v, self))))
			case vm.UnaryBool:
				return vm.True
			}
			return vm.Null
		},
		Binary: func(v *vm.VM, op vm.BinaryOp, lhs, rhs vm.Value) vm.Value {
			if op != vm.BinEqual || v.TypeOf(rhs) != t.Value() {
				return vm.Null
			}
			return vm.Bool(slices.Equal(value(v, lhs), value(v, rhs)))
		},
		Buffer: func(v *vm.VM, self vm.Value, write bool) ([]byte, byte, bool) {
			return value(v, self), 'B', !write
		},
	})
	return t.Value()
}

// parseUUID reads an int of 16 bits, or text: 0x1234 or one of 128 bits.
func parseUUID(v *vm.VM, x vm.Value) []byte {
	if v.IsInt(x) {
		n := v.Int(x)
		if n < 0 || n > 0xFFFF {
			v.RaiseMsg(vm.TypeValueError, "invalid UUID")
		}
		return binary.LittleEndian.AppendUint16(nil, uint16(n))
	}
	s := strings.ToLower(string(v.StrArg(x)))
	digits, short := strings.CutPrefix(s, "0x")
	switch {
	case short && len(digits) == 4:
	case !short && len(s) == len(uuidForm):
		for i := range uuidForm {
			if (uuidForm[i] == '-') != (s[i] == '-') {
				v.RaiseMsg(vm.TypeValueError, "invalid UUID")
			}
		}
		digits = strings.ReplaceAll(s, "-", "")
	default:
		v.RaiseMsg(vm.TypeValueError, "invalid UUID")
	}
	raw, err := hex.DecodeString(digits)
	if err != nil {
		v.RaiseMsg(vm.TypeValueError, "invalid UUID")
	}
	slices.Reverse(raw)
	return raw
}

// uuidText is the value as a literal.
func uuidText(raw []byte) string {
	raw = slices.Clone(raw)
	slices.Reverse(raw)
	s := hex.EncodeToString(raw)
	if len(raw) == 2 {
		return "0x" + s
	}
	return "'" + s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:] + "'"
}
