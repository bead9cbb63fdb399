package xbee

import (
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/xbee/bundle"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// TestProfilesAreApplied checks the facts of a profile that nothing reads, since
// the package they are about is made for one value only.
func TestProfilesAreApplied(t *testing.T) {
	for _, p := range profile.All() {
		if p.BundleBytes.Value != bundle.PayloadBytes || p.BundleQstrs.Value != bundle.MaxQstrs {
			t.Errorf("%s: a bundle of %d bytes and %d names; package bundle has %d and %d",
				p.Name, p.BundleBytes.Value, p.BundleQstrs.Value, bundle.PayloadBytes, bundle.MaxQstrs)
		}
		want := mpy.ReadOptions{Version: p.MpyVersion.Value, SmallIntBits: p.SmallIntBits.Value, NoUnicode: !p.Unicode.Value}
		if mpy.XBee != want {
			t.Errorf("%s: .mpy files as in %+v; package mpy has %+v", p.Name, want, mpy.XBee)
		}
		c := func(c *Config) { c.Profile = p }
		if got := typed(t, c, nil, "import sys\nsys.version\n"); !strings.Contains(got, "'"+p.SysVersion.Value+"'") {
			t.Errorf("%s: sys.version is not %s in %q", p.Name, p.SysVersion.Value, got)
		}
	}
}
