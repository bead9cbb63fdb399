package api

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/skep-sim/skep/internal/xbee/modem"
)

// This file is frames 20, 23 and B0: data for an address. The module keeps a
// socket for each destination and closes it when it has been idle for ATTM
// (device-facts.md 11.2; guide 90002258, frames 0x20 and 0x23).

// Protocols, in all frames that have one.
const (
	protoUDP = 0
	protoTCP = 1
	protoTLS = 4
)

// modemProto is a frame's protocol as the modem calls it.
func modemProto(p byte) (modem.Proto, bool) {
	switch p {
	case protoUDP:
		return modem.UDP, true
	case protoTCP:
		return modem.TCP, true
	case protoTLS:
		return modem.SEC, true
	}
	return 0, false
}

// optionClose is the transmit option that ends a connection once the data are
// sent.
const optionClose = 0x02

// ipConn is a socket that frames 20 and 23 have made.
type ipConn struct {
	*link
	a       *API
	proto   byte
	profile byte // of TLS
	dest    netip.AddrPort
	// bound: it is the socket of ATC0, for datagrams to anybody.
	bound bool
}

// sendIPv4 is frames 20 and 23: id, address, destination port, source port,
// protocol or TLS profile, options, payload.
func (a *API) sendIPv4(d []byte) {
	dest := netip.AddrPortFrom(netip.AddrFrom4([4]byte(d[2:6])), binary.BigEndian.Uint16(d[6:]))
	source := binary.BigEndian.Uint16(d[8:])
	proto, profile := d[10], byte(0)
	if d[0] == frameIPv4TLS {
		proto, profile = protoTLS, d[10]
	}
	o := outgoing{id: d[1], data: d[12:], close: d[11]&optionClose != 0 && proto != protoUDP}
	p, ok := modemProto(proto)
	switch {
	case !ok:
		a.txReply(o.id, txBadProtocol)
		return
	case dest.Addr().IsUnspecified() || dest.Port() == 0:
		a.txReply(o.id, txBadAddress)
		return
	case len(o.data) > maxPayload || p == modem.UDP && len(o.data) > maxDatagram:
		a.txReply(o.id, txTooLarge)
		return
	}
	o.data = append([]byte(nil), o.data...)
	var c *ipConn
	status := byte(txOK)
	if p == modem.UDP && source != 0 {
		c, status = a.boundConn(source, dest)
		o.to = dest
	} else if c, status = a.existing(proto, profile, dest, source); c == nil && status == txOK {
		c, status = a.newConn(p, proto, profile, dest)
	}
	if c == nil {
		a.txReply(o.id, status)
		return
	}
	c.send(o)
}

// existing finds the socket for a destination. With a source port there must be
// one: the status says that there is none.
func (a *API) existing(proto, profile byte, dest netip.AddrPort, source uint16) (*ipConn, byte) {
	status := byte(txOK)
	if source != 0 {
		status = txNoConnection
	}
	for _, c := range a.ips {
		if c.bound || c.proto != proto || c.profile != profile || c.dest != dest {
			continue
		}
		if source == 0 || c.socket.LocalPort() == source {
			return c, txOK
		}
		status = txTCPPort // to the same place from elsewhere
	}
	return nil, status
}

// boundConn is the socket for datagrams from a port, which must be ATC0's or
// that of a socket to the same destination.
func (a *API) boundConn(source uint16, dest netip.AddrPort) (*ipConn, byte) {
	for _, c := range a.ips {
		if c.proto == protoUDP && c.socket.LocalPort() == source && (c.bound || c.dest == dest) {
			return c, txOK
		}
	}
	if a.conf.Registers.Active("C0").Int() != uint64(source) {
		return nil, txUDPPort
	}
	s, e := a.conf.Modem.Socket(modem.UDP)
	if e != 0 {
		return nil, txNoSocket
	}
	if e := s.Bind(int(source)); e != 0 {
		s.Close()
		return nil, txNoSocket
	}
	c := &ipConn{link: a.newLink(s), a: a, proto: protoUDP, bound: true}
	c.start()
	return c, txOK
}

// newConn opens a socket for a destination.
func (a *API) newConn(p modem.Proto, proto, profile byte, dest netip.AddrPort) (*ipConn, byte) {
	var creds modem.Credentials
	if p == modem.SEC {
		var err error
		if creds, err = a.tlsProfile(profile); err != nil {
			a.note("API frame: " + err.Error())
			a.indicate(p, modem.TLSUnusable)
			return nil, txTLSConfig
		}
	}
	s, e := a.conf.Modem.Socket(p)
	if e != 0 {
		a.indicate(p, modem.NoResources)
		return nil, txNoSocket
	}
	if p == modem.SEC {
		s.Wrap(creds)
		s.SetTLSVersion(a.tlsVersion())
	}
	c := &ipConn{link: a.newLink(s), a: a, proto: proto, profile: profile, dest: dest}
	c.connect = func() modem.Errno {
		return s.Connect(dest.Addr().String(), int(dest.Port()), s.ConnectDeadline())
	}
	c.connected = func() { a.indicate(p, modem.NoReason) }
	c.start()
	return c, txOK
}

// start puts the connection into the table and starts its job.
func (c *ipConn) start() {
	a := c.a
	c.idle = func() time.Duration {
		return time.Duration(a.conf.Registers.Active("TM").Int()) * 100 * time.Millisecond
	}
	c.arrived = c.received
	c.gone = func(why modem.Reason) {
		c.remove()
		if why == modem.NoReason { // by TM, or at the host's wish
			why = modem.Interrupted
		}
		a.indicate(c.socket.Proto(), why)
	}
	a.ips = append(a.ips, c)
	a.conf.Go("api connection", c.run)
}

// received sends frame B0.
func (c *ipConn) received(p []byte, from netip.AddrPort) {
	addr := from.Addr().Unmap()
	if !addr.Is4() {
		addr = netip.IPv4Unspecified() // the frame has no room for others
	}
	ip := addr.As4()
	b := append([]byte{frameReceived}, ip[:]...)
	b = binary.BigEndian.AppendUint16(b, c.socket.LocalPort())
	b = binary.BigEndian.AppendUint16(b, from.Port())
	b = append(b, c.proto, 0)
	c.a.sendFrame(append(b, p...))
}

// drop closes the connection.
func (c *ipConn) drop() {
	c.remove()
	c.close()
}

func (c *ipConn) remove() {
	c.a.ips = slices.DeleteFunc(c.a.ips, func(o *ipConn) bool { return o == c })
}

func (a *API) indicate(p modem.Proto, why modem.Reason) {
	if a.conf.Indicate != nil {
		a.conf.Indicate(p, why)
	}
}
