package hostport

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/skep-sim/skep/internal/world"
)

// This file is the server's side of RFC 2217, the telnet option by which a
// client sets the line of a serial port and sends a break.

// Telnet's bytes (RFC 854).
const (
	iac  = 255
	dont = 254
	do   = 253
	wont = 252
	will = 251
	sb   = 250
	se   = 240
	brk  = 243
)

// Telnet options that can be agreed on.
const (
	optBinary  = 0
	optSGA     = 3 // suppress go ahead
	optComPort = 44
)

// Commands of the COM port option. The server answers each with its number plus
// fromServer.
const (
	comSignature  = 0
	comBaud       = 1
	comDataSize   = 2
	comParity     = 3
	comStopSize   = 4
	comControl    = 5
	comModemState = 7
	comLineMask   = 10
	comModemMask  = 11
	comPurge      = 12

	fromServer = 100
)

// Values of comControl that mean something here. Others are acknowledged.
const (
	controlBreakQuery = 4
	controlBreakOn    = 5
	controlBreakOff   = 6
)

// modemReady is the modem state of a module that is there: CD, DSR and CTS.
const modemReady = 0x80 | 0x20 | 0x10

// telnet is one client's session.
type telnet struct {
	e    *end
	line *Line
	set  world.LineSettings

	state telnetState
	verb  byte
	sub   []byte
	data  []byte // of the bytes that are being read, those for the module
	// said is what the server does (WILL) and wants (DO), so that agreeing comes
	// to an end.
	willing, wanting map[byte]bool
	told             bool // the client knows the modem state
}

type telnetState uint8

const (
	stData    telnetState = iota
	stIAC                 // after IAC
	stVerb                // after WILL, WONT, DO or DONT
	stSub                 // inside SB
	stSubIAC              // after IAC inside SB
	maxSub    = 64        // bytes of a subnegotiation that are looked at
	dataBits8 = 8
)

// escapeIAC doubles IAC, as telnet has it.
func escapeIAC(p []byte) []byte { return bytes.ReplaceAll(p, []byte{iac}, []byte{iac, iac}) }

// serveTelnet serves a client that speaks RFC 2217.
func serveTelnet(l *Line, c io.ReadWriter) {
	t := &telnet{
		line: l, set: world.LineSettings{Baud: 9600, Parity: 'N', StopBits: 1},
		willing: map[byte]bool{}, wanting: map[byte]bool{},
	}
	t.e = l.attach(c, escapeIAC)
	defer t.e.detach()
	for _, o := range [...]byte{optBinary, optSGA, optComPort} {
		t.offer(o)
		t.ask(o)
	}
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		t.data = t.data[:0]
		for _, b := range buf[:n] {
			t.take(b)
		}
		if !t.e.put(t.data) || err != nil {
			return
		}
	}
}

// reply sends telnet's own bytes, past the escaping.
func (t *telnet) reply(p ...byte) {
	t.line.mu.Lock()
	defer t.line.mu.Unlock()
	t.e.out = append(t.e.out, p...)
	t.e.some.Signal()
}

func (t *telnet) offer(o byte) {
	if !t.willing[o] {
		t.willing[o] = true
		t.reply(iac, will, o)
	}
}

func (t *telnet) ask(o byte) {
	if !t.wanting[o] {
		t.wanting[o] = true
		t.reply(iac, do, o)
	}
}

// take takes one byte from the client.
func (t *telnet) take(b byte) {
	switch t.state {
	case stData:
		if b == iac {
			t.state = stIAC
		} else {
			t.data = append(t.data, b)
		}
	case stIAC:
		t.state = stData
		switch b {
		case iac:
			t.data = append(t.data, iac)
		case will, wont, do, dont:
			t.verb, t.state = b, stVerb
		case sb:
			t.sub, t.state = t.sub[:0], stSub
		case brk: // a break without a length: as short as a key press
			t.e.setBreak(true)
			t.e.setBreak(false)
		}
	case stVerb:
		t.state = stData
		t.negotiate(b)
	case stSub:
		if b == iac {
			t.state = stSubIAC
		} else if len(t.sub) < maxSub {
			t.sub = append(t.sub, b)
		}
	case stSubIAC:
		t.state = stSub
		switch {
		case b == se:
			t.state = stData
			t.subnegotiation()
		case b == iac && len(t.sub) < maxSub:
			t.sub = append(t.sub, iac)
		}
	}
}

// negotiate answers WILL, WONT, DO and DONT.
func (t *telnet) negotiate(option byte) {
	known := option == optBinary || option == optSGA || option == optComPort
	switch t.verb {
	case do:
		if known {
			t.offer(option)
		} else { // not even to echo: the module echoes what it wants to
			t.reply(iac, wont, option)
		}
	case will:
		if known {
			t.ask(option)
			if option == optComPort && !t.told {
				t.told = true
				t.answer(comModemState, []byte{modemReady})
			}
		} else {
			t.reply(iac, dont, option)
		}
	case dont:
		if t.willing[option] {
			delete(t.willing, option)
			t.reply(iac, wont, option)
		}
	case wont:
		if t.wanting[option] {
			delete(t.wanting, option)
			t.reply(iac, dont, option)
		}
	}
}

// subnegotiation carries out a command of the COM port option. A value of 0 asks
// for what is set.
func (t *telnet) subnegotiation() {
	if len(t.sub) < 2 || t.sub[0] != optComPort {
		return
	}
	if t.sub[1] == comModemState { // pyserial asks so what it is; the module is always there
		t.answer(comModemState, []byte{modemReady})
		return
	}
	command, value := t.sub[1], t.sub[2:]
	answer := value
	one := func() byte {
		if len(value) > 0 {
			return value[0]
		}
		return 0
	}
	switch command {
	case comSignature:
		answer = []byte("Skep")
	case comBaud:
		if len(value) < 4 {
			return
		}
		if n := binary.BigEndian.Uint32(value); n != 0 && n < 1<<24 {
			t.set.Baud = int(n)
		}
		answer = binary.BigEndian.AppendUint32(nil, uint32(t.set.Baud))
	case comDataSize:
		answer = []byte{dataBits8}
	case comParity:
		if n := one(); n >= 1 && n <= 3 {
			t.set.Parity = "NOE"[n-1]
		}
		answer = []byte{byte(bytes.IndexByte([]byte("NOE"), t.set.Parity)) + 1}
	case comStopSize:
		if n := one(); n == 1 || n == 2 {
			t.set.StopBits = int(n)
		}
		answer = []byte{byte(t.set.StopBits)}
	case comControl:
		switch one() {
		case controlBreakOn:
			t.e.setBreak(true)
		case controlBreakOff:
			t.e.setBreak(false)
		case controlBreakQuery:
			answer = []byte{controlBreakOff}
			if t.e.brk {
				answer = []byte{controlBreakOn}
			}
		}
	case comLineMask, comPurge:
	case comModemMask:
		defer t.answer(comModemState, []byte{modemReady})
	default:
		return
	}
	t.line.adopt(t.set)
	t.answer(command, answer)
}

func (t *telnet) answer(command byte, value []byte) {
	p := append([]byte{iac, sb, optComPort, command + fromServer}, escapeIAC(value)...)
	t.reply(append(p, iac, se)...)
}
