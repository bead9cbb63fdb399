package replay

import (
	"io"
	"testing"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee"
	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// counter counts what is written.
type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}

// BenchmarkRun times whole runs of programs, recorded or not, and says how long
// their recordings are.
func BenchmarkRun(b *testing.B) {
	p, err := profile.Find("", "")
	if err != nil {
		b.Fatal(err)
	}
	programs := map[string]string{
		"computing": "n = 0\nfor i in range(300000):\n    n += i & 7\nprint(n)\n",
		"printing":  "for i in range(2000):\n    print(i, 'a line of text')\n",
		"sleeping":  "import utime\nfor i in range(2000):\n    utime.sleep_ms(0)\n    utime.ticks_ms()\n",
	}
	for name, text := range programs {
		for clock, w := range map[string]func() world.World{
			"host":    func() world.World { return world.Real().WithNetwork(world.NoNetwork()) },
			"virtual": func() world.World { return world.Virtual(1) },
		} {
			for _, record := range []bool{false, true} {
				mode := "plain"
				if record {
					mode = "recorded"
				}
				b.Run(name+"/"+clock+"/"+mode, func(b *testing.B) {
					var size counter
					for b.Loop() {
						f, err := flash.Open(flash.NewMemory())
						if err != nil {
							b.Fatal(err)
						}
						if _, err := f.Lay([]flash.HostFile{{Path: "main.py", Data: []byte(text)}}); err != nil {
							b.Fatal(err)
						}
						r, _ := io.Pipe()
						c := xbee.Config{Profile: &p, World: w().WithSerial(world.Console(r, io.Discard)), Flash: f, Settings: []string{"AP4"}, Autostart: true, NoREPL: true}
						if record {
							if c, _, err = Record(c, Options{To: &size}); err != nil {
								b.Fatal(err)
							}
						}
						if o := xbee.New(c).Run(); o.Failed || !o.Ran {
							b.Fatal("the program has failed")
						}
					}
					b.ReportMetric(float64(size.n)/float64(b.N), "bytes/run")
				})
			}
		}
	}
}
