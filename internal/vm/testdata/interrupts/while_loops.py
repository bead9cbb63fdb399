# Comparisons with jumps, whose operands are no small ints, and calls.
import sys


def f(x):
    return x + 1


def work():
    i = 2**30 - 2
    n = 0
    try:
        while i < 2**30 + 2:
            i += 1
            n = f(n)
            if not i == 2**30:
                n += 10
            elif i is None:
                n = 0
        while not i < 2**30 - 1:
            i -= 2
        for c in "ab":
            for d in [1, 2.5]:
                n += d
    except KeyboardInterrupt as e:
        sys.print_exception(e)
    print(i, n)


work()
