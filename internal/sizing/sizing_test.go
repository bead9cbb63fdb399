package sizing

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee"
	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

func ltem(t *testing.T) profile.Profile {
	t.Helper()
	p, err := profile.Find("", "")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func files(text map[string]string) (list []flash.HostFile) {
	for _, name := range sortedNames(text) {
		list = append(list, flash.HostFile{Path: name, Data: []byte(text[name])})
	}
	return list
}

// measure fails the test if the application cannot be measured at all.
func measure(t *testing.T, c Config, text map[string]string) *Report {
	t.Helper()
	if c.Profile.Name == "" {
		c.Profile = ltem(t)
	}
	r, err := Measure(c, files(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *Report) module(t *testing.T, name string) *Module {
	t.Helper()
	for i := range r.Modules {
		if r.Modules[i].Name == name {
			return &r.Modules[i]
		}
	}
	t.Fatalf("no module %s in the report", name)
	return nil
}

// functions is a module with n functions, each with a name and a text of its own.
func functions(prefix string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "def %s%d(a, b=%d):\n    return a.method(b) + 'the text of %s %d'\n", prefix, i, i, prefix, i)
	}
	return b.String()
}

// firstNames is what the first names of a program take: a pool of 20 pointers and a
// chunk of text, and up to a table of sys.modules.
const firstNames = 96 + 128 + 32

// TestCosts compares what is kept with what a program on a module reads off itself,
// and tries whether an import works with as much heap as is said, and not with less.
func TestCosts(t *testing.T) {
	app := map[string]string{"one.py": "import two\n" + functions("one", 12), "lib/two.py": functions("two", 7)}
	r := measure(t, Config{}, app)
	one, two := r.module(t, "one"), r.module(t, "two")
	if !slices.Equal(one.Brings, []string{"two"}) || two.Brings != nil || two.Path != "lib/two" {
		t.Errorf("%+v\n%+v", one, two)
	}
	b, err := newBench(Config{Profile: ltem(t)}, files(app))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		form    form
		bundled []string
		cost    *Cost
	}{
		{"one", asSource, nil, one.Source}, {"one", asMpy, nil, one.Mpy}, {"one", asMpy, []string{"one", "two"}, one.Bundle},
		{"two", asSource, nil, two.Source}, {"two", asMpy, nil, two.Mpy}, {"two", asMpy, []string{"two"}, two.Bundle},
	} {
		l := b.layout(c.form, c.bundled)
		what := fmt.Sprintf("%s, form %d, bundled %v", c.name, c.form, c.bundled)
		more := 64
		if c.bundled == nil {
			more = firstNames // which that program has taken already
		}
		if got := keptOnModule(t, l, c.name); c.cost.Keeps < got-64 || c.cost.Keeps > got+more {
			t.Errorf("%s: keeps %d, but a program on the module sees %d", what, c.cost.Keeps, got)
		}
		if !c.cost.Fits || c.cost.Needs < c.cost.Keeps || c.cost.Left < c.cost.Keeps || c.cost.Peak < c.cost.Left || c.cost.Error != "" {
			t.Errorf("%s: %+v", what, c.cost)
		}
		table := (c.cost.Needs + r.Heap - r.FreeAtPrompt + 63) / 64
		if s := b.trial(l, heapFor(table), []step{load(c.name)}); s.noMemory() >= 0 {
			t.Errorf("%s: MemoryError with %d bytes free", what, c.cost.Needs)
		}
		if s := b.trial(l, heapFor(table-1), []step{load(c.name)}); s.noMemory() < 0 {
			t.Errorf("%s: works with less than %d bytes", what, c.cost.Needs)
		}
	}
	for _, m := range []*Module{one, two} {
		if m.Source.Needs <= m.Mpy.Needs || m.Mpy.Needs <= m.Bundle.Needs || m.Mpy.Keeps <= m.Bundle.Keeps || m.Flash < m.MpyBytes/2 || m.Names == 0 {
			t.Errorf("%s: source %+v, .mpy %+v, bundled %+v, %d bytes of flash", m.Name, m.Source, m.Mpy, m.Bundle, m.Flash)
		}
	}
}

// keptOnModule runs a main.py that imports a module and prints how much heap is gone.
func keptOnModule(t *testing.T, l layout, name string) (n int) {
	t.Helper()
	main := "import gc\na = " + name + " = None\ngc.collect()\na = gc.mem_alloc()\nimport " + name + "\ngc.collect()\nprint('kept', gc.mem_alloc() - a)\n"
	l.files = append(slices.Clone(l.files), flash.HostFile{Path: "main.py", Data: []byte(main)})
	dev, err := l.flash()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	p := ltem(t)
	xbee.New(xbee.Config{
		Profile: &p, World: world.Virtual(1).WithSerial(world.Console(strings.NewReader(""), &out)), Flash: dev, Settings: []string{"AP4"}, Autostart: true, NoREPL: true,
	}).Run()
	if _, err := fmt.Sscanf(out.String()[max(strings.Index(out.String(), "kept "), 0):], "kept %d", &n); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	return n
}

// TestBest compares the bundle that is found with all that there are.
func TestBest(t *testing.T) {
	app := map[string]string{
		"main.py": "import a, b\nfrom c import c1\ndef later():\n    import d\n",
		"a.py":    functions("a", 20), "b.py": functions("b", 12), "c.py": functions("c", 9), "d.py": functions("d", 25), "unused.py": functions("u", 30),
	}
	names := []string{"a", "b", "c", "d"}
	b, err := newBench(Config{Profile: ltem(t)}, files(app))
	if err != nil {
		t.Fatal(err)
	}
	plain := measure(t, Config{}, app)
	if !plain.Program.Fits || len(plain.Program.Best.Bundled) != 0 || !slices.Equal(plain.Program.Modules, names) || plain.Program.Guessed {
		t.Fatalf("%+v", plain.Program)
	}
	found := map[int]bool{}
	for room := plain.Program.Plain.Free + 1; room < plain.Program.Whole.Free; room += 1100 {
		r := measure(t, Config{Room: room}, app)
		p := r.Program
		smallest := -1
		for set := 1; set < 1<<len(names); set++ {
			var bundled []string
			for i, n := range names {
				if set>>i&1 != 0 {
					bundled = append(bundled, n)
				}
			}
			if l := b.load(r, bundled); p.fits(&l) && (smallest < 0 || l.Flash < smallest) {
				smallest = l.Flash
			}
		}
		if !p.Fits || !p.Proven || p.Best.Free < room || p.Best.Flash != smallest {
			t.Errorf("room %d: %+v, the smallest takes %d", room, p.Best, smallest)
		}
		if p.BundlingFails || !strings.Contains(p.Bundling, fmt.Sprintf("Embedded %d module(s) to %d/", len(p.Best.Bundled), p.Best.Flash)) {
			t.Errorf("room %d: os.bundle() prints %s", room, p.Bundling)
		}
		found[len(p.Best.Bundled)] = true
	}
	if len(found) < 3 {
		t.Errorf("bundles of %v modules only", found)
	}
	r := measure(t, Config{Room: plain.Program.Whole.Free + 1}, app)
	if r.Program.Fits || r.Program.Best.Free != plain.Program.Whole.Free {
		t.Errorf("%+v", r.Program)
	}
	some := measure(t, Config{Room: plain.Program.Plain.Free + 1500}, app)
	greedy := *some
	greedy.Program.Fits = false
	b.conf.Room = some.Program.Room
	b.searchSome(&greedy, b.candidates(&greedy))
	if g := greedy.Program.Best; !greedy.Program.Fits || g.Free < some.Program.Room || g.Flash < some.Program.Best.Flash {
		t.Errorf("leaving out what is not needed finds %+v, all bundles tried %+v", g, some.Program.Best)
	}
}

// TestTrouble measures modules that do what modules should not.
func TestTrouble(t *testing.T) {
	app := map[string]string{
		"main.py": "import net, loops, huge, resets\nfrom pack import part\n",
		"net.py":  "import usocket\nusocket.socket().connect(('1.2.3.4', 80))\n", "loops.py": "while True: pass\n",
		"resets.py": "import machine\nmachine.reset()\n", "asks.py": "import sys\nsys.stdin.read(1)\n", "sleeps.py": "import utime\nutime.sleep(9999)\nprint('awake')\n",
		"syntax.py": "def f(:\n", "huge.py": functions("huge", 400), "gc.py": "1\n", "sleeps.mpy": "M", "lib/net.py": "1/0\n", "damaged.mpy": "M\x04\x00\x1f\x20\xff",
		"pack/__init__.py": "from . import part\n", "pack/part.py": "Y = 1\n", "rounda.py": "import roundb\n", "roundb.py": "import rounda\n", "no-name.py": "1\n",
	}
	r := measure(t, Config{}, app)
	for _, c := range []struct{ name, err, note string }{
		{"net", "OSError: [Errno 7006] ENXIO (File \"net.py\", line 2, in <module>)", "lib/net.py is never imported: net.py comes before it"},
		{"loops", "it does not come to an end", ""},
		{"resets", "it restarts the module", ""},
		{"asks", "it waits for input", ""},
		{"sleeps", "", "it prints when it is imported: awake"},
		{"sleeps", "", "sleeps.mpy is never imported: the .py beside it comes first"},
		{"huge", "", "the bundle does not fit with huge in it"},
		{"gc", "", "it is never imported: the firmware has a module of this name"},
		{"pack", "", "it cannot be bundled: os.bundle() drops the name of the package"},
		{"pack.part", "", "it cannot be bundled"},
	} {
		m := r.module(t, c.name)
		if c.err != "" && (m.Mpy == nil || m.Mpy.Error != c.err) {
			t.Errorf("%s: %+v, want %q", c.name, m.Mpy, c.err)
		}
		if !strings.Contains(strings.Join(m.Notes, "\n"), c.note) {
			t.Errorf("%s: notes %q, want %q", c.name, m.Notes, c.note)
		}
	}
	if m := r.module(t, "syntax"); m.Error != "syntax.py:1: SyntaxError: invalid syntax" || m.Mpy != nil {
		t.Errorf("%+v", m)
	}
	if m := r.module(t, "damaged"); m.Error == "" {
		t.Errorf("%+v", m)
	}
	if m := r.module(t, "huge"); m.Source.Fits || m.Source.Needs < r.Heap || m.Bundle != nil {
		t.Errorf("%+v", m.Source)
	}
	if m := r.module(t, "rounda"); !slices.Equal(m.Brings, []string{"roundb"}) {
		t.Errorf("%+v", m)
	}
	p := r.Program
	if p.Fits || p.Plain.Loads || p.Plain.FailedIn != "huge" || !slices.Equal(p.LeftOut, []string{"loops", "resets"}) {
		t.Errorf("%+v", p)
	}
	if _, err := Measure(Config{Profile: ltem(t), Use: []string{"none"}}, files(app)); err == nil || !strings.Contains(err.Error(), "no module none: it has asks") {
		t.Errorf("a module that is not there: %v", err)
	}
	drawn(t, r)
}

// TestGuess: a main.py that imports by name uses whatever there is, unless it is
// said.
func TestGuess(t *testing.T) {
	app := map[string]string{"main.py": "__import__('x').main()\n", "x.py": "import y\n", "y.py": "1\n", "z.py": "2\n"}
	if p := measure(t, Config{}, app).Program; !p.Guessed || !slices.Equal(p.Modules, []string{"y", "z", "x"}) {
		t.Errorf("%+v", p)
	}
	if p := measure(t, Config{Use: []string{"x"}}, app).Program; p.Guessed || !slices.Equal(p.Modules, []string{"y", "x"}) {
		t.Errorf("%+v", p)
	}
	delete(app, "main.py")
	if p := measure(t, Config{}, app).Program; !p.Guessed || p.Main != "" || len(p.Modules) != 3 || p.MainKeeps != 0 {
		t.Errorf("%+v", p)
	}
}

// TestExplain: what is not sure is named, and what rests on it measured.
func TestExplain(t *testing.T) {
	app := map[string]string{"main.py": "import a\n", "a.py": functions("a", 12)}
	r := measure(t, Config{Explain: true, Room: measure(t, Config{}, app).Program.Plain.Free + 1}, app)
	facts := map[string]Fact{}
	for _, f := range r.Facts {
		facts[f.Name] = f
		if f.Source == "" || f.Value == "" || f.Confidence == profile.Documented {
			t.Errorf("%+v", f)
		}
	}
	if f := facts["HeapBytes"]; f.FreeAtPrompt != 32000 || f.FreeLoaded != 32000 {
		t.Errorf("%+v", f)
	}
	if f := facts["QstrHashBytes"]; len(r.Program.Best.Bundled) != 1 || f.BundleBytes != -r.Program.Best.Names {
		t.Errorf("%+v", f)
	}
	if f := facts["PersistentCodeSave"]; f.Confidence == profile.Observed || f.FreeLoaded == 0 && f.BundleBytes == 0 {
		t.Errorf("%+v", f)
	}
}

// drawn draws a report and reads the picture as XML.
func drawn(t *testing.T, r *Report) string {
	t.Helper()
	svg := r.Draw("a <b> & \x01")
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
	}
	return string(svg)
}

func TestDraw(t *testing.T) {
	app := map[string]string{"main.py": "import a, b\n", "a.py": functions("a", 9), "b.py": functions("b", 4)}
	r := measure(t, Config{Room: measure(t, Config{}, app).Program.Plain.Free + 1200}, app)
	svg := drawn(t, r)
	for _, want := range []string{"a &lt;b&gt; &amp; ?: memory on an XBee", "main.py", "without a bundle", "with " + strings.Join(r.Program.Best.Bundled, ", ") + " bundled", fmt.Sprintf("needs %d, keeps %d", r.Modules[0].Source.Needs, r.Modules[0].Source.Keeps)} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %q in the picture", want)
		}
	}
	blocks := 0
	for _, o := range r.Program.Plain.Map {
		if o != 0 {
			blocks++
		}
	}
	if used := r.Heap - r.Program.Plain.Free; blocks*16 != used || len(r.Program.Plain.Map)*16 != r.Heap {
		t.Errorf("%d blocks in the map, %d bytes in use", blocks, used)
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
	drawn(t, measure(t, Config{}, nil))
}

// TestNames: what is read off the module is what a program finds there.
func TestNames(t *testing.T) {
	l := &profile.Library{}
	for _, c := range []struct {
		name               string
		modules, notThere  []string
		attributes, absent []string
	}{
		{
			"ltem-11413", []string{"usocket", "socket", "json", "ujson", "digi", "digi.cloud", "xbee", "xbee.relay", "network", "gc"}, []string{"uselect", "_thread", "__main__"},
			[]string{"network.Cellular isconnected", "usocket.socket connect", "ussl.wrap_socket read", "machine.Pin value"}, []string{"ussl.wrap_socket recv", "network.Cellular signal", "usocket.socket makefile"},
		},
		{"ltem-11415", []string{"uselect", "digi.ble", "usocket"}, nil, []string{"network.Cellular signal"}, nil},
		{"ltem-1141A", []string{"usocket"}, nil, []string{"usocket.socket connect"}, nil},
	} {
		p, err := l.Get(c.name)
		if err != nil {
			t.Fatal(err)
		}
		n, err := ReadNames(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range c.modules {
			if n.Modules[m] == nil {
				t.Errorf("%s: there is no module %s", c.name, m)
			}
		}
		for _, m := range c.notThere {
			if n.Modules[m] != nil {
				t.Errorf("%s: there is a module %s", c.name, m)
			}
		}
		has := func(s string) bool {
			of, name, _ := strings.Cut(s, " ")
			return slices.Contains(n.Types[of], name)
		}
		for _, a := range c.attributes {
			if !has(a) {
				t.Errorf("%s: there is no %s, but %q", c.name, a, n.Types)
			}
		}
		for _, a := range c.absent {
			if has(a) {
				t.Errorf("%s: there is %s", c.name, a)
			}
		}
		if !slices.Contains(n.Builtins, "print") || !slices.Contains(n.Modules["uerrno"], "EAGAIN") {
			t.Errorf("%s: %q", c.name, n.Builtins)
		}
	}
}
