package modem

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

func TestRegistration(t *testing.T) {
	b := newBoard(t, profile.LTEM)
	step := func(d time.Duration, want State) {
		t.Helper()
		b.clock.Advance(d)
		if got := b.Association(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	step(0, Initialising)
	step(time.Second, Registering)
	step(2*time.Second, Connecting)
	if got := b.Interface().Address.String(); got != "0.0.0.0" {
		t.Errorf("address %s before the connection", got)
	}
	step(time.Second, Connected)
	if i := b.Interface(); i.Address != b.identity.Address || i.Address.String()[:6] != "10.64." {
		t.Errorf("%v", i)
	}
	b.SetAirplane(true)
	step(time.Hour, AirplaneMode)
	b.SetAirplane(false)
	step(0, Registering)
	b.clock.Advance(time.Minute)
	b.SetAirplane(false)
	step(0, Connected)
	b.Rejoin()
	step(0, Registering)
	b.PowerOn()
	step(0, Initialising)
	b.ShutDown()
	b.SetAirplane(true)
	b.SetAirplane(false)
	step(time.Hour, ModemOff)
	b.PowerOn()
	step(0, Initialising)
}

func TestTimingIsConfigurable(t *testing.T) {
	p, _ := profile.Find("ltem", "")
	m := New(Config{Profile: &p, World: world.Virtual(1), Timing: &Timing{}})
	if s := m.Association(); s != Connected {
		t.Errorf("%s", s)
	}
}

func TestIdentity(t *testing.T) {
	p, _ := profile.Find("ltem", "")
	a, b := NewIdentity(1, p), NewIdentity(1, p)
	if a != b {
		t.Error("the same serial number gives another identity")
	}
	if c := NewIdentity(2, p); c.IMEI == a.IMEI || c.ICCID == a.ICCID || c.Phone == a.Phone {
		t.Error("another serial number gives the same identity")
	}
	for _, n := range []string{a.IMEI, a.ICCID} {
		if withCheckDigit(n[:len(n)-1]) != n || strings.Trim(n, "0123456789") != "" {
			t.Errorf("%s", n)
		}
	}
	if withCheckDigit("49015420323751") != "490154203237518" {
		t.Error("Luhn's formula")
	}
	if got := fmt.Sprint(len(a.IMEI), len(a.IMSI), len(a.ICCID), len(a.Phone)); got != "15 15 20 11" {
		t.Errorf("lengths %s", got)
	}
}

func TestOperatorAndSignal(t *testing.T) {
	b := newBoard(t, profile.LTEM)
	if _, ok := b.Signal(); ok || b.Operator() != "" || b.OperatingAPN("x") != "" {
		t.Error("a network before registration")
	}
	b.online()
	if s, ok := b.Signal(); !ok || s.RSSI >= 0 || b.Operator() != "AT&T" {
		t.Errorf("%v %v %q", s, ok, b.Operator())
	}
	if b.OperatingAPN("my.apn") != "my.apn" || b.OperatingAPN("-") != b.identity.OperatingAPN {
		t.Error("the APN in use")
	}
}

func TestSMS(t *testing.T) {
	b := newBoard(t, profile.LTEM)
	if e := b.SendSMS("+15551234567", "hi"); e != ENOTCONN {
		t.Errorf("before registration: %v", e)
	}
	b.online()
	for _, bad := range [][2]string{{"", "x"}, {"+", "x"}, {"12a", "x"}, {strings.Repeat("1", 21), "x"}, {"1", strings.Repeat("x", 161)}, {"1", "grüße"}} {
		if e := b.SendSMS(bad[0], bad[1]); e != EINVAL {
			t.Errorf("%q: %v", bad, e)
		}
	}
	if _, ok := b.ReceiveSMS(); ok {
		t.Error("a message nobody sent")
	}
	b.SendSMS("15551234567", "to another")
	b.SendSMS("+"+b.identity.Phone, "to myself")
	if out := b.SentSMS(); len(out) != 2 || out[0].Text != "to another" {
		t.Errorf("%v", out)
	}
	if s, ok := b.ReceiveSMS(); !ok || s.Text != "to myself" || s.Phone != b.identity.Phone {
		t.Errorf("%v %v", s, ok)
	}
	for i := range inboxLimit + 1 {
		b.DeliverSMS("1", fmt.Sprintf("né %d", i))
	}
	if s, _ := b.ReceiveSMS(); s.Text != "n  1" {
		t.Errorf("%q", s.Text)
	}
}
