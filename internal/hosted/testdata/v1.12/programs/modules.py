# modules: names, attributes and what they accept
import sys, ujson, ustruct, ucollections
print(sys.implementation, len(sys.implementation), sys.implementation.mpy)
import uarray, array
print(uarray.__name__, array is uarray, array.array('H', [1, 2]))
for name in ('json', 'struct', 'collections', 'binascii', 'errno', 'io', 're', 'hashlib', 'uarray', 'array', 'ujson', 'sys', 'usys', 'gc', 'ugc', '', 'x.json', 'u'):
    try:
        print(name, __import__(name).__name__)
    except Exception as e:
        print(name, repr(e))
for x in ('[1, 2]', b'{"a": 1}', bytearray(b'[3]'), memoryview(b'"m"'), array.array('b', b'12'), 5, None, [1]):
    try:
        print(ujson.loads(x))
    except Exception as e:
        print(repr(e))
od = ucollections.OrderedDict([('z', 1), (2, 'two'), (None, [1.5]), ((1, 2), {3: 4}), (b'b', b'c'), (True, False)])
print(ujson.dumps(od))
print(od)
print(ujson.dumps({1: {2: 3}}), {1: 2})
b = bytearray(16)
for offset in range(4):
    ustruct.pack_into('bih', b, offset, 1, 2, 3)
    print(bytes(b), ustruct.unpack_from('bih', b, offset))
print(ustruct.calcsize('bih'), ustruct.pack('bih', 1, 2, 3))
import ure
for r, s in ((r'[\]x]+', 'a]x]'), (r'[^\]]+', 'ab]c'), (r'[a\-z]+', 'a-z b'), (r'[\\]', 'a\\b'), (r'[\d]', 'd5')):
    try:
        m = ure.search(r, s)
        print(r, m and m.group(0))
    except ValueError as e:
        print(r, e)
try:
    ure.compile('[abc\\')
except ValueError as e:
    print(e)
print(hasattr(ure, 'DEBUG'))
import math
print([math.isclose(*a) for a in ((1, 1.0000001), (1, 1 + 1e-9), (1, 2), (float('inf'), float('inf')), (float('inf'), 1), (float('nan'), float('nan')), (0, 1e-12))])
print(math.isclose(1, 1.1, rel_tol=0.2), math.isclose(0, 0.1, abs_tol=0.2), math.isclose(1, 2, rel_tol=0, abs_tol=1))
for kw in ({'rel_tol': -1}, {'abs_tol': -1}, {'x': 1}):
    try:
        math.isclose(1, 2, **kw)
    except Exception as e:
        print(repr(e))
try:
    math.isclose(1, 2, 3)
except TypeError as e:
    print(e)
print(sys.atexit(None))
print(sys.atexit(lambda: print('at exit')))
