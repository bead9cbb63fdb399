# the operator @, which v1.11 does not have
class M:
    def __init__(self, n):
        self.n = n
    def __matmul__(self, o):
        return ('mul', self.n, o.n if isinstance(o, M) else o)
    def __rmatmul__(self, o):
        return ('rmul', o, self.n)

class I(M):
    def __imatmul__(self, o):
        print('imatmul')
        return self

a, b = M(1), M(2)
for f in (lambda: a @ b, lambda: a @ 3, lambda: 3 @ a, lambda: 'x' @ b, lambda: 2.5 @ a, lambda: None @ a):
    try:
        print(f())
    except TypeError as e:
        print(e)
try:
    a @= b
    print(a)
    i = I(5)
    i @= 6
    print(i)
    print(M(7) @ M(8) * 2)
except TypeError as e:
    print(e)
for l, r in ((1, 2), (1, 2.5), (1.5, 2), (2**40, 3), ('a', 'b'), ([1], 2), (M(1), None), (None, 1), (object(), 1)):
    try:
        print(l @ r)
    except TypeError as e:
        print(e)
    try:
        l @= r
        print(l)
    except TypeError as e:
        print(e)

def deco(f):
    return 'decorated'
@deco
def g():
    pass
print(g)
try:
    exec('x = 1 @')
except SyntaxError:
    print('SyntaxError')
