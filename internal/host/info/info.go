// Package info asks a module what it is and how it is: model, firmware, SIM,
// network, flash, bundle.
//
// It changes nothing on it.
package info

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/skep-sim/skep/internal/host/files"
	"github.com/skep-sim/skep/internal/host/link"
)

// Info is what a module says of itself. Of what it does not know, or has no
// command for, there is nothing.
type Info struct {
	Port        string `json:"port"`
	Baud        int    `json:"baud,omitempty"` // 0: the port has none
	Model       string `json:"model"`
	Hardware    string `json:"hardware"` // ATHV
	Firmware    string `json:"firmware"` // ATVR
	MicroPython string `json:"micropython,omitempty"`
	Serial      string `json:"serial"` // ATSH and ATSL
	Name        string `json:"name"`
	Mode        string `json:"mode"`      // ATAP
	Autostart   bool   `json:"autostart"` // ATPS

	IMEI          string `json:"imei,omitempty"`
	ICCID         string `json:"iccid,omitempty"`
	IMSI          string `json:"imsi,omitempty"`
	Phone         string `json:"phone,omitempty"`
	ModemFirmware string `json:"modemFirmware,omitempty"`
	Association   string `json:"association"` // ATAI
	Connected     bool   `json:"connected"`
	Carrier       string `json:"carrier,omitempty"`
	APN           string `json:"apn,omitempty"`
	IP            string `json:"ip,omitempty"`
	Signal        int    `json:"signalDBm,omitempty"`
	RSRP          int    `json:"rsrpDBm,omitempty"`
	RSRQ          int    `json:"rsrqDB,omitempty"`

	Temperature *int `json:"temperatureC,omitempty"`
	Millivolts  int  `json:"supplyMillivolts,omitempty"`

	Flash  *files.Info `json:"flash,omitempty"`
	Bundle string      `json:"bundle,omitempty"` // ATPYB
}

// models are the modules by the high byte of ATHV (device-facts.md 1.3).
var models = map[uint64]string{
	0x40: "XBee Cellular LTE Cat 1 Verizon", 0x44: "XBee Cellular 3G", 0x46: "XBee Cellular LTE-M Verizon",
	0x47: "XBee Cellular LTE-M AT&T", 0x48: "XBee Cellular NB-IoT Europe", 0x49: "XBee 3 Cellular LTE Cat 1 AT&T",
	0x4A: "XBee 3 Cellular LTE-M Verizon", 0x4B: "XBee 3 Cellular LTE-M/NB-IoT", 0x4D: "XBee 3 Cellular LTE Cat 1 Verizon",
	0x4E: "XBee 3 Cellular LTE-M (Telit)", 0x54: "XBee 3 Global LTE Cat 1", 0x55: "XBee 3 North America LTE Cat 1",
	0x56: "XBee 3 Low-Power LTE-M", 0x58: "XBee 3 Global LTE Cat 4", 0x59: "XBee 3 North America LTE Cat 4",
}

// associations are the values of ATAI (device-facts.md 10.3).
var associations = map[uint64]string{
	0x00: "connected to the Internet", 0x22: "registering to the network", 0x23: "connecting to the Internet",
	0x24: "modem firmware missing or corrupt", 0x25: "registration denied", 0x2A: "airplane mode", 0x2B: "USB direct mode",
	0x2C: "modem in power saving mode", 0x2D: "modem shut down", 0x2E: "shut down for low voltage", 0x2F: "bypass mode",
	0x30: "modem firmware is being updated", 0x31: "regulatory test mode", 0xFF: "starting",
}

var modes = map[uint64]string{
	0: "transparent", 1: "API", 2: "API with escapes", 4: "MicroPython", 5: "bypass",
}

// asker asks, and keeps what fails for good.
type asker struct {
	s   *link.Session
	err error
}

// text is an answer, "" if the module has none.
func (a *asker) text(command string) string {
	if a.err != nil {
		return ""
	}
	ask := a.s.Query
	if command == "PYB" { // the one whose answer has two lines
		ask = a.s.Command
	}
	answer, err := ask(command)
	var refused *link.CommandError
	if errors.As(err, &refused) {
		return ""
	}
	a.err = err
	return strings.TrimSpace(answer)
}

func (a *asker) number(command string) (uint64, bool) {
	n, err := strconv.ParseUint(a.text(command), 16, 64)
	return n, err == nil
}

// Read asks for everything.
func Read(s *link.Session) (*Info, error) {
	a := &asker{s: s}
	i := &Info{Port: s.Port(), Baud: s.Baud, Firmware: a.text("VR"), Hardware: a.text("HV"), MicroPython: a.text("PYV"), Name: a.text("NI")}
	if n, err := strconv.ParseUint(i.Hardware, 16, 64); err == nil {
		i.Model = models[n>>8]
	}
	if i.Model == "" {
		i.Model = "unknown module"
	}
	i.Serial = fmt.Sprintf("%08s%08s", a.text("SH"), a.text("SL"))
	i.Mode = modes[s.Mode]
	ps, _ := a.number("PS")
	i.Autostart = ps == 1
	i.IMEI, i.ICCID, i.IMSI, i.Phone, i.ModemFirmware = a.text("IM"), a.text("S#"), a.text("II"), a.text("PH"), a.text("MV")
	if n, ok := a.number("AI"); ok {
		i.Connected = n == 0
		if i.Association = associations[n]; i.Association == "" {
			i.Association = fmt.Sprintf("unknown (%X)", n)
		}
	}
	i.Carrier, i.APN, i.IP = a.text("MN"), a.text("OA"), a.text("MY")
	for _, q := range []struct {
		command string
		to      *int
	}{{"DB", &i.Signal}, {"SW", &i.RSRP}, {"SQ", &i.RSRQ}} {
		if n, ok := a.number(q.command); ok && n != 0 && n != 0xFF {
			*q.to = -int(n)
		}
	}
	if n, ok := a.number("TP"); ok {
		c := int(int16(n))
		i.Temperature = &c
	}
	if n, ok := a.number("%V"); ok {
		i.Millivolts = int(n)
	}
	i.Bundle = strings.ReplaceAll(a.text("PYB"), "\n", ", ")
	if a.err != nil {
		return nil, a.err
	}
	return i, i.readFlash(s)
}

func (i *Info) readFlash(s *link.Session) error {
	var refused *link.CommandError
	fs, err := files.Open(s)
	if err == nil {
		var f files.Info
		if f, err = fs.Info(); err == nil {
			i.Flash = &f
		}
	}
	if errors.As(err, &refused) {
		return nil
	}
	return err
}

// String is the report for people.
func (i *Info) String() string {
	var b strings.Builder
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-12s %s\n", name, value)
		}
	}
	unit := func(n int, unit string) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprintf("%d %s", n, unit)
	}
	port := i.Port
	if i.Baud != 0 {
		port += fmt.Sprintf(", %d baud", i.Baud)
	}
	row("port", port+", "+i.Mode+" mode")
	row("model", i.Model)
	row("firmware", i.Firmware+" on hardware "+i.Hardware)
	row("MicroPython", i.MicroPython)
	row("serial no.", i.Serial)
	row("name", i.Name)
	row("autostart", map[bool]string{true: "on", false: "off"}[i.Autostart])
	row("network", i.Association)
	row("carrier", i.Carrier)
	row("APN", i.APN)
	row("IP", i.IP)
	signal := unit(i.Signal, "dBm")
	if i.RSRP != 0 {
		signal += fmt.Sprintf(", RSRP %d dBm, RSRQ %d dB", i.RSRP, i.RSRQ)
	}
	row("signal", strings.TrimPrefix(signal, ", "))
	row("IMEI", i.IMEI)
	row("SIM", i.ICCID)
	row("phone", i.Phone)
	row("modem", i.ModemFirmware)
	if i.Temperature != nil {
		row("temperature", fmt.Sprintf("%d °C", *i.Temperature))
	}
	row("supply", unit(i.Millivolts, "mV"))
	if i.Flash != nil {
		row("flash", fmt.Sprintf("%d of %d bytes used, %d free", i.Flash.Used, i.Flash.Total, i.Flash.Free))
	}
	row("bundle", i.Bundle)
	return b.String()
}
