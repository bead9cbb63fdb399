package link

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"
	"time"
)

// This file is the client's side of RFC 2217: a serial port behind telnet, whose
// baud rate can be set and which can be sent a break.

// Telnet's bytes (RFC 854), its options, and the COM port option's commands.
const (
	iac  = 255
	dont = 254
	do   = 253
	wont = 252
	will = 251
	sb   = 250
	se   = 240

	optBinary  = 0
	optSGA     = 3
	optComPort = 44

	comBaud    = 1
	comSize    = 2
	comParity  = 3
	comStop    = 4
	comControl = 5

	controlNoFlow   = 1
	controlBreakOn  = 5
	controlBreakOff = 6
)

// telnetPort is a port that speaks RFC 2217.
type telnetPort struct {
	*tcpPort
	wr      sync.Mutex // one piece of telnet at a time
	state   telnetState
	verb    byte
	raw     []byte
	offered map[byte]bool // options that we do, or want of the other side
}

type telnetState uint8

const (
	tnData telnetState = iota
	tnIAC
	tnVerb
	tnSub
	tnSubIAC
)

func newTelnet(p *tcpPort) *telnetPort {
	t := &telnetPort{tcpPort: p, offered: map[byte]bool{}, raw: make([]byte, 4096)}
	for _, o := range [...]byte{optBinary, optSGA, optComPort} {
		t.offered[o] = true
		t.say(iac, will, o)
		t.say(iac, do, o)
	}
	t.command(comSize, 8)
	t.command(comParity, 1)
	t.command(comStop, 1)
	t.command(comControl, controlNoFlow)
	return t
}

func (t *telnetPort) say(p ...byte) error {
	t.wr.Lock()
	defer t.wr.Unlock()
	_, err := t.Conn.Write(p)
	return err
}

func (t *telnetPort) command(c byte, value ...byte) error {
	p := append([]byte{iac, sb, optComPort, c}, escapeIAC(value)...)
	return t.say(append(p, iac, se)...)
}

func escapeIAC(p []byte) []byte { return bytes.ReplaceAll(p, []byte{iac}, []byte{iac, iac}) }

// Write implements io.Writer.
func (t *telnetPort) Write(p []byte) (int, error) {
	if err := t.say(escapeIAC(p)...); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Read implements io.Reader.
func (t *telnetPort) Read(p []byte) (int, error) {
	for {
		n, err := t.Conn.Read(t.raw[:min(len(p), len(t.raw))])
		k := 0
		for _, b := range t.raw[:n] {
			if t.accept(b) {
				p[k] = b
				k++
			}
		}
		if k > 0 || err != nil {
			return k, err
		}
	}
}

// accept takes a byte of telnet, and reports whether it is one of the module's.
func (t *telnetPort) accept(b byte) bool {
	switch t.state {
	case tnData:
		if b != iac {
			return true
		}
		t.state = tnIAC
	case tnIAC:
		t.state = tnData
		switch b {
		case iac:
			return true
		case will, wont, do, dont:
			t.verb, t.state = b, tnVerb
		case sb:
			t.state = tnSub
		}
	case tnVerb:
		t.state = tnData
		t.negotiate(b)
	case tnSub: // answers to what we set, and the state of the other side's modem lines
		if b == iac {
			t.state = tnSubIAC
		}
	case tnSubIAC:
		t.state = tnSub
		if b == se {
			t.state = tnData
		}
	}
	return false
}

// negotiate refuses what was not offered; what was needs no further answer.
func (t *telnetPort) negotiate(o byte) {
	switch {
	case t.offered[o]:
	case t.verb == do:
		t.say(iac, wont, o)
	case t.verb == will:
		t.say(iac, dont, o)
	}
}

// SetBaud implements [Bauder].
func (t *telnetPort) SetBaud(baud int) error {
	if err := t.command(comBaud, binary.BigEndian.AppendUint32(nil, uint32(baud))...); err != nil {
		return fmt.Errorf("%s: setting %d baud: %w", t.name, baud, err)
	}
	return nil
}

// SetBreak begins or ends a break.
func (t *telnetPort) SetBreak(on bool) error {
	if on {
		return t.command(comControl, controlBreakOn)
	}
	return t.command(comControl, controlBreakOff)
}

// breakSetter is a port whose break is begun and ended; the caller has the clock.
type breakSetter interface{ SetBreak(on bool) error }

var _ breakSetter = (*telnetPort)(nil)

// sendBreak holds the line in break.
func (l *Line) sendBreak(d time.Duration) error {
	switch p := l.port.(type) {
	case breakSetter:
		if err := p.SetBreak(true); err != nil {
			return err
		}
		l.clock.Wait(d, l.ctx.Done())
		return p.SetBreak(false)
	case Breaker:
		return p.Break(d)
	}
	return fmt.Errorf("%s cannot send a break", l.port)
}

func (l *Line) canBreak() bool {
	_, one := l.port.(breakSetter)
	_, other := l.port.(Breaker)
	return one || other
}
