// Package modem is the cellular modem of the module: registration with the
// network, what the SIM and the modem say of themselves, text messages, and the
// sockets, whose TLS the modem does itself.
//
// Everything it reaches outside goes through a [world.World]. What the modem
// gets wrong (device-facts.md 6.3, 12) is computed from the profile and from
// the power supply, and each such failure is explained to the person at the
// host through Config.Note, since the device itself only says a number.
//
// It knows no Python and no serial port. Errors are plain [Errno] numbers, to
// which the Python layer adds 7000. It registers with a network even where the
// world has none, so that programs which wait for that come to an end; what
// they then try to reach cannot be found.
//
// Nobody can connect to the module: carriers do not let them, and the world
// has no such thing. A socket may listen; nothing ever arrives.
package modem
