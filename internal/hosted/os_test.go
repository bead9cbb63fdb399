package hosted_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/hosted"
)

// runIn runs a program of the full build in a directory of its own.
func runIn(t *testing.T, dir, program string, c hosted.Config) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	c.Options, c.HeapBytes, c.Stdout, c.Stderr = hosted.Full(), 65536, &out, &errs
	hosted.Run(c, []byte(program), filepath.Join(dir, "t.py"), nil)
	return out.String(), errs.String()
}

// TestHostOS uses the files, as upstream's tests of them do, and fails as upstream
// fails.
func TestHostOS(t *testing.T) {
	dir := t.TempDir()
	program := `
import uos
d = '` + filepath.ToSlash(dir) + `/'
def show(f, *a):
    try: print(f(*a))
    except Exception as e: print(repr(e))
show(uos.mkdir, d + 'sub')
show(uos.mkdir, d + 'sub')
f = open(d + 'a.txt', 'w'); f.write('foo'); f.close()
print(sorted(uos.ilistdir(d)))
print([uos.stat(d + n)[i] for n in ('a.txt', 'sub') for i in (6, 3)][:2], uos.stat(d + 'sub')[0] & 0xf000 == 0x4000)
show(uos.remove, d + 'a.txt')
show(uos.remove, d + 'a.txt')
print(uos.errno())
show(uos.remove, d + 'sub')
show(uos.stat, d + 'none')
show(uos.stat, 5)
print(list(uos.ilistdir(d + 'none')), uos.getenv('SKEP_TEST_NONE'), uos.getenv('SKEP_TEST_SOME'))
uos.errno(7)
print(uos.errno(), uos.ilistdir(d))
`
	t.Setenv("SKEP_TEST_SOME", "value")
	want := `None
OSError(17,)
[('.', 16384, 0), ('..', 16384, 0), ('a.txt', 32768, 0), ('sub', 16384, 0)]
[3, 1] True
None
OSError(2,)
2
OSError(21,)
OSError(2,)
TypeError("can't convert 'int' object to str implicitly",)
[] None value
7 <iterator>
`
	if out, errs := runIn(t, dir, program, hosted.Config{}); out != want || errs != "" {
		t.Errorf("printed\n%s%swant\n%s", out, errs, want)
	}
	if _, err := os.Stat(filepath.Join(dir, "sub")); err != nil {
		t.Error(err)
	}
	refused := "import uos\nfor f in (uos.stat, uos.remove, uos.mkdir, uos.system, uos.ilistdir, open):\n try: print(f('x'))\n except OSError as e: print(e)\nprint(uos.getenv('SKEP_TEST_SOME'))\n"
	if out, _ := runIn(t, dir, refused, hosted.Config{NoFiles: true}); out != "[Errno 1] EPERM\n[Errno 1] EPERM\n[Errno 1] EPERM\n[Errno 1] EPERM\n[Errno 1] EPERM\n[Errno 13] EACCES\nNone\n" {
		t.Errorf("without files: %s", out)
	}
}

// TestHostTime lets time pass on a virtual clock.
func TestHostTime(t *testing.T) {
	program := `
import utime
t = utime.ticks_ms()
utime.sleep(2.5); utime.sleep_ms(500); utime.sleep_us(1000000); utime.sleep_ms(-5)
print(3990 < utime.ticks_diff(utime.ticks_ms(), t) < 4010)
print(utime.ticks_diff(utime.ticks_add(5, -10), 5), utime.ticks_diff(1, 1 << 29), type(utime.time()), len(utime.localtime()))
print(utime.localtime(86400.5 * 400)[0], utime.clock() >= 4, utime.ticks_cpu() > 0, utime.ticks_us() > 0)
for bad in (-1, float('nan'), 'x'):
    try: utime.sleep(bad)
    except Exception as e: print(repr(e))
`
	want := "True\n-10 -536870911 <class 'float'> 9\n1971 True True True\nOSError(22,)\nOSError(22,)\nTypeError(\"can't convert str to float\",)\n"
	if out, errs := runIn(t, t.TempDir(), program, hosted.Config{}); out != want || errs != "" {
		t.Errorf("printed\n%s%swant\n%s", out, errs, want)
	}
}

// TestAbsolute: a module imported from beside the program knows where it lies.
func TestAbsolute(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "beside.py"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	program := "import sys, beside, gc, micropython\nprint(sys.path[0])\nprint(beside.__file__)\nprint(micropython.mem_total() >= micropython.mem_peak() >= micropython.mem_current() == gc.mem_alloc() - 0 > 0)\n"
	out, errs := runIn(t, dir, program, hosted.Config{Absolute: true})
	if lines := strings.Split(out, "\n"); lines[0] != real || lines[1] != real+"/beside.py" || lines[2] != "True" || errs != "" {
		t.Errorf("printed\n%s%s", out, errs)
	}
}
