// Package flashtest cuts the power of a device's flash at every step of an
// operation and looks at what is left: before, after, and nothing else. It is
// for tests of whatever changes the flash; it knows no operation of its own.
package flashtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/xbee/flash"
)

// Operation is something that changes a device's flash.
type Operation struct {
	Name string
	// Do carries it out. That power fails in the middle is no reason to stop.
	Do func(d *flash.Device)
	// Between leave, each by itself, what may be found half-way through an
	// operation that is several for the device: open a new file, then close it.
	Between []func(d *flash.Device)
}

// Bench is where operations are tried.
type Bench struct {
	// Prepare fills a flash that was just formatted.
	Prepare func(d *flash.Device)
	// Alive, if not nil, checks that a module works with what was left. It sees
	// each content once.
	Alive func(tb testing.TB, d *flash.Device)

	// What was tried so far: operations, moments at which power was cut, and
	// flashes that were found afterwards.
	Operations, Cuts, Found int
}

// String is the totals in words.
func (b *Bench) String() string {
	return fmt.Sprintf("%d operations, power cut at %d steps, %d flashes found: each as before or as after", b.Operations, b.Cuts, b.Found)
}

// Try carries an operation out again and again, with power failing at its first
// step, its second and so on, until it has no more. After each failure the flash
// that is found, in every state that a disk may leave it in, must hold what it
// held before, after, or between.
func (b *Bench) Try(tb testing.TB, op Operation) {
	tb.Helper()
	b.Operations++
	base := flash.NewMemory()
	d := open(tb, base)
	b.Prepare(d)
	allowed := map[string]string{Dump(d): "before"}
	after := ""
	tried := map[string]bool{}
	for i, do := range append(op.Between, op.Do) {
		d := open(tb, base.Survivor(flash.KeepAll))
		do(d)
		d.FS().CloseAll()
		after = Dump(d)
		allowed[after] = fmt.Sprint("part ", i+1)
	}
	for k := 1; ; k++ {
		m := base.Survivor(flash.KeepAll)
		d := open(tb, m)
		m.FailAt(k)
		op.Do(d)
		cut := m.Steps() >= k
		if !cut {
			d.FS().CloseAll()
		}
		if cut {
			b.Cuts++
		}
		for _, o := range flash.Outcomes() {
			left := m.Survivor(o)
			again := open(tb, left)
			b.Found++
			got := Dump(again)
			if allowed[got] == "" {
				tb.Errorf("%s: power failed at step %d, outcome %d: the flash holds\n%s", op.Name, k, o, got)
				continue
			}
			if !cut && got != after {
				tb.Errorf("%s: power failed when it was done, outcome %d: the flash holds\n%s", op.Name, o, got)
			}
			if b.Alive != nil && !tried[got] {
				tried[got] = true
				b.Alive(tb, again)
			}
		}
		if !cut {
			if k == 1 {
				tb.Logf("%s writes nothing", op.Name)
			}
			return
		}
		if k > 1000 {
			tb.Fatalf("%s does not come to an end", op.Name)
		}
	}
}

func open(tb testing.TB, m *flash.Memory) *flash.Device {
	tb.Helper()
	d, err := flash.Open(m)
	if err != nil {
		tb.Fatalf("the flash cannot be opened again: %v", err)
	}
	return d
}

// Dump describes everything on a flash: files and directories in the order of a
// listing, and the areas beside the file system.
func Dump(d *flash.Device) string {
	var b strings.Builder
	var visit func(dir string)
	visit = func(dir string) {
		list, err := d.FS().List("/", dir)
		if err != nil {
			fmt.Fprintf(&b, "%s: %v\n", dir, err)
		}
		for _, e := range list {
			p := dir + "/" + e.Name
			if e.Dir {
				fmt.Fprintf(&b, "%s/\n", p)
				visit(p)
				continue
			}
			data, err := d.FS().ReadSecure("/", p)
			fmt.Fprintf(&b, "%s secure=%v %q %v\n", p, e.Secure, data, err)
		}
	}
	visit(flash.Root)
	for _, name := range d.Blobs() {
		fmt.Fprintf(&b, "area %s %q\n", name, d.Blob(name).Get())
	}
	fmt.Fprintf(&b, "%d blocks free\n", d.FS().Usage().Free)
	return b.String()
}
