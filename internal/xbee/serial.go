package xbee

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/api"
	"github.com/skep-sim/skep/internal/xbee/atfs"
	"github.com/skep-sim/skep/internal/xbee/bypass"
	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/modem"
	"github.com/skep-sim/skep/internal/xbee/pymod"
	"github.com/skep-sim/skep/internal/xbee/script"
	"github.com/skep-sim/skep/internal/xbee/serial"
	"github.com/skep-sim/skep/internal/xbee/transparent"
)

// startSerial starts the job that reads the serial port.
func (d *Device) startSerial() {
	d.link = transparent.New(transparent.Config{
		UART: d.uart, Tasks: d.tasks, Registers: d.regs, Modem: d.modem, Credentials: d.credentials, Note: d.note,
	})
	files := atfs.New(d.conf.Flash.FS())
	d.port = serial.New(serial.Config{
		UART: d.uart, Tasks: d.tasks, Switched: d.modeChanged, Registers: d.regs, Note: d.note,
		Files: func(line string, p *serial.Port) string { return files.Run(line, p) },
		Modes: serial.Modes{
			serial.Transparent: d.link,
			serial.API:         &apiMode{d: d},
			serial.APIEscaped:  &apiMode{d: d, escaped: true},
			serial.REPL:        d.console,
			serial.Bypass:      bypass.New(d.uart, d.modem, *d.profile, d.regs),
		},
		Ended: d.console.end,
		Off:   d.offSeen, PowerOff: func() { d.tasks.Raise(powerOff{}) },
	})
	d.modeChanged(d.regs.Active("AP").Int())
	d.tasks.Go("serial port", d.port.Run)
	if d.api != nil {
		d.api.ModemStatus(bootStatus(d.board.Cause))
	}
}

// bootStatus is the modem status (frame 8A) with which a module reports that it
// has started.
func bootStatus(cause pymod.ResetCause) byte {
	if cause == pymod.WatchdogReset {
		return 0x01
	}
	return 0x00
}

// apiMode is the serial port in API mode, which begins when it is first selected:
// most modules never see it.
type apiMode struct {
	d       *Device
	escaped bool
}

// Receive implements serial.Mode.
func (m *apiMode) Receive(b []byte) { m.d.api.Receive(b) }

// Full implements serial.Mode.
func (m *apiMode) Full() bool { return m.d.api != nil && m.d.api.Full() }

// Open implements serial.Mode.
func (m *apiMode) Open(open bool) {
	if open {
		m.d.startAPI()
		m.d.api.SetEscaped(m.escaped)
	}
	if m.d.api != nil {
		m.d.api.Open(open)
	}
}

func (d *Device) startAPI() {
	if d.api != nil {
		return
	}
	d.api = api.New(api.Config{
		Level: d.profile.Level(), Registers: d.regs, Modem: d.modem, Files: d.conf.Flash.FS(), Relay: d.board.Relay, Cloud: apiCloud{d},
		Credentials: d.credentials, Clock: d.tasks.Background(), Go: func(name string, f func()) { d.tasks.Go(name, f) },
		Send: d.uart.Send, Ready: d.uart.Wake, Indicate: d.link.Indicate, Note: d.note,
	})
}

// modeChanged does what a mode is besides what becomes of the port's bytes.
func (d *Device) modeChanged(mode uint64) {
	d.modem.SetBypass(mode == serial.Bypass)
	if mode != serial.REPL && slices.Contains(d.conf.Settings, "AP4") {
		d.note(fmt.Sprintf("the serial port has left the prompt (ATAP is %d now): what the program prints is not seen any more; ATAP4 brings it back, from the program or from command mode (a second of silence, +++, another second)", mode))
	}
	if mode != serial.Transparent {
		d.link.Close()
	}
	if mode != serial.API && mode != serial.APIEscaped && d.api != nil {
		d.api.Reset()
	}
}

// fallAsleep is what the rest of the module does when it falls asleep: the modem
// is off, and the serial port is deaf. It holds CTS, so the host keeps what it
// has to say.
func (d *Device) fallAsleep() {
	d.modem.Sleep()
	d.port.Hold(true)
	d.hardware.SetAsleep(true)
	d.happened(script.Event{Kind: script.FellAsleep})
}

func (d *Device) wakeUp() {
	d.modem.Wake()
	d.port.Hold(false)
	d.hardware.SetAsleep(false)
	d.happened(script.Event{Kind: script.WokeUp})
}

// terminal is the stream of uos.dupterm as the console sees it.
type terminal struct {
	vm    *vm.VM
	board *pymod.Board
}

func (t terminal) Redirected() bool { return t.board.Redirected(t.vm) }

func (t terminal) Write(b []byte) { t.board.WriteTerminal(t.vm, b) }

func (t terminal) Read(b []byte, interrupt int) int { return t.board.ReadTerminal(t.vm, b, interrupt) }

func (t terminal) Events() ([]<-chan struct{}, time.Duration) { return t.board.TerminalEvents(t.vm) }

// credentials reads the files of a TLS profile such as AT$0: "ca;cert;key", each
// a name below /flash/cert or nothing.
func (d *Device) credentials(tls string) (modem.Credentials, error) {
	var files [3]modem.File
	for i, name := range strings.SplitN(tls, ";", len(files)) {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		data, err := d.conf.Flash.FS().ReadSecure(flash.Root+"/cert", name)
		if err != nil {
			return modem.Credentials{}, err
		}
		files[i] = modem.File{Name: name, Data: append([]byte{}, data...)} // not nil, even if empty
	}
	return modem.Credentials{CA: files[0], Certificate: files[1], Key: files[2]}, nil
}
