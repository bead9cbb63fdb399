# programs that crash the reference: here each gives an exception or a value
import gc
from ucollections import namedtuple, OrderedDict, deque
box = []
class E:
    def __init__(s, f=None, h=1): s.f = f; s.h = h
    def __eq__(s, o):
        if s.f: s.f()
        gc.collect()
        return False
    def __hash__(s):
        gc.collect()
        return s.h
    def __lt__(s, o):
        if s.f: s.f()
        return True
def t(name, f):
    try: print(name, repr(f())[:60])
    except Exception as e: print(name, repr(e)[:80])
def shrink(l):
    def f():
        del l[1:]
        l.clear()
        for i in range(5): box.append([i] * 9)
    return f
def grow(l):
    def f():
        for i in range(200): l.append(i)
    return f
for mk in (shrink, grow):
    l = []; l += [E(mk(l)) for i in range(20)]; t('index', lambda: l.index(5))
    l = []; l += [E(mk(l)) for i in range(20)]; t('count', lambda: l.count(5))
    l = []; l += [E(mk(l)) for i in range(20)]; t('in', lambda: 5 in l)
    l = []; l += [E(mk(l)) for i in range(20)]; t('eq', lambda: l == [1] * 20)
    l = []; l += [E(mk(l)) for i in range(20)]; t('lt', lambda: l < [1] * 20)
    l = []; l += [E(mk(l)) for i in range(20)]; t('sort', lambda: l.sort())
    l = []; l += [E(mk(l)) for i in range(20)]; t('sortkey', lambda: l.sort(key=lambda x: x.f()))
    l = []; l += [E(mk(l)) for i in range(20)]; t('remove', lambda: l.remove(3))
    l = []; l += [E(mk(l)) for i in range(20)]; t('max', lambda: max(l))
def dclear(d):
    def f():
        d.clear()
        for i in range(30): d[i] = i
        for i in range(5): box.append([i] * 9)
    return f
for mk in (dict, OrderedDict):
    d = mk(); x = E(dclear(d)); d[x] = 1
    def go():
        for i in range(40): d[E()] = i
        return len(d) > 0
    t('dict', go)
    t('get', lambda: d.get(E(), 0))
    t('pop', lambda: d.pop(E(), 0))
    t('set', lambda: d.setdefault(E(), 0))
    t('eq', lambda: d == mk([(E(), 1)]))
    t('upd', lambda: d.update(d))
def sclear(s):
    def f():
        s.clear()
        for i in range(30): s.add(i)
    return f
s = set(); s.add(E(sclear(s)))
def go():
    for i in range(40): s.add(E())
    return len(s) > 0
t('set', go)
t('set-', lambda: s - {E()})
t('set&', lambda: len(s & s))
t('set|', lambda: len(s | {E(), E()}))
d = {i: i for i in range(10)}
def it():
    for k in d: d.pop(k); d[k + 100] = 1
    return len(d)
t('mutiter', it)
def it2():
    n = 0
    for k, v in d.items():
        d.clear(); n += 1
    return n
t('mutiter2', it2)
l = list(range(10))
def it3():
    n = 0
    for x in l: l.clear(); n += 1
    return n
t('it3', it3)
a = []; a.append(a); b = []; b.append(b)
t('rec eq', lambda: a == b)
t('rec repr', lambda: repr(a))
d = {}; d[1] = d; e = {}; e[1] = e
t('rec deq', lambda: d == e)
t('rec drepr', lambda: repr(d))
x = ()
for i in range(500): x = (x,)
t('deep hash', lambda: hash(x) != 0)
t('deep eq', lambda: x == x)
class LL(list):
    def __init__(self): self.append(1)
t('LL', lambda: LL())
t('deque0', lambda: deque((), 0).append(1))
dq = deque((), 0); dq.append(1); t('deque0', lambda: dq.popleft())
t('lmul', lambda: [1, 2] * (1 << 30))
t('nt0', lambda: namedtuple('Z', ())())
t('sl', lambda: range(0, 10, 1 << 16)[::1 << 16])
t('sl', lambda: len(range(0, 10, 1 << 16)[::1 << 16]))
od = OrderedDict([(1, 2), (3, 4), (5, 6)])
t('odpop', lambda: od.popitem()); t('od', lambda: od); t('od', lambda: od[5]); t('od', lambda: od.copy()); t('od', lambda: len(od)); od[7] = 8; t('od', lambda: od); t('od', lambda: list(od.keys()))
