package termsvg

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// texts reads the picture as XML and gives its texts.
func texts(t *testing.T, svg []byte) []string {
	t.Helper()
	var all []string
	d := xml.NewDecoder(strings.NewReader(string(svg)))
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, svg)
		}
		if e, ok := tok.(xml.StartElement); ok && e.Name.Local == "text" {
			var s string
			if err := d.DecodeElement(&s, &e); err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
		}
	}
}

func TestDraw(t *testing.T) {
	long := strings.Repeat("word ", 30)
	svg := Draw(`a "title" & <more>`, []Line{{"$ skep", Command}, {"", Plain}, {"a<b & 'c'\x01\xff", Strong}, {long, Plain}}, 80)
	got := texts(t, svg)
	want := []string{
		`a "title" & <more>`, "$ skep", "a<b & 'c'??",
		strings.TrimSpace(long[:80]), "  " + strings.TrimSpace(long[80:]),
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func FuzzDraw(f *testing.F) {
	f.Add("title", "text\nmore \x00 text", 20)
	f.Fuzz(func(t *testing.T, title, text string, columns int) {
		var lines []Line
		for line := range strings.SplitSeq(text, "\n") {
			lines = append(lines, Line{line, Plain})
		}
		texts(t, Draw(title, lines, min(columns, 1000)))
	})
}
