// Command cloud races the broker of the local AWS IoT against the one of
// github.com/mochi-mqtt/server, each in a process of its own, under the same load:
// MQTT 3.1.1 with mutual TLS, and the same policy asked about every message.
//
// What counts is the CPU time of the broker's process, since the load comes from the
// same machine. Runs alternate, so that a machine whose speed drifts hits both. It also
// weighs idle connections, holds many of them for a while, and times shadow updates,
// which only one of the two has. Linux only: it reads /proc.
//
//	go run ./bench/cloud
package main

import (
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// contestants are the brokers, ours first.
var contestants = [...]string{"skep", "mochi"}

func main() {
	serve := flag.String("serve", "", "be the broker process `skep` or mochi; for the race itself")
	var o options
	flag.IntVar(&o.pairs, "pairs", 50, "pairs of a publisher and a subscriber")
	flag.IntVar(&o.window, "window", 16, "messages of a pair under way at a time")
	flag.IntVar(&o.size, "size", 256, "bytes of payload")
	flag.DurationVar(&o.time, "time", 5*time.Second, "time of a run")
	flag.IntVar(&o.runs, "n", 3, "runs of each")
	flag.IntVar(&o.idle, "idle", 2000, "idle connections to weigh")
	flag.IntVar(&o.hold, "hold", 10000, "idle connections to hold")
	flag.DurationVar(&o.holdTime, "hold-time", 30*time.Second, "how long")
	flag.StringVar(&o.only, "only", "", "one part of the race: `messages`, idle, hold, shadows or storm")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of our broker in each run of messages and shadows to `FILE`")
	flag.Parse()
	var err error
	switch {
	case *serve != "":
		err = broker(*serve, os.Stdin, os.Stdout, o.profile)
	case runtime.GOOS != "linux":
		err = errors.New("this needs Linux, where /proc says what a process has used")
	default:
		err = race(os.Stdout, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cloud:", err)
		os.Exit(1)
	}
}

// options say what is raced.
type options struct {
	pairs, window, size int
	time                time.Duration
	runs                int
	idle, hold          int
	holdTime            time.Duration
	only, profile       string
}

func race(w io.Writer, o options) error {
	parts := []struct {
		name string
		run  func(io.Writer, options) error
	}{{"messages", messages}, {"idle", idle}, {"hold", hold}, {"shadows", shadowUpdates}, {"storm", storm}}
	ran := false
	for _, p := range parts {
		if o.only != "" && o.only != p.name {
			continue
		}
		ran = true
		if err := p.run(w, o); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	if !ran {
		return fmt.Errorf("-only %s: there are messages, idle, hold, shadows and storm", o.only)
	}
	return nil
}

// messages prints what a message costs each broker.
func messages(w io.Writer, o options) error {
	fmt.Fprintf(w, "\n%d TLS clients in pairs, %d bytes, window %d; medians of %d\n", 2*o.pairs, o.size, o.window, o.runs)
	fmt.Fprintf(w, "%-8s %-8s %14s %14s %16s %8s\n", "", "broker", "messages/s", "us CPU each", "per CPU second", "ratio")
	for qos := range byte(2) {
		var cost, rate [len(contestants)][]float64
		for range o.runs {
			for i, name := range contestants {
				c, r, err := measure(name, o, qos)
				if err != nil {
					return fmt.Errorf("%s, QoS %d: %w", name, qos, err)
				}
				cost[i], rate[i] = append(cost[i], c), append(rate[i], r)
			}
		}
		peer := median(cost[1])
		for i, name := range contestants {
			c := median(cost[i])
			fmt.Fprintf(w, "QoS %-4d %-8s %14.0f %14.2f %16.0f %8.2f\n", qos, name, median(rate[i]), c, 1e6/c, peer/c)
		}
	}
	return nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// measure gives the microseconds of CPU that a message costs a broker, and how many
// went through in a second.
func measure(name string, o options, qos byte) (cost, rate float64, err error) {
	b, err := start(name, o.profile)
	if err != nil {
		return 0, 0, err
	}
	defer b.stop()
	l, err := newLoad(b, o, qos)
	if err != nil {
		return 0, 0, err
	}
	defer l.close()
	l.start()
	time.Sleep(o.time / 5) // until it runs evenly
	cpu, n, begin := b.cpu(), l.count(), time.Now()
	time.Sleep(o.time)
	cpu, n = b.cpu()-cpu, l.count()-n
	rate = float64(n) / time.Since(begin).Seconds()
	if err := l.stop(); err != nil {
		return 0, 0, err
	}
	if n == 0 {
		return 0, 0, errors.New("no message went through")
	}
	return float64(cpu.Microseconds()) / float64(n), rate, nil
}

// idle weighs connections that do nothing but be subscribed.
func idle(w io.Writer, o options) error {
	fmt.Fprintf(w, "\n%d idle TLS clients, each with a QoS 1 subscription\n%-8s %14s %14s\n", o.idle, "broker", "kB RSS each", "us CPU connect")
	var weight [len(contestants)]float64
	for i, name := range contestants {
		b, err := start(name, "")
		if err != nil {
			return err
		}
		before, cpu := b.rss(), b.cpu()
		clients, err := b.crowd(o.idle, false)
		cpu = b.cpu() - cpu
		weight[i] = float64(b.rss()-before) / float64(o.idle) / 1024
		closeAll(clients)
		b.stop()
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%-8s %14.1f %14.0f\n", name, weight[i], float64(cpu.Microseconds())/float64(o.idle))
	}
	fmt.Fprintf(w, "ratio %.2f\n", weight[1]/weight[0])
	return nil
}

// hold keeps many idle devices on our broker, which ping it, and says what that takes.
func hold(w io.Writer, o options) error {
	b, err := start("skep", "")
	if err != nil {
		return err
	}
	defer b.stop()
	begin := time.Now()
	clients, err := b.crowd(o.hold, true)
	defer closeAll(clients)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%d idle TLS devices: there after %.0f s, %.0f MB RSS", o.hold, time.Since(begin).Seconds(), float64(b.rss())/(1<<20))
	cpu := b.cpu()
	time.Sleep(o.holdTime)
	quiet := b.cpu() - cpu
	cpu = b.cpu()
	for i, c := range clients {
		if err := c.ping(); err != nil {
			return fmt.Errorf("client %d is lost: %w", i, err)
		}
	}
	fmt.Fprintf(w, "; silent for %v: %.2f %% of a core; all of them answer a PINGREQ: %.0f us CPU each\n", o.holdTime,
		100*quiet.Seconds()/o.holdTime.Seconds(), float64((b.cpu()-cpu).Microseconds())/float64(o.hold))
	return nil
}

// shadowUpdates times updates over MQTT: update, accepted, delta, documents.
func shadowUpdates(w io.Writer, o options) error {
	fmt.Fprintf(w, "\n%d TLS clients that update a shadow each, and hear accepted and delta\n%-8s %14s %14s %16s\n", o.pairs, "state", "updates/s", "us CPU each", "per CPU second")
	for _, state := range []string{"skep", "skep-disk"} {
		cost, rate, err := measureShadows(state, o)
		if err != nil {
			return err
		}
		name := map[string]string{"skep": "memory", "skep-disk": "disk"}[state]
		fmt.Fprintf(w, "%-8s %14.0f %14.1f %16.0f\n", name, rate, cost, 1e6/cost)
	}
	return nil
}

// stormRate is how many strangers come in a second.
const stormRate = 100

// storm sends strangers, whose certificates nobody knows, to our broker, and says what
// that takes and how long a client that belongs there waits meanwhile.
func storm(w io.Writer, o options) error {
	b, err := start("skep", "")
	if err != nil {
		return err
	}
	defer b.stop()
	bad, err := b.stranger()
	if err != nil {
		return err
	}
	c, err := dial(b.Addr, b.tls, "good")
	if err != nil {
		return err
	}
	defer c.conn.Close()
	var wg sync.WaitGroup
	var in atomic.Int64
	tick := time.NewTicker(time.Second / stormRate)
	defer tick.Stop()
	cpu, begin, n := b.cpu(), time.Now(), 0
	var waits []float64
	for ; time.Since(begin) < o.time; n++ {
		<-tick.C
		wg.Go(func() {
			if nc, err := tls.Dial("tcp", b.Addr, bad); err == nil {
				nc.Close()
				in.Add(1)
			}
		})
		asked := time.Now()
		if err := c.ping(); err != nil {
			return err
		}
		waits = append(waits, float64(time.Since(asked).Microseconds())/1000)
	}
	wg.Wait()
	took, each := time.Since(begin), float64((b.cpu()-cpu).Microseconds())/float64(n)
	if in.Load() > 0 {
		return fmt.Errorf("%d strangers were let in", in.Load())
	}
	slices.Sort(waits)
	fmt.Fprintf(w, "\n%.0f strangers a second: %.0f us CPU each; a PINGREQ of a good client waits %.1f ms, one of a hundred %.1f ms\n",
		float64(n)/took.Seconds(), each, median(waits), waits[len(waits)*99/100])
	return nil
}
