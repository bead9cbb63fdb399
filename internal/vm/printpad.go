package vm

// This file is mp_print_strn: printing a piece of text into a field.

// PrintFlags say how a number or a text is laid out in its field.
type PrintFlags uint16

// The flags of formatted printing.
const (
	PrintLeft PrintFlags = 1 << iota
	PrintSign
	PrintSpaceSign
	_
	PrintPrefix
	PrintComma
	PrintPadAfterSign
	PrintCenter
	PrintPercent
	PrintOctalLetter
)

const (
	padSpaces = "                "
	padZeroes = "0000000000000000"
)

// Padded prints b in a field of width bytes, to the right unless flags say
// otherwise. Padding with blanks or zeroes is written in pieces of 16, with any
// other character one at a time, since a buffer grows piece by piece.
func (p *Printer) Padded(b []byte, flags PrintFlags, fill byte, width int) {
	left, right := 0, 0
	pad := width - len(b)
	switch {
	case flags&PrintCenter != 0:
		left = pad / 2
		right = pad - left
	case flags&PrintLeft != 0:
		right = pad
	default:
		left = pad
	}
	p.pad(left, fill)
	if len(b) > 0 {
		p.out(b)
	}
	p.pad(right, fill)
}

// paddedByte is Padded for one byte.
func (p *Printer) paddedByte(c byte, flags PrintFlags, fill byte, width int) {
	p.num[0] = c
	p.Padded(p.num[:1], flags, fill, width)
}

func (p *Printer) pad(n int, fill byte) {
	for n > 0 {
		switch fill {
		case 0, ' ':
			p.String(padSpaces[:min(n, len(padSpaces))])
			n -= len(padSpaces)
		case '0':
			p.String(padZeroes[:min(n, len(padZeroes))])
			n -= len(padZeroes)
		default:
			p.Byte(fill)
			n--
		}
	}
}
