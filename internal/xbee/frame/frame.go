// Package frame is the form of API frames on the serial line: a delimiter, a
// length, data and a checksum, with or without escapes (device-facts.md 11.1).
//
//	7E  length (two bytes, big-endian, of the data)  data  checksum
//
// The checksum makes the sum of the data and itself end in FF. With escapes
// (ATAP2) the bytes 7E, 7D, 11 and 13 are sent, everywhere but as the
// delimiter, as 7D and the byte with bit 5 inverted; neither length nor
// checksum knows of it.
//
// What the data mean is somebody else's matter.
package frame

// The bytes with a meaning of their own.
const (
	Delimiter = 0x7E
	escape    = 0x7D
	xon       = 0x11
	xoff      = 0x13
	flip      = 0x20
)

// MaxData is how much data a frame to the module may have, in bytes. A frame 20
// has 12 bytes before a payload of 1500; what the module's buffer holds is not
// documented, so this is a choice.
const MaxData = 2048

// overhead is what a frame has besides its data.
const overhead = 4

// Checksum is the last byte of a frame with that data.
func Checksum(data []byte) byte {
	sum := byte(0)
	for _, c := range data {
		sum += c
	}
	return 0xFF - sum
}

// Append appends a frame to dst, which it returns. Data of more than 65535
// bytes do not fit into a frame: the rest is left out.
func Append(dst, data []byte, escaped bool) []byte {
	data = data[:min(len(data), 0xFFFF)]
	n := len(data)
	if !escaped {
		dst = append(dst, Delimiter, byte(n>>8), byte(n))
		dst = append(dst, data...)
		return append(dst, Checksum(data))
	}
	dst = append(dst, Delimiter)
	dst = appendEscaped(dst, byte(n>>8))
	dst = appendEscaped(dst, byte(n))
	for _, c := range data {
		dst = appendEscaped(dst, c)
	}
	return appendEscaped(dst, Checksum(data))
}

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case Delimiter, escape, xon, xoff:
		return append(dst, escape, c^flip)
	}
	return append(dst, c)
}
