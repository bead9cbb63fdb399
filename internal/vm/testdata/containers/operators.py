# operators between containers of every kind
from ucollections import namedtuple, OrderedDict, deque
N = namedtuple('N', ['a', 'b'])
class L(list): pass
class D(dict): pass
class It:
    def __init__(s, n): s.n = n
    def __iter__(s): return s
    def __next__(s):
        if not s.n: raise StopIteration
        s.n -= 1; return s.n
class GI:
    def __getitem__(s, i):
        if i > 3: raise IndexError
        return i * i
class Bad:
    def __iter__(s): return 5
class LenOnly:
    def __len__(s): return 3
    def __getitem__(s, i):
        if i > 3: raise IndexError
        return i
vals = "1|None|'ab'|(3,1)|[1,2]|{'a':1}|{1,2}|frozenset([2])|range(3)|N(1,2)|L([1,2])|GI()|OrderedDict([(1,2)])".split('|')
def show(r):
    s = repr(r)
    for addr in (' at ', ' object', ' 0x'):
        i = s.find(addr)
        if i >= 0: return s[:i]
    return s
def t(e):
    try: r = show(eval(e))
    except Exception as x: r = show(x)
    print(e, '->', r)
for f in '(%s)==(%s) (%s)<(%s) (%s)+(%s) (%s)*(%s) (%s)in(%s) (%s)&(%s) (%s)-(%s) (%s)|(%s) (%s)^(%s) (%s)>=(%s)'.split():
    for a in vals:
        for b in vals: t(f % (a, b))
