package profile

// Sources, as device-facts.md abbreviates them:
//
//	seed      the wiki page of an XBee developer, June to October 2019
//	xbf       the same developers' public library and notes
//	xmp       Digi's public MicroPython repository: type hints, samples, libraries
//	xpy       Digi's host library for Python
//	upstream  MicroPython's own sources at the tag named
//	guide     Digi's user guide of the model

func documented[T any](v T, source string) Fact[T] { return Fact[T]{v, Documented, source} }
func observed[T any](v T, source string) Fact[T]   { return Fact[T]{v, Observed, source} }
func inferred[T any](v T, source string) Fact[T]   { return Fact[T]{v, Inferred, source} }
func calibrated[T any](v T, source string) Fact[T] { return Fact[T]{v, Calibrated, source} }
func chosen[T any](v T, why string) Fact[T]        { return Fact[T]{v, Chosen, why} }

// of2019 is what both profiles have in common.
func of2019() Profile {
	const fitted = "fitted to the seed's free-memory figures at the first prompt and after importing a bundled module"
	return Profile{
		Platform:   observed("xbee-cellular", "xbf upython/core.py: on every cellular model"),
		SysVersion: observed("3.4.0", "xmp issue 42, firmware 11415"),

		MicroPython:   inferred([3]int{1, 11, 0}, "between v1.9.4 (November 2018) and v1.12 (September 2020); xbf compiles for these devices with mpy-cross 1.11; the bundled size of a file only fits .mpy version 4"),
		MpyVersion:    inferred(4, "that of MicroPython v1.11"),
		SmallIntBits:  inferred(31, "xbf passes -msmall-int-bits=31"),
		Unicode:       inferred(false, "xbf passes -mno-unicode, and a .mpy file's flags must equal the firmware's"),
		QstrHashBytes: inferred(2, "2486 - 2188 bytes of the seed's bundle for 32 names"),
		HeapBytes:     inferred(32768, "gives the seed's pool of 32000 bytes by the arithmetic of upstream v1.11 py/gc.c; xbf's notes of 2021 speak of 64 kB"),
		StackLimit:    observed(3584, "seed"),

		PersistentCodeSave:  inferred(true, "the device has uos.compile, which needs it; "+fitted),
		NoAlloca:            calibrated(true, fitted),
		REPLEventDriven:     calibrated(true, fitted),
		CanOverrideBuiltins: calibrated(true, fitted),
		ImportBlocks:        calibrated(-1, "importing urequests.mpy costs 4384 bytes on the seed's device, and 4400 with these settings"),

		BundleBytes: observed(31152, "seed; other firmware is not known"),
		BundleQstrs: observed(371, "seed; other firmware is not known"),

		NoHostErrno: observed(7006, "xmp issue 1: ENXIO, for a name that cannot be resolved and when not registered"),
		SNI:         documented(false, "xmp ussl.pyi: server_hostname is reserved; Digi forum 20463"),
		DialSeconds: chosen(60, "the default time limit of connect is not known"),
	}
}

func ltem11413() Profile {
	p := of2019()
	p.Name, p.Model, p.Firmware = "ltem-11413", LTEM, 0x11413
	p.Product = documented("XBee 3 Cellular LTE-M/NB-IoT", "guide 90002258")
	p.Modem = documented("u-blox SARA-R410M-02B", "guide 90002258")
	p.ModemFirmware = chosen("L0.0.00.00.05.06", "a firmware u-blox shipped for the SARA-R410M-02B; which one Digi had is not known")
	p.HardwareVersion = documented[uint32](0x4B41, "xpy models/hw.py: 0x4B in the high byte; the low byte is a choice")
	p.HardwareSeries = observed[uint32](0xB08, "TinyGSM's XBee client")
	p.PythonVersion = chosen("v1.11-2-g0000000", "not found for this firmware; made in the form of the banners that are known")
	p.PythonDate = chosen("2019-09-20", "not found; shortly before the firmware")
	p.Board = chosen("XBC3 LTE-M/NB-IoT with EFR32MG", "not found; made in the form of the banners that are known")
	p.TLSErrno = observed(7005, "seed, 2019-10-24: EIO")
	p.RefusedErrno = chosen(7111, "ECONNREFUSED for a real refusal without TLS; xmp issue 89 saw 7005 on NB-IoT")
	p.ATS = observed(ATSRequired, "seed, 2019-10-24, firmware 11413")
	p.ServerNameMax = documented(31, "guide 90002258: the handshake fails on the SARA-R410 beyond that")
	p.Sockets = documented(6, "guide 90002258 of 2018")
	p.TLSSockets = documented(4, "guide 90002258 of 2018")
	p.TCPSockets = inferred(6, "no limit of its own is documented")
	p.UDPSockets = inferred(6, "no limit of its own is documented")
	p.USBPowerFails = observed(USBBreaksTLS, "seed: TLS draws enough power to brown the module out")
	return p
}

func cat131011() Profile {
	p := of2019()
	p.Name, p.Model, p.Firmware = "cat1-31011", Cat1, 0x31011
	p.Product = documented("XBee 3 Cellular LTE Cat 1 AT&T", "guide 90002253")
	p.Modem = documented("Telit LE866A1-NA", "guide 90002253")
	p.ModemFirmware = chosen("23.00.413", "the form of Telit's version numbers; which one Digi had is not known")
	p.HardwareVersion = documented[uint32](0x4941, "xpy models/hw.py: 0x49 in the high byte; the low byte is a choice")
	p.HardwareSeries = observed[uint32](0xB06, "TinyGSM's XBee client")
	p.PythonVersion = chosen("v1.11-1-g0000000", "not found for this firmware; made in the form of the banners that are known")
	p.PythonDate = chosen("2019-05-30", "not found; shortly before the firmware")
	p.Board = chosen("XBC3 LTE Cat 1 AT&T with EFR32MG", "not found; made in the form of the banners that are known")
	p.TLSErrno = observed(7111, "seed, 2019-06-18: ECONNREFUSED")
	p.RefusedErrno = observed(7111, "seed; xmp issue 3")
	p.ATS = observed(ATSRefused, "seed, 2019-06-18")
	p.ServerNameMax = documented(0, "guide 90002253 names no limit")
	p.Sockets = documented(10, "guide 90002253, a later issue")
	p.TCPSockets = documented(6, "guide 90002253, a later issue")
	p.UDPSockets = documented(6, "guide 90002253, a later issue")
	p.TLSSockets = documented(6, "guide 90002253, a later issue")
	p.USBPowerFails = observed(USBBreaksSerial, "seed: serial communication is unreliable")
	return p
}
