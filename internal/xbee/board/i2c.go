package board

import "slices"

// Target is a device on the I2C bus. The bus calls it as the wire would: Begin
// with its address, then Put or Get for each byte, then End at a stop or a
// repeated start. now is in microseconds.
type Target interface {
	// Begin is a start with the device's address; false does not acknowledge it.
	Begin(read bool, now int64) bool
	// Put takes a byte; false does not acknowledge it.
	Put(b byte, now int64) bool
	// Get gives the next byte.
	Get(now int64) byte
	// End is the end of a transfer.
	End(now int64)
}

// Bus is the I2C bus. Its zero value has nothing attached.
type Bus struct {
	now     func() int64
	targets map[byte]Target

	started bool   // the next byte is an address
	current Target // who has been addressed and has acknowledged; nil: nobody
	reading bool
}

// Attach connects a device at a 7-bit address, in place of what was there; nil
// disconnects what is.
func (b *Bus) Attach(address byte, t Target) {
	if t == nil {
		delete(b.targets, address)
		return
	}
	if b.targets == nil {
		b.targets = map[byte]Target{}
	}
	b.targets[address] = t
}

// At returns the device at an address, or nil.
func (b *Bus) At(address byte) Target { return b.targets[address] }

// Addresses lists where devices are, in order.
func (b *Bus) Addresses() []byte {
	var all []byte
	for a := range b.targets {
		all = append(all, a)
	}
	slices.Sort(all)
	return all
}

// pulledUp reports whether the bus has its resistors, which come with the first
// device.
func (b *Bus) pulledUp() bool { return len(b.targets) > 0 }

// Start is a start condition, or a repeated one.
func (b *Bus) Start() {
	b.finish()
	b.started = true
}

// Stop is a stop condition.
func (b *Bus) Stop() {
	b.finish()
	b.started = false
}

func (b *Bus) finish() {
	if b.current != nil {
		b.current.End(b.now())
		b.current = nil
	}
}

// release frees the bus, whatever was going on.
func (b *Bus) release() { b.Stop() }

// Put sends a byte: after a start, an address with the direction in its lowest
// bit. It reports whether somebody acknowledged it.
func (b *Bus) Put(v byte) bool {
	if b.started {
		b.started = false
		t := b.targets[v>>1]
		if t == nil || !t.Begin(v&1 != 0, b.now()) {
			return false
		}
		b.current, b.reading = t, v&1 != 0
		return true
	}
	if b.current == nil || b.reading {
		return false
	}
	return b.current.Put(v, b.now())
}

// Get reads a byte; a bus on which nobody talks reads as ones.
func (b *Bus) Get() byte {
	if b.current == nil || !b.reading {
		return 0xFF
	}
	return b.current.Get(b.now())
}

// Transfer is a start, the address, data one way, and with stop a stop. It
// returns how many bytes were acknowledged or read, and false when nobody
// answers the address; the bus is free then.
func (b *Bus) Transfer(address byte, read bool, data []byte, stop bool) (n int, ok bool) {
	b.Start()
	direction := byte(0)
	if read {
		direction = 1
	}
	if !b.Put(address<<1 | direction) {
		b.Stop()
		return 0, false
	}
	for i := range data {
		if read {
			data[i] = b.Get()
		} else if !b.Put(data[i]) {
			break
		}
		n++
	}
	if stop {
		b.Stop()
	}
	return n, true
}
