package board

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Sensor is a device on the I2C bus that measures something which can be set.
type Sensor interface {
	Target
	// Set sets what the sensor finds: "temperature" in degrees Celsius, "humidity"
	// in percent. It fails for a quantity that the sensor does not measure and for
	// a value beyond its range.
	Set(quantity string, value float64) error
}

// device describes a kind of I2C device that can be attached by name.
type device struct {
	name       string
	addresses  [2]byte // the first it may have, and the last
	quantities string  // what can be set, for people
	make       func() Target
}

func devices() []device {
	list := []device{
		{"hdc1080", [2]byte{0x40, 0x40}, "temperature, humidity", func() Target { return NewHDC1080() }},
		{"ds1621", [2]byte{0x48, 0x4F}, "temperature", func() Target { return NewDS1621() }},
		{"shtc3", [2]byte{0x70, 0x70}, "temperature, humidity", func() Target { return NewSHTC3() }},
	}
	for _, m := range memories {
		list = append(list, device{m.name, [2]byte{0x50, 0x57}, "", func() Target { return newEEPROM(m) }})
	}
	return list
}

// DeviceNames lists the kinds of device that NewDevice makes.
func DeviceNames() []string {
	var names []string
	for _, d := range devices() {
		names = append(names, d.name)
	}
	return names
}

// NewDevice makes a device by the name of its kind. The error lists the kinds,
// or the addresses that this kind can have.
func NewDevice(name string, address byte) (Target, error) {
	i := slices.IndexFunc(devices(), func(d device) bool { return d.name == strings.ToLower(name) })
	if i < 0 {
		return nil, fmt.Errorf("unknown I2C device %q: use %s", name, strings.Join(DeviceNames(), ", "))
	}
	d := devices()[i]
	if address < d.addresses[0] || address > d.addresses[1] {
		if d.addresses[0] == d.addresses[1] {
			return nil, fmt.Errorf("a %s has no address 0x%02X: use 0x%02X", d.name, address, d.addresses[0])
		}
		return nil, fmt.Errorf("a %s has no address 0x%02X: use 0x%02X to 0x%02X", d.name, address, d.addresses[0], d.addresses[1])
	}
	return d.make(), nil
}

// quantity is something that a sensor measures.
type quantity struct {
	name     string
	min, max float64
	value    float64
}

// quantities are what a sensor measures, with what it finds now.
type quantities []quantity

func (q quantities) set(name string, v float64) error {
	for i := range q {
		if q[i].name == name {
			if !(v >= q[i].min && v <= q[i].max) {
				return fmt.Errorf("%s %s: the sensor measures from %s to %s", name, number(v), number(q[i].min), number(q[i].max))
			}
			q[i].value = v
			return nil
		}
	}
	var names []string
	for i := range q {
		names = append(names, q[i].name)
	}
	return fmt.Errorf("the sensor does not measure %q: set its %s", name, strings.Join(names, " or "))
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// What the air is like unless told otherwise.
const (
	roomCelsius  = 21.5
	roomHumidity = 40.0
)

// scaled is a value's place in a range as a fraction of 65536, in 16 bits.
func scaled(v, from, span float64) uint16 {
	return uint16(min(max((v-from)/span*65536+0.5, 0), 65535))
}
