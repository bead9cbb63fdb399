package at

import (
	"slices"

	"github.com/skep-sim/skep/internal/xbee/profile"
)

// Access is what can be done with a command.
type Access uint8

// The kinds of access.
const (
	Setting Access = iota // can be read and set, and is saved by WR
	Hidden                // a setting that cannot be read back
	State                 // the module's state: can only be read
	Order                 // makes the module do something; may take an argument and answer
)

// isSetting reports whether what has this access holds a value.
func (a Access) isSetting() bool { return a == Setting || a == Hidden }

// Effect is when a setting begins to count.
type Effect uint8

// The effects.
const (
	OnApply Effect = iota // with AC, or when command mode ends
	AtOnce                // when it is set
)

// Register is one command of the table.
type Register struct {
	Name    string // two characters
	Meaning string
	Access  Access
	Kind    Kind // of the value; None for an order that takes and answers what it likes

	// Limits of a setting: a number lies between Min and Max and, if there is
	// a list, is in Allowed or at least Beyond (0: none is); text has at most
	// Max characters, bytes exactly Max.
	Min, Max uint64
	Allowed  []uint64
	Beyond   uint64
	Default  Value
	Effect   Effect

	// Where it exists: from a feature level on, on one model only ("" both).
	Since int
	Only  profile.Model
	// CommandModeOnly says that Python cannot reach it.
	CommandModeOnly bool

	Confidence profile.Confidence
	Source     string
}

// Short forms for the table. What is own is known to exist, while its default
// or its limits are our choice, most of them what the manuals are remembered to
// say.
const (
	doc = profile.Documented
	obs = profile.Observed
	own = profile.Chosen
)

const (
	guide = "guide"
	gsm   = "TinyGSM"
	xbf   = "xbf"
	stubs = "xmp"
)

func num(name, meaning string, min, max, def uint64, c profile.Confidence, src string) Register {
	return Register{Name: name, Meaning: meaning, Kind: Number, Min: min, Max: max, Default: Int(def), Confidence: c, Source: src}
}

func oneOf(name, meaning string, def uint64, c profile.Confidence, src string, allowed ...uint64) Register {
	r := num(name, meaning, slices.Min(allowed), slices.Max(allowed), def, c, src)
	r.Allowed = allowed
	return r
}

func text(name, meaning string, max uint64, def string, c profile.Confidence, src string) Register {
	return Register{Name: name, Meaning: meaning, Kind: Text, Max: max, Default: Str(def), Confidence: c, Source: src}
}

func state(name, meaning string, k Kind, c profile.Confidence, src string) Register {
	return Register{Name: name, Meaning: meaning, Access: State, Kind: k, Confidence: c, Source: src}
}

func order(name, meaning string, c profile.Confidence, src string) Register {
	return Register{Name: name, Meaning: meaning, Access: Order, Confidence: c, Source: src}
}

func (reg Register) hidden() Register              { reg.Access = Hidden; return reg }
func (reg Register) atOnce() Register              { reg.Effect = AtOnce; return reg }
func (reg Register) since(level int) Register      { reg.Since = level; return reg }
func (reg Register) only(m profile.Model) Register { reg.Only = m; return reg }
func (reg Register) commandMode() Register         { reg.CommandModeOnly = true; return reg }

// orFrom lets a number be from min to max, too.
func (reg Register) orFrom(min, max uint64) Register { reg.Beyond, reg.Max = min, max; return reg }

// inBytes makes reg a setting of size bytes, all of them or none.
func (reg Register) inBytes(size uint64) Register {
	reg.Kind, reg.Max, reg.Default = Bytes, size, Raw(nil)
	return reg
}

// Table lists the commands a profile has, by name.
func Table(p profile.Profile) []Register {
	var all []Register
	for _, group := range [][]Register{console(), identity(), network(), cloud(), pins()} {
		for _, r := range group {
			if r.Since <= p.Level() && (r.Only == "" || r.Only == p.Model) {
				all = append(all, r)
			}
		}
	}
	slices.SortFunc(all, func(a, b Register) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return all
}

// console are the serial port, command mode, and Python.
func console() []Register {
	return []Register{
		oneOf("AP", "operating mode: 0 transparent, 1 API, 2 API escaped, 4 MicroPython, 5 bypass", 0, doc, guide, 0, 1, 2, 4, 5),
		oneOf("PS", "start main.py or main.mpy at power-on", 0, doc, guide, 0, 1),
		order("PY", "MicroPython: B bundle report, E erase bundle, V version, ^ interrupt", doc, "RF guide"),
		order("FS", "file system", doc, guide).commandMode(),
		oneOf("BD", "baud rate: 1 2400 to A 921600, or the rate itself", 3, own, guide+"; limits of the rate chosen", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10).orFrom(1200, 921600),
		oneOf("NB", "parity: 0 none, 1 even, 2 odd", 0, doc, guide, 0, 1, 2),
		oneOf("SB", "stop bits: 0 one, 1 two", 0, doc, guide, 0, 1),
		num("GT", "guard time, ms", 2, 0x576, 0x3E8, own, guide+"; limits chosen"),
		num("CT", "command mode timeout, 100 ms", 2, 0x1770, 0x64, own, guide+"; limits chosen"),
		num("CC", "command character", 0, 0xFF, 0x2B, doc, guide),
		num("RO", "packetisation timeout, character times", 0, 0xFF, 3, own, "recalled"),
		num("FT", "flow control threshold, bytes", 0x11, 0x7FF, 0x681, own, "recalled"),
		num("AO", "API options", 0, 2, 0, own, "recalled"),
		num("TD", "text delimiter", 0, 0xFF, 0, own, gsm),
		order("WR", "save the settings", doc, guide),
		order("AC", "apply the settings", doc, guide),
		order("RE", "set everything to its default", doc, guide),
		order("CN", "leave command mode", doc, guide).commandMode(),
		order("FR", "reset the module", doc, guide),
	}
}

// identity is what the module is and how it is.
func identity() []Register {
	return []Register{
		state("VR", "firmware version", Number, doc, guide),
		state("VL", "firmware version, in words", Text, obs, xbf),
		state("HV", "hardware version", Number, doc, xbf),
		state("HS", "hardware series", Number, obs, gsm),
		num("DD", "device type", 0, 0xFFFFFFFF, 0xB0000, own, "recalled"),
		state("CK", "checksum of the settings", Number, own, "recalled; how it is computed is chosen"),
		state("SH", "serial number, high half", Bytes, doc, stubs+" samples/demos/end_to_end_tank: hexlify(atcmd(\"SH\"))"),
		state("SL", "serial number, low half", Bytes, doc, stubs+" samples/demos/end_to_end_tank"),
		text("NI", "name of this node", 20, " ", own, guide+"; default recalled"),
		text("KP", "description for Remote Manager", 20, "", obs, xbf),
		text("KC", "contact for Remote Manager", 20, "", obs, xbf),
		text("KL", "location for Remote Manager", 20, "", obs, xbf),
		state("%V", "supply voltage, mV", Number, obs, gsm),
		state("TP", "temperature, degrees Celsius, 16-bit two's complement", Number, doc, stubs+" samples"),
		order("DT", "date and time: 0 seconds since 2000, 1 ISO text", doc, guide),
	}
}

// network is the modem and what it is connected to.
func network() []Register {
	return []Register{
		state("AI", "association: 0 connected to the Internet", Number, doc, guide),
		state("IM", "IMEI", Text, doc, guide),
		state("II", "IMSI", Text, doc, guide),
		state("S#", "ICCID of the SIM", Text, doc, guide),
		state("PH", "phone number of the SIM", Text, doc, guide),
		state("MN", "network operator", Text, obs, gsm),
		state("MV", "modem firmware", Text, doc, guide),
		state("MY", "own IP address", Text, doc, guide),
		state("OA", "APN in use", Text, doc, guide),
		state("OD", "destination address in use", Text, obs, gsm),
		state("DB", "signal strength, -dBm", Number, doc, stubs),
		state("SW", "RSRP, -dBm", Number, doc, stubs),
		state("SQ", "RSRQ, -dB", Number, doc, stubs),
		state("CI", "how the last connection went", Number, doc, guide),
		text("AN", "APN", 100, "-", own, guide+"; default recalled"),
		text("CU", "user of the APN", 64, "", own, guide+"; limit chosen").hidden(),
		text("CW", "password of the APN", 64, "", own, guide+"; limit chosen").hidden(),
		text("PN", "PIN of the SIM", 8, "", own, gsm+"; limit chosen").hidden(),
		num("CP", "carrier profile", 0, 0xFF, 0, own, guide+"; limits chosen").only(profile.LTEM),
		num("N#", "network technology", 0, 3, 0, own, guide+"; limits chosen").only(profile.LTEM),
		num("BM", "band mask", 0, 1<<63, 0, own, guide+"; limits chosen").only(profile.LTEM),
		oneOf("AM", "airplane mode", 0, doc, guide, 0, 1).atOnce(),
		order("SD", "shut the modem down", obs, xbf+", firmware of August 2019 and later").since(0x12),
		order("NR", "leave the network and join again", obs, gsm),
		oneOf("IP", "transport of transparent mode: 0 UDP, 1 TCP, 2 SMS, 4 TLS", 1, own, guide+"; default recalled", 0, 1, 2, 4),
		text("DL", "destination, a name or an address", 128, "0.0.0.0", own, guide+"; limit chosen"),
		num("DE", "destination port", 0, 0xFFFF, 0x2616, own, guide+"; default recalled"),
		num("C0", "source port", 0, 0xFFFF, 0, own, guide+"; default recalled"),
		text("P#", "destination phone number", 20, "", doc, guide),
		num("TM", "idle timeout of a connection, 100 ms", 0, 0xFFFF, 0xBB8, own, gsm+"; default recalled"),
		order("SI", "sockets in use", obs, gsm),
		order("LA", "look a name up", doc, guide),
		text("N1", "first DNS server", 15, "0.0.0.0", own, "3G guide; limit chosen"),
		text("N2", "second DNS server", 15, "0.0.0.0", own, "3G guide; limit chosen"),
		num("TL", "TLS version: 3 is 1.2", 0, 3, 3, doc, guide),
		text("$0", "TLS profile 0: ca;cert;key", 255, ";;", doc, guide),
		text("$1", "TLS profile 1", 255, ";;", doc, guide),
		text("$2", "TLS profile 2", 255, ";;", doc, guide),
	}
}

// cloud is Remote Manager.
func cloud() []Register {
	return []Register{
		num("DO", "options: bit 0 enables Remote Manager", 0, 0xFF, 1, own, guide+"; limits chosen"),
		num("MO", "Remote Manager: bit 0 stay connected, bit 1 TLS", 0, 7, 6, doc, guide).since(0x11),
		num("DF", "Remote Manager poll interval, minutes", 1, 0x5A00, 0x5A0, own, xbf+"; limits chosen").since(0x11),
		num("K1", "Remote Manager server keep-alive, s", 0, 0xFFFF, 0x4B, own, xbf+"; limits chosen"),
		num("K2", "Remote Manager device keep-alive, s", 0, 0xFFFF, 0x3C, own, xbf+"; limits chosen"),
		state("DI", "Remote Manager: 0 connected", Number, doc, guide),
		text("EQ", "Remote Manager host", 63, "my.devicecloud.com", own, "recalled"),
		text("$D", "Remote Manager CA file", 255, "/flash/cert/digi-remote-mgr.pem", doc, xbf),
	}
}

// pins are I/O, sleep and Bluetooth.
func pins() []Register {
	const likeRF = guide + "; default chosen as on other XBee 3 modules"
	rs := []Register{
		oneOf("SM", "sleep mode: 0 none, 1 pin, 4 cyclic, 5 cyclic with pin", 0, own, guide+"; values recalled", 0, 1, 4, 5),
		num("SP", "sleep period, 10 ms", 1, 0x83D600, 0x7530, own, guide+"; limits and default chosen"),
		num("ST", "wake time, ms", 1, 0x36EE80, 0xEA60, own, guide+"; limits and default chosen"),
		num("SO", "sleep options", 0, 0xFF, 0, own, guide+"; limits chosen"),
		num("IR", "sample interval, ms", 0, 0xFFFF, 0, own, likeRF),
		order("IS", "read the pins that are set up to be read", doc, guide),
		num("PR", "pull resistors", 0, 0x7FFF, 0x7FFF, own, likeRF),
		num("PD", "direction of the pull resistors", 0, 0x7FFF, 0x7FFF, own, likeRF),
		oneOf("BT", "Bluetooth", 0, doc, guide, 0, 1),
		text("BI", "Bluetooth name", 22, "", own, guide+"; limit chosen"),
		state("BL", "Bluetooth address", Bytes, doc, guide),
		text("$S", "Bluetooth salt", 0, "", own, guide).inBytes(4).hidden(),
	}
	for _, name := range []string{"$V", "$W", "$X", "$Y"} {
		rs = append(rs, text(name, "Bluetooth verifier", 0, "", own, guide).inBytes(32).hidden())
	}
	// Associate LED, RTS and CTS have their pins; the others are off.
	defaults := map[string]uint64{"D5": 1, "D7": 1}
	for _, name := range []string{"D0", "D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9", "P0", "P1", "P2", "P3", "P4"} {
		rs = append(rs, num(name, "what the pin does", 0, 6, defaults[name], own, likeRF))
	}
	return rs
}
