package flash

import (
	"fmt"
	"strings"
	"testing"
)

// operations are tried with power failing at every step. Those that are more
// than one operation for the device list the states in between.
var operations = []struct {
	name    string
	do      func(d *Device) error
	between []func(d *Device) error
}{
	{name: "mkdir", do: func(d *Device) error { return d.FS().Mkdir(Root, "lib/sub") }},
	{name: "remove", do: func(d *Device) error { return d.FS().Remove(Root, "main.py") }},
	{name: "rmdir", do: func(d *Device) error { return d.FS().Rmdir(Root, "empty") }},
	{name: "rename", do: func(d *Device) error { return d.FS().Rename(Root, "main.py", "lib/old.py") }},
	{name: "rename case", do: func(d *Device) error { return d.FS().Rename(Root, "main.py", "MAIN.py") }},
	{name: "rename directory", do: func(d *Device) error { return d.FS().Rename(Root, "lib", "empty/lib") }},
	{name: "replace", do: func(d *Device) error { return d.FS().Replace(Root, "new.py", "main.py") }},
	{name: "format", do: func(d *Device) error { return d.FS().Format() }},
	{name: "overwrite", do: func(d *Device) error { return put(d.FS(), "main.py", "w", strings.Repeat("new ", 700)) }},
	{name: "overwrite in part", do: func(d *Device) error { return put(d.FS(), "main.py", "r+", "NEW") }},
	{name: "append", do: func(d *Device) error { return put(d.FS(), "log", "a", "another line\n") }},
	{name: "make secure", do: func(d *Device) error { return put(d.FS(), "log", "w*", "hidden") }},
	{name: "create", do: func(d *Device) error { return put(d.FS(), "made", "w", "content") },
		between: []func(d *Device) error{func(d *Device) error { return put(d.FS(), "made", "w", "") }}},
	{name: "write twice", do: func(d *Device) error {
		f, err := d.FS().Open(Root, "log", Mode{Write: true, Append: true})
		if err != nil {
			return err
		}
		f.Write([]byte("1"))
		if err := f.Flush(); err != nil {
			return err
		}
		f.Write([]byte("2"))
		return f.Close()
	}, between: []func(d *Device) error{func(d *Device) error { return put(d.FS(), "log", "a", "1") }}},
	{name: "store", do: func(d *Device) error { return d.FS().Store(Root, "lib/new.py", []byte("all of it"), false) }},
	{name: "store over a file", do: func(d *Device) error {
		return d.FS().Store(Root, "main.py", []byte(strings.Repeat("new ", 700)), true)
	}},
	{name: "blob", do: func(d *Device) error { return d.Blob("bundle").Put([]byte("new bundle")) }},
	{name: "delete blob", do: func(d *Device) error { return d.Blob("bundle").Delete() }},
	{name: "lay", do: func(d *Device) error {
		_, err := d.Lay([]HostFile{
			{Path: "main.py", Data: []byte("from the host")},
			{Path: "lib/umqtt/simple.py", Data: []byte("class MQTTClient: pass")},
			{Path: "cert/aws.key", Data: []byte("key"), Secure: true},
		})
		return err
	}},
	{name: "compact", do: func(d *Device) error { return d.rewrite() }},
}

func prepare(t *testing.T) (*Device, *Memory) {
	d, m := fresh(t)
	fs := d.FS()
	must(t, put(fs, "main.py", "w", strings.Repeat("old ", 500)))
	must(t, put(fs, "new.py", "w", "print('new')"))
	must(t, put(fs, "log", "w", "first line\n"))
	must(t, put(fs, "lib/util.py", "w", "pass"))
	must(t, fs.Mkdir(Root, "empty"))
	must(t, d.Blob("bundle").Put([]byte("old bundle")))
	_, err := d.Lay([]HostFile{{Path: "main.py", Data: []byte("laid before")}, {Path: "gone.py", Data: []byte("x")}})
	must(t, err)
	return d, m
}

// states are what may be found after power failed during an operation: as
// before, as after, and as between its parts.
func states(t *testing.T, do func(*Device) error, between []func(*Device) error) map[string]bool {
	found := map[string]bool{}
	for _, part := range append(between, func(*Device) error { return nil }, do) {
		d, _ := prepare(t)
		must(t, part(d))
		check(t, d)
		found[dump(d)] = true
	}
	return found
}

func TestPowerFailsAtEveryStep(t *testing.T) {
	cuts, found := 0, 0
	defer func() {
		t.Logf("%d operations, power cut at %d steps, %d flashes found: each as before or as after", len(operations), cuts, found)
	}()
	for _, op := range operations {
		t.Run(op.name, func(t *testing.T) {
			allowed := states(t, op.do, op.between)
			for k := 1; ; k++ {
				d, m := prepare(t)
				m.FailAt(k)
				err := op.do(d)
				if err != nil {
					cuts++
				}
				for _, o := range Outcomes() {
					found++
					s := m.Survivor(o)
					again := open(t, s)
					check(t, again)
					if got := dump(again); !allowed[got] {
						t.Errorf("power failed at step %d, outcome %d: the device holds\n%s", k, o, got)
					}
					// And it goes on working.
					must(t, put(again.FS(), "after.txt", "w", "alive"))
					want := dump(again)
					if got := dump(open(t, s)); got != want {
						t.Errorf("step %d, outcome %d: after another write the device holds\n%swant\n%s", k, o, got, want)
					}
				}
				if err == nil {
					if k <= m.Steps() {
						t.Errorf("no error although power failed at step %d of %d", k, m.Steps())
					}
					return
				}
				if k > 20 {
					t.Fatalf("no end: %v", err)
				}
			}
		})
	}
}

// flaky is a storage one of whose steps fails, having done half of its work,
// while power stays: a full disk, say.
type flaky struct {
	*Memory
	left int
}

var errFlaky = fmt.Errorf("no space on the host")

func (s *flaky) fail() bool { s.left--; return s.left == 0 }

func (s *flaky) Append(p []byte) error {
	if s.fail() {
		s.Memory.Append(p[:len(p)/2])
		return errFlaky
	}
	return s.Memory.Append(p)
}

func (s *flaky) Sync() error {
	if s.fail() {
		return errFlaky
	}
	return s.Memory.Sync()
}

func (s *flaky) Truncate(n int) error {
	if s.fail() {
		return errFlaky
	}
	return s.Memory.Truncate(n)
}

func (s *flaky) Stage(p []byte) error {
	if s.fail() {
		return errFlaky
	}
	return s.Memory.Stage(p)
}

func (s *flaky) SyncDir() error {
	if s.fail() {
		return errFlaky
	}
	return s.Memory.SyncDir()
}

func TestHostFailsAtEveryStep(t *testing.T) {
	for _, op := range operations {
		t.Run(op.name, func(t *testing.T) {
			allowed := states(t, op.do, op.between)
			for k := 1; k < 8; k++ {
				_, m := prepare(t)
				s := &flaky{m, 1 << 30}
				d := open(t, s)
				s.left = k
				err := op.do(d)
				s.left = 1 << 30
				if err != nil && ErrnoOf(err) != EIO {
					t.Errorf("step %d: %v, want EIO", k, err)
				}
				must(t, d.FS().CloseAll())
				check(t, d)
				// The next operation finds the storage well again.
				must(t, put(d.FS(), "after.txt", "w", "alive"))
				want := dump(d)
				if got := dump(open(t, m)); got != want {
					t.Errorf("step %d: stored\n%swant\n%s", k, got, want)
				}
				must(t, d.FS().Remove(Root, "after.txt"))
				if got := dump(d); !allowed[got] {
					t.Errorf("step %d: the device holds\n%s", k, got)
				}
			}
		})
	}
}

func TestUnflushedContentIsNotStored(t *testing.T) {
	d, m := prepare(t)
	before := dump(d)
	f, err := d.FS().Open(Root, "main.py", Mode{Write: true, Truncate: true, Create: true, Secure: true})
	must(t, err)
	f.Write([]byte("half a fi"))
	if got := dump(open(t, m.Survivor(KeepAll))); got != before {
		t.Errorf("a file not flushed changed the image:\n%s", got)
	}
	// Other operations, and compaction, store the old content meanwhile.
	must(t, d.FS().Rename(Root, "main.py", "m.py"))
	must(t, d.rewrite())
	again := open(t, m.Survivor(KeepAll))
	if got, err := again.FS().ReadSecure(Root, "m.py"); err != nil || string(got) != "laid before" {
		t.Errorf("m.py = %q, %v, want the old content", got, err)
	}
	if i, err := again.FS().Stat(Root, "m.py"); err != nil || i.Secure {
		t.Errorf("m.py is %+v, %v, want it not secure", i, err)
	}
	must(t, f.Close())
	again = open(t, m.Survivor(KeepSynced))
	if i, err := again.FS().Stat(Root, "m.py"); err != nil || !i.Secure || i.Size != 9 {
		t.Errorf("after Close m.py is %+v, %v", i, err)
	}
}
