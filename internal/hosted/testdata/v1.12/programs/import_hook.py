# __import__ that a program replaced
import builtins, sys
real = __import__
def hook(name, *rest):
    print('import', name, rest[2] if len(rest) > 2 else None)
    return real(name, *rest)
try:
    builtins.__import__ = hook
except AttributeError:
    print('fixed')
import gc
from sys import platform as p
import ujson as j
builtins.__import__ = real
import array
print('end')
