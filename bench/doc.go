// Package bench measures how fast Python programs run: each program of
// programs/ ends with a line of checksums, which must be the recorded one.
//
//	go test -bench . ./bench
//	go run ./bench/race -ours 'skep exec --heap 67108864' -peer ./micropython
//
// The first times the interpreter alone; the second runs two interpreters in
// turn over the same programs and gives ratios, which is what is kept in
// docs/benchmarks.md: seconds belong to one machine.
package bench
