package ymodem

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// program is a foreign program at the other end of the line, its standard input
// and output.
type program struct {
	in    io.WriteCloser
	bytes chan byte
	wait  func() error
}

// foreign starts one of lrzsz's programs in dir. Where they are not installed
// the test is left out, unless SKEP_FOREIGN says that they must be there.
func foreign(t *testing.T, dir, name string, args ...string) *program {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("SKEP_FOREIGN") != "" {
			t.Fatal(err)
		}
		t.Skipf("%v: install lrzsz", err)
	}
	c := exec.Command(path, args...)
	c.Dir = dir
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaint bytes.Buffer
	c.Stderr = &complaint
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	p := &program{in: in, bytes: make(chan byte, 1<<16)}
	go func() {
		defer close(p.bytes)
		buf := make([]byte, 4096)
		for {
			n, err := out.Read(buf)
			for _, b := range buf[:n] {
				p.bytes <- b
			}
			if err != nil {
				return
			}
		}
	}()
	p.wait = func() error {
		in.Close()
		for range p.bytes {
		}
		if err := c.Wait(); err != nil {
			return fmt.Errorf("%s: %w\n%s", name, err, complaint.Bytes())
		}
		return nil
	}
	t.Cleanup(func() { c.Process.Kill() })
	return p
}

func (p *program) Write(b []byte) { p.in.Write(b) }

func (p *program) Byte(d time.Duration) (byte, bool) {
	select {
	case b, ok := <-p.bytes:
		return b, ok
	default:
	}
	if d == 0 {
		return 0, false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case b, ok := <-p.bytes:
		return b, ok
	case <-timer.C:
		return 0, false
	}
}

// TestReceiveFromSB: Debian's sb sends, with blocks of either length.
func TestReceiveFromSB(t *testing.T) {
	dir := t.TempDir()
	var names []string
	for _, size := range sizes {
		name := fmt.Sprintf("%d.bin", size)
		if err := os.WriteFile(filepath.Join(dir, name), content(size), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	check := func(t *testing.T, args ...string) {
		p := foreign(t, dir, "sb", args...)
		var sink files
		err := Receive(p, &sink)
		if err := p.wait(); err != nil {
			t.Error(err)
		}
		i := 0
		for _, name := range args {
			if name[0] == '-' {
				continue
			}
			want, _ := os.ReadFile(filepath.Join(dir, name))
			if err != nil || i >= len(sink.data) || sink.heads[i].Name != name || !bytes.Equal(sink.data[i], want) {
				t.Fatalf("sb %v: %s did not arrive: %v, %+v", args, name, err, sink.heads)
			}
			i++
		}
		if sink.ended != i {
			t.Errorf("sb %v: %d files, want %d", args, sink.ended, i)
		}
	}
	for _, name := range names {
		check(t, name)
		check(t, "-k", name)
	}
	check(t, append([]string{"-k"}, names...)...)
}

// TestSendToRB: Debian's rb receives. It pauses for seconds of its own in each
// transfer, so they are all made at once.
func TestSendToRB(t *testing.T) {
	transfer := func(list ...int) error {
		dir := t.TempDir()
		p := foreign(t, dir, "rb", "-E")
		var fs []File
		for _, size := range list {
			fs = append(fs, file(fmt.Sprintf("%d.bin", size), content(size)))
		}
		err := Send(p, fs...)
		if ended := p.wait(); err == nil {
			err = ended
		}
		for _, f := range fs {
			got, read := os.ReadFile(filepath.Join(dir, f.Name))
			if err == nil && (read != nil || !bytes.Equal(got, content(int(f.Size)))) {
				err = fmt.Errorf("%d bytes arrived (%v)", len(got), read)
			}
		}
		return err
	}
	foreign(t, t.TempDir(), "rb", "--version").wait() // leaves the test here if there is none
	lists := [][]int{{1000, 0}}
	for _, size := range sizes {
		lists = append(lists, []int{size})
	}
	var all sync.WaitGroup
	for _, list := range lists {
		all.Go(func() {
			if err := transfer(list...); err != nil {
				t.Errorf("%v: %v", list, err)
			}
		})
	}
	all.Wait()
}

// TestCancelSB: what the sink refuses ends sb, too.
func TestCancelSB(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "big"), content(300000), 0o600); err != nil {
		t.Fatal(err)
	}
	p := foreign(t, dir, "sb", "-k", "big")
	sink := files{limit: 10000}
	if err := Receive(p, &sink); err == nil || sink.ended != 0 {
		t.Errorf("received %v, %d files", err, sink.ended)
	}
	if err := p.wait(); err == nil {
		t.Error("sb takes a cancelled transfer for a success")
	}
}
