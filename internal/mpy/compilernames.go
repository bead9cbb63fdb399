package mpy

import "fmt"

// CompilerNames is the table of interned names of a cross-compiler, mpy-cross
// of one release: the names built into it, then those it meets, numbered in
// the order it meets them. It decides two things about the file: a string
// literal that is a name already stays one however long it is, and some of the
// numbers end up in files of versions 3 and 4 (Module.CompilerIDs).
//
// It satisfies syntax.Names. It is not a device's table.
type CompilerNames struct {
	numbers map[string]uint16
	next    int
}

// NewCompilerNames makes the table of a fresh mpy-cross for a .mpy version: of
// v1.10 for 3, of v1.11 for 4, of v1.12 for 5. It returns nil for any other.
func NewCompilerNames(version int) *CompilerNames {
	var lists [][]string
	switch version {
	case 3:
		lists = [][]string{compilerNames3[:]}
	case 4:
		lists = [][]string{staticNames[:], compilerNames4[:]}
	case 5:
		lists = [][]string{staticNames[:], compilerNames4[:compilerNew5], {"__bases__"}, compilerNames4[compilerNew5:]}
	default:
		return nil
	}
	// Number 0 is no name.
	c := &CompilerNames{numbers: make(map[string]uint16, 512), next: 1}
	for _, list := range lists {
		for _, s := range list {
			c.numbers[s] = uint16(c.next)
			c.next++
		}
	}
	return c
}

// maxNameLen is the longest name there can be.
const maxNameLen = 255

// Intern makes s a name if it is none yet. It fails if s is longer than a name
// can be, or if there are 65535 already.
func (c *CompilerNames) Intern(s string) error {
	if _, ok := c.numbers[s]; ok {
		return nil
	}
	if len(s) > maxNameLen {
		return fmt.Errorf("name too long: %d bytes, %d are possible", len(s), maxNameLen)
	}
	if c.next >= maxNames {
		return fmt.Errorf("too many names: %d are possible", maxNames-1)
	}
	c.numbers[s] = uint16(c.next)
	c.next++
	return nil
}

// Interned reports whether s is a name already.
func (c *CompilerNames) Interned(s string) bool {
	_, ok := c.numbers[s]
	return ok
}

// ID gives the number of the name s, 0 if it is none.
func (c *CompilerNames) ID(s string) uint16 { return c.numbers[s] }

// IDs gives the numbers of several names, as Module.CompilerIDs wants them.
func (c *CompilerNames) IDs(names []string) []uint16 {
	ids := make([]uint16, len(names))
	for i, s := range names {
		ids[i] = c.numbers[s]
	}
	return ids
}

// compilerNew5 is where in compilerNames4 the one name stands that v1.12 adds.
const compilerNew5 = 5

// compilerNames4 are the names built into mpy-cross v1.11 behind the static
// ones.
var compilerNames4 = [...]string{
	"__add__", "__aenter__", "__aexit__", "__aiter__", "__anext__", "__bool__", "__build_class__",
	"__contains__", "__dict__", "__eq__", "__ge__", "__gt__", "__iadd__", "__import__", "__isub__",
	"__le__", "__lt__", "__path__", "__repl_print__", "__reversed__", "__sub__", "__traceback__",
	"%#o", "%#x", "{:#b}", "maximum recursion depth exceeded", "<lambda>", "<listcomp>", "<dictcomp>",
	"<setcomp>", "<genexpr>", "<string>", "<stdin>", "None", "StopAsyncIteration", "UnicodeError",
	"ViperTypeError", "add", "addi", "align", "and_", "asm_thumb", "asm_xtensa", "asr", "b", "ball",
	"bany", "bbc", "bbs", "beq", "beqz", "bge", "bgeu", "bin", "bl", "blt", "bnall", "bne", "bnez",
	"bnone", "bound_method", "bx", "calcsize", "callx0", "closure", "clz", "cmp", "complex", "cpsid",
	"cpsie", "data", "decode", "default", "delattr", "deleter", "dict_view", "difference",
	"difference_update", "discard", "doc", "encode", "enumerate", "filter", "float", "fromkeys",
	"function", "generator", "getter", "heap_lock", "heap_unlock", "hex", "imag", "intersection",
	"intersection_update", "isdisjoint", "issubset", "issuperset", "iterable", "iterator", "j", "jx",
	"l16si", "l16ui", "l32i", "l8ui", "label", "ldr", "ldrb", "ldrex", "ldrh", "lsl", "lsr", "max",
	"min", "module", "mov", "mov_n", "movi", "movt", "movw", "movwt", "mrs", "mull", "native", "nop",
	"oct", "opt_level", "or_", "pack", "pack_into", "pend_throw", "property", "ptr", "ptr16", "ptr32",
	"ptr8", "push", "rbit", "real", "ret_n", "reversed", "s16i", "s32i", "s8i", "sdiv", "setter",
	"slice", "strb", "strex", "strh", "sub", "symmetric_difference", "symmetric_difference_update",
	"udiv", "uint", "union", "unpack", "unpack_from", "ustruct", "vcmp", "vcvt_f32_s32",
	"vcvt_s32_f32", "viper", "vldr", "vmov", "vmrs", "vneg", "vsqrt", "vstr", "wfi", "xor",
}

// compilerNames3 are the names built into mpy-cross v1.10.
var compilerNames3 = [...]string{
	"", "__add__", "__aenter__", "__aexit__", "__aiter__", "__anext__", "__bool__", "__build_class__",
	"__call__", "__class__", "__contains__", "__delitem__", "__dict__", "__enter__", "__eq__",
	"__exit__", "__ge__", "__getattr__", "__getitem__", "__gt__", "__hash__", "__iadd__", "__import__",
	"__init__", "__int__", "__isub__", "__iter__", "__le__", "__len__", "__lt__", "__main__",
	"__module__", "__name__", "__new__", "__next__", "__path__", "__qualname__", "__repl_print__",
	"__repr__", "__reversed__", "__setitem__", "__str__", "__sub__", "__traceback__", "*", "_", "/",
	"%#o", "%#x", "{:#b}", " ", "\n", "maximum recursion depth exceeded", "<module>", "<lambda>",
	"<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>", "<string>", "<stdin>", "utf-8",
	"ArithmeticError", "AssertionError", "AttributeError", "BaseException", "EOFError", "Ellipsis",
	"Exception", "GeneratorExit", "ImportError", "IndentationError", "IndexError", "KeyError",
	"KeyboardInterrupt", "LookupError", "MemoryError", "NameError", "NoneType", "NotImplementedError",
	"OSError", "OverflowError", "RuntimeError", "StopAsyncIteration", "StopIteration", "SyntaxError",
	"SystemExit", "TypeError", "UnicodeError", "ValueError", "ZeroDivisionError", "abs", "add", "all",
	"any", "append", "args", "bin", "bool", "bound_method", "builtins", "bytearray", "bytecode",
	"bytes", "calcsize", "callable", "chr", "classmethod", "clear", "close", "closure", "complex",
	"const", "copy", "count", "decode", "default", "delattr", "deleter", "dict", "dict_view",
	"difference", "difference_update", "dir", "discard", "divmod", "doc", "encode", "end", "endswith",
	"enumerate", "eval", "exec", "extend", "filter", "find", "float", "format", "from_bytes",
	"fromkeys", "function", "generator", "get", "getattr", "getter", "globals", "hasattr", "hash",
	"heap_lock", "heap_unlock", "hex", "id", "imag", "index", "insert", "int", "intersection",
	"intersection_update", "isalpha", "isdigit", "isdisjoint", "isinstance", "islower", "isspace",
	"issubclass", "issubset", "issuperset", "isupper", "items", "iter", "iterable", "iterator", "join",
	"key", "keys", "len", "list", "little", "locals", "lower", "lstrip", "map", "max", "micropython",
	"min", "module", "next", "object", "oct", "opt_level", "ord", "pack", "pack_into", "pend_throw",
	"pop", "popitem", "pow", "print", "property", "range", "real", "remove", "replace", "repr",
	"reverse", "reversed", "rfind", "rindex", "round", "rsplit", "rstrip", "send", "sep", "set",
	"setattr", "setdefault", "setter", "slice", "sort", "sorted", "split", "start", "startswith",
	"staticmethod", "step", "stop", "str", "strip", "sum", "super", "symmetric_difference",
	"symmetric_difference_update", "throw", "to_bytes", "tuple", "type", "union", "unpack",
	"unpack_from", "update", "upper", "ustruct", "value", "values", "zip",
}
