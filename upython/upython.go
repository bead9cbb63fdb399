// Package upython is the Python that ships with skep for devices: an MQTT client
// with umqtt.simple's interface and a small HTTP client. It is source text; the
// devices run it, Go does not.
package upython

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

//go:embed *.py
var files embed.FS

// Source returns the source of a module by its name.
func Source(module string) ([]byte, error) {
	b, err := files.ReadFile(module + ".py")
	if err != nil {
		return nil, fmt.Errorf("skep ships no module %q; it has %s", module, strings.Join(Modules(), ", "))
	}
	return b, nil
}

// Modules returns the names of the modules, sorted.
func Modules() []string {
	entries, _ := fs.Glob(files, "*.py")
	for i := range entries {
		entries[i] = strings.TrimSuffix(entries[i], ".py")
	}
	slices.Sort(entries)
	return entries
}
