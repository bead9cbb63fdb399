# Prints what the module that it runs on has: a line for each built-in module, type of
# one, and the built-in names.


def show(what, name, o):
    print(what, name, " ".join(dir(o)))


def module(name, o, done):
    show("module", name, o)
    if o in done:
        return
    done.append(o)
    for n in dir(o):
        try:
            a = getattr(o, n)
        except Exception:
            continue
        if isinstance(a, type(gc)):
            if n != "modules" and name + "." + n not in seen:
                seen.append(name + "." + n)
                module(name + "." + n, a, done)
        elif isinstance(a, type) and not issubclass(a, BaseException):
            show("type", name + "." + n, a)


import gc
import builtins

seen = []
with open("/flash/skepnames.txt") as f:
    all_modules = f.read().split()
for name in all_modules:
    try:
        m = __import__(name)
    except ImportError:
        continue
    if name != "__main__":
        module(name, m, [])
print("builtins -", " ".join(dir(builtins)))
try:
    import usocket
    import ussl
    s = usocket.socket(usocket.AF_INET, usocket.SOCK_STREAM, usocket.IPPROTO_SEC)
    show("type", "ussl.wrap_socket", ussl.wrap_socket(s))
    s.close()
except ImportError:
    pass
