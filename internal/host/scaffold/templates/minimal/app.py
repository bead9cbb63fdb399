"""The application: reports how the module is doing."""
import gc
import utime
import xbee


def reading():
    return {"celsius": xbee.atcmd("TP"), "millivolts": xbee.atcmd("%V"), "free": gc.mem_free()}


def describe(r):
    return "%d C, %d mV, %d bytes of heap free" % (r["celsius"], r["millivolts"], r["free"])


def main(rounds=3, pause=1):
    # rounds=None would go on for ever.
    done = 0
    while done != rounds:
        print(describe(reading()))
        done += 1
        utime.sleep(pause)
    print("@NAME@ is done")
