package mpy

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Disassemble writes a listing of a module: for each function its signature
// and frame, then each instruction with its source line (where a new one
// starts), its offset in the code block, ">" where a jump leads to it, and
// its operand in words. Damaged code is listed as far as it can be read. The
// error is w's.
func Disassemble(w io.Writer, m *Module) error {
	out := bufio.NewWriter(w)
	d := &lister{out: out, mod: m, gen: GenerationOf(m.Version)}
	if d.gen == nil {
		fmt.Fprintf(out, ".mpy version %d, which is not known\n", m.Version)
		return out.Flush()
	}
	bits, unicode := m.SmallIntBits, ""
	if bits == 0 {
		bits = 31
	}
	if m.Unicode {
		unicode = ", unicode strings"
	}
	fmt.Fprintf(out, ".mpy version %d (MicroPython %s), small ints of %d bits%s\n", m.Version, releaseOf(m.Version), bits, unicode)
	d.function(m.Root, "", 0)
	return out.Flush()
}

// A lister writes the listing of one module.
type lister struct {
	out *bufio.Writer
	mod *Module
	gen *Generation
}

func (d *lister) name(n Name) string {
	if int(n) < len(d.mod.Names) {
		return d.mod.Names[n]
	}
	return fmt.Sprintf("name %d, which is missing", n)
}

// word gives a name as the listing shows it: as it is, or quoted where it
// would not be recognized.
func (d *lister) word(n Name) string {
	s := d.name(n)
	if s == "" || strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return strconv.Quote(s)
	}
	return s
}

// function lists one function and those inside it; outer is the path to it.
func (d *lister) function(rc *RawCode, outer string, depth int) {
	if rc == nil || depth > maxDepth {
		fmt.Fprintf(d.out, "\na function is missing here\n")
		return
	}
	p, err := rc.Prelude(d.mod.Version)
	if err != nil {
		fmt.Fprintf(d.out, "\ndamaged function: prelude: %v\n", err)
		return
	}
	path := d.word(p.Name(rc.Code))
	if outer != "" {
		path = outer + "." + path
	}
	fmt.Fprintf(d.out, "\n%s%s  in %s: %d bytes, %d slots, %d handlers\n",
		path, d.signature(rc, &p), d.word(p.SourceFile(rc.Code)), len(rc.Code), p.NState, p.NExcStack)
	if cells := p.Cells(rc.Code); len(cells) > 0 {
		fmt.Fprintf(d.out, "  cells:")
		for _, c := range cells {
			fmt.Fprintf(d.out, " %s", d.local(rc, int(c)))
		}
		fmt.Fprintln(d.out)
	}
	d.instructions(rc, &p)
	for _, child := range rc.Children {
		d.function(child, path, depth+1)
	}
}

// signature shows the arguments the way a def statement would.
func (d *lister) signature(rc *RawCode, p *Prelude) string {
	var args []string
	for i, n := range rc.ArgNames {
		arg := d.word(n)
		if i < p.NumPos && i >= p.NumPos-p.NumDefPos {
			arg += "=..."
		}
		if i == p.NumPos && p.ScopeFlags&ScopeVarArgs == 0 {
			args = append(args, "*")
		}
		if i == p.NumPos && p.ScopeFlags&ScopeVarArgs != 0 {
			args = append(args, "*args")
		}
		args = append(args, arg)
	}
	if len(rc.ArgNames) == p.NumPos && p.ScopeFlags&ScopeVarArgs != 0 {
		args = append(args, "*args")
	}
	if p.ScopeFlags&ScopeVarKeywords != 0 {
		args = append(args, "**kwargs")
	}
	s := "(" + strings.Join(args, ", ") + ")"
	if p.ScopeFlags&ScopeGenerator != 0 {
		s += " generator"
	}
	return s
}

func (d *lister) local(rc *RawCode, n int) string {
	if n < len(rc.ArgNames) {
		return fmt.Sprintf("%d (%s)", n, d.word(rc.ArgNames[n]))
	}
	return strconv.Itoa(n)
}

// instructions lists a function's instructions.
func (d *lister) instructions(rc *RawCode, p *Prelude) {
	targets := d.targets(rc, p)
	line := 0
	for at := p.CodeOffset; at < len(rc.Code); {
		in, next, err := d.gen.Decode(rc.Code, at)
		if err != nil {
			fmt.Fprintf(d.out, "      %5d    %#02x: %v\n", at, rc.Code[at], err)
			return
		}
		where := ""
		if l := p.LineOf(rc.Code, at); l != line {
			line = l
			where = strconv.Itoa(l)
		}
		mark := " "
		if targets[at] {
			mark = ">"
		}
		text := fmt.Sprintf("%5s %5d %s  %-22s %s", where, at, mark, in.Op, d.operand(rc, in, next))
		fmt.Fprintln(d.out, strings.TrimRight(text, " "))
		at = next
	}
}

// targets finds the offsets that jumps lead to.
func (d *lister) targets(rc *RawCode, p *Prelude) map[int]bool {
	targets := map[int]bool{}
	for at := p.CodeOffset; at < len(rc.Code); {
		in, next, err := d.gen.Decode(rc.Code, at)
		if err != nil {
			break
		}
		if to, ok := in.target(next); ok {
			targets[to] = true
		}
		at = next
	}
	return targets
}

// target gives the offset that an instruction can go on at, other than next,
// the offset behind it.
func (in Instr) target(next int) (to int, ok bool) {
	info := in.Op.Info()
	if info == nil {
		return 0, false
	}
	switch info.Operand {
	case OperandJump, OperandForward:
		return next + in.Arg, true
	case OperandJumpByte:
		return next - 1 + in.Arg, true
	}
	return 0, false
}

// operand shows an instruction's operand in words.
func (d *lister) operand(rc *RawCode, in Instr, next int) string {
	to, _ := in.target(next)
	switch in.Op.Info().Operand {
	case OperandNone:
		return ""
	case OperandName:
		if in.Op == OpLoadConstString {
			return strconv.Quote(d.name(Name(in.Arg)))
		}
		return d.word(Name(in.Arg))
	case OperandLocal, OperandMultiLocal:
		return d.local(rc, in.Arg)
	case OperandObject:
		return d.object(rc, in.Arg-len(rc.ArgNames))
	case OperandChild:
		return d.child(rc, in.Arg)
	case OperandChildByte:
		return fmt.Sprintf("%s, %d cells", d.child(rc, in.Arg), in.Extra)
	case OperandJump, OperandForward:
		return "to " + strconv.Itoa(to)
	case OperandJumpByte:
		s := fmt.Sprintf("to %d, %d handlers", to, in.Extra&0x7f)
		if in.Extra&0x80 != 0 {
			s += ", out of a for loop"
		}
		return s
	case OperandMultiUnary:
		return UnaryOp(in.Arg).String()
	case OperandMultiBinary:
		return BinaryOp(in.Arg).String()
	}
	switch in.Op {
	case OpCallFunction, OpCallFunctionVarKw, OpCallMethod, OpCallMethodVarKw:
		return fmt.Sprintf("%d positional, %d keyword", in.Arg&0xff, in.Arg>>8)
	case OpUnpackEx:
		return fmt.Sprintf("%d before, %d after", in.Arg&0xff, in.Arg>>8)
	case OpStoreComp:
		return fmt.Sprintf("%s, %d deep", [...]string{"list", "dict", "set", "set"}[in.Arg&3], in.Arg>>2)
	}
	return strconv.Itoa(in.Arg)
}

func (d *lister) object(rc *RawCode, i int) string {
	if i < 0 || i >= len(rc.Objs) {
		return fmt.Sprintf("constant %d, which is missing", i)
	}
	switch o := &rc.Objs[i]; o.Kind {
	case ObjStr:
		return strconv.Quote(o.Text)
	case ObjBytes:
		return "b" + strconv.Quote(o.Text)
	case ObjEllipsis:
		return "..."
	default:
		return o.Text
	}
}

func (d *lister) child(rc *RawCode, i int) string {
	i -= len(rc.ArgNames) + len(rc.Objs)
	if i < 0 || i >= len(rc.Children) {
		return fmt.Sprintf("function %d, which is missing", i)
	}
	child := rc.Children[i]
	p, err := child.Prelude(d.mod.Version)
	if err != nil {
		return fmt.Sprintf("function %d, which is damaged", i)
	}
	return d.word(p.Name(child.Code))
}
