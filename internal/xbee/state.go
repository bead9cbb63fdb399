package xbee

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/at"
	"github.com/skep-sim/skep/internal/xbee/modem"
	"github.com/skep-sim/skep/internal/xbee/pymod"
)

// state answers the AT table's questions about the module and obeys its orders.
type state Device

// Readings that nothing in a virtual module decides: choices.
const (
	millivoltsWall = 3300
	millivoltsUSB  = 3080
	celsius        = 27
)

// ReadState implements at.Module.
func (s *state) ReadState(name string) (at.Value, error) {
	m := s.modem
	id := m.Identity()
	signal, heard := m.Signal()
	switch name {
	case "AI":
		return at.Int(uint64(m.Association())), nil
	case "SH", "SL":
		high, low, err := at.Serial(id.IMEI)
		if err != nil {
			return at.Value{}, err
		}
		if name == "SH" {
			return at.Raw(high[:]), nil
		}
		return at.Raw(low[:]), nil
	case "VL":
		return at.Str(fmt.Sprintf("%s\rFirmware: %X\rModem: %s %s", s.profile.Product.Value, s.profile.Firmware,
			s.profile.Modem.Value, s.profile.ModemFirmware.Value)), nil
	case "IM":
		return at.Str(id.IMEI), nil
	case "II":
		return at.Str(id.IMSI), nil
	case "S#":
		return at.Str(id.ICCID), nil
	case "PH":
		return at.Str(id.Phone), nil
	case "MN":
		return at.Str(m.Operator()), nil
	case "MV":
		return at.Str(id.Firmware), nil
	case "MY":
		return at.Address(m.Interface().Address.As4()), nil // xpy devices.py: four bytes in frames
	case "OA":
		return at.Str(m.OperatingAPN(s.regs.Active("AN").Text())), nil
	case "OD":
		return at.Str(s.link.Remote().String()), nil
	case "CI":
		return at.Int(uint64(s.link.Status())), nil
	case "DI", "RI":
		return at.Int(s.remote.Indicator()), nil
	case "BL":
		return at.Raw(bluetoothAddress(id.IMEI)), nil
	case "TP":
		return at.Int(celsius), nil
	case "%V":
		if s.onUSB() {
			return at.Int(millivoltsUSB), nil
		}
		return at.Int(millivoltsWall), nil
	}
	if !heard {
		return at.Value{}, nil
	}
	switch name {
	case "DB":
		return at.Int(uint64(-signal.RSSI)), nil
	case "SW":
		return at.Int(uint64(-signal.RSRP)), nil
	case "SQ":
		return at.Int(uint64(-signal.RSRQ)), nil
	}
	return at.Value{}, nil
}

// shutDownLimit is how long ATSD waits for the modem (guide 90002258).
const shutDownLimit = 2 * time.Minute

// bluetoothAddress makes up an address in the range of the maker of the module's
// radio; the second half is the IMEI's last digits.
func bluetoothAddress(imei string) []byte {
	a := []byte{0x00, 0x0B, 0x57}
	for i := len(imei) - 6; i < len(imei); i += 2 {
		a = append(a, (imei[i]-'0')<<4|imei[i+1]-'0')
	}
	return a
}

// Obey implements at.Module.
func (s *state) Obey(name string, arg at.Value) (at.Value, error) {
	switch name {
	case "FR":
		(*Device)(s).reset()
	case "NR":
		s.modem.Rejoin()
	case "SD":
		limit := s.modem.Deadline(shutDownLimit)
		e := s.modem.ShutDownWait(limit)
		for e == modem.EINTR { // the module is deaf meanwhile
			e = s.modem.ShutDownWait(limit)
		}
		if e != 0 {
			return at.Value{}, fmt.Errorf("SD: %w: %w", at.ErrFailed, e)
		}
		if arg.Int() == 1 || arg.Text() == "1" { // and start again
			(*Device)(s).reset()
		}
	case "SI":
		return s.sockets(arg)
	case "DT":
		return s.dateTime(arg)
	case "LA":
		return s.lookUp(arg)
	case "PY":
		return s.python(arg)
	case "IS":
		return (*Device)(s).sampleText()
	default:
		return at.Value{}, fmt.Errorf("%s: %w: the virtual module cannot do this", name, at.ErrFailed)
	}
	return at.Value{}, nil
}

// dateTime is ATDT: seconds since 2000, or, with 1, ISO text.
func (s *state) dateTime(arg at.Value) (at.Value, error) {
	now := s.board.RTC()
	switch arg.Int() {
	case 0:
		return at.Int(uint64(now)), nil
	case 1:
		return at.Str(at.ISOTime(now)), nil
	}
	return at.Value{}, fmt.Errorf("DT %s: %w: give 0 for seconds since 2000, 1 for ISO text", arg, at.ErrValue)
}

// lookUp is ATLA: a name's address.
func (s *state) lookUp(arg at.Value) (at.Value, error) {
	found, errno := s.modem.Resolve(arg.Text(), s.modem.Deadline(s.modem.DialLimit()))
	if errno != 0 {
		return at.Value{}, fmt.Errorf("LA %s: %w: %w", arg.Text(), at.ErrFailed, errno)
	}
	for _, a := range found {
		if a.Unmap().Is4() {
			return at.Address(a.Unmap().As4()), nil
		}
	}
	return at.Value{}, fmt.Errorf("LA %s: %w: it has IPv6 addresses only", arg.Text(), at.ErrFailed)
}

// sockets is ATSI: the numbers of the sockets in use, or the details of one. Those
// that no frame has given a number have one that is free.
func (s *state) sockets(arg at.Value) (at.Value, error) {
	var list []at.Socket
	taken := map[int]bool{}
	extended := func(i modem.SocketInfo) (id int, ok bool) {
		if s.api == nil {
			return 0, false
		}
		n, ok := s.api.SocketID(s.modem.Find(i.ID))
		return int(n), ok
	}
	for _, i := range s.modem.Sockets() {
		if id, ok := extended(i); ok {
			taken[id] = true
		}
	}
	free := 0
	for _, i := range s.modem.Sockets() {
		id, ok := extended(i)
		for ; !ok && taken[free]; free++ {
		}
		if !ok {
			id = free
			free++
		}
		k := at.Socket{
			ID: id, Implicit: !ok, State: at.SocketAllocated, Protocol: i.Proto.String(), LocalPort: i.LocalPort,
			Remote: netip.IPv4Unspecified().String(),
		}
		if i.Connected {
			k.State = at.SocketConnected
		}
		if i.Remote.IsValid() {
			k.RemotePort, k.Remote = i.Remote.Port(), i.Remote.Addr().String()
		}
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b at.Socket) int { return a.ID - b.ID })
	if arg.Kind() == at.None {
		return at.Sockets(list), nil
	}
	for _, k := range list {
		if uint64(k.ID) == arg.Int() {
			return k.Details(), nil
		}
	}
	return at.Value{}, fmt.Errorf("SI: %w: there is no socket %X", at.ErrValue, arg.Int())
}

// python is ATPY with its sub-command.
func (s *state) python(arg at.Value) (at.Value, error) {
	switch arg.Text() {
	case "B", "b":
		size, hash, date := s.board.BundleReport()
		return at.BundleReport(size, hash, date), nil
	case "V", "v":
		return at.Str("MicroPython " + s.profile.PythonVersion.Value + " on " + s.profile.PythonDate.Value), nil
	case "E", "e":
		if err := s.board.EraseBundle(); err != nil {
			return at.Value{}, fmt.Errorf("PYE: %w: %w", at.ErrFailed, err)
		}
		s.tasks.Raise(erased{})
		return at.Value{}, nil
	case "^":
		if s.tasks.InJob() {
			s.console.order()
		} else {
			s.vm.KeyboardInterrupt()
		}
		return at.Value{}, nil
	}
	return at.Value{}, fmt.Errorf("PY%s: %w: give B, E, V or ^", arg.Text(), at.ErrValue)
}

// erased is the Go panic by which ATPYE restarts the interpreter, after which
// main is not run again (xbf cpython/core.py).
type erased struct{}

// resetDelay is the time between the answer to ATFR and the reset
// (device-facts.md 10.2).
const resetDelay = 100 * time.Millisecond

// reset restarts the whole module: at once for the program that asks for it,
// else when the answer has been sent.
func (d *Device) reset() {
	r := pymod.Reset{Kind: pymod.HardReset, Cause: pymod.HardResetCause}
	if !d.tasks.InJob() {
		panic(r)
	}
	d.tasks.Go("reset", func() {
		d.world.Clock().Sleep(resetDelay)
		d.tasks.Raise(r)
	})
}

// Applied implements at.Module.
func (s *state) Applied(names []string) {
	d := (*Device)(s)
	if d.port == nil { // at power-on nothing has begun yet
		return
	}
	if slices.Contains(names, "PS") {
		d.conf.Settings = slices.DeleteFunc(slices.Clone(d.conf.Settings), func(set string) bool { return strings.HasPrefix(set, "PS") })
	}
	if slices.Contains(names, "AM") {
		d.modem.SetAirplane(d.regs.Active("AM").Int() == 1)
	}
	if slices.Contains(names, "DO") {
		d.savePower()
	}
	if slices.Contains(names, "N#") {
		d.draw()
	}
	d.link.Applied(names)
	d.port.Apply()
	d.pinsApplied(names)
	d.remote.Kick() // ATDO, ATMO and their like say whether to be connected
	d.sleepSet()
}

func (s *state) onUSB() bool { return s.world.Power().Supply() == world.USB }
