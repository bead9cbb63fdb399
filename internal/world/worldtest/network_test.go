package worldtest

import (
	"net/netip"
	"testing"

	"github.com/skep-sim/skep/internal/world"
)

func TestNetwork(t *testing.T) {
	to := netip.MustParseAddrPort("127.0.0.1:4001")
	told := netip.MustParseAddr("192.0.2.7")
	var dialled world.Target
	n := Network(spy{&dialled}, Route{Hosts: "*.iot.*.amazonaws.com", To: to, Addr: told})
	tests := []struct {
		host   string
		routed bool
	}{
		{"abc-ats.iot.us-east-2.amazonaws.com", true},
		{"ABC.iot.us-east-2.AMAZONAWS.com", true},
		{"192.0.2.7", true},
		{"a.b.iot.us-east-2.amazonaws.com", false},
		{".iot.us-east-2.amazonaws.com.evil.org", false},
		{"192.0.2.8", false},
	}
	for _, tt := range tests {
		dialled = world.Target{}
		_, err := n.Dial(world.Target{Host: tt.host, Port: 8883}, world.Limit{})
		if tt.routed && (dialled.Host != "127.0.0.1" || dialled.Port != 4001) {
			t.Errorf("%s went to %s:%d (%v)", tt.host, dialled.Host, dialled.Port, err)
		}
		if !tt.routed && world.KindOf(err) != world.FailBlocked {
			t.Errorf("%s: %v, want it blocked", tt.host, err)
		}
	}
	if a, err := n.Resolve("abc.iot.eu-west-1.amazonaws.com", world.Limit{}); err != nil || len(a) != 1 || a[0] != told {
		t.Errorf("Resolve = %v, %v, want %v", a, err, told)
	}
	if _, err := n.Resolve("example.org", world.Limit{}); world.KindOf(err) != world.FailBlocked {
		t.Errorf("Resolve of another host: %v", err)
	}
}

// spy notes what is dialled.
type spy struct{ last *world.Target }

func (s spy) Resolve(string, world.Limit) ([]netip.Addr, error) { return nil, nil }
func (s spy) Dial(t world.Target, _ world.Limit) (world.Conn, error) {
	*s.last = t
	return nil, &world.Failure{Kind: world.FailOther}
}
