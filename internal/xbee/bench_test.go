package xbee

import (
	"bytes"
	"io"
	"runtime"
	"testing"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// atPrompt tells when a prompt was printed.
type atPrompt struct {
	seen chan struct{}
	once bool
}

func (p *atPrompt) Write(b []byte) (int, error) {
	if !p.once && bytes.Contains(b, []byte(">>> ")) {
		p.once = true
		p.seen <- struct{}{}
	}
	return len(b), nil
}

// BenchmarkBoot powers modules on until each waits at its prompt, and reports
// what one costs there: Go's heap and its goroutines' stacks.
func BenchmarkBoot(b *testing.B) {
	p, err := profile.Find("", "")
	if err != nil {
		b.Fatal(err)
	}
	fw := NewFirmware(p, nil)
	usage := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	before := usage()
	var keys []*io.PipeWriter
	off := make(chan struct{})
	b.ResetTimer()
	for range b.N {
		dev, err := flash.Open(flash.NewMemory())
		if err != nil {
			b.Fatal(err)
		}
		r, w := io.Pipe()
		keys = append(keys, w)
		screen := &atPrompt{seen: make(chan struct{}, 1)}
		d := New(Config{
			Profile: &p, Firmware: fw, Flash: dev, Serial: 1, Settings: []string{"AP4"}, Note: func(string) {},
			World: world.Virtual(1).WithSerial(world.Console(r, screen)),
		})
		go func() {
			d.Run()
			off <- struct{}{}
		}()
		<-screen.seen
	}
	b.StopTimer()
	b.ReportMetric(float64(usage()-before)/float64(b.N), "B/module")
	for _, w := range keys {
		w.Close()
		<-off
	}
}
