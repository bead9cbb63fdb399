package at

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// This file is the answers that have more to them than a number or a text.

// ISOTime writes seconds since 2000 as command mode does.
func ISOTime(seconds int64) string {
	return time.Date(2000, time.January, 1, 0, 0, int(seconds), 0, time.UTC).Format("2006-01-02T15:04:05")
}

// BundleReport is the answer to PYB: how many bytes are bundled, their hash, and
// when that was in seconds since 2000. API frames have the three as 32-bit
// numbers (device-facts.md 10.4).
func BundleReport(size, hash, seconds uint32) Value {
	frame := binary.BigEndian.AppendUint32(nil, size)
	frame = binary.BigEndian.AppendUint32(frame, hash)
	frame = binary.BigEndian.AppendUint32(frame, seconds)
	return Str(fmt.Sprintf("bytecode: %d bytes (hash=0x%08X)\rbundled: %s", size, hash, ISOTime(int64(seconds)))).WithFrame(frame)
}

// Address is the answer to LA: dotted text, four bytes in API frames.
func Address(ip [4]byte) Value {
	return Str(fmt.Sprintf("%d.%d.%d.%d", ip[0], ip[1], ip[2], ip[3])).WithFrame(ip[:])
}

// States of a socket, as SIn names them (TinyGSM's XBee client).
const (
	SocketAllocated  = "ALLOCATED"
	SocketConnecting = "CONNECTING"
	SocketConnected  = "CONNECTED"
	SocketListening  = "LISTENING"
	SocketBound      = "BOUND"
	SocketClosing    = "CLOSING"
)

// Socket is one line of the answer to SI, or the whole answer to SIn.
type Socket struct {
	ID int
	// Implicit marks a socket that transparent mode or a frame 20 has made.
	Implicit   bool
	State      string // one of the above
	Protocol   string // UDP, TCP or TLS
	LocalPort  uint16
	RemotePort uint16
	Remote     string // its address
}

// Sockets is the answer to SI: the numbers of the sockets in use, each on a
// line, with an asterisk behind those that are implicit; an empty line ends it.
// It is the same in API frames (LTE-M guide, SI).
func Sockets(list []Socket) Value {
	var b strings.Builder
	for _, s := range list {
		fmt.Fprintf(&b, "0x%02X", s.ID)
		if s.Implicit {
			b.WriteByte('*')
		}
		b.WriteByte('\r')
	}
	return Str(b.String())
}

// Details is the answer to SIn: the socket's properties, each on a line, and an
// empty line. It is the same in API frames. Ports are in hexadecimal digits,
// like all of command mode's numbers, which is a choice.
func (s Socket) Details() Value {
	return Str(fmt.Sprintf("0x%02X\r%s\r%s\r0x%X\r0x%X\r%s\r", s.ID, s.State, s.Protocol, s.LocalPort, s.RemotePort, s.Remote))
}
