package compiler

import (
	"fmt"

	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

// An Error is a text that the parser accepts and the compiler refuses.
type Error struct {
	Err *syntax.Error
	// Block is the name of the scope in question, which the traceback's entry
	// has beside source and line.
	Block string
}

// Error gives the traceback entry and the message on one line.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives the error without its block.
func (e *Error) Unwrap() error { return e.Err }

// A compiler is the state of one compilation.
type compiler struct {
	opts  Options
	names nameTable
	emit  emitter

	err     *syntax.Error // the first error
	errLine uint32        // 0 as long as it is not known

	scopes    []*scope
	cur       *scope
	first     bool // the pass that finds scopes and identifiers
	nextLabel label
	depth     int

	// Of the function whose parameters are compiled.
	haveStar         bool
	numDict, numDefs int

	loop      loop // the one that break and continue are for
	excLevels int  // open exception handlers

	anon      map[*syntax.Node]name
	zero, one *syntax.Node

	emitterRef, labelsRef syntax.Ref
}

// A loop is where break and continue lead.
type loop struct {
	breakTo, continueTo label
	fromFor             bool // break must drop an iterator
	excLevels           int  // handlers open around the loop
}

// Compile compiles a source text, whose name goes into the code, as the
// MicroPython that opts describe would. It returns a *syntax.Error where the
// parser refuses the text, an *Error where the compiler does, and an error of
// opts.Budget or opts.Names unchanged; then all that was charged but not
// given back is the garbage that the device has, too.
func Compile(src []byte, sourceName string, opts Options) (*mpy.Module, error) {
	opts = opts.withDefaults()
	if mpy.GenerationOf(opts.Version) == nil {
		return nil, fmt.Errorf("compiler: no .mpy version %d: use 3, 4 or 5", opts.Version)
	}
	tree, err := syntax.Parse(src, sourceName, opts.Mode, opts.parseOptions())
	if err != nil {
		return nil, err
	}
	return CompileTree(tree, opts)
}

// CompileTree compiles a tree that was parsed with the same options, and
// releases it. The tree is of no use afterwards.
func CompileTree(tree *syntax.Tree, opts Options) (m *mpy.Module, err error) {
	c := &compiler{
		opts:  opts.withDefaults(),
		names: newNameTable(),
		loop:  loop{breakTo: noLabel, continueTo: noLabel},
		zero:  &syntax.Node{Kind: syntax.KindSmallInt},
		one:   &syntax.Node{Kind: syntax.KindSmallInt, Int: 1},
	}
	c.names.source = c.names.intern(tree.Name)
	c.emit = emitter{
		gen:      mpy.GenerationOf(c.opts.Version),
		names:    &c.names,
		feat:     c.opts.Features,
		optLevel: c.opts.OptLevel,
	}
	if c.emit.gen == nil {
		return nil, fmt.Errorf("compiler: no .mpy version %d: use 3, 4 or 5", opts.Version)
	}
	defer func() {
		// The device leaves its compiler by a long jump when its heap is
		// full; whatever else panics is a bug and goes on.
		if r := recover(); r != nil {
			f, ok := r.(failure)
			if !ok {
				panic(r)
			}
			m, err = nil, f.err
		}
	}()
	return c.run(tree)
}

// run makes all passes over all scopes.
func (c *compiler) run(tree *syntax.Tree) (*mpy.Module, error) {
	root := c.newScope(scopeModule, tree.Root)
	c.emitterRef = c.alloc(c.emitterSize())

	maxLabels := label(0)
	for i := 0; i < len(c.scopes) && c.err == nil; i++ {
		s := c.scopes[i]
		c.emit.quiet, c.first = true, true
		c.emit.start(s, -1)
		c.scope(s)
		for i := range s.ids {
			if id := &s.ids[i]; id.kind == idGlobalImplicit {
				c.checkToCloseOver(s, id)
			}
		}
		maxLabels = max(maxLabels, c.nextLabel)
	}
	if c.err == nil {
		for _, s := range c.scopes {
			s.layOut(c.opts.Features.NativeFlags)
		}
	}
	c.labelsRef = c.alloc(4 * int(maxLabels))
	c.emit.quiet, c.first = false, false
	for i := 0; i < len(c.scopes) && c.err == nil; i++ {
		c.write(c.scopes[i])
	}

	if c.err == nil && len(c.names.module) > 1<<16 {
		c.err = &syntax.Error{Msg: "too many names"}
	}
	var err error
	if c.err != nil {
		c.setErrorLine(c.cur.node)
		c.err.Name, c.err.Line = tree.Name, c.errLine
		placed := &Error{Err: c.err, Block: c.names.texts[c.cur.name]}
		if c.opts.Located != nil {
			c.opts.Located(placed)
		}
		err = placed
	}
	c.free(c.labelsRef)
	c.free(c.emitterRef)
	tree.Release()
	for _, s := range c.scopes {
		c.free(s.idsRef)
		c.free(s.selfRef)
	}
	if err != nil {
		return nil, err
	}
	return c.module(root.raw), nil
}

// numberedNames is a table of names that also numbers them, as that of a
// cross-compiler does.
type numberedNames interface {
	IDs(names []string) []uint16
}

// module puts the compiled module together.
func (c *compiler) module(root *mpy.RawCode) *mpy.Module {
	m := &mpy.Module{
		Version:      c.opts.Version,
		Names:        c.names.module,
		Root:         root,
		SmallIntBits: c.opts.SmallIntBits,
		Unicode:      c.opts.Unicode,
	}
	if names, ok := c.opts.Names.(numberedNames); ok {
		m.CompilerIDs = names.IDs(m.Names)
	}
	return m
}

// write makes the code of s.
func (c *compiler) write(s *scope) {
	c.emit.start(s, -1)
	c.scope(s)
	if c.err == nil && !c.emit.link() {
		c.emit.start(s, c.emit.childBase)
		c.scope(s)
		c.emit.link()
	}
	if c.err == nil {
		c.err = c.emit.finish()
	}
	if c.err == nil && c.opts.Budget != nil {
		c.chargeCode(s)
	}
	if c.err == nil && c.opts.Locals != nil && s.kind.funcLike() {
		names, free := c.localNames(s)
		c.opts.Locals(s.raw, names, free)
	}
}

// localNames are the names of a function's local variables by number, and how many
// of them are from outside.
func (c *compiler) localNames(s *scope) (names map[int]string, free int) {
	names = map[int]string{}
	for i := range s.ids {
		switch id := &s.ids[i]; {
		case id.kind == idLocal, id.kind == idCell, id.kind == idFree, id.flags&idIsParam != 0:
			names[id.local] = c.names.texts[id.name]
			if id.kind == idFree {
				free++
			}
		}
	}
	return names, free
}

// newLabel gives the next label of the scope.
func (c *compiler) newLabel() label {
	c.nextLabel++
	return c.nextLabel - 1
}

// fail notes an error at n, unless there is one already. Compiling goes on as
// it does on the device.
func (c *compiler) fail(n *syntax.Node, msg string) {
	if c.err == nil {
		c.err = &syntax.Error{Kind: syntax.SyntaxError, Msg: msg}
		c.setErrorLine(n)
		if c.opts.Failed != nil {
			c.opts.Failed(c.err)
		}
	}
}

// setErrorLine takes the error's line from n, if it is not known yet.
func (c *compiler) setErrorLine(n *syntax.Node) {
	if c.errLine == 0 && n.IsStruct() {
		c.errLine = n.Line
	}
}

// maxDepth is how deep a tree may be nested. The device's stack ends long
// before.
const maxDepth = 10000

// enter and leave surround what calls itself.
func (c *compiler) enter() {
	if c.depth++; c.depth > maxDepth {
		panic(failure{&Error{
			Err:   &syntax.Error{Msg: "too deeply nested", Name: c.names.texts[c.names.source], Line: c.cur.node.Line},
			Block: c.names.texts[c.cur.name],
		}})
	}
}

func (c *compiler) leave() { c.depth-- }
