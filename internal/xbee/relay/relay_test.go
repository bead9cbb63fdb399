package relay

import (
	"bytes"
	"errors"
	"testing"
)

func TestRefusals(t *testing.T) {
	tests := []struct {
		name string
		to   int
		size int
		want error
	}{
		{"no such interface", 3, 1, ErrNoDevice},
		{"negative interface", -1, 1, ErrNoDevice},
		{"Bluetooth is never connected", Bluetooth, 1, ErrRefused},
		{"serial outside API mode", Serial, 1, ErrRefused},
		{"too long", MicroPython, MaxData + 1, ErrNoBuffer},
		{"longest", MicroPython, MaxData, nil},
		{"empty", MicroPython, 0, nil},
	}
	for _, tt := range tests {
		r := New()
		if err := r.Send(MicroPython, tt.to, make([]byte, tt.size)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestSerialTakesMessages(t *testing.T) {
	r := New()
	var got []Message
	api := true
	r.SetSerial(func(m Message) bool {
		if api {
			got = append(got, m)
		}
		return api
	})
	if err := r.Send(MicroPython, Serial, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].From != MicroPython || string(got[0].Data) != "hello" {
		t.Errorf("the serial port got %v", got)
	}
	api = false
	if err := r.Send(Serial, Serial, []byte("x")); !errors.Is(err, ErrRefused) {
		t.Errorf("a serial port that refuses: %v", err)
	}
}

func TestQueue(t *testing.T) {
	r := New()
	if _, ok := r.Receive(); ok {
		t.Error("a new relay has a message")
	}
	hooked := 0
	r.OnMessage(func() { hooked++ })
	data := []byte{0}
	for i := range QueueLength {
		data[0] = byte(i) // the relay keeps a copy
		if err := r.Send(Serial, MicroPython, data); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := r.Send(Serial, MicroPython, data); !errors.Is(err, ErrRefused) {
		t.Errorf("the queue takes one too many: %v", err)
	}
	if r.Waiting() != QueueLength || hooked != QueueLength {
		t.Errorf("%d wait, hook called %d times", r.Waiting(), hooked)
	}
	select {
	case <-r.Arrived():
	default:
		t.Error("no notice of the arrival")
	}
	for i := range QueueLength {
		if m, ok := r.Receive(); !ok || m.From != Serial || !bytes.Equal(m.Data, []byte{byte(i)}) {
			t.Fatalf("message %d is %v, %v", i, m, ok)
		}
	}
	if _, ok := r.Receive(); ok {
		t.Error("a message too many")
	}
}

func TestReset(t *testing.T) {
	r := New()
	hooked := 0
	r.OnMessage(func() { hooked++ })
	r.SetSerial(func(Message) bool { return true })
	r.Send(Serial, MicroPython, []byte("old"))
	r.Reset()
	if r.Waiting() != 0 {
		t.Error("a message survives the restart")
	}
	select {
	case <-r.Arrived():
		t.Error("a notice survives the restart")
	default:
	}
	r.Send(Serial, MicroPython, []byte("new"))
	if hooked != 1 {
		t.Error("the hook survives the restart")
	}
	if r.Send(MicroPython, Serial, nil) != nil {
		t.Error("the serial port does not survive the restart")
	}
}
