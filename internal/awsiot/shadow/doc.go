// Package shadow is AWS IoT's Device Shadow service as a pure engine: a stored document and a
// request go in, the next document and the messages to publish come out. It does no I/O, keeps
// no state and reads no clock.
//
// Numbers keep the text they were sent with, so a 64-bit counter or 0.1 comes back as it went
// in. Every leaf carries the time it was last written, which is what "metadata" shows.
//
// The rules are those of AWS's "Device Shadow service documents", "Device Shadow error
// messages" and "Interacting with shadows"; where these are silent, the choice is stated at
// the code that makes it.
package shadow
