package flash

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestLay(t *testing.T) {
	d, m := fresh(t)
	host := fstest.MapFS{
		"main.py":             {Data: []byte("import app")},
		"lib/umqtt/simple.py": {Data: []byte("class MQTTClient: pass")},
	}
	lay := func() Laid {
		t.Helper()
		d = open(t, m) // each run is another power-on
		var files []HostFile
		for _, p := range slices.Sorted(maps.Keys(host)) {
			files = append(files, HostFile{Path: p, Data: host[p].Data})
		}
		l, err := d.Lay(files)
		must(t, err)
		check(t, d)
		return l
	}
	expect := func(l Laid, written, removed []string) {
		t.Helper()
		slices.Sort(l.Written)
		if !slices.Equal(l.Written, written) || !slices.Equal(l.Removed, removed) {
			t.Errorf("wrote %v and removed %v, want %v and %v", l.Written, l.Removed, written, removed)
		}
	}
	content := func(path string) string {
		b, err := d.FS().ReadSecure(Root, path)
		if err != nil {
			return err.Error()
		}
		return string(b)
	}
	expect(lay(), []string{"/flash/lib/umqtt/simple.py", "/flash/main.py"}, nil)
	expect(lay(), nil, nil)

	// What the program does to files that do not change on the host stands.
	must(t, d.FS().Remove(Root, "lib/umqtt/simple.py"))
	must(t, put(d.FS(), "Main.PY", "w", "changed by the program"))
	must(t, put(d.FS(), "own.txt", "w", "made by the program"))
	expect(lay(), nil, nil)
	if got := content("main.py"); got != "changed by the program" {
		t.Errorf("main.py = %q", got)
	}
	// An edit on the host wins.
	host["main.py"] = &fstest.MapFile{Data: []byte("import app2")}
	expect(lay(), []string{"/flash/main.py"}, nil)
	if got := content("main.py"); got != "import app2" {
		t.Errorf("main.py = %q", got)
	}
	// Removed on the host: removed here, unless the program has changed it.
	host["b.py"] = &fstest.MapFile{Data: []byte("b")}
	host["c.py"] = &fstest.MapFile{Data: []byte("c")}
	lay()
	must(t, put(d.FS(), "c.py", "a", " and more"))
	delete(host, "b.py")
	delete(host, "c.py")
	expect(lay(), nil, []string{"/flash/b.py"})
	if got := content("c.py"); got != "c and more" {
		t.Errorf("c.py = %q", got)
	}
	if got := content("own.txt"); got != "made by the program" {
		t.Errorf("own.txt = %q", got)
	}
	// A file becomes a directory.
	host["x"] = &fstest.MapFile{Data: []byte("file")}
	lay()
	delete(host, "x")
	host["x/y.py"] = &fstest.MapFile{Data: []byte("below")}
	expect(lay(), []string{"/flash/x/y.py"}, []string{"/flash/x"})
	// After a format, nothing comes back until it is edited.
	must(t, d.FS().Format())
	expect(lay(), nil, nil)
}

func TestLayErrors(t *testing.T) {
	big := make([]byte, 600<<10)
	tests := []struct {
		name  string
		files []HostFile
		want  string
	}{
		{"illegal name", []HostFile{{Path: "my file.py"}}, "my file.py"},
		{"trailing period", []HostFile{{Path: "a."}}, "cannot have the name"},
		{"long name", []HostFile{{Path: strings.Repeat("n", 65)}}, "64"},
		{"long path", []HostFile{{Path: strings.Repeat("n/", 130) + "x"}}, "255"},
		{"same name", []HostFile{{Path: "Main.py"}, {Path: "main.py"}}, "either case"},
		{"file and directory", []HostFile{{Path: "LIB2/x"}, {Path: "lib2"}}, "wants a directory"},
		{"too much", []HostFile{{Path: "a", Data: big}, {Path: "b", Data: big}}, "blocks"},
		{"too big", []HostFile{{Path: "a", Data: make([]byte, 2<<20)}}, "more than"},
		{"over a directory", []HostFile{{Path: "lib"}}, "has a directory"},
		{"below a file", []HostFile{{Path: "f/x"}}, "has a file"},
	}
	for _, tt := range tests {
		d, _ := fresh(t)
		must(t, put(d.FS(), "f", "w", "x"))
		before := dump(d)
		if _, err := d.Lay(tt.files); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
		if dump(d) != before {
			t.Errorf("%s changed the flash", tt.name)
		}
	}
}

func TestLayGrowingBeforeShrinking(t *testing.T) {
	d, m := fresh(t)
	half := make([]byte, 900<<10)
	_, err := d.Lay([]HostFile{{Path: "a", Data: []byte("x")}, {Path: "b", Data: half}})
	must(t, err)
	_, err = d.Lay([]HostFile{{Path: "a", Data: half}, {Path: "b", Data: []byte("x")}})
	must(t, err)
	check(t, d)
	if dump(open(t, m)) != dump(d) {
		t.Error("the image differs")
	}
}
