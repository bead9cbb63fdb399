package pymod

import (
	"io"
	"net"
	"testing"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/world/worldtest"
)

// selectRig has a server that says "hi" and closes, one that echoes, and one
// that says nothing.
func selectRig(t *testing.T) *netRig {
	hi := serve(t, nil, func(c net.Conn) { io.WriteString(c, "hi") })
	echo := serve(t, nil, func(c net.Conn) { io.Copy(c, c) })
	r := newNetRigAt(t, "ltem", 0x18, world.Wall, worldtest.Route{Hosts: "hi.test", To: hi}, worldtest.Route{Hosts: "echo.test", To: echo}).online()
	r.run(`
import uselect, usocket, time
def connect(host):
    s = usocket.socket()
    s.connect((host, 80))
    return s
`)
	return r
}

func TestSelect(t *testing.T) {
	r := selectRig(t)
	r.want(`
h, e = connect('hi.test'), connect('echo.test')
r, w, x = uselect.select([h, e], [], [])
print(r == [h], w, x)
print(uselect.select([e], (), (), 0), uselect.select([], [], [], 0.1))
r, w, x = uselect.select([h, e], [h, e], [e])
print(r == [h], len(w), x)
e.send('ping')
print(uselect.select([e], [], [], 10)[0] == [e], e.recv(9), h.read())
print(uselect.select([h], [], [], 10)[0] == [h], h.recv(5))
e.close()
print(uselect.select([e], [], [e], 1) == ([], [], [e]))
`, "True [] []\n([], [], []) ([], [], [])\nTrue 2 []\nTrue b'ping' b'hi'\nTrue b''\nTrue\n")
	r.want("a = time.ticks_ms()\nuselect.select([connect('echo.test')], [], [], 0.2)\nprint(200 <= time.ticks_ms() - a < 300)", "True\n")
	for _, tt := range [][2]string{
		{"uselect.select([1], [], [])", "OSError: stream operation not supported\n"},
		{"uselect.select([open('/flash/f', 'w')], [], [], 0)", "OSError: stream operation not supported\n"},
		{"uselect.select(1, [], [])", "TypeError: object 'int' isn't a tuple or list\n"},
		{"uselect.select([], [])", "TypeError: function missing 1 required positional arguments\n"},
		{"uselect.select([], [], [], 'x')", "TypeError: can't convert str to float\n"},
	} {
		r.want(tt[0], tt[1])
	}
	// What the program waits for does not keep it from being interrupted.
	r.want("uselect.select([], [], [], 0)\nimport micropython\nmicropython.schedule(print, 'ran')\nuselect.select([], [], [], 0.1)", "ran\n")
}

func TestPoll(t *testing.T) {
	r := selectRig(t)
	r.want(`
h, e = connect('hi.test'), connect('echo.test')
p = uselect.poll()
p.register(h, uselect.POLLIN)
p.register(e)
uselect.select([h], [], [])
print(sorted(m for s, m in p.poll()))
p.modify(e, uselect.POLLIN)
print([(s is h, m) for s, m in p.poll(5000)], p.poll(0, 1) == [(h, 1)], p.poll(0))
p.modify(h, uselect.POLLIN)
print([m for s, m in p.ipoll(1000, 1)], [m for s, m in p.ipoll(0, 1)])
p.register(h, 5)
i = p.ipoll()
a = next(i)
print(a[0] is h, a[1], i is p)
p.unregister(h)
p.unregister(h)
print(p.poll(0))
e.write('abc')
print(p.poll(5000) == [(e, 1)], e.read(3))
e.close()
print(p.poll(5000) == [(e, 8)])
`, "[1, 4]\n[(True, 1)] True []\n[1] []\nTrue 5 True\n[]\nTrue b'abc'\nTrue\n")
	for _, tt := range [][2]string{
		{"p.modify(h, 1)", "OSError: [Errno 7002] ENOENT\n"},
		{"p.register(5)", "OSError: stream operation not supported\n"},
		{"print(p)", "<poll>\n"},
		{"p.poll('x')", "TypeError: can't convert str to int\n"},
	} {
		r.want(tt[0], tt[1])
	}
	// The sizes are those of upstream's structs.
	r.want(`
import gc
a = b = c = d = 0
gc.collect()
a = gc.mem_free()
p = uselect.poll()
b = gc.mem_free()
p.register(h)
c = gc.mem_free()
p.register(e)
d = gc.mem_free()
print(a - b, b - c, c - d)
`, "32 32 16\n")
}

// TestPollOwnStream: a stream of the program's own is asked by its ioctl.
func TestPollOwnStream(t *testing.T) {
	r := selectRig(t)
	r.want(`
import uio
class Ticker(uio.IOBase):
    n = 0
    def ioctl(self, request, arg):
        self.n += 1
        return arg if request == 3 and self.n > 3 else 0
t = Ticker()
print(uselect.select([t], [], [])[0] == [t], t.n)
class Bad(uio.IOBase):
    def ioctl(self, request, arg):
        return -5
uselect.select([Bad()], [], [])
`, "True 4\nOSError: [Errno 7005] EIO\n")
}

func TestSelectDatagrams(t *testing.T) {
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		buf := make([]byte, 100)
		for {
			n, from, err := l.ReadFrom(buf)
			if err != nil {
				return
			}
			l.WriteTo(append([]byte("re:"), buf[:n]...), from)
		}
	}()
	r := newNetRigAt(t, "ltem", 0x15, world.Wall, worldtest.Route{Hosts: "udp.test", To: l.LocalAddr().(*net.UDPAddr).AddrPort()}).online()
	r.want(`
import uselect, usocket
s = usocket.socket(2, 2, 17)
print(uselect.select([s], [s], [], 0.1) == ([], [s], []))
s.sendto(b'x', ('udp.test', 7))
print(uselect.select([s], [], [], 5)[0] == [s], s.recvfrom(10)[0], uselect.select([s], [], [], 0)[0])
`, "True\nTrue b're:x' []\n")
}

func TestCrypto(t *testing.T) {
	r := newRigLevel(t, 0x15)
	r.run(`
from ubinascii import hexlify, unhexlify
from ucryptolib import aes
import ucryptolib
k = unhexlify('2b7e151628aed2a6abf7158809cf4f3c')
iv = bytes(range(16))
p = unhexlify('6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51')
def both(key, mode, *iv):
    c = aes(key, mode, *iv).encrypt(p)
    print(hexlify(c)[:16], aes(key, mode, *iv).decrypt(c) == p)
`)
	// NIST SP 800-38A, appendix F
	r.want("print(ucryptolib.MODE_ECB, ucryptolib.MODE_CBC, ucryptolib.MODE_CTR)", "1 2 6\n")
	r.want("both(k, 1)", "b'3ad77bb40d7a3660' True\n")
	r.want("both(unhexlify('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4'), 1)", "b'f3eed1bdb5d2a03c' True\n")
	r.want("both(k, 2, iv)", "b'7649abac8119b246' True\n")
	r.want("both(k, 6, unhexlify('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'))", "b'874d6191b620e326' True\n")
	// In pieces, into a buffer, and in place.
	r.want(`
a = aes(k, 6, iv)
x = a.encrypt(p[:5]) + a.encrypt(b'') + a.encrypt(p[5:])
print(x == aes(k, 6, iv).encrypt(p))
a = aes(k, 2, iv)
b = bytearray(40)
print(a.encrypt(p[:16], b) is b, a.encrypt(p[16:], memoryview(b)[16:]) and bytes(b[:32]) == aes(k, 2, iv).encrypt(p), b[32:])
b = bytearray(p)
a = aes(k, 2, iv)
a.encrypt(b, b)
a = aes(k, 2, iv)
a.decrypt(b, b)
print(bytes(b) == p)
`, "True\nTrue True bytearray(b'\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00')\nTrue\n")
	for _, tt := range [][2]string{
		{"aes(k, 3)", "ValueError: mode\n"},
		{"aes(k[1:], 1)", "ValueError: key\n"},
		{"aes(bytes(24), 1)", "ValueError: key\n"},
		{"aes(k, 2)", "ValueError: IV\n"},
		{"aes(k, 6)", "ValueError: IV\n"},
		{"aes(k, 2, None)", "ValueError: IV\n"},
		{"aes(k, 1, b'short')", "ValueError: IV\n"},
		{"aes(k)", "TypeError: function missing 1 required positional arguments\n"},
		{"aes(k, 1).encrypt(b'x')", "ValueError: blksize % 16\n"},
		{"aes(k, 1).encrypt(p, bytearray(31))", "ValueError: output too small\n"},
		{"aes(k, 1).encrypt(p, bytes(32))", "TypeError: object with buffer protocol required\n"},
		{"a = aes(k, 1)\na.encrypt(p)\na.decrypt(p)", "ValueError: can't encrypt & decrypt\n"},
		{"a = aes(k, 6, iv)\na.decrypt(p)\na.encrypt(p)", "ValueError: can't encrypt & decrypt\n"},
		{"aes.encrypt(1, p)", "TypeError: argument has wrong type\n"},
		{"print(aes(k, 1))", "<aes>\n"},
	} {
		r.want(tt[0], tt[1])
	}
	r.want("import gc\ngc.collect()\na = gc.mem_free()\nx = aes(k, 1)\nb = gc.mem_free()\ny = aes(k, 6, iv)\nprint(a - b, b - gc.mem_free())", "304 336\n")
}

func TestSelectUART(t *testing.T) {
	r := newRigLevel(t, 0x15)
	r.want(`
import uselect, machine
u = machine.UART(1, 9600)
p = uselect.poll()
p.register(u)
print(p.poll() == [(u, 4)])
p.modify(u, uselect.POLLIN)
print(p.poll(50))
`, "True\n[]\n")
	r.board.Hardware.UART.Deliver([]byte("gps"))
	r.want("print(p.poll() == [(u, 1)], u.read(3))", "True b'gps'\n")
}
