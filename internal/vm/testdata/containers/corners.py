# corners of containers
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
x = ()
for i in range(500): x = (x,)
t('deep hash', lambda: hash(x) != 0)
t('deep eq', lambda: x == x)
class G:
    def __getitem__(s, i): raise ValueError
t('G', lambda: list(G()))
t('deque0', lambda: deque((), 0).append(1))
dq = deque((), 0); dq.append(1); t('deque0', lambda: dq.popleft())
t('deque big', lambda: deque((), 1 << 29))
t('mul', lambda: [1] * (1 << 29))
t('tmul', lambda: (1,) * (1 << 29))
t('nt set', lambda: setattr(namedtuple('Z', ('a',))(1), 'a', 2))
N = namedtuple('N', 'a b')
n = N(1, 2)
class M(N):
    def __init__(self, *a): self.z = 5
t('M', lambda: M(1, 2).z)
t('M', lambda: M(1, 2).a)
t('M', lambda: M(1, 2)[1])
t('M', lambda: M(1, 2) == (1, 2))
t('M', lambda: isinstance(M(1, 2), tuple))
t('enum', lambda: list(enumerate([1, 2], 1 << 30)))
t('zip', lambda: list(zip()))
t('fk', lambda: dict.fromkeys([[]]))
t('popitem', lambda: dict([((), 1)]).popitem())
od = OrderedDict([(1, 2), (3, 4), (5, 6)])
t('od', lambda: od.popitem()); t('od', lambda: od.popitem()); t('od', lambda: od.popitem())
t('type attr', lambda: setattr(N, 'x', 1))
t('slice keys', lambda: {slice: 1}[slice])
t('class keys', lambda: {N: 1}[N])
t('listclass', lambda: list.__class__)
t('sort mixed', lambda: sorted([1, 'a']))
t('min mixed', lambda: min(1, 'a'))
t('set hash', lambda: {frozenset([1]): 2}[frozenset([1])])
t('sum', lambda: sum([[1], [2]], []))
t('dict kw', lambda: dict({1: 2}, a=3))
t('init', lambda: dict.__init__({}))
for m in ('append', 'clear', 'copy', 'count', 'extend', 'index', 'insert', 'pop', 'remove', 'reverse', 'sort'):
    t(m, lambda: getattr(list, m)(5)); t(m, lambda: getattr(list, m)(())); t(m, lambda: getattr(list, m)((), 1)); t(m, lambda: getattr(list, m)({}, 1, 2))
