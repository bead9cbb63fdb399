package api

import "github.com/skep-sim/skep/internal/xbee/modem"

// SocketID is the number that frames 40 to 46 have for a socket of the modem;
// false for one that is none of theirs.
func (a *API) SocketID(of *modem.Socket) (id byte, ok bool) {
	for _, s := range a.sockets {
		if s.modem == of {
			return s.id, true
		}
	}
	return 0, false
}
