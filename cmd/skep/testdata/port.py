"""A program as people write them for a serial port, with pyserial.

It sets a module up in command mode, changes the baud rate, runs a line at the
prompt and interrupts a loop. With "break" as second argument it also sends a
break, which leads to command mode at 9600 baud whatever ATBD says.
"""
import sys
import time

import serial

port = serial.serial_for_url(sys.argv[1], 9600, timeout=30)


def say(text, want):
    port.write(text)
    got = port.read_until(want)
    if not got.endswith(want):
        sys.exit("sent %r, got %r, want %r" % (text, got, want))


def command():
    time.sleep(1.1)
    say(b"+++", b"OK\r")


command()
say(b"ATVR\r", b"11413\r")
say(b"ATNIforeign\r", b"OK\r")
say(b"ATBD7\r", b"OK\r")
say(b"ATCN\r", b"OK\r")
port.baudrate = 115200
command()
say(b"ATNI\r", b"foreign\r")
say(b"ATAP4\r", b"OK\r")
say(b"ATCN\r", b"OK\r")
say(b"\r", b">>> ")
say(b"6 * 7\r", b"\r\n42\r\n>>> ")
say(b"while True: pass\r\r", b"... \r\n")
say(b"\x03", b"KeyboardInterrupt: \r\n>>> ")
if sys.argv[2:] == ["break"]:
    port.baudrate = 9600
    port.break_condition = True
    say(b"", b"OK\r")
    port.break_condition = False
    say(b"ATBD\r", b"7\r")
print("done")
