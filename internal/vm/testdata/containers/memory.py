# what containers cost: blocks before and after
import gc
from ucollections import namedtuple, OrderedDict, deque
N = namedtuple('N', ('a', 'b'))
def run(name, f, *args):
    try:
        gc.collect(); a = gc.mem_alloc(); x = f(*args); b = gc.mem_alloc()
        print(name, b - a, end='; ')
    except Exception as e:
        print(name, repr(e), end='; ')
    x = None
def gen(n):
    for i in range(n): yield i
class It:
    def __init__(s, n): s.n = n
    def __iter__(s): return s
    def __next__(s):
        if not s.n: raise StopIteration
        s.n -= 1; return s.n
def mk(n): return [i for i in range(n)]
def add(n):
    s = set()
    for i in range(n): s.add(i)
    return s
def dct(n):
    d = {}
    for i in range(n): d[i] = i
    return d
def odct(n):
    d = OrderedDict()
    for i in range(n): d[i] = i
    return d
def pops(l, n):
    for i in range(n): l.pop()
    return l
def dels(d, n):
    for i in range(n): del d[i]
    return d
def dq(n):
    d = deque((), n)
    for i in range(n * 2): d.append(i)
    return d
def slc(n, a, b, k):
    l = mk(n); l[a:b] = mk(k); return l
def dsl(n, a, b):
    l = mk(n); del l[a:b]; return l
def it(x):
    for i in x: pass
def srt(l, **k):
    l.sort(**k); return l
fs = [
('list gen', lambda n: list(gen(n))), ('list It', lambda n: list(It(n))), ('tuple gen', lambda n: tuple(gen(n))), ('tuple It', lambda n: tuple(It(n))), ('set gen', lambda n: set(gen(n))), ('fs gen', lambda n: frozenset(gen(n))),
('tuple list', lambda n: tuple(mk(n))), ('list tuple', lambda n: list(tuple(mk(n)))), ('mk', mk), ('add', add), ('dct', dct), ('odct', odct), ('dq', dq), ('pops', lambda n: pops(mk(n), n // 2)), ('dels', lambda n: dels(dct(n), n // 2)), ('odels', lambda n: dels(odct(n), n // 2)),
('s1', lambda n: slc(n, 0, 1, 5)), ('s2', lambda n: slc(n, 0, n, 2)), ('s3', lambda n: slc(n, n, n, n)), ('s4', lambda n: slc(n, 1, 3, 2)), ('d1', lambda n: dsl(n, 0, 3)), ('d2', lambda n: dsl(n, 2, n)),
('it', lambda n: it(mk(n))), ('itd', lambda n: it(dct(n))), ('its', lambda n: it(add(n))), ('itv', lambda n: it(dct(n).values())), ('iti', lambda n: it(dct(n).items())), ('ite', lambda n: it(enumerate(mk(n)))), ('itz', lambda n: it(zip(mk(n), mk(n)))), ('itm', lambda n: it(map(lambda x: x, mk(n)))), ('itf', lambda n: it(filter(None, mk(n)))), ('itr', lambda n: it(reversed(mk(n)))), ('itg', lambda n: it(gen(n))), ('itI', lambda n: it(It(n))),
('any', lambda n: any(mk(n))), ('all', lambda n: all(gen(n))), ('sum', lambda n: sum(gen(n))), ('sumI', lambda n: sum(It(n))), ('min', lambda n: min(mk(n + 1))), ('max', lambda n: max(gen(n + 1))), ('minkey', lambda n: min(mk(n + 1), key=lambda x: -x)), ('max3', lambda n: max(1, n, 3)),
('sort', lambda n: srt(mk(n))), ('sortk', lambda n: srt(mk(n), key=lambda x: x % 3)), ('sortr', lambda n: srt(mk(n), reverse=True)), ('sorted', lambda n: sorted(gen(n))), ('sortedl', lambda n: sorted(mk(n), key=lambda x: -x, reverse=True)),
('lcopy', lambda n: mk(n).copy()), ('dcopy', lambda n: dct(n).copy()), ('odcopy', lambda n: odct(n).copy()), ('scopy', lambda n: add(n).copy()), ('lmul', lambda n: [1, 2] * n), ('tmul', lambda n: (1, 2) * n), ('ladd', lambda n: mk(n) + mk(n)), ('tadd', lambda n: tuple(mk(n)) + (1,)),
('fromkeys', lambda n: dict.fromkeys(mk(n))), ('fromkeysg', lambda n: dict.fromkeys(gen(n), 1)), ('dpairs', lambda n: dict([(i, i) for i in range(n)])), ('dzip', lambda n: dict(zip(mk(n), mk(n)))), ('ddict', lambda n: dict(dct(n))), ('odpairs', lambda n: OrderedDict([(i, i) for i in range(n)])), ('dkw', lambda n: dict(a=1, b=2, c=n)),
('union', lambda n: add(n) | add(n + 3)), ('inter', lambda n: add(n) & add(n + 3)), ('diff', lambda n: add(n + 3) - add(n)), ('xor', lambda n: add(n + 3) ^ add(n)), ('unionm', lambda n: add(n).union(gen(n * 2))), ('interm', lambda n: add(n).intersection(mk(n))), ('iupd', lambda n: add(n).intersection_update(mk(n))), ('disj', lambda n: add(n).isdisjoint(mk(n))), ('subset', lambda n: add(n).issubset(mk(n))), ('superset', lambda n: add(n).issuperset(gen(n))), ('cmp', lambda n: add(n) < add(n + 1)), ('upd', lambda n: add(3).update(mk(n), gen(n))), ('sclear', lambda n: add(n).clear()), ('dclear', lambda n: dct(n).clear()), ('lclear', lambda n: mk(n).clear()),
('step', lambda n: mk(n)[::2]), ('step-', lambda n: mk(n)[::-1]), ('lsl', lambda n: mk(n)[1:n]), ('tsl', lambda n: tuple(mk(n))[1:]), ('rsl', lambda n: range(n)[1:3]), ('ext', lambda n: mk(3).extend(mk(n))), ('extg', lambda n: mk(3).extend(gen(n))), ('ins', lambda n: mk(n).insert(0, 1)), ('rem', lambda n: mk(n + 1).remove(0)), ('nt', lambda n: [N(i, i) for i in range(n)]), ('ntkw', lambda n: [N(b=i, a=1) for i in range(n)]), ('nttype', lambda n: namedtuple('X', ('a', 'b', 'c'))), ('ntadd', lambda n: N(1, 2) + N(3, 4)), ('unpack', lambda n: [a for a, b in [N(1, 2)] * n]), ('star', lambda n: (lambda *a: a)(*mk(n))), ('starg', lambda n: (lambda *a: a)(*gen(n))),
('popitem', lambda n: [dct(n + 1).popitem()]), ('setdef', lambda n: dct(n).setdefault(n, n)), ('dpop', lambda n: dct(n + 1).pop(0)), ('fsh', lambda n: hash(frozenset(mk(n)))), ('eq', lambda n: mk(n) == mk(n)), ('in', lambda n: -1 in mk(n)), ('ins', lambda n: -1 in gen(n)), ('iter', lambda n: iter(mk(n))), ('iterd', lambda n: iter(dct(n))), ('reversed', lambda n: reversed(mk(n))), ('enumerate', lambda n: enumerate(mk(n))), ('zip', lambda n: zip(mk(n), mk(n), mk(n))), ('map', lambda n: map(None, mk(n), mk(n))), ('items', lambda n: dct(n).items()), ('repr', lambda n: repr(mk(n))), ('reprd', lambda n: repr(dct(n))), ('reprs', lambda n: repr(add(n))), ('reprv', lambda n: repr(dct(n).items())), ('repro', lambda n: repr(odct(n))), ('reprn', lambda n: repr(N(n, n))),
('err1', lambda n: [].pop()), ('err2', lambda n: mk(n)[99]), ('err3', lambda n: dct(n)[99]),
]
for n, f in fs:
    for k in (0, 1, 2, 3, 4, 5, 8, 9, 17, 40): run(n + str(k), f, k)
    print()
