# Reads an energy meter, if only it could be bundled.
import registers


def main():
    for name in ("V_L1", "V_L2", "V_L3"):
        print(name, "is register", hex(getattr(registers, name)))
