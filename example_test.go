package skep_test

import (
	"fmt"
	"strings"
	"testing/fstest"

	"github.com/skep-sim/skep"
)

// An application that watches a temperature, tested against a frost at night.
func Example() {
	app := fstest.MapFS{
		"main.py": {Data: []byte(`
import time
from machine import I2C
from hdc1080 import HDC1080

sensor = HDC1080(I2C(1))
was = None
for minute in range(12 * 60):
    frost = sensor.read_temperature(True) < 0
    if frost != was:
        print('minute', minute, 'frost' if frost else 'no frost')
        was = frost
    time.sleep(60)
`)},
		"lib/hdc1080.py": {Data: []byte(`
import time

class HDC1080:
    def __init__(self, i2c):
        self.i2c = i2c

    def read_temperature(self, celsius):
        self.i2c.writeto(0x40, b'\x00')
        time.sleep_ms(20)
        return int.from_bytes(self.i2c.readfrom(0x40, 2), 'big') / 65536 * 165 - 40
`)},
	}
	m, err := skep.New(skep.Options{
		Files: app,
		Script: `
i2c 0x40 hdc1080 temperature 8
at 3h i2c 0x40 temperature -2
at 9h i2c 0x40 temperature 4
`,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Stop()
	result := m.Run()
	fmt.Println("ran:", result.Ran, "failed:", result.Failed)
	_, printed, _ := strings.Cut(m.Output(), "Running bytecode...\r\n")
	fmt.Print(strings.ReplaceAll(printed, "\r", ""))
	// Output:
	// ran: true failed: false
	// minute 0 no frost
	// minute 180 frost
	// minute 540 no frost
}
