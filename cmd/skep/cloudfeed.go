package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/skep-sim/skep/internal/awsiot/event"
)

// eventFeed hands events to whoever follows them.
type eventFeed struct {
	mu        sync.Mutex
	followers map[*feedReader]struct{}
}

// feedReader is one who follows; the feed's lock guards it.
type feedReader struct {
	c    chan event.Event
	lost int
}

// feedRoom is how many events wait for a slow follower before further ones are lost.
const feedRoom = 1024

func newEventFeed() *eventFeed { return &eventFeed{followers: map[*feedReader]struct{}{}} }

// tell passes an event on. It never waits.
func (f *eventFeed) tell(e event.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for r := range f.followers {
		select {
		case r.c <- e:
		default:
			r.lost++
		}
	}
}

// follow hands each event from now on to each until ctx is done, and then those that
// are still waiting. It calls begun when it has begun. An error of each ends it, too.
func (f *eventFeed) follow(ctx context.Context, begun func(), each func(event.Event) error) error {
	r := &feedReader{c: make(chan event.Event, feedRoom)}
	f.mu.Lock()
	f.followers[r] = struct{}{}
	f.mu.Unlock()
	defer f.leave(r)
	begun()
	for {
		select {
		case e := <-r.c:
			if err := f.hand(r, e, each); err != nil {
				return err
			}
		case <-ctx.Done():
			f.leave(r)
			for {
				select {
				case e := <-r.c:
					if err := f.hand(r, e, each); err != nil {
						return err
					}
				default:
					return nil
				}
			}
		}
	}
}

func (f *eventFeed) leave(r *feedReader) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.followers, r)
}

// hand passes one event on, and says before it if some are missing.
func (f *eventFeed) hand(r *feedReader, e event.Event, each func(event.Event) error) error {
	f.mu.Lock()
	lost := r.lost
	r.lost = 0
	f.mu.Unlock()
	if err := each(e); err != nil || lost == 0 {
		return err
	}
	return each(event.Event{Time: e.Time, Kind: event.Trouble, Text: fmt.Sprintf("%d events came faster than they were read, and are not shown", lost)})
}
