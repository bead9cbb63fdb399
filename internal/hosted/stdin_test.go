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
