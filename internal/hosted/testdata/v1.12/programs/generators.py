# pending exceptions, generators that run, StopIteration thrown
def g():
    i = 0
    while True:
        try:
            got = yield i
            print('got', got)
        except KeyError as e:
            print('KeyError', e)
        i += 1
it = g()
print(it.pend_throw(KeyError('early')))
try:
    print(next(it))
except KeyError as e:
    print('not started:', e)
it = g()
print(next(it), next(it))
print(it.pend_throw(KeyError('one')))
print(repr(it.pend_throw(KeyError('two'))))
print(next(it))
print(it.pend_throw(KeyError('three')), it.pend_throw(None))
print(it.send('sent'))
it.close()
try:
    next(it)
except StopIteration:
    print('closed')

def running():
    for f in (lambda: next(me), lambda: me.send(None), lambda: me.throw(ValueError), lambda: me.close(), lambda: me.pend_throw(ValueError())):
        try:
            f()
        except ValueError as e:
            print('ValueError', e)
        yield
me = running()
for _ in me:
    pass

class It:
    def __iter__(self):
        return self
    def __next__(self):
        return 1
def delegate(x):
    try:
        yield from x
    except RuntimeError as e:
        print('RuntimeError', e)
        yield 'after'
for x in (It(), iter([1, 2]), range(3)):
    d = delegate(x)
    print(next(d))
    try:
        print(d.throw(StopIteration))
    except Exception as e:
        print(repr(e))
def inner():
    raise StopIteration('inside')
    yield
try:
    print(list(inner()))
except RuntimeError as e:
    print(e)
