package main

import "testing"

// BenchmarkParser is what every start of the program costs before it does anything.
func BenchmarkParser(b *testing.B) {
	for name, args := range map[string][]string{"exec": {"exec"}, "all": nil} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				parserFor(args)
			}
		})
	}
}
