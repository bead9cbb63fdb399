package traffic

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/event"
)

func TestString(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
	long := `{"a":"` + strings.Repeat("x", 100) + `"}`
	for _, tt := range []struct {
		m    broker.Message
		want string
	}{
		{broker.Message{Topic: "a/b", Payload: []byte(` {"x": [1, 2]} `)}, `03:04:05.006  a/b  qos 0  {"x":[1,2]}`},
		{broker.Message{Topic: "t", QoS: 1, Retain: true, Payload: []byte("21.5"), From: &broker.Sender{ClientID: "c1"}}, "03:04:05.006  t  qos 1 retained from c1  21.5"},
		{broker.Message{Topic: "t", From: &broker.Sender{CertID: "ab"}}, "03:04:05.006  t  qos 0 from ab  (empty)"},
		{broker.Message{Topic: "t", Payload: []byte{0xff, 1}}, "03:04:05.006  t  qos 0  2 bytes: ff 01"},
		{broker.Message{Topic: "t", Payload: append([]byte{0xff}, make([]byte, 40)...)}, "03:04:05.006  t  qos 0  41 bytes: ff" + strings.Repeat(" 00", 31) + " ..."},
		{broker.Message{Topic: "t\x1b[2J", Payload: []byte("\x1b]0;x\a")}, "03:04:05.006  t\uFFFD[2J  qos 0  \uFFFD]0;x\uFFFD"},
		{broker.Message{Topic: "t", Payload: []byte(long)}, "03:04:05.006  t  qos 0\n  {\n    \"a\": \"" + strings.Repeat("x", 100) + "\"\n  }"},
	} {
		if got := (Item{Time: at, Message: ShowMessage(&tt.m)}).String(); got != tt.want {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
	e := Item{Time: at, Event: ShowEvent(event.Event{Kind: event.Refused, Client: "c", Text: "no"})}
	if got := e.String(); got != `03:04:05.006  refused client "c": no` {
		t.Error(got)
	}
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		filter, topic string
		want          bool
	}{
		{"#", "a/b", true}, {"#", "$aws/x", false}, {"$aws/#", "$aws/x/y", true}, {"a/#", "a", false}, {"a/#", "a/", true}, {"a/#", "a/b/c", true},
		{"a/+", "a/b", true}, {"a/+", "a/b/c", false}, {"+", "a", true}, {"+", "$a", false}, {"a", "a", true}, {"a", "a/b", false}, {"a/b", "a", false}, {"+/b", "a/b", true},
	} {
		if got := Matches(tt.filter, tt.topic); got != tt.want {
			t.Errorf("%s, %s: %v", tt.filter, tt.topic, got)
		}
	}
}

// fixed is a clock that stands.
type fixed struct{}

func (fixed) Now() time.Time { return time.Unix(0, 0) }

func (fixed) AfterFunc(time.Duration, func()) clock.Timer { return timer{} }

type timer struct{}

func (timer) Stop() bool { return true }

func newBroker(t *testing.T) *broker.Broker {
	t.Helper()
	b, err := broker.New(broker.Config{Clock: fixed{}, Rand: strings.NewReader(""), Limits: broker.DefaultLimits()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func source(b *broker.Broker) Source {
	return Source{Clock: fixed{}, Watch: b.Watch, Events: func(ctx context.Context, begun func(), each func(event.Event) error) error {
		begun()
		if err := each(event.Event{Kind: event.Note, Text: "an event"}); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}}
}

func TestFollow(t *testing.T) {
	b := newBroker(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []string
	err := Follow(ctx, source(b), append(All(), "a/+"), true, func() {
		for _, topic := range []string{"a/b", "$aws/x", "c"} {
			if err := b.Publish(broker.Message{Topic: topic, Payload: []byte("p")}); err != nil {
				t.Error(err)
			}
		}
	}, func(i Item) error {
		if i.Message != nil {
			got = append(got, i.Message.Topic)
		} else {
			got = append(got, i.Event.Text)
		}
		if len(got) == 4 {
			cancel()
		}
		return nil
	})
	if err != nil || len(got) != 4 || strings.Count(strings.Join(got, " "), "a/b") != 1 {
		t.Errorf("%q, %v", got, err)
	}
}

func TestFollowFails(t *testing.T) {
	b := newBroker(t)
	if err := Follow(t.Context(), source(b), []string{"a/#/b"}, false, func() {}, nil); err == nil || !strings.Contains(err.Error(), `filter "a/#/b"`) {
		t.Error(err)
	}
	enough := errors.New("enough")
	if err := Follow(t.Context(), source(b), nil, true, func() {}, func(Item) error { return enough }); !errors.Is(err, enough) {
		t.Error(err)
	}
	var n atomic.Int32
	err := Follow(t.Context(), source(b), []string{"#"}, false, func() {
		for range 3 {
			if err := b.Publish(broker.Message{Topic: "a", Payload: []byte("p")}); err != nil {
				t.Error(err)
			}
		}
	}, func(Item) error {
		n.Add(1)
		return enough
	})
	if !errors.Is(err, enough) || n.Load() != 1 {
		t.Errorf("%d items, %v", n.Load(), err)
	}
}
