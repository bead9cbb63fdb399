package sizing

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

//go:embed names.py
var namesProgram []byte

// Names are what a program finds on a module besides its own.
type Names struct {
	// Modules are the built-in modules by every name that finds them, with their
	// attributes; one in another has a point in its name: digi.cloud.
	Modules map[string][]string
	// Types are the attributes of objects, by the name of what makes them:
	// usocket.socket, ussl.wrap_socket.
	Types map[string][]string
	// Builtins need no import.
	Builtins []string
}

// ReadNames asks a module of a profile what it has, by a program that runs on it.
func ReadNames(p profile.Profile) (Names, error) {
	n := Names{Modules: map[string][]string{}, Types: map[string][]string{}}
	b, err := newBench(Config{Profile: p, HeapBytes: roomy, AsSource: true}, []flash.HostFile{{Path: "skepnames.py", Data: namesProgram}})
	if err != nil {
		return n, err
	}
	names := strings.Join(b.fw.Python().ModuleNames(), " ")
	l := b.layout(shipped, nil)
	l.files = append(l.files, flash.HostFile{Path: "skepnames.txt", Data: []byte(names)})
	r := b.trial(l, roomy, []step{load("skepnames")})
	if r.ended != nil {
		return n, fmt.Errorf("the names of %s: %w", p.Name, r.ended)
	}
	if len(r.steps) == 1 && r.steps[0].err != "" {
		return n, fmt.Errorf("the names of %s: %s", p.Name, r.steps[0].err)
	}
	for line := range strings.Lines(r.output) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		switch list := fields[2:]; fields[0] {
		case "module":
			n.Modules[fields[1]] = list
		case "type":
			n.Types[fields[1]] = list
		case "builtins":
			n.Builtins = list
		}
	}
	return n, nil
}
