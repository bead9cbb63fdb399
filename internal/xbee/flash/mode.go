package flash

// Mode is how a file is opened.
type Mode struct {
	Read, Write bool
	Append      bool // every write goes to the end
	Create      bool // make the file if it is missing
	Exclusive   bool // fail if it exists
	Truncate    bool // begin with an empty file
	Secure      bool // the file's content can never be read back
	Binary      bool // for the Python layer: bytes instead of str
}

// ParseMode reads the mode argument of open: one of r, w, x, a (none means r),
// then any of +, b or t, and * for a secure file. Everything else is EINVAL, as
// is * on a file that is to be read.
func ParseMode(s string) (Mode, error) {
	var m Mode
	var kind, form byte
	plus := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case 'r', 'w', 'x', 'a':
			if kind != 0 {
				return Mode{}, EINVAL
			}
			kind = c
		case 'b', 't':
			if form != 0 {
				return Mode{}, EINVAL
			}
			form = c
		case '+':
			if plus {
				return Mode{}, EINVAL
			}
			plus = true
		case '*':
			if m.Secure {
				return Mode{}, EINVAL
			}
			m.Secure = true
		default:
			return Mode{}, EINVAL
		}
	}
	switch kind {
	case 'w':
		m.Write, m.Create, m.Truncate = true, true, true
	case 'x':
		m.Write, m.Create, m.Exclusive = true, true, true
	case 'a':
		m.Write, m.Create, m.Append = true, true, true
	default:
		m.Read = true
	}
	if plus {
		m.Read, m.Write = true, true
	}
	if m.Secure && m.Read {
		return Mode{}, EINVAL
	}
	m.Binary = form == 'b'
	return m, nil
}
