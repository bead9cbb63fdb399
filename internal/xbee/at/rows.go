package at

import "github.com/skep-sim/skep/internal/xbee/profile"

// console are the serial port, command mode, and Python.
func console() []Register {
	return []Register{
		oneOf("AP", "operating mode: 0 transparent, 1 API, 2 API escaped, 4 MicroPython, 5 bypass", 0, doc, guide, 0, 1, 2, 4, 5),
		oneOf("PS", "start main.py or main.mpy at power-on", 0, doc, guide, 0, 1),
		order("PY", "MicroPython: B bundle report, E erase bundle, V version, ^ interrupt", doc, "RF guide").takes(Text),
		order("FS", "file system: ATFS lists its sub-commands", doc, guide).takes(Text).commandMode(),
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
		state("VR", "firmware version", Number, doc, guide).width(4),
		state("VL", "firmware version, in words", Text, obs, xbf),
		state("HV", "hardware version", Number, doc, xbf).width(2),
		state("HS", "hardware series", Number, obs, gsm).width(2),
		num("DD", "device type", 0, 0xFFFFFFFF, 0xB0000, own, "recalled"),
		state("CK", "checksum of the settings", Number, own, "recalled; how it is computed is chosen").width(2),
		state("SH", "serial number, high half", Bytes, doc, stubs+" samples/demos/end_to_end_tank: hexlify(atcmd(\"SH\"))"),
		state("SL", "serial number, low half", Bytes, doc, stubs+" samples/demos/end_to_end_tank"),
		text("NI", "name of this node", 20, " ", own, guide+"; default recalled"),
		text("KP", "description for Remote Manager", 20, "", obs, xbf),
		text("KC", "contact for Remote Manager", 20, "", obs, xbf),
		text("KL", "location for Remote Manager", 20, "", obs, xbf),
		state("%V", "supply voltage, mV", Number, obs, gsm).width(2),
		state("TP", "temperature, degrees Celsius, 16-bit two's complement", Number, doc, stubs+" samples").width(2),
		order("DT", "date and time: 0 seconds since 2000, 1 ISO text", doc, guide+"; 4 bytes in frames chosen").takes(Number).width(4),
	}
}

// network is the modem and what it is connected to.
func network() []Register {
	return []Register{
		state("AI", "association: 0 connected to the Internet", Number, doc, guide).width(1),
		state("IM", "IMEI", Text, doc, guide),
		state("II", "IMSI", Text, doc, guide),
		state("S#", "ICCID of the SIM", Text, doc, guide),
		state("PH", "phone number of the SIM", Text, doc, guide),
		state("MN", "network operator", Text, obs, gsm),
		state("MV", "modem firmware", Text, doc, guide),
		state("MY", "own IP address", Text, doc, guide),
		state("OA", "APN in use", Text, doc, guide),
		state("DB", "signal strength, -dBm", Number, doc, stubs).width(1),
		state("SW", "RSRP, -dBm", Number, doc, stubs).width(1),
		state("SQ", "RSRQ, -dB", Number, doc, stubs).width(1),
		text("AN", "APN", 100, "-", own, guide+"; default recalled"),
		text("CU", "user of the APN", 64, "", own, guide+"; limit chosen").hidden(),
		text("CW", "password of the APN", 64, "", own, guide+"; limit chosen").hidden(),
		text("PN", "PIN of the SIM", 8, "", own, gsm+"; limit chosen").hidden(),
		num("CP", "carrier profile", 0, 0xFF, 0, own, guide+"; limits chosen").only(profile.LTEM),
		num("N#", "network technology", 0, 3, 0, own, guide+"; limits chosen").only(profile.LTEM),
		num("BM", "band mask", 0, 1<<63, 0, own, guide+"; limits chosen").only(profile.LTEM),
		oneOf("AM", "airplane mode", 0, doc, guide, 0, 1).atOnce(),
		order("SD", "shut the modem down", obs, xbf+", firmware of August 2019 and later").takes(Number).since(0x12),
		order("FO", "update of the modem's firmware by FTP: S server, P port, U user, W password, D directory, F file; I begins, C clears", doc, "Cat 1 guide, later issue; level chosen").takes(Text).since(0x15),
		state("FI", "update of the modem's firmware: FF none, FE under way, 12 bad parameters", Number, doc, "Cat 1 guide, later issue; level chosen").width(1).since(0x15),
		order("NR", "leave the network and join again", obs, gsm).takes(Number),
	}
}

// connections are transparent mode, sockets and names.
func connections() []Register {
	return []Register{
		oneOf("IP", "transport of transparent mode: 0 UDP, 1 TCP, 2 SMS, 4 TLS", 1, own, guide+"; default recalled", 0, 1, 2, 4),
		text("DL", "destination, a name or an address", 128, "0.0.0.0", own, guide+"; limit chosen"),
		num("DE", "destination port", 0, 0xFFFF, 0x2616, own, guide+"; default recalled"),
		num("C0", "source port", 0, 0xFFFF, 0, own, guide+"; default recalled"),
		text("P#", "destination phone number", 20, "", doc, guide),
		state("OD", "destination address in use", Text, obs, gsm),
		state("CI", "how the last connection went", Number, doc, guide).width(1),
		num("TM", "idle timeout of a connection, 100 ms", 0, 0xFFFF, 0xBB8, own, gsm+"; default recalled"),
		order("SI", "sockets in use, or what there is to say of one", doc, "LTE-M guide, later issue").takes(Number),
		order("LA", "look a name up", doc, guide).takes(Text),
		text("N1", "first DNS server", 15, "0.0.0.0", own, "3G guide; limit chosen"),
		text("N2", "second DNS server", 15, "0.0.0.0", own, "3G guide; limit chosen"),
		text("NS", "DNS server", 15, "0.0.0.0", own, gsm+"; limit chosen"),
		order("PG", "ping a host", obs, gsm).takes(Text),
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
		num("MO", "Remote Manager: bit 0 stay connected, bit 1 TLS", 0, 0xFF, 6, doc, guide+"; bits 2 to 6 reserved").since(0x11),
		num("DF", "Remote Manager poll interval, minutes", 1, 0x5A00, 0x5A0, own, xbf+"; limits chosen").since(0x11),
		num("K1", "Remote Manager server keep-alive, s", 0, 0xFFFF, 0x4B, own, xbf+"; limits chosen"),
		num("K2", "Remote Manager device keep-alive, s", 0, 0xFFFF, 0x3C, own, xbf+"; limits chosen"),
		state("DI", "Remote Manager: 0 connected", Number, doc, guide).width(1),
		state("RI", "Remote Manager: 0 connected", Number, own, guide+"; taken for another name of DI").width(1),
		text("EQ", "Remote Manager host", 63, "my.devicecloud.com", own, "recalled"),
		text("$D", "Remote Manager CA file", 255, "/flash/cert/digi-remote-mgr.pem", doc, xbf),
	}
}

// pins are I/O and sleep.
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
	}
	// What each pin can do. Associate LED, CTS and the primary serial port have
	// theirs; the others are off.
	for _, pin := range []struct {
		name    string
		def     uint64
		allowed []uint64
	}{
		{"D0", 0, []uint64{0, 1, 2, 3, 4, 5}},
		{"D1", 0, []uint64{0, 1, 2, 3, 4, 5, 6}},
		{"D2", 0, []uint64{0, 1, 2, 3, 4, 5, 6}},
		{"D3", 0, []uint64{0, 1, 2, 3, 4, 5, 6}},
		{"D4", 0, []uint64{0, 1, 3, 4, 5, 6}},
		{"D5", 1, []uint64{0, 1, 3, 4, 5}},
		{"D6", 0, []uint64{0, 1, 3, 4, 5}},
		{"D7", 1, []uint64{0, 1, 3, 4, 5, 6, 7}},
		{"D8", 0, []uint64{0, 1, 3, 4, 5}},
		{"D9", 0, []uint64{0, 1, 3, 4, 5}},
		{"P0", 0, []uint64{0, 1, 2, 3, 4, 5}},
		{"P1", 0, []uint64{0, 1, 2, 3, 4, 5, 6, 7}},
		{"P2", 0, []uint64{0, 1, 3, 4, 5, 6}},
		{"P3", 1, []uint64{0, 1}},
		{"P4", 1, []uint64{0, 1}},
	} {
		rs = append(rs, oneOf(pin.name, "what the pin does: 0 nothing, 1 its own function, 2 analog, 3 input, 4 low, 5 high, 6 and 7 others", pin.def, own,
			likeRF+"; values after the functions that xmp's machine.Pin lists", pin.allowed...))
	}
	return rs
}

// bluetooth is what a Bluetooth client needs to log in.
func bluetooth() []Register {
	rs := []Register{
		oneOf("BT", "Bluetooth", 0, doc, guide, 0, 1),
		text("BI", "Bluetooth name", 22, "", own, guide+"; limit chosen"),
		state("BL", "Bluetooth address", Bytes, doc, guide),
		text("$S", "Bluetooth salt", 0, "", own, guide).inBytes(4).hidden(),
	}
	for _, name := range []string{"$V", "$W", "$X", "$Y"} {
		rs = append(rs, text(name, "Bluetooth verifier", 0, "", own, guide).inBytes(32).hidden())
	}
	return rs
}
