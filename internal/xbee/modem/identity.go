package modem

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"net/netip"
	"strings"

	"github.com/skep-sim/skep/internal/xbee/profile"
)

// Identity is what a modem and its SIM say of themselves. It is made up, in the
// form of the real thing and the same for the same serial number.
type Identity struct {
	IMEI         string // 15 digits, the last a check digit
	IMSI         string // 15 digits
	ICCID        string // 20 digits, the last a check digit
	Phone        string // in international form, without +
	Operator     string
	OperatingAPN string
	Firmware     string // of the modem
	Address      netip.Addr
	DNS          netip.Addr
	Signal       Signal
}

// Signal is how well the network is received.
type Signal struct {
	RSSI float32 // dBm
	RSRP float32 // dBm
	RSRQ float32 // dB
}

// NewIdentity makes up the identity of the modem in the module with a serial
// number.
func NewIdentity(serial uint64, p profile.Profile) Identity {
	d := digits{serial: serial}
	tac := "35390209" // type allocation codes: of the form the two vendors have
	if p.Model == profile.Cat1 {
		tac = "35623008"
	}
	a := d.number("address", 1<<16)
	return Identity{
		IMEI:         withCheckDigit(tac + d.take("imei", 6)),
		IMSI:         "310410" + d.take("imsi", 9),
		ICCID:        withCheckDigit("8901410" + d.take("iccid", 12)),
		Phone:        "1555" + d.take("phone", 7),
		Operator:     "AT&T",
		OperatingAPN: "m2m.com.attz",
		Firmware:     p.ModemFirmware.Value,
		Address:      netip.AddrFrom4([4]byte{10, 64, byte(a >> 8), byte(a)}),
		DNS:          netip.AddrFrom4([4]byte{8, 8, 8, 8}),
		Signal: Signal{
			RSSI: -65 - float32(d.number("rssi", 20)),
			RSRP: -92 - float32(d.number("rsrp", 16)),
			RSRQ: -8 - float32(d.number("rsrq", 6)),
		},
	}
}

// digits draws numbers that depend on the serial number and a purpose.
type digits struct{ serial uint64 }

func (d digits) number(purpose string, below uint64) uint64 {
	h := fnv.New64a()
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], d.serial)
	h.Write([]byte(purpose))
	h.Write(b[:])
	return h.Sum64() % below
}

func (d digits) take(purpose string, n int) string {
	below := uint64(1)
	for range n {
		below *= 10
	}
	return fmt.Sprintf("%0*d", n, d.number(purpose, below))
}

// withCheckDigit appends the digit of Luhn's formula.
func withCheckDigit(s string) string {
	sum := 0
	for i := range len(s) {
		n := int(s[len(s)-1-i] - '0')
		if i%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return s + string(rune('0'+(10-sum%10)%10))
}

// Identity is what the modem and its SIM say of themselves.
func (m *Modem) Identity() Identity { return m.identity }

// Interface is the IP configuration; all zero while not connected.
type Interface struct{ Address, Mask, Gateway, DNS netip.Addr }

// Interface returns the IP configuration.
func (m *Modem) Interface() Interface {
	none := netip.IPv4Unspecified()
	if !m.IsConnected() {
		return Interface{none, none, none, none}
	}
	id := m.identity
	// A point-to-point link, as carriers make them: the module is alone in
	// its network, and its own address serves as the gateway.
	return Interface{id.Address, netip.AddrFrom4([4]byte{255, 255, 255, 255}), id.Address, id.DNS}
}

// Operator is the name of the network, "" while not registered.
func (m *Modem) Operator() string {
	if !m.Association().registered() {
		return ""
	}
	return m.identity.Operator
}

// OperatingAPN is the access point in use, "" while not connected; set is the
// one that the settings ask for ("" or "-": the network's choice).
func (m *Modem) OperatingAPN(set string) string {
	if !m.IsConnected() {
		return ""
	}
	if set = strings.TrimSpace(set); set != "" && set != "-" {
		return set
	}
	return m.identity.OperatingAPN
}

// Signal is how well the network is received; false while there is none.
func (m *Modem) Signal() (Signal, bool) {
	if !m.Association().registered() {
		return Signal{}, false
	}
	return m.identity.Signal, true
}
