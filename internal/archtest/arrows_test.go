package archtest

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// arrow is an import that must never be, from any of some packages, directly or
// through other packages of the project.
type arrow struct {
	from   string
	except []string // packages matching from that may
	never  []string
	but    []string // imports matching never that may be
	why    string
}

// network is the part of the standard library that reaches the network;
// net/netip holds values only.
var network = []string{"net/...", "crypto/tls/...", "syscall"}

var arrows = []arrow{
	{
		from: "internal/...", never: []string{"cmd/..."},
		why: "the program is made of the rooms, never the other way round",
	},
	{
		from: ".", never: []string{"cmd/..."},
		why: "the public API must not drag flags and output along",
	},
	{
		from: "internal/host/...", never: []string{"internal/xbee/...", "internal/vm/...", "internal/memory/...", "internal/pylib/...", "internal/repl/..."},
		why: "the host side only ever sees a byte stream: one tool for virtual and real devices",
	},
	{
		from: "internal/awsiot/...", never: []string{"internal/xbee/...", "internal/vm/...", "internal/memory/...", "internal/pylib/...", "internal/repl/...", "internal/host/..."},
		why: "the cloud must be strict towards any client, so it knows none",
	},
	{
		from: "internal/remotemanager/...", never: []string{"internal/xbee/...", "internal/vm/...", "internal/memory/...", "internal/host/..."},
		why: "a cloud must be strict towards any client, so it knows none",
	},
	{
		from: "internal/rmlink", never: []string{"internal/...", "cmd/..."},
		why: "what module and Remote Manager say to each other is all that they share",
	},
	{
		from: "internal/xbee/...", never: []string{"internal/awsiot/...", "internal/remotemanager/..."},
		why: "the module reaches a cloud through its modem, as the real one does",
	},
	{
		from: "internal/xbee/...", never: []string{"internal/host/...", "internal/hosted/..."},
		why: "the module must not know who is at the other end of its serial line",
	},
	{
		from: "internal/xbee/...", except: []string{"internal/xbee", "internal/xbee/modem/...", "internal/xbee/meter", "internal/xbee/api", "internal/xbee/drm", "internal/xbee/pymod/...", "internal/xbee/task", "internal/xbee/uart", "internal/xbee/serial", "internal/xbee/transparent", "internal/xbee/bypass"}, never: []string{"internal/world/..."},
		why: "what is not the modem and its meter, the frames and the Remote Manager client that wait for it, the board, the serial line, the clock of the tasks or the device itself is computed, so it needs no world",
	},
	{
		from: "internal/xbee/...", never: []string{"internal/sizing/..."},
		why: "the module does not know that it is measured",
	},
	{
		from: "internal/sizing/...", never: []string{"internal/host/...", "internal/hosted/...", "internal/awsiot/..."},
		why: "it measures modules with files that it is handed, and no network",
	},
	{
		from: "internal/debug/...", never: []string{"internal/xbee/...", "internal/world/...", "internal/host/...", "internal/hosted/...", "internal/replay/...", "internal/dap/..."},
		why: "a debugger looks at the interpreter's memory; which module runs, and how its run is repeated, it is handed",
	},
	{
		from: "internal/dap/...", never: []string{"internal/xbee/...", "internal/world/...", "internal/replay/...", "internal/host/..."},
		why: "it speaks a protocol; what is launched, it is handed",
	},
	{
		from: "internal/vm/...", never: []string{"internal/debug/...", "internal/dap/..."},
		why: "a program does not know that somebody looks",
	},
	{
		from: "internal/hostport/...", never: []string{"internal/xbee/...", "internal/vm/...", "internal/host/..."},
		why: "it is the plug of a serial line, whatever is at either end",
	},
	{
		from: "internal/repl/...", never: []string{"internal/xbee/...", "internal/world/..."},
		why: "the prompt is MicroPython's; it is handed a byte stream",
	},
	{
		from: "internal/pylib/...", never: []string{"internal/xbee/...", "internal/repl/...", "internal/world/..."},
		why: "these modules are in any MicroPython; the language knows no XBee",
	},
	{
		from: "internal/vm/...", never: []string{"internal/pylib/...", "internal/repl/...", "internal/xbee/...", "internal/host/...", "internal/hosted/...", "internal/awsiot/...", "internal/world/..."},
		why: "the language knows no XBee, and everything it does is computed",
	},
	{
		from: "internal/compiler/...", never: []string{"internal/vm/...", "internal/memory/..."},
		why: "cross-compiling needs no device; on one, the compiler charges a Budget that it is handed",
	},
	{
		from: "internal/mpy/...", never: []string{"internal/vm/...", "internal/compiler/...", "internal/memory/...", "internal/syntax/..."},
		why: "a reader of .mpy files must not need an interpreter",
	},
	{
		from: "internal/memory/...", never: []string{"internal/...", "cmd/...", "upython/..."},
		why: "memory is the ground that everything else lies on: words and blocks, no Python",
	},
	{
		from: "internal/syntax/...", never: []string{"internal/...", "cmd/...", "upython/..."},
		why: "source to tree needs nothing of the project",
	},
	{
		from: "internal/ymodem/...", never: []string{"internal/...", "cmd/...", "upython/..."},
		why: "the module and the host's tools share it, so it knows neither",
	},
	{
		from: "internal/world/...", never: []string{"internal/...", "cmd/...", "upython/..."},
		why: "the seam where a run is recorded and replayed must not depend on what is recorded",
	},
	{
		from: "upython/...", never: []string{"internal/...", "cmd/..."},
		why: "it carries Python source and nothing else",
	},
}

// stdArrows are the arrows into the standard library; they count for each
// package by itself, since nearly everything there reaches os in the end.
var stdArrows = []arrow{
	{
		from: "internal/xbee/...", never: network, but: []string{"net/netip"},
		except: []string{"internal/xbee/flash"},
		why:    "a device reaches the network through world, so that a run can be recorded and replayed",
	},
	{
		from: "internal/xbee/flash", never: network, but: []string{"syscall"},
		why: "flash keeps an image file, for which it may ask the host for a lock",
	},
	{
		from: "internal/xbee/...", except: []string{"internal/xbee/flash"}, never: []string{"os/..."},
		why: "only the flash's image is a file of the host",
	},
	{from: "internal/repl/...", never: append([]string{"os/...", "time"}, network...), why: "the prompt is handed its byte stream and its pauses"},
	{from: "internal/pylib/...", never: append([]string{"os/...", "time"}, network...), why: "what is not computed is handed in as hooks"},
	{from: "internal/vm/...", never: append([]string{"os/...", "time"}, network...), why: "a Python program reaches the outside only through hooks, so a run can be replayed"},
	{from: "internal/memory/...", never: append([]string{"os/...", "time"}, network...), why: "memory is computed"},
	{from: "internal/compiler/...", never: append([]string{"os/...", "time"}, network...), why: "the same source always gives the same bytes"},
	{from: "internal/mpy/...", never: append([]string{"os/...", "time"}, network...), why: "it works on bytes that it is handed"},
	{from: "internal/ymodem/...", never: append([]string{"os/..."}, network...), why: "it is handed its line and its files"},
	{from: "internal/syntax/...", never: append([]string{"os/...", "time"}, network...), why: "it works on text that it is handed"},
	{
		from: "...", except: []string{"internal/world", "internal/awsiot/...", "cmd/...", "bench/cloud"}, never: []string{"crypto/rand"},
		why: "entropy comes through world; keys, identifiers of a broker's sessions and the like are the cloud's own",
	},
	{from: "...", never: []string{"C"}, why: "no cgo: Skep cross-compiles to every system with nothing but Go"},
	{from: "...", never: []string{"plugin", "unsafe"}, except: []string{"internal/memory", "internal/vm"}, why: "only the arena and the loop over it may look behind Go's types"},
}

// fits is matches, with "..." for every package.
func fits(pattern, p string) bool {
	return pattern == "..." || matches(pattern, p)
}

func (a arrow) applies(p string) bool {
	return fits(a.from, p) && !matchesAny(a.except, p)
}

// forbids tells whether the arrow ends at an import. A package may import those
// below itself.
func (a arrow) forbids(from, imported string) bool {
	if !matchesAny(a.never, imported) || matchesAny(a.but, imported) {
		return false
	}
	return !matches(strings.TrimSuffix(a.from, "/...")+"/...", imported)
}

// importsOf lists what a package imports, without its tests.
func (h *house) importsOf(p string) []string {
	set := map[string]bool{}
	if pkg := h.packages[p]; pkg != nil {
		for _, f := range pkg.files {
			if !f.test {
				for _, i := range f.imports {
					set[i] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// reach lists, for each package of the project that p imports directly or not,
// one way to it.
func (h *house) reach(p string) map[string][]string {
	ways := map[string][]string{}
	queue := [][]string{{p}}
	for len(queue) > 0 {
		way := queue[0]
		queue = queue[1:]
		for _, i := range h.importsOf(way[len(way)-1]) {
			if h.packages[i] == nil || ways[i] != nil {
				continue
			}
			next := append(slices.Clone(way), i)
			ways[i] = next
			queue = append(queue, next)
		}
	}
	return ways
}

func TestArrows(t *testing.T) {
	h := load(t)
	used := make([]bool, len(arrows))
	for _, p := range slices.Sorted(maps.Keys(h.packages)) {
		ways := h.reach(p)
		for n, a := range arrows {
			if !a.applies(p) {
				continue
			}
			used[n] = true
			for _, i := range slices.Sorted(maps.Keys(ways)) {
				if a.forbids(p, i) {
					t.Errorf("%s must not import %s (%s): %s", p, i, strings.Join(ways[i], " -> "), a.why)
				}
			}
		}
	}
	for n, a := range arrows {
		if !used[n] {
			t.Errorf("the rule about %s fits no package", a.from)
		}
	}
}

func TestStandardLibraryArrows(t *testing.T) {
	h := load(t)
	for _, p := range slices.Sorted(maps.Keys(h.packages)) {
		for _, a := range stdArrows {
			if !a.applies(p) {
				continue
			}
			for _, i := range h.importsOf(p) {
				if a.forbids(p, i) {
					t.Errorf("%s must not import %s: %s", p, i, a.why)
				}
			}
		}
	}
}

// TestRules makes sure that the rules can fail.
func TestRules(t *testing.T) {
	h := &house{packages: map[string]*pkg{}}
	put := func(p string, imports ...string) {
		h.packages[p] = &pkg{path: p, files: []*goFile{{imports: imports}}}
	}
	put("internal/vm", "internal/between")
	put("internal/between", "internal/world")
	put("internal/world")
	put("internal/xbee/at", "net", "net/netip")
	bad := 0
	for i := range h.reach("internal/vm") {
		for _, a := range arrows {
			if a.applies("internal/vm") && a.forbids("internal/vm", i) {
				bad++
			}
		}
	}
	for _, i := range h.importsOf("internal/xbee/at") {
		for _, a := range stdArrows {
			if a.applies("internal/xbee/at") && a.forbids("internal/xbee/at", i) {
				bad++
			}
		}
	}
	if bad != 2 {
		t.Errorf("found %d of 2 forbidden arrows", bad)
	}
}
