package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"
)

// sharedState are the package-level variables that do change, each with the
// reason why no device can tell.
var sharedState = map[string]string{}

// TestNoPackageState wants every package-level variable to keep the value of its
// declaration (or of an init function): a thousand devices live in one process.
// It looks for assignments, taken addresses, and types that exist to be changed.
func TestNoPackageState(t *testing.T) {
	h := load(t)
	found := map[string]bool{}
	for _, p := range slices.Sorted(maps.Keys(h.packages)) {
		for _, v := range h.changed(h.packages[p]) {
			name := p + "." + v.name
			found[name] = true
			if _, ok := sharedState[name]; !ok {
				t.Errorf("%s: %s changes (%s): make it part of a value that a device owns", v.pos, name, v.how)
			}
		}
	}
	for name := range sharedState {
		if !found[name] {
			t.Errorf("sharedState lists %s, which does not change any more", name)
		}
	}
}

// change is a place where a package-level variable may get another value.
type change struct {
	name, how string
	pos       token.Position
}

// emptyImporter satisfies imports with packages that hold nothing: resolving
// the package's own names needs no more.
type emptyImporter struct{}

func (emptyImporter) Import(p string) (*types.Package, error) {
	pkg := types.NewPackage(p, p[strings.LastIndexByte(p, '/')+1:])
	pkg.MarkComplete()
	return pkg, nil
}

// changed lists the changes of package-level variables outside tests and init
// functions.
func (h *house) changed(p *pkg) []change {
	var files []*ast.File
	for _, f := range p.files {
		if !f.test {
			files = append(files, f.syntax)
		}
	}
	if len(files) == 0 {
		return nil
	}
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: emptyImporter{}, Error: func(error) {}}
	tpkg, _ := conf.Check(p.path, h.fset, files, info)
	var all []change
	at := func(x ast.Expr, how string) {
		id := rootIdent(x)
		if id == nil {
			return
		}
		if v, ok := info.Uses[id].(*types.Var); ok && v.Parent() == tpkg.Scope() {
			all = append(all, change{id.Name, how, h.fset.Position(id.Pos())})
		}
	}
	for _, f := range files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.GenDecl:
				all = append(all, h.changeable(d)...)
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" || d.Body == nil {
					continue
				}
				ast.Inspect(d.Body, func(n ast.Node) bool {
					switch n := n.(type) {
					case *ast.AssignStmt:
						if n.Tok != token.DEFINE {
							for _, x := range n.Lhs {
								at(x, "assigned")
							}
						}
					case *ast.IncDecStmt:
						at(n.X, "counted")
					case *ast.CallExpr:
						if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "delete" || f.Name == "clear") && len(n.Args) > 0 {
							at(n.Args[0], f.Name)
						}
					}
					return true
				})
			}
		}
	}
	return all
}

// changeable lists the variables of a declaration whose type is made to change.
func (h *house) changeable(d *ast.GenDecl) []change {
	if d.Tok != token.VAR {
		return nil
	}
	var all []change
	for _, s := range d.Specs {
		v := s.(*ast.ValueSpec)
		ty := v.Type
		if ty == nil && len(v.Values) == 1 {
			if lit, ok := v.Values[0].(*ast.CompositeLit); ok {
				ty = lit.Type
			}
		}
		if star, ok := ty.(*ast.StarExpr); ok {
			ty = star.X
		}
		if gen, ok := ty.(*ast.IndexExpr); ok {
			ty = gen.X
		}
		sel, ok := ty.(*ast.SelectorExpr)
		if !ok {
			continue
		}
		if x, ok := sel.X.(*ast.Ident); ok && (x.Name == "sync" || x.Name == "atomic") {
			for _, n := range v.Names {
				all = append(all, change{n.Name, x.Name + "." + sel.Sel.Name, h.fset.Position(n.Pos())})
			}
		}
	}
	return all
}

// rootIdent finds the variable that an assignment to x.f, x[i] or *x changes.
func rootIdent(x ast.Expr) *ast.Ident {
	for {
		switch e := x.(type) {
		case *ast.Ident:
			return e
		case *ast.SelectorExpr:
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		case *ast.StarExpr:
			x = e.X
		case *ast.ParenExpr:
			x = e.X
		case *ast.SliceExpr:
			x = e.X
		default:
			return nil
		}
	}
}

// TestStateRule makes sure that the rule can fail.
func TestStateRule(t *testing.T) {
	const src = `package p
import "sync"
var table = map[string]int{"a": 1}
var count, kept int
var lock sync.Mutex
var once = sync.OnceValue(f)
func init() { table["b"] = 2 }
func f() int { count++; delete(table, "a"); kept := 0; kept++; return kept }
`
	h := &house{fset: token.NewFileSet()}
	f, err := parser.ParseFile(h.fset, "p.go", src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range h.changed(&pkg{path: "p", files: []*goFile{{syntax: f}}}) {
		names = append(names, c.name)
	}
	slices.Sort(names)
	if got := strings.Join(names, " "); got != "count lock table" {
		t.Errorf("found %q", got)
	}
}
