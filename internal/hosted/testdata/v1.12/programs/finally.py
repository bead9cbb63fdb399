# return, break and continue inside finally blocks
def f1():
    for i in range(3):
        try:
            return 'try'
        finally:
            print('finally', i)
            continue
    return 'end'
def f2():
    while True:
        try:
            return 'try'
        finally:
            break
    return 'after break'
def f3():
    try:
        1 // 0
    finally:
        return 'swallowed'
def f4():
    for i in range(4):
        try:
            try:
                if i == 1:
                    continue
                if i == 2:
                    break
                raise ValueError(i)
            finally:
                try:
                    print('inner', i)
                finally:
                    print('innermost', i)
        except ValueError as e:
            print('caught', e)
    return i
def f5():
    try:
        try:
            return 1
        finally:
            return 2
    finally:
        return 3
def f6():
    for i in range(2):
        for j in range(2):
            try:
                try:
                    continue
                finally:
                    print('a', i, j)
                    if j:
                        break
            finally:
                print('b', i, j)
    return 'done'
def f7():
    class C:
        def __enter__(self):
            print('enter')
        def __exit__(self, *a):
            print('exit', a[0])
    for i in range(3):
        with C():
            try:
                return i
            finally:
                if i < 2:
                    continue
for f in (f1, f2, f3, f4, f5, f6, f7):
    print(f.__name__, f())

# an exception that is raised again keeps the traceback that it has
import sys
def bad():
    raise ValueError('bad')
def again():
    try:
        bad()
    except ValueError:
        raise
def through():
    try:
        bad()
    finally:
        print('on its way')
def explicit():
    try:
        bad()
    except ValueError as e:
        raise e
def chained():
    try:
        bad()
    except ValueError as e:
        raise TypeError('other') from e
for f in (again, through, explicit, chained):
    try:
        f()
    except Exception as e:
        sys.print_exception(e)
try:
    raise
except RuntimeError as e:
    print(e)
