package flash

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func appendPayload(b, payload []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(payload, castagnoli))
	return append(b, payload...)
}

func TestStateDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	d, err := OpenState(dir)
	must(t, err)
	must(t, put(d.FS(), "main.py", "w", "print(1)"))
	must(t, d.Blob("bundle").Put([]byte("bundle")))
	must(t, d.rewrite())
	must(t, put(d.FS(), "log", "a", "line"))
	want := dump(d)

	_, err = OpenState(dir)
	var locked *LockedError
	if !errors.As(err, &locked) || locked.Owner != fmt.Sprint(os.Getpid()) || !strings.Contains(err.Error(), "--state") {
		t.Errorf("a second opening: %v", err)
	}
	must(t, d.Close())
	d, err = OpenState(dir)
	must(t, err)
	defer d.Close()
	if got := dump(d); got != want {
		t.Errorf("after power-on\n%swant\n%s", got, want)
	}
	if i, err := os.Stat(filepath.Join(dir, journalName)); err != nil || i.Mode().Perm()&0o077 != 0 {
		t.Errorf("others can read the image: %v, %v", i.Mode(), err)
	}
}

func TestBlobs(t *testing.T) {
	d, m := fresh(t)
	b := d.Blob("at")
	if got := b.Get(); got != nil {
		t.Errorf("a new blob holds %q", got)
	}
	must(t, b.Put(nil))
	if got := b.Get(); got == nil || len(got) != 0 {
		t.Errorf("an empty blob is %#v", got)
	}
	must(t, b.Put([]byte("AP4")))
	must(t, d.FS().Format())
	if got := open(t, m).Blob("at").Get(); string(got) != "AP4" {
		t.Errorf("after a format and power-on it holds %q", got)
	}
	if err := b.Put(make([]byte, blobMax+1)); err != ENOSPC {
		t.Errorf("too big: %v", err)
	}
	must(t, b.Delete())
	must(t, b.Delete())
	if got := open(t, m).Blob("at").Get(); got != nil {
		t.Errorf("a deleted blob holds %q", got)
	}
}

func TestDamage(t *testing.T) {
	d, m := fresh(t)
	must(t, put(d.FS(), "main.py", "w", "print('a program of some length')"))
	must(t, put(d.FS(), "b.py", "w", "print('another')"))
	good, _ := m.Load()
	// Each byte changed, in turn: refused where anything follows, dropped at
	// the end, never taken for good.
	for i := range good {
		b := bytes.Clone(good)
		b[i] ^= 0x20
		s := &Memory{now: memoryState{journal: b, synced: b}}
		d, err := Open(s)
		if err != nil {
			var damage *DamageError
			if !errors.As(err, &damage) || !bytes.Equal(s.now.journal, b) {
				t.Fatalf("byte %d: %v", i, err)
			}
			continue
		}
		if got, err := d.FS().ReadSecure(Root, "b.py"); err == nil && len(got) > 0 {
			t.Errorf("byte %d changed, and nobody noticed", i)
		}
	}
	// Each length: whatever was whole is there. The first record always was.
	first := headerLen + recordHead + int(binary.LittleEndian.Uint32(good[headerLen:]))
	for n := headerLen + 1; n < first; n++ {
		_, err := Open(&Memory{now: memoryState{journal: good[:n:n]}})
		if _, ok := err.(*DamageError); !ok {
			t.Errorf("%d bytes of a first record of %d: %v", n, first, err)
		}
	}
	for n := first; n <= len(good); n++ {
		open(t, &Memory{now: memoryState{journal: good[:n:n]}})
		zeros := append(bytes.Clone(good[:n]), make([]byte, 40)...)
		if d, err := Open(&Memory{now: memoryState{journal: zeros}}); err == nil {
			check(t, d)
		} else if _, ok := err.(*DamageError); !ok {
			t.Errorf("length %d and zeros: %v", n, err)
		}
	}
	old := bytes.Clone(good)
	old[len(magic)]++
	if _, err := Open(&Memory{now: memoryState{journal: old}}); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("another version: %v", err)
	}
}

// TestKill kills a process that is busy changing its flash and looks at what
// is left: always a state the process has been in.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	last := -1
	for round := range 5 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKillChild$")
		cmd.Env = append(os.Environ(), "FLASH_KILL_DIR="+dir)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		ready := make([]byte, 1)
		if _, err := io.ReadFull(out, ready); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(3+7*round) * time.Millisecond)
		must(t, cmd.Process.Kill())
		cmd.Wait()

		d, err := OpenState(dir)
		if err != nil {
			t.Fatal(err)
		}
		check(t, d)
		a, err := d.FS().ReadSecure(Root, "a")
		must(t, err)
		var n, size int
		fmt.Sscanf(string(a), "%d", &n)
		if want := killContent(n); string(a) != want {
			t.Errorf("round %d: the file holds half of something: %d bytes that begin with %.20q", round, len(a), a)
		}
		if n < last {
			t.Errorf("round %d: the file went back from %d to %d", round, last, n)
		}
		blob := d.Blob("bundle").Get()
		fmt.Sscanf(string(blob), "%d", &size)
		if string(blob) != killContent(size) || size < n-1 || size > n {
			t.Errorf("round %d: the blob is at %d, the file at %d", round, size, n)
		}
		last = n
		must(t, d.Close())
	}
}

func killContent(n int) string { return strings.Repeat(fmt.Sprintf("%d ", n), 100+n%3000) }

// TestKillChild is the process that TestKill kills. Run by itself it does
// nothing.
func TestKillChild(t *testing.T) {
	dir := os.Getenv("FLASH_KILL_DIR")
	if dir == "" {
		return
	}
	d, err := OpenState(dir)
	must(t, err)
	n := 0
	if b, err := d.FS().ReadSecure(Root, "a"); err == nil { // never behind the blob
		fmt.Sscanf(string(b), "%d", &n)
	}
	for started := false; ; n++ {
		must(t, put(d.FS(), "tmp", "w", killContent(n)))
		must(t, d.FS().Replace(Root, "tmp", "a"))
		must(t, d.Blob("bundle").Put([]byte(killContent(n))))
		if !started {
			os.Stdout.WriteString("R")
			started = true
		}
	}
}
