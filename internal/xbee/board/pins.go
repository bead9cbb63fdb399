package board

import "strings"

// Pin is one of the module's I/O pins, by its DIO number.
type Pin uint8

// The pins. P0 to P2 are also D10 to D12; P3 and P4 are the serial port's data
// pins, which only AT commands can configure.
const (
	D0 Pin = iota
	D1
	D2
	D3
	D4
	D5
	D6
	D7
	D8
	D9
	P0
	P1
	P2
	P3
	P4
	NumPins
)

// Function is a special function of a pin: the number of its DIO times 16, and
// the value of its AT command that selects it (a choice: the names are
// documented in xmp umachine.pyi, the numbers are not).
type Function int

// The special functions that something here depends on.
const (
	I2CClock   Function = 0x16
	UARTRTS    Function = 0x26
	UARTCTS    Function = 0x36
	UARTTX     Function = 0x46
	Associated Function = 0x51
	SleepReq   Function = 0x81
	OnSleep    Function = 0x91
	RSSI       Function = 0xA1
	I2CData    Function = 0xB6
	UARTRX     Function = 0xC6
)

// Pin returns the pin that has the function.
func (f Function) Pin() Pin { return Pin(f >> 4) }

// NamedFunction is a special function under the name module machine gives it.
type NamedFunction struct {
	Name string
	Function
}

// Functions lists every special function, by pin. The names tell what most are;
// which AT value selects which is recalled from the manuals.
func Functions() []NamedFunction {
	return []NamedFunction{
		{"AF0_COMMISSION", 0x01},
		{"AF1_SPI_ATTN", 0x11},
		{"AF1_I2C_SCL", I2CClock},
		{"AF2_SPI_CLK", 0x21},
		{"AF2_UART1_RTS", UARTRTS},
		{"AF3_SPI_SS", 0x31},
		{"AF3_UART1_CTS", UARTCTS},
		{"AF4_SPI_MOSI", 0x41},
		{"AF4_UART1_TX", UARTTX},
		{"AF5_ASSOC_IND", Associated},
		{"AF6_RTS", 0x61},
		{"AF7_CTS", 0x71},
		{"AF7_RS485_ENABLE_LOW", 0x76},
		{"AF7_RS485_ENABLE_HIGH", 0x77},
		{"AF8_SLEEP_REQ", SleepReq},
		{"AF9_ON_SLEEP", OnSleep},
		{"AF10_RSSI", RSSI},
		{"AF11_TEMP_FAN", 0xB1},
		{"AF11_I2C_SDA", I2CData},
		{"AF11_USB_DIRECT", 0xB7},
		{"AF12_SPI_MISO", 0xC1},
		{"AF12_UART1_RX", UARTRX},
	}
}

// names are those of the AT commands; the pull-up bit is the pin's place in ATPR
// and ATPD, and button says that the development board has a push-button to
// ground there, with a resistor that pulls the pin up while it is not pressed.
var pinTable = [NumPins]struct {
	name    string
	pullBit uint8
	button  bool
}{
	D0: {"D0", 4, true},
	D1: {"D1", 3, true},
	D2: {"D2", 2, true},
	D3: {"D3", 1, true},
	D4: {"D4", 0, false},
	D5: {"D5", 8, false},
	D6: {"D6", 5, false},
	D7: {"D7", 13, false},
	D8: {"D8", 6, false},
	D9: {"D9", 9, false},
	P0: {"P0", 11, false},
	P1: {"P1", 12, false},
	P2: {"P2", 10, false},
	P3: {"P3", 14, false},
	P4: {"P4", 7, false},
}

// String is the pin's name as AT commands have it.
func (p Pin) String() string { return pinTable[p].name }

// Find returns the pin with a name: D0 to D12 or P0 to P4, in either case.
func Find(name string) (Pin, bool) {
	name = strings.ToUpper(name)
	for p, t := range pinTable {
		if t.name == name {
			return Pin(p), true
		}
	}
	for i, dio := range [...]string{"D10", "D11", "D12"} {
		if dio == name {
			return P0 + Pin(i), true
		}
	}
	return 0, false
}

// HasAnalog reports whether the pin can measure a voltage: AD0 to AD3.
func (p Pin) HasAnalog() bool { return p <= D3 }

// HasPWM reports whether the pin can give pulses of a set width.
func (p Pin) HasPWM() bool { return p == P0 || p == P1 }

// HasFunction reports whether f is one of the pin's special functions.
func (p Pin) HasFunction(f Function) bool {
	for _, n := range Functions() {
		if n.Function == f {
			return f.Pin() == p
		}
	}
	return false
}
