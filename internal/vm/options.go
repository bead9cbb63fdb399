package vm

import "github.com/skep-sim/skep/internal/compiler"

// ErrorLevel is how much error messages say: MICROPY_ERROR_REPORTING.
type ErrorLevel uint8

// The levels of error reporting.
const (
	ErrorsTerse ErrorLevel = iota
	ErrorsNormal
	ErrorsDetailed
)

// StdFiles is what sys.stdin, sys.stdout and sys.stderr are.
type StdFiles uint8

// The kinds of standard files.
const (
	NoStdFiles   StdFiles = iota // there are none
	ConsoleFiles                 // FileIO objects on the console, as upstream's ports without an operating system have
	DigiFiles                    // those with .buffer, and a read() that does not wait (Digi's user guide, "How to use the primary UART")
	HostFiles                    // TextIOWrapper objects on file descriptors
)

// Options are the build options of a firmware's interpreter, as upstream's
// mpconfig.h has them, as far as a program can notice them. The zero Options
// is the smallest build.
type Options struct {
	// V12: the rules are MicroPython v1.12's where they differ from v1.11's.
	V12 bool
	// Errors is the wording of error messages.
	Errors ErrorLevel
	// NoAlloca: frames of up to 44 bytes of state live on the heap and are left
	// to the collector (MICROPY_NO_ALLOCA) instead of on the C stack.
	NoAlloca bool
	// SaveCode: raw code can be saved again (MICROPY_PERSISTENT_CODE_SAVE), which
	// makes its struct 20 bytes long instead of 12.
	SaveCode bool
	// EventREPL: the prompt's line lives on the heap (MICROPY_REPL_EVENT_DRIVEN).
	EventREPL bool
	// OverrideBuiltins: names may be stored into builtins, and the prompt keeps
	// the last result in _ (MICROPY_CAN_OVERRIDE_BUILTINS).
	OverrideBuiltins bool
	// CPythonCompat: corners that cost code size (MICROPY_CPYTHON_COMPAT).
	CPythonCompat bool
	// AllSpecialMethods: classes may define all operators, not only + and -
	// (MICROPY_PY_ALL_SPECIAL_METHODS).
	AllSpecialMethods bool
	// AllInplaceMethods: classes may define all in-place operators, not only +=
	// and -= (MICROPY_PY_ALL_INPLACE_SPECIAL_METHODS, off in every known build).
	AllInplaceMethods bool
	// ReverseSpecialMethods: __radd__ and the like.
	ReverseSpecialMethods bool
	// Descriptors: __get__, __set__ and __delete__ of class attributes.
	Descriptors bool
	// DelAttr: __setattr__ and __delattr__ of classes.
	DelAttr bool
	// FunctionAttrs: f.__name__.
	FunctionAttrs bool
	// MethodCheckSelf: str.upper(1) is checked (MICROPY_BUILTIN_METHOD_CHECK_SELF_ARG).
	MethodCheckSelf bool
	// ModuleGetattr: module level __getattr__.
	ModuleGetattr bool
	// StrCenter, StrPartition, StrSplitlines: those methods of str.
	StrCenter, StrPartition, StrSplitlines bool
	// StrCount and StrOpModulo: count() and %.
	StrCount, StrOpModulo bool
	// MemoryView, FrozenSet, Property: those types; SliceAttrs, RangeAttrs: start,
	// stop and step of slices and ranges; Reversed, Enumerate, Filter, MinMax: those
	// functions.
	MemoryView, FrozenSet, SliceAttrs, RangeAttrs, Property, Reversed, Enumerate, Filter, MinMax bool
	// RangeBinaryOp: ranges compare.
	RangeBinaryOp bool
	// Complex: complex numbers.
	Complex bool
	// FloatDigits is how the digits of a float's text are rounded.
	FloatDigits FloatDigits
	// Pow3: pow() with three arguments.
	Pow3 bool
	// RoundInt: round() of an int with digits.
	RoundInt bool
	// NotImplementedConst: the name NotImplemented.
	NotImplementedConst bool
	// Compile and ExecFile: those functions.
	Compile, ExecFile bool
	// Input: input().
	Input bool
	// Help: the function help(); HelpModules: it knows help('modules').
	Help, HelpModules bool
	// TimeoutError: that exception exists.
	TimeoutError bool
	// AsyncAwait: the exception StopAsyncIteration (MICROPY_PY_ASYNC_AWAIT); the
	// compiler knows async and await in any case.
	AsyncAwait bool
	// MathSpecial: hyperbolic and gamma functions.
	MathSpecial bool
	// MathLog10: math.log10 without the other special functions, as Digi has it.
	MathLog10 bool
	// CMath: module cmath.
	CMath bool
	// AttrTuple: named tuple-like objects of sys.
	AttrTuple bool
	// NamedTupleAsdict: _asdict() of named tuples.
	NamedTupleAsdict bool
	// Deque: collections.deque; OrderedDict: collections.OrderedDict.
	Deque, OrderedDict bool
	// SliceAssignArray: a[1:2] = b of bytearray and array (MICROPY_PY_ARRAY_SLICE_ASSIGN).
	SliceAssignArray bool
	// ARM: the C compiler's target is ARM instead of a 32-bit PC: numbers of 64 bits are
	// aligned to 8 bytes instead of 4, and char is unsigned (seen in module ure).
	ARM bool
	// WeakLinks: plain names of modules (json) find the built-in one (ujson) if there
	// is no file (MICROPY_MODULE_WEAK_LINKS).
	WeakLinks bool
	// IOBase: uio.IOBase (MICROPY_PY_IO_IOBASE).
	IOBase bool
	// CRC32: ubinascii.crc32.
	CRC32 bool
	// HashSHA256, HashSHA1, HashMD5: those types of module uhashlib, which exists if
	// there is any.
	HashSHA256, HashSHA1, HashMD5 bool
	// SysAtexit: sys.atexit. MathIsClose: math.isclose.
	SysAtexit, MathIsClose bool
	// Regex: module ure; RegexDebug: ure.DEBUG; RegexGroups, RegexSpan, RegexSub: match.groups(), match.span()
	// with start() and end(), and sub().
	Regex, RegexDebug, RegexGroups, RegexSpan, RegexSub bool
	// PendThrow: pend_throw() of generators.
	PendThrow bool
	// ReturnCollected: gc.collect() returns a count.
	ReturnCollected bool
	// Finalisers: objects with __del__ written in C are finalised.
	Finalisers bool
	// Threshold: gc.threshold() exists (MICROPY_GC_ALLOC_THRESHOLD).
	Threshold bool
	// Scheduler: micropython.schedule exists (MICROPY_ENABLE_SCHEDULER).
	Scheduler bool
	// SysMaxsize, SysModules, SysExit, SysGetsizeof, SysExcInfo: those names of sys.
	SysMaxsize, SysModules, SysExit, SysGetsizeof, SysExcInfo bool
	// StdFiles are sys.stdin, stdout and stderr, and whether print() takes file=.
	StdFiles StdFiles
	// MemStats: micropython.mem_total, mem_current and mem_peak exist, and mem_info()
	// prints them (MICROPY_MEM_STATS).
	MemStats bool
	// KbdIntr: micropython.kbd_intr exists (MICROPY_KBD_EXCEPTION).
	KbdIntr bool
	// StaticEmergency is the size of a buffer for exceptions that are raised without
	// memory, where the build has it in static RAM.
	StaticEmergency int
	// EmergencyBuf: alloc_emergency_exception_buf exists, instead of such a buffer.
	EmergencyBuf bool
	// Warnings: warnings are printed.
	Warnings bool
	// HashBytes is the width of stored qstr hashes (MICROPY_QSTR_BYTES_IN_HASH).
	HashBytes int
	// QstrChunk is the size of a chunk of interned text (MICROPY_ALLOC_QSTR_CHUNK_INIT).
	QstrChunk int
	// ReaderBytes is the size of what reads a file while it is compiled or loaded; 0
	// is FileReader.
	ReaderBytes int
	// FirstPool is the size of the first pool of qstrs made at run time.
	FirstPool int
	// MpyVersion is the .mpy version that the loader takes.
	MpyVersion int
	// StackLimit is how many bytes of C stack may be used before RuntimeError.
	StackLimit int
	// FrameCost is what one call of a bytecode function takes of the C stack,
	// NativeCost what one nested call inside a builtin does (in bytes). Both are
	// estimates, see docs/not-modelled.md.
	FrameCost, NativeCost int
	// ErrnoOffset is added to every errno number that Python sees (7000 on an XBee).
	ErrnoOffset int
	// Compiler are the compiler's optional parts.
	Compiler compiler.Features
	// EmacsKeys: the prompt knows Ctrl-B, -F, -K, -N, -P, -U (MICROPY_REPL_EMACS_KEYS).
	EmacsKeys bool
	// FileAttr: modules from source get __file__, in v1.12 all that are no built-in
	// ones (MICROPY_PY___FILE__).
	FileAttr bool
	// ImportBlocks is a calibration, no rule of upstream's: how many blocks of 16
	// bytes importing a .mpy file from the file system keeps more than the loader's
	// rules say, or -1: one less, by giving back the function object of the module's
	// body once it has run. A module that runs in place in flash is not concerned.
	ImportBlocks int
	// ROMNames, if not empty, are the names that the firmware holds, in their
	// order; any other costs a program that uses it, even one that this
	// interpreter's own tables know.
	ROMNames []string
	// RAMNames are qstrs that this interpreter's Go code knows but the firmware's
	// ROM does not: a program that uses them pays for them.
	RAMNames []string
}

// WithRelease returns the options with the rules of MicroPython v1.11 or v1.12,
// given as 11 or 12: semantics, sizes in memory, and the .mpy version.
func (o Options) WithRelease(minor int) Options {
	o.V12 = minor >= 12
	o.MpyVersion = 4
	if o.V12 {
		o.MpyVersion = 5
		o.RegexDebug = false // an option of its own by then, off in every known build
	}
	return o
}

// Release is the release of MicroPython whose rules hold: 1, 11, 0.
func (o *Options) Release() [3]int {
	if o.V12 {
		return [3]int{1, 12, 0}
	}
	return [3]int{1, 11, 0}
}

// Full returns the options of a hosted build with everything in: the reference
// m32xbee of the recordings (package hosted).
func Full() Options {
	return Options{
		Errors: ErrorsDetailed, CPythonCompat: true, AllSpecialMethods: true, ReverseSpecialMethods: true,
		Descriptors: true, FunctionAttrs: true, MethodCheckSelf: true,
		StrCenter: true, StrPartition: true, StrSplitlines: true, StrCount: true, StrOpModulo: true,
		MemoryView: true, FrozenSet: true, SliceAttrs: true, RangeAttrs: true, Property: true, Reversed: true,
		Enumerate: true, Filter: true, MinMax: true, Complex: true, Pow3: true, RoundInt: true,
		FloatDigits: RoundLast, CMath: true, NotImplementedConst: true, Compile: true,
		AsyncAwait: true, MathSpecial: true, AttrTuple: true, Deque: true, OrderedDict: true, PendThrow: true,
		SliceAssignArray: true, ReturnCollected: true, Finalisers: true, KbdIntr: true, Threshold: true,
		SysMaxsize: true, SysModules: true, SysExit: true, SysExcInfo: true, StdFiles: HostFiles, Input: true, MemStats: true,
		StaticEmergency: 256, Warnings: true, OverrideBuiltins: true, EmacsKeys: true,
		HashBytes: 2, QstrChunk: 128, FirstPool: 20, MpyVersion: 4, ReaderBytes: 36,
		FileAttr: true, Compiler: compiler.Features{DoubleTupleAssign: true, TripleTupleAssign: true, ReturnIfExpr: true, OrderedDictLiteral: true},
		IOBase: true, CRC32: true, HashSHA256: true, Regex: true, RegexDebug: true,
		StackLimit: 40000, FrameCost: 176, NativeCost: 96,
	}
}

// Bare returns the options of the minimal bare-metal reference build.
func Bare() Options {
	return Options{
		Errors: ErrorsNormal, FloatDigits: RoundOnce, CPythonCompat: true, StrCount: true, StrOpModulo: true, MemoryView: true,
		MethodCheckSelf: true, RangeAttrs: true, FrozenSet: true, Property: true, Reversed: true, Enumerate: true, Filter: true, MinMax: true,
		Help: true, AsyncAwait: true, AttrTuple: true, Deque: true, OrderedDict: true, Finalisers: true, Threshold: true, PendThrow: true,
		Complex: true, SysMaxsize: true, SysModules: true, SysExit: true, StdFiles: ConsoleFiles, KbdIntr: true,
		HashBytes: 2, QstrChunk: 128, FirstPool: 20, MpyVersion: 4,
		FileAttr: true, Compiler: compiler.Features{DoubleTupleAssign: true, OrderedDictLiteral: true},
		StackLimit: 40000, FrameCost: 176, NativeCost: 96,
	}
}

// XBee returns the options of the XBee 3 Cellular's 2019 firmware as far as they
// are known or inferred (device-facts.md 1.5 and 8); a profile's own, with their
// sources, are set by package xbee.
func XBee() Options {
	o := Full()
	o.Errors = ErrorsNormal
	o.ReaderBytes = 0
	o.NoAlloca, o.SaveCode, o.EventREPL, o.OverrideBuiltins = true, true, true, true
	o.ReverseSpecialMethods = false
	o.Complex = false
	o.FloatDigits = RoundEach
	o.Descriptors = false
	o.Compile = false
	o.MathSpecial = false
	o.MathLog10 = true
	o.CMath = false
	o.Deque = false
	o.Pow3 = false
	o.SysExcInfo = false
	o.StdFiles = DigiFiles
	o.MemStats = false
	o.Input = false // not known; of Digi's samples only those for later firmware call it
	o.ReturnCollected = false
	o.Warnings = false
	o.EmacsKeys = false
	o.StaticEmergency = 0
	o.EmergencyBuf = true
	o.Scheduler = true
	o.Help, o.HelpModules = true, true
	o.StackLimit = 3584
	o.ErrnoOffset = 7000
	o.IOBase, o.WeakLinks = false, true
	o.ARM = true
	return o
}
