# Ends and steps that are no constants, one range within another.
import sys


def work(lo, hi):
    n = 0
    i = j = None
    try:
        for i in range(lo, hi):
            try:
                for j in range(hi, lo, -3):
                    n += 1
                n += 10
            except KeyboardInterrupt as e:
                n += 1000
                sys.print_exception(e)
            finally:
                n += 100
    except KeyboardInterrupt as e:
        n += 10000
        sys.print_exception(e)
    print(i, j, n)


def again(lo, hi):
    n = 0
    for i in range(lo, hi):
        if i == lo + 1:
            continue
        if i == hi - 1:
            break
        n += 1
    else:
        n += 100
    print(i, n)


work(2**30 - 3, 2**30 + 2)
work(0, 3)
try:
    again(2**30 - 3, 2**30 + 2)
    again(0, 5)
except KeyboardInterrupt as e:
    sys.print_exception(e)
