"""Keeps the bundle of an XBee 3 Cellular up to date; main.py calls it first.

    import boot
    boot.bundle()
    boot.forget()
    del boot

bundle() returns if the bundle holds just the .mpy files of /flash and /flash/lib.
Else it bundles them, which restarts the module, and main.py with it. It gives up
after a few times, so that a file that cannot be bundled does not end in a boot loop.
The register KP says which files the bundle is of, and how often it was tried.

Nothing else of the application may be imported before: it would come from the old
bundle. This module is never in the bundle itself.
"""
import gc
import sys
import uos
import xbee

TRIES = 3


def base(path):
    return path[path.rfind("/") + 1:path.rfind(".")]


def modules(skip):
    # The .mpy files to bundle. A .py file beside one would be imported in its
    # place, so it goes.
    found = []
    for folder in ("/flash", "/flash/lib"):
        names = uos.listdir(folder)
        for name in names:
            if name.endswith(".mpy") and base(name) not in skip:
                found.append(folder + "/" + name)
                if base(name) + ".py" in names:
                    print("Removing", base(name) + ".py", "because it would hide a .mpy file")
                    uos.remove(folder + "/" + base(name) + ".py")
    return found


def digest(files):
    # 8 hex digits that change with any file's name or content
    total = 0
    for f in files:
        for b in uos.hash(f) + f.encode():
            total = (total * 33 ^ b) & 0xFFFFFFFF
    return "%08x" % total


def note(text):
    xbee.atcmd("KP", text)
    xbee.atcmd("WR")


def bundle(skip=()):
    files = modules(("main", "boot") + tuple(skip))
    mark = "bundle " + digest(files)
    seen = xbee.atcmd("KP") or ""
    names = uos.bundle()
    same = sorted(names) == sorted([base(f) for f in files])
    tries = 0
    if seen.startswith(mark):
        if same and seen.endswith(" ok"):
            print("Bundle is up to date:", ", ".join(names) or "empty")
            return
        if same:
            note(mark + " ok")
            print("Bundle is complete:", ", ".join(names) or "empty")
            return
        tries = int(seen[-1]) if seen[-1] in "123456789" else 0
    if tries >= TRIES:
        bad = [f for f in files if base(f) not in names]
        raise RuntimeError("bundling failed %d times for %s: replace it, or clear ATKP and reset" % (tries, ", ".join(bad)))
    # Erased before it is marked: if power fails in between, nothing looks done.
    uos.bundle(None)
    note(mark + " " + str(tries + 1))
    if files:
        print("Bundling %d module(s), attempt %d of %d" % (len(files), tries + 1, TRIES))
        gc.collect()
        uos.bundle(*files)
    else:
        note(mark + " ok")
        print("Bundle is empty")


def forget():
    # Once main.py has deleted its own name of it, this module is off the heap.
    del sys.modules["boot"]
