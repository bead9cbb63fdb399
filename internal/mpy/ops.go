package mpy

// Op is an operation of the bytecode, whatever its code in a generation. The
// values are the codes of MicroPython v1.11 (.mpy version 4), so that code of
// that generation can be dispatched on directly; the few operations v1.11
// lacks have values it leaves unused. Source: py/bc0.h of v1.10, v1.11, v1.12.
type Op byte

// The operations of v1.11.
const (
	OpLoadConstFalse    Op = 0x10
	OpLoadConstNone     Op = 0x11
	OpLoadConstTrue     Op = 0x12
	OpLoadConstSmallInt Op = 0x14
	OpLoadConstString   Op = 0x16
	OpLoadConstObj      Op = 0x17
	OpLoadNull          Op = 0x18

	OpLoadFastN       Op = 0x19
	OpLoadDeref       Op = 0x1a
	OpLoadName        Op = 0x1b
	OpLoadGlobal      Op = 0x1c
	OpLoadAttr        Op = 0x1d
	OpLoadMethod      Op = 0x1e
	OpLoadSuperMethod Op = 0x1f
	OpLoadBuildClass  Op = 0x20
	OpLoadSubscr      Op = 0x21

	OpStoreFastN  Op = 0x22
	OpStoreDeref  Op = 0x23
	OpStoreName   Op = 0x24
	OpStoreGlobal Op = 0x25
	OpStoreAttr   Op = 0x26
	OpStoreSubscr Op = 0x27

	OpDeleteFast   Op = 0x28
	OpDeleteDeref  Op = 0x29
	OpDeleteName   Op = 0x2a
	OpDeleteGlobal Op = 0x2b

	OpDupTop    Op = 0x30
	OpDupTopTwo Op = 0x31
	OpPopTop    Op = 0x32
	OpRotTwo    Op = 0x33
	OpRotThree  Op = 0x34

	OpJump             Op = 0x35
	OpPopJumpIfTrue    Op = 0x36
	OpPopJumpIfFalse   Op = 0x37
	OpJumpIfTrueOrPop  Op = 0x38
	OpJumpIfFalseOrPop Op = 0x39
	OpSetupWith        Op = 0x3d
	OpWithCleanup      Op = 0x3e
	OpSetupExcept      Op = 0x3f
	OpSetupFinally     Op = 0x40
	OpEndFinally       Op = 0x41
	OpGetIter          Op = 0x42
	OpForIter          Op = 0x43
	OpPopExceptJump    Op = 0x44 // not in version 3
	OpUnwindJump       Op = 0x46
	OpGetIterStack     Op = 0x47

	OpBuildTuple     Op = 0x50
	OpBuildList      Op = 0x51
	OpBuildMap       Op = 0x53
	OpStoreMap       Op = 0x54
	OpBuildSet       Op = 0x56
	OpStoreComp      Op = 0x57
	OpBuildSlice     Op = 0x58
	OpUnpackSequence Op = 0x59
	OpUnpackEx       Op = 0x5a

	OpReturnValue  Op = 0x5b
	OpRaiseVarargs Op = 0x5c // version 5 has the three OpRaise... below instead
	OpYieldValue   Op = 0x5d
	OpYieldFrom    Op = 0x5e

	OpMakeFunction        Op = 0x60
	OpMakeFunctionDefargs Op = 0x61
	OpMakeClosure         Op = 0x62
	OpMakeClosureDefargs  Op = 0x63
	OpCallFunction        Op = 0x64
	OpCallFunctionVarKw   Op = 0x65
	OpCallMethod          Op = 0x66
	OpCallMethodVarKw     Op = 0x67

	OpImportName Op = 0x68
	OpImportFrom Op = 0x69
	OpImportStar Op = 0x6a

	// The operations from here on are the first of a range of codes: the
	// operand is the distance to the first.

	OpLoadConstSmallIntMulti Op = 0x70 // 64 codes: -16..47
	OpLoadFastMulti          Op = 0xb0 // 16 codes: local 0..15
	OpStoreFastMulti         Op = 0xc0 // 16 codes: local 0..15
	OpUnaryOpMulti           Op = 0xd0 // one code a UnaryOp of the bytecode
	OpBinaryOpMulti          Op = 0xd7 // one code a BinaryOp of the bytecode
)

// The operations v1.11 does not have.
const (
	OpPopBlock  Op = 0x01 // version 3
	OpPopExcept Op = 0x02 // version 3
	OpRaiseLast Op = 0x03 // version 5
	OpRaiseObj  Op = 0x04 // version 5
	OpRaiseFrom Op = 0x05 // version 5
)

const (
	// SmallIntMultiBias is what the first code of OpLoadConstSmallIntMulti
	// lies below zero.
	SmallIntMultiBias = 16
	smallIntMultiNum  = 64
	fastMultiNum      = 16

	// IterSlots is how many stack slots a running for loop's iterator takes.
	IterSlots = 4
)

// Operand tells how an operation's operand is encoded and what it means.
// "uint" and "int" are the big-endian base 128 numbers of py/bc.c.
type Operand uint8

// The kinds of operand.
const (
	OperandNone        Operand = iota
	OperandByte                // one byte: a count
	OperandUint                // uint: a count, or counts packed in one number
	OperandInt                 // int: a small int's value
	OperandLocal               // uint: the number of a local variable
	OperandName                // two bytes, little-endian: a name
	OperandObject              // uint: an index in the const table, of an object
	OperandChild               // uint: an index in the const table, of a child
	OperandChildByte           // the same, then one byte: how many cells it closes over
	OperandJump                // two bytes, little-endian, in excess of 0x8000: distance from the next byte
	OperandForward             // two bytes, little-endian: distance from the next instruction
	OperandJumpByte            // OperandJump, then one byte: how many handlers to leave, 0x80 to drop a for iterator
	OperandMultiInt            // in the code: a small int, in excess of SmallIntMultiBias
	OperandMultiLocal          // in the code: the number of a local variable
	OperandMultiUnary          // in the code: a UnaryOp
	OperandMultiBinary         // in the code: a BinaryOp
)

// OpInfo is one row of the opcode table.
type OpInfo struct {
	Op      Op
	Name    string // as in upstream's bc0.h
	Operand Operand
	// Codes are the byte values in .mpy versions 3, 4 and 5, in that order;
	// 0 where the generation lacks the operation.
	Codes [3]byte
	// Pop and Push are how many stack slots the operation takes off and puts
	// on when it goes on to the next instruction. Varies means that they
	// depend on the operand: see Instr.Effect.
	Pop, Push int8
}

// Varies marks a stack effect that depends on the operand.
const Varies = -1

// opTable is the one description of the bytecode: encoder, decoder, verifier
// and disassembler are made of it. Each row ends in a stack picture: the
// stack before, the operation with its operand, the stack after; "iter" stands
// for IterSlots slots.
var opTable = [...]OpInfo{
	{OpLoadConstFalse, "LOAD_CONST_FALSE", OperandNone, [3]byte{0x10, 0x10, 0x50}, 0, 1},                   //                - LOAD_CONST_FALSE        False
	{OpLoadConstNone, "LOAD_CONST_NONE", OperandNone, [3]byte{0x11, 0x11, 0x51}, 0, 1},                     //                - LOAD_CONST_NONE         None
	{OpLoadConstTrue, "LOAD_CONST_TRUE", OperandNone, [3]byte{0x12, 0x12, 0x52}, 0, 1},                     //                - LOAD_CONST_TRUE         True
	{OpLoadConstSmallInt, "LOAD_CONST_SMALL_INT", OperandInt, [3]byte{0x14, 0x14, 0x22}, 0, 1},             //                - LOAD_CONST_SMALL_INT<i> i
	{OpLoadConstString, "LOAD_CONST_STRING", OperandName, [3]byte{0x16, 0x16, 0x10}, 0, 1},                 //                - LOAD_CONST_STRING<name> str
	{OpLoadConstObj, "LOAD_CONST_OBJ", OperandObject, [3]byte{0x17, 0x17, 0x23}, 0, 1},                     //                - LOAD_CONST_OBJ<obj>     obj
	{OpLoadNull, "LOAD_NULL", OperandNone, [3]byte{0x18, 0x18, 0x53}, 0, 1},                                //                - LOAD_NULL               NULL
	{OpLoadFastN, "LOAD_FAST_N", OperandLocal, [3]byte{0x19, 0x19, 0x24}, 0, 1},                            //                - LOAD_FAST_N<local>      x
	{OpLoadDeref, "LOAD_DEREF", OperandLocal, [3]byte{0x1a, 0x1a, 0x25}, 0, 1},                             //                - LOAD_DEREF<local>       x
	{OpLoadName, "LOAD_NAME", OperandName, [3]byte{0x1b, 0x1b, 0x11}, 0, 1},                                //                - LOAD_NAME<name>         x
	{OpLoadGlobal, "LOAD_GLOBAL", OperandName, [3]byte{0x1c, 0x1c, 0x12}, 0, 1},                            //                - LOAD_GLOBAL<name>       x
	{OpLoadAttr, "LOAD_ATTR", OperandName, [3]byte{0x1d, 0x1d, 0x13}, 1, 1},                                //                x LOAD_ATTR<name>         x.name
	{OpLoadMethod, "LOAD_METHOD", OperandName, [3]byte{0x1e, 0x1e, 0x14}, 1, 2},                            //                x LOAD_METHOD<name>       method self-or-NULL
	{OpLoadSuperMethod, "LOAD_SUPER_METHOD", OperandName, [3]byte{0x1f, 0x1f, 0x15}, 3, 2},                 // super type self  LOAD_SUPER_METHOD<name> method self-or-NULL
	{OpLoadBuildClass, "LOAD_BUILD_CLASS", OperandNone, [3]byte{0x20, 0x20, 0x54}, 0, 1},                   //                - LOAD_BUILD_CLASS        __build_class__
	{OpLoadSubscr, "LOAD_SUBSCR", OperandNone, [3]byte{0x21, 0x21, 0x55}, 2, 1},                            //              x i LOAD_SUBSCR             x[i]
	{OpStoreFastN, "STORE_FAST_N", OperandLocal, [3]byte{0x22, 0x22, 0x26}, 1, 0},                          //                x STORE_FAST_N<local>     -
	{OpStoreDeref, "STORE_DEREF", OperandLocal, [3]byte{0x23, 0x23, 0x27}, 1, 0},                           //                x STORE_DEREF<local>      -
	{OpStoreName, "STORE_NAME", OperandName, [3]byte{0x24, 0x24, 0x16}, 1, 0},                              //                x STORE_NAME<name>        -
	{OpStoreGlobal, "STORE_GLOBAL", OperandName, [3]byte{0x25, 0x25, 0x17}, 1, 0},                          //                x STORE_GLOBAL<name>      -
	{OpStoreAttr, "STORE_ATTR", OperandName, [3]byte{0x26, 0x26, 0x18}, 2, 0},                              //              v x STORE_ATTR<name>        -
	{OpStoreSubscr, "STORE_SUBSCR", OperandNone, [3]byte{0x27, 0x27, 0x56}, 3, 0},                          //            v x i STORE_SUBSCR            -
	{OpDeleteFast, "DELETE_FAST", OperandLocal, [3]byte{0x28, 0x28, 0x28}, 0, 0},                           //                - DELETE_FAST<local>      -
	{OpDeleteDeref, "DELETE_DEREF", OperandLocal, [3]byte{0x29, 0x29, 0x29}, 0, 0},                         //                - DELETE_DEREF<local>     -
	{OpDeleteName, "DELETE_NAME", OperandName, [3]byte{0x2a, 0x2a, 0x19}, 0, 0},                            //                - DELETE_NAME<name>       -
	{OpDeleteGlobal, "DELETE_GLOBAL", OperandName, [3]byte{0x2b, 0x2b, 0x1a}, 0, 0},                        //                - DELETE_GLOBAL<name>     -
	{OpDupTop, "DUP_TOP", OperandNone, [3]byte{0x30, 0x30, 0x57}, 1, 2},                                    //                x DUP_TOP                 x x
	{OpDupTopTwo, "DUP_TOP_TWO", OperandNone, [3]byte{0x31, 0x31, 0x58}, 2, 4},                             //              x y DUP_TOP_TWO             x y x y
	{OpPopTop, "POP_TOP", OperandNone, [3]byte{0x32, 0x32, 0x59}, 1, 0},                                    //                x POP_TOP                 -
	{OpRotTwo, "ROT_TWO", OperandNone, [3]byte{0x33, 0x33, 0x5a}, 2, 2},                                    //              x y ROT_TWO                 y x
	{OpRotThree, "ROT_THREE", OperandNone, [3]byte{0x34, 0x34, 0x5b}, 3, 3},                                //            x y z ROT_THREE               z x y
	{OpJump, "JUMP", OperandJump, [3]byte{0x35, 0x35, 0x42}, 0, 0},                                         //                - JUMP<to>                -
	{OpPopJumpIfTrue, "POP_JUMP_IF_TRUE", OperandJump, [3]byte{0x36, 0x36, 0x43}, 1, 0},                    //                x POP_JUMP_IF_TRUE<to>    -
	{OpPopJumpIfFalse, "POP_JUMP_IF_FALSE", OperandJump, [3]byte{0x37, 0x37, 0x44}, 1, 0},                  //                x POP_JUMP_IF_FALSE<to>   -
	{OpJumpIfTrueOrPop, "JUMP_IF_TRUE_OR_POP", OperandJump, [3]byte{0x38, 0x38, 0x45}, 1, 0},               //                x JUMP_IF_TRUE_OR_POP<to> -    (x where it jumps)
	{OpJumpIfFalseOrPop, "JUMP_IF_FALSE_OR_POP", OperandJump, [3]byte{0x39, 0x39, 0x46}, 1, 0},             //               x JUMP_IF_FALSE_OR_POP<to> -    (x where it jumps)
	{OpSetupWith, "SETUP_WITH", OperandForward, [3]byte{0x3d, 0x3d, 0x47}, 1, 3},                           //              ctx SETUP_WITH<handler>     exit ctx ctx.__enter__()
	{OpWithCleanup, "WITH_CLEANUP", OperandNone, [3]byte{0x3e, 0x3e, 0x5c}, 3, 1},                          //   exit ctx cause WITH_CLEANUP            cause (None if __exit__ swallowed it)
	{OpSetupExcept, "SETUP_EXCEPT", OperandForward, [3]byte{0x3f, 0x3f, 0x48}, 0, 0},                       //                - SETUP_EXCEPT<handler>   -    (exception at the handler)
	{OpSetupFinally, "SETUP_FINALLY", OperandForward, [3]byte{0x40, 0x40, 0x49}, 0, 0},                     //                - SETUP_FINALLY<handler>  -    (exception at the handler)
	{OpEndFinally, "END_FINALLY", OperandNone, [3]byte{0x41, 0x41, 0x5d}, 1, 0},                            //            cause END_FINALLY             -
	{OpGetIter, "GET_ITER", OperandNone, [3]byte{0x42, 0x42, 0x5e}, 1, 1},                                  //                x GET_ITER                iter(x), in one slot
	{OpForIter, "FOR_ITER", OperandForward, [3]byte{0x43, 0x43, 0x4b}, IterSlots, IterSlots + 1},           //             iter FOR_ITER<end>           iter next   (- at the end)
	{OpPopExceptJump, "POP_EXCEPT_JUMP", OperandForward, [3]byte{0, 0x44, 0x4a}, 0, 0},                     //                - POP_EXCEPT_JUMP<to>     -
	{OpUnwindJump, "UNWIND_JUMP", OperandJumpByte, [3]byte{0x46, 0x46, 0x40}, 0, 0},                        //                - UNWIND_JUMP<to, n>      -
	{OpGetIterStack, "GET_ITER_STACK", OperandNone, [3]byte{0x47, 0x47, 0x5f}, 1, IterSlots},               //                x GET_ITER_STACK          iter
	{OpBuildTuple, "BUILD_TUPLE", OperandUint, [3]byte{0x50, 0x50, 0x2a}, Varies, 1},                       //        x1 ... xn BUILD_TUPLE<n>          (x1, ..., xn)
	{OpBuildList, "BUILD_LIST", OperandUint, [3]byte{0x51, 0x51, 0x2b}, Varies, 1},                         //        x1 ... xn BUILD_LIST<n>           [x1, ..., xn]
	{OpBuildMap, "BUILD_MAP", OperandUint, [3]byte{0x53, 0x53, 0x2c}, 0, 1},                                //                - BUILD_MAP<n>            {} with room for n
	{OpStoreMap, "STORE_MAP", OperandNone, [3]byte{0x54, 0x54, 0x62}, 3, 1},                                //       dict v key STORE_MAP               dict
	{OpBuildSet, "BUILD_SET", OperandUint, [3]byte{0x56, 0x56, 0x2d}, Varies, 1},                           //        x1 ... xn BUILD_SET<n>            {x1, ..., xn}
	{OpStoreComp, "STORE_COMP", OperandUint, [3]byte{0x57, 0x57, 0x2f}, Varies, 0},                         //    x, or v key   STORE_COMP<depth<<2|kind> -  (kind 0 list, 1 dict, 2 set)
	{OpBuildSlice, "BUILD_SLICE", OperandUint, [3]byte{0x58, 0x58, 0x2e}, Varies, 1},                       // start stop [step] BUILD_SLICE<2 or 3>    slice
	{OpUnpackSequence, "UNPACK_SEQUENCE", OperandUint, [3]byte{0x59, 0x59, 0x30}, 1, Varies},               //              seq UNPACK_SEQUENCE<n>      xn ... x1
	{OpUnpackEx, "UNPACK_EX", OperandUint, [3]byte{0x5a, 0x5a, 0x31}, 1, Varies},                           //              seq UNPACK_EX<l|r<<8>       r items, list, l items; the first item on top
	{OpReturnValue, "RETURN_VALUE", OperandNone, [3]byte{0x5b, 0x5b, 0x63}, 1, 0},                          //                x RETURN_VALUE
	{OpRaiseVarargs, "RAISE_VARARGS", OperandByte, [3]byte{0x5c, 0x5c, 0}, Varies, 0},                      //     [exc [from]] RAISE_VARARGS<n>
	{OpYieldValue, "YIELD_VALUE", OperandNone, [3]byte{0x5d, 0x5d, 0x67}, 1, 1},                            //                x YIELD_VALUE             what was sent
	{OpYieldFrom, "YIELD_FROM", OperandNone, [3]byte{0x5e, 0x5e, 0x68}, 2, 1},                              //         gen send YIELD_FROM              gen's value
	{OpMakeFunction, "MAKE_FUNCTION", OperandChild, [3]byte{0x60, 0x60, 0x32}, 0, 1},                       //                - MAKE_FUNCTION<child>    f
	{OpMakeFunctionDefargs, "MAKE_FUNCTION_DEFARGS", OperandChild, [3]byte{0x61, 0x61, 0x33}, 2, 1},        //       tuple dict MAKE_FUNCTION_DEFARGS<child> f
	{OpMakeClosure, "MAKE_CLOSURE", OperandChildByte, [3]byte{0x62, 0x62, 0x20}, Varies, 1},                //        c1 ... cn MAKE_CLOSURE<child, n>  f
	{OpMakeClosureDefargs, "MAKE_CLOSURE_DEFARGS", OperandChildByte, [3]byte{0x63, 0x63, 0x21}, Varies, 1}, // tuple dict c1 ... cn MAKE_CLOSURE_DEFARGS<child, n> f
	{OpCallFunction, "CALL_FUNCTION", OperandUint, [3]byte{0x64, 0x64, 0x34}, Varies, 1},                   // f args k1 v1 ... CALL_FUNCTION<pos|kw<<8> result
	{OpCallFunctionVarKw, "CALL_FUNCTION_VAR_KW", OperandUint, [3]byte{0x65, 0x65, 0x35}, Varies, 1},       // f args k1 v1 ... seq dict CALL_FUNCTION_VAR_KW<pos|kw<<8> result
	{OpCallMethod, "CALL_METHOD", OperandUint, [3]byte{0x66, 0x66, 0x36}, Varies, 1},                       // f self args k1 v1 ... CALL_METHOD<pos|kw<<8> result
	{OpCallMethodVarKw, "CALL_METHOD_VAR_KW", OperandUint, [3]byte{0x67, 0x67, 0x37}, Varies, 1},           // f self args k1 v1 ... seq dict CALL_METHOD_VAR_KW<pos|kw<<8> result
	{OpImportName, "IMPORT_NAME", OperandName, [3]byte{0x68, 0x68, 0x1b}, 2, 1},                            //   level fromlist IMPORT_NAME<name>       module
	{OpImportFrom, "IMPORT_FROM", OperandName, [3]byte{0x69, 0x69, 0x1c}, 1, 2},                            //           module IMPORT_FROM<name>       module module.name
	{OpImportStar, "IMPORT_STAR", OperandNone, [3]byte{0x6a, 0x6a, 0x69}, 1, 0},                            //           module IMPORT_STAR             -

	{OpLoadConstSmallIntMulti, "LOAD_CONST_SMALL_INT", OperandMultiInt, [3]byte{0x70, 0x70, 0x70}, 0, 1}, //             - LOAD_CONST_SMALL_INT<i> i
	{OpLoadFastMulti, "LOAD_FAST", OperandMultiLocal, [3]byte{0xb0, 0xb0, 0xb0}, 0, 1},                   //                - LOAD_FAST<local>        x
	{OpStoreFastMulti, "STORE_FAST", OperandMultiLocal, [3]byte{0xc0, 0xc0, 0xc0}, 1, 0},                 //                x STORE_FAST<local>       -
	{OpUnaryOpMulti, "UNARY_OP", OperandMultiUnary, [3]byte{0xd0, 0xd0, 0xd0}, 1, 1},                     //                x UNARY_OP<op>            op x
	{OpBinaryOpMulti, "BINARY_OP", OperandMultiBinary, [3]byte{0xd7, 0xd7, 0xd7}, 2, 1},                  //              x y BINARY_OP<op>           x op y

	{OpPopBlock, "POP_BLOCK", OperandNone, [3]byte{0x44, 0, 0}, 0, 0},   //                - POP_BLOCK               -
	{OpPopExcept, "POP_EXCEPT", OperandNone, [3]byte{0x45, 0, 0}, 0, 0}, //                - POP_EXCEPT              -
	{OpRaiseLast, "RAISE_LAST", OperandNone, [3]byte{0, 0, 0x64}, 0, 0}, //                - RAISE_LAST
	{OpRaiseObj, "RAISE_OBJ", OperandNone, [3]byte{0, 0, 0x65}, 1, 0},   //              exc RAISE_OBJ
	{OpRaiseFrom, "RAISE_FROM", OperandNone, [3]byte{0, 0, 0x66}, 2, 0}, //         exc from RAISE_FROM
}
