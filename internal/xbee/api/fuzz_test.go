package api

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/skep-sim/skep/internal/xbee/frame"
)

// seeds are frames of every type, as data.
var seeds = []string{
	"08014150", "0801415001", "0901544D000A", "080143", "08015344", "08014C41782E74657374",
	"1F0100" + "2B31353535000000000000000000000000000000" + "6869",
	"2001CB00710700500000010041", "2001CB00710700500000000041", "2001CB00710700502616000041", "2301CB00710700500000000041",
	"2801016100000064617461", "2A010100FF", "2B000001AA", "2C0100", "2D010268656C6C6F", "2D0100FF",
	"400101", "400104", "400100", "4101000001", "420100005000C0000201", "4201000050017365727665722E74657374", "430100", "4301FF",
	"4401000041", "450100C00002010050" + "0041", "46010012345",
	"3B01010000092F666C6173682F61", "3B0104000100000000AB", "3B01030001FFFFFFFFFFFF", "3B010200013B", "3B0108" + "00002F666C6173682F61",
	"3B011000002F666C6173682F64", "3B0111000", "3B01110000", "3B011200023B", "3B01130002", "3B011C00002F666C617368", "3B0121" + "0000612C62", "3B012F00002F666C6173682F61", "3B01402F666C617368", "3B014F2F666C617368",
}

// FuzzReceive gives a module bytes, in pieces, with everything behind it; then it
// must still answer.
func FuzzReceive(f *testing.F) {
	all := []byte{}
	for _, s := range seeds {
		if len(s)%2 == 1 {
			s += "0"
		}
		data, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, uint8(1), false, true)
		all = frame.Append(all, data, false)
	}
	f.Add(all, uint8(7), false, false)
	f.Add([]byte{0x7E, 0, 1, 0x7D, 0x5E}, uint8(1), true, false)
	f.Fuzz(func(t *testing.T, p []byte, step uint8, escaped, framed bool) {
		r := newRig(t, options{cloud: &uploads{}})
		r.SetEscaped(escaped)
		r.decoder.Escaped = escaped
		if framed { // p are frames, each behind a byte that says how long it is
			var line []byte
			for len(p) > 0 {
				n := min(1+int(p[0]), len(p))
				line = frame.Append(line, p[:n], escaped)
				p = p[n:]
			}
			p = line
		}
		for i := 0; len(p) > 0; i++ {
			n := min(len(p), 1+int(step))
			r.Receive(p[:n])
			p = p[n:]
			r.run()
			switch i % 40 {
			case 10:
				r.modem.SetCoverage(false)
			case 20:
				r.modem.SetCoverage(true)
			case 30:
				r.modem.DeliverSMS("+1", "x")
				r.Open(false)
				r.Open(true)
			}
		}
		r.modem.SetCoverage(true)
		r.pass(10 * time.Minute) // whatever takes long is over
		r.run()
		if n := len(r.files.handles); n != 0 {
			t.Errorf("%d handles are left", n)
		}
		r.take()
		r.Receive(frame.Append(nil, []byte{8, 0xA5, 'I', 'M'}, escaped))
		r.pass(time.Minute) // behind what the silence has let through
		answered := false
		for _, s := range r.take() {
			answered = answered || strings.HasPrefix(s, "88A5494D00")
		}
		if !answered {
			t.Errorf("the module says nothing; %+v", r.Stats())
		}
		r.Open(false)
		r.Reset()
		r.run()
		if s := r.modem.Sockets(); len(s) != 0 || r.queued != 0 {
			t.Errorf("left over: %v, %d bytes", s, r.queued)
		}
		if d := r.decoder.Stats(); d.Refused() != 0 || d.Skipped != 0 {
			t.Errorf("the module sent bad frames: %+v", d)
		}
	})
}
