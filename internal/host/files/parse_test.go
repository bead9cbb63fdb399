package files

import (
	"strings"
	"testing"
)

// FuzzParseList: whatever comes in place of a listing, no name is made up.
func FuzzParseList(f *testing.F) {
	for _, s := range []string{
		"       <DIR> ./\n       <DIR> ../\n       <DIR> lib/\n           9 main.py\n           6 aws.key#\n",
		"<DIR> ./\n", "       <DIR> ./\n   99999999999999999999 x", "ERROR", "", "12 a b", "<DIR> .//", "<DIR> ./\n0 #",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parseList(text)
		if err != nil {
			return
		}
		for _, e := range list {
			if e.Name == "" || strings.ContainsAny(e.Name, " \n") || !strings.Contains(text, e.Name) || e.Size < 0 {
				t.Errorf("%q gives %+v", text, e)
			}
		}
	})
}

func TestCheck(t *testing.T) {
	for name, ok := range map[string]bool{
		"main.py": true, "/flash/lib/x.mpy": true, "a-b_c.1": true, "": false, "sp ace": false, "ümlaut": false, "dot.": false, "a/../b": true,
		strings.Repeat("x", 64): true, strings.Repeat("x", 65): false, strings.Repeat("x/", 128): false, "back\\slash": false,
	} {
		if err := Check(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}
