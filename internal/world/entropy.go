package world

import (
	"crypto/rand"
	"encoding/binary"
	"io"
	mrand "math/rand/v2"
)

// HostEntropy is the host's cryptographic random source.
func HostEntropy() io.Reader { return rand.Reader }

// SeededEntropy is an endless stream of bytes that is the same for the same
// seed on every machine. It is a ChaCha8 generator; it serves one device and
// is not for use by several goroutines.
func SeededEntropy(seed uint64) io.Reader {
	var key [32]byte
	copy(key[:], "skep seeded entropy v1")
	binary.LittleEndian.PutUint64(key[24:], seed)
	return mrand.NewChaCha8(key)
}
