# How not to keep the bundle up to date: whatever goes wrong with bundling, this
# file tries again at once, for ever. docs/boot-loop.md tells how to get the module
# back, and what to write instead.
import uos

MODULES = ["meter", "registers"]

if uos.bundle() != MODULES:
    print("Bundling", ", ".join(MODULES))
    # The interpreter restarts now, whether it worked or not.
    uos.bundle(*["/flash/%s.mpy" % name for name in MODULES])

import meter

meter.main()
