package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/clock"
)

// beat keeps a connection from looking dead, and finds one that is.
const beat = 15 * time.Second

// traffic streams what passes as server-sent events, each with its number as id: a browser that
// comes back says which it saw last.
func (p *Page) traffic(w http.ResponseWriter, r *http.Request) {
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	after := int64(-1)
	if n, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64); err == nil {
		after = n
	}
	v, missed := p.join(after)
	defer p.leave(v)
	send := func(list ...numbered) error {
		// A visitor that takes nothing must not hold on to the connection for ever: a deadline
		// in the past ends the write.
		t := p.cfg.Traffic.Clock.AfterFunc(2*beat, func() { out.SetWriteDeadline(time.Unix(1, 0)) })
		defer t.Stop()
		for _, i := range list {
			text, err := json.Marshal(i.item)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", i.n, text); err != nil {
				return err
			}
		}
		return out.Flush()
	}
	if _, err := fmt.Fprint(w, "retry: 500\nevent: begun\ndata: {}\n\n"); err != nil {
		return
	}
	if send(missed...) != nil {
		return
	}
	for {
		due, stop := wake(p.cfg.Traffic.Clock, beat)
		select {
		case i, ok := <-v:
			stop()
			if !ok || send(i) != nil {
				return
			}
		case <-due:
			if _, err := fmt.Fprint(w, ": beat\n\n"); err != nil || send() != nil {
				return
			}
		case <-r.Context().Done():
			stop()
			return
		}
	}
}

// wake gives a channel that closes once d has passed.
func wake(c clock.Clock, d time.Duration) (<-chan struct{}, func() bool) {
	due := make(chan struct{})
	t := c.AfterFunc(d, func() { close(due) })
	return due, t.Stop
}
