package deploy

import (
	"strings"
	"testing"
)

// FuzzRecord: a record that somebody has changed is read as far as it makes sense,
// and what was read is written as it was.
func FuzzRecord(f *testing.F) {
	f.Add("deployed by skep\n" + strings.Repeat("a", 64) + " main.py\nbundle 0x12345678 one.mpy:abc two.mpy:def\n")
	f.Add("bundle\nbundle \n\x00 \n")
	f.Fuzz(func(t *testing.T, text string) {
		r := parseRecord(text)
		if again := parseRecord(r.String()); again.String() != r.String() {
			t.Errorf("%q becomes %q", r, again)
		}
	})
}
