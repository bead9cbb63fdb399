# calls and subscripts of containers, with arguments of every kind
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
vals = "1|True|None|2**40|''|'abc'|b'xy'|()|(3,1,2)|[]|[1,2]|{}|{'a':1,'b':2}|set()|{1,2,3}|frozenset([1,2])|range(5,0,-2)|N(1,2)|L([1,2])|D()|It(3)|GI()|Bad()|LenOnly()|OrderedDict([(1,2),(3,4)])|deque((),3)|int|(x for x in (1,2))|{1:2}.items()|enumerate('ab')".split('|')
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
for f in 'list(%s)|tuple(%s)|set(%s)|frozenset(%s)|dict(%s)|OrderedDict(%s)|len(%s)|sum(%s)|min(%s)|max(%s)|any(%s)|all(%s)|sorted(%s)|list(reversed(%s))|list(enumerate(%s))|list(zip(%s))|list(map(str,%s))|list(filter(None,%s))|range(%s)|range(1,%s)|bool(%s)|next(iter(%s))|[7,8].extend(%s)|[0,*%s]|{}.update(%s)|dict.fromkeys(%s)|{1,2}.union(%s)|{1,2}.intersection(%s)|{1,2}.difference(%s)|{1,2}.symmetric_difference(%s)|{1,2}.isdisjoint(%s)|{1,2}.issubset(%s)|{1,2}.issuperset(%s)|{1,2}.update(%s)|N(*%s)|[5,6,7][%s]|(5,6,7)[%s]|range(5)[%s]|{1:2}[%s]|{1:2}.get(%s)|{1:2}.pop(%s)|{1:2}.setdefault(%s)|[1,2].index(%s)|[1,2].count(%s)|[1,2].remove(%s)|[1,2].pop(%s)|(1,2).index(%s)|{1,2}.remove(%s)|{1,2}.discard(%s)|{1,2}.add(%s)|deque((),%s)|deque(%s,3)|namedtuple("X",%s)|namedtuple(%s,("a",))|slice(%s)|(%s)[1:2]|(%s)[::2]|(%s)[::-1]|(%s)[-1]|(%s)[5:]|list((%s)[1:])|"%%s"%%(%s,)|iter(%s)|(%s).__class__|list.append(%s,1)|dict.update(%s,{})|list.sort(%s)|set.add(%s,1)|tuple.count(%s,1)|dict.get(%s,1)|dict.keys(%s)|set.union(%s,[])|sorted([3,1,2],key=%s)|sorted([3,1,2],reverse=%s)|[1,2][%s:]|[1,2][:%s]|[1,2,3,4][::%s]|(1,2,3)[%s:]|range(5)[%s:]|range(5)[::%s]|min(%s,default=3)|min(1,2,key=%s)|sum([1],%s)|enumerate([1],%s)|list(enumerate([1],start=%s))'.split('|'):
    for a in vals: t(f % a)
