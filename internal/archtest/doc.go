// Package archtest holds the tests that guard the house: which package may
// import which, who may read the clock, what every package must say about itself,
// how long a file may grow, and what must never be in a tracked file.
//
// Each rule is a line of a table with its reason, so that a failing test says
// why. It has no code besides its tests and tests nothing that the program does.
package archtest
