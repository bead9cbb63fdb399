package pymod

// handles are Go values that Python objects refer to by number; 0 is none.
type handles[T any] struct {
	list []T
	live []bool
}

// add keeps a value and returns its number.
func (h *handles[T]) add(v T) uint32 {
	for i, live := range h.live {
		if !live {
			h.list[i], h.live[i] = v, true
			return uint32(i + 1)
		}
	}
	h.list, h.live = append(h.list, v), append(h.live, true)
	return uint32(len(h.list))
}

// get returns the value with a number.
func (h *handles[T]) get(n uint32) (v T, ok bool) {
	if n == 0 || n > uint32(len(h.list)) || !h.live[n-1] {
		return v, false
	}
	return h.list[n-1], true
}

// drop forgets a value.
func (h *handles[T]) drop(n uint32) {
	if n > 0 && n <= uint32(len(h.list)) {
		var none T
		h.list[n-1], h.live[n-1] = none, false
	}
}

// count is how many there are.
func (h *handles[T]) count() (n int) {
	for _, live := range h.live {
		if live {
			n++
		}
	}
	return n
}

// reset forgets all of them.
func (h *handles[T]) reset() { h.list, h.live = nil, nil }
