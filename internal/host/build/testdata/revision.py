"""Something of everything that the compiler writes."""
import gc
from micropython import const

LIMIT = const(10)
TABLE = {"a": 1, "b": (2, 3.5, b"c"), "d": [None, True, ...]}


class Base:
    shared = 12345678901234567890

    def __init__(self, a, b=2, *args, key=None, **kw):
        self.a, self.b = a, b
        self.rest = args, key, kw

    @staticmethod
    def make(n):
        return [i ** 2 for i in range(n) if i % 2]


def outer(x):
    count = 0

    def inner(step=1):
        nonlocal count
        count += step
        return count << x & 0xFFFF

    return inner


def flow(items):
    global TABLE
    for i, item in enumerate(items):
        try:
            if not item or i > LIMIT:
                continue
            while item:
                item -= 1
                if item == 3:
                    break
            else:
                yield -i
        except (ValueError, OSError) as e:
            print("%s" % e)
            raise
        finally:
            gc.collect()
    with open("x") as f:
        yield from f
    assert items[1:-1:2], "none"
    del TABLE["a"]
    return lambda *a: {k: v for k, v in a}
