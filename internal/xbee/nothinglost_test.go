package xbee

import (
	"bytes"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/flash/flashtest"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// session powers a module with this flash on, types keys at its prompt (LF is
// the Enter key), and returns the screen, with LF for CR LF.
func session(tb testing.TB, d *flash.Device, keys string) string {
	tb.Helper()
	p, err := profile.Find("", "")
	if err != nil {
		tb.Fatal(err)
	}
	var screen bytes.Buffer
	New(Config{
		Profile: &p, Flash: d, Serial: 1, Settings: []string{"AP4"}, Note: func(string) {},
		World: world.Virtual(1).WithSerial(world.Console(strings.NewReader(strings.ReplaceAll(keys, "\n", "\r")), &screen)),
	}).Run()
	return strings.ReplaceAll(screen.String(), "\r\n", "\n")
}

// TestNothingLost cuts the power at every step at which a program's file
// operations, its bundle and its settings reach the flash. Whatever is found
// afterwards is what was there before, or after, and the module boots with it.
func TestNothingLost(t *testing.T) {
	module := compiled(t, "def f(x):\n return 'some text', x + 1\n")
	other := compiled(t, "class C:\n def g(self): return [1, 2]\n")
	bench := flashtest.Bench{
		Prepare: func(d *flash.Device) {
			for _, f := range []struct {
				path, content string
				secure        bool
			}{
				{"data.txt", strings.Repeat("old ", 400), false},
				{"next.txt", strings.Repeat("next ", 300), false},
				{"mod.mpy", module, false},
				{"other.mpy", other, false},
				{"src.py", "x = 1\n", false},
				{"cert/aws.key", "secret", true},
				{"main.py", "import os\nprint('main', len(os.listdir()))\n", false},
			} {
				if err := d.FS().Store(flash.Root, f.path, []byte(f.content), f.secure); err != nil {
					t.Fatal(err)
				}
			}
			session(t, d, "import os, xbee\nxbee.atcmd('PS', 1)\nxbee.atcmd('KP', 'before')\nxbee.atcmd('WR')\nos.bundle('mod.mpy')\n")
		},
		Alive: func(tb testing.TB, d *flash.Device) {
			got := session(tb, d, "import os, xbee\n'settings', xbee.atcmd('KP')\n'bundle', os.bundle()\n")
			kp := strings.Contains(got, "('settings', 'before')") || strings.Contains(got, "('settings', 'after')")
			list := strings.Contains(got, "('bundle', ['mod'])") || strings.Contains(got, "('bundle', [])") || strings.Contains(got, "('bundle', ['other', 'mod'])")
			// main.py is gone only if this was what was under way.
			if !kp || !list || strings.Contains(got, "main.py...") && !strings.Contains(got, "main ") {
				tb.Errorf("the module boots with\n%s", got)
			}
		},
	}
	empty := func(path string) func(*flash.Device) {
		return func(d *flash.Device) { d.FS().Store(flash.Root, path, nil, false) }
	}
	write := func(path, content string) func(*flash.Device) {
		return func(d *flash.Device) { d.FS().Store(flash.Root, path, []byte(content), false) }
	}
	for _, op := range []struct {
		keys    string
		between []func(*flash.Device)
	}{
		{keys: "open('data.txt', 'w').write('new')\nimport os\nos.sync()"},
		{keys: "with open('data.txt', 'w') as f: f.write('new ' * 300)\n"},
		{keys: "f = open('data.txt', 'r+')\nf.write('NEW')\nf.close()"},
		{keys: "f = open('data.txt', 'a')\nf.write('more')\nf.close()"},
		{keys: "f = open('data.txt', 'a')\nf.write('1')\nf.flush()\nf.write('2')\nf.close()",
			between: []func(*flash.Device){write("data.txt", strings.Repeat("old ", 400)+"1")}},
		{keys: "f = open('made.txt', 'w')\nf.write('x' * 2000)\nf.close()", between: []func(*flash.Device){empty("made.txt")}},
		{keys: "f = open('cert/aws.key', 'w*')\nf.write('a new secret')\nf.close()"},
		{keys: "import os\nos.rename('data.txt', 'lib/moved.txt')"},
		{keys: "import os\nos.replace('next.txt', 'data.txt')"},
		{keys: "import os\nos.replace('lib', 'library')"},
		{keys: "import os\nos.remove('data.txt')"},
		{keys: "import os\nos.mkdir('logs')"},
		{keys: "import os\nos.rmdir('lib')"},
		{keys: "import os\nos.format()"},
		{keys: "import os\nos.compile('src.py')"},
		{keys: "import os\nos.bundle('other.mpy', 'mod.mpy')"},
		{keys: "import os\nos.bundle(None)"},
		{keys: "import xbee\nxbee.atcmd('KP', 'after')\nxbee.atcmd('BD', 7)\nxbee.atcmd('WR')"},
	} {
		bench.Try(t, flashtest.Operation{
			Name:    strings.ReplaceAll(op.keys, "\n", "; "),
			Between: op.between,
			Do:      func(d *flash.Device) { session(t, d, op.keys+"\n") },
		})
	}
	t.Log(bench.String())
}
