package hosted_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/hosted"
	"github.com/skep-sim/skep/internal/vm"
)

// TestStandardFiles compares with what both references printed for the same input
// from a pipe.
func TestStandardFiles(t *testing.T) {
	const (
		input = "abcdef\nghi\njkl\n"
		text  = "for f in ('sys.stdin.read(3)', 'sys.stdin.readline()', 'sys.stdin.read()', 'sys.stdin.readlines()', 'sys.stdin.write(\"a\")', 'sys.stdout.flush()', 'sys.stdout.seek(0)', 'sys.stdin.fileno()', 'sys.stdout', 'sys.stderr.write(\"x\")'):\n" +
			" try: print(repr(eval(f)))\n except BaseException as e: print(repr(e))\n"
	)
	tests := []struct {
		options        vm.Options
		stdout, stderr string
	}{
		{hosted.Full(), "'abc'\n'def\\n'\n'ghi\\njkl\\n'\n[]\nOSError(9,)\nOSError(22,)\nOSError(29,)\n0\n<io.TextIOWrapper 1>\n1\n", "x"},
		{hosted.Bare(), "'abc'\n'def\\n'\n'ghi\\njkl\\n'\n[]\nOSError(1,)\n" +
			"AttributeError(\"'FileIO' object has no attribute 'flush'\",)\n" +
			"AttributeError(\"'FileIO' object has no attribute 'seek'\",)\n" +
			"AttributeError(\"'FileIO' object has no attribute 'fileno'\",)\n<io.FileIO 1>\nx1\n", ""},
	}
	for _, tt := range tests {
		var stdout, stderr bytes.Buffer
		status := hosted.Run(hosted.Config{
			Options: tt.options, HeapBytes: 65536, Stdin: strings.NewReader(input), Stdout: &stdout, Stderr: &stderr,
		}, []byte("import sys\n"+text), "t.py", nil)
		if status != 0 || stdout.String() != tt.stdout || stderr.String() != tt.stderr {
			t.Errorf("status %d, printed\n%s\nand\n%s\nwant\n%s\nand\n%s", status, stdout.String(), stderr.String(), tt.stdout, tt.stderr)
		}
	}
}

// TestInput types lines at input(), which shows what it reads as the reference
// does from a pipe.
func TestInput(t *testing.T) {
	const program = "print(repr(input('p> ')))\nprint(repr(input()))\nprint(repr(input(5)))\n" +
		"for i in (1, 2):\n try: print(repr(input()))\n except BaseException as e: print(repr(e))\n" +
		"try: input(1, 2)\nexcept TypeError as e: print(e)\n"
	const want = "p> hello\r\n'hello'\nwor\b\x1b[K\b\x1b[Kld\r\n'wld'\n5\r\n''\nabKeyboardInterrupt()\nEOFError()\nfunction expected at most 1 arguments, got 2\n"
	var stdout, stderr bytes.Buffer
	status := hosted.Run(hosted.Config{
		Options: hosted.Full(), HeapBytes: 65536, Stdin: strings.NewReader("hello\nwor\b\bld\n\nab\x03"), Stdout: &stdout, Stderr: &stderr,
	}, []byte(program), "t.py", nil)
	if got := stdout.String(); got != want || status != 0 {
		t.Errorf("status %d, %s, printed\n%q\nwant\n%q", status, stderr.String(), got, want)
	}
}
