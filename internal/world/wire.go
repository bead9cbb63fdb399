package world

import (
	"errors"
	"net"
	"sync/atomic"
)

// Traffic is how many bytes of a transport's payload went over the wire: the
// records of TLS where there is TLS, not the headers of TCP, UDP and IP.
type Traffic struct {
	Sent, Received uint64
	// HandshakeSent and HandshakeReceived are the part that agreeing on TLS
	// took.
	HandshakeSent, HandshakeReceived uint64
}

// Carrier is a [Conn] that knows its traffic.
type Carrier interface {
	Traffic() Traffic
}

// TrafficOf is what a connection has carried; false if nobody knows, as for one
// that is replayed.
func TrafficOf(c Conn) (Traffic, bool) {
	t, ok := c.(Carrier)
	if !ok {
		return Traffic{}, false
	}
	return t.Traffic(), true
}

// FailedTraffic is what the attempt to connect has carried that ended in err.
func FailedTraffic(err error) Traffic {
	var f *Failure
	if errors.As(err, &f) {
		return f.Traffic
	}
	return Traffic{}
}

// wire counts what goes over a connection of the host.
type wire struct {
	net.Conn
	sent, received atomic.Uint64
	// What had been carried when the handshake was over.
	handshake Traffic
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.received.Add(uint64(n))
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.sent.Add(uint64(n))
	return n, err
}

// agreed notes that all there has been so far was the handshake.
func (w *wire) agreed() {
	w.handshake.HandshakeSent, w.handshake.HandshakeReceived = w.sent.Load(), w.received.Load()
}

// Traffic implements [Carrier].
func (w *wire) Traffic() Traffic {
	t := w.handshake
	t.Sent, t.Received = w.sent.Load(), w.received.Load()
	return t
}
