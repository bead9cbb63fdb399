// Package record writes down everything that a device takes from its world, and
// gives it the same world again.
//
// Every call that crosses the seam of package world is counted. A recording holds
// those whose answer is not the usual one, each with its number: the bytes that
// came, the event that ended a wait, the time a clock showed. What nobody sees
// (a look at a stream on which nothing had come) is only counted. So a recording is
// short, the number of a call is an exact position in the run, and a replay that
// comes to another call than was recorded there has diverged, and says where.
//
// What other goroutines do reaches the device only where it asks ([world.Gate]):
// that, too, is recorded by its number.
//
// It records a world and knows no device: what a device is made of travels as the
// recording's setup, in whatever form package replay gives it.
package record
