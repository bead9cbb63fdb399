package at

import (
	"slices"

	"github.com/skep-sim/skep/internal/xbee/profile"
)

// Access is what can be done with a command.
type Access uint8

// The kinds of access.
const (
	Setting Access = iota // can be read and set, and is saved by WR
	Hidden                // a setting that cannot be read back
	State                 // the module's state: can only be read
	Order                 // makes the module do something; may take an argument and answer
)

// isSetting reports whether what has this access holds a value.
func (a Access) isSetting() bool { return a == Setting || a == Hidden }

// Effect is when a setting begins to count.
type Effect uint8

// The effects.
const (
	OnApply Effect = iota // with AC, or when command mode ends
	AtOnce                // when it is set
)

// Storage is what becomes of a value when power goes.
type Storage uint8

// The kinds of storage.
const (
	Nowhere   Storage = iota // a state or an order: nothing is kept
	SavedByWR                // kept if WR came after it was set
)

// Register is one command of the table.
type Register struct {
	Name    string // two characters
	Meaning string
	Access  Access
	Kind    Kind // of the value; None for an order, which answers what it likes
	Arg     Kind // of an order's argument, which may be left out; None: it takes none

	// Limits of a setting: a number lies between Min and Max and, if there is
	// a list, is in Allowed or at least Beyond (0: none is); text has at most
	// Max characters, bytes exactly Max.
	Min, Max uint64
	Allowed  []uint64
	Beyond   uint64
	Default  Value
	Effect   Effect
	Storage  Storage
	// Width is how many bytes a number has in API frames.
	Width int

	// Where it exists: from a feature level on, on one model only ("" both).
	Since int
	Only  profile.Model
	// CommandModeOnly says that Python and API frames cannot reach it.
	CommandModeOnly bool

	Confidence profile.Confidence
	Source     string
}

// Short forms for the table. What is own is known to exist, while its default
// or its limits are our choice, most of them what the manuals are remembered to
// say.
const (
	doc = profile.Documented
	obs = profile.Observed
	own = profile.Chosen
)

const (
	guide = "guide"
	gsm   = "TinyGSM"
	xbf   = "xbf"
	stubs = "xmp"
)

func num(name, meaning string, min, max, def uint64, c profile.Confidence, src string) Register {
	return Register{
		Name: name, Meaning: meaning, Kind: Number, Min: min, Max: max, Default: Int(def), Storage: SavedByWR,
		Confidence: c, Source: src,
	}.width(len(Int(max).encode(1)))
}

func oneOf(name, meaning string, def uint64, c profile.Confidence, src string, allowed ...uint64) Register {
	r := num(name, meaning, slices.Min(allowed), slices.Max(allowed), def, c, src)
	r.Allowed = allowed
	return r
}

func text(name, meaning string, max uint64, def string, c profile.Confidence, src string) Register {
	return Register{Name: name, Meaning: meaning, Kind: Text, Max: max, Default: Str(def), Storage: SavedByWR, Confidence: c, Source: src}
}

func state(name, meaning string, k Kind, c profile.Confidence, src string) Register {
	return Register{Name: name, Meaning: meaning, Access: State, Kind: k, Confidence: c, Source: src}
}

func order(name, meaning string, c profile.Confidence, src string) Register {
	return Register{Name: name, Meaning: meaning, Access: Order, Confidence: c, Source: src}
}

func (reg Register) hidden() Register              { reg.Access = Hidden; return reg }
func (reg Register) atOnce() Register              { reg.Effect = AtOnce; return reg }
func (reg Register) takes(arg Kind) Register       { reg.Arg = arg; return reg }
func (reg Register) since(level int) Register      { reg.Since = level; return reg }
func (reg Register) only(m profile.Model) Register { reg.Only = m; return reg }
func (reg Register) commandMode() Register         { reg.CommandModeOnly = true; return reg }

// width rounds a number of bytes up to one that frames use.
func (reg Register) width(n int) Register {
	for reg.Width = 1; reg.Width < n; reg.Width *= 2 {
	}
	return reg
}

// orFrom lets a number be from min to max, too.
func (reg Register) orFrom(min, max uint64) Register {
	reg.Beyond, reg.Max = min, max
	return reg.width(len(Int(max).encode(1)))
}

// inBytes makes reg a setting of size bytes, all of them or none.
func (reg Register) inBytes(size uint64) Register {
	reg.Kind, reg.Max, reg.Default = Bytes, size, Raw(nil)
	return reg
}

// Table lists the commands a profile has, by name.
func Table(p profile.Profile) []Register {
	var all []Register
	for _, group := range [][]Register{console(), identity(), network(), connections(), cloud(), pins(), bluetooth()} {
		for _, r := range group {
			if r.Since <= p.Level() && (r.Only == "" || r.Only == p.Model) {
				all = append(all, r)
			}
		}
	}
	slices.SortFunc(all, func(a, b Register) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return all
}
