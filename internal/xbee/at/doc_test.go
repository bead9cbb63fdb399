package at

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/xbee/profile"
)

// TestDocumented holds docs/at-commands.md to the table. SKEP_UPDATE=1 writes it.
func TestDocumented(t *testing.T) {
	const path = "../../../docs/at-commands.md"
	want := document()
	if os.Getenv("SKEP_UPDATE") != "" {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the table says: run this test with SKEP_UPDATE=1", path)
	}
}

func document() string {
	var b strings.Builder
	b.WriteString(`# AT commands

What a module's table holds (` + "`internal/xbee/at/rows.go`" + `, from which this page is made). A setting is kept over a loss of power if ` + "`WR`" + ` came after it was set; it counts from ` + "`AC`" + `
or the end of command mode on, and at once where the table says so, when Python's ` + "`xbee.atcmd()`" + ` sets it, or an API frame 08. Numbers are hexadecimal; in API frames they
are big-endian, in as many bytes as the column says. "How sure" is of the row as a whole: where it is *chosen*, the command is known to exist, and the source says what is not known of it.
`)
	for _, g := range []struct {
		title string
		rows  []Register
	}{
		{"Serial port, command mode, Python", console()},
		{"What the module is", identity()},
		{"Modem", network()},
		{"Connections", connections()},
		{"Remote Manager", cloud()},
		{"Pins and sleep", pins()},
		{"Bluetooth", bluetooth()},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n| AT | Meaning | Access | Values | Default | Bytes | Where | How sure | Source |\n|---|---|---|---|---|---|---|---|---|\n", g.title)
		for i := range g.rows {
			reg := &g.rows[i]
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s | %s | %s |\n", reg.Name, cell(reg.Meaning), access(reg), cell(values(reg)),
				defaultOf(reg), width(reg), where(reg), reg.Confidence, cell(reg.Source))
		}
	}
	return b.String()
}

func cell(s string) string { return strings.NewReplacer("|", "\\|", "<", "&lt;").Replace(s) }

func access(reg *Register) string {
	s := map[Access]string{Setting: "read, set", Hidden: "set", State: "read", Order: "order"}[reg.Access]
	if reg.Effect == AtOnce {
		s += ", counts at once"
	}
	return s
}

func values(reg *Register) string {
	switch {
	case reg.Access == Order:
		return map[Kind]string{None: "", Number: "number", Text: "text"}[reg.Arg]
	case reg.Access == State:
		return map[Kind]string{Number: "number", Text: "text", Bytes: "bytes"}[reg.Kind]
	}
	return strings.TrimPrefix(reg.wanted(), "a ")
}

func defaultOf(reg *Register) string {
	switch v := reg.Default; {
	case !reg.Access.isSetting():
		return ""
	case v.kind == Number:
		return v.String()
	case v.bytes == "":
		return "empty"
	case v.bytes == " ":
		return "a space"
	default:
		return "`" + v.bytes + "`"
	}
}

func width(reg *Register) string {
	if reg.Width == 0 {
		return ""
	}
	return fmt.Sprint(reg.Width)
}

func where(reg *Register) string {
	var s []string
	if reg.Only != "" {
		s = append(s, map[profile.Model]string{profile.LTEM: "LTE-M", profile.Cat1: "Cat 1"}[reg.Only])
	}
	if reg.Since > 0 {
		s = append(s, fmt.Sprintf("from x%02X", reg.Since))
	}
	if reg.CommandModeOnly {
		s = append(s, "command mode")
	}
	return strings.Join(s, ", ")
}
