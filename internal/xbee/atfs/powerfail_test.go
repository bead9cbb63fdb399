package atfs

import (
	"bytes"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/flash/flashtest"
	"github.com/skep-sim/skep/internal/ymodem"
)

// TestPowerFails cuts the power at every step of every sub-command, uploads
// included: there is the old file or the new one, or none and the new one.
func TestPowerFails(t *testing.T) {
	bench := flashtest.Bench{
		Prepare: func(d *flash.Device) {
			store(t, d.FS(), "main.py", "print('old')\n", false)
			store(t, d.FS(), "lib/umqtt.py", strings.Repeat("# a module\n", 100), false)
			store(t, d.FS(), "cert/aws.key", "secret", true)
			if err := d.FS().Mkdir(flash.Root, "empty"); err != nil {
				t.Fatal(err)
			}
			if err := d.Blob("bundle").Put([]byte("a bundle")); err != nil {
				t.Fatal(err)
			}
		},
		// The commands go on working with what was left.
		Alive: func(tb testing.TB, d *flash.Device) {
			s := New(d.FS())
			for _, tt := range [][2]string{{"MD alive", "OK"}, {"RM alive", "OK"}} {
				if got := s.Run(tt[0], nil); got != tt[1] {
					tb.Errorf("afterwards ATFS %s: %q", tt[0], got)
				}
			}
		},
	}
	line := func(l string) func(*flash.Device) { return func(d *flash.Device) { New(d.FS()).Run(l, &silent{}) } }
	for _, l := range []string{
		"", "PWD", "CD lib", "LS", "HASH main.py", "INFO", "MD lib/new", "MV main.py lib/moved.py", "MV lib empty/lib",
		"RM main.py", "RM cert/aws.key", "RM empty", "FORMAT confirm",
	} {
		bench.Try(t, flashtest.Operation{Name: "ATFS " + l, Do: line(l)})
	}
	for _, l := range []string{"PUT main.py", "PUT new.py", "XPUT main.py", "XPUT cert/aws.key", "PUT cert/aws.key"} {
		for _, size := range []int{0, 100, 5000} {
			bench.Try(t, flashtest.Operation{Name: "ATFS " + l, Do: func(d *flash.Device) {
				put(New(d.FS()), l, ymodem.File{
					Header:  ymodem.Header{Name: "x", Size: int64(size)},
					Content: bytes.NewReader(bytes.Repeat([]byte{'n'}, size)),
				})
			}})
		}
	}
	t.Log(bench.String())
}
