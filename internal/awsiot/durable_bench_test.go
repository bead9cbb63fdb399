package awsiot

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/store"
)

// BenchmarkDurable is what it costs that a QoS 1 message is acknowledged only once it is safe
// in the persistent sessions it goes to: twenty pairs of clients over TLS, 256 bytes, sixteen
// messages of a pair under way at a time.
func BenchmarkDurable(b *testing.B) {
	for _, kind := range []string{"clean", "persistent-memory", "persistent-relaxed", "persistent-disk"} {
		b.Run(kind, func(b *testing.B) {
			c := newCloud(b, func(c *Config) {
				c.Limits.PublishRate, c.Limits.ByteRate = 0, 0
				c.RelaxedQoS1 = kind == "persistent-relaxed"
				if kind == "persistent-relaxed" || kind == "persistent-disk" {
					st, err := store.Open(stateDir(b), store.Options{})
					must(b, err)
					b.Cleanup(func() { st.Close() })
					a, err := testAuthority()
					must(b, err)
					must(b, st.SetAuthority(a))
					c.State = st
				}
			})
			const pairs, window = 20, 16
			var wg sync.WaitGroup
			begin := make(chan struct{})
			for i := range pairs {
				topic := fmt.Sprint("t/", i)
				sub, _ := c.connect(0, fmt.Sprint("sub", i), options{persistent: kind != "clean"})
				sub.subscribe(1, topic)
				pub, _ := c.connect(0, fmt.Sprint("pub", i), options{})
				for _, x := range []*client{sub, pub} {
					must(b, x.conn.SetDeadline(time.Time{}))
				}
				batch := []byte(strings.Repeat(string(publishBytes(topic, strings.Repeat("x", 256), 1, false)), window))
				rounds := b.N/(pairs*window) + 1
				wg.Go(func() {
					for range rounds * window {
						_, id := sub.unacked()
						sub.puback(id)
					}
				})
				wg.Go(func() {
					<-begin
					for range rounds {
						if _, err := pub.conn.Write(batch); err != nil {
							b.Error(err)
							return
						}
						if _, err := io.CopyN(io.Discard, pub.r, 4*window); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			b.ResetTimer()
			close(begin)
			wg.Wait()
		})
	}
}
