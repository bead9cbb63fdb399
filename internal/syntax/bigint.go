package syntax

import "math/big"

// number is a constant integer: a small int, or an object if big is set. It
// is computed as the device does, which decides by the operation and not by
// the value which of the two a result is.
type number struct {
	small int64
	big   *Const
}

const (
	digitBits  = 16
	digitMin   = 2 // digits in the smallest buffer
	digitsLong = 4 // digits for a 64-bit number
	bigBytes   = 16
	// maxBits is the widest integer that is computed where no Budget says no: upstream would
	// take half a minute to write one of that size in decimal digits.
	maxBits = 1 << 20
)

func (v number) sign() int {
	switch {
	case v.big != nil:
		return v.big.Int.Sign()
	case v.small > 0:
		return 1
	case v.small < 0:
		return -1
	}
	return 0
}

// value gives v's value, which must not be changed.
func (v number) value() *big.Int {
	if v.big != nil {
		return v.big.Int
	}
	return big.NewInt(v.small)
}

// length is how many digits the device uses for x.
func length(x *big.Int) int { return (x.BitLen() + digitBits - 1) / digitBits }

// newBig charges for an integer object whose digits are still to come.
func (p *parser) newBig() *Const {
	return &Const{Kind: ConstInt, Ref: p.alloc(bigBytes)}
}

// digits charges for room for n digits in c.
func (p *parser) digits(c *Const, n int) {
	n = max(n, digitMin)
	if c.Digits >= n {
		return
	}
	if c.DigitsRef == 0 {
		c.DigitsRef = p.alloc(2 * n)
	} else {
		c.DigitsRef = p.resize(c.DigitsRef, 2*n)
	}
	c.Digits = n
}

// fill stores c's value on the device.
func (p *parser) fill(c *Const) {
	if p.budget != nil && p.err == nil {
		c.Ref, p.err = p.budget.Object(c)
	}
}

// long makes an object of a value of at most 64 bits.
func (p *parser) long(v *big.Int) number {
	c := p.newBig()
	p.digits(c, digitsLong)
	c.Int = v
	p.fill(c)
	return number{big: c}
}

// fits tells whether v is in the range of small ints.
func (p *parser) fits(v int64) bool {
	limit := int64(1) << (p.opts.SmallIntBits - 1)
	return -limit <= v && v < limit
}

// short makes a small int of v if it is one.
func (p *parser) short(v int64) number {
	if p.fits(v) {
		return number{small: v}
	}
	return p.long(big.NewInt(v))
}

// unary computes +v, -v or ~v.
func (p *parser) unary(op Token, v number) number {
	if v.big == nil {
		switch op {
		case TokOpMinus:
			return p.short(-v.small)
		case TokOpTilde:
			return number{small: ^v.small}
		}
		return v
	}
	if op == TokOpPlus {
		return v
	}
	x := v.big.Int
	c := p.newBig()
	p.digits(c, length(x))
	if op == TokOpMinus {
		c.Int = new(big.Int).Neg(x)
	} else {
		if x.Sign() >= 0 {
			p.digits(c, length(x)+1)
		}
		c.Int = new(big.Int).Not(x)
	}
	p.fill(c)
	return number{big: c}
}

// binary computes v op w, which are such that it can be. It tells whether it
// succeeded; if not, the parser has failed.
func (p *parser) binary(op Token, v, w number) (number, bool) {
	if v.big == nil && w.big == nil {
		r, ok := p.binarySmall(op, v.small, w.small)
		if ok {
			return r, p.err == nil
		}
		// The device goes on with an object for the left operand.
		v = p.long(big.NewInt(v.small))
	}
	return p.binaryBig(op, v.value(), w.value(), w.big == nil)
}

// binarySmall computes with small ints. False means that the result overflows
// on the way.
func (p *parser) binarySmall(op Token, v, w int64) (number, bool) {
	word := int64(p.opts.SmallIntBits + 1)
	limit := int64(1) << (p.opts.SmallIntBits - 1)
	switch op {
	case TokOpPipe:
		return number{small: v | w}, true
	case TokOpCaret:
		return number{small: v ^ w}, true
	case TokOpAmpersand:
		return number{small: v & w}, true
	case TokOpDblLess:
		if w >= word || v > (limit-1)>>w || v < -limit>>w {
			return number{}, false
		}
		// -1 shifted to the sign of the word passes the check without fitting.
		return p.short(v << w), true
	case TokOpDblMore:
		return number{small: v >> min(w, word-1)}, true
	case TokOpPlus:
		return p.short(v + w), true
	case TokOpMinus:
		return p.short(v - w), true
	case TokOpStar:
		if v != 0 && w != 0 {
			r := v * w
			if r/w != v || !p.fits(r) {
				return number{}, false
			}
		}
		return number{small: v * w}, true
	case TokOpDblSlash:
		q := v / w
		if v%w != 0 && (v < 0) != (w < 0) {
			q--
		}
		return p.short(q), true
	}
	m := v % w
	if m != 0 && (m < 0) != (w < 0) {
		m += w
	}
	return p.short(m), true
}

// binaryBig computes with objects; short tells that y is a small int.
func (p *parser) binaryBig(op Token, x, y *big.Int, short bool) (number, bool) {
	c := p.newBig()
	lx, ly := length(x), length(y)
	longer := max(lx, ly)
	r := new(big.Int)
	switch op {
	case TokOpPlus, TokOpMinus:
		same := (x.Sign() < 0) == (y.Sign() < 0)
		if op == TokOpPlus {
			r.Add(x, y)
		} else {
			r.Sub(x, y)
			same = !same
		}
		if same {
			longer++
		}
		p.digits(c, longer)
	case TokOpStar:
		if lx != 0 && ly != 0 {
			p.digits(c, lx+ly)
		}
		if p.tooLong(x.BitLen() + y.BitLen()) {
			return number{}, false
		}
		r.Mul(x, y)
	case TokOpDblSlash, TokOpPercent:
		p.divide(c, op, x, y, r)
	case TokOpPipe, TokOpAmpersand, TokOpCaret:
		nx, ny := x.Sign() < 0, y.Sign() < 0
		switch op {
		case TokOpPipe:
			r.Or(x, y)
		case TokOpAmpersand:
			r.And(x, y)
		default:
			r.Xor(x, y)
		}
		if nx || ny {
			longer++
		}
		p.digits(c, longer)
	case TokOpDblLess, TokOpDblMore:
		if !p.shift(c, op, x, y, r) {
			return number{}, false
		}
	}
	if p.err != nil {
		return number{}, false
	}
	c.Int = r
	p.fill(c)
	return number{big: c}, p.err == nil
}

// divide computes a floor division or its remainder into c and r.
func (p *parser) divide(c *Const, op Token, x, y, r *big.Int) {
	quo, rem := new(big.Int).QuoRem(x, y, new(big.Int))
	// One of quotient and remainder is kept, the other one given back.
	other := &Const{}
	cq, cr := c, other
	if op == TokOpPercent {
		cq, cr = other, c
	}
	p.digits(cq, length(x)+1)
	p.digits(cr, length(x)+1)
	if (x.Sign() < 0) != (y.Sign() < 0) && rem.Sign() != 0 {
		// The device rounds afterwards, and forgets the -1 it adds.
		p.digits(&Const{}, digitMin)
		one := big.NewInt(1)
		p.digits(cq, max(length(quo), 1)+1)
		p.digits(cr, max(length(rem), length(y)))
		quo.Sub(quo, one)
		rem.Add(rem, y)
	}
	p.drop(other.DigitsRef)
	if op == TokOpPercent {
		r.Set(rem)
	} else {
		r.Set(quo)
	}
}

// shift computes x << y or x >> y into c and r.
func (p *parser) shift(c *Const, op Token, x, y, r *big.Int) bool {
	wordBits := p.opts.SmallIntBits + 1
	if y.BitLen() >= wordBits {
		if p.err == nil {
			p.err = &Error{Kind: OverflowError, Msg: "overflow converting long int to machine word", Name: p.name, At: p.ruleLine}
		}
		return false
	}
	n := uint(y.Uint64())
	if x.Sign() == 0 || n == 0 {
		p.digits(c, length(x))
		r.Set(x)
		return true
	}
	if op == TokOpDblMore {
		p.digits(c, length(x))
		r.Rsh(x, n)
		return true
	}
	p.digits(c, length(x)+int(n/digitBits)+min(int(n%digitBits), 1))
	if p.tooLong(x.BitLen() + int(n)) {
		return false
	}
	r.Lsh(x, n)
	return true
}

// tooLong tells whether the parser has failed or must do so for a result of n
// bits, for which a device would have no memory.
func (p *parser) tooLong(n int) bool {
	if p.err == nil && n > maxBits {
		p.err = &Error{Kind: OverflowError, Msg: "integer constant is too long", Name: p.name, At: p.ruleLine}
	}
	return p.err != nil
}
