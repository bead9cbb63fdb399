package gnss

import (
	"math"
	"strings"
	"testing"
	"time"
)

const track = `
# two seconds of it
$GPGGA,120000.00,4530.0000,N,09315.0000,W,1,08,0.9,300.5,M,46.9,M,,
$GPRMC,120000.00,A,4530.0000,N,09315.0000,W,0.0,0.0,010120,,,A
$GPGGA,120001.00,4531.0000,S,00315.0000,E,1,07,0.9,-1.5,M,46.9,M,,
`

func TestTrack(t *testing.T) {
	var r Receiver
	if err := r.SetTrack(track, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		at   time.Duration
		n    int
		want Fix
	}{
		{0, 2, Fix{45.5, -93.25, 300.5, 8}},
		{5 * time.Second, 2, Fix{45.5, -93.25, 300.5, 8}},
		{6500 * time.Millisecond, 1, Fix{-45.516666, 3.25, -1.5, 7}},
		{7 * time.Second, 2, Fix{45.5, -93.25, 300.5, 8}},
	}
	for _, tt := range tests {
		f, ok := r.Fix(tt.at)
		if !ok || len(r.At(tt.at)) != tt.n || math.Abs(f.Latitude-tt.want.Latitude) > 1e-5 || f.Longitude != tt.want.Longitude || f.Altitude != tt.want.Altitude || f.Satellites != tt.want.Satellites {
			t.Errorf("at %v: %+v, %v, of %q", tt.at, f, ok, r.At(tt.at))
		}
	}
	if s := r.At(0)[0]; !strings.HasSuffix(s, "*73") && len(s) < 3 {
		t.Errorf("no checksum: %q", s)
	}
	if err := r.SetTrack("", 0); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.Fix(0); ok || len(r.At(0)) == 0 {
		t.Error("a receiver without a track knows where it is")
	}
}

func TestBadTracks(t *testing.T) {
	for _, bad := range []string{"GPGGA,1", "$GP", "$GPGGA,\x01", "$GPGGA,1*00", "$GPGGA,1\nnonsense"} {
		var r Receiver
		if err := r.SetTrack(bad, 0); err == nil || !strings.Contains(err.Error(), "line") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzTrack(f *testing.F) {
	f.Add(track)
	f.Add("$GPGGA,,9999,N,,,1,x,,,,,,\n$GPGGA*56")
	f.Fuzz(func(t *testing.T, text string) {
		var r Receiver
		if r.SetTrack(text, 0) != nil {
			return
		}
		for s := range 5 {
			r.Fix(time.Duration(s) * time.Second)
		}
	})
}
