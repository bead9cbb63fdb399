package vm

import "unsafe"

// This file is the loop that runs decoded bytecode.

// iterSlots is the number of stack slots that a for loop's iterator takes.
const iterSlots = 4

// loopEnd is why the loop was left.
type loopEnd uint8

const (
	endReturn loopEnd = iota
	endYield
	endRaise // an exception that no frame down to the entry frame handles
	endPanic // built-in code raised an exception: it is in VM.exc
)

// word is a slot or local variable of the running frame, by its offset from the first
// slot of the value stack. Offsets were checked when the instructions were placed.
func word(fp unsafe.Pointer, offset uint32) *Value { return (*Value)(unsafe.Add(fp, offset)) }

// words are n slots from one on.
func words(fp unsafe.Pointer, offset, n uint32) []Value { return unsafe.Slice(word(fp, offset), n) }

// pair is two slots.
func pair(fp unsafe.Pointer, offset uint32) *[2]Value { return (*[2]Value)(unsafe.Add(fp, offset)) }

// next is the instruction that follows another.
func next(ip *instr) *instr { return (*instr)(unsafe.Add(unsafe.Pointer(ip), ip.skip)) }

// target is where a jump goes.
func target(ip *instr) *instr { return (*instr)(unsafe.Add(unsafe.Pointer(ip), int32(ip.c))) }

// loop runs vm.frame and what it calls until the nearest frame of kindEntry
// returns or yields. mark is where temporaries begin. Exceptions that the loop
// itself meets are handled by unwind; those raised by built-in code arrive as Go
// panics and are handled by runFrame, which calls loop again.
//
// Its two variables are the instruction and the frame; whatever else would have to
// live from one instruction to the next costs a store in each.
func (vm *VM) loop(mark int) (result Value, end loopEnd) {
	m := vm.Mem
	var ip *instr
	var fp unsafe.Pointer
	var v, exc, left, right Value
	var kind frameKind // of a frame that was left

	if f := vm.frame; f.inject != Null && f.at(f.pc).op != iYieldFrom {
		exc = f.inject
		f.inject = Null
		vm.Raise(vm.makeRaiseObj(exc)) // the traceback names the instruction it stopped at
	}
	ip, fp = vm.frame.at(vm.frame.pc), unsafe.Pointer(&m[vm.frame.base])

	for ; ; ip = next(ip) {
	dispatch:
		switch ip.op {
		case iLoadConst:
			v = Value(ip.a)
			*word(fp, ip.s) = v
			*word(fp, ip.c) = v

		case iLoadFast:
			v = *word(fp, ip.a)
			if v == Null {
				goto unbound
			}
			*word(fp, ip.s) = v
			*word(fp, ip.c) = v

		case iLoadFastFast:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			if left == Null || right == Null {
				goto plainly
			}
			*word(fp, ip.s) = left
			*word(fp, ip.s+4) = right

		case iLoadDeref:
			c := *word(fp, ip.a)
			if c&3 != 0 || c-1 >= romBase-1 || m[c/4] != TypeCell {
				vm.frame.pc = int(ip.y)
				vm.badCode()
			}
			v = m[c/4+1]
			if v == Null {
				goto unbound
			}
			*word(fp, ip.s) = v

		case iLoadName:
			if vm.locals != vm.globals {
				vm.frame.pc = int(ip.y)
				*word(fp, ip.s) = vm.loadName(Qstr(ip.a))
				continue
			}
			fallthrough

		case iLoadGlobal:
			g := vm.globals / 4
			if x := uint32(ip.x); x < uint32(m[g+2]) {
				if e := uint32(m[g+3])/4 + 2*x; m[e] == Value(ip.a<<2|2) {
					*word(fp, ip.s) = m[e+1]
					continue
				}
			}
			vm.frame.pc = int(ip.y)
			*word(fp, ip.s) = vm.loadGlobalCached(ip)
			vm.ntemps = mark

		case iLoadAttr:
			o := *word(fp, ip.a)
			if o&3 == 0 && o < romBase && m[o/4] < romBase && m[m[o/4]/4+classFlags]&classNative == 0 {
				key, size, t := Value(ip.b<<2|2), uint32(m[o/4+2]), uint32(m[o/4+3])/4
				if x := uint32(ip.x & 0xff); x < size && m[t+2*x] == key {
					v = m[t+2*x+1]
					*word(fp, ip.s) = v
					*word(fp, ip.c) = v
					continue
				}
				if x := uint32(ip.x >> 8); x < size && m[t+2*x] == key {
					v = m[t+2*x+1]
					*word(fp, ip.s) = v
					*word(fp, ip.c) = v
					continue
				}
				*word(fp, ip.s) = o
				vm.frame.pc = int(ip.y)
				if s := vm.mapGet(uint32(o)/4+1, key); s != 0 {
					ip.slotHint((s - t) / 2)
					v = m[s+1]
					*word(fp, ip.s) = v
					*word(fp, ip.c) = v
					continue
				}
				if get := vm.propertyGetter(o, Qstr(ip.b), vm.frame.code, ip.y); get != Null {
					vm.enterArgs(kindCall, get, unsafe.Add(fp, ip.s), 1)
					goto entered
				}
			}
			if o == Null {
				goto plainly
			}
			*word(fp, ip.s) = o
			vm.frame.pc = int(ip.y)
			v = vm.LoadAttr(o, Qstr(ip.b))
			*word(fp, ip.s) = v
			*word(fp, ip.c) = v
			vm.ntemps = mark

		case iLoadClass:
			vm.frame.pc = int(ip.y)
			*word(fp, ip.s) = vm.LoadAttr(*word(fp, ip.a), Qstr(ip.b))
			vm.ntemps = mark

		case iLoadMethod:
			o := *word(fp, ip.a)
			if o == Null {
				goto plainly
			}
			*word(fp, ip.s) = o
			vm.frame.pc = int(ip.y)
			if o&3 == 0 && o < romBase && (m[o/4] < romBase || m[o/4] == TypeType) {
				if vm.loadMethodFast(o, Qstr(ip.b), vm.frame.code, ip.y, pair(fp, ip.s)) {
					continue
				}
			} else if vm.loadBuiltinMethod(o, Qstr(ip.b), vm.frame.code, ip.y, pair(fp, ip.s)) {
				continue
			}
			d, back := vm.pair()
			vm.LoadMethod(o, Qstr(ip.b), d)
			*word(fp, ip.s), *word(fp, ip.s+4) = d[0], d[1]
			vm.nscratch = back
			vm.ntemps = mark

		case iLoadSuperMethod:
			vm.frame.pc = int(ip.y)
			d, back := vm.pair()
			vm.loadSuper(*word(fp, ip.s+4), *word(fp, ip.s+8), Qstr(ip.b), d)
			*word(fp, ip.s), *word(fp, ip.s+4) = d[0], d[1]
			vm.nscratch = back
			vm.ntemps = mark

		case iLoadBuildClass:
			*word(fp, ip.s) = vm.loadBuildClass()

		case iLoadSubscrC:
			left, right = *word(fp, ip.a), Value(ip.b)
			goto subscript

		case iLoadSubscr:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			goto subscript

		case iStoreFast:
			*word(fp, ip.a) = *word(fp, ip.s)

		case iStoreDeref:
			vm.frame.pc = int(ip.y)
			m[vm.cellAt(*word(fp, ip.a))] = *word(fp, ip.s)

		case iStoreName:
			if vm.locals != vm.globals {
				vm.frame.pc = int(ip.y)
				vm.DictStore(vm.locals, Value(ip.a<<2|2), *word(fp, ip.s))
				vm.ntemps = mark
				continue
			}
			fallthrough

		case iStoreGlobal:
			key, g := Value(ip.a<<2|2), vm.globals/4
			if x := uint32(ip.x); x < uint32(m[g+2]) {
				if e := uint32(m[g+3])/4 + 2*x; m[e] == key {
					m[e+1] = *word(fp, ip.s)
					continue
				}
			}
			vm.frame.pc = int(ip.y)
			vm.DictStore(vm.globals, key, *word(fp, ip.s))
			if e := vm.mapGet(uint32(g)+1, key); e != 0 {
				ip.x = uint16((e - uint32(m[g+3])/4) / 2)
			}
			vm.ntemps = mark

		case iStoreAttr:
			v = *word(fp, ip.a)
			o := *word(fp, ip.c)
			*word(fp, ip.s) = v
			*word(fp, ip.s+4) = o
			if v != Null && o&3 == 0 && o < romBase && m[o/4] < romBase &&
				(m[m[o/4]/4+classFlags]&classAccessors == 0 || vm.plainStore(m[o/4], Qstr(ip.b), vm.frame.code, ip.y)) {
				key, size, t := Value(ip.b<<2|2), uint32(m[o/4+2]), uint32(m[o/4+3])/4
				if x := uint32(ip.x & 0xff); x < size && m[t+2*x] == key {
					m[t+2*x+1] = v
					continue
				}
				if x := uint32(ip.x >> 8); x < size && m[t+2*x] == key {
					m[t+2*x+1] = v
					continue
				}
				vm.frame.pc = int(ip.y)
				vm.instanceStore(o, Qstr(ip.b), v)
				s := vm.mapGet(uint32(o)/4+1, key)
				ip.slotHint((s - uint32(m[o/4+3])/4) / 2)
				vm.ntemps = mark
				continue
			}
			if o == Null || v == Null && ip.a != ip.s {
				goto plainly
			}
			vm.frame.pc = int(ip.y)
			vm.StoreAttr(o, Qstr(ip.b), v)
			vm.ntemps = mark

		case iStoreSubscr:
			v, left, right = *word(fp, ip.a), *word(fp, ip.b), *word(fp, ip.c)
			*word(fp, ip.s) = v
			*word(fp, ip.s+4) = left
			*word(fp, ip.s+8) = right
			if v != Null && left&3 == 0 && left < romBase {
				switch m[left/4] {
				case TypeList:
					if right&1 != 0 {
						i, n := int32(right)>>1, int32(m[left/4+2])
						if i < 0 {
							i += n
						}
						if uint32(i) < uint32(n) {
							m[uint32(m[left/4+3])/4+uint32(i)] = v
							continue
						}
					}
				case TypeDict:
					if m[left/4+1]&mapFixed == 0 && right != Null {
						vm.frame.pc = int(ip.y)
						vm.DictStore(left, right, v)
						vm.ntemps = mark
						continue
					}
				case TypeByteArray:
					if right&v&1 != 0 {
						i, n := int32(right)>>1, int32(m[left/4+2])
						if i < 0 {
							i += n
						}
						if uint32(i) < uint32(n) {
							vm.Bytes[uint32(m[left/4+3])+uint32(i)] = byte(v >> 1)
							continue
						}
					}
				}
			}
			if left == Null || right == Null || v == Null && ip.a != ip.s {
				goto plainly
			}
			vm.frame.pc = int(ip.y)
			vm.Subscr(left, right, v)
			vm.ntemps = mark

		case iDeleteFast:
			if *word(fp, ip.a) == Null {
				goto unbound
			}
			*word(fp, ip.a) = Null

		case iDeleteDeref:
			vm.frame.pc = int(ip.y)
			c := vm.cellAt(*word(fp, ip.a))
			if m[c] == Null {
				goto unbound
			}
			m[c] = Null

		case iDeleteName:
			vm.frame.pc = int(ip.y)
			vm.Subscr(vm.locals, Qstr(ip.a).Value(), Null)
			vm.ntemps = mark

		case iDeleteGlobal:
			vm.frame.pc = int(ip.y)
			vm.Subscr(vm.globals, Qstr(ip.a).Value(), Null)
			vm.ntemps = mark

		case iDupTop:
			*word(fp, ip.s+4) = *word(fp, ip.s)

		case iDupTopTwo:
			*word(fp, ip.s+8), *word(fp, ip.s+12) = *word(fp, ip.s), *word(fp, ip.s+4)

		case iPopTop:

		case iRotTwo:
			*word(fp, ip.s), *word(fp, ip.s+4) = *word(fp, ip.s+4), *word(fp, ip.s)

		case iRotThree:
			*word(fp, ip.s), *word(fp, ip.s+4), *word(fp, ip.s+8) = *word(fp, ip.s+8), *word(fp, ip.s), *word(fp, ip.s+4)

		case iJump:
			goto jump

		case iPopJumpIfTrue:
			v = *word(fp, ip.a)
			*word(fp, ip.s) = v
			if v == True {
				goto jump
			}
			if v != False && v != None {
				if v == Null {
					goto plainly
				}
				vm.frame.pc = int(ip.y)
				yes := vm.IsTrue(v)
				vm.ntemps = mark
				if yes {
					goto jump
				}
			}
			ip = next(ip)
			goto tick

		case iPopJumpIfFalse:
			v = *word(fp, ip.a)
			*word(fp, ip.s) = v
			if v == True {
				continue
			}
			if v != False && v != None {
				if v == Null {
					goto plainly
				}
				vm.frame.pc = int(ip.y)
				yes := vm.IsTrue(v)
				vm.ntemps = mark
				if yes {
					continue
				}
			}
			goto jumpIfFalse

		case iJumpIfTrueOrPop:
			vm.frame.pc = int(ip.y)
			if vm.IsTrue(*word(fp, ip.s)) {
				vm.ntemps = mark
				goto jump
			}
			ip = next(ip)
			vm.ntemps = mark
			goto tick

		case iJumpIfFalseOrPop:
			vm.frame.pc = int(ip.y)
			if !vm.IsTrue(*word(fp, ip.s)) {
				vm.ntemps = mark
				goto jump
			}
			ip = next(ip)
			vm.ntemps = mark
			goto tick

		case iSetupWith:
			f := vm.frame
			f.pc = int(ip.y)
			w := (*[4]Value)(unsafe.Add(fp, ip.s))
			vm.loadWith(w[:], f.code, ip.y)
			if fn := w[2]; fn&3 == 0 && fn-1 < romBase-1 && m[fn/4] == TypeFunBC && w[3] != Null {
				vm.enterArgs(kindEnter, fn, unsafe.Add(fp, ip.s+12), 1)
				goto entered
			}
			v = vm.callMethod0([2]Value{w[2], w[3]})
			vm.pushHandler(f, ip.a, f.base+ip.s/4+1, true)
			w[2] = v
			vm.ntemps = mark

		case iWithCleanup:
			f := vm.frame
			f.pc = int(ip.y)
			if fn := *word(fp, ip.s); *word(fp, ip.s+8) == None && fn&3 == 0 && fn-1 < romBase-1 && m[fn/4] == TypeFunBC && *word(fp, ip.s+4) != Null {
				room, back := vm.pass(4)
				room[0], room[1], room[2], room[3] = *word(fp, ip.s+4), None, None, None
				vm.enter(kindExit, fn, room, nil)
				vm.nscratch = back
				goto entered
			}
			vm.withCleanup(f.base + ip.s/4 + 2)
			vm.ntemps = mark

		case iUnwindJump:
			f := vm.frame
			f.pc = int(ip.y)
			*word(fp, ip.s) = tagIndex(ip.a)
			vm.unwindJump(f, f.pc, f.base+ip.s/4, int(ip.x))
			ip = f.at(f.pc)
			goto tick

		case iSetupExcept:
			f := vm.frame
			f.pc = int(ip.y)
			vm.pushHandler(f, ip.a, f.base+ip.s/4-1, false)

		case iSetupFinally:
			f := vm.frame
			f.pc = int(ip.y)
			vm.pushHandler(f, ip.a, f.base+ip.s/4-1, true)

		case iEndFinally:
			f := vm.frame
			f.pc = int(ip.y)
			switch v = *word(fp, ip.s); {
			case v == None:
				vm.popHandler(f)
			case v.IsSmallInt():
				below := f.base + ip.s/4 - 1
				if cause := v.SmallInt(); cause < 0 {
					v = m[below]
					goto returned
				} else {
					vm.popHandler(f)
					vm.unwindJump(f, f.pc+1, below, cause)
					ip = f.at(f.pc)
					goto dispatch
				}
			default:
				exc = vm.makeRaiseObj(v)
				goto raise
			}

		case iGetIter:
			vm.frame.pc = int(ip.y)
			*word(fp, ip.s) = vm.Iter(*word(fp, ip.s), 0)
			vm.ntemps = mark

		case iGetIterStack:
			vm.frame.pc = int(ip.y)
			buf := 4*vm.frame.base + ip.s
			if it := vm.Iter(*word(fp, ip.s), buf); it != Value(buf) {
				*word(fp, ip.s) = Null
				*word(fp, ip.s+4) = it
			}
			vm.ntemps = mark

		case iForIter:
			switch *word(fp, ip.s) {
			case TypeRangeIter:
				cur, stop, step := int32(*word(fp, ip.s+4)), int32(*word(fp, ip.s+8)), int32(*word(fp, ip.s+12))
				if step > 0 && cur < stop || step < 0 && cur > stop {
					*word(fp, ip.s+4) = Value(cur + step)
					v = SmallInt(int(cur))
					*word(fp, ip.s+16) = v
					*word(fp, ip.a) = v
					continue
				}
				ip = target(ip)
				goto dispatch
			case TypePolyIter:
				if *word(fp, ip.s+4) == polyList {
					l, i := *word(fp, ip.s+8)/4, *word(fp, ip.s+12)
					if i < m[l+2] {
						*word(fp, ip.s+12) = i + 1
						v = m[m[l+3]/4+i]
						*word(fp, ip.s+16) = v
						*word(fp, ip.a) = v
						continue
					}
					ip = target(ip)
					goto dispatch
				}
			case Null:
				if it := *word(fp, ip.s+4); it&3 == 0 && it < romBase && m[it/4] == TypeGenInstance {
					vm.frame.pc = int(ip.y)
					if vm.resumeFrame(kindForIter, it, None, Null) {
						goto entered
					}
					ip = target(ip)
					goto dispatch
				}
			}
			vm.frame.pc = int(ip.y)
			if v = *word(fp, ip.s+4); *word(fp, ip.s) != Null {
				v = Value(4*vm.frame.base + ip.s)
			}
			v = vm.NextAllowRaise(v)
			vm.ntemps = mark
			if v == Null {
				ip = target(ip)
				goto dispatch
			}
			*word(fp, ip.s+16) = v
			*word(fp, ip.a) = v

		case iPopExceptJump:
			vm.popHandler(vm.frame)
			ip = target(ip)
			goto dispatch

		case iBuildTuple:
			vm.frame.pc = int(ip.y)
			if ip.a == 0 {
				*word(fp, ip.s) = EmptyTuple
				continue
			}
			*word(fp, ip.s) = vm.NewTuple(words(fp, ip.s, ip.a)...)
			vm.ntemps = mark

		case iBuildList:
			vm.frame.pc = int(ip.y)
			*word(fp, ip.s) = vm.NewList(words(fp, ip.s, ip.a)...)
			vm.ntemps = mark

		case iBuildMap:
			vm.frame.pc = int(ip.y)
			*word(fp, ip.s) = vm.NewDict(int(ip.a))
			vm.ntemps = mark

		case iStoreMap:
			vm.frame.pc = int(ip.y)
			o := *word(fp, ip.s)
			if o&3 != 0 || o-1 >= romBase-1 || m[o/4] != TypeDict && m[o/4] != TypeOrderedDict {
				vm.badCode()
			}
			vm.DictStore(o, *word(fp, ip.s+8), *word(fp, ip.s+4))
			vm.ntemps = mark

		case iBuildSet:
			vm.frame.pc = int(ip.y)
			*word(fp, ip.s) = vm.NewSet(words(fp, ip.s, ip.a)...)
			vm.ntemps = mark

		case iStoreComp:
			vm.frame.pc = int(ip.y)
			o := *word(fp, ip.a)
			vm.mustBe(o, compTypes[ip.x&3])
			switch ip.x {
			case 0:
				vm.ListAppend(o, *word(fp, ip.s))
			case 1:
				vm.DictStore(o, *word(fp, ip.s+4), *word(fp, ip.s))
			default:
				vm.SetAdd(o, *word(fp, ip.s))
			}
			vm.ntemps = mark

		case iBuildSlice:
			vm.frame.pc = int(ip.y)
			step := None
			if ip.a == 3 {
				step = *word(fp, ip.s+8)
			}
			*word(fp, ip.s) = vm.NewSlice(*word(fp, ip.s), *word(fp, ip.s+4), step)
			vm.ntemps = mark

		case iUnpackSequence:
			vm.frame.pc = int(ip.y)
			vm.unpack(*word(fp, ip.s), words(fp, ip.s, ip.a))
			vm.ntemps = mark

		case iUnpackEx:
			vm.frame.pc = int(ip.y)
			before, after := ip.a&0xff, ip.a>>8&0xff
			vm.unpackStar(*word(fp, ip.s), int(before), int(after), words(fp, ip.s, before+after+1))
			vm.ntemps = mark

		case iReturnConst:
			v = Value(ip.a)
			*word(fp, ip.s) = v
			goto returned

		case iReturnValue:
			v = *word(fp, ip.a)
			if v == Null {
				goto plainly
			}
			*word(fp, ip.s) = v
			goto returned

		case iRaiseVarargs:
			f := vm.frame
			f.pc = int(ip.y)
			exc = vm.raiseVarargs(f, int(ip.a), f.base+ip.s/4+ip.a-1)
			goto raise

		case iYieldValue:
			v = *word(fp, ip.a)
			if v == Null {
				goto plainly
			}
			*word(fp, ip.s) = v
			f := vm.frame
			f.pc = int(ip.y)
			kind = f.kind
			vm.suspend(f, f.pc+1, f.base+ip.s/4)
			goto yielded

		case iYieldFrom:
			f := vm.frame
			f.pc = int(ip.y)
			send, sub := *word(fp, ip.s+4), *word(fp, ip.s)
			if f.inject == Null && sub&3 == 0 && sub < romBase && sub != 0 && m[sub/4] == TypeGenInstance {
				if vm.resumeFrame(kindYieldFrom, sub, send, Null) {
					goto entered
				}
				*word(fp, ip.s) = None
				continue
			}
			throw := f.inject
			f.inject = Null
			how, got := vm.resumeAny(sub, send, throw)
			vm.ntemps = mark
			switch how {
			case resumeYield:
				v = got
				*word(fp, ip.s+4) = v
				kind = f.kind
				vm.suspend(f, f.pc, f.base+ip.s/4+1)
				goto yielded
			case resumeReturn:
				if got == Null {
					got = None
				}
				*word(fp, ip.s) = got
			default:
				if !vm.ExceptionMatch(got, TypeStopIteration) {
					exc = got
					goto raise
				}
				*word(fp, ip.s) = vm.ExceptionValue(got)
			}
			if throw != Null && vm.ExceptionMatch(throw, TypeGeneratorExit) {
				exc = vm.makeRaiseObj(throw)
				goto raise
			}

		case iMakeFunction:
			vm.frame.pc = int(ip.y)
			*word(fp, ip.s) = vm.newFunction(vm.child(ip.a), Null, Null)
			vm.ntemps = mark

		case iMakeFunctionDefargs:
			vm.frame.pc = int(ip.y)
			*word(fp, ip.s) = vm.newFunction(vm.child(ip.a), *word(fp, ip.s), *word(fp, ip.s+4))
			vm.ntemps = mark

		case iMakeClosure:
			vm.frame.pc = int(ip.y)
			*word(fp, ip.s) = vm.newClosure(vm.newFunction(vm.child(ip.a), Null, Null), words(fp, ip.s, uint32(ip.x)))
			vm.ntemps = mark

		case iMakeClosureDefargs:
			vm.frame.pc = int(ip.y)
			fn := vm.newFunction(vm.child(ip.a), *word(fp, ip.s), *word(fp, ip.s+4))
			*word(fp, ip.s) = vm.newClosure(fn, words(fp, ip.s+8, uint32(ip.x)))
			vm.ntemps = mark

		case iCallFunction:
			vm.frame.pc = int(ip.y)
			fn := *word(fp, ip.s)
			if fn&3 == 0 && fn < romBase {
				switch m[fn/4] {
				case TypeFunBC:
					if ip.b == 0 {
						vm.enterArgs(kindCall, fn, unsafe.Add(fp, ip.s+4), ip.a)
						goto called
					}
					vm.enter(kindCall, fn, words(fp, ip.s+4, ip.a), words(fp, ip.s+4+4*ip.a, 2*ip.b))
					goto called
				case TypeType:
					init := vm.initOf(fn, vm.frame.code, ip.y)
					if init == None && ip.a+ip.b == 0 {
						v, _ = vm.newInstance(fn)
						*word(fp, ip.s) = v
						*word(fp, ip.c) = v
						vm.ntemps = mark
						continue
					}
					if init != Null && init != None {
						*word(fp, ip.s) = vm.startInit(fn, init, words(fp, ip.s+4, ip.a), words(fp, ip.s+4+4*ip.a, 2*ip.b))
						goto entered
					}
				case TypeClosure:
					if ip.b == 0 && vm.enterClosure(kindCall, fn, unsafe.Add(fp, ip.s+4), ip.a) {
						goto called
					}
				}
			} else if b := vm.builtin(fn); b != nil && b.f1 != nil && ip.a == 1 && ip.b == 0 {
				v = b.f1(vm, *word(fp, ip.s+4))
				*word(fp, ip.s) = v
				*word(fp, ip.c) = v
				vm.ntemps = mark
				continue
			}
			v = vm.Call(fn, words(fp, ip.s+4, ip.a), words(fp, ip.s+4+4*ip.a, 2*ip.b))
			*word(fp, ip.s) = v
			*word(fp, ip.c) = v
			vm.ntemps = mark

		case iCallFunctionVarKw:
			vm.frame.pc = int(ip.y)
			block, args, kw := vm.expandStar(false, int(ip.a), int(ip.b), words(fp, ip.s, ip.a+2*ip.b+3))
			*word(fp, ip.s) = vm.Call(*word(fp, ip.s), args, kw)
			vm.Free(block)
			vm.ntemps = mark

		case iCallMethod:
			vm.frame.pc = int(ip.y)
			fn, first, n := *word(fp, ip.s), ip.s+8, ip.a
			if *word(fp, ip.s+4) != Null {
				first -= 4
				n++
			}
			if fn&3 == 0 && fn < romBase && m[fn/4] == TypeFunBC {
				if ip.b == 0 {
					vm.enterArgs(kindCall, fn, unsafe.Add(fp, first), n)
					goto called
				}
				vm.enter(kindCall, fn, words(fp, first, n), words(fp, first+4*n, 2*ip.b))
				goto called
			}
			if b := vm.builtin(fn); b != nil && b.f2 != nil && n == 2 && ip.b == 0 {
				v = b.f2(vm, *word(fp, first), *word(fp, first+4))
			} else {
				v = vm.Call(fn, words(fp, first, n), words(fp, first+4*n, 2*ip.b))
			}
			*word(fp, ip.s) = v
			*word(fp, ip.c) = v
			vm.ntemps = mark

		case iCallMethodVarKw:
			vm.frame.pc = int(ip.y)
			block, args, kw := vm.expandStar(true, int(ip.a), int(ip.b), words(fp, ip.s, ip.a+2*ip.b+4))
			*word(fp, ip.s) = vm.Call(*word(fp, ip.s), args, kw)
			vm.Free(block)
			vm.ntemps = mark

		case iImportName:
			vm.frame.pc = int(ip.y)
			*word(fp, ip.s) = vm.importName(Qstr(ip.a), *word(fp, ip.s+4), *word(fp, ip.s))
			vm.ntemps = mark

		case iImportFrom:
			vm.frame.pc = int(ip.y)
			*word(fp, ip.s+4) = vm.importFrom(*word(fp, ip.s), Qstr(ip.a))
			vm.ntemps = mark

		case iImportStar:
			vm.frame.pc = int(ip.y)
			vm.importAll(*word(fp, ip.s))
			vm.ntemps = mark

		case iNot:
			v = *word(fp, ip.a)
			if v == Null {
				goto plainly
			}
			*word(fp, ip.s) = v
			vm.frame.pc = int(ip.y)
			v = Bool(!vm.IsTrue(v))
			*word(fp, ip.s) = v
			*word(fp, ip.c) = v
			vm.ntemps = mark

		case iUnaryOp:
			v = *word(fp, ip.a)
			if v == Null {
				goto plainly
			}
			*word(fp, ip.s) = v
			vm.frame.pc = int(ip.y)
			v = vm.UnaryOp(UnaryOp(ip.x), v)
			*word(fp, ip.s) = v
			*word(fp, ip.c) = v
			vm.ntemps = mark

		case iBinaryOp:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			goto wide

		case iAdd:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			if s := int64(int32(left)) + int64(int32(right)) - 1; left&right&1 != 0 && s == int64(int32(s)) {
				v = Value(uint32(s))
				goto number
			}
			goto wide

		case iAddC:
			left, right = *word(fp, ip.a), Value(ip.b)
			if s := int64(int32(left)) + int64(int32(right)) - 1; left&right&1 != 0 && s == int64(int32(s)) {
				v = Value(uint32(s))
				goto number
			}
			goto wide

		case iSub:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			if s := int64(int32(left)) - int64(int32(right)) + 1; left&right&1 != 0 && s == int64(int32(s)) {
				v = Value(uint32(s))
				goto number
			}
			goto wide

		case iSubC:
			left, right = *word(fp, ip.a), Value(ip.b)
			if s := int64(int32(left)) - int64(int32(right)) + 1; left&right&1 != 0 && s == int64(int32(s)) {
				v = Value(uint32(s))
				goto number
			}
			goto wide

		case iMul:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			if s := int64(int32(left)>>1) * int64(int32(right)>>1); left&right&1 != 0 && FitsSmallInt(s) {
				v = SmallInt(int(s))
				goto number
			}
			goto wide

		case iMulC:
			left, right = *word(fp, ip.a), Value(ip.b)
			if s := int64(int32(left)>>1) * int64(int32(right)>>1); left&right&1 != 0 && FitsSmallInt(s) {
				v = SmallInt(int(s))
				goto number
			}
			goto wide

		case iAnd:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			if left&right&1 != 0 {
				v = left & right
				goto number
			}
			goto wide

		case iAndC:
			left, right = *word(fp, ip.a), Value(ip.b)
			if left&right&1 != 0 {
				v = left & right
				goto number
			}
			goto wide

		case iOr:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			if left&right&1 != 0 {
				v = left | right
				goto number
			}
			goto wide

		case iOrC:
			left, right = *word(fp, ip.a), Value(ip.b)
			if left&right&1 != 0 {
				v = left | right
				goto number
			}
			goto wide

		case iXor:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			if left&right&1 != 0 {
				v = left ^ right | 1
				goto number
			}
			goto wide

		case iXorC:
			left, right = *word(fp, ip.a), Value(ip.b)
			if left&right&1 != 0 {
				v = left ^ right | 1
				goto number
			}
			goto wide

		case iShl:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			if l, n := int64(int32(left)>>1), uint32(right)>>1; left&right&1 != 0 && n < 31 && l<<n>>n == l && FitsSmallInt(l<<n) {
				v = SmallInt(int(l << n))
				goto number
			}
			goto wide

		case iShlC:
			left, right = *word(fp, ip.a), Value(ip.b)
			if l, n := int64(int32(left)>>1), uint32(right)>>1; left&right&1 != 0 && n < 31 && l<<n>>n == l && FitsSmallInt(l<<n) {
				v = SmallInt(int(l << n))
				goto number
			}
			goto wide

		case iShr:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			if n := uint32(right) >> 1; left&right&1 != 0 && n < 31 {
				v = SmallInt(int(int32(left) >> 1 >> n))
				goto number
			}
			goto wide

		case iShrC:
			left, right = *word(fp, ip.a), Value(ip.b)
			if n := uint32(right) >> 1; left&right&1 != 0 && n < 31 {
				v = SmallInt(int(int32(left) >> 1 >> n))
				goto number
			}
			goto wide

		case iFloorDiv:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			if l, r := int32(left)>>1, int32(right)>>1; left&right&1 != 0 && r > 0 {
				v = SmallInt(int(floorDivide(l, r)))
				goto number
			}
			goto wide

		case iFloorDivC:
			left, right = *word(fp, ip.a), Value(ip.b)
			if l, r := int32(left)>>1, int32(right)>>1; left&right&1 != 0 && r > 0 {
				v = SmallInt(int(floorDivide(l, r)))
				goto number
			}
			goto wide

		case iMod:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			if l, r := int32(left)>>1, int32(right)>>1; left&right&1 != 0 && r > 0 {
				v = SmallInt(int(floorModulo(l, r)))
				goto number
			}
			goto wide

		case iModC:
			left, right = *word(fp, ip.a), Value(ip.b)
			if l, r := int32(left)>>1, int32(right)>>1; left&right&1 != 0 && r > 0 {
				v = SmallInt(int(floorModulo(l, r)))
				goto number
			}
			goto wide

		case iCompareC:
			left, right = *word(fp, ip.a), Value(ip.b)
			goto comparison

		case iCompare:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			goto comparison

		case iJumpLess:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			if left&right&1 == 0 {
				goto wideCompareJump
			}
			*word(fp, ip.s) = left
			*word(fp, ip.s+4) = right
			if int32(left) < int32(right) {
				goto compareJump
			}

		case iJumpLessC:
			left, right = *word(fp, ip.a), Value(ip.b)
			if left&right&1 == 0 {
				goto wideCompareJump
			}
			*word(fp, ip.s) = left
			*word(fp, ip.s+4) = right
			if int32(left) < int32(right) {
				goto compareJump
			}

		case iJumpMore:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			if left&right&1 == 0 {
				goto wideCompareJump
			}
			*word(fp, ip.s) = left
			*word(fp, ip.s+4) = right
			if int32(left) > int32(right) {
				goto compareJump
			}

		case iJumpMoreC:
			left, right = *word(fp, ip.a), Value(ip.b)
			if left&right&1 == 0 {
				goto wideCompareJump
			}
			*word(fp, ip.s) = left
			*word(fp, ip.s+4) = right
			if int32(left) > int32(right) {
				goto compareJump
			}

		case iJumpEqual:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			if left&right&1 == 0 {
				goto wideCompareJump
			}
			*word(fp, ip.s) = left
			*word(fp, ip.s+4) = right
			if int32(left) == int32(right) {
				goto compareJump
			}

		case iJumpEqualC:
			left, right = *word(fp, ip.a), Value(ip.b)
			if left&right&1 == 0 {
				goto wideCompareJump
			}
			*word(fp, ip.s) = left
			*word(fp, ip.s+4) = right
			if int32(left) == int32(right) {
				goto compareJump
			}

		case iJumpLessEqual:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			if left&right&1 == 0 {
				goto wideCompareJump
			}
			*word(fp, ip.s) = left
			*word(fp, ip.s+4) = right
			if int32(left) <= int32(right) {
				goto compareJump
			}

		case iJumpLessEqualC:
			left, right = *word(fp, ip.a), Value(ip.b)
			if left&right&1 == 0 {
				goto wideCompareJump
			}
			*word(fp, ip.s) = left
			*word(fp, ip.s+4) = right
			if int32(left) <= int32(right) {
				goto compareJump
			}

		case iJumpMoreEqual:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			if left&right&1 == 0 {
				goto wideCompareJump
			}
			*word(fp, ip.s) = left
			*word(fp, ip.s+4) = right
			if int32(left) >= int32(right) {
				goto compareJump
			}

		case iJumpMoreEqualC:
			left, right = *word(fp, ip.a), Value(ip.b)
			if left&right&1 == 0 {
				goto wideCompareJump
			}
			*word(fp, ip.s) = left
			*word(fp, ip.s+4) = right
			if int32(left) >= int32(right) {
				goto compareJump
			}

		case iJumpNotEqual:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			if left&right&1 == 0 {
				goto wideCompareJump
			}
			*word(fp, ip.s) = left
			*word(fp, ip.s+4) = right
			if int32(left) != int32(right) {
				goto compareJump
			}

		case iJumpNotEqualC:
			left, right = *word(fp, ip.a), Value(ip.b)
			if left&right&1 == 0 {
				goto wideCompareJump
			}
			*word(fp, ip.s) = left
			*word(fp, ip.s+4) = right
			if int32(left) != int32(right) {
				goto compareJump
			}

		case iJumpIs:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			if left == Null || right == Null {
				goto plainly
			}
			*word(fp, ip.s) = False
			*word(fp, ip.s+4) = right
			if left == right {
				goto compareJump
			}

		case iJumpIsC:
			left, right = *word(fp, ip.a), Value(ip.b)
			if left == Null || right == Null {
				goto plainly
			}
			*word(fp, ip.s) = False
			*word(fp, ip.s+4) = right
			if left == right {
				goto compareJump
			}

		case iJumpIsNot:
			left, right = *word(fp, ip.a), *word(fp, ip.b)
			if left == Null || right == Null {
				goto plainly
			}
			*word(fp, ip.s) = False
			*word(fp, ip.s+4) = right
			if left != right {
				goto compareJump
			}

		case iJumpIsNotC:
			left, right = *word(fp, ip.a), Value(ip.b)
			if left == Null || right == Null {
				goto plainly
			}
			*word(fp, ip.s) = False
			*word(fp, ip.s+4) = right
			if left != right {
				goto compareJump
			}

		case iRangeStep:
			// in the slots: end, counter, two free ones. The local variable is not stored
			// yet where an interrupt is looked for: that step is the plain instructions'.
			left, right = *word(fp, ip.s), *word(fp, ip.s-4)
			if s := int64(int32(left)) + int64(int32(ip.a)) - 1; left&right&1 != 0 && s == int64(int32(s)) && vm.budget > 0 {
				vm.budget--
				left = Value(uint32(s))
				*word(fp, ip.s) = left
				*word(fp, ip.s+4) = left
				*word(fp, ip.s+8) = right
				if int32(ip.a) > 0 && int32(left) < int32(right) || int32(ip.a) < 0 && int32(left) > int32(right) {
					*word(fp, ip.b) = left
					ip = target(ip)
				} else {
					ip = next(ip)
				}
				goto dispatch
			}
			goto plainly

		case iRangeStepConst:
			// in the slots: counter, two free ones
			left, right = *word(fp, ip.s), Value(ip.b)
			if s := int64(int32(left)) + int64(int32(ip.a)) - 1; left&1 != 0 && s == int64(int32(s)) && vm.budget > 0 {
				vm.budget--
				left = Value(uint32(s))
				*word(fp, ip.s) = left
				*word(fp, ip.s+4) = left
				*word(fp, ip.s+8) = right
				if int32(ip.a) > 0 && int32(left) < int32(right) || int32(ip.a) < 0 && int32(left) > int32(right) {
					*word(fp, uint32(ip.x)) = left
					ip = target(ip)
				} else {
					ip = next(ip)
				}
				goto dispatch
			}
			goto plainly

		default: // iTrap has no case of its own, so that the loop is the one without it
			vm.frame.pc = int(ip.y)
			vm.trap(ip)
		}
		continue

	number:
		// v is the small int that an operator gives
		*word(fp, ip.s+4) = right
		*word(fp, ip.s) = v
		*word(fp, ip.c) = v
		continue

	wide:
		// the result is no small int, or not both operands are
		if left == Null || right == Null {
			goto plainly
		}
		*word(fp, ip.s) = left
		*word(fp, ip.s+4) = right
		vm.frame.pc = int(ip.y)
		v = vm.wideOp(BinaryOp(ip.x), left, right)
		*word(fp, ip.s) = v
		*word(fp, ip.c) = v
		vm.ntemps = mark
		continue

	comparison:
		if left&right&1 != 0 {
			v = Bool(compare(BinaryOp(ip.x), left, right))
			goto number
		}
		goto wide

	wideCompareJump:
		if left == Null || right == Null {
			goto plainly
		}
		*word(fp, ip.s) = left
		*word(fp, ip.s+4) = right
		vm.frame.pc = int(ip.y)
		v = vm.wideOp(BinaryOp(ip.x&0xff), left, right)
		*word(fp, ip.s) = v
		if v != True && v != False {
			v = Bool(vm.IsTrue(v))
		}
		vm.ntemps = mark
		if (v == True) != (ip.x&jumpIfTrue != 0) {
			continue
		}

	compareJump:
		if ip.x&jumpIfTrue != 0 {
			goto jump
		}

	jumpIfFalse:
		if int32(ip.c) < 0 { // the end of "while not"
			goto jump
		}
		ip = target(ip)
		goto dispatch

	subscript:
		if left&3 == 0 && left < romBase {
			switch m[left/4] {
			case TypeList:
				if right&1 != 0 {
					i, n := int32(right)>>1, int32(m[left/4+2])
					if i < 0 {
						i += n
					}
					if uint32(i) < uint32(n) {
						v = m[uint32(m[left/4+3])/4+uint32(i)]
						goto number
					}
				}
			case TypeTuple:
				if right&1 != 0 {
					i, n := int32(right)>>1, int32(m[left/4+1])
					if i < 0 {
						i += n
					}
					if uint32(i) < uint32(n) {
						v = m[uint32(left)/4+2+uint32(i)]
						goto number
					}
				}
			case TypeByteArray:
				if right&1 != 0 {
					i, n := int32(right)>>1, int32(m[left/4+2])
					if i < 0 {
						i += n
					}
					if uint32(i) < uint32(n) {
						v = SmallInt(int(vm.Bytes[uint32(m[left/4+3])+uint32(i)]))
						goto number
					}
				}
			case TypeDict:
				if right == Null {
					goto plainly
				}
				*word(fp, ip.s) = left
				*word(fp, ip.s+4) = right
				vm.frame.pc = int(ip.y)
				if e := vm.mapGet(uint32(left)/4+1, right); e != 0 {
					v = m[e+1]
					*word(fp, ip.s) = v
					*word(fp, ip.c) = v
					vm.ntemps = mark
					continue
				}
				exc = vm.NewException(TypeKeyError, right)
				vm.ntemps = mark
				goto raise
			}
		}
		if left == Null || right == Null {
			goto plainly
		}
		*word(fp, ip.s) = left
		*word(fp, ip.s+4) = right
		vm.frame.pc = int(ip.y)
		v = vm.Subscr(left, right, Sentinel)
		*word(fp, ip.s) = v
		*word(fp, ip.c) = v
		vm.ntemps = mark
		continue

	called:
		// a new frame runs, because of a call
		ip, fp = vm.frame.ops, unsafe.Pointer(&m[vm.frame.base])
		vm.ntemps = mark
		goto tick

	entered:
		// another frame runs
		ip, fp = vm.frame.at(vm.frame.pc), unsafe.Pointer(&m[vm.frame.base])
		vm.ntemps = mark
		goto dispatch

	jump:
		// a jump is taken: what is due belongs to its line, not to the one it leads to
		if vm.budget--; vm.budget < 0 {
			ip = vm.jumpTick(ip)
			vm.ntemps = mark
			goto dispatch
		}
		ip = target(ip)
		goto dispatch

	tick:
		if vm.budget--; vm.budget < 0 {
			ip = vm.tick(ip)
			vm.ntemps = mark
		}
		goto dispatch

	plainly:
		// something is missing or due: the plain instructions say what
		ip = vm.plainInstr(ip)
		goto dispatch

	returned:
		// the running frame returns v
		{
			f := vm.frame
			if f.exc != 0 && vm.returnThrough(f, int(ip.y)+1, v) {
				ip = f.at(f.pc)
				goto dispatch
			}
			kind = f.kind
			if f.gen != Null {
				vm.finish(f)
			} else {
				if f.owned != 0 {
					vm.freeFrame(f)
				}
				vm.pop(f)
			}
			if kind == kindEntry {
				return v, endReturn
			}
			f = vm.frame
			ip, fp = f.at(f.pc), unsafe.Pointer(&m[f.base])
			switch kind {
			case kindForIter:
				if v != None {
					vm.Keep(v)
					vm.NewException(TypeStopIteration, v)
					vm.ntemps = mark
				}
				ip = target(ip)
				goto dispatch
			case kindInit:
				vm.Free(f.next.aux)
				f.next.aux = 0
				if v != None {
					vm.Keep(v)
					exc = vm.initResult(v)
					goto raise
				}
				*word(fp, ip.c) = *word(fp, ip.s)
				continue
			case kindEnter:
				vm.pushHandler(f, ip.a, f.base+ip.s/4+1, true)
				*word(fp, ip.s+8) = v
				continue
			case kindExit:
				*word(fp, ip.s) = None
				continue
			case kindYieldFrom:
				*word(fp, ip.s) = v
				continue
			}
			*word(fp, ip.s) = v
			*word(fp, ip.c) = v
		}
		continue

	yielded:
		// a generator, whose frame is left already, has given v to what waits in kind
		{
			f := vm.frame
			switch kind {
			case kindForIter:
				ip, fp = f.at(f.pc), unsafe.Pointer(&m[f.base])
				*word(fp, ip.s+16) = v
				*word(fp, ip.a) = v
			case kindYieldFrom:
				s := f.base + f.at(f.pc).s/4
				m[s+1] = v
				kind = f.kind
				vm.suspend(f, f.pc, s+1)
				goto yielded
			default:
				return v, endYield
			}
		}
		continue

	unbound:
		vm.frame.pc = int(ip.y)
		exc = vm.unboundLocal()

	raise:
		vm.Keep(exc)
		if exc = vm.unwind(exc); exc != Null {
			return exc, endRaise
		}
		goto entered
	}
}
