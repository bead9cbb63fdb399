package board

// HDC1080 is Texas Instruments' temperature and humidity sensor, by its data
// sheet: a pointer that, set to one of the first two registers, starts a
// measurement, which is not acknowledged while it lasts.
type HDC1080 struct {
	air     quantities
	config  uint16
	pointer byte
	written []byte // of the transfer that goes on
	data    []byte // still to be read
	ready   int64  // when the measurement ends
	result  [2]uint16
}

// The registers and bits of an HDC1080, and what a conversion takes in
// microseconds at 14 bits.
const (
	hdcTemperature = 0x00
	hdcHumidity    = 0x01
	hdcConfig      = 0x02
	hdcSerial      = 0xFB // three registers
	hdcMaker       = 0xFE
	hdcDevice      = 0xFF

	hdcReset     = 1 << 15
	hdcBoth      = 1 << 12
	hdcT11       = 1 << 10
	hdcH11       = 1 << 8
	hdcH8        = 1 << 9
	hdcTempTime  = 6350
	hdcHumidTime = 6500
)

// NewHDC1080 makes a sensor in an ordinary room.
func NewHDC1080() *HDC1080 {
	return &HDC1080{
		config: hdcBoth,
		air:    quantities{{"temperature", -40, 125, roomCelsius}, {"humidity", 0, 100, roomHumidity}},
	}
}

// Set implements [Sensor].
func (d *HDC1080) Set(quantity string, value float64) error { return d.air.set(quantity, value) }

// Begin implements [Target].
func (d *HDC1080) Begin(read bool, now int64) bool {
	if !read {
		d.written = d.written[:0]
		return true
	}
	if d.pointer <= hdcHumidity && now < d.ready {
		return false
	}
	d.data = d.register(d.pointer)
	if d.pointer == hdcTemperature && d.config&hdcBoth != 0 {
		d.data = append(d.data, d.register(hdcHumidity)...)
	}
	return true
}

func (d *HDC1080) register(r byte) []byte {
	v := uint16(0xFFFF)
	switch {
	case r <= hdcHumidity:
		v = d.result[r]
	case r == hdcConfig:
		v = d.config
	case r >= hdcSerial && r < hdcMaker:
		v = uint16(r) << 7 // some number
	case r == hdcMaker:
		v = 0x5449 // TI
	case r == hdcDevice:
		v = 0x1050
	}
	return []byte{byte(v >> 8), byte(v)}
}

// Put implements [Target].
func (d *HDC1080) Put(b byte, now int64) bool {
	if len(d.written) == 3 {
		return false
	}
	d.written = append(d.written, b)
	return true
}

// Get implements [Target].
func (d *HDC1080) Get(now int64) byte { return next(&d.data) }

// End implements [Target].
func (d *HDC1080) End(now int64) {
	w := d.written
	d.written, d.data = nil, nil
	if len(w) == 0 {
		return
	}
	d.pointer = w[0]
	switch {
	case len(w) == 3 && d.pointer == hdcConfig:
		if d.config = uint16(w[1])<<8 | uint16(w[2]); d.config&hdcReset != 0 {
			d.config = hdcBoth
		}
	case len(w) == 1 && d.pointer <= hdcHumidity:
		d.measure(now)
	}
}

// measure starts a conversion of what the pointer and the mode ask for.
func (d *HDC1080) measure(now int64) {
	d.ready = now
	if d.pointer == hdcTemperature {
		mask := uint16(0xFFFC)
		if d.config&hdcT11 != 0 {
			mask = 0xFFE0
		}
		d.result[0] = scaled(d.air[0].value, -40, 165) & mask
		d.ready += hdcTempTime
	}
	if d.pointer == hdcHumidity || d.config&hdcBoth != 0 {
		mask := uint16(0xFFFC)
		switch {
		case d.config&hdcH11 != 0:
			mask = 0xFFE0
		case d.config&hdcH8 != 0:
			mask = 0xFF00
		}
		d.result[1] = scaled(d.air[1].value, 0, 100) & mask
		d.ready += hdcHumidTime
	}
}

// next takes the first of the bytes to be read; beyond them all are ones.
func next(data *[]byte) byte {
	if len(*data) == 0 {
		return 0xFF
	}
	b := (*data)[0]
	*data = (*data)[1:]
	return b
}
