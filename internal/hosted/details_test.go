package hosted_test

import (
	"testing"

	"github.com/skep-sim/skep/internal/vm"
)

// details are short programs, with what both references of both releases print for
// them: places where a likely implementation says something else.
var details = []struct{ name, program, want string }{
	{"a separator that is no text, though nothing is separated", `
try: print(1, sep=len)
except TypeError as e: print(e)
try: print(1, end=None)
except TypeError as e: print(e)
`, "can't convert 'function' object to str implicitly\ncan't convert 'NoneType' object to str implicitly\n"},
	{"a relative import in the program itself", `
try: from . import x
except Exception as e: print(repr(e))
`, "KeyError('__main__',)\n"},
	{"a relative import without a name to start from", `
for name in (5, (1, 2), '__main__', 'a.b'):
    __name__, __main__ = name, 'c.d'
    try: from .x import y
    except Exception as e: print(repr(e)[:16])
del __name__
try: from . import x
except Exception as e: print(repr(e))
`, "TypeError(\"can't\nTypeError(\"can't\nImportError(\"no \nImportError(\"no \nKeyError('__name__',)\n"},
	{"a package of sys.modules with a name that is none", `
import sys
class M: __path__ = 'x'; __name__ = 5
sys.modules['m'] = M()
try: from m import z
except Exception as e: print(repr(e))
`, "TypeError(\"can't convert 'int' object to str implicitly\",)\n"},
	{"what has no hash", `
import sys
for f in (lambda: hash(...), lambda: {...: 1}, lambda: {sys}, lambda: {1: 1}[sys]):
    try: print(f())
    except TypeError as e: print(e)
print(hash(None) == hash(None), isinstance(hash(len), int))
`, "unsupported type for __hash__: ''\nunsupported type for __hash__: ''\nunsupported type for __hash__: 'module'\nunsupported type for __hash__: 'module'\nTrue True\n"},
	{"the last exception that came to a function is kept while it runs", `
import gc
try: bytearray(1000000000)
except MemoryError: pass
gc.collect()
try: bytearray(1000000000)
except MemoryError: pass
n = gc.mem_alloc()
gc.collect()
print(n - gc.mem_alloc())
`, "160\n"},
	{"the size of what no memory holds", `
for f in (lambda: 1000000000 * list(range(1000)), lambda: (1, 2, 3) * 1000000000, lambda: 'abc' * 2000000000, lambda: [1, 2] * 1073741823):
    try: f()
    except MemoryError as e: print(str(e)[37:])
`, "1385447424 bytes\n3410065416 bytes\n1705032705 bytes\n4294967288 bytes\n"},
	{"a named tuple for a tuple of classes", `
from ucollections import namedtuple
p = namedtuple('P', 'a b')(int, str)
for f in (lambda: isinstance(1, p), lambda: issubclass(int, p), lambda: type('C', p, {})):
    try: print(f())
    except TypeError as e: print(e)
`, "issubclass() arg 2 must be a class or a tuple of classes\nissubclass() arg 2 must be a class or a tuple of classes\n\n"},
}

func TestDetails(t *testing.T) {
	firmwares := map[string]*vm.Firmware{
		"1.11 full": fullFirmware(), "1.11 bare": bareFirmware(), "1.12 full": fullFirmware12(), "1.12 bare": bareFirmware12(),
	}
	for name, fw := range firmwares {
		for _, d := range details {
			t.Run(name+"/"+d.name, func(t *testing.T) {
				got, status, err := run(fw, recording{}, []byte(d.program), "t.py")
				if err != nil || status != 0 || string(got) != d.want {
					t.Errorf("status %d, %v, output:\n%s\nwant:\n%s", status, err, got, d.want)
				}
			})
		}
	}
}
