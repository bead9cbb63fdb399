package broker

import (
	"strings"
	"testing"
)

// TestMalformed5: packets whose spare bits or bytes are in use end an MQTT 5 connection.
func TestMalformed5(t *testing.T) {
	for name, packet := range map[string]string{
		"reserved bit 6 of options":    "\x82\x07\x00\x01\x00\x00\x01a\x40",
		"reserved bit of the second":   "\x82\x0b\x00\x01\x00\x00\x01a\x01\x00\x01b\x81",
		"PINGREQ with a payload":       "\xc0\x01x",
		"reserved bits, user property": "\x82\x0e\x00\x01\x07\x26\x00\x01k\x00\x01v\x00\x01a\x80",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			f := r.dial5("c", nil)
			r.write(f.nc, []byte(packet))
			if got := r.read(f.nc, 4); string(got) != "\xe0\x02\x81\x00" { // DISCONNECT, malformed packet
				t.Errorf("% x", got)
			}
			r.closed(f.nc)
			r.said("malformed packet")
		})
	}
}

// TestPropertiesRule: properties that came another way than by MQTT keep its rules.
func TestPropertiesRule(t *testing.T) {
	long := strings.Repeat("x", 65536)
	for _, p := range []Properties{
		{ContentType: "a\x00"}, {ResponseTopic: "a/#"}, {ResponseTopic: "\xff"}, {Correlation: []byte(long)},
		{User: []UserProperty{{Key: long}}}, {User: []UserProperty{{Value: long}}}, {User: []UserProperty{{Value: "\xed\xa0\x80"}}},
	} {
		r := newRig(t, nil)
		if err := r.PublishFor(Message{Topic: "a", Properties: &p}); err == nil {
			t.Errorf("%.80v was published", p)
		}
	}
	fine := Properties{ContentType: long[1:], ResponseTopic: "a", Correlation: []byte(long[1:]), User: []UserProperty{{Key: "", Value: "\u00e9"}}}
	if broken := fine.Rule(); broken != "" {
		t.Error(broken)
	}
}
