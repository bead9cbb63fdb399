package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/skep-sim/skep/internal/world"
)

// transferBar shows how far a transfer is, and its rate, on a terminal.
type transferBar struct {
	clock world.Clock
	on    bool
	name  string
	began time.Duration
	shown time.Duration
}

func newTransferBar(clock world.Clock) *transferBar {
	return &transferBar{clock: clock, on: term.IsTerminal(int(os.Stderr.Fd()))}
}

const barWidth = 24

// show is a progress callback of packages files and deploy.
func (b *transferBar) show(name string, done, total int64) {
	if !b.on {
		return
	}
	now := world.Uptime(b.clock)
	if name != b.name || done < 2048 {
		b.name, b.began, b.shown = name, now, 0
	}
	if done < total && now-b.shown < 100*time.Millisecond {
		return
	}
	b.shown = now
	filled := barWidth
	if total > 0 {
		filled = int(barWidth * done / total)
	}
	fmt.Fprintf(os.Stderr, "\r\x1b[K%s%s %d/%d bytes, %s  %s",
		strings.Repeat("#", filled), strings.Repeat(".", barWidth-filled), done, total, rate(done, now-b.began), name)
}

// end takes the bar away.
func (b *transferBar) end() {
	if b.on && b.name != "" {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
		b.name = ""
	}
}

// rate is a number of bytes by the time they took.
func rate(n int64, d time.Duration) string {
	if d <= 0 || n == 0 {
		return "-"
	}
	r := float64(n) / d.Seconds()
	if r >= 10_000 {
		return fmt.Sprintf("%.0f kB/s", r/1000)
	}
	return fmt.Sprintf("%.0f B/s", r)
}
