package pymod

import (
	"strings"
	"testing"
)

func TestFiles(t *testing.T) {
	r := newRig(t)
	r.want(`
with open('a.txt', 'w') as f:
    print(f.write('one\ntwo\n'), f.tell())
    f.write('three')
with open('a.txt') as f:
    print(f.read(4), f.readline(), f.read(), f.read())
print([line for line in open('a.txt', 'rb')])
`, "8 8\none\n two\n three \n[b'one\\n', b'two\\n', b'three']\n")
	r.want(`
f = open('a.txt', 'a+b')
print(f.write(b'!'), f.seek(0), f.readlines(), f.seek(-2, 2), f.read())
b = bytearray(3)
print(f.seek(4), f.readinto(b), b, f.tell())
f.close()
f.close()
f.read()
`, "1 0 [b'one\\n', b'two\\n', b'three!'] 12 b'e!'\n4 3 bytearray(b'two') 7\nOSError: [Errno 7009] EBADF\n")
	r.want("open('none')", "OSError: [Errno 7002] ENOENT\n")
	r.want("open('lib')", "OSError: [Errno 7021] EISDIR\n")
	r.want("open('a.txt', 'x')", "OSError: [Errno 7017] EEXIST\n")
	r.want("open('a.txt', 'q')", "OSError: [Errno 7022] EINVAL\n")
	r.want("open('a.txt').write('x')", "OSError: [Errno 7001] EPERM\n")
	r.want("open('a.txt', 'w').read()", "OSError: [Errno 7001] EPERM\n")
	r.want("open(3)", "TypeError: can't convert 'int' object to str implicitly\n")
	r.want("open('a.txt').seek(-1)", "OSError: [Errno 7022] EINVAL\n")
	if got := r.run("import uio, io\nprint(open('a.txt'), uio.open('a.txt', mode='rb'), io.FileIO('a.txt'), io.open is open)"); !strings.HasPrefix(got, "<io.TextIOWrapper ") ||
		!strings.Contains(got, "<io.FileIO ") || !strings.HasSuffix(got, "True\n") {
		t.Error(got)
	}
	r.want("print('line', file=open('b.txt', 'w'))\nimport gc\ngc.collect()\nprint(open('b.txt').read())", "line\n\n")
}

func TestSecureFiles(t *testing.T) {
	r := newRig(t)
	r.want("f = open('k.py', 'w*')\nf.write('print(1234)')\nf.close()\nimport os\nprint(os.listdir())", "['cert', 'lib', 'k.py']\n")
	r.want("open('k.py')", "OSError: [Errno 7001] EPERM\n")
	r.want("import k", "1234\n")
	r.want("f = open('k.py', 'a*')\nprint(f.tell())\nf.seek(1)", "0\nOSError: [Errno 7001] EPERM\n")
}

// TestFilesAreCollected opens more files than there may be, and forgets them.
func TestFilesAreCollected(t *testing.T) {
	r := newRig(t)
	r.put("a", "x")
	r.want("n = 0\nfor i in range(50):\n    n += len(open('a').read())\nprint(n)", "50\n")
	r.want("l = [open('a') for i in range(11)]", "OSError: [Errno 7023] ENFILE\n")
	r.want("import gc\ngc.collect()\nprint(len([open('a') for i in range(10)]))", "10\n")
}

// TestFileCost is what an open file takes of the heap, and that it is given back.
func TestFileCost(t *testing.T) {
	r := newRig(t)
	r.put("a", "x")
	r.want("import gc\nf = None\na = gc.mem_alloc()\nf = open('a')\nb = gc.mem_alloc()\nprint(b - a)", "16\n")
}

func TestOutOfSpace(t *testing.T) {
	r := newRig(t)
	r.want(`
f = open('big', 'wb')
block = bytes(8192)
n = 0
try:
    while True:
        n += f.write(block)
except OSError as e:
    print(e, n)
f.close()
import os
print(os.statvfs('/')[3])
`, "[Errno 7028] ENOSPC 1015808\n0\n")
}
