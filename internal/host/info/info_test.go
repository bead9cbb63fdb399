package info_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skep-sim/skep"
	"github.com/skep-sim/skep/internal/host/info"
	"github.com/skep-sim/skep/internal/host/link"
	"github.com/skep-sim/skep/internal/world"
)

type wire struct{ io.ReadWriteCloser }

func (wire) String() string { return "wire" }

func TestInfo(t *testing.T) {
	for _, tt := range []struct{ model, firmware, name string }{
		{"ltem", "11413", "XBee 3 Cellular LTE-M/NB-IoT"}, {"cat1", "31011", "XBee 3 Cellular LTE Cat 1 AT&T"}, {"ltem", "1141A", "XBee 3 Cellular LTE-M/NB-IoT"},
	} {
		synctest.Test(t, func(t *testing.T) {
			m, err := skep.New(skep.Options{Model: tt.model, Firmware: tt.firmware, RealTime: true, Prompt: true, Settings: []string{"NIpump", "AP1"}})
			if err != nil {
				t.Fatal(err)
			}
			m.Start()
			defer m.Stop()
			time.Sleep(time.Minute) // of the bubble's: it has found a network
			s, err := link.Attach(context.Background(), wire{m.Serial()}, link.Options{Clock: world.RealClock()})
			if err != nil {
				t.Fatal(err)
			}
			i, err := info.Read(s)
			if err != nil {
				t.Fatal(err)
			}
			imei, _ := m.AT("IM")
			if i.Model != tt.name || i.Firmware != tt.firmware || i.Name != "pump" || i.Mode != "API" || i.IMEI != imei || i.Flash == nil || i.Flash.Free == 0 || i.Signal >= 0 || i.Autostart {
				t.Errorf("%+v", i)
			}
			for _, want := range []string{"model        " + tt.name, "firmware     " + tt.firmware, "IMEI         " + imei, "bundle       bytecode: 0 bytes"} {
				if !strings.Contains(i.String(), want) {
					t.Errorf("the report lacks %q:\n%s", want, i)
				}
			}
		})
	}
}
