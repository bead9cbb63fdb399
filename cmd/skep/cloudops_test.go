package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/awsiot"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/traffic"
)

// TestOperations: operations and flows are the same in the process that has the state
// and in one that asks it.
func TestOperations(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	var said log
	own, other := newLink(t, &said), newLink(t, &said)
	addrs(t, own)
	addrs(t, other)
	brief, err := newControlLink("the brief one", "", &said)
	if err != nil {
		t.Fatal(err)
	}
	if own.own == nil || other.shared == nil {
		t.Fatal("two clouds on one state")
	}
	for name, l := range map[string]*cloudLink{"own": own, "other": other, "brief": brief} {
		if who, err := ask[string](l, "hello", struct{}{}); err != nil || who != "the test" {
			t.Errorf("%s: %q, %v", name, who, err)
		}
		if err := l.call("nonsense", 1, nil); err == nil || !strings.Contains(err.Error(), `does not know "nonsense"`) {
			t.Errorf("%s: %v", name, err)
		}
		if err := l.call("hello", 1, nil); err == nil || !strings.Contains(err.Error(), "cannot be read") {
			t.Errorf("%s: %v", name, err)
		}
		if err := l.stream(t.Context(), "nonsense", 1, nil, nil); err == nil || !strings.Contains(err.Error(), `does not know "nonsense"`) {
			t.Errorf("%s: %v", name, err)
		}
		// What happened before ctx is done comes, and then the flow ends.
		ctx, cancel := context.WithCancel(t.Context())
		var got []string
		sure := event.Event{Time: time.Unix(1, 0).UTC(), Kind: event.Note, Client: "c", Text: "told"}
		err := follow(ctx, l, "events", struct{}{}, func() {
			own.own.events.tell(sure)
			own.own.events.tell(sure)
		}, func(e event.Event) error {
			got = append(got, e.String())
			if len(got) == 2 {
				cancel()
			}
			return nil
		})
		cancel()
		if err != nil || len(got) != 2 || got[0] != sure.String() {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		// Messages and events come in one flow.
		ctx, cancel = context.WithCancel(t.Context())
		var seen []string
		err = follow(ctx, l, "traffic", watchQuery{Filters: []string{"a/+"}, Events: true}, func() {
			for _, topic := range []string{"a/b", "b"} {
				if err := own.own.server.Publish(awsiot.Message{Topic: topic, Payload: []byte(`{"x": 1}`)}); err != nil {
					t.Error(err)
				}
			}
			own.own.events.tell(sure)
		}, func(i traffic.Item) error {
			_, text, _ := strings.Cut(i.String(), "  ")
			if seen = append(seen, text); len(seen) == 2 {
				cancel()
			}
			return nil
		})
		cancel()
		slices.Sort(seen)
		if want := []string{`a/b  qos 0  {"x":1}`, sure.String()}; err != nil || !slices.Equal(seen, want) {
			t.Errorf("%s: %q, %v", name, seen, err)
		}
		if err := l.stream(t.Context(), "traffic", watchQuery{Filters: []string{"a/#/b"}}, nil, nil); err == nil || !strings.Contains(err.Error(), "# that is not its last level") {
			t.Errorf("%s: %v", name, err)
		}
		// The asker's own error ends it.
		wrong := errors.New("enough")
		if err := follow(t.Context(), l, "events", struct{}{}, func() { own.own.events.tell(sure) }, func(event.Event) error { return wrong }); !errors.Is(err, wrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if brief.own != nil {
		t.Error("the brief one has a cloud of its own")
	}
	// The cloud's end ends the flows of others, and a brief link goes on without.
	ended := make(chan error, 1)
	begun := make(chan struct{})
	go func() {
		ended <- brief.stream(context.Background(), "events", struct{}{}, func() { close(begun) }, nil)
	}()
	<-begun
	other.close()
	own.abandon()
	if err := <-ended; !errors.Is(err, errCloudEnded) {
		t.Errorf("the flow ended with %v", err)
	}
	if who, err := ask[string](brief, "hello", struct{}{}); err != nil || who != "the brief one" {
		t.Errorf("after the end: %q, %v", who, err)
	}
	brief.close()
}

// TestFeedLoses: who does not read loses events, and is told how many.
func TestFeedLoses(t *testing.T) {
	f := newEventFeed()
	ctx, cancel := context.WithCancel(t.Context())
	var last string
	n := 0
	err := f.follow(ctx, func() {
		for range feedRoom + 5 {
			f.tell(event.Event{Kind: event.Note, Text: "x"})
		}
		cancel()
	}, func(e event.Event) error {
		n++
		if e.Kind == event.Trouble {
			last = e.Text
		}
		return nil
	})
	if err != nil || n != feedRoom+1 || !strings.HasPrefix(last, "5 events") || len(f.followers) != 0 {
		t.Errorf("%d events, %q, %v", n, last, err)
	}
}
