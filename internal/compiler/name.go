package compiler

import (
	"github.com/skep-sim/skep/internal/mpy"
	"github.com/skep-sim/skep/internal/syntax"
)

// A name is an identifier or a qstr, as a number within one compilation.
type name int32

// Names that the compiler itself knows; wellKnown has their texts.
const (
	nameNone name = iota // no name at all
	nameEmpty
	nameStar
	nameModuleScope
	nameLambdaScope
	nameListCompScope
	nameDictCompScope
	nameSetCompScope
	nameGenExprScope
	nameClassCell
	nameName
	nameModule
	nameQualname
	nameReplPrint
	nameRange
	nameSuper
	nameType
	nameMicropython
	nameBytecode
	nameOrderedDict
	nameAssertionError
	nameBaseException
	nameException
	nameStopAsyncIteration
	nameAiter
	nameAnext
	nameAenter
	nameAexit
	numWellKnown
)

var wellKnown = [numWellKnown]string{
	nameEmpty:              "",
	nameStar:               "*",
	nameModuleScope:        "<module>",
	nameLambdaScope:        "<lambda>",
	nameListCompScope:      "<listcomp>",
	nameDictCompScope:      "<dictcomp>",
	nameSetCompScope:       "<setcomp>",
	nameGenExprScope:       "<genexpr>",
	nameClassCell:          "__class__",
	nameName:               "__name__",
	nameModule:             "__module__",
	nameQualname:           "__qualname__",
	nameReplPrint:          "__repl_print__",
	nameRange:              "range",
	nameSuper:              "super",
	nameType:               "type",
	nameMicropython:        "micropython",
	nameBytecode:           "bytecode",
	nameOrderedDict:        "OrderedDict",
	nameAssertionError:     "AssertionError",
	nameBaseException:      "BaseException",
	nameException:          "Exception",
	nameStopAsyncIteration: "StopAsyncIteration",
	nameAiter:              "__aiter__",
	nameAnext:              "__anext__",
	nameAenter:             "__aenter__",
	nameAexit:              "__aexit__",
}

// nameTable gives numbers to names, and to those that the code refers to
// their place in the module's list.
type nameTable struct {
	texts  []string
	index  map[string]name
	refs   []int32 // by name: 1 + its place in module, 0 for none yet
	source name    // of the source text
	// module are the names that the code refers to.
	module []string
}

func newNameTable() nameTable {
	t := nameTable{
		texts: append(make([]string, 0, 2*numWellKnown), wellKnown[:]...),
		index: make(map[string]name, 2*numWellKnown),
		refs:  make([]int32, numWellKnown, 2*numWellKnown),
	}
	for i := nameEmpty; i < numWellKnown; i++ {
		t.index[wellKnown[i]] = i
	}
	return t
}

// intern gives the number of a text.
func (t *nameTable) intern(s string) name {
	if q, ok := t.index[s]; ok {
		return q
	}
	q := t.fresh(s)
	t.index[s] = q
	return q
}

// fresh gives a number that no text leads to.
func (t *nameTable) fresh(s string) name {
	q := name(len(t.texts))
	t.texts = append(t.texts, s)
	t.refs = append(t.refs, 0)
	return q
}

// leaf gives the number of a leaf's text, and keeps it in the leaf, which is
// visited once a pass.
func (t *nameTable) leaf(n *syntax.Node) name {
	if n.Int == 0 {
		n.Int = int64(t.intern(n.Name))
	}
	return name(n.Int)
}

// ref gives the place of q in the module's list.
func (t *nameTable) ref(q name) mpy.Name {
	if t.refs[q] == 0 {
		t.module = append(t.module, t.texts[q])
		t.refs[q] = int32(len(t.module))
	}
	return mpy.Name(t.refs[q] - 1)
}
