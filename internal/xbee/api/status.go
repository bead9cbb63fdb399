package api

import "github.com/skep-sim/skep/internal/xbee/modem"

// Status of frame 89 (device-facts.md 11.5).
const (
	txOK            = 0x00
	txNotFound      = 0x20 // no such socket
	txNotRegistered = 0x22
	txInvalid       = 0x2C
	txNoResources   = 0x32
	txTooLarge      = 0x74
	txNoSocket      = 0x76
	txNoConnection  = 0x77
	txUDPPort       = 0x78
	txTCPPort       = 0x79
	txBadAddress    = 0x7A
	txBadProtocol   = 0x7B
	txNoInterface   = 0x7C
	txInterfaceFull = 0x7D
	txRefused       = 0x80
	txLost          = 0x81
	txNoServer      = 0x82
	txClosed        = 0x83
	txNoHost        = 0x84
	txUnknown       = 0x85
	txTLSConfig     = 0x86
	txNotConnected  = 0x87
	txContextLost   = 0x8A
	txTLS           = 0x8B
)

// txStatus is the status of data that were not sent.
func txStatus(why modem.Reason) byte {
	switch why {
	case modem.NoReason:
		return txOK
	case modem.NotRegistered:
		return txNotRegistered
	case modem.NoHost:
		return txNoHost
	case modem.Refused:
		return txRefused
	case modem.ResetByPeer:
		return txLost
	case modem.PeerClosed, modem.Dropped, modem.Interrupted:
		return txClosed
	case modem.TimedOut, modem.Unreachable:
		return txNoServer
	case modem.TLSFailed:
		return txTLS
	case modem.TLSUnusable:
		return txTLSConfig
	case modem.ContextLost:
		return txContextLost
	case modem.NoResources:
		return txNoResources
	}
	return txUnknown
}

// states of frame CF (device-facts.md 11.7).
const (
	stateConnected   = 0x00
	stateNoHost      = 0x01
	stateRefused     = 0x02
	stateTransport   = 0x03
	stateTimedOut    = 0x04
	stateInternal    = 0x05
	stateUnreachable = 0x06
	stateLost        = 0x07
	stateUnknown     = 0x08
	stateNoResources = 0x0A
	stateReset       = 0x0C
	stateContextLost = 0x0E
)

// socketState is the state of a socket that has no connection any more. There
// is no state for a failure of TLS: that the transport was closed is a choice.
func socketState(why modem.Reason) byte {
	switch why {
	case modem.NoHost:
		return stateNoHost
	case modem.Refused:
		return stateRefused
	case modem.ResetByPeer:
		return stateReset
	case modem.PeerClosed:
		return stateLost
	case modem.TimedOut:
		return stateTimedOut
	case modem.Unreachable:
		return stateUnreachable
	case modem.TLSFailed, modem.TLSUnusable, modem.Dropped:
		return stateTransport
	case modem.ContextLost, modem.NotRegistered:
		return stateContextLost
	case modem.NoResources:
		return stateNoResources
	case modem.Interrupted:
		return stateInternal
	}
	return stateUnknown
}

// txReply sends frame 89, unless the frame that it answers asked for none.
func (a *API) txReply(id, status byte) {
	if id != 0 {
		a.send(frameTxStatus, id, status)
	}
}
