# a stream of the program's own gets copies of what it is to write, and may keep and change them
import uio, sys, ujson
kept = []
class W(uio.IOBase):
    def write(self, b):
        kept.append(b)
        for i in range(len(b)): b[i] = 0
        return len(b)
print('test', 1.5, [1], file=W())
ujson.dump({'a': [1, 2.5, None]}, W())
sys.print_exception(ValueError('x'), W())
print(len(kept) > 5, 'test', all(len(b) == 0 for b in kept))
