# Decides what runs. It stays source, because main.py beats main.mpy, and uses
# built-in modules only: a module of ours imported here would come from the old
# bundle. Space on the heap is short, so everything else is a .mpy file in the
# bundle, which this file keeps up to date.
import gc
import uos
import ubinascii
import xbee

APP = "tracker"
TRIES = 3


def modules():
    # the .mpy files in the order they are bundled, and stray .py files beside them
    found, stray = [], []
    for folder in ("/flash", "/flash/lib"):
        names = uos.listdir(folder)
        for name in names:
            if name.endswith(".mpy") and name != "main.mpy":
                found.append(folder + "/" + name)
        stray += [folder + "/" + n for n in names if n.endswith(".py") and n != "main.py"]
    have = [base(f) for f in found]
    return found, [s for s in stray if base(s) in have]


def base(path):
    return path[path.rfind("/") + 1:path.rfind(".")]


def digest(files):
    # 8 hex digits that change with any file's name or content
    total = 0
    for f in files:
        for b in uos.hash(f) + f.encode():
            total = (total * 33 ^ b) & 0xFFFFFFFF
    return "%08x" % total


def bundle(files):
    # Returns if the bundle holds just these files; else it bundles and resets, a
    # few times at most. ATKP says which files it is of, and how often we tried.
    mark = "bundle " + digest(files)
    seen = xbee.atcmd("KP") or ""
    names = uos.bundle()
    same = sorted(names) == sorted([base(f) for f in files])
    if same and seen == mark + " ok":
        print("Bundle is up to date:", ", ".join(names))
        return
    tries = 0
    if seen.startswith(mark) and seen[-1] in "123456789":
        tries = int(seen[-1])
        if same:
            xbee.atcmd("KP", mark + " ok")
            xbee.atcmd("WR")
            print("Bundle is complete:", ", ".join(names))
            return
    if tries >= TRIES:
        bad = [f for f in files if base(f) not in names]
        raise RuntimeError("bundling failed %d times for %s: replace it, or clear ATKP and reset" % (tries, ", ".join(bad)))
    print("Bundling %d modules, attempt %d of %d" % (len(files), tries + 1, TRIES))
    # Erased before it is marked: if power fails in between, nothing looks done.
    uos.bundle(None)
    xbee.atcmd("KP", mark + " " + str(tries + 1))
    xbee.atcmd("WR")
    gc.collect()
    uos.bundle(*files)


files, stray = modules()
for name in stray:
    print("Removing", name, "because it would hide a .mpy file")
    uos.remove(name)
bundle(files)
del files, stray, modules, digest, bundle, base
gc.collect()
__import__(APP).main()
