# Locals that have no value where they are used, in loops.
import sys


def work(n):
    t = 0
    for i in range(n, n + 3):
        try:
            if i & 1:
                x = 1
            t += x
            del x
            while x < 3:
                x += 1
        except NameError:
            t += 100
        finally:
            t += 1000
    for i in range(3):
        try:
            del i
            t = t + i
        except NameError:
            t += 7
    return t


def stored(n):
    i = 5
    k = 0
    for i in range(n):
        k += 1
        i = "own"
    return i, k


try:
    print(work(2**30 - 2))
    print(work(0))
    print(stored(3))
except KeyboardInterrupt as e:
    sys.print_exception(e)
