# exceptions whose texts raise
class E(Exception):
    def __str__(self): raise ValueError('in str')
class F(E):
    def __repr__(self): raise F
    __str__ = __repr__
import sys
try: raise E(1)
except E as e:
    try: sys.print_exception(e)
    except ValueError as v: print('caught', v)
raise F(2)
