//go:build !windows && !linux

package hostport

import (
	"os"

	"github.com/skep-sim/skep/internal/world"
)

// What only Linux is asked for: here the speed of a terminal is not known.

func setSpeed(*os.File) error { return nil }

func hostSettings(*os.File) (world.LineSettings, bool) { return world.LineSettings{}, false }

func flush(string) {}

func watchOpening(string) opening { return polling{} }
