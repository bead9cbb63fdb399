# A range whose counter runs out of the small ints, interrupted at each jump.
import sys


def work():
    n = 0
    i = None
    try:
        for i in range(2**30 - 4, 2**30 + 4):
            n += 1
            if n > 5:
                n += 0
        n += 100
    except KeyboardInterrupt as e:
        sys.print_exception(e)
    print(i, n)
    try:
        for i in range(-(2**30) + 2, -(2**30) - 4, -1):
            n += 1
    except KeyboardInterrupt as e:
        n += 1000
        sys.print_exception(e)
    finally:
        n += 10000
    print(i, n)
    return n


work()
work()
