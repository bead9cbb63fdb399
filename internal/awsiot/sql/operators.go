package sql

// binaryNode is one of AWS's operators between two operands (AWS: "Operators").
type binaryNode struct {
	do   func(r *run, a, b value) value
	x, y node
}

func newBinary(op string, x, y node) node { return &binaryNode{operators[op], x, y} }

func (n *binaryNode) eval(r *run) value {
	a := n.x.eval(r)
	b := n.y.eval(r)
	if !r.charge(1) {
		return undefined
	}
	return n.do(r, a, b)
}

var operators = map[string]func(r *run, a, b value) value{
	"and": logical(func(x, y bool) bool { return x && y }),
	"or":  logical(func(x, y bool) bool { return x || y }),
	"=":   equality(true),
	"<>":  equality(false),
	"<":   comparison(func(c int) bool { return c < 0 }),
	"<=":  comparison(func(c int) bool { return c <= 0 }),
	">":   comparison(func(c int) bool { return c > 0 }),
	">=":  comparison(func(c int) bool { return c >= 0 }),
	"+":   plus,
	"-":   arithmetic((*dec).sub, (*dec).sub),
	"*":   arithmetic((*dec).mul, (*dec).mul),
	"/":   arithmetic((*dec).quo, (*dec).intQuo),
	"%":   arithmetic((*dec).rem, (*dec).rem),
}

// logical needs two operands that are Boolean, or strings that say so; AWS's tables know no
// short cut for the others.
func logical(f func(x, y bool) bool) func(*run, value, value) value {
	return func(_ *run, a, b value) value {
		x, ok1 := a.toBool()
		y, ok2 := b.toBool()
		if !ok1 || !ok2 {
			return undefined
		}
		return boolean(f(x, y))
	}
}

func equality(same bool) func(*run, value, value) value {
	return func(r *run, a, b value) value {
		if a.kind == kindUndefined || b.kind == kindUndefined {
			return undefined
		}
		if a.list != nil && b.list != nil && !r.charge(len(a.list.elems)) {
			return undefined
		}
		return boolean(equal(a, b) == same)
	}
}

func comparison(holds func(c int) bool) func(*run, value, value) value {
	return func(_ *run, a, b value) value {
		x, y := a.toDec(), b.toDec()
		if x == nil || y == nil {
			return undefined
		}
		return boolean(holds(x.cmp(y)))
	}
}

// arithmetic works on two Int, or on what converts to Decimal.
func arithmetic(decimals, ints func(x, y *dec) *dec) func(*run, value, value) value {
	return func(_ *run, a, b value) value {
		x, y := a.toDec(), b.toDec()
		switch {
		case x == nil || y == nil:
			return undefined
		case a.kind == kindInt && b.kind == kindInt:
			return intOf(ints(x, y))
		}
		return decimal(decimals(x, y))
	}
}

// plus adds numbers, and puts strings together with anything.
func plus(r *run, a, b value) value {
	if a.kind != kindString && b.kind != kindString {
		return arithmetic((*dec).add, (*dec).add)(r, a, b)
	}
	s, ok1 := a.toString()
	t, ok2 := b.toString()
	if !ok1 || !ok2 || !r.text(len(s)+len(t)) {
		return undefined
	}
	return str(s + t)
}
