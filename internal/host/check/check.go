package check

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/syntax"
)

// Severity is how bad a finding is.
type Severity string

// The severities: an error fails on the module, a warning fails sometimes or later, a
// note is good to know.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Finding is one thing that a rule has found.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	File     string   `json:"file"`
	Line     int      `json:"line,omitempty"` // from 1; 0: the file as a whole
	Column   int      `json:"column,omitempty"`
	Message  string   `json:"message"`
	Instead  string   `json:"instead,omitempty"` // what to write or do
}

// ATS is what a firmware's TLS makes of the two forms of AWS endpoints.
type ATS string

// The rules: any form, only with -ats, only without.
const (
	ATSAny      ATS = ""
	ATSRequired ATS = "required"
	ATSRefused  ATS = "refused"
)

// Names are names of something, such as a module.
type Names map[string]bool

// Firmware is what an application is checked against.
type Firmware struct {
	Name  string // for messages: "firmware 11413 (LTE-M/NB-IoT)"
	Model string // ltem or cat1
	// Release is the second number of MicroPython's version: 11 for v1.11.
	Release int
	ATS     ATS
	// RootOnly: the modem needs a self-signed root as ca_certs.
	RootOnly bool
	Sockets  int // at a time
	TLS      int // of these
	// Modules are the built-in modules with their attributes, by every name; a module
	// in another has a point in its name: digi.cloud.
	Modules map[string]Names
	// Types are the attributes of instances, by what makes them: usocket.socket,
	// ussl.wrap_socket.
	Types map[string]Names
	// Builtins are the names that are there without an import.
	Builtins Names
	// Elsewhere, if not nil, says which firmware of the same model has a module, or an
	// attribute of it; "" if none.
	Elsewhere func(module, attr string) string
}

// Measured is what the application takes of a module, as it was measured.
type Measured struct {
	Bytes, Names           int // limits of the bundle
	WholeBytes, WholeNames int // what all modules that can be bundled take
	// Modules are those for which something does not work.
	Modules []MeasuredModule
	// MainFails is why the main program can't be loaded, Program why it does not fit
	// whatever is bundled; "" if it can.
	MainFails, Program string
}

// MeasuredModule is a module that does not fit.
type MeasuredModule struct {
	Path         string // below /flash, without extension
	NoBundle     string // why it does not fit into the bundle by itself
	NoSource     bool   // it can't be imported from source: no memory
	NoMpy        bool   // nor from a .mpy file
	Needs, Total int    // bytes that importing it from source needs, and has
}

// Input is an application and what it is checked against.
type Input struct {
	App      *app.App
	Files    []app.File // Sources of the application
	Firmware Firmware
	Measured *Measured // nil: the rules about sizes are silent
	Now      time.Time // for certificates
}

// Report is what came of a check.
type Report struct {
	Findings []Finding `json:"findings"`
	// Ignored are those that a comment or skep.toml takes back.
	Ignored int `json:"ignored"`
	Files   int `json:"files"` // Python sources that were read
}

// run is one check.
type run struct {
	Input
	modules  []*module
	byName   map[string]*module
	files    map[string]*app.File // by lower-case path
	creds    []credential
	rule     *Rule
	findings []Finding
	ignores  []ignore
}

// Run checks an application. Findings are in the order of files and lines.
func Run(in Input) *Report {
	r := &run{Input: in, byName: map[string]*module{}, files: map[string]*app.File{}}
	rules := Rules()
	for i := range in.Files {
		f := &in.Files[i]
		r.files[strings.ToLower(f.Path)] = f
	}
	r.rule = find(rules, idSyntax)
	for i := range in.Files {
		if f := &in.Files[i]; strings.HasSuffix(f.Path, ".py") {
			r.parse(f)
		}
	}
	r.credentials()
	for i := range rules {
		if r.rule = &rules[i]; r.rule.check != nil {
			r.rule.check(r)
		}
	}
	return r.report()
}

func find(rules []Rule, id string) *Rule {
	return &rules[slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })]
}

// parse reads one source; what can't be read is a finding.
func (r *run) parse(f *app.File) {
	m := &module{
		file: f.From, path: f.Path, name: importName(f.Path), lines: strings.Split(string(f.Data), "\n"),
		ours: !strings.HasPrefix(f.Source, app.ShippedPrefix), canonical: r.canonical, other: func(name string) *module { return r.byName[name] },
	}
	r.readIgnores(m)
	at := map[*syntax.Node]place{}
	tree, err := syntax.Parse(f.Data, f.From, syntax.File, syntax.Options{
		Version: r.version(),
		Leaf:    func(n *syntax.Node, line, column uint32) { at[n] = place{int(line), int(column)} },
	})
	if err == nil {
		err = r.compiles(f)
	}
	if err != nil {
		r.syntaxFinding(m, err)
		return
	}
	reader := &reader{at: at, text: m.lines}
	m.root = reader.file(tree.Root)
	m.bind()
	r.modules = append(r.modules, m)
	if old := r.byName[m.name]; old == nil || strings.HasPrefix(old.path, "lib/") {
		r.byName[m.name] = m
	}
}

// version is the release whose language the firmware speaks.
func (r *run) version() syntax.Version {
	if r.Firmware.Release >= 12 {
		return syntax.V112
	}
	return syntax.V111
}

// importName is the name under which a file is imported.
func importName(file string) string {
	p := strings.TrimPrefix(strings.TrimSuffix(file, path.Ext(file)), "lib/")
	p = strings.TrimSuffix(p, "/__init__")
	return strings.ReplaceAll(p, "/", ".")
}

// canonical is the firmware's own name of a module: ujson for json.
func (r *run) canonical(module string) string {
	if r.byName[module] == nil && !strings.Contains(module, ".") && r.Firmware.Modules["u"+module] != nil {
		return "u" + module
	}
	return module
}

// at adds a finding of the current rule at a place of a module.
func (r *run) at(m *module, p place, message, instead string) {
	if !m.ours {
		return
	}
	r.findings = append(r.findings, Finding{r.rule.ID, r.rule.Severity, m.file, p.line, p.column, message, instead})
}

// in adds a finding about a file as a whole.
func (r *run) in(file, message, instead string) {
	r.findings = append(r.findings, Finding{r.rule.ID, r.rule.Severity, file, 0, 0, message, instead})
}

// report sorts the findings and leaves those out that are taken back.
func (r *run) report() *Report {
	out := &Report{Findings: []Finding{}}
	for i := range r.Files {
		if strings.HasSuffix(r.Files[i].Path, ".py") {
			out.Files++
		}
	}
	slices.SortStableFunc(r.findings, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), strings.Compare(a.Rule, b.Rule))
	})
	for i, f := range r.findings {
		switch {
		case i > 0 && f == r.findings[i-1]:
		case r.ignored(f):
			out.Ignored++
		default:
			out.Findings = append(out.Findings, f)
		}
	}
	return out
}

// each calls do for every function of the application's own modules.
func (r *run) each(do func(m *module, f *function)) {
	for _, m := range r.modules {
		if !m.ours {
			continue
		}
		for _, f := range m.all {
			do(m, f)
		}
	}
}

// eachCall calls do for every call of the application's own modules.
func (r *run) eachCall(do func(m *module, f *function, s *stmt, call *expr)) {
	r.each(func(m *module, f *function) {
		f.eachExpr(func(s *stmt, e *expr) {
			if e.kind == kindCall {
				do(m, f, s, e)
			}
		})
	})
}
