package compiler

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/syntax"
)

// sensorSource makes a program of about n lines, with what applications are
// made of: classes, methods, loops, handlers, strings and comprehensions.
func sensorSource(n int) []byte {
	const class = `class Sensor%[1]d(Base):
    """One of many sensors."""
    LIMIT_%[1]d = const(%[1]d)

    def __init__(self, pin, *, scale=1.5, name='sensor'):
        super().__init__(pin)
        self.scale = scale
        self.name = name + str(pin)
        self.values = []

    def read(self, times=10):
        total = 0
        for i in range(times):
            value = self.pin.read() * self.scale
            if value < 0 or value > LIMIT_%[1]d:
                continue
            elif value == self.last:
                break
            total += value
            self.values.append((i, value))
        return total // times if times else None

    def report(self):
        try:
            with self.lock as lock:
                text = ', '.join(["%%d:%%s" %% (k, v) for k, v in self.values if v is not None])
                print("the values of this sensor are", text, lock)
        except OSError as e:
            if e.args[0] != 110:
                raise
        finally:
            self.values = {k: v for k, v in enumerate(self.values[1:-1])}

    def later(self, callback):
        return lambda *args, **kw: callback(self, *args, **kw)

`
	var b strings.Builder
	lines := strings.Count(class, "\n")
	for i := 0; i*lines < n; i++ {
		fmt.Fprintf(&b, class, i)
	}
	return []byte(b.String())
}

func BenchmarkCompile(b *testing.B) {
	src := sensorSource(2000)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(src, "bench.py", CrossOptions(4)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompileTree leaves out reading and parsing the text.
func BenchmarkCompileTree(b *testing.B) {
	src := sensorSource(2000)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		opts := CrossOptions(4)
		tree, err := syntax.Parse(src, "bench.py", syntax.File, opts.parseOptions())
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if _, err := CompileTree(tree, opts); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompileLine is what a line at the prompt costs.
func BenchmarkCompileLine(b *testing.B) {
	src := []byte("gc.mem_free(), gc.mem_alloc()\n")
	b.ReportAllocs()
	for b.Loop() {
		opts := Options{Mode: syntax.Single, IsREPL: true}
		if _, err := Compile(src, "<stdin>", opts); err != nil {
			b.Fatal(err)
		}
	}
}
