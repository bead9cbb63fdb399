package vm

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

// loop runs vm.frame and what it calls until the nearest frame of kindEntry
// returns or yields. mark is where temporaries begin. Exceptions that the loop
// itself meets are handled by unwind; those raised by built-in code arrive as Go
// panics and are handled by runFrame, which calls loop again.
func (vm *VM) loop(mark int) (result Value, end loopEnd) {
	m := vm.Mem
	f := vm.frame
	var code []instr
	var pc int
	var sp, top uint32
	var exc, left, right Value
	var opr, then *instr // of a fused run: the operator, and what follows it

	code, pc, sp, top = f.code.instrs, f.pc, f.sp, f.top
	if f.inject != Null && f.code.plain[pc].op != iYieldFrom {
		exc = f.inject
		f.inject = Null
		f.pc = pc + 1 // the traceback names the instruction it stopped at
		vm.Raise(vm.makeRaiseObj(exc))
	}

dispatch:
	for {
		in := &code[pc]
		pc++
	again:
		switch in.op {
		case iLoadConst:
			sp++
			m[sp] = Value(in.a)

		case iLoadNull:
			sp++
			m[sp] = Null

		case iLoadFast:
			v := m[top-in.a]
			if v == Null {
				f.pc = pc
				exc = vm.unboundLocal()
				goto raise
			}
			sp++
			m[sp] = v

		case iLoadDeref:
			c := m[top-in.a]
			if c&3 != 0 || c-1 >= romBase-1 || m[c/4] != TypeCell {
				f.pc = pc
				vm.badCode()
			}
			v := m[c/4+1]
			if v == Null {
				f.pc = pc
				exc = vm.unboundLocal()
				goto raise
			}
			sp++
			m[sp] = v

		case iLoadName, iLoadGlobal:
			if in.op == iLoadName && vm.locals != f.globals {
				f.pc = pc
				v := vm.loadName(Qstr(in.a))
				sp++
				m[sp] = v
				continue
			}
			key := Value(in.a<<2 | 2)
			if uint32(in.x) < uint32(m[f.gmap+1]) {
				if s := uint32(m[f.gmap+2])/4 + 2*uint32(in.x); m[s] == key {
					sp++
					m[sp] = m[s+1]
					continue
				}
			}
			f.pc = pc
			v := vm.loadGlobalCached(f, in, pc-1)
			sp++
			m[sp] = v

		case iLoadAttr:
			o := m[sp]
			if o&3 == 0 && o < romBase && m[o/4] < romBase && in.y == 0 && m[m[o/4]/4+classFlags]&classNative == 0 {
				key, size, t := Value(in.a<<2|2), uint32(m[o/4+2]), uint32(m[o/4+3])/4
				if x := uint32(in.x & 0xff); x < size && m[t+2*x] == key {
					m[sp] = m[t+2*x+1]
					continue
				}
				if x := uint32(in.x >> 8); x < size && m[t+2*x] == key {
					m[sp] = m[t+2*x+1]
					continue
				}
				if s := vm.mapGet(uint32(o)/4+1, key); s != 0 {
					in.slotHint((s - t) / 2)
					m[sp] = m[s+1]
					continue
				}
				if get := vm.propertyGetter(o, Qstr(in.a), f.code, pc-1); get != Null {
					f.pc, f.sp = pc, sp
					f = vm.enter(get, m[sp:sp+1], nil)
					f.kind = kindCall
					code, pc, sp, top = f.code.instrs, 0, f.sp, f.top
					vm.ntemps = mark
					continue
				}
			}
			f.pc = pc
			m[sp] = vm.LoadAttr(o, Qstr(in.a))
			vm.ntemps = mark

		case iLoadMethod:
			o := m[sp]
			f.pc = pc
			if o&3 == 0 && o-1 < romBase-1 && (m[o/4] < romBase || m[o/4] == TypeType) {
				if vm.loadMethodFast(o, Qstr(in.a), f.code, pc-1, m[sp:sp+2]) {
					sp++
					continue
				}
			} else if vm.loadBuiltinMethod(o, Qstr(in.a), f.code, pc-1, m[sp:sp+2]) {
				sp++
				continue
			}
			d, back := vm.pair()
			vm.LoadMethod(o, Qstr(in.a), d)
			m[sp], m[sp+1] = d[0], d[1]
			vm.nscratch = back
			sp++
			vm.ntemps = mark

		case iLoadSuperMethod:
			f.pc = pc
			sp--
			d, back := vm.pair()
			vm.loadSuper(m[sp], m[sp+1], Qstr(in.a), d)
			m[sp-1], m[sp] = d[0], d[1]
			vm.nscratch = back
			vm.ntemps = mark

		case iLoadBuildClass:
			sp++
			m[sp] = vm.loadBuildClass()

		case iLoadSubscr:
			index, base := m[sp], m[sp-1]
			sp--
			if base&3 == 0 && base < romBase {
				switch m[base/4] {
				case TypeList:
					if index&1 != 0 {
						i, n := int32(index)>>1, int32(m[base/4+2])
						if i < 0 {
							i += n
						}
						if uint32(i) < uint32(n) {
							m[sp] = m[uint32(m[base/4+3])/4+uint32(i)]
							continue
						}
					}
				case TypeTuple:
					if index&1 != 0 {
						i, n := int32(index)>>1, int32(m[base/4+1])
						if i < 0 {
							i += n
						}
						if uint32(i) < uint32(n) {
							m[sp] = m[uint32(base)/4+2+uint32(i)]
							continue
						}
					}
				case TypeDict:
					f.pc = pc
					if s := vm.mapGet(uint32(base)/4+1, index); s != 0 {
						m[sp] = m[s+1]
						continue
					}
					exc = vm.NewException(TypeKeyError, index)
					vm.ntemps = mark
					goto raise
				case TypeByteArray:
					if index&1 != 0 {
						i, n := int32(index)>>1, int32(m[base/4+2])
						if i < 0 {
							i += n
						}
						if uint32(i) < uint32(n) {
							m[sp] = SmallInt(int(vm.Bytes[uint32(m[base/4+3])+uint32(i)]))
							continue
						}
					}
				}
			}
			f.pc = pc
			m[sp] = vm.Subscr(base, index, Sentinel)
			vm.ntemps = mark

		case iStoreFast:
			m[top-in.a] = m[sp]
			sp--

		case iStoreDeref:
			f.pc = pc
			m[vm.cellAt(m[top-in.a])] = m[sp]
			sp--

		case iStoreName, iStoreGlobal:
			if in.op == iStoreName && vm.locals != f.globals {
				f.pc = pc
				vm.DictStore(vm.locals, Value(in.a<<2|2), m[sp])
				sp--
				vm.ntemps = mark
				continue
			}
			key := Value(in.a<<2 | 2)
			if uint32(in.x) < uint32(m[f.gmap+1]) {
				if s := uint32(m[f.gmap+2])/4 + 2*uint32(in.x); m[s] == key {
					m[s+1] = m[sp]
					sp--
					continue
				}
			}
			f.pc = pc
			vm.DictStore(vm.globals, key, m[sp])
			if s := vm.mapGet(f.gmap, key); s != 0 {
				in.x = uint16((s - uint32(m[f.gmap+2])/4) / 2)
			}
			sp--
			vm.ntemps = mark

		case iStoreAttr:
			o := m[sp]
			if m[sp-1] != Null && o&3 == 0 && o < romBase && m[o/4] < romBase &&
				(m[m[o/4]/4+classFlags]&classAccessors == 0 || vm.plainStore(m[o/4], Qstr(in.a), f.code, pc-1)) {
				key, size, t := Value(in.a<<2|2), uint32(m[o/4+2]), uint32(m[o/4+3])/4
				if x := uint32(in.x & 0xff); x < size && m[t+2*x] == key {
					m[t+2*x+1] = m[sp-1]
					sp -= 2
					continue
				}
				if x := uint32(in.x >> 8); x < size && m[t+2*x] == key {
					m[t+2*x+1] = m[sp-1]
					sp -= 2
					continue
				}
				f.pc = pc
				vm.instanceStore(o, Qstr(in.a), m[sp-1])
				s := vm.mapGet(uint32(o)/4+1, key)
				in.slotHint((s - uint32(m[o/4+3])/4) / 2)
				sp -= 2
				vm.ntemps = mark
				continue
			}
			f.pc = pc
			vm.StoreAttr(o, Qstr(in.a), m[sp-1])
			sp -= 2
			vm.ntemps = mark

		case iStoreSubscr:
			f.pc = pc
			base, index := m[sp-1], m[sp]
			if m[sp-2] != Null && base&3 == 0 && base < romBase {
				switch m[base/4] {
				case TypeList:
					if index&1 != 0 {
						i, n := int32(index)>>1, int32(m[base/4+2])
						if i < 0 {
							i += n
						}
						if uint32(i) < uint32(n) {
							m[uint32(m[base/4+3])/4+uint32(i)] = m[sp-2]
							sp -= 3
							continue
						}
					}
				case TypeDict:
					if m[base/4+1]&mapFixed == 0 {
						vm.DictStore(base, index, m[sp-2])
						sp -= 3
						vm.ntemps = mark
						continue
					}
				case TypeByteArray:
					if v := m[sp-2]; index&1 != 0 && v&1 != 0 {
						i, n := int32(index)>>1, int32(m[base/4+2])
						if i < 0 {
							i += n
						}
						if uint32(i) < uint32(n) {
							vm.Bytes[uint32(m[base/4+3])+uint32(i)] = byte(v >> 1)
							sp -= 3
							continue
						}
					}
				}
			}
			vm.Subscr(base, index, m[sp-2])
			sp -= 3
			vm.ntemps = mark

		case iDeleteFast:
			if m[top-in.a] == Null {
				f.pc = pc
				exc = vm.unboundLocal()
				goto raise
			}
			m[top-in.a] = Null

		case iDeleteDeref:
			f.pc = pc
			c := vm.cellAt(m[top-in.a])
			if m[c] == Null {
				exc = vm.unboundLocal()
				goto raise
			}
			m[c] = Null

		case iDeleteName:
			f.pc = pc
			vm.Subscr(vm.locals, Qstr(in.a).Value(), Null)
			vm.ntemps = mark

		case iDeleteGlobal:
			f.pc = pc
			vm.Subscr(vm.globals, Qstr(in.a).Value(), Null)
			vm.ntemps = mark

		case iDupTop:
			m[sp+1] = m[sp]
			sp++

		case iDupTopTwo:
			m[sp+2], m[sp+1] = m[sp], m[sp-1]
			sp += 2

		case iPopTop:
			sp--

		case iRotTwo:
			m[sp], m[sp-1] = m[sp-1], m[sp]

		case iRotThree:
			m[sp], m[sp-1], m[sp-2] = m[sp-1], m[sp-2], m[sp]

		case iJump:
			pc = int(in.a)
			if vm.budget--; vm.budget < 0 {
				f.pc, f.sp = pc, sp
				vm.poll()
				vm.ntemps = mark
			}

		case iPopJumpIfTrue:
			v := m[sp]
			sp--
			if v == True {
				pc = int(in.a)
			} else if v != False && v != None {
				f.pc = pc
				if vm.IsTrue(v) {
					pc = int(in.a)
				}
				vm.ntemps = mark
			}
			if vm.budget--; vm.budget < 0 {
				f.pc, f.sp = pc, sp
				vm.poll()
				vm.ntemps = mark
			}

		case iPopJumpIfFalse:
			v := m[sp]
			sp--
			if v == True {
				continue
			}
			if v != False && v != None {
				f.pc = pc
				no := !vm.IsTrue(v)
				vm.ntemps = mark
				if !no {
					continue
				}
			}
			back := int(in.a) < pc // the end of "while not"
			if pc = int(in.a); back {
				if vm.budget--; vm.budget < 0 {
					f.pc, f.sp = pc, sp
					vm.poll()
					vm.ntemps = mark
				}
			}

		case iJumpIfTrueOrPop:
			f.pc = pc
			if vm.IsTrue(m[sp]) {
				pc = int(in.a)
			} else {
				sp--
			}
			vm.ntemps = mark
			if vm.budget--; vm.budget < 0 {
				f.pc, f.sp = pc, sp
				vm.poll()
				vm.ntemps = mark
			}

		case iJumpIfFalseOrPop:
			f.pc = pc
			if !vm.IsTrue(m[sp]) {
				pc = int(in.a)
			} else {
				sp--
			}
			vm.ntemps = mark
			if vm.budget--; vm.budget < 0 {
				f.pc, f.sp = pc, sp
				vm.poll()
				vm.ntemps = mark
			}

		case iSetupWith:
			f.pc = pc
			vm.loadWith(m[sp:sp+4], f.code, pc-1)
			if fn := m[sp+2]; fn&3 == 0 && fn-1 < romBase-1 && m[fn/4] == TypeFunBC && m[sp+3] != Null {
				f.sp = sp
				f = vm.enter(fn, m[sp+3:sp+4], nil)
				f.kind = kindEnter
				code, pc, sp, top = f.code.instrs, 0, f.sp, f.top
				vm.ntemps = mark
				continue
			}
			left = vm.callMethod0([2]Value{m[sp+2], m[sp+3]})
			sp++
			vm.pushHandler(f, in.a, sp, true)
			sp++
			m[sp] = left
			vm.ntemps = mark

		case iWithCleanup:
			f.pc = pc
			if fn := m[sp-2]; m[sp] == None && fn&3 == 0 && fn-1 < romBase-1 && m[fn/4] == TypeFunBC && m[sp-1] != Null {
				sp -= 2
				f.sp = sp
				room, back := vm.pass(4)
				room[0], room[1], room[2], room[3] = m[sp+1], None, None, None
				f = vm.enter(fn, room, nil)
				f.kind = kindExit
				vm.nscratch = back
				code, pc, sp, top = f.code.instrs, 0, f.sp, f.top
				vm.ntemps = mark
				continue
			}
			sp = vm.withCleanup(sp)
			vm.ntemps = mark

		case iUnwindJump:
			m[sp+1] = tagIndex(in.a)
			pc, sp = vm.unwindJump(f, pc-1, sp+1, int(in.x))
			if vm.budget--; vm.budget < 0 {
				f.pc, f.sp = pc, sp
				vm.poll()
				vm.ntemps = mark
			}

		case iSetupExcept:
			f.pc = pc
			vm.pushHandler(f, in.a, sp, false)

		case iSetupFinally:
			f.pc = pc
			vm.pushHandler(f, in.a, sp, true)

		case iEndFinally:
			f.pc = pc
			switch v := m[sp]; {
			case v == None:
				vm.popHandler(f)
				sp--
			case v.IsSmallInt():
				sp--
				if cause := v.SmallInt(); cause < 0 {
					goto unwindReturn
				} else {
					vm.popHandler(f)
					pc, sp = vm.unwindJump(f, pc, sp, cause)
				}
			default:
				exc = vm.makeRaiseObj(v)
				goto raise
			}

		case iGetIter:
			f.pc = pc
			m[sp] = vm.Iter(m[sp], 0)
			vm.ntemps = mark

		case iGetIterStack:
			f.pc = pc
			o := m[sp]
			buf := sp * 4
			sp += iterSlots - 1
			if it := vm.Iter(o, buf); it != Value(buf) {
				m[sp-iterSlots+1] = Null
				m[sp-iterSlots+2] = it
			}
			vm.ntemps = mark

		case iForIter:
			b := sp - iterSlots + 1
			switch m[b] {
			case TypeRangeIter:
				cur, stop, step := int32(m[b+1]), int32(m[b+2]), int32(m[b+3])
				if step > 0 && cur < stop || step < 0 && cur > stop {
					m[b+1] = Value(cur + step)
					sp++
					m[sp] = SmallInt(int(cur))
				} else {
					sp -= iterSlots
					pc = int(in.a)
				}
				continue
			case TypePolyIter:
				if m[b+1] == polyList {
					l, i := m[b+2]/4, m[b+3]
					if i < m[l+2] {
						m[b+3] = i + 1
						sp++
						m[sp] = m[m[l+3]/4+i]
					} else {
						sp -= iterSlots
						pc = int(in.a)
					}
					continue
				}
			case Null:
				it := m[b+1]
				if it&3 == 0 && it < romBase && m[it/4] == TypeGenInstance {
					f.pc, f.sp = pc, sp
					g := vm.resumeFrame(it, None, Null)
					if g == nil {
						sp -= iterSlots
						pc = int(in.a)
						continue
					}
					g.kind = kindForIter
					f = g
					code, pc, sp, top = f.code.instrs, f.pc, f.sp, f.top
					continue
				}
			}
			f.pc, f.sp = pc, sp
			it := Value(b * 4)
			if m[b] == Null {
				it = m[b+1]
			}
			v := vm.NextAllowRaise(it)
			vm.ntemps = mark
			if v == Null {
				sp -= iterSlots
				pc = int(in.a)
			} else {
				sp++
				m[sp] = v
			}

		case iPopExceptJump:
			vm.popHandler(f)
			pc = int(in.a)

		case iBuildTuple:
			f.pc = pc
			n := in.a
			if n == 0 {
				sp++
				m[sp] = EmptyTuple
				continue
			}
			sp -= n - 1
			m[sp] = vm.NewTuple(m[sp : sp+n]...)
			vm.ntemps = mark

		case iBuildList:
			f.pc = pc
			n := in.a
			sp -= n - 1
			m[sp] = vm.NewList(m[sp : sp+n]...)
			vm.ntemps = mark

		case iBuildMap:
			f.pc = pc
			sp++
			m[sp] = vm.NewDict(int(in.a))
			vm.ntemps = mark

		case iStoreMap:
			f.pc = pc
			sp -= 2
			if o := m[sp]; o&3 != 0 || o-1 >= romBase-1 || m[o/4] != TypeDict && m[o/4] != TypeOrderedDict {
				vm.badCode()
			}
			vm.DictStore(m[sp], m[sp+2], m[sp+1])
			vm.ntemps = mark

		case iBuildSet:
			f.pc = pc
			n := in.a
			sp -= n - 1
			m[sp] = vm.NewSet(m[sp : sp+n]...)
			vm.ntemps = mark

		case iStoreComp:
			f.pc = pc
			o := m[sp-in.a>>2]
			vm.mustBe(o, compTypes[in.a&3])
			switch in.a & 3 {
			case 0:
				vm.ListAppend(o, m[sp])
				sp--
			case 1:
				vm.DictStore(o, m[sp], m[sp-1])
				sp -= 2
			default:
				vm.SetAdd(o, m[sp])
				sp--
			}
			vm.ntemps = mark

		case iBuildSlice:
			f.pc = pc
			step := None
			if in.a == 3 {
				step = m[sp]
				sp--
			}
			sp--
			m[sp] = vm.NewSlice(m[sp], m[sp+1], step)
			vm.ntemps = mark

		case iUnpackSequence:
			f.pc = pc
			n := in.a
			vm.unpack(m[sp], m[sp:sp+n])
			sp += n - 1
			vm.ntemps = mark

		case iUnpackEx:
			f.pc = pc
			left, right := in.a&0xff, in.a>>8&0xff
			vm.unpackStar(m[sp], int(left), int(right), m[sp:sp+left+right+1])
			sp += left + right
			vm.ntemps = mark

		case iReturnValue:
			goto unwindReturn

		case iRaiseVarargs:
			f.pc = pc
			exc = vm.raiseVarargs(f, int(in.a), sp)
			goto raise

		case iYieldValue:
			f.pc = pc
			goto yield

		case iYieldFrom:
			f.pc = pc
			send := m[sp]
			sp--
			f.sp = sp
			if sub := m[sp]; f.inject == Null && sub&3 == 0 && sub < romBase && sub != 0 && m[sub/4] == TypeGenInstance {
				g := vm.resumeFrame(sub, send, Null)
				if g == nil {
					m[sp] = None
					continue
				}
				g.kind = kindYieldFrom
				f = g
				code, pc, sp, top = f.code.instrs, f.pc, f.sp, f.top
				continue
			}
			throw := f.inject
			f.inject = Null
			kind, v := vm.resumeAny(m[sp], send, throw)
			vm.ntemps = mark
			switch kind {
			case resumeYield:
				f.pc = pc - 1
				sp++
				m[sp] = v
				goto yield
			case resumeReturn:
				if v == Null {
					v = None
				}
				m[sp] = v
			default:
				if !vm.ExceptionMatch(v, TypeStopIteration) {
					exc = v
					goto raise
				}
				m[sp] = vm.ExceptionValue(v)
			}
			if throw != Null && vm.ExceptionMatch(throw, TypeGeneratorExit) {
				exc = vm.makeRaiseObj(throw)
				goto raise
			}

		case iMakeFunction:
			f.pc = pc
			rc := uint32(m[uint32(m[f.fun/4+funTable])/4+in.a])
			sp++
			m[sp] = vm.newFunction(rc, Null, Null)
			vm.ntemps = mark

		case iMakeFunctionDefargs:
			f.pc = pc
			rc := uint32(m[uint32(m[f.fun/4+funTable])/4+in.a])
			sp--
			m[sp] = vm.newFunction(rc, m[sp], m[sp+1])
			vm.ntemps = mark

		case iMakeClosure:
			f.pc = pc
			rc := uint32(m[uint32(m[f.fun/4+funTable])/4+in.a])
			n := uint32(in.x)
			sp -= n - 1
			m[sp] = vm.newClosure(vm.newFunction(rc, Null, Null), m[sp:sp+n])
			vm.ntemps = mark

		case iMakeClosureDefargs:
			f.pc = pc
			rc := uint32(m[uint32(m[f.fun/4+funTable])/4+in.a])
			n := uint32(in.x)
			sp -= n + 1
			m[sp] = vm.newClosure(vm.newFunction(rc, m[sp], m[sp+1]), m[sp+2:sp+2+n])
			vm.ntemps = mark

		case iCallFunction:
			n, nkw := in.a&0xff, in.a>>8&0xff
			sp -= n + 2*nkw
			fn := m[sp]
			f.pc, f.sp = pc, sp
			if fn&3 == 0 && fn < romBase && m[fn/4] == TypeFunBC {
				f = vm.enter(fn, m[sp+1:sp+1+n], m[sp+1+n:sp+1+n+2*nkw])
				f.kind = kindCall
				code, pc, sp, top = f.code.instrs, 0, f.sp, f.top
				vm.ntemps = mark
				if vm.budget--; vm.budget < 0 {
					vm.poll()
					vm.ntemps = mark
				}
				continue
			}
			if fn&3 == 0 && fn-1 < romBase-1 {
				switch m[fn/4] {
				case TypeType:
					init := vm.initOf(fn, f.code, pc-1)
					if init == None && n+nkw == 0 {
						m[sp], _ = vm.newInstance(fn)
						vm.ntemps = mark
						continue
					}
					if init != Null && init != None {
						callee, o := vm.startInit(fn, init, m[sp+1:sp+1+n], m[sp+1+n:sp+1+n+2*nkw])
						m[sp] = o
						f = callee
						f.kind = kindInit
						code, pc, sp, top = f.code.instrs, 0, f.sp, f.top
						vm.ntemps = mark
						continue
					}
				case TypeClosure:
					if nkw == 0 {
						if callee := vm.startClosure(fn, m[sp+1:sp+1+n]); callee != nil {
							f = callee
							f.kind = kindCall
							code, pc, sp, top = f.code.instrs, 0, f.sp, f.top
							vm.ntemps = mark
							continue
						}
					}
				}
			}
			m[sp] = vm.Call(fn, m[sp+1:sp+1+n], m[sp+1+n:sp+1+n+2*nkw])
			vm.ntemps = mark

		case iCallFunctionVarKw:
			n, nkw := in.a&0xff, in.a>>8&0xff
			sp -= n + 2*nkw + 2
			f.pc, f.sp = pc, sp
			block, args, kw := vm.expandStar(false, int(n), int(nkw), m[sp:sp+n+2*nkw+3])
			m[sp] = vm.Call(m[sp], args, kw)
			vm.Free(block)
			vm.ntemps = mark

		case iCallMethod:
			n, nkw := in.a&0xff, in.a>>8&0xff
			sp -= n + 2*nkw + 1
			fn := m[sp]
			f.pc, f.sp = pc, sp
			first := sp + 1
			if m[first] == Null {
				first++
			} else {
				n++
			}
			if fn&3 == 0 && fn < romBase && m[fn/4] == TypeFunBC {
				f = vm.enter(fn, m[first:first+n], m[first+n:first+n+2*nkw])
				f.kind = kindCall
				code, pc, sp, top = f.code.instrs, 0, f.sp, f.top
				vm.ntemps = mark
				if vm.budget--; vm.budget < 0 {
					vm.poll()
					vm.ntemps = mark
				}
				continue
			}
			m[sp] = vm.Call(fn, m[first:first+n], m[first+n:first+n+2*nkw])
			vm.ntemps = mark

		case iCallMethodVarKw:
			n, nkw := in.a&0xff, in.a>>8&0xff
			sp -= n + 2*nkw + 3
			f.pc, f.sp = pc, sp
			block, args, kw := vm.expandStar(true, int(n), int(nkw), m[sp:sp+n+2*nkw+4])
			m[sp] = vm.Call(m[sp], args, kw)
			vm.Free(block)
			vm.ntemps = mark

		case iImportName:
			f.pc = pc
			from := m[sp]
			sp--
			m[sp] = vm.importName(Qstr(in.a), from, m[sp])
			vm.ntemps = mark

		case iImportFrom:
			f.pc = pc
			v := vm.importFrom(m[sp], Qstr(in.a))
			sp++
			m[sp] = v
			vm.ntemps = mark

		case iImportStar:
			f.pc = pc
			vm.importAll(m[sp])
			sp--
			vm.ntemps = mark

		case iNot:
			switch v := m[sp]; v {
			case True:
				m[sp] = False
			case False:
				m[sp] = True
			default:
				f.pc = pc
				m[sp] = Bool(!vm.IsTrue(v))
				vm.ntemps = mark
			}

		case iUnaryOp:
			f.pc = pc
			m[sp] = vm.UnaryOp(UnaryOp(in.a), m[sp])
			vm.ntemps = mark

		case iAdd:
			l, r := m[sp-1], m[sp]
			if l&r&1 != 0 {
				if s := int64(int32(l)) + int64(int32(r)) - 1; s == int64(int32(s)) {
					sp--
					m[sp] = Value(uint32(s))
					continue
				}
			}
			f.pc = pc
			sp--
			m[sp] = vm.quickOp(in, l, r)
			vm.ntemps = mark

		case iSub:
			l, r := m[sp-1], m[sp]
			if l&r&1 != 0 {
				if s := int64(int32(l)) - int64(int32(r)) + 1; s == int64(int32(s)) {
					sp--
					m[sp] = Value(uint32(s))
					continue
				}
			}
			f.pc = pc
			sp--
			m[sp] = vm.quickOp(in, l, r)
			vm.ntemps = mark

		case iMul:
			l, r := m[sp-1], m[sp]
			if l&r&1 != 0 {
				if s := int64(int32(l)>>1) * int64(int32(r)>>1); FitsSmallInt(s) {
					sp--
					m[sp] = SmallInt(int(s))
					continue
				}
			}
			f.pc = pc
			sp--
			m[sp] = vm.quickOp(in, l, r)
			vm.ntemps = mark

		case iAnd:
			l, r := m[sp-1], m[sp]
			if l&r&1 != 0 {
				sp--
				m[sp] = l & r
				continue
			}
			f.pc = pc
			sp--
			m[sp] = vm.BinaryOp(BinaryOp(in.a), l, r)
			vm.ntemps = mark

		case iLess:
			l, r := m[sp-1], m[sp]
			sp--
			if l&r&1 != 0 {
				m[sp] = Bool(int32(l) < int32(r))
				continue
			}
			f.pc = pc
			m[sp] = vm.quickOp(in, l, r)
			vm.ntemps = mark

		case iMore:
			l, r := m[sp-1], m[sp]
			sp--
			if l&r&1 != 0 {
				m[sp] = Bool(int32(l) > int32(r))
				continue
			}
			f.pc = pc
			m[sp] = vm.quickOp(in, l, r)
			vm.ntemps = mark

		case iLessEqual:
			l, r := m[sp-1], m[sp]
			sp--
			if l&r&1 != 0 {
				m[sp] = Bool(int32(l) <= int32(r))
				continue
			}
			f.pc = pc
			m[sp] = vm.quickOp(in, l, r)
			vm.ntemps = mark

		case iMoreEqual:
			l, r := m[sp-1], m[sp]
			sp--
			if l&r&1 != 0 {
				m[sp] = Bool(int32(l) >= int32(r))
				continue
			}
			f.pc = pc
			m[sp] = vm.quickOp(in, l, r)
			vm.ntemps = mark

		case iEqual:
			l, r := m[sp-1], m[sp]
			sp--
			if l&r&1 != 0 {
				m[sp] = Bool(l == r)
				continue
			}
			f.pc = pc
			m[sp] = Bool(vm.Equal(l, r))
			vm.ntemps = mark

		case iNotEqual:
			l, r := m[sp-1], m[sp]
			sp--
			if l&r&1 != 0 {
				m[sp] = Bool(l != r)
				continue
			}
			f.pc = pc
			m[sp] = Bool(!vm.Equal(l, r))
			vm.ntemps = mark

		case iBinaryOp:
			f.pc = pc
			l, r := m[sp-1], m[sp]
			sp--
			m[sp] = vm.BinaryOp(BinaryOp(in.a), l, r)
			vm.ntemps = mark

		case iFastFastOp:
			left, right = m[top-in.a], m[top-code[pc].a]
			if left&right&1 == 0 {
				if left == Null || right == Null {
					in = &f.code.plain[pc-1]
					goto again
				}
				sp++
				opr = &f.code.plain[pc+1]
				pc += 3
				goto wide
			}
			sp++
			pc++
			goto operator

		case iFastConstOp:
			left, right = m[top-in.a], Value(code[pc].a)
			if left&1 == 0 {
				if left == Null {
					in = &f.code.plain[pc-1]
					goto again
				}
				sp++
				opr = &f.code.plain[pc+1]
				pc += 3
				goto wide
			}
			sp++
			pc++
			goto operator

		case iTopFastOp:
			left, right = m[sp], m[top-in.a]
			if left&right&1 == 0 {
				if right == Null {
					in = &f.code.plain[pc-1]
					goto again
				}
				opr = &f.code.plain[pc]
				pc += 2
				goto wide
			}
			goto operator

		case iTopConstOp:
			left, right = m[sp], Value(in.a)
			if left&1 == 0 {
				opr = &f.code.plain[pc]
				pc += 2
				goto wide
			}
			goto operator

		case iFastFastSubscr:
			if base, index := m[top-in.a], m[top-code[pc].a]; index&1 != 0 && base&3 == 0 && base < romBase {
				i := int32(index) >> 1
				switch m[base/4] {
				case TypeList:
					n := int32(m[base/4+2])
					if i < 0 {
						i += n
					}
					if uint32(i) < uint32(n) {
						sp++
						m[sp] = m[uint32(m[base/4+3])/4+uint32(i)]
						pc += 2
						continue
					}
				case TypeByteArray:
					n := int32(m[base/4+2])
					if i < 0 {
						i += n
					}
					if uint32(i) < uint32(n) {
						sp++
						m[sp] = SmallInt(int(vm.Bytes[uint32(m[base/4+3])+uint32(i)]))
						pc += 2
						continue
					}
				}
			}
			in = &f.code.plain[pc-1]
			goto again

		case iFastAttr:
			if o := m[top-in.a]; o&3 == 0 && o-1 < romBase-1 && m[o/4] < romBase {
				attr := &code[pc]
				key, size, t := Value(attr.a<<2|2), uint32(m[o/4+2]), uint32(m[o/4+3])/4
				if x := uint32(attr.x & 0xff); x < size && m[t+2*x] == key {
					sp++
					m[sp] = m[t+2*x+1]
					pc++
					continue
				}
				if x := uint32(attr.x >> 8); x < size && m[t+2*x] == key {
					sp++
					m[sp] = m[t+2*x+1]
					pc++
					continue
				}
			}
			in = &f.code.plain[pc-1]
			goto again

		case iLoadFastFast:
			left, right = m[top-in.a], m[top-code[pc].a]
			if left == Null || right == Null {
				in = &f.code.plain[pc-1]
				goto again
			}
			m[sp+1], m[sp+2] = left, right
			sp += 2
			pc++

		case iReturnFast:
			left = m[top-in.a]
			if left == Null {
				in = &f.code.plain[pc-1]
				goto again
			}
			sp++
			m[sp] = left
			pc++
			goto unwindReturn

		case iRangeStep:
			// on the stack: end, counter
			left, right = m[sp], m[sp-1]
			if s := int64(int32(left)) + int64(int32(in.a)) - 1; left&right&1 != 0 && s == int64(int32(s)) {
				m[sp] = Value(uint32(s))
				if (f.code.plain[pc+3].op == iLess) == (int32(s) < int32(right)) && int32(s) != int32(right) {
					pc = int(code[pc+4].a)
					m[top-code[pc+1].a] = Value(uint32(s))
					pc += 2
				} else {
					pc += 5
				}
				if vm.budget--; vm.budget < 0 {
					f.pc, f.sp = pc, sp
					vm.poll()
					vm.ntemps = mark
				}
				continue
			}
			in = &f.code.plain[pc-1]
			goto again

		case iRangeStepConst:
			// on the stack: counter
			left, right = m[sp], Value(code[pc+2].a)
			if s := int64(int32(left)) + int64(int32(in.a)) - 1; left&1 != 0 && s == int64(int32(s)) {
				m[sp] = Value(uint32(s))
				if compare(f.code.plain[pc+3].op, Value(uint32(s)), right) {
					pc = int(code[pc+4].a)
					m[top-code[pc+1].a] = Value(uint32(s))
					pc += 2
				} else {
					pc += 5
				}
				if vm.budget--; vm.budget < 0 {
					f.pc, f.sp = pc, sp
					vm.poll()
					vm.ntemps = mark
				}
				continue
			}
			in = &f.code.plain[pc-1]
			goto again

		case iCompareJump:
			left, right = m[sp-1], m[sp]
			if left&right&1 == 0 {
				in = &f.code.plain[pc-1]
				goto again
			}
			sp -= 2
			opr, then = &f.code.plain[pc-1], &f.code.plain[pc]
			pc++
			if compare(opr.op, left, right) == (then.op == iPopJumpIfTrue) {
				pc = int(then.a)
				if vm.budget--; vm.budget < 0 {
					f.pc, f.sp = pc, sp
					vm.poll()
					vm.ntemps = mark
				}
			}

		case iForIterStore:
			b := sp - iterSlots + 1
			switch m[b] {
			case TypeRangeIter:
				cur, stop, step := int32(m[b+1]), int32(m[b+2]), int32(m[b+3])
				if step > 0 && cur < stop || step < 0 && cur > stop {
					m[b+1] = Value(cur + step)
					m[top-code[pc].a] = SmallInt(int(cur))
					pc++
				} else {
					sp -= iterSlots
					pc = int(in.a)
				}
				continue
			case TypePolyIter:
				if m[b+1] == polyList {
					l, i := m[b+2]/4, m[b+3]
					if i < m[l+2] {
						m[b+3] = i + 1
						m[top-code[pc].a] = m[m[l+3]/4+i]
						pc++
					} else {
						sp -= iterSlots
						pc = int(in.a)
					}
					continue
				}
			}
			in = &f.code.plain[pc-1]
			goto again

		default:
			panic("vm: unknown operation in decoded code")
		}
		continue

	operator:
		// left and right are small ints; m[sp] is where the result goes, and
		// the operator is the instruction at pc.
		opr = &f.code.plain[pc]
		then = &f.code.plain[pc+1]
		pc += 2
		switch opr.op {
		case iAdd:
			s := int64(int32(left)) + int64(int32(right)) - 1
			if s != int64(int32(s)) {
				goto wide
			}
			left = Value(uint32(s))
		case iSub:
			s := int64(int32(left)) - int64(int32(right)) + 1
			if s != int64(int32(s)) {
				goto wide
			}
			left = Value(uint32(s))
		case iMul:
			s := int64(int32(left)>>1) * int64(int32(right)>>1)
			if !FitsSmallInt(s) {
				goto wide
			}
			left = SmallInt(int(s))
		case iAnd:
			left &= right
		default:
			if compare(opr.op, left, right) {
				left = True
			} else {
				left = False
			}
			switch then.op {
			case iPopJumpIfFalse:
				sp--
				if left == False {
					pc = int(then.a)
					if vm.budget--; vm.budget < 0 {
						f.pc, f.sp = pc, sp
						vm.poll()
						vm.ntemps = mark
					}
				}
				continue
			case iPopJumpIfTrue:
				sp--
				if left == True {
					pc = int(then.a)
				}
				if vm.budget--; vm.budget < 0 {
					f.pc, f.sp = pc, sp
					vm.poll()
					vm.ntemps = mark
				}
				continue
			}
			m[sp] = left
			pc--
			continue
		}
		if then.op == iStoreFast {
			m[top-then.a] = left
			sp--
			continue
		}
		m[sp] = left
		pc--
		continue

	wide:
		// the result is no small int, or not both operands are
		pc--
		f.pc = pc
		m[sp] = vm.quickOp(opr, left, right)
		vm.ntemps = mark
		continue

	unwindReturn:
		for f.exc >= f.excBase {
			h, at, finally := vm.handler(f)
			if finally && h > pc {
				vm.curExc = Null
				m[at+1] = m[sp]
				sp = at + 2
				m[sp] = SmallInt(-1)
				pc = h
				continue dispatch
			}
			vm.popHandler(f)
		}
		{
			v := m[sp]
			kind := f.kind
			if f.gen != Null {
				vm.finish(f)
			} else {
				vm.leave(f)
			}
			if kind == kindEntry {
				return v, endReturn
			}
			f = vm.frame
			code, pc, sp, top = f.code.instrs, f.pc, f.sp, f.top
			switch kind {
			case kindForIter:
				if v != None {
					vm.Keep(v)
					vm.NewException(TypeStopIteration, v)
					vm.ntemps = mark
				}
				sp -= iterSlots
				pc = int(code[pc-1].a)
				continue
			case kindInit:
				if f.next.aux != 0 {
					vm.Free(f.next.aux)
				}
				if v != None {
					vm.Keep(v)
					exc = vm.initResult(v)
					goto raise
				}
				continue
			case kindEnter:
				sp++
				vm.pushHandler(f, code[pc-1].a, sp, true)
				sp++
			case kindExit:
				v = None
			}
			m[sp] = v
		}
		continue

	yield:
		{
			v := m[sp]
			f.sp = sp
			kind := f.kind
			vm.suspend(f)
			switch kind {
			case kindForIter:
				f = vm.frame
				code, pc, sp, top = f.code.instrs, f.pc, f.sp, f.top
				sp++
				m[sp] = v
			case kindYieldFrom:
				f = vm.frame
				f.pc--
				sp = f.sp + 1
				m[sp] = v
				goto yield
			default:
				return v, endYield
			}
		}
		continue

	raise:
		vm.Keep(exc)
		if exc = vm.unwind(exc); exc != Null {
			return exc, endRaise
		}
		vm.ntemps = mark
		f = vm.frame
		code, pc, sp, top = f.code.instrs, f.pc, f.sp, f.top
	}
}
