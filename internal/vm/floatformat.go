package vm

import "math"

// This file prints floats with formatfloat.c's arithmetic, in single precision:
// the digits that come out are those of MicroPython, not the nearest ones.

const (
	roundToOne  = float32(0.9999995)
	minFloatBuf = 6 // +9e+99
)

var (
	posPow = [6]float32{1e32, 1e16, 1e8, 1e4, 1e2, 1e1}
	negPow = [6]float32{1e-32, 1e-16, 1e-8, 1e-4, 1e-2, 1e-1}
)

func less1(f float32) bool { return math.Float32bits(f) < 0x3f800000 }

// formatFloat writes a number as mp_format_float does and returns its length,
// which is less than that of buf: 16 bytes (what the type itself uses) or more.
// format is e, f or g, or E, F or G, prec the number of digits (negative: 6),
// sign what goes before a positive number (0: nothing). What does not fit loses
// digits.
func formatFloat(buf []byte, f float32, format byte, prec int, sign byte) int {
	s := 0
	if math.Signbit(float64(f)) && f == f {
		buf[0] = '-'
		s = 1
		f = -f
	} else if sign != 0 {
		buf[0] = sign
		s = 1
	}
	upper := format & 0x20
	switch {
	case math.IsInf(float64(f), 0):
		buf[s], buf[s+1], buf[s+2] = 'I'^upper, 'N'^upper, 'F'^upper
		return s + 3
	case f != f:
		buf[s], buf[s+1], buf[s+2] = 'N'^upper, 'A'^upper, 'N'^upper
		return s + 3
	}
	w := floatWriter{buf: buf, s: s, room: len(buf) - 1 - s, eChar: 'E' | upper, prec: prec, f: f}
	if prec < 0 {
		w.prec = 6
	}
	w.asked = format | 0x20
	w.format = w.asked
	if w.asked == 'g' && w.prec == 0 {
		w.prec = 1
	}
	switch {
	case f == 0:
		w.layZero()
	case less1(f):
		w.laySmall()
	default:
		w.layLarge()
	}
	w.prec = max(w.prec, 0)
	switch w.format {
	case 'e':
		w.digits = w.prec + 1
	case 'g':
		w.prec = max(w.prec, 1)
		w.digits = w.prec
	}
	w.mantissa()
	if (w.asked != 'f' || w.e <= w.digits) && w.f >= 5 {
		w.roundUp()
	}
	w.finish()
	return w.s
}

// floatWriter is a number on its way into a buffer.
type floatWriter struct {
	buf    []byte
	s      int     // where the next byte goes
	room   int     // bytes for digits and exponent
	f      float32 // what is left, scaled to one digit before the point
	e      int     // decimal exponent, without sign
	eSign  byte    // 0: no exponent is printed
	eChar  byte
	asked  byte // the format asked for
	format byte // the one used
	prec   int
	digits int // to print
	dec    int // digits before the point, less one
}

func (w *floatWriter) put(c byte) {
	w.buf[w.s] = c
	w.s++
}

func (w *floatWriter) layZero() {
	if w.format == 'f' {
		w.prec = min(w.prec, w.room-2)
		w.digits = w.prec + 1
		return
	}
	w.prec = min(w.prec, w.room-6)
	if w.format == 'e' {
		w.eSign = '+'
	}
}

// laySmall scales a number below 1.
func (w *floatWriter) laySmall() {
	first := byte('0')
	if w.f >= roundToOne {
		first = '1'
	}
	for i, e1 := 0, 32; e1 != 0; i, e1 = i+1, e1/2 {
		if negPow[i] > w.f {
			w.e += e1
			w.f *= posPow[i]
		}
	}
	eSign := byte('-')
	if less1(w.f) {
		if w.f >= roundToOne {
			w.f = 1
			if w.e == 0 {
				eSign = '+'
			}
		} else {
			w.e++
			w.f *= 10
		}
	}
	if w.format != 'f' && (w.format != 'g' || w.e > 4) {
		w.eSign = eSign
		if w.prec > w.room-minFloatBuf {
			w.prec = w.room - minFloatBuf
			if w.format == 'g' {
				w.prec++
			}
		}
		return
	}
	w.format = 'f'
	w.dec = -1
	w.put(first)
	if w.asked == 'g' {
		w.prec += w.e - 1
	}
	w.prec = min(w.prec, w.room-2)
	w.digits = w.prec
	if w.digits != 0 {
		w.put('.')
		for w.e--; w.e != 0 && w.digits != 0; w.e-- {
			w.put('0')
			w.digits--
		}
	}
}

// layLarge scales a number of 1 or more.
func (w *floatWriter) layLarge() {
	for i, e1 := 0, 32; e1 != 0; i, e1 = i+1, e1/2 {
		if posPow[i] <= w.f {
			w.e += e1
			w.f *= negPow[i]
		}
	}
	if int32(w.f) >= 10 {
		w.e++
		w.f *= 0.1
	}
	if w.format == 'f' {
		if w.e >= w.room {
			w.format = 'e'
		} else if w.e+w.prec+2 > w.room {
			w.prec = w.room - w.e - 2
			if w.prec < 0 {
				w.prec++ // no point then, which leaves room for a digit
			}
		}
	}
	if w.format == 'e' {
		w.prec = min(w.prec, w.room-minFloatBuf)
	}
	if w.format == 'g' {
		w.prec = min(w.prec, w.room-(minFloatBuf-1))
		if w.e < w.prec {
			w.format = 'f'
			w.prec -= w.e + 1
		}
	}
	if w.format == 'f' {
		w.dec = w.e
		w.digits = w.prec + w.e + 1
	} else {
		w.eSign = '+'
	}
}

func (w *floatWriter) mantissa() {
	for i := 0; i < w.digits; i++ {
		d := int32(w.f)
		if d < 0 {
			w.put('0')
		} else {
			w.put('0' + byte(d))
		}
		if w.dec == 0 && w.prec > 0 {
			w.put('.')
		}
		w.dec--
		w.f -= float32(d)
		w.f *= 10
	}
}

// roundUp adds one to the last digit printed.
func (w *floatWriter) roundUp() {
	rs := w.s - 1
	for {
		c := w.buf[rs]
		if c == '.' {
			rs--
			continue
		}
		if c < '0' || c > '9' {
			rs++ // behind the sign
			break
		}
		if c < '9' {
			w.buf[rs]++
			break
		}
		w.buf[rs] = '0'
		if rs == 0 {
			break
		}
		rs--
	}
	if w.buf[rs] != '0' {
		return
	}
	// all nines: a 1 goes in front
	if w.buf[rs+1] == '.' && w.format != 'f' {
		w.buf[rs], w.buf[rs+1] = '.', '0'
		if w.eSign == '-' {
			if w.e--; w.e == 0 {
				w.eSign = '+'
			}
		} else {
			w.e++
		}
	} else {
		w.s++
	}
	copy(w.buf[rs+1:w.s+1], w.buf[rs:w.s])
	w.buf[rs] = '1'
}

// finish removes zeros at the end and writes the exponent.
func (w *floatWriter) finish() {
	if w.asked == 'g' && w.prec > 0 {
		for w.buf[w.s-1] == '0' {
			w.s--
		}
		if w.buf[w.s-1] == '.' {
			w.s--
		}
	}
	if w.eSign != 0 {
		w.put(w.eChar)
		w.put(w.eSign)
		w.put('0' + byte(w.e/10%10))
		w.put('0' + byte(w.e%10))
	}
}

// PrintFloat prints a number in a field; format is e, f or g, or E, F or G, prec the
// number of digits (negative: 6).
func (p *Printer) PrintFloat(f float32, format byte, flags PrintFlags, fill byte, width, prec int) {
	sign := byte(0)
	if flags&PrintSign != 0 {
		sign = '+'
	} else if flags&PrintSpaceSign != 0 {
		sign = ' '
	}
	n := formatFloat(p.num[:32], f, format, prec, sign)
	if flags&PrintPercent != 0 && n+1 < 32 {
		p.num[n] = '%'
		n++
	}
	text := p.num[:n]
	if flags&PrintPadAfterSign != 0 && text[0] < '0' {
		p.Bytes(text[:1])
		text = text[1:]
		width--
	}
	p.Padded(text, flags, fill, width)
}
