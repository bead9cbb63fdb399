// Package profile says what is known of each XBee 3 Cellular model and
// firmware that can be simulated, as data: one TOML file a profile, in which
// every value comes with its source and with how sure it is. The files that come
// with Skep lie beside this package's source; [Read] takes those of others.
//
// A profile is a plain value and never changes. It holds what differs, or may
// come to differ, between models and firmware versions; rules that hold for
// all of them, and what came with a feature level ([Profile.Level]), live in the
// packages that apply them. It simulates nothing, and reads no directories.
package profile

import (
	"embed"
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
	Chosen     Confidence = "chosen"     // nobody has said; this is a decision
)

// Fact is a value with its source. The sources are abbreviated as in
// docs/device-facts.md 0.2.
type Fact[T any] struct {
	Value      T
	Confidence Confidence
	Source     string
	// Profile is the name of the profile that states it: a base's, if the fact is
	// inherited.
	Profile string
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

// USBFailure is what a board that is fed by USB alone gets wrong.
type USBFailure string

// What fails on USB power.
const (
	USBBreaksTLS     USBFailure = "tls"     // TLS connects fail, reads come back empty now and then
	USBBreaksSerial  USBFailure = "serial"  // the console drops bytes
	USBBreaksNothing USBFailure = "nothing" // the supply is enough
)

// Wording is how much error messages say, as upstream's builds choose it.
type Wording string

// The wordings.
const (
	Terse    Wording = "terse"
	Normal   Wording = "normal"
	Detailed Wording = "detailed"
)

// Version is a release of MicroPython: 1, 11, 0.
type Version [3]int

// Profile is one model with one firmware. Bytes, seconds and so on are named
// in the comments; an errno is the number Python sees, 7000 included. The tag of
// a fact is its key in a file.
type Profile struct {
	Name     string // of the file, without .toml: "ltem-11413"
	Model    Model
	Firmware uint32 // what ATVR returns: 0x11413

	// What the module says of itself.
	Product         Fact[string]  `key:"product"`
	Modem           Fact[string]  `key:"modem"`
	ModemFirmware   Fact[string]  `key:"modem_firmware"`   // ATMV
	HardwareVersion Fact[uint32]  `key:"hardware_version"` // ATHV; the high byte is the model
	HardwareSeries  Fact[uint32]  `key:"hardware_series"`  // ATHS
	PythonVersion   Fact[string]  `key:"python_version"`   // upstream's git describe
	PythonDate      Fact[string]  `key:"python_date"`      // build date, in the banner
	Board           Fact[string]  `key:"board"`            // "BOARD with MCU", in the banner
	Platform        Fact[string]  `key:"platform"`         // sys.platform
	SysVersion      Fact[string]  `key:"sys_version"`      // sys.version: the Python language it implements
	MicroPython     Fact[Version] `key:"micropython"`      // whose rules hold; sys.implementation

	// The interpreter.
	MpyVersion    Fact[int]  `key:"mpy_version"` // of the .mpy files it accepts
	SmallIntBits  Fact[int]  `key:"small_int_bits"`
	Unicode       Fact[bool] `key:"unicode"`         // str is text, not bytes
	QstrHashBytes Fact[int]  `key:"qstr_hash_bytes"` // of every interned string, in RAM and in the bundle
	HeapBytes     Fact[int]  `key:"heap_bytes"`      // the raw heap; the pool is what gc.c makes of it
	StackLimit    Fact[int]  `key:"stack_limit"`     // bytes

	// Optional parts of the interpreter, by what a program sees of them.
	ErrorMessages   Fact[Wording] `key:"error_messages"`
	BuiltinComplex  Fact[bool]    `key:"builtin_complex"`
	BuiltinCompile  Fact[bool]    `key:"builtin_compile"`
	BuiltinInput    Fact[bool]    `key:"builtin_input"`
	BuiltinPow3     Fact[bool]    `key:"builtin_pow3"`     // pow() with a modulus
	ReverseMethods  Fact[bool]    `key:"reverse_methods"`  // __radd__ and the like
	Descriptors     Fact[bool]    `key:"descriptors"`      // __get__, __set__, __delete__
	MathSpecial     Fact[bool]    `key:"math_special"`     // hyperbolic, gamma and error functions
	CollectionDeque Fact[bool]    `key:"collection_deque"` // ucollections.deque
	SysExcInfo      Fact[bool]    `key:"sys_exc_info"`
	IOBase          Fact[bool]    `key:"io_base"`    // uio.IOBase
	EmacsKeys       Fact[bool]    `key:"emacs_keys"` // of the prompt

	// Four of upstream's build options, each worth some blocks of heap.
	PersistentCodeSave  Fact[bool] `key:"persistent_code_save"`
	NoAlloca            Fact[bool] `key:"no_alloca"`
	REPLEventDriven     Fact[bool] `key:"repl_event_driven"`
	CanOverrideBuiltins Fact[bool] `key:"can_override_builtins"`
	// ImportBlocks is added to what importing a .mpy file from the file system
	// costs, in blocks: what is left unexplained of the observed figure.
	ImportBlocks Fact[int] `key:"import_blocks"`

	// The flash.
	BundleBytes Fact[int] `key:"bundle_bytes"` // for modules
	BundleQstrs Fact[int] `key:"bundle_qstrs"` // names at most

	// GNSS: there is a satellite receiver, and module digi.gnss (level x18 and up).
	GNSS Fact[bool] `key:"gnss"`

	// Network.
	TLSErrno      Fact[int]        `key:"tls_errno"`     // for whatever goes wrong with a TLS connection
	RefusedErrno  Fact[int]        `key:"refused_errno"` // for a plain connection that is refused
	NoHostErrno   Fact[int]        `key:"no_host_errno"` // not registered, or a name without an address
	ATS           Fact[ATSRule]    `key:"ats"`
	SNI           Fact[bool]       `key:"sni"`             // the modem sends the server's name
	ServerNameMax Fact[int]        `key:"server_name_max"` // longest common name of a server; 0 is no limit
	Sockets       Fact[int]        `key:"sockets"`         // in all
	TCPSockets    Fact[int]        `key:"tcp_sockets"`
	UDPSockets    Fact[int]        `key:"udp_sockets"`
	TLSSockets    Fact[int]        `key:"tls_sockets"`
	DialSeconds   Fact[int]        `key:"dial_seconds"` // until a connect gives up
	USBPowerFails Fact[USBFailure] `key:"usb_power_fails"`
}

// Banner is the first line the interpreter prints.
func (p Profile) Banner() string {
	return fmt.Sprintf("MicroPython %s on %s; %s", p.PythonVersion.Value, p.PythonDate.Value, p.Board.Value)
}

// Level is the firmware's feature level, which all models share: 0x13 for
// firmware 11413.
func (p Profile) Level() int { return int(p.Firmware & 0xff) }

// Digits is the firmware in the digits that ATVR shows.
func (p Profile) Digits() string { return fmt.Sprintf("%X", p.Firmware) }

// files are the profiles that come with Skep.
//
//go:embed *.toml
var files embed.FS

// defaults are the firmware of each model that the document this project answers
// to was written with.
var defaults = [...]string{"ltem-11413", "cat1-31011"}

// list reads "a, b or c".
func list(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
	}
	return strings.Join(words, "")
}

// parseFirmware reads the digits of ATVR.
func parseFirmware(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 16, 32)
	if err != nil || len(s) < 4 {
		return 0, fmt.Errorf("firmware %q: write the digits that ATVR shows, such as \"11413\"", s)
	}
	return uint32(n), nil
}
