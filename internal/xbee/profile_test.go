package xbee

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// TestProfilesAreApplied checks facts of a profile that other packages are made
// for one value of, or that are far from where they are read.
func TestProfilesAreApplied(t *testing.T) {
	for _, p := range profile.All() {
		want := mpy.ReadOptions{Version: p.MpyVersion.Value, SmallIntBits: p.SmallIntBits.Value, NoUnicode: !p.Unicode.Value}
		if o := Options(p); o.MpyOptions() != want {
			t.Errorf("%s: .mpy files as in %+v; the interpreter takes %+v", p.Name, want, o.MpyOptions())
		}
		c := func(c *Config) { c.Profile = &p }
		if got := typed(t, c, nil, "import sys\nsys.version\n"); !strings.Contains(got, "'"+p.SysVersion.Value+"'") {
			t.Errorf("%s: sys.version is not %s in %q", p.Name, p.SysVersion.Value, got)
		}
	}
}

// A profile of somebody's own is simulated with its values.
func TestOwnProfile(t *testing.T) {
	var l profile.Library
	fact := func(key, value string) string {
		return fmt.Sprintf("%s = { value = %s, confidence = \"chosen\", source = \"a test\" }\n", key, value)
	}
	p, err := l.Read("mine.toml", []byte("base = \"ltem-11413\"\n"+fact("heap_bytes", "16384")+fact("sys_version", `"3.5.1"`)+fact("platform", `"bee"`)))
	if err != nil {
		t.Fatal(err)
	}
	got := typed(t, func(c *Config) { c.Profile = &p }, nil, "import sys, gc\nsys.version, sys.version_info, sys.platform\ngc.mem_free() + gc.mem_alloc()\n")
	for _, want := range []string{"('3.5.1', (3, 5, 1), 'bee')", "\n16000"} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %s in %q", want, got)
		}
	}
}
