# Ranges in generators, and what a generator's consumer sees.
import sys


def past(n):
    try:
        for i in range(2**30 - n, 2**30 + n):
            yield i
    except KeyboardInterrupt as e:
        sys.print_exception(e)
        yield -1
    finally:
        print("closed")


def chain(n):
    for k in range(2):
        yield from past(n)
    with Guard():
        for i in range(2**30 - 2, 2**30 + 2):
            yield i


class Guard:
    def __enter__(self):
        print("in")

    def __exit__(self, *a):
        print("out", a[0])


def work():
    s = 0
    last = None
    try:
        for last in chain(2):
            s += last
            for q in range(2**30 - 1, 2**30 + 1):
                s += 1
    except KeyboardInterrupt as e:
        sys.print_exception(e)
    print(last, s)


work()
