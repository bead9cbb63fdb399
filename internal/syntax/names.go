package syntax

// internMax is the length in bytes up to which every string is interned.
const internMax = 10

// nameSet asks the table of names. Without one it remembers what the text has
// interned, as far as that can matter.
type nameSet struct {
	known Names
	long  []string // names longer than internMax
	set   map[string]bool
	done  int // long[:done] are in set
}

// seen notes a name for nameSet's own use.
func (s *nameSet) seen(name string) {
	if s.known == nil && len(name) > internMax {
		s.long = append(s.long, name)
	}
}

// intern makes name a qstr.
func (s *nameSet) intern(name string) error {
	if s.known != nil {
		return s.known.Intern(name)
	}
	s.seen(name)
	return nil
}

// has tells whether name is a qstr.
func (s *nameSet) has(name string) bool {
	if s.known != nil {
		return s.known.Interned(name)
	}
	if s.set == nil {
		s.set = make(map[string]bool)
	}
	for ; s.done < len(s.long); s.done++ {
		s.set[s.long[s.done]] = true
	}
	return s.set[name]
}
