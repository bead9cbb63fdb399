// Package profile says what is known of each XBee 3 Cellular model and
// firmware that can be simulated, as data: every value comes with its source
// and with how sure it is.
//
// A profile is a plain value and never changes. It holds what differs, or may
// come to differ, between models and firmware versions; rules that hold for
// all of them live in the packages that apply them. It simulates nothing.
package profile

import (
	"fmt"
	"strconv"
	"strings"
)

// Confidence is how sure a fact is.
type Confidence string

// The grades of confidence.
const (
	Documented Confidence = "documented" // by Digi, or by MicroPython's sources
	Observed   Confidence = "observed"   // on a real device, and written down
	Inferred   Confidence = "inferred"   // by arithmetic, or from code that only works if it is so
	Calibrated Confidence = "calibrated" // chosen so that a figure of a real device comes out
	Chosen     Confidence = "chosen"     // nobody has said; this is our decision
)

// Fact is a value with its source.
type Fact[T any] struct {
	Value      T
	Confidence Confidence
	Source     string
}

// Model is a kind of module, by the name the command line uses.
type Model string

// The models.
const (
	LTEM Model = "ltem" // XBee 3 Cellular LTE-M/NB-IoT, u-blox SARA-R410M-02B
	Cat1 Model = "cat1" // XBee 3 Cellular LTE Cat 1 AT&T, Telit LE866A1-NA
)

// ATSRule is what a modem's TLS makes of the two forms of an AWS IoT endpoint.
type ATSRule string

// The rules.
const (
	ATSRequired ATSRule = "required" // ID-ats.iot.REGION.amazonaws.com works, the legacy form fails
	ATSRefused  ATSRule = "refused"  // the legacy form ID.iot.REGION.amazonaws.com works, -ats fails
	ATSFree     ATSRule = "free"     // both work
)

// Profile is one model with one firmware. Bytes, seconds and so on are named
// in the comments; an errno is the number Python sees, 7000 included.
type Profile struct {
	Name     string // MODEL-FIRMWARE, as in "ltem-11413"
	Model    Model
	Firmware uint32 // what ATVR returns: 0x11413

	// What the module says of itself.
	Product         Fact[string]
	Modem           Fact[string]
	ModemFirmware   Fact[string] // ATMV
	HardwareVersion Fact[uint32] // ATHV; the high byte is the model
	HardwareSeries  Fact[uint32] // ATHS
	PythonVersion   Fact[string] // upstream's git describe
	PythonDate      Fact[string] // build date, in the banner
	Board           Fact[string] // "BOARD with MCU", in the banner
	Platform        Fact[string] // sys.platform
	SysVersion      Fact[string] // sys.version: the Python language it implements

	// The interpreter.
	MicroPython   Fact[[3]int] // whose rules hold; sys.implementation
	MpyVersion    Fact[int]    // of the .mpy files it accepts
	SmallIntBits  Fact[int]
	Unicode       Fact[bool] // str is text, not bytes
	QstrHashBytes Fact[int]  // of every interned string, in the bundle
	HeapBytes     Fact[int]  // the raw heap; the pool is what gc.c makes of it
	StackLimit    Fact[int]  // bytes

	// Four of upstream's build options, each worth some blocks of heap.
	PersistentCodeSave  Fact[bool]
	NoAlloca            Fact[bool]
	REPLEventDriven     Fact[bool]
	CanOverrideBuiltins Fact[bool]
	// ImportBlocks is added to what importing a .mpy file from the file system
	// costs, in blocks: what is left unexplained of the observed figure.
	ImportBlocks Fact[int]

	// The flash.
	BundleBytes Fact[int]
	BundleQstrs Fact[int]

	// Network.
	TLSErrno      Fact[int] // for whatever goes wrong with a TLS connection
	RefusedErrno  Fact[int] // for a plain connection that is refused
	NoHostErrno   Fact[int] // not registered, or a name without an address
	ATS           Fact[ATSRule]
	SNI           Fact[bool] // the modem sends the server's name
	ServerNameMax Fact[int]  // longest common name of a server; 0 is no limit
	Sockets       Fact[int]  // in all
	TCPSockets    Fact[int]
	UDPSockets    Fact[int]
	TLSSockets    Fact[int]
	DialSeconds   Fact[int] // until a connect gives up
	USBPowerFails Fact[USBFailure]
}

// USBFailure is what a board that is fed by USB alone gets wrong.
type USBFailure string

// What fails on USB power.
const (
	USBBreaksTLS    USBFailure = "tls"    // TLS connects fail, reads come back empty now and then
	USBBreaksSerial USBFailure = "serial" // the console drops bytes
)

// Banner is the first line the interpreter prints.
func (p Profile) Banner() string {
	return fmt.Sprintf("MicroPython %s on %s; %s", p.PythonVersion.Value, p.PythonDate.Value, p.Board.Value)
}

// Level is the firmware's feature level, which all models share: 0x13 for
// firmware 11413.
func (p Profile) Level() int { return int(p.Firmware & 0xff) }

// All lists the profiles, the default of each model first.
func All() []Profile { return []Profile{ltem11413(), cat131011()} }

// Find returns the profile of a model ("" is ltem) with a firmware, in the
// digits ATVR shows ("" is the model's default). The error lists what there is.
func Find(model, firmware string) (Profile, error) {
	if model == "" {
		model = string(LTEM)
	}
	var of []string
	for _, p := range All() {
		digits := strconv.FormatUint(uint64(p.Firmware), 16)
		if string(p.Model) == model {
			if firmware == "" || strings.EqualFold(firmware, digits) {
				return p, nil
			}
			of = append(of, digits)
		}
	}
	if of == nil {
		return Profile{}, fmt.Errorf("unknown model %q: use %s or %s", model, LTEM, Cat1)
	}
	return Profile{}, fmt.Errorf("unknown firmware %q for the model %s: use %s", firmware, model, strings.Join(of, " or "))
}
