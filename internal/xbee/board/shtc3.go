package board

// SHTC3 is Sensirion's temperature and humidity sensor, by its data sheet:
// commands of two bytes, answers of two bytes and a checksum each.
type SHTC3 struct {
	air     quantities
	asleep  bool
	written []byte
	answer  []byte // what a read gives; nil: it is not acknowledged
	ready   int64
	data    []byte
}

// The commands of an SHTC3, and what a measurement takes in microseconds.
const (
	shtWake  = 0x3517
	shtSleep = 0xB098
	shtReset = 0x805D
	shtID    = 0xEFC8

	shtNormal   = 12100
	shtLowPower = 800
)

// shtMeasurements are the commands that measure. One that stretches the clock
// lets the reader wait on the wire instead of refusing it.
func shtMeasurement(command uint16) (humidityFirst, stretch, lowPower, ok bool) {
	switch command {
	case 0x7CA2:
		return false, true, false, true
	case 0x5C24:
		return true, true, false, true
	case 0x6458:
		return false, true, true, true
	case 0x44DE:
		return true, true, true, true
	case 0x7866:
		return false, false, false, true
	case 0x58E0:
		return true, false, false, true
	case 0x609C:
		return false, false, true, true
	case 0x401A:
		return true, false, true, true
	}
	return false, false, false, false
}

// NewSHTC3 makes a sensor in an ordinary room, awake as after power-up.
func NewSHTC3() *SHTC3 {
	return &SHTC3{air: quantities{{"temperature", -45, 130, roomCelsius}, {"humidity", 0, 100, roomHumidity}}}
}

// Set implements [Sensor].
func (d *SHTC3) Set(quantity string, value float64) error { return d.air.set(quantity, value) }

// Begin implements [Target].
func (d *SHTC3) Begin(read bool, now int64) bool {
	d.written = d.written[:0]
	if !read {
		return true
	}
	if d.asleep || d.answer == nil || now < d.ready {
		return false
	}
	d.data, d.answer = d.answer, nil
	return true
}

// Put implements [Target]. Asleep it acknowledges nothing but the command that
// wakes it.
func (d *SHTC3) Put(b byte, now int64) bool {
	d.written = append(d.written, b)
	if d.asleep {
		n := len(d.written)
		return n <= 2 && b == [...]byte{shtWake >> 8, shtWake & 0xFF}[n-1]
	}
	if len(d.written) > 2 {
		return false
	}
	if len(d.written) == 2 {
		return d.command(uint16(d.written[0])<<8|uint16(b), now)
	}
	return true
}

// Get implements [Target].
func (d *SHTC3) Get(now int64) byte { return next(&d.data) }

// End implements [Target].
func (d *SHTC3) End(now int64) {
	if d.asleep && len(d.written) == 2 && d.written[0] == shtWake>>8 && d.written[1] == shtWake&0xFF {
		d.asleep = false
	}
	d.data = nil
}

func (d *SHTC3) command(c uint16, now int64) bool {
	d.answer, d.ready = nil, 0
	switch c {
	case shtWake:
		return true
	case shtSleep:
		d.asleep = true
		return true
	case shtReset:
		return true
	case shtID:
		d.answer = checked(0x0887)
		return true
	}
	humidityFirst, stretch, lowPower, ok := shtMeasurement(c)
	if !ok {
		return false
	}
	t, h := checked(scaled(d.air[0].value, -45, 175)), checked(scaled(d.air[1].value, 0, 100))
	if humidityFirst {
		t, h = h, t
	}
	d.answer = append(t, h...)
	if d.ready = now + shtNormal; lowPower {
		d.ready = now + shtLowPower
	}
	if stretch {
		d.ready = now
	}
	return true
}

// checked is a word with its checksum: CRC-8, polynomial 0x31, begun with ones.
func checked(w uint16) []byte {
	b := []byte{byte(w >> 8), byte(w)}
	crc := byte(0xFF)
	for _, c := range b {
		crc ^= c
		for range 8 {
			if crc&0x80 != 0 {
				crc = crc<<1 ^ 0x31
			} else {
				crc <<= 1
			}
		}
	}
	return append(b, crc)
}
