"""The application: what an update replaces. Its version is what jobs ask for."""
import ota

VERSION = 1


def main():
    ota.check(VERSION)
    print("Version", VERSION, "at work")
