package xbee

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/compiler"
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// config is a device with the given files on /flash, at a keyboard.
func config(t *testing.T, keys io.Reader, screen io.Writer, files map[string]string) Config {
	t.Helper()
	dev, err := flash.Open(flash.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	var list []flash.HostFile
	for path, text := range files {
		list = append(list, flash.HostFile{Path: path, Data: []byte(text)})
	}
	if _, err := dev.Lay(list); err != nil {
		t.Fatal(err)
	}
	p, err := profile.Find("", "")
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Profile: &p, World: world.Virtual(1).WithSerial(world.Console(keys, screen)), Flash: dev, Serial: 1,
		Settings: []string{"AP4"}, Note: func(s string) { t.Log(s) },
	}
}

// typed powers a device on, types keys (LF is the Enter key), and returns what
// was on the screen from the first prompt on, with LF for CR LF.
func typed(t *testing.T, c func(*Config), files map[string]string, keys string) string {
	t.Helper()
	var screen bytes.Buffer
	conf := config(t, strings.NewReader(strings.ReplaceAll(keys, "\n", "\r")), &screen, files)
	if c != nil {
		c(&conf)
	}
	New(conf).Run()
	s := strings.ReplaceAll(screen.String(), "\r\n", "\n")
	at := strings.Index(s, ">>> ")
	if at < 0 {
		t.Fatalf("no prompt in %q", s)
	}
	return s[at:]
}

func compiled(t *testing.T, src string) string {
	t.Helper()
	m, err := compiler.Compile([]byte(src), "x.py", compiler.Options{Version: 4, Mode: syntax.File, SmallIntBits: 31})
	if err != nil {
		t.Fatal(err)
	}
	data, err := mpy.Write(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestFirstPrompt is the beginning of the seed's session.
func TestFirstPrompt(t *testing.T) {
	got := typed(t, nil, nil, "import gc\ngc.mem_free(), gc.mem_alloc()\n")
	want := ">>> import gc\n>>> gc.mem_free(), gc.mem_alloc()\n(31568, 432)\n>>> "
	if got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
}

// TestErrorNumbers looks at module uerrno of a whole module: Digi's 24 names, from
// 7001 up, and none of upstream's other ones.
func TestErrorNumbers(t *testing.T) {
	got := typed(t, nil, nil, "import uerrno\rc = uerrno.errorcode\r"+
		"all(getattr(uerrno, c[n]) == n for n in c), len(c)\r"+
		"[n for n in dir(uerrno) if n[0] == 'E' and n not in c.values()]\r")
	if !strings.Contains(got, "(True, 24)") || !strings.Contains(got, "\n[]\n") {
		t.Error(got)
	}
}

// TestShutDown: ATSD ends the modem's work until a reset, which ATSD1 brings with it.
func TestShutDown(t *testing.T) {
	got := typed(t, nil, nil, "import xbee\rxbee.atcmd('SD')\r'AI %x' % xbee.atcmd('AI')\r"+
		"xbee.atcmd('SD', 1)\rimport xbee, machine\r'AI %x' % xbee.atcmd('AI')\rmachine.reset_cause() == machine.HARD_RESET\r")
	for _, want := range []string{"'AI 2d'", "'AI ff'", "True"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

// TestImportBlocks checks that the calibration concerns the import of .mpy files
// and nothing else.
func TestImportBlocks(t *testing.T) {
	const module = "class A:\n def f(self, x=(1, 2)):\n  return 'a text that is no name'\ndef g(): pass\n"
	files := map[string]string{"asm.mpy": compiled(t, module), "asp.py": module}
	cost := func(name string, blocks int, before string) (n int) {
		c := func(c *Config) { c.Profile.ImportBlocks.Value = blocks }
		out := typed(t, c, files, before+"import gc\na=gc.mem_alloc()\nimport "+name+"\nprint('cost', gc.mem_alloc()-a)\n")
		if _, err := fmt.Sscanf(out[strings.Index(out, "\ncost ")+1:], "cost %d", &n); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		return n
	}
	const bundle = "import os\nos.bundle('asm.mpy')\n"
	file, source, bundled := cost("asm", 0, ""), cost("asp", 0, ""), cost("asm", 0, bundle)
	for _, blocks := range []int{-1, 0, 1, 3} {
		if got, want := cost("asm", blocks, ""), file+16*blocks; got != want {
			t.Errorf("ImportBlocks %d: a .mpy file costs %d bytes, want %d", blocks, got, want)
		}
		if got := cost("asp", blocks, ""); got != source {
			t.Errorf("ImportBlocks %d: a .py file costs %d bytes, want %d", blocks, got, source)
		}
		if got := cost("asm", blocks, bundle); got != bundled {
			t.Errorf("ImportBlocks %d: a bundled module costs %d bytes, want %d", blocks, got, bundled)
		}
	}
}

func TestStandardFiles(t *testing.T) {
	tests := []struct{ name, keys, want string }{
		{"read a number of bytes", "sys.stdin.read(3)\nabc", "'abc'\n"},
		{"Enter is a line feed", "sys.stdin.readline()\nhello\n", "'hello\\n'\n"},
		{"and not for binary", "sys.stdin.buffer.read(3)\na\nb", "b'a\\rb'\n"},
		{"nothing is there", "sys.stdin.read(), sys.stdin.buffer.read(-1)\n", "(None, None)\n"},
		{"write text", "sys.stdout.write('a\\nb\\n')\n", "a\nb\n4\n"},
		{"print to a file", "print('x', file=sys.stderr)\n", "x\n"},
		{"what they are", "sys.stdin, type(sys.stdout), sys.stderr is sys.stdout\n", "(<io.FileIO 0>, <class 'FileIO'>, True)\n"},
		{"the wrong way", "sys.stdin.write('')\nsys.stdin.write('a')\n", "0\n>>> sys.stdin.write('a')\nTraceback (most recent call last):\n  File \"<stdin>\", line 1, in <module>\nOSError: [Errno 7001] EPERM\n"},
	}
	for _, tt := range tests {
		line := tt.keys[:strings.IndexByte(tt.keys, '\n')+1]
		got := typed(t, nil, nil, "import sys\n"+tt.keys)
		if want := ">>> import sys\n>>> " + line + tt.want + ">>> "; got != want {
			t.Errorf("%s: printed\n%q\nwant\n%q", tt.name, got, want)
		}
	}
	var screen bytes.Buffer
	c := config(t, strings.NewReader("import sys\rsys.stdout.buffer.write(b'1\\n2')\r"), &screen, nil)
	if New(c).Run(); !strings.Contains(screen.String(), "\r\n1\n23\r\n") {
		t.Errorf("binary output: %q", screen.String())
	}
}

// TestReadIsInterrupted waits for a key in a program and types Ctrl-C.
func TestReadIsInterrupted(t *testing.T) {
	r, w := io.Pipe()
	screen := &syncBuffer{}
	c := config(t, r, screen, map[string]string{"main.py": "import sys\nprint('wai' 'ting')\nsys.stdin.read(2)\n"})
	c.Autostart, c.NoREPL = true, true
	go func() {
		for !strings.Contains(screen.String(), "waiting") {
			time.Sleep(time.Millisecond)
		}
		w.Write([]byte("a\x03"))
	}()
	res := New(c).Run()
	if !res.Failed || !strings.Contains(screen.String(), "KeyboardInterrupt") {
		t.Errorf("%+v\n%s", res, screen.String())
	}
}

// TestNobodyTypes waits for a key when the input has ended.
func TestNobodyTypes(t *testing.T) {
	c := config(t, strings.NewReader(""), io.Discard, map[string]string{"main.py": "import sys\nsys.stdin.read(1)\n"})
	c.Autostart, c.NoREPL = true, true
	if res := New(c).Run(); !res.Ran || !res.Failed {
		t.Errorf("%+v", res)
	}
}

// TestPipedPlusSigns: what is piped in comes at once, so plus signs in it are
// never the way to command mode, wherever they stand.
func TestPipedPlusSigns(t *testing.T) {
	for _, keys := range []string{"+++", "+++\r", "1\r+++", "1+++2\r", "import time; time.sleep(5)\r+++", "+++\rATVR\r"} {
		got := typed(t, nil, nil, keys)
		if strings.Contains(got, "OK") || !strings.Contains(got, "+++") {
			t.Errorf("typed %q, got %q", keys, got)
		}
	}
}
