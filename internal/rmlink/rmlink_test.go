package rmlink

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

var messages = []Message{
	{Type: Hello, Data: []byte(`{"id":"x"}`)},
	{Type: Result, Status: Refused, ID: 0xFFFFFFFF, Data: []byte{}},
	{Type: Request, ID: 7, Name: "micropython", Kind: "text/plain", Data: bytes.Repeat([]byte{2}, 1000)},
	{Type: Disconnect, Name: strings.Repeat("n", MaxName), Data: []byte{}},
}

func TestStream(t *testing.T) {
	var wire []byte
	for _, m := range messages {
		wire = Append(wire, m)
	}
	for _, size := range []int{1, 2, 13, 14, len(wire)} {
		var d Decoder
		var got []Message
		for rest := wire; len(rest) > 0; {
			n := min(size, len(rest))
			d.Write(rest[:n])
			rest = rest[n:]
			for {
				m, ok, err := d.Next()
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					break
				}
				if m.Data == nil {
					m.Data = []byte{}
				}
				got = append(got, m)
			}
		}
		if !reflect.DeepEqual(got, messages) {
			t.Errorf("in pieces of %d bytes: %+v", size, got)
		}
	}
}

func TestNotAFrame(t *testing.T) {
	huge := Append(nil, Message{Type: Ping})
	huge[9] = 0xFF
	for _, bad := range [][]byte{[]byte("G"), []byte("GET / HTTP/1.1\r\n\r\n"), Append(nil, Message{Type: 0}), Append(nil, Message{Type: last + 1}), huge} {
		var d Decoder
		d.Write(bad)
		if _, ok, err := d.Next(); ok || !errors.Is(err, ErrFrame) {
			t.Errorf("%q: %v, %v", bad, ok, err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a message that is too long is taken")
		}
	}()
	Append(nil, Message{Type: Ping, Data: make([]byte, MaxData+1)})
}

func FuzzDecoder(f *testing.F) {
	for _, m := range messages {
		f.Add(Append(nil, m))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		var d Decoder
		d.Write(wire)
		var again []byte
		for {
			m, ok, err := d.Next()
			if !ok || err != nil {
				break
			}
			again = Append(again, m)
		}
		if !bytes.HasPrefix(wire, again) {
			t.Fatalf("%q decodes to what encodes as %q", wire, again)
		}
	})
}
