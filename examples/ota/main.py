# Decides what runs. It stays source, because main.py beats main.mpy, and uses
# built-in modules only: a module of ours imported here would come from the old
# bundle. What an update replaces is a .mpy file in the bundle.
#
# An update that ota.py has checked is NAME.mpy.ok. Each step of putting it in
# place can be the last before the power fails; the next start goes on.
import gc
import machine
import uos
import xbee

APP = "app"
TRIES = 3
HERE = "/flash/" + APP + ".mpy"


def install():
    # the old one is kept until the new one has reported
    if APP + ".mpy.ok" not in uos.listdir("/flash"):
        return
    print("Installing the update")
    try:
        uos.replace(HERE, HERE + ".old")
    except OSError:
        pass  # it was moved before the power failed
    uos.replace(HERE + ".ok", HERE)


def roll_back(why):
    # True if there is an old one, which runs after a reset
    if APP + ".mpy.old" not in uos.listdir("/flash"):
        return False
    print("The update fails:", why)
    with open("/flash/ota.bad", "w") as f:
        f.write(why)
    uos.replace(HERE + ".old", HERE)
    return True


def modules():
    found = []
    for folder in ("/flash", "/flash/lib"):
        for name in uos.listdir(folder):
            if name.endswith(".mpy") and name != "main.mpy":
                found.append(folder + "/" + name)
    return found


def base(path):
    return path[path.rfind("/") + 1:path.rfind(".")]


def bundle(files):
    # Returns if the bundle holds just these files; else it bundles and resets, a
    # few times at most. ATKP says which files it is of, and how often we tried.
    total = 0
    for f in files:
        for b in uos.hash(f) + f.encode():
            total = (total * 33 ^ b) & 0xFFFFFFFF
    mark = "bundle %08x" % total
    seen = xbee.atcmd("KP") or ""
    names = uos.bundle()
    same = sorted(names) == sorted([base(f) for f in files])
    if same and seen == mark + " ok":
        return
    tries = 0
    if seen.startswith(mark) and seen[-1] in "123456789":
        tries = int(seen[-1])
        if same:
            xbee.atcmd("KP", mark + " ok")
            xbee.atcmd("WR")
            return
    if tries >= TRIES:
        raise RuntimeError("bundling failed %d times" % tries)
    # Erased before it is marked: if power fails in between, nothing looks done.
    uos.bundle(None)
    xbee.atcmd("KP", mark + " " + str(tries + 1))
    xbee.atcmd("WR")
    gc.collect()
    uos.bundle(*files)


install()
try:
    bundle(modules())
    del install, bundle, modules, base
    gc.collect()
    __import__(APP).main()
except (OSError, MemoryError):
    raise  # no fault of the update: it stays
except Exception as e:
    if not roll_back(repr(e)):
        raise
    machine.reset()
