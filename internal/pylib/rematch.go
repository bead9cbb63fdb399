package pylib

import "github.com/skep-sim/skep/internal/vm"

// The C stack that one level of matching takes: a repetition nests once for each
// time it is tried, so long texts exhaust it. reFramePC is measured on the hosted
// reference, reFrameARM is an estimate.
const (
	reFramePC  = 64
	reFrameARM = 48
)

// matcher runs the code of an expression on a text.
type matcher struct {
	v    *vm.VM
	code []byte
	text []byte
	from int   // where the text begins: what ^ matches
	caps []int // offsets of the groups, -1: none
	cost int   // bytes of C stack of one level
	// steps counts instructions, so that an expression that never ends can be
	// stopped.
	steps int
}

const stepsPerPoll = 1 << 16

// run matches at the text's beginning, or, unless anchored, anywhere.
func (m *matcher) run(anchored bool) bool {
	for i := range m.caps {
		m.caps[i] = -1
	}
	pc := 0
	if anchored {
		pc = searchPrefix
	}
	return m.match(pc, m.from)
}

func (m *matcher) match(pc, sp int) bool {
	old := m.v.EnterNative(m.cost)
	ok := m.loop(pc, sp)
	m.v.LeaveNative(old)
	return ok
}

// jump returns the target of the jump whose operand is at pc.
func (m *matcher) jump(pc int) int { return pc + 1 + int(int8(m.code[pc])) }

func (m *matcher) loop(pc, sp int) bool {
	for {
		if m.steps++; m.steps%stepsPerPoll == 0 {
			m.v.CheckPending()
		}
		// jumps of very long expressions wrap around and can lead anywhere
		if pc < 0 || pc+1 >= len(m.code) && (pc >= len(m.code) || m.code[pc] != reMatch) {
			return false
		}
		op := m.code[pc]
		if op < reAsserts && sp >= len(m.text) {
			return false
		}
		pc++
		switch op {
		case reChar:
			if m.text[sp] != m.code[pc] {
				return false
			}
			pc++
			sp++
		case reAny:
			sp++
		case reClass, reClassNot:
			n := int(m.code[pc])
			pairs := m.code[pc+1:]
			if 2*n > len(pairs) || m.inClass(pairs[:2*n], m.text[sp]) != (op == reClass) {
				return false
			}
			pc += 1 + 2*n
			sp++
		case reNamedClass:
			if !inNamedClass(m.code[pc], m.text[sp]) {
				return false
			}
			pc++
			sp++
		case reMatch:
			return true
		case reJmp:
			pc = m.jump(pc)
		case reSplit:
			if m.match(pc+1, sp) {
				return true
			}
			pc = m.jump(pc)
		case reRSplit:
			if m.match(m.jump(pc), sp) {
				return true
			}
			pc++
		case reSave:
			i := int(m.code[pc])
			pc++
			if i >= len(m.caps) {
				continue
			}
			old := m.caps[i]
			m.caps[i] = sp
			if m.match(pc, sp) {
				return true
			}
			m.caps[i] = old
			return false
		case reBol:
			if sp != m.from {
				return false
			}
		case reEol:
			if sp != len(m.text) {
				return false
			}
		default:
			return false
		}
	}
}

// inClass reports whether c lies in one of the ranges, which compare as the C
// compiler's char does.
func (m *matcher) inClass(pairs []byte, c byte) bool {
	flip := byte(0)
	if !m.v.Options().ARM {
		flip = 0x80
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if c^flip >= pairs[i]^flip && c^flip <= pairs[i+1]^flip {
			return true
		}
	}
	return false
}

// inNamedClass reports whether c is in \d, \s, \w, or, for a capital, is not.
func inNamedClass(class, c byte) bool {
	in := false
	switch class | 0x20 {
	case 'd':
		in = isDigit(c)
	case 's':
		in = c == ' ' || c >= '\t' && c <= '\r'
	default:
		in = c|0x20 >= 'a' && c|0x20 <= 'z' || isDigit(c) || c == '_'
	}
	return in == (class&0x20 != 0)
}
