// Package traffic is what passes through the local AWS IoT, for a person to look at: messages
// and events in one stream, in a form that goes as JSON and as text.
//
// Follow joins the broker's messages and the event log; skep cloud watch and the web page show
// what it gives. It changes nothing, keeps nothing, and is not a metrics system. A reader that is
// too slow misses items, and is told so.
package traffic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/event"
)

// Message is a message that passed.
type Message struct {
	Topic  string `json:"topic"`
	QoS    byte   `json:"qos"`
	Retain bool   `json:"retain"`
	From   string `json:"from,omitempty"` // client id, or the certificate's over HTTPS; "" is AWS IoT itself
	Size   int    `json:"size"`           // of the payload, bytes
	// The payload is in one of these: as the JSON it is, as text, or as bytes (base64).
	JSON json.RawMessage `json:"json,omitempty"`
	Text *string         `json:"text,omitempty"`
	Data []byte          `json:"data,omitempty"`
}

// Event is an event that was logged.
type Event struct {
	Kind   event.Kind `json:"kind"`
	Client string     `json:"client,omitempty"`
	Cert   string     `json:"certificate,omitempty"`
	Remote string     `json:"remote,omitempty"`
	Text   string     `json:"text"`
}

// Item is one or the other.
type Item struct {
	Time    time.Time `json:"time"`
	Message *Message  `json:"message,omitempty"`
	Event   *Event    `json:"event,omitempty"`
}

// ShowMessage is a message for people.
func ShowMessage(m *broker.Message) *Message {
	out := &Message{Topic: m.Topic, QoS: m.QoS, Retain: m.Retain, Size: len(m.Payload)}
	if m.From != nil {
		if out.From = m.From.ClientID; out.From == "" {
			out.From = m.From.CertID
		}
	}
	var compact bytes.Buffer
	switch text := string(m.Payload); {
	// A lone word or number is better shown as it was sent.
	case strings.ContainsAny(text, "{[") && json.Compact(&compact, m.Payload) == nil:
		out.JSON = compact.Bytes()
	case utf8.Valid(m.Payload):
		out.Text = &text
	default:
		out.Data = m.Payload
	}
	return out
}

// ShowEvent is an event for people.
func ShowEvent(e event.Event) *Event {
	return &Event{Kind: e.Kind, Client: e.Client, Cert: e.CertID, Remote: e.Remote, Text: e.Text}
}

// short is how long a payload may be to stand on the line of its topic.
const short = 100

// String is the item for a terminal: a line, or several for a longer payload.
func (i Item) String() string {
	at := i.Time.Format("15:04:05.000")
	if e := i.Event; e != nil {
		line := event.Event{Kind: e.Kind, Client: e.Client, CertID: e.Cert, Remote: e.Remote, Text: e.Text}
		return at + "  " + line.String()
	}
	m := i.Message
	if m == nil {
		return at
	}
	head := fmt.Sprintf("%s  %s  qos %d", at, printable(m.Topic), m.QoS)
	if m.Retain {
		head += " retained"
	}
	if m.From != "" {
		head += " from " + printable(m.From)
	}
	switch {
	case m.Size == 0:
		return head + "  (empty)"
	case len(m.JSON) > short:
		var text bytes.Buffer
		if json.Indent(&text, m.JSON, "  ", "  ") == nil {
			return head + "\n  " + printable(text.String())
		}
		return head
	case m.JSON != nil:
		return head + "  " + printable(string(m.JSON))
	case m.Text != nil:
		return head + "  " + printable(*m.Text)
	default:
		data, more := m.Data, ""
		if len(data) > 32 {
			data, more = data[:32], " ..."
		}
		return fmt.Sprintf("%s  %d bytes: % x%s", head, m.Size, data, more)
	}
}

// printable keeps control characters of strangers from a terminal; line ends stay.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || 0x80 <= r && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, s)
}

// Source is where traffic comes from.
type Source struct {
	Clock clock.Clock
	Watch func(filter string) (*broker.Watcher, error)
	// Events calls begun and then each for each event, until ctx is done.
	Events func(ctx context.Context, begun func(), each func(event.Event) error) error
}

// All are the filters that show every message: "#" shows none of AWS IoT's own.
func All() []string { return []string{"#", "$aws/#"} }

// Follow hands the messages of topics that fit a filter, each once, and if events is set the
// events to each, until ctx is done or each fails. It calls begun when everything from then on
// will come.
func Follow(ctx context.Context, s Source, filters []string, events bool, begun func(), each func(Item) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex // each is called from several goroutines, but never twice at a time
	send := func(i Item) error {
		mu.Lock()
		defer mu.Unlock()
		err := each(i)
		if err != nil {
			cancel(err)
		}
		return err
	}
	var watchers []*broker.Watcher
	defer func() {
		for _, w := range watchers {
			w.Close()
		}
	}()
	for _, f := range filters {
		w, err := s.Watch(f)
		if err != nil {
			return fmt.Errorf("filter %q: %w", f, err)
		}
		watchers = append(watchers, w)
	}
	var wg, ready sync.WaitGroup
	for i, w := range watchers {
		earlier := filters[:i]
		wg.Go(func() { follow(ctx, s.Clock, w, earlier, send) })
	}
	if events {
		ready.Add(1)
		wg.Go(func() {
			err := s.Events(ctx, ready.Done, func(e event.Event) error {
				return send(Item{Time: e.Time, Event: ShowEvent(e)})
			})
			if err != nil {
				cancel(err)
			}
		})
	}
	ready.Wait()
	begun()
	<-ctx.Done()
	wg.Wait()
	if err := context.Cause(ctx); err != context.Canceled && err != context.DeadlineExceeded {
		return err
	}
	return nil
}

// follow hands on what a watcher gets, after the end of ctx what is still waiting. Topics that an
// earlier filter fits are that one's.
func follow(ctx context.Context, c clock.Clock, w *broker.Watcher, earlier []string, send func(Item) error) {
	lost := 0
	hand := func(m broker.Message) error {
		if fits(earlier, m.Topic) {
			return nil
		}
		now := c.Now()
		if n := w.Lost(); n > lost {
			text := fmt.Sprintf("%d messages came faster than they were read, and are not shown", n-lost)
			lost = n
			if err := send(Item{Time: now, Event: &Event{Kind: event.Trouble, Text: text}}); err != nil {
				return err
			}
		}
		return send(Item{Time: now, Message: ShowMessage(&m)})
	}
	for {
		select {
		case m := <-w.C():
			if hand(m) != nil {
				return
			}
			continue
		case <-ctx.Done():
		}
		for {
			select {
			case m := <-w.C():
				if hand(m) != nil {
					return
				}
			default:
				return
			}
		}
	}
}

func fits(filters []string, topic string) bool {
	for _, f := range filters {
		if Matches(f, topic) {
			return true
		}
	}
	return false
}

// Matches says whether a topic fits a filter, as AWS IoT has it: a/# does not fit a, and
// wildcards at the front reach no topic that begins with $.
func Matches(filter, topic string) bool {
	if strings.HasPrefix(topic, "$") && !strings.HasPrefix(filter, "$") {
		return false
	}
	for {
		f, restF, moreF := strings.Cut(filter, "/")
		t, restT, moreT := strings.Cut(topic, "/")
		switch {
		case f == "#":
			return true
		case f != "+" && f != t, moreF != moreT:
			return false
		case !moreF:
			return true
		}
		filter, topic = restF, restT
	}
}
