package api

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"
)

// put makes a file.
func (r *rig) put(name, content string) {
	r.t.Helper()
	f, err := r.flash.FS().Open("/", name, modeOf(openCreate|openWrite))
	if err != nil {
		r.t.Fatal(err)
	}
	f.Write([]byte(content))
	if err := f.Close(); err != nil {
		r.t.Fatal(err)
	}
}

// fs sends a file system command and wants its reply, status first.
func (r *rig) fs(what, request, want string) {
	r.t.Helper()
	r.expect(what, "3B 07 "+request, "BB 07 "+request[:2]+want)
}

func TestFiles(t *testing.T) {
	r := newRig(t, options{})
	name := text("/flash/notes.txt")
	r.fs("open what is missing", "01 0000 04"+name, "52")
	r.fs("create", "01 0000 09"+name, "00 0001 00000000")
	r.fs("write", "04 0001 00000000"+text("hello "), "00 0001 00000006")
	r.fs("write on", "04 0001 FFFFFFFF"+text("world"), "00 0001 0000000B")
	r.fs("over it", "04 0001 00000000"+text("HELLO"), "00 0001 00000005")
	r.fs("read", "03 0001 00000000 0010", "50")
	r.fs("close", "02 0001", "00")
	r.fs("close again", "02 0001", "03")
	r.fs("create it exclusively", "01 0000 0B"+name, "51")
	r.fs("open", "01 0000 04"+name, "00 0002 0000000B")
	r.fs("read", "03 0002 00000000 0005", "00 0002 00000000"+text("HELLO"))
	r.fs("read on", "03 0002 FFFFFFFF FFFF", "00 0002 00000005"+text(" world"))
	r.fs("at the end", "03 0002 FFFFFFFF 0001", "56")
	r.fs("beyond it", "03 0002 00000100 0001", "56")
	r.fs("write", "04 0002 00000000 41", "50")
	r.fs("append", "01 0000 28"+name, "00 0003 0000000B")
	r.fs("append", "04 0003 FFFFFFFF"+text("!"), "00 0003 0000000C")
	r.fs("close", "02 0003", "00")
	r.fs("hash", "08 0000"+name, "00"+fmt.Sprintf("%X", sha256.Sum256([]byte("HELLO world!"))))
	r.fs("truncate", "01 0000 18"+name, "00 0004 00000000")
	r.fs("close", "02 0004", "00")
	r.fs("rename", "21 0000"+text("/flash/notes.txt,/flash/lib/old.txt"), "00")
	r.fs("rename onto another", "21 0000"+text("/flash/lib/old.txt,/flash/lib"), "51")
	r.fs("rename to nothing", "21 0000"+text("/flash/lib/old.txt"), "03")
	r.fs("delete", "2F 0000"+text("/flash/lib/old.txt"), "00")
	r.fs("delete what is missing", "2F 0000"+text("/flash/lib/old.txt"), "52")
	r.expect("no answer wanted", "3B 00 01 0000 09"+name)
	r.fs("but done", "01 0000 0D"+name, "00 0006 00000000")
}

func TestFilesOfManyBlocks(t *testing.T) {
	r := newRig(t, options{})
	content := strings.Repeat("0123456789", 400)
	r.put("/flash/big.bin", content)
	r.fs("open", "01 0000 04"+text("/flash/big.bin"), "00 0001 00000FA0")
	r.fs("as much as fits", "03 0001 FFFFFFFF FFFF", "00 0001 00000000"+text(content[:1490]))
	r.fs("and on", "03 0001 FFFFFFFF FFFF", "00 0001 000005D2"+text(content[1490:2980]))
	r.fs("the rest", "03 0001 FFFFFFFF FFFF", "00 0001 00000BA4"+text(content[2980:]))
	r.fs("from anywhere", "03 0001 00000001 0003", "00 0001 00000001"+text("123"))
}

func TestSecureFiles(t *testing.T) {
	r := newRig(t, options{})
	name := text("/flash/cert/key.pem")
	r.fs("create", "01 0000 89"+name, "00 0001 00000000")
	r.fs("write", "04 0001 FFFFFFFF"+text("secret"), "00 0001 00000006")
	r.fs("seek", "04 0001 00000000"+text("x"), "50")
	r.fs("where it is", "04 0001 00000006"+text("!"), "00 0001 00000007")
	r.fs("close", "02 0001", "00")
	r.fs("read it back", "01 0000 04"+name, "50")
	r.fs("hash", "08 0000"+name, "00"+fmt.Sprintf("%X", sha256.Sum256([]byte("secret!"))))
	r.fs("read and write a secure file", "01 0000 8D"+name, "03")
	r.fs("listing", "11 0000"+text("/flash/cert"), "00 0002 41000007"+text("key.pem"))
}

func TestDirectories(t *testing.T) {
	r := newRig(t, options{})
	r.fs("of a new module", "11 0000"+text("/flash"), "00 0001 80000000"+text("cert")+"00 81000000"+text("lib"))
	r.fs("the handle is gone", "13 0001", "03")
	r.fs("empty", "11 0000"+text("/flash/lib"), "00 0002 01000000")
	r.fs("root", "11 0000", "00 0003 81000000"+text("flash"))
	r.fs("make", "10 0000"+text("/flash/data"), "00")
	r.fs("make again", "10 0000"+text("/flash/DATA"), "51")
	r.fs("make in the root", "10 0000"+text("/data"), "50")
	r.fs("make in nowhere", "10 0000"+text("/flash/a/b"), "52")
	r.fs("delete", "2F 0000"+text("/flash/data"), "00")
	r.put("/flash/lib/x.py", "x")
	r.fs("delete with something in it", "2F 0000"+text("/flash/lib"), "55")
	r.fs("delete the file system", "2F 0000"+text("/flash"), "50")
	r.fs("delete everything", "2F 0000"+text("/"), "50")
	r.fs("open a directory", "01 0000 04"+text("/flash/lib"), "54")
	r.fs("hash of a directory", "08 0000"+text("/flash/lib"), "54")
	r.fs("list a file", "11 0000"+text("/flash/lib/x.py"), "52")
	r.fs("list nowhere", "11 0000"+text("/flash/nowhere"), "52")
	for i := range 40 {
		r.put(fmt.Sprintf("/flash/lib/%02d_%s.py", i, strings.Repeat("n", 50)), "x")
	}
	seen := 0
	reply := r.host("3B 01 11 0000 %s", text("/flash/lib"))[0]
	handle := reply[8:12]
	for {
		if len(reply)/2 > 1600 {
			t.Errorf("a frame of %d bytes", len(reply)/2)
		}
		entries := strings.Split(reply[12:], "00000001")
		seen += len(entries) - 1
		if strings.Contains(reply, "01000001") { // the last
			seen++
			break
		}
		reply = r.host("3B 01 13 %s", handle)[0]
	}
	if seen != 41 {
		t.Errorf("%d entries", seen)
	}
	got := r.host("3B 01 11 0000 %s", text("/flash/lib"))[0]
	r.fs("close", "12"+got[8:12], "00")
	r.fs("list on", "13"+got[8:12], "03")
}

func TestPathIDs(t *testing.T) {
	r := newRig(t, options{})
	r.put("/flash/lib/x.py", "code")
	r.fs("new", "1C 0000"+text("/flash/lib"), "00 0001"+text("/flash/lib"))
	r.fs("relative to it", "01 0001 04"+text("x.py"), "00 0002 00000004")
	r.fs("absolute all the same", "01 0001 04"+text("/flash/lib/x.py"), "00 0003 00000004")
	r.fs("up", "1C 0001"+text(".."), "00 0001"+text("/flash"))
	r.fs("where", "1C 0001", "00 0001"+text("/flash"))
	r.fs("down, in other letters", "1C 0001"+text("LIB"), "00 0001"+text("/flash/lib"))
	r.fs("to a file", "1C 0001"+text("x.py"), "52")
	r.fs("list it", "11 0001", "00 0004 01000004"+text("x.py"))
	r.fs("rename in it", "21 0001"+text("x.py,y.py"), "00")
	r.fs("give it back", "1C 0001"+text("/"), "00 0000"+text("/"))
	r.fs("it is gone", "1C 0001", "03")
	r.fs("not a path id", "11 0002", "03")
	r.fs("not a file", "03 0001 00000000 0001", "03")
	r.fs("relative to the root", "01 0000 04"+text("flash/lib/y.py"), "00 0005 00000004")
	for range maxHandles {
		r.host("3B 01 1C 0000 %s", text("/flash"))
	}
	r.fs("too many", "1C 0000"+text("/flash"), "5C")
}

func TestHandlesExpire(t *testing.T) {
	r := newRig(t, options{})
	name := text("/flash/slow.txt")
	r.fs("create", "01 0000 09"+name, "00 0001 00000000")
	r.fs("write", "04 0001 FFFFFFFF"+text("kept"), "00 0001 00000004")
	r.fs("path", "1C 0000"+text("/flash"), "00 0002"+text("/flash"))
	r.pass(119 * time.Second)
	r.fs("in time", "1C 0002", "00 0002"+text("/flash"))
	r.pass(2 * time.Second)
	r.fs("too late", "04 0001 FFFFFFFF"+text("lost"), "03")
	r.fs("used since", "1C 0002", "00 0002"+text("/flash"))
	info, err := r.flash.FS().Stat("/", "/flash/slow.txt")
	if err != nil || info.Size != 4 {
		t.Errorf("%v %v", info, err)
	}
	r.pass(10 * time.Minute)
	if len(r.files.handles) != 0 || r.files.job {
		t.Errorf("%d handles", len(r.files.handles))
	}
}

func TestVolume(t *testing.T) {
	r := newRig(t, options{})
	r.fs("empty", "40"+text("/flash"), "00 00000400 000F9C00 00000000")
	r.put("/flash/a", strings.Repeat("x", 1000))
	r.fs("with a file", "40"+text("/flash/"), "00 00000800 000F9800 00000000")
	r.fs("no such volume", "40"+text("/"), "52")
	r.fs("no name", "40", "53")
	r.fs("open", "01 0000 04"+text("/flash/a"), "00 0001 000003E8")
	r.fs("format something else", "4F"+text("/sd"), "52")
	r.fs("format", "4F"+text("/flash"), "00 00000400 000F9C00 00000000")
	r.fs("the handle is gone", "03 0001 00000000 0001", "03")
	r.fs("so is the file", "01 0000 04"+text("/flash/a"), "52")
}

func TestFilesRefuse(t *testing.T) {
	r := newRig(t, options{})
	r.fs("unknown command", "05 0000", "02")
	for _, short := range []string{"01", "01 0000", "02", "02 00", "03 0001", "04 0001 0000", "08 00", "10", "11 00", "13", "1C 00", "21 00", "2F"} {
		r.fs("too short", short, "03")
	}
	r.fs("no name", "01 0000 04", "53")
	r.fs("no name", "10 0000", "53")
	r.fs("NUL in a name", "10 0000 610062", "53")
	r.fs("name of 253", "10 0000"+strings.Repeat("61", 253), "53")
	r.fs("name of 65", "10 0000"+text("/flash/")+strings.Repeat("61", 65), "53")
	r.fs("bad name", "10 0000"+text("/flash/a:b"), "53")
	r.fs("neither read nor write", "01 0000 01"+text("/flash/a"), "03")
	r.fs("truncate without write", "01 0000 14"+text("/flash/a"), "03")
	r.fs("unknown option", "01 0000 49"+text("/flash/a"), "03")
	for i := range 10 {
		r.host("3B 01 01 0000 09 %s", text(fmt.Sprintf("/flash/%d", i)))
	}
	r.fs("too many files", "01 0000 09"+text("/flash/11"), "5C")
	r.fillUp()
}

// fillUp fills the file system.
func (r *rig) fillUp() {
	r.t.Helper()
	r.files.reset()
	r.fs("create", "01 0000 09"+text("/flash/huge"), "00 000B 00000000")
	chunk := strings.Repeat("00", 1490)
	for range 800 {
		if got := r.host("3B 01 04 000B FFFFFFFF %s", chunk); !strings.HasPrefix(got[0], "BB010400000B") {
			if got[0] != "BB010459" {
				r.t.Errorf("full: %q", got)
			}
			return
		}
	}
	r.t.Error("the file system never gets full")
}
