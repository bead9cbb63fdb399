// Package bypass is bypass mode: the port leads to the cellular modem itself,
// and its own AT commands (3GPP TS 27.007 and ITU-T V.250) answer.
//
// Behind it is a virtual modem, which says so. It answers what a person or a
// tool asks to find out what is there and whether it is registered; everything
// else is ERROR. It has no sockets, calls or messages of its own: these are the
// module's, through the other modes.
package bypass

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/skep-sim/skep/internal/xbee/at"
	"github.com/skep-sim/skep/internal/xbee/modem"
	"github.com/skep-sim/skep/internal/xbee/profile"
	"github.com/skep-sim/skep/internal/xbee/uart"
)

// Port is the modem's own AT port. It implements serial.Mode.
type Port struct {
	uart   *uart.UART
	modem  *modem.Modem
	regs   *at.Registers
	name   string // of the modem that this one stands for
	access int    // its network technology, as 27.007 numbers them

	echo bool
	line []byte
}

// New is the port of a modem that has just been powered on. regs tell the access
// point that the modem was given.
func New(u *uart.UART, m *modem.Modem, p profile.Profile, regs *at.Registers) *Port {
	access := 7 // E-UTRAN
	if p.Model == profile.LTEM {
		access = 8 // EC-GSM-IoT, and what u-blox shows for LTE-M
	}
	return &Port{uart: u, modem: m, regs: regs, name: p.Modem.Value, access: access, echo: true}
}

// maxLine is the longest command line, in bytes. A choice; longer ones are
// ERROR.
const maxLine = 512

// Full implements serial.Mode.
func (p *Port) Full() bool { return false }

// Open implements serial.Mode.
func (p *Port) Open(open bool) { p.line = nil }

// Receive implements serial.Mode.
func (p *Port) Receive(b []byte) {
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\r')
		end := i >= 0
		if !end {
			i = len(b) - 1
		}
		if p.echo {
			p.uart.Send(b[:i+1])
		}
		for _, c := range b[:i+1] {
			switch {
			case c == 8 || c == 127:
				p.line = p.line[:max(0, len(p.line)-1)]
			case c >= ' ' && len(p.line) <= maxLine:
				p.line = append(p.line, c)
			}
		}
		b = b[i+1:]
		if end {
			line := strings.TrimSpace(string(p.line))
			p.line = p.line[:0]
			p.execute(line)
		}
	}
}

// execute carries out a command line: AT and a command.
func (p *Port) execute(line string) {
	if line == "" {
		return
	}
	command, ok := strings.CutPrefix(strings.ToUpper(line), "AT")
	info, known := "", false
	if ok && len(line) <= maxLine {
		info, known = p.command(command)
	}
	if !known {
		p.uart.Send([]byte("\r\nERROR\r\n"))
		return
	}
	if info != "" {
		p.uart.Send([]byte("\r\n" + strings.ReplaceAll(info, "\n", "\r\n") + "\r\n"))
	}
	p.uart.Send([]byte("\r\nOK\r\n"))
}

// command is the answer to a command, in lines; false if it is not known.
func (p *Port) command(c string) (info string, ok bool) {
	id := p.modem.Identity()
	switch c {
	case "", "Z", "&F", "&F1", "E", "E0", "E1":
		if c != "" {
			p.echo = c != "E" && c != "E0"
		}
		return "", true
	case "I", "I0":
		return "Skep virtual modem\n" + p.standsFor() + "\n" + id.Firmware, true
	case "+CGMI", "+GMI":
		return "Skep", true
	case "+CGMM", "+GMM":
		return "virtual modem, " + p.standsFor(), true
	case "+CGMR", "+GMR":
		return id.Firmware, true
	case "+CGSN", "+GSN":
		return id.IMEI, true
	case "+CIMI":
		return id.IMSI, true
	case "+CCID", "+CCID?":
		return "+CCID: " + id.ICCID, true
	case "+CPIN?":
		return "+CPIN: READY", true
	case "+CSQ":
		return fmt.Sprintf("+CSQ: %d,99", p.quality()), true
	case "+CREG?", "+CGREG?", "+CEREG?":
		return fmt.Sprintf("%s: 0,%d", strings.TrimSuffix(c, "?"), p.registered()), true
	case "+COPS?":
		if p.registered() != 1 {
			return "+COPS: 0", true
		}
		return fmt.Sprintf("+COPS: 0,0,%q,%d", id.Operator, p.access), true
	case "+CGDCONT?":
		return fmt.Sprintf("+CGDCONT: 1,\"IP\",%q,%q,0,0", p.apn(), p.address()), true
	}
	return "", false
}

func (p *Port) standsFor() string { return "standing in for " + p.name }

// registered is the network state of 27.007: 0 not and not searching, 1 at home,
// 2 searching.
func (p *Port) registered() int {
	switch p.modem.Registration() {
	case modem.Connected, modem.Connecting:
		return 1
	case modem.Registering, modem.Initialising:
		return 2
	}
	return 0
}

// quality is the signal as +CSQ has it: 0 to 31 in steps of 2 dB from -113 dBm,
// 99 unknown.
func (p *Port) quality() int {
	if p.registered() != 1 {
		return 99
	}
	return min(31, max(0, int(p.modem.Identity().Signal.RSSI+113)/2))
}

func (p *Port) apn() string {
	if set := strings.TrimSpace(p.regs.Active("AN").Text()); set != "" && set != "-" {
		return set
	}
	return p.modem.Identity().OperatingAPN
}

func (p *Port) address() string {
	if p.modem.Registration() != modem.Connected {
		return "0.0.0.0"
	}
	return p.modem.Identity().Address.String()
}
