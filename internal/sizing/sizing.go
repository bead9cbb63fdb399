// Package sizing says what the modules of an application cost on a module: what
// importing each takes of the heap, from source, from a .mpy file and from the
// bundle; what the bundle has room for; and which is the smallest bundle with which
// the program fits.
//
// It estimates nothing: every figure is read off a virtual device that was powered
// on for it. A figure that rests on a calibration of the profile is as good as that
// calibration, and [Report.Facts] says which do. It runs modules, but no main.py,
// and never lets them reach a network.
package sizing

import (
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/xbee/flash"
	"github.com/skep-sim/skep/internal/xbee/profile"
)

// Config is what is to be measured on.
type Config struct {
	Profile profile.Profile
	// Features replaces the interpreter's optional features, if not nil.
	Features *vm.Options
	// HeapBytes replaces the profile's heap, if not 0.
	HeapBytes int
	// Room is how much of the heap must stay free once the program is loaded, and
	// Piece how much of that in one piece, in bytes.
	Room, Piece int
	// Use are the modules that the program uses; none: those that main.py imports.
	Use []string
	// AsSource: what is not in the bundle is imported from its source, since that
	// is what lies on the flash; else from a .mpy file.
	AsSource bool
	// Explain asks for Report.Facts.
	Explain bool
	// Progress, if not nil, is told what is being measured.
	Progress func(what string)
}

// Report is what was measured. All figures are bytes unless their name says
// otherwise.
type Report struct {
	Model    string `json:"model"`
	Firmware string `json:"firmware"`
	Product  string `json:"product"`

	Heap         int `json:"heap"`         // the pool, as gc.mem_free() + gc.mem_alloc()
	FreeAtPrompt int `json:"freeAtPrompt"` // at the first prompt, before anything is typed

	Modules []Module `json:"modules"`
	Program Program  `json:"program"`
	Limits  Limits   `json:"limits"`
	Facts   []Fact   `json:"facts,omitempty"`
	// Files is what all files take of the file system, if the caller says it: nothing
	// here depends on it, but the picture.
	Files *FilesUse `json:"files,omitempty"`
}

// FilesUse is what files take of the file system, in bytes.
type FilesUse struct {
	Used  int `json:"used"`
	Limit int `json:"limit"`
}

// Limits are the sizes of the bundle area.
type Limits struct {
	Bytes int `json:"bytes"`
	Names int `json:"names"` // entries of its table of interned strings
}

// Module is one module of the application.
type Module struct {
	Name string `json:"name"` // as it is imported
	Path string `json:"path"` // below /flash, without its extension
	// Error is why it cannot be compiled; then there are no figures.
	Error string `json:"error,omitempty"`
	// Brings are the application's modules that importing it imports.
	Brings []string `json:"brings,omitempty"`
	// Notes are what a reader of the figures must know.
	Notes []string `json:"notes,omitempty"`
	// Cost is what importing it, with what it brings, takes on a module that has
	// just booted. A form that does not exist is nil.
	Source *Cost `json:"source,omitempty"`
	Mpy    *Cost `json:"mpy,omitempty"`
	Bundle *Cost `json:"bundle,omitempty"`
	// MpyBytes is the size of the .mpy file; Flash and Names are what the module
	// alone takes of the bundle area, and of its table of names.
	MpyBytes int `json:"mpyBytes,omitempty"`
	Flash    int `json:"flash,omitempty"`
	Names    int `json:"names,omitempty"`
	// NoBundle is why the bundle has no room for it, even by itself.
	NoBundle string `json:"noBundle,omitempty"`
	// Own and OwnBundled are what of the heap the module keeps by itself, when what
	// it brings is loaded already: as it lies on the flash, and bundled.
	Own        int `json:"own"`
	OwnBundled int `json:"ownBundled"`
}

// Cost is what an import takes of the heap.
type Cost struct {
	// Needs is how much must be free for it: found by making the heap smaller until
	// the import fails. 0: nothing was found, see Error.
	Needs int `json:"needs"`
	// Peak is the most that it had in use at a time, with room to spare; what it
	// leaves to the collector counts.
	Peak int `json:"peak"`
	// Left is what gc.mem_alloc() has grown by afterwards, and Keeps the same after
	// a collection.
	Left  int `json:"left"`
	Keeps int `json:"keeps"`
	// Fits: it works on a module that has just booted.
	Fits bool `json:"fits"`
	// Error is the exception that the import ended with, or what else ended it. The
	// other figures are then those up to there.
	Error string `json:"error,omitempty"`
	// Never: the import does not return, so there are no other figures.
	Never bool `json:"never,omitempty"`
}

// Program is main.py and the modules it uses.
type Program struct {
	// Main is the path of the main program below /flash, "" if there is none.
	Main string `json:"main"`
	// Error is why it cannot be compiled.
	Error string `json:"error,omitempty"`
	// MainKeeps is what the code of the main program takes of the heap for as long
	// as it runs, MainNeeds what must be free to compile it.
	MainKeeps int `json:"mainKeeps"`
	MainNeeds int `json:"mainNeeds"`
	// Modules are those it uses, each behind those that it imports itself.
	Modules []string `json:"modules"`
	// LeftOut are modules that it uses but whose import never returns.
	LeftOut []string `json:"leftOut,omitempty"`
	// Guessed: main.py does not say by import statements what it uses, so all of the
	// application counts.
	Guessed bool `json:"guessed,omitempty"`

	Room  int `json:"room"`
	Piece int `json:"piece"`
	// The program loaded without a bundle, with the best, and with one of all its
	// modules, as far as they fit.
	Plain Load `json:"plain"`
	Best  Load `json:"best"`
	Whole Load `json:"whole"`
	Fits  bool `json:"fits"` // with the best bundle
	// AllFlash and AllNames are what a bundle of all its modules would take, fit or
	// not.
	AllFlash int  `json:"allFlash"`
	AllNames int  `json:"allNames"`
	Proven   bool `json:"proven"` // no smaller bundle does
	// Bundling is what os.bundle() of the best bundle prints on the module, BundlingFails
	// that it does not succeed there, with main.py's code on the heap.
	Bundling      string `json:"bundling,omitempty"`
	BundlingFails bool   `json:"bundlingFails,omitempty"`
}

// Load is the program loaded: main.py compiled, and its modules imported.
type Load struct {
	Bundled []string `json:"bundled"`
	// Flash and Names are what the bundle takes.
	Flash int `json:"flash"`
	Names int `json:"names"`
	// Loads: there was no MemoryError. Free is then what is left after a collection,
	// and Largest the largest free piece.
	Loads   bool `json:"loads"`
	Free    int  `json:"free"`
	Largest int  `json:"largest"`
	// Needs is how much must be free at the start for it to load, found by making the
	// heap smaller. Of bundles that were only tried it is 0.
	Needs int `json:"needs,omitempty"`
	// FailedIn is the module, or main, at which there was no memory.
	FailedIn string `json:"failedIn,omitempty"`
	// Map says for each block of the heap who took it: 0 nobody, 1 the interpreter,
	// 2 main, 3 the first of Program.Modules and so on; continued blocks are
	// negative.
	Map []int8 `json:"-"`
}

// Measure powers on as many virtual devices as it takes. files are the
// application's, modules as source where there is source. The error is about the
// files; what modules do wrong is in the report.
func Measure(c Config, files []flash.HostFile) (*Report, error) {
	b, err := newBench(c, files)
	if err != nil {
		return nil, err
	}
	r := &Report{
		Model: string(c.Profile.Model), Firmware: c.Profile.Digits(), Product: c.Profile.Product.Value,
		Limits: Limits{Bytes: c.Profile.BundleBytes.Value, Names: c.Profile.BundleQstrs.Value},
	}
	boot := b.trial(b.layout(shipped, nil), b.heap, nil)
	r.Heap, r.FreeAtPrompt = boot.total, boot.total-boot.base
	for _, m := range b.modules {
		b.progress(m.name)
		r.Modules = append(r.Modules, b.module(m))
	}
	b.program(r)
	if c.Explain {
		b.explain(r)
	}
	return r, nil
}
