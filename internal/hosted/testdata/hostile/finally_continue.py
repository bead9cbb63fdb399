# a jump or return out of a running finally block, often enough to leave any frame
def jump(n):
    i = 0
    while i < n:
        i += 1
        try:
            pass
        finally:
            continue
    return i

def swallow(n):
    i = 0
    while i < n:
        i += 1
        try:
            return i
        finally:
            continue
    return i

def leave():
    for x in 'abcdef':
        try:
            try:
                raise ValueError(x)
            except ValueError:
                try:
                    if x == 'b': continue
                    if x == 'e': return x
                finally:
                    if x == 'd': continue
                    if x == 'e': break
        finally:
            print(x, end=' ')
    return 'end'

print(jump(20000), swallow(20000), leave())
