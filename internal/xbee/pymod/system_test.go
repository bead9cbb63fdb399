package pymod

import (
	"strings"
	"testing"
)

func TestOS(t *testing.T) {
	r := newRig(t)
	r.put("/flash/empty.txt", "")
	r.put("/flash/small.txt", "fourteen bytes")
	r.want("import os\nprint(os.getcwd(), os.sep, os.listdir())", "/flash / ['cert', 'lib', 'empty.txt', 'small.txt']\n")
	r.want("import uos\nprint([f for f in uos.ilistdir('/flash')])",
		"[('cert', 16384, 0, 0), ('lib', 16384, 0, 0), ('empty.txt', 32768, 0, 0), ('small.txt', 32768, 0, 14)]\n")
	r.want("print(os.listdir(b'/'), next(os.ilistdir(b'/')))", "[b'flash'] (b'flash', 16384, 0, 0)\n")
	r.want("os.mkdir('sub')\nos.chdir('sub')\nprint(os.getcwd(), os.listdir())", "/flash/sub []\n")
	r.want("os.chdir('..')\nos.rename('small.txt', 'sub/s')\nos.replace('empty.txt', 'sub/s')\nprint(os.listdir('sub'))", "['s']\n")
	r.want("os.rmdir('sub')", "OSError: [Errno 7022] EINVAL\n")
	r.want("os.remove('sub/s')\nos.rmdir('sub')\nprint(os.listdir())", "['cert', 'lib']\n")
	r.want("os.unlink('x')", "OSError: [Errno 7002] ENOENT\n")
	r.want("os.mkdir('/x')", "OSError: [Errno 7001] EPERM\n")
	r.want("os.rename('lib', 'cert')", "OSError: [Errno 7017] EEXIST\n")
	r.want("print(os.statvfs('/flash'))", "(512, 512, 2000, 1998, 1998, 0, 0, 0, 0, 64)\n")
	r.want("os.sync()\nprint(len(os.urandom(5)), os.urandom(0))", "5 b''\n")
	r.put("a", "abc")
	r.want("print(os.hash(), len(os.hash('a')), os.hash('a')[:4])", "sha256 32 b'\\xbax\\x16\\xbf'\n")
	r.want("os.format()\nprint(os.listdir('/flash'))", "['cert', 'lib']\n")
	r.want("print([n for n in ('uname', 'stat', 'dupterm', 'mount') if hasattr(os, n)])", "[]\n")
	r.want("os.chdir(3)", "TypeError: can't convert 'int' object to str implicitly\n")
}

func TestCompile(t *testing.T) {
	r := newRig(t)
	r.put("lib/m.py", "def f(n):\n    return n * 2 + 1e3\nx = 12345678901234567890\n")
	r.want("import os\nos.compile('lib/m.py')\nos.remove('lib/m.py')\nimport m\nprint(m.f(4), m.x)", "1008.0 12345678901234567890\n")
	r.put("bad.py", "def :")
	r.want("os.compile('bad.py', 'x.mpy')", "SyntaxError: invalid syntax\n")
	r.want("print(os.listdir())", "['cert', 'lib', 'bad.py']\n")
}

func TestImportOrder(t *testing.T) {
	r := newRig(t)
	r.put("lib/a.py", "print('lib')")
	r.put("b.py", "print('root', __file__)")
	r.put("lib/time.py", "print('mine')")
	r.want("import a, b, sys\nprint(sys.path)", "lib\nroot b.py\n['', '/flash', '/flash/lib']\n")
	r.want("import time, utime\nprint(hasattr(time, 'sleep'), hasattr(utime, 'sleep'))", "mine\nFalse True\n")
	r.want("import nowhere", "ImportError: no module named 'nowhere'\n")
}

func TestTime(t *testing.T) {
	r := newRig(t)
	r.want("import utime\nprint(utime.time(), utime.localtime())", "625190400 (2019, 10, 24, 0, 0, 0, 3, 297)\n")
	r.want("print(utime.localtime(0), utime.mktime(utime.localtime(86399)))", "(2000, 1, 1, 0, 0, 0, 5, 1) 86399\n")
	r.want("print(utime.mktime((2019, 14, 1, 0, 0, 0, 0, 0)), utime.mktime((2000, 1, 1)))",
		"TypeError: mktime needs a tuple of length 8 or 9 (3 given)\n")
	r.want("a = utime.ticks_ms()\nutime.sleep_ms(1500)\nutime.sleep(2)\nprint(utime.ticks_diff(utime.ticks_ms(), a))", "3500\n")
	r.want("utime.sleep(0.25)\nutime.sleep(-1)\nutime.sleep_ms(-5)\nprint(utime.time())", "625190403\n")
	r.want("print(utime.ticks_add(2**30 - 1, 2), utime.ticks_diff(1, 2**30 - 1), utime.ticks_diff(2**30 - 1, 1))", "1 2 -2\n")
	r.want("print(utime.localtime(2**31-1)[0])", "2068\n")
	if !strings.Contains(r.run("print(hasattr(utime, 'tz_offset'))"), "False") {
		t.Error("tz_offset belongs to later firmware")
	}
}

func TestTimeBeforeRegistration(t *testing.T) {
	r := newRig(t)
	on := false
	r.board.Registered = func() bool { return on }
	r.want("import utime\nutime.sleep(61)\nprint(utime.localtime())", "(2000, 1, 1, 0, 1, 1, 5, 1)\n")
	on = true
	r.want("print(utime.localtime())", "(2019, 10, 24, 0, 1, 1, 3, 297)\n")
	on = false
	r.want("print(utime.localtime()[0])", "2019\n")
}

func TestSleepIsInterrupted(t *testing.T) {
	r := newRig(t)
	press := make(chan struct{}, 1)
	r.board.Interrupt = press
	press <- struct{}{}
	r.vm.KeyboardInterrupt()
	r.want("import utime\ntry:\n    utime.sleep(1000)\nexcept KeyboardInterrupt:\n    print('stop')", "stop\n")
	if up := r.board.uptime(); up > 1e6 {
		t.Errorf("slept %d µs", up)
	}
	press <- struct{}{} // without an exception, the rest is slept
	r.want("utime.sleep(10)\nprint(utime.ticks_ms() // 1000)", "10\n")
}

func TestMachine(t *testing.T) {
	r := newRig(t)
	r.want("import machine\nprint(machine.unique_id(), machine.reset_cause() == machine.PWRON_RESET)", "b'SHxxSLxx' True\n")
	r.want("print(0 <= machine.rng() < 2**30, machine.rng() == machine.rng())", "True False\n")
	r.want("machine.soft_reset()", "soft reset\n")
	r.want("import umachine\ntry:\n    umachine.reset()\nfinally:\n    print('never')", "hard reset\n")
}

func TestAtcmd(t *testing.T) {
	r := newRig(t)
	r.want("import xbee\nprint(hex(xbee.atcmd('HV')), xbee.atcmd('TP'), xbee.atcmd('IM'), xbee.atcmd('SH'))",
		"0x4b41 65526 354658090000002 b'SHxx'\n")
	r.want("print(xbee.atcmd('NI', 'node'), xbee.atcmd('NI'), xbee.atcmd('ps', 1), xbee.XBee().atcmd('PS'))", "None node None 1\n")
	r.want("xbee.atcmd('AV')", "KeyError: AV\n")
	r.want("xbee.atcmd('FS')", "KeyError: FS\n")
	r.want("xbee.atcmd('PS', 7)", "ValueError: invalid value\n")
	r.want("xbee.atcmd('PS', -1)", "ValueError: invalid value\n")
	r.want("xbee.atcmd('NR')", "OSError: [Errno 7005] EIO\n")
	r.want("print(xbee.atcmd('PS', b'\\x00'), xbee.atcmd('PS'))", "None 0\n")
	if len(r.notes) == 0 || !strings.Contains(r.notes[0], "AV") {
		t.Errorf("notes: %q", r.notes)
	}
	r.want("print([n for n in ('discover', 'transmit', 'receive', 'ADDR_BROADCAST', 'modem_status') if hasattr(xbee, n)])", "[]\n")
	r.want("print(xbee.XBee().sleep_now(5000), xbee.XBee().wake_reason() == xbee.RTC_WAKE)", "5000 True\n")
	r.want("xbee.atcmd('SM', 4)\nxbee.XBee().sleep_now(1)", "OSError: [Errno 7114] EALREADY\n")
	r.want("with xbee.XBee().wake_lock:\n    print('awake')", "awake\n")
}

func TestErrnos(t *testing.T) {
	r := newRig(t)
	r.want("print(OSError(7111), OSError(7013), repr(OSError(7005)), OSError(-1), OSError(111))",
		"[Errno 7111] ECONNREFUSED 7013 OSError(7005,) -1 111\n")
	r.want("import errno\nprint(len(errno.errorcode), errno.ENXIO, errno.errorcode[7111], hasattr(errno, 'ENOMEM'))", "24 7006 ECONNREFUSED False\n")
	r.want("try:\n    open('x')\nexcept OSError as e:\n    print(e.args[0] == errno.ENOENT, e)", "True [Errno 7002] ENOENT\n")
}
