package meter

import (
	"github.com/skep-sim/skep/internal/world"
)

// Headers is the model of what packets would tell. TCP and UDP run over IPv4
// without options.
//
//   - Every segment has 40 bytes of headers and at most 1360 bytes of payload,
//     what is left of the 1400 that LTE networks let through.
//   - What a program sends in one call begins a segment of its own; what
//     arrives while it sends nothing, and less than 50 ms apart, came together.
//   - A segment is acknowledged by every second one of the other side, as
//     delayed acknowledgements do.
//   - Connecting costs 84 bytes up and 44 down, closing 80 each way.
//   - A datagram has 28 bytes of headers. A name costs one question and one
//     answer; the modem asks again for every connection.
//   - A connection that is refused costs 44 bytes up and 40 down, one that
//     nobody answers six attempts.
//   - TLS adds 29 bytes to every record of up to 16384 bytes, where the network
//     below cannot say how many it were.
//   - Where the handshake is not known either, it is taken to be 2300 bytes up
//     and 3300 down, what one with certificates on both sides takes.
//
// All of it is a choice; no figure is the modem vendors'.
const (
	segmentHeader  = 40
	segmentPayload = 1360
	connectUp      = 84
	connectDown    = 44
	closeEach      = 80
	datagramHeader = 28
	recordExtra    = 29
	recordPayload  = 16384
	refusedUp      = 44
	refusedDown    = 40
	unansweredUp   = 6 * refusedUp
	handshakeUp    = 2300
	handshakeDown  = 3300
)

// segments is how many segments n bytes take.
func segments(n uint64) uint64 { return (n + segmentPayload - 1) / segmentPayload }

// carrying is what the headers of segments in one direction cost: their own, and
// those of the acknowledgements.
func carrying(n uint64) (own, back uint64) {
	s := segments(n)
	return s * segmentHeader, (s + 1) / 2 * segmentHeader
}

// lookUp is what finding the address of a name costs.
func lookUp(host string) Bytes {
	question := uint64(datagramHeader + 12 + len(host) + 2 + 4)
	return Bytes{Up: question, Down: question + 16}
}

// failed is what a connection cost that did not come about.
func failed(t world.Target, err error) Counts {
	if t.Proto == world.UDP {
		return Counts{}
	}
	tr := world.FailedTraffic(err)
	if tr.Sent+tr.Received > 0 {
		return shaken(tr)
	}
	switch world.KindOf(err) {
	case world.FailRefused:
		return Counts{Headers: Bytes{refusedUp, refusedDown}}
	case world.FailTimeout:
		return Counts{Headers: Bytes{unansweredUp, 0}}
	case world.FailTLS, world.FailReset:
		return Counts{Headers: Bytes{connectUp + closeEach, connectDown + closeEach}}
	}
	return Counts{} // it did not get as far as the network
}

// shaken is what a connection has cost whose TLS handshake is over, or failed.
func shaken(t world.Traffic) Counts {
	up, upAcks := carrying(t.HandshakeSent)
	down, downAcks := carrying(t.HandshakeReceived)
	return Counts{
		Handshake: Bytes{t.HandshakeSent, t.HandshakeReceived},
		Headers:   Bytes{connectUp + up + downAcks, connectDown + down + upAcks},
	}
}
