package ymodem

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/ymodem/ymodemtest"
)

var sizes = []int{0, 1, 127, 128, 129, 1023, 1024, 1025, 1152, 10000, 300000}

// transfer sends files over a line, on which noise may be, and returns what both
// sides say.
func transfer(noise func() func([]byte) []byte, sink Sink, fs ...File) (sent, received error) {
	from, to := ymodemtest.New()
	if noise != nil {
		from.Noise, to.Noise = noise(), noise()
	}
	done := make(chan error)
	go func() {
		err := Send(from, fs...)
		from.Finish()
		done <- err
	}()
	received = Receive(to, sink)
	to.Finish()
	return <-done, received
}

func TestCRC(t *testing.T) {
	if got := checksum([]byte("123456789")); got != 0x31C3 {
		t.Errorf("%04X, want 31C3", got)
	}
}

func TestSizes(t *testing.T) {
	for _, size := range sizes {
		var sink files
		b := content(size)
		sent, received := transfer(nil, &sink, file("f.bin", b))
		if sent != nil || received != nil || len(sink.data) != 1 || !bytes.Equal(sink.data[0], b) || sink.ended != 1 {
			t.Errorf("%d bytes: sent %v, received %v, %d files", size, sent, received, len(sink.data))
		}
		if h := (Header{Name: "f.bin", Size: int64(size)}); len(sink.heads) == 1 && sink.heads[0] != h {
			t.Errorf("header %+v, want %+v", sink.heads[0], h)
		}
	}
}

func TestBatch(t *testing.T) {
	var sink files
	var fs []File
	for i, size := range sizes[:10] {
		f := file(fmt.Sprintf("file%d", i), content(size))
		f.ModTime = int64(1e9 + i)
		fs = append(fs, f)
	}
	sent, received := transfer(nil, &sink, fs...)
	if sent != nil || received != nil || sink.ended != len(fs) {
		t.Fatalf("sent %v, received %v, %d files", sent, received, sink.ended)
	}
	for i, h := range sink.heads {
		if h != fs[i].Header || !bytes.Equal(sink.data[i], content(sizes[i])) {
			t.Errorf("file %d: %+v", i, h)
		}
	}
}

func TestNoFiles(t *testing.T) {
	var sink files
	if sent, received := transfer(nil, &sink); sent != nil || received != nil || len(sink.heads) != 0 {
		t.Errorf("sent %v, received %v, %d files", sent, received, len(sink.heads))
	}
}

func TestUnknownSize(t *testing.T) {
	for _, size := range []int{0, 1, 128, 1024, 1025, 3000} {
		var sink files
		b := content(size)
		sent, received := transfer(nil, &sink, File{Header{Name: "pipe", Size: -1}, bytes.NewReader(b)})
		if sent != nil || received != nil {
			t.Fatalf("%d: sent %v, received %v", size, sent, received)
		}
		got, padding := bytes.CutPrefix(sink.data[0], b)
		if !padding || len(bytes.Trim(got, "\x1a")) != 0 || len(sink.data[0])%128 != 0 {
			t.Errorf("%d bytes became %d", size, len(sink.data[0]))
		}
	}
}

// TestNoise garbles, drops and adds bytes: a transfer may fail, but what it
// delivers as a whole file is the file.
func TestNoise(t *testing.T) {
	whole, failed := 0, 0
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 0))
		noise := func() func([]byte) []byte {
			rate := 1 << (9 + rng.IntN(6))
			return func(p []byte) []byte {
				var out []byte
				for _, b := range p {
					switch rng.IntN(rate) {
					case 0:
						b ^= 1 << rng.IntN(8)
					case 1:
						continue
					case 2:
						out = append(out, byte(rng.IntN(256)))
					}
					out = append(out, b)
				}
				return out
			}
		}
		b := content(200 * int(seed%40))
		var sink files
		sent, received := transfer(noise, &sink, file("noise.bin", b))
		if sink.ended > 0 {
			whole++
			if !bytes.Equal(sink.data[0], b) {
				t.Errorf("seed %d: delivered %d other bytes", seed, len(sink.data[0]))
			}
		} else {
			failed++
			if received == nil && sent == nil {
				t.Errorf("seed %d: nothing delivered, and nobody says so", seed)
			}
		}
	}
	if whole < 150 {
		t.Errorf("only %d of %d transfers got through the noise", whole, whole+failed)
	}
	t.Logf("%d transfers got through, %d were given up", whole, failed)
}

func TestSinkRefuses(t *testing.T) {
	refused := errors.New("no")
	for name, sink := range map[string]*files{"begin": {begin: refused}, "full": {limit: 3000}} {
		sent, received := transfer(nil, sink, file("f", content(10000)))
		if !errors.Is(sent, ErrCancelled) || received == nil || sink.ended != 0 {
			t.Errorf("%s: sent %v, received %v", name, sent, received)
		}
	}
}

func TestReaderFails(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		r    io.Reader
		want func(error) bool
	}{
		{io.MultiReader(strings.NewReader("abc"), errReader{broken}), func(err error) bool { return errors.Is(err, broken) }},
		{strings.NewReader("abc"), func(err error) bool { var s *ShortError; return errors.As(err, &s) && s.Got == 3 && s.Want == 5000 }},
	} {
		var sink files
		sent, received := transfer(nil, &sink, File{Header{Name: "f", Size: 5000}, tt.r})
		if !tt.want(sent) || !errors.Is(received, ErrCancelled) || sink.ended != 0 {
			t.Errorf("sent %v, received %v", sent, received)
		}
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// at is a script of what a sender does; "" is a pause as long as it takes.
func at(parts ...any) *script {
	s := &script{}
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			s.in = append(s.in, []byte(p))
		case []byte:
			s.in = append(s.in, p)
		}
	}
	return s
}

func TestReceiveByHand(t *testing.T) {
	zero := packet(0, shortBlock, "")
	head := packet(0, shortBlock, "a.txt\x005 14641 0")
	hello := packet(1, shortBlock, "hello\x1a\x1a")
	broken := bytes.Clone(hello)
	broken[5] ^= 1
	tests := []struct {
		name string
		port *script
		data string // what the file holds; "-": there is none
		err  error
		out  string
	}{
		{"plain", at(head, hello, "\x04", zero), "hello", nil, "C\x06C\x06\x06C\x06"},
		{"late", at("", "", head, hello, "\x04", zero), "hello", nil, "CCC\x06C\x06\x06C\x06"},
		{"no end of batch", at(head, hello, "\x04"), "hello", nil, "C\x06C\x06\x06CCCCCCCCCCC"},
		{"broken block", at(head, broken, "", hello, "\x04", zero), "hello", nil, "C\x06C\x15\x06\x06C\x06"},
		{"block twice", at(head, hello, hello, "\x04", zero), "hello", nil, "C\x06C\x06\x06\x06C\x06"},
		{"header twice", at(head, head, hello, "\x04", zero), "hello", nil, "C\x06C\x06C\x06\x06C\x06"},
		{"silence after the header", at(head, "", hello, "\x04", zero), "hello", nil, "C\x06CC\x06\x06C\x06"},
		{"EOT as noise", at(head, "\x04", hello, "\x04", zero), "hello", nil, "C\x06C\x15\x06\x06C\x06"},
		{"one CAN as noise", at(head, "\x18", "", "", hello, "\x04", zero), "hello", nil, "C\x06C\x15\x06\x06C\x06"},
		{"EOT twice", at(head, hello, "\x04\x04", zero), "hello", nil, "C\x06C\x06\x06C\x06C\x06"},
		{"ends early", at(head, "\x04\x04\x04"), "", &ShortError{0, 5}, "C\x06C\x15\x15\x18\x18"},
		{"cancelled", at(head, "\x18\x18"), "", ErrCancelled, "C\x06C"},
		{"cancelled at once", at("\x18\x18"), "-", ErrCancelled, "C"},
		{"XMODEM", at(hello), "-", &SequenceError{1, 0}, "C\x18\x18"},
		{"block skipped", at(head, packet(3, shortBlock, "x")), "", &SequenceError{3, 1}, "C\x06C\x18\x18"},
		{"nobody", at(), "-", ErrTimeout, strings.Repeat("C", 61) + "\x18\x18"},
		{"falls silent", at(head, hello), "hello", ErrTimeout, "C\x06C\x06" + strings.Repeat("\x15", 10) + "\x18\x18"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var sink files
			err := Receive(tt.port, &sink)
			if fmt.Sprint(err) != fmt.Sprint(tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if string(tt.port.out) != tt.out {
				t.Errorf("answered %q, want %q", tt.port.out, tt.out)
			}
			got := "-"
			if len(sink.data) > 0 {
				got = string(sink.data[0])
			}
			if got != tt.data || (err == nil) != (sink.ended == 1) {
				t.Errorf("received %q (ended %d times), want %q", got, sink.ended, tt.data)
			}
		})
	}
}

func TestSendByHand(t *testing.T) {
	const zero, head, hello, second = "<zero>", "<head>", "<hello>", "<second>"
	blocks := strings.NewReplacer(
		string(packet(0, shortBlock, "")), zero,
		string(packet(0, shortBlock, "a.txt\x005")), head,
		string(packet(1, shortBlock, "hello"+strings.Repeat("\x1a", 123))), hello,
		string(packet(2, shortBlock, "hello"+strings.Repeat("\x1a", 123))), second)
	tests := []struct {
		name string
		port *script
		err  error
		out  string
	}{
		{"plain", at("C", "\x06C", "\x06", "\x06C", "", "\x06"), nil, head + hello + "\x04" + zero},
		{"Digi's library", at("C", "\x06\x06", "", "\x06", "\x06", "C", "", "\x06\x06"), nil, head + second + "\x04" + zero},
		{"Digi's library, an ACK lost", at("C", "\x06", "", "\x06", "\x06", "C", "", "\x06\x06"), nil, head + second + "\x04" + zero},
		{"impatient", at("", "", "CCCCC", "\x06C", "\x06", "\x06C", "", "\x06"), nil, head + hello + "\x04" + zero},
		{"refused once", at("C", "\x15", "\x06C", "\x15", "\x06", "\x15", "\x06C", "", "\x06"), nil, head + head + hello + hello + "\x04\x04" + zero},
		{"ACK of the EOT lost", at("C", "\x06C", "\x06", "C", "", "\x06"), nil, head + hello + "\x04" + zero},
		{"leaves before the end", at("C", "\x06C", "\x06", "\x06C", "", "", "AT\r"), nil, head + hello + "\x04" + zero},
		{"refuses the end once", at("C", "\x06C", "\x06", "\x06C", "", "\x15", "\x06"), nil, head + hello + "\x04" + zero + zero},
		{"asks twice for the end", at("C", "\x06C", "\x06", "\x06C", "C", "", "\x06"), nil, head + hello + "\x04" + zero},
		{"cancelled before the end", at("C", "\x06C", "\x06", "\x06C", "\x18\x18"), ErrCancelled, head + hello + "\x04"},
		{"cancelled at the end", at("C", "\x06C", "\x06", "\x06C", "", "\x18\x18"), ErrCancelled, head + hello + "\x04" + zero},
		{"cancelled", at("C", "\x06C", "\x18\x18"), ErrCancelled, head + hello},
		{"nobody", at(), ErrTimeout, "\x18\x18"},
		{"goes away", at("C", "\x06C"), ErrTimeout, head + strings.Repeat(hello, 10) + "\x18\x18"},
		{"never content", at("C", "\x15", "\x15", "\x15", "\x15", "\x15", "\x15", "\x15", "\x15", "\x15", "\x15"), ErrGarbled, strings.Repeat(head, 10) + "\x18\x18"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Send(tt.port, file("a.txt", []byte("hello")))
			if !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if got := blocks.Replace(string(tt.port.out)); got != tt.out {
				t.Errorf("sent %q, want %q", got, tt.out)
			}
		})
	}
	for _, name := range []string{"", strings.Repeat("x", 1024)} {
		if err := Send(at("C"), file(name, nil)); err == nil {
			t.Errorf("a name of %d characters can be sent", len(name))
		}
	}
	var sink files
	long := strings.Repeat("x", 300)
	if sent, received := transfer(nil, &sink, file(long, []byte("x"))); sent != nil || received != nil || sink.heads[0].Name != long {
		t.Errorf("long name: %v, %v", sent, received)
	}
}

// back is a script that takes a byte back.
type back struct{ *script }

func (b back) Unread(c byte) { b.in = append([][]byte{{c}}, b.in...) }

// TestWhatComesBehind: a host that goes on at once is heard, an ACK too many is
// not.
func TestWhatComesBehind(t *testing.T) {
	rest := func(s *script) string { return string(bytes.Join(s.in, nil)) }
	out := back{at("C", "\x06C", "\x06", "\x06C", "", "\x06\x06", "AT\r")}
	if err := Send(out, file("a.txt", []byte("hello"))); err != nil || rest(out.script) != "AT\r" {
		t.Errorf("sent: %v, and there is %q", err, rest(out.script))
	}
	in := back{at(packet(0, shortBlock, "a.txt\x005"), packet(1, shortBlock, "hello"), "\x04", packet(0, shortBlock, ""), "AT\r")}
	var sink files
	if err := Receive(in, &sink); err != nil || rest(in.script) != "AT\r" {
		t.Errorf("received: %v, and there is %q", err, rest(in.script))
	}
}
