package atfs

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/ymodem"
	"github.com/skep-sim/skep/internal/ymodem/ymodemtest"
)

const hash0 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// TestCommands types a session. The replies are those of device-facts.md 10.5,
// with CR shown as a line's end.
func TestCommands(t *testing.T) {
	s, fs := shell(t)
	store(t, fs, "main.py", "print(1)\n", false)
	store(t, fs, "cert/aws.key", "secret", true)
	store(t, fs, "empty", "", false)
	for _, tt := range []struct{ line, want string }{
		{"", "ATFS commands: PWD CD MD LS PUT XPUT GET MV RM HASH INFO FORMAT"},
		{" PWD", "/flash"},
		{"pwd", "/flash"},
		{"LS", "       <DIR> ./\r       <DIR> ../\r       <DIR> cert/\r       <DIR> lib/\r           9 main.py\r           0 empty\r"},
		{"ls CERT", "       <DIR> ./\r       <DIR> ../\r           6 aws.key#\r"},
		{"LS /", "       <DIR> ./\r       <DIR> ../\r       <DIR> flash/\r"},
		{"LS nowhere", "ENOENT does not exist"},
		{"LS main.py", "ENOTDIR is not a directory"},
		{"LS lib cert", "EINVAL use ATFS LS [DIRECTORY]"},
		{"CD lib", "/flash/lib"},
		{"PWD", "/flash/lib"},
		{"CD ..", "/flash"},
		{"cd /FLASH/Lib", "/flash/lib"},
		{"CD", "EINVAL use ATFS CD DIRECTORY"},
		{"CD ../main.py", "ENOTDIR is not a directory"},
		{"CD nowhere", "ENOENT does not exist"},
		{"PWD", "/flash/lib"},
		{"MD umqtt", "OK"},
		{"MD UMQTT", "EEXIST already exists"},
		{"MD a/b", "ENOENT does not exist"},
		{"MD /tmp", "EPERM not permitted"},
		{"MD sp@ce", "EINVAL invalid name or argument"},
		{"LS", "       <DIR> ./\r       <DIR> ../\r       <DIR> umqtt/\r"},
		{"RM umqtt", "OK"},
		{"RM .", "EBUSY is the current directory"},
		{"RM /flash/lib", "EBUSY is the current directory"},
		{"RM /flash/cert", "ENOTEMPTY directory is not empty"},
		{"RM nothing", "ENOENT does not exist"},
		{"CD /", "/"},
		{"RM flash", "ENOTEMPTY directory is not empty"},
		{"MD sys", "EPERM not permitted"},
		{"CD flash", "/flash"},
		{"HASH empty", "sha256 " + hash0},
		{"HASH cert/aws.key", "sha256 2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"},
		{"HASH lib", "EISDIR is a directory"},
		{"HASH missing.txt", "ENOENT does not exist"},
		{"MV main.py lib/old.py", "OK"},
		{"MV empty lib/old.py", "EEXIST already exists"},
		{"MV main.py x", "ENOENT does not exist"},
		{"MV x", "EINVAL use ATFS MV FROM TO"},
		{"RM lib/OLD.py", "OK"},
		{"INFO", "2048 bytes used\r1021952 bytes free\r0 bytes bad\r1024000 bytes total"},
		{"GET cert/aws.key", "EPERM is a secure file"},
		{"GET lib", "EISDIR is a directory"},
		{"GET nothing", "ENOENT does not exist"},
		{"PUT lib", "EISDIR is a directory"},
		{"PUT nowhere/x", "ENOENT does not exist"},
		{"PUT a b", "EINVAL use ATFS PUT FILE"},
		{"XPUT b*d", "EINVAL invalid name or argument"},
		{"DEL empty", "EINVAL unknown command, ATFS lists them"},
		{"CD lib", "/flash/lib"},
		{"FORMAT", "EINVAL use ATFS FORMAT confirm"},
		{"FORMAT yes", "EINVAL use ATFS FORMAT confirm"},
		{"FORMAT confirm", "Formatting...\rOK"},
		{"PWD", "/flash"},
		{"LS", "       <DIR> ./\r       <DIR> ../\r       <DIR> cert/\r       <DIR> lib/\r"},
	} {
		if got := s.Run(tt.line, &silent{}); got != tt.want {
			t.Errorf("ATFS %s:\n%q, want\n%q", tt.line, got, tt.want)
		}
	}
}

// TestDirectoryIsOwn: Python's working directory is another one, and may take
// the shell's away.
func TestDirectoryIsOwn(t *testing.T) {
	s, fs := shell(t)
	s.Run("CD lib", nil)
	if err := fs.Rmdir(flash.Root, "lib"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range [][2]string{
		{"PWD", "/flash/lib"}, {"LS", "ENOENT does not exist"}, {"MD x", "ENOENT does not exist"}, {"RM .", "ENOENT does not exist"}, {"CD /flash", "/flash"},
	} {
		if got := s.Run(tt[0], nil); got != tt[1] {
			t.Errorf("%s: %q, want %q", tt[0], got, tt[1])
		}
	}
}

// put types ATFS PUT or XPUT and sends a file as a host does.
func put(s *Shell, line string, files ...ymodem.File) (reply string, sent error) {
	device, host := ymodemtest.New()
	done := make(chan error)
	go func() {
		defer host.Finish()
		if p := prompt(host); p != "Receiving file with YMODEM..." {
			done <- nil
			return
		}
		done <- ymodem.Send(host, files...)
	}()
	reply = s.Run(line, device)
	device.Write([]byte("\r"))
	device.Finish()
	return reply, <-done
}

func TestPut(t *testing.T) {
	s, fs := shell(t)
	for _, size := range []int{0, 1, 127, 128, 129, 1023, 1024, 1025, 10000, 300000} {
		data := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		reply, sent := put(s, "PUT up.bin", ymodem.File{Header: ymodem.Header{Name: "other.name", Size: int64(size)}, Content: bytes.NewReader(data)})
		if got, err := fs.ReadSecure(flash.Root, "up.bin"); reply != "OK" || sent != nil || err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: %q, sent %v; %d bytes stored, %v", size, reply, sent, len(got), err)
		}
	}
	reply, sent := put(s, "xput cert/key", ymodem.File{Header: ymodem.Header{Name: "key", Size: 3}, Content: strings.NewReader("abc")})
	if info, err := fs.Stat(flash.Root, "cert/key"); reply != "OK" || sent != nil || err != nil || !info.Secure || info.Size != 3 {
		t.Errorf("XPUT: %q, %v; %+v, %v", reply, sent, info, err)
	}
	// PUT over a secure file makes it an ordinary one.
	put(s, "PUT cert/key", ymodem.File{Header: ymodem.Header{Name: "key", Size: 3}, Content: strings.NewReader("abc")})
	if info, err := fs.Stat(flash.Root, "cert/key"); err != nil || info.Secure {
		t.Errorf("PUT over a secure file: %+v, %v", info, err)
	}
}

// TestPutFails: whatever goes wrong, the old file stays and no new one appears.
func TestPutFails(t *testing.T) {
	s, fs := shell(t)
	store(t, fs, "old", "old content", false)
	file := func(size int64, content string) ymodem.File {
		return ymodem.File{Header: ymodem.Header{Name: "x", Size: size}, Content: strings.NewReader(content)}
	}
	full := strings.Repeat("x", flash.Blocks*flash.BlockSize+1)
	for _, name := range []string{"old", "new"} {
		for _, tt := range []struct {
			what, want string
			files      []ymodem.File
		}{
			{"too big", "ENOSPC no space left", []ymodem.File{file(int64(len(full)), full)}},
			{"absurdly big", "ENOSPC no space left", []ymodem.File{file(1<<62, full)}},
			{"too big, not announced", "ENOSPC no space left", []ymodem.File{file(-1, full)}},
			{"sender gives up", "ECANCELED transfer cancelled", []ymodem.File{file(5000, "half")}},
			{"nothing sent", "ECANCELED the sender had no file", nil},
		} {
			if reply, _ := put(s, "PUT "+name, tt.files...); reply != tt.want {
				t.Errorf("%s, %s: %q, want %q", name, tt.what, reply, tt.want)
			}
		}
		if got := s.Run("PUT "+name, &silent{}); got != "ETIMEDOUT transfer timed out" {
			t.Errorf("%s, nobody sends: %q", name, got)
		}
	}
	if got, err := fs.ReadSecure(flash.Root, "old"); err != nil || string(got) != "old content" {
		t.Errorf("old holds %.20q, %v", got, err)
	}
	if _, err := fs.Stat(flash.Root, "new"); err == nil {
		t.Error("a file that did not arrive is there")
	}
	reply, sent := put(s, "PUT new", file(3, "one"), file(3, "two"))
	if got, err := fs.ReadSecure(flash.Root, "new"); reply != "EINVAL one file at a time, the first is stored" || sent == nil || err != nil || string(got) != "one" {
		t.Errorf("two files: %q, %v; %q, %v", reply, sent, got, err)
	}
}

// keep is a sink for one file.
type keep struct {
	head ymodem.Header
	data []byte
}

func (k *keep) Begin(h ymodem.Header) error { k.head = h; return nil }
func (k *keep) Write(p []byte) (int, error) { k.data = append(k.data, p...); return len(p), nil }
func (k *keep) End() error                  { return nil }

func TestGet(t *testing.T) {
	s, fs := shell(t)
	for _, size := range []int{0, 1, 128, 1025, 10000} {
		data := strings.Repeat("fedcba9876543210", size/16+1)[:size]
		store(t, fs, "lib/down.bin", data, false)
		device, host := ymodemtest.New()
		var k keep
		done := make(chan error)
		go func() {
			if p := prompt(host); p != "Sending file with YMODEM..." {
				t.Errorf("prompt %q", p)
			}
			err := ymodem.Receive(host, &k)
			host.Finish()
			done <- err
		}()
		reply := s.Run("GET LIB/down.BIN", device)
		device.Write([]byte("\r"))
		device.Finish()
		if err := <-done; reply != "OK" || err != nil || string(k.data) != data || k.head != (ymodem.Header{Name: "down.bin", Size: int64(size)}) {
			t.Errorf("%d bytes: %q, %v, %+v, %d bytes", size, reply, err, k.head, len(k.data))
		}
	}
	port := &silent{}
	if got := s.Run("GET lib/down.bin", port); got != "ETIMEDOUT transfer timed out" || !strings.HasPrefix(string(port.out), "Sending file with YMODEM...\r\x15") {
		t.Errorf("nobody receives: %q, prompt %q", got, port.out)
	}
}

// TestClientPatterns: Digi's Python library tells errors, files and directories
// by these patterns (filesystem.py).
func TestClientPatterns(t *testing.T) {
	s, fs := shell(t)
	store(t, fs, "main.py", "x", false)
	isError := regexp.MustCompile(`(?ms)^(.*\s)?(E[A-Z0-9]+)( .*)?\s*$`)
	functions := regexp.MustCompile(`(?ms)^.*ATFS commands: (.*)$`)
	dir, file := regexp.MustCompile(`^ +<DIR> (.+)/$`), regexp.MustCompile(`^ +([0-9]+) (.+)$`)
	info := regexp.MustCompile(`^ *([0-9]*) (.*)$`)
	for _, line := range []string{"", "PWD", "CD lib", "CD ..", "MD x", "LS", "MV x y", "RM y", "HASH main.py", "INFO", "FORMAT confirm"} {
		if got := s.Run(line, nil); isError.MatchString(got) {
			t.Errorf("%s: the library takes %q for an error", line, got)
		}
	}
	for _, line := range []string{"CD main.py", "CD x", "RM lib/..", "MD lib", "HASH nothing", "FORMAT", "NONE"} {
		if got := s.Run(line, nil); !isError.MatchString(got) || got[0] != 'E' {
			t.Errorf("%s: the library takes %q for no error", line, got)
		}
	}
	store(t, fs, "main.py", "x", false)
	for l := range strings.SplitSeq(strings.TrimRight(s.Run("LS", nil), "\r"), "\r") {
		if dir.MatchString(l) == file.MatchString(l) {
			t.Errorf("the library cannot tell what %q is", l)
		}
	}
	for l := range strings.SplitSeq(s.Run("INFO", nil), "\r") {
		if m := info.FindStringSubmatch(l); m == nil || m[1] == "" {
			t.Errorf("the library finds no number in %q", l)
		}
	}
	if m := functions.FindStringSubmatch(s.Run("", nil)); m == nil || !strings.Contains(" "+m[1]+" ", " MV ") {
		t.Error("the library finds no list of commands")
	}
}

// FuzzRun types arbitrary lines: none may panic, and each error has its form.
func FuzzRun(f *testing.F) {
	for _, s := range []string{"LS /", "MV a b", "PUT x", "cd ../../..", "RM ../flash", "FORMAT confirm", "XPUT /flash/./cert/../a."} {
		f.Add(s, s)
	}
	ok := regexp.MustCompile(`\A(E[A-Z0-9]+ .|OK\z|/|ATFS commands: | {7}<DIR> \./|[0-9]+ bytes used|sha256 [0-9a-f]{64}\z|Formatting)`)
	f.Fuzz(func(t *testing.T, first, second string) {
		s, fs := shell(t)
		store(t, fs, "a", "content", false)
		for _, line := range []string{first, second, first} {
			if got := s.Run(line, &silent{}); !ok.MatchString(got) {
				t.Errorf("ATFS %q: %q", line, got)
			}
		}
	})
}
