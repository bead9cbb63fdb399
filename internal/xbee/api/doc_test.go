package api

import (
	"fmt"
	"os"
	"regexp"
	"testing"
)

// TestDocument compares docs/api-frames.md with the frames that are handled, and
// from which level on.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../../../docs/api-frames.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[int]int{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([0-9A-F]{2})` \\|[^|]*\\|[^|]*\\| (-|x[0-9A-F]{2}) \\|").FindAllSubmatch(text, -1) {
		var kind, since int
		fmt.Sscanf(string(m[1]), "%X", &kind)
		fmt.Sscanf(string(m[2]), "x%X", &since)
		said[kind] = since
	}
	r := newRig(t, options{})
	for kind := range 256 {
		h := r.handler(byte(kind))
		since, ok := said[kind]
		if ok != (h.run != nil) || since != h.since {
			t.Errorf("frame %02X: handled %v since x%02X, documented %v since x%02X", kind, h.run != nil, h.since, ok, since)
		}
	}
}
