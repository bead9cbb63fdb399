package api

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/skep-sim/skep/internal/xbee/modem"
)

// This file is the socket frames 40 to 46 and C0 to CF (device-facts.md 11.7).
// Nobody can connect to the module, so that frame CC, a new client of a
// listening socket, is never sent.

// Status of the socket frames.
const (
	sockOK            = 0x00
	sockParameter     = 0x01
	sockNoOption      = 0x02
	sockConnecting    = 0x03
	sockInUse         = 0x04
	sockNotFound      = 0x20
	sockNotRegistered = 0x22
	sockNoResources   = 0x32
	sockProtocol      = 0x7B
	sockTLSConfig     = 0x86
)

// allSockets, as a socket's number, is all of them, or none.
const allSockets = 0xFF

// Kinds of address in frame 42.
const (
	addressIPv4 = 0
	addressText = 1
)

// optionTLSProfile is the only option of a socket.
const optionTLSProfile = 0

// socket is one that frame 40 has made.
type socket struct {
	a       *API
	id      byte
	modem   *modem.Socket
	profile byte
	state   socketUse
	link    *link // once it is more than made
}

type socketUse uint8

const (
	made socketUse = iota
	connecting
	connected
	bound // for datagrams
	listening
)

// findSocket returns the socket with a number, or nil.
func (a *API) findSocket(id byte) *socket {
	for _, s := range a.sockets {
		if s.id == id {
			return s
		}
	}
	return nil
}

// socketReply sends a frame that answers with a socket's number and a status.
func (a *API) socketReply(kind, id, socket, status byte) {
	if id != 0 {
		a.send(kind, id, socket, status)
	}
}

// createSocket is frame 40: id, protocol.
func (a *API) createSocket(d []byte) {
	p, ok := modemProto(d[2])
	if !ok {
		a.socketReply(frameCreated, d[1], allSockets, sockProtocol)
		return
	}
	m, e := a.conf.Modem.Socket(p)
	if e != 0 {
		a.socketReply(frameCreated, d[1], allSockets, sockNoResources)
		return
	}
	s := &socket{a: a, modem: m}
	for a.findSocket(s.id) != nil {
		s.id++
	}
	a.sockets = append(a.sockets, s)
	a.socketReply(frameCreated, d[1], s.id, sockOK)
}

// socketOption is frame 41: id, socket, option, value or nothing.
func (a *API) socketOption(d []byte) {
	s := a.findSocket(d[2])
	reply := func(status byte, value ...byte) {
		if d[1] != 0 {
			a.sendFrame(append([]byte{frameOptionSet, d[1], d[2], d[3], status}, value...))
		}
	}
	value := d[4:]
	switch {
	case s == nil:
		reply(sockNotFound)
	case d[3] != optionTLSProfile || s.modem.Proto() != modem.SEC:
		if len(value) == 0 {
			reply(sockNoOption)
		} else {
			reply(sockParameter)
		}
	case len(value) == 0:
		reply(sockOK, s.profile)
	case len(value) != 1 || value[0] >= tlsProfiles:
		reply(sockParameter)
	case s.state == connecting:
		reply(sockConnecting)
	case s.state != made:
		reply(sockInUse)
	default:
		s.profile = value[0]
		reply(sockOK)
	}
}

// connectSocket is frame 42: id, socket, port, kind of address, address. It is
// answered at once; how it went is told by frame CF.
func (a *API) connectSocket(d []byte) {
	status := byte(sockOK)
	s := a.findSocket(d[2])
	port := binary.BigEndian.Uint16(d[3:])
	host, ok := address(d[5], d[6:])
	switch {
	case s == nil:
		status = sockNotFound
	case s.state == connecting:
		status = sockConnecting
	case s.state != made:
		status = sockInUse
	case !ok || port == 0:
		status = sockParameter
	case !a.conf.Modem.IsConnected():
		status = sockNotRegistered
	}
	if status == sockOK && s.modem.Proto() == modem.SEC {
		creds, err := a.tlsProfile(s.profile)
		if err != nil {
			a.note("API frame 42: " + err.Error())
			status = sockTLSConfig
		} else {
			s.modem.Wrap(creds)
			s.modem.SetTLSVersion(a.tlsVersion())
		}
	}
	a.socketReply(frameConnecting, d[1], d[2], status)
	if status != sockOK {
		return
	}
	s.state = connecting
	s.start(func() modem.Errno { return s.modem.Connect(host, int(port), s.modem.ConnectDeadline()) })
}

// address is the host that frame 42 names.
func address(kind byte, b []byte) (string, bool) {
	switch {
	case kind == addressIPv4 && len(b) == 4:
		a := netip.AddrFrom4([4]byte(b))
		return a.String(), !a.IsUnspecified()
	case kind == addressText && len(b) > 0 && len(b) <= 255:
		for _, c := range b {
			if c <= ' ' || c > '~' {
				return "", false
			}
		}
		return string(b), true
	}
	return "", false
}

// start starts the job that owns the socket from now on; connect, if not nil,
// connects it.
func (s *socket) start(connect func() modem.Errno) {
	a := s.a
	l := a.newLink(s.modem)
	l.connect = connect
	l.connected = func() {
		s.state = connected
		a.send(frameState, s.id, stateConnected)
	}
	l.idle = func() time.Duration { return 0 }
	l.arrived = func(p []byte, from netip.AddrPort) {
		b := []byte{frameFromPeer, 0, s.id, 0}
		if s.state == bound {
			b = append([]byte{frameFrom, 0, s.id}, from.Addr().Unmap().AsSlice()...)
			b = append(binary.BigEndian.AppendUint16(b, from.Port()), 0)
		}
		a.sendFrame(append(b, p...))
	}
	l.gone = func(why modem.Reason) {
		s.remove()
		a.send(frameState, s.id, socketState(why))
	}
	s.link = l
	a.conf.Go("api socket", l.run)
}

// closeSocket is frame 43: id, socket or all.
func (a *API) closeSocket(d []byte) {
	if d[2] == allSockets {
		for len(a.sockets) > 0 {
			a.sockets[0].free()
		}
		a.socketReply(frameClosed, d[1], allSockets, sockOK)
		return
	}
	s := a.findSocket(d[2])
	if s == nil {
		a.socketReply(frameClosed, d[1], d[2], sockNotFound)
		return
	}
	s.free()
	a.socketReply(frameClosed, d[1], d[2], sockOK)
}

// free closes the socket.
func (s *socket) free() {
	s.remove()
	if s.link != nil {
		s.link.close()
	}
	s.modem.Close()
}

func (s *socket) remove() {
	s.a.sockets = slices.DeleteFunc(s.a.sockets, func(o *socket) bool { return o == s })
}

// sendSocket is frame 44: id, socket, options, payload. It is answered by frame
// 89.
func (a *API) sendSocket(d []byte) {
	s := a.findSocket(d[2])
	switch data := d[4:]; {
	case s == nil:
		a.txReply(d[1], txNotFound)
	case s.state != connected:
		a.txReply(d[1], txNotConnected)
	case s.tooLong(data):
		a.txReply(d[1], txTooLarge)
	default:
		s.link.send(outgoing{id: d[1], data: append([]byte(nil), data...)})
	}
}

// sendSocketTo is frame 45: id, socket, address, port, options, payload, for a
// socket of datagrams, which gets a port of its own if it has none.
func (a *API) sendSocketTo(d []byte) {
	s := a.findSocket(d[2])
	to := netip.AddrPortFrom(netip.AddrFrom4([4]byte(d[3:7])), binary.BigEndian.Uint16(d[7:]))
	data := d[10:]
	switch {
	case s == nil:
		a.txReply(d[1], txNotFound)
		return
	case s.modem.Proto() != modem.UDP:
		a.txReply(d[1], txBadProtocol)
		return
	case s.state == connecting || s.state == connected:
		a.txReply(d[1], txInvalid)
		return
	case to.Addr().IsUnspecified() || to.Port() == 0:
		a.txReply(d[1], txBadAddress)
		return
	case s.tooLong(data):
		a.txReply(d[1], txTooLarge)
		return
	}
	if s.state == made {
		s.modem.Bind(0)
		s.state = bound
		s.start(nil)
	}
	s.link.send(outgoing{id: d[1], data: append([]byte(nil), data...), to: to})
}

func (s *socket) tooLong(data []byte) bool {
	return len(data) > maxPayload || s.modem.Proto() == modem.UDP && len(data) > maxDatagram
}

// bindSocket is frame 46: id, socket, port.
func (a *API) bindSocket(d []byte) {
	s := a.findSocket(d[2])
	port := binary.BigEndian.Uint16(d[3:])
	status := byte(sockOK)
	switch {
	case s == nil:
		status = sockNotFound
	case s.state != made:
		status = sockInUse
	case port == 0:
		status = sockParameter
	case s.modem.Proto() == modem.SEC: // the module has no TLS servers
		status = sockProtocol
	default:
		status = s.bind(port)
	}
	a.socketReply(frameBound, d[1], d[2], status)
	if status == sockOK && s.state == bound {
		s.start(nil)
	}
}

func (s *socket) bind(port uint16) byte {
	for _, i := range s.a.conf.Modem.Sockets() {
		if i.LocalPort == port && i.Proto == s.modem.Proto() {
			return sockInUse
		}
	}
	if s.modem.Bind(int(port)) != 0 {
		return sockParameter
	}
	s.state = bound
	if s.modem.Proto() == modem.TCP {
		s.modem.Listen()
		s.state = listening
	}
	return sockOK
}
