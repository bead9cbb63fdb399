package mpy

import (
	"bytes"
	"testing"
)

func TestTable(t *testing.T) {
	seen := map[Op]bool{}
	for _, row := range opTable {
		if seen[row.Op] {
			t.Errorf("%v is in the table twice", row.Op)
		}
		seen[row.Op] = true
		if row.Codes[1] != 0 && row.Codes[1] != byte(row.Op) {
			t.Errorf("%v is %#02x in version 4, not its own value", row.Op, row.Codes[1])
		}
	}
	for version := 3; version <= 5; version++ {
		g := GenerationOf(version)
		owner := map[int]Op{}
		for _, row := range opTable {
			first := int(row.Codes[version-3])
			if first == 0 {
				continue
			}
			for code := first; code < first+g.span(row.Operand); code++ {
				if other, ok := owner[code]; ok {
					t.Errorf("version %d: %#02x is both %v and %v", version, code, other, row.Op)
				}
				owner[code] = row.Op
			}
		}
	}
}

// What the .mpy loader steps over is what the decoder does, but for the byte
// after UNWIND_JUMP in versions 3 and 4.
func TestShapes(t *testing.T) {
	for version := 3; version <= 5; version++ {
		g := GenerationOf(version)
		for code := range 256 {
			info := g.infos[code]
			if info == nil {
				continue
			}
			block := []byte{byte(code), 1, 2, 3}
			_, next, err := g.Decode(block, 0)
			if err != nil {
				t.Fatalf("version %d: %#02x: %v", version, code, err)
			}
			w := &writer{gen: g}
			step, named := w.step(block, 0)
			if info.Operand == OperandJumpByte && version < 5 {
				step++
			}
			if step != next || named != (info.Operand == OperandName) {
				t.Errorf("version %d: %v: loader steps %d (name: %v), decoder %d", version, info.Op, step, named, next)
			}
		}
	}
}

func TestAppendDecode(t *testing.T) {
	args := map[Operand][]int{
		OperandNone:        {0},
		OperandByte:        {0, 2, 255},
		OperandUint:        {0, 1, 127, 128, 0x3fff, 0x4000, 0xffff, 1<<31 - 1},
		OperandInt:         {0, 1, -1, 63, 64, -64, -65, 8191, 8192, -8192, -8193, 1<<30 - 1, -1 << 30},
		OperandName:        {0, 255, 256, 65535},
		OperandJump:        {0, 1, -1, 255, 256, -256, 0x7fff, -0x8000},
		OperandForward:     {0, 255, 256, 65535},
		OperandMultiInt:    {-16, 0, 47},
		OperandMultiLocal:  {0, 15},
		OperandMultiUnary:  {0, int(UnaryNot)},
		OperandMultiBinary: {0, int(BinaryInplaceFloorDivide), int(BinaryPower)},
	}
	args[OperandLocal], args[OperandObject], args[OperandChild], args[OperandChildByte] =
		args[OperandUint], args[OperandUint], args[OperandUint], args[OperandUint]
	args[OperandJumpByte] = args[OperandJump]
	for version := 3; version <= 5; version++ {
		g := GenerationOf(version)
		for _, row := range opTable {
			if g.Code(row.Op) == 0 {
				continue
			}
			for _, arg := range args[row.Operand] {
				want := Instr{Op: row.Op, Arg: arg}
				if row.Operand == OperandChildByte || row.Operand == OperandJumpByte {
					want.Extra = 0x83
				}
				code := g.Append([]byte{0xaa}, want)
				got, next, err := g.Decode(code, 1)
				if err != nil || got != want || next != len(code) {
					t.Errorf("version %d: %+v: encoded as %x, decoded as %+v up to %d: %v", version, want, code[1:], got, next, err)
				}
				for cut := 1; cut < len(code); cut++ {
					if _, _, err := g.Decode(code[:cut], 1); err == nil {
						t.Errorf("version %d: %+v: cut at %d, still decoded", version, want, cut)
					}
				}
			}
		}
	}
}

// Operations that one generation spells in another way, and the operators of
// version 5 that are its own.
func TestGenerationsDiffer(t *testing.T) {
	for n, want := range []byte{0x64, 0x65, 0x66} {
		if got := GenerationOf(5).Append(nil, Instr{Op: OpRaiseVarargs, Arg: n}); !bytes.Equal(got, []byte{want}) {
			t.Errorf("raise with %d arguments in version 5: %x", n, got)
		}
	}
	for _, c := range []struct {
		version int
		op      BinaryOp
		want    byte
	}{
		{4, BinaryInplaceMultiply, 0xe7}, {4, BinaryInplaceFloorDivide, 0xe8}, {4, BinaryPower, 0xf7},
		{5, BinaryInplaceMultiply, 0xe7}, {5, BinaryInplaceMatMultiply, 0xe8}, {5, BinaryInplaceFloorDivide, 0xe9},
		{5, BinaryMatMultiply, 0xf5}, {5, BinaryPower, 0xf9},
	} {
		got := GenerationOf(c.version).Append(nil, Instr{Op: OpBinaryOpMulti, Arg: int(c.op)})
		if !bytes.Equal(got, []byte{c.want}) {
			t.Errorf("version %d: %v is %x, want %x", c.version, c.op, got, c.want)
		}
	}
	if GenerationOf(2) != nil || GenerationOf(6) != nil {
		t.Error("there are generations 2 and 6")
	}
}

func TestOperatorNames(t *testing.T) {
	for op := BinaryOp(0); op <= BinaryMatMultiply; op++ {
		if op.String() == "" || op.String() == "?" {
			t.Errorf("binary operator %d has no name", op)
		}
	}
	for op := UnaryOp(0); op < UnaryNumBytecode; op++ {
		if op.String() == "" || op.String() == "?" {
			t.Errorf("unary operator %d has no name", op)
		}
	}
}

func TestPreludeRoundTrip(t *testing.T) {
	sizes := []int{0, 1, 2, 3, 4, 7, 8, 63, 64, 127, 128, 200}
	for _, n := range sizes {
		for _, k := range sizes {
			for flags := byte(0); flags < 16; flags++ {
				want := Prelude{NState: n + 1, NExcStack: k, ScopeFlags: flags, NumPos: k, NumKwOnly: n, NumDefPos: k / 2}
				lines := AppendLine(nil, n, k)
				code := want.AppendSignature(nil, 5)
				code = AppendSizes(code, 4+len(lines)+1, n)
				code = append(code, 1, 2, 3, 4)
				code = append(append(code, lines...), 0)
				code = append(code, make([]byte, n)...)
				got, err := ParsePrelude(code, 5)
				if err != nil {
					t.Fatalf("%+v: %v", want, err)
				}
				if got.CodeOffset != len(code) || got.NumCells != n || got.Name(code) != 0x201 || got.SourceFile(code) != 0x403 {
					t.Fatalf("%+v: parsed as %+v", want, got)
				}
				if got.NState != want.NState || got.NExcStack != k || got.ScopeFlags != flags || got.NumPos != k || got.NumKwOnly != n || got.NumDefPos != k/2 {
					t.Fatalf("%+v: parsed as %+v", want, got)
				}
			}
		}
	}
}

func TestLines(t *testing.T) {
	// After so many bytes, so many lines on.
	steps := []struct{ bytes, lines int }{{0, 1}, {5, 3}, {40, 6}, {3, 7}, {16, 7}, {100, 3000}, {15, 2047}, {1, 1}}
	var table []byte
	for _, s := range steps {
		table = AppendLine(table, s.bytes, s.lines)
	}
	table = append(table, 0)
	p := Prelude{LineOffset: 0, CellOffset: len(table), LineBase: 1000}
	at, line := 1000, 1
	for _, s := range steps {
		if s.bytes > 0 {
			if got := p.LineOf(table, at+s.bytes-1); got != line {
				t.Errorf("line at %d: %d, want %d", at+s.bytes-1, got, line)
			}
		}
		at += s.bytes
		line += s.lines
		if got := p.LineOf(table, at); got != line {
			t.Errorf("line at %d: %d, want %d", at, got, line)
		}
	}
}

func TestCompilerNames(t *testing.T) {
	for _, c := range []struct {
		version, first int
		known          map[string]uint16
	}{
		{3, 246, map[string]uint16{"": 1, "__add__": 2, "zip": 245}},
		{4, 337, map[string]uint16{"": 1, "__dir__": 2, "<module>": 7, "zip": 165, "__add__": 166, "xor": 336}},
		{5, 338, map[string]uint16{"": 1, "zip": 165, "__anext__": 170, "__bases__": 171, "__bool__": 172, "xor": 337}},
	} {
		names := NewCompilerNames(c.version)
		for s, want := range c.known {
			if got := names.ID(s); got != want {
				t.Errorf("version %d: %q is %d, want %d", c.version, s, got, want)
			}
		}
		if names.Interned("test.py") {
			t.Errorf("version %d knows a name it never met", c.version)
		}
		if err := names.Intern("test.py"); err != nil || names.ID("test.py") != uint16(c.first) {
			t.Errorf("version %d: the first name met is %d, want %d: %v", c.version, names.ID("test.py"), c.first, err)
		}
		if err := names.Intern(string(make([]byte, 256))); err == nil {
			t.Error("a name of 256 bytes is taken")
		}
	}
}
