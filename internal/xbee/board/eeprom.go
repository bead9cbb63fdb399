package board

// memory describes a kind of EEPROM of the 24xx family, with the figures of
// their data sheets.
type memory struct {
	name    string
	size    int // bytes
	page    int // bytes that one write can reach
	address int // bytes of the address that comes first
}

var memories = [...]memory{
	{"24c02", 256, 8, 1},
	{"24c32", 4096, 32, 2},
	{"24c64", 8192, 32, 2},
	{"24c128", 16384, 64, 2},
	{"24c256", 32768, 64, 2},
	{"24c512", 65536, 128, 2},
}

// eepromWriteTime is how long a write takes, in microseconds. The device does
// not answer while it lasts.
const eepromWriteTime = 5000

// EEPROM is a memory that keeps its content without power. A write that runs
// over the end of a page goes on at its beginning, as on the real thing.
type EEPROM struct {
	memory
	// Data is the content; a new one is all ones.
	Data []byte

	at      int
	got     int // bytes of the address that have come
	writes  []byte
	pending int
	busy    int64
}

func newEEPROM(m memory) *EEPROM {
	e := &EEPROM{memory: m, Data: make([]byte, m.size)}
	for i := range e.Data {
		e.Data[i] = 0xFF
	}
	return e
}

// Begin implements [Target].
func (e *EEPROM) Begin(read bool, now int64) bool {
	if now < e.busy {
		return false
	}
	if !read {
		e.got, e.pending, e.writes = 0, 0, nil
	}
	return true
}

// Put implements [Target].
func (e *EEPROM) Put(b byte, now int64) bool {
	if e.got < e.address {
		e.pending = e.pending<<8 | int(b)
		if e.got++; e.got == e.address {
			e.at = e.pending % e.size
		}
		return true
	}
	e.writes = append(e.writes, b)
	return true
}

// Get implements [Target].
func (e *EEPROM) Get(now int64) byte {
	b := e.Data[e.at]
	e.at = (e.at + 1) % e.size
	return b
}

// End implements [Target].
func (e *EEPROM) End(now int64) {
	if len(e.writes) == 0 {
		return
	}
	base := e.at - e.at%e.page
	for _, b := range e.writes {
		e.Data[e.at] = b
		e.at = base + (e.at+1-base)%e.page
	}
	e.writes = nil
	e.busy = now + eepromWriteTime
}
