package modem

// Reason is why a socket has no connection, or an operation failed, in more
// detail than the number that Python sees: the frames of API mode and ATCI have
// codes for it.
type Reason uint8

// The reasons.
const (
	NoReason      Reason = iota
	NotRegistered        // before the modem was connected
	NoHost               // the name has no address
	Refused              // by the other side
	ResetByPeer          // the connection was broken off
	PeerClosed           // the connection was ended in an orderly way
	TimedOut             // nobody answered in time
	Unreachable          // there is no way to the address
	TLSFailed            // no secure connection could be agreed on
	TLSUnusable          // the files given for TLS cannot be used
	ContextLost          // the network took the address away
	Dropped              // the modem ended it: sleep, airplane mode, shutting down
	Interrupted          // by the program, or the socket was closed meanwhile
	NoResources          // no socket is free
	OtherReason
)
