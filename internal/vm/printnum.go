package vm

// This file prints ints: objint.c's formatting and mpprint.c's fields.

// fixedNumBuf is the buffer that C has on its stack for the digits of an int;
// longer ones take a buffer from the heap for a while.
const fixedNumBuf = 16

// log2Floor is the floor of the binary logarithm of the bases 1 to 16.
var log2Floor = [16]uint32{0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4}

// intFormatSize is how large a buffer C takes for an int of so many bits.
func intFormatSize(bits uint32, base int, prefix string, comma byte) uint32 {
	digits := bits/log2Floor[base-1] + 1
	commas := uint32(0)
	if comma != 0 {
		commas = digits / 3
	}
	return digits + commas + uint32(len(prefix)) + 2
}

func intPrint(vm *VM, p *Printer, self Value, kind PrintKind) {
	text, block := p.formatInt(self, 10, "", 0, 0)
	p.Bytes(text)
	vm.Free(block)
}

// formatInt gives the digits of an int with sign and prefix. base is 2, 8, 10 or
// 16, baseChar 'a' or 'A', comma 0 or what goes between groups of three digits.
// The text lies in the printer, or in a block that the caller frees (0: none).
func (p *Printer) formatInt(v Value, base int, prefix string, baseChar, comma byte) (text []byte, block uint32) {
	vm := p.vm
	if !v.IsSmallInt() {
		return p.formatBig(v, base, prefix, baseChar, comma)
	}
	size := intFormatSize(wordBits, base, prefix, comma)
	buf := p.num[:]
	if size > fixedNumBuf {
		block = vm.Alloc(size)
		buf = vm.Bytes[block : block+size]
	}
	i := int64(v.SmallInt())
	n := uint64(i)
	if i < 0 {
		n = uint64(-i)
	}
	at := len(buf)
	group := 0
	for {
		at--
		buf[at] = digitChar(n%uint64(base), baseChar)
		n /= uint64(base)
		if n == 0 {
			break
		}
		if group++; comma != 0 && group%3 == 0 {
			at--
			buf[at] = comma
		}
	}
	at -= len(prefix)
	copy(buf[at:], prefix)
	if i < 0 {
		at--
		buf[at] = '-'
	}
	return buf[at:], block
}

func digitChar(d uint64, baseChar byte) byte {
	if d >= 10 {
		return byte(d) - 10 + baseChar
	}
	return '0' + byte(d)
}

// formatBig is formatInt of a big int. A number whose digits fill its groups
// gets a comma in front, as in MicroPython v1.11.
func (p *Printer) formatBig(v Value, base int, prefix string, baseChar, comma byte) (text []byte, block uint32) {
	vm := p.vm
	var z bigint
	vm.loadBig(&z, v)
	size := intFormatSize(16*z.n, base, prefix, comma)
	buf := p.num[:]
	if size > fixedNumBuf {
		block = vm.Alloc(size)
		buf = vm.Bytes[block : block+size]
	}
	if z.n == 0 {
		n := copy(buf, prefix)
		buf[n] = '0'
		return buf[:n+1], block
	}
	copied := vm.Alloc(2 * z.n)
	w := vm.limbs(copied, limbsFor(z.n))
	copy(w, z.w)
	at := len(buf)
	group := 0
	put := func(d uint64) {
		at--
		buf[at] = digitChar(d, baseChar)
		if group++; comma != 0 && group%3 == 0 {
			at--
			buf[at] = comma
		}
	}
	chunk, chunkLen := bigChunk(base)
	for len(w) > 0 {
		var r uint64
		if chunk == 0 { // all bits of a limb
			r = w[0]
			w = w[1:]
		} else {
			r = natDivWord(w, chunk)
			for len(w) > 0 && w[len(w)-1] == 0 {
				w = w[:len(w)-1]
			}
		}
		for i := 0; i < chunkLen && (len(w) > 0 || r != 0); i++ {
			put(r % uint64(base))
			r /= uint64(base)
		}
	}
	vm.Free(copied)
	at -= len(prefix)
	copy(buf[at:], prefix)
	if z.neg {
		at--
		buf[at] = '-'
	}
	return buf[at:], block
}

// bigChunk returns the highest power of a base in a limb, and its exponent; 0
// stands for 2**64.
func bigChunk(base int) (power uint64, digits int) {
	switch base {
	case 2:
		return 0, 64
	case 16:
		return 0, 16
	case 8:
		return 1 << 63, 21
	}
	return 1e19, 19
}

// PrintInt prints an int, or what converts to one, in a field: base is 2, 8, 10
// or 16, baseChar 'a' or 'A' the case of digits and prefix, prec the least
// number of digits.
func (p *Printer) PrintInt(v Value, base int, baseChar byte, flags PrintFlags, fill byte, width, prec int) {
	vm := p.vm
	if !vm.IsInt(v) {
		v = SmallInt(vm.Int(v))
	}
	if flags&(PrintLeft|PrintCenter) == 0 && fill == '0' {
		width = max(width, prec)
		prec = 0
	}
	var prefixBuf [3]byte
	prefix := vm.intPrefix(prefixBuf[:0], v, base, baseChar, flags)
	comma := byte(0)
	if flags&PrintComma != 0 {
		comma = ','
	}
	if prec > 1 {
		flags |= PrintPadAfterSign
	}
	inText := prefix
	if flags&PrintPadAfterSign != 0 {
		inText = ""
	}
	text, block := p.formatInt(v, base, inText, baseChar, comma)
	neg := false
	if flags&PrintPadAfterSign != 0 && text[0] == '-' {
		neg = true
		text = text[1:]
	}
	before, after := 0, 0
	if prec > 1 {
		used := max(len(text), prec)
		if neg {
			used++
		}
		if used += len(prefix); used < width {
			if flags&PrintLeft != 0 {
				after = width - used
			} else {
				before = width - used
			}
		}
		fill = '0'
		flags &^= PrintLeft
	}
	p.pad(before, ' ')
	if flags&PrintPadAfterSign != 0 {
		if neg {
			p.Byte('-')
			width--
		}
		if prefix != "" {
			p.String(prefix)
			width -= len(prefix)
		}
	}
	if prec > 1 {
		width = prec
	}
	p.Padded(text, flags, fill, width)
	p.pad(after, ' ')
	vm.Free(block)
}

// intPrefixes are all prefixes there are, so that none is put together anew.
var intPrefixes = [...]string{"", "+", " ", "0", "0b", "0B", "0o", "0O", "0x", "0X",
	"+0", "+0b", "+0B", "+0o", "+0O", "+0x", "+0X", " 0", " 0b", " 0B", " 0o", " 0O", " 0x", " 0X"}

func (vm *VM) intPrefix(b []byte, v Value, base int, baseChar byte, flags PrintFlags) string {
	if vm.intSign(v) >= 0 {
		if flags&PrintSign != 0 {
			b = append(b, '+')
		} else if flags&PrintSpaceSign != 0 {
			b = append(b, ' ')
		}
	}
	if flags&PrintPrefix != 0 {
		switch base {
		case 2:
			b = append(b, '0', baseChar+'b'-'a')
		case 8:
			b = append(b, '0')
			if flags&PrintOctalLetter != 0 {
				b = append(b, baseChar+'o'-'a')
			}
		case 16:
			b = append(b, '0', baseChar+'x'-'a')
		}
	}
	for _, s := range intPrefixes {
		if s == string(b) {
			return s
		}
	}
	return string(b)
}
