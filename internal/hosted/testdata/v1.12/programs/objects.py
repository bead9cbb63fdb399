# attributes of types, errors of operators, arrays, long names
class A: pass
class B(A): pass
class C(A): pass
class D(B, C): pass
class L(list): pass
for t in (A, B, D, L, object, int, bool, type, Exception, ValueError, KeyError, list):
    print(t.__name__, t.__bases__)
print(hasattr(A(), '__bases__'), A.__bases__ == (object,))
class R:
    def __rsub__(self, o): return NotImplemented
for f in (lambda: 1 - R(), lambda: R() - 1, lambda: 'a' - R(), lambda: R() * 2, lambda: 2 * R(), lambda: [] + 1, lambda: 1 + [], lambda: divmod('a', 1), lambda: 1 in 2):
    try:
        print(f())
    except TypeError as e:
        print(e)
b = bytearray(b'0123456789')
try:
    b[2:8] = b'x'
    print(b, len(b))
    b.extend(b'abcdefgh')
    print(b)
    b[1:2] = b'long replacement'
    b.append(33)
    print(b)
    b[3:] = b''
except TypeError as e:
    print(e)
for i in range(20):
    b.append(i)
print(b)
try:
    exec('x' * 256 + ' = 1')
except Exception as e:
    print(type(e), e)
d = {}
try:
    d['y' * 300] = 1
    print(len(d))
    setattr(A, 'z' * 300, 1)
except Exception as e:
    print(type(e), e)
for text in ('break', 'continue', 'def f():\n from sys import *', 'class C:\n from sys import *', 'for i in 1:\n def g():\n  break'):
    try:
        exec(text)
    except SyntaxError as e:
        print(e)
print(list(enumerate('ab', 1)), list(enumerate(iterable='ab', start=2)))
f = lambda x: (
    x // 0)
try:
    f(1)
except ZeroDivisionError as e:
    import sys
    sys.print_exception(e)
try:
    [x //
     0 for x in
     (1,)]
except ZeroDivisionError as e:
    sys.print_exception(e)
