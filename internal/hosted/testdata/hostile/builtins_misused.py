# built-in functions of the compiler and the loader, given what the compiler never gives them
import sys
def t(f):
    try: print(f())
    except Exception as e: print(type(e).__name__)
class A(list): pass
class B: pass
t(lambda: compile(1, 2, 3))
t(lambda: compile([], 'x', 'exec'))
t(lambda: __build_class__(lambda: [1, 2], 'X').__name__)
t(lambda: __build_class__(lambda: 5, 'X').__name__)
t(lambda: __import__(1))
t(lambda: __import__(b'\xff', None, None, None, -1))
t(lambda: A.__init__(B()))
t(lambda: A.__init__(5))
sys.modules['five'] = 5
sys.modules['cls'] = B
def star(s): exec('from ' + s + ' import *', {})
t(lambda: star('five'))
t(lambda: star('cls'))
