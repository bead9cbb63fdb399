package mpy

// windowSize is how many names a version 4 or 5 file can refer back to.
const windowSize = 32

// A nameWindow holds the names read or written last, so that a file can refer
// to them by how long ago that was. It is a ring whose newest entry is at head.
type nameWindow struct {
	head  int
	names [windowSize]int32 // index of the name + 1; 0 for an entry not yet used
}

// push makes name the newest entry; the oldest is forgotten.
func (w *nameWindow) push(name int32) {
	w.head = (w.head + 1) % windowSize
	w.names[w.head] = name
}

// pull makes the entry at a place of the ring the newest, and closes the gap.
func (w *nameWindow) pull(at int) int32 {
	name := w.names[at]
	if at > w.head {
		copy(w.names[at:], w.names[at+1:])
		w.names[windowSize-1] = w.names[0]
		at = 0
	}
	copy(w.names[at:w.head], w.names[at+1:w.head+1])
	w.names[w.head] = name
	return name
}

// access gives the name used back entries ago, and makes it the newest. Going
// back further than the ring is long ends up inside it, as on the device.
func (w *nameWindow) access(back int) int32 {
	return w.pull(((w.head-back)%windowSize + windowSize) % windowSize)
}

// insert makes name the newest entry. It returns how far back it was, or
// windowSize if it was not there.
func (w *nameWindow) insert(name int32) int {
	for at, n := range w.names {
		if n == name {
			back := (w.head + windowSize - at) % windowSize
			// Upstream pulls first and then measures from the head, which
			// the pull does not move: the same.
			w.pull(at)
			return back
		}
	}
	w.push(name)
	return windowSize
}
