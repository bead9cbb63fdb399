package board

import "math"

// DS1621 is Maxim's thermometer and thermostat, by its data sheet. It measures
// only after it was told to start; until then its register holds what it found
// when it was attached.
type DS1621 struct {
	air      quantities
	high     uint16 // the thermostat's limits: half degrees in the upper 9 bits
	low      uint16
	config   byte
	reading  uint16
	done     int64 // when the conversion that goes on ends; 0: none does
	running  bool
	command  byte
	args     []byte
	data     []byte
	commands int // bytes of this transfer
}

// The commands and bits of a DS1621.
const (
	dsTemperature = 0xAA
	dsHigh        = 0xA1
	dsLow         = 0xA2
	dsConfig      = 0xAC
	dsCounter     = 0xA8
	dsSlope       = 0xA9
	dsStart       = 0xEE
	dsStop        = 0x22

	dsDone     = 1 << 7
	dsHighFlag = 1 << 6
	dsLowFlag  = 1 << 5
	dsOneShot  = 1 << 0
	dsPolarity = 1 << 1
	dsFixed    = 1 << 3 // reads as one

	dsConversion = 750_000 // µs
)

// NewDS1621 makes a sensor in an ordinary room, with the limits it leaves the
// factory with.
func NewDS1621() *DS1621 {
	d := &DS1621{
		air:  quantities{{"temperature", -55, 125, roomCelsius}},
		high: halfDegrees(15), low: halfDegrees(10), config: dsDone | dsFixed,
	}
	d.reading = halfDegrees(roomCelsius)
	return d
}

func halfDegrees(c float64) uint16 { return uint16(int16(math.Round(c*2)) << 7) }

// Set implements [Sensor]. A sensor that was never started has been put where it
// is that warm.
func (d *DS1621) Set(quantity string, value float64) error {
	err := d.air.set(quantity, value)
	if err == nil && !d.running && d.done == 0 {
		d.reading = halfDegrees(value)
	}
	return err
}

// convert finishes the conversion that should be over by now.
func (d *DS1621) convert(now int64) {
	if d.done == 0 || now < d.done {
		return
	}
	d.reading = halfDegrees(d.air[0].value)
	if int16(d.reading) >= int16(d.high) {
		d.config |= dsHighFlag
	}
	if int16(d.reading) <= int16(d.low) {
		d.config |= dsLowFlag
	}
	d.config |= dsDone
	d.done = 0
	if d.running && d.config&dsOneShot == 0 {
		d.done = now + dsConversion
	}
}

// Begin implements [Target].
func (d *DS1621) Begin(read bool, now int64) bool {
	d.convert(now)
	if !read {
		d.args, d.commands = nil, 0
		return true
	}
	pair := func(v uint16) []byte { return []byte{byte(v >> 8), byte(v)} }
	switch d.command {
	case dsTemperature:
		d.data = pair(d.reading)
	case dsHigh:
		d.data = pair(d.high)
	case dsLow:
		d.data = pair(d.low)
	case dsConfig:
		d.data = []byte{d.config}
	case dsCounter: // no finer than half a degree: the remainder is half a slope
		d.data = []byte{8}
	case dsSlope:
		d.data = []byte{16}
	}
	return true
}

// Put implements [Target].
func (d *DS1621) Put(b byte, now int64) bool {
	if d.commands++; d.commands > 1 {
		d.args = append(d.args, b)
		return d.commands <= 3
	}
	d.command = b
	switch b {
	case dsStart:
		d.running, d.done = true, now+dsConversion
		d.config &^= dsDone
	case dsStop:
		d.running = false
	case dsTemperature, dsHigh, dsLow, dsConfig, dsCounter, dsSlope:
	default:
		return false
	}
	return true
}

// Get implements [Target].
func (d *DS1621) Get(now int64) byte { return next(&d.data) }

// End implements [Target].
func (d *DS1621) End(now int64) {
	a := d.args
	d.args, d.data = nil, nil
	switch {
	case d.command == dsConfig && len(a) == 1:
		const settable = dsPolarity | dsOneShot
		d.config = d.config&^(settable|dsHighFlag|dsLowFlag) | a[0]&(settable|dsHighFlag|dsLowFlag)&(d.config|settable)
	case d.command == dsHigh && len(a) == 2:
		d.high = (uint16(a[0])<<8 | uint16(a[1])) & 0xFF80
	case d.command == dsLow && len(a) == 2:
		d.low = (uint16(a[0])<<8 | uint16(a[1])) & 0xFF80
	}
}
