"""Runs a command on a terminal of its own, 80 columns wide: what comes on stdin is typed, what it
shows goes to stdout.

usage: on_terminal.py COMMAND [ARG...]
    ends with its status; SIGUSR1 makes the terminal 40 columns wide
"""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios

pid, master = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])


def resize(columns):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))


resize(80)
signal.signal(signal.SIGUSR1, lambda *_: resize(40))
signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
inputs = [0, master]
while True:
    ready, _, _ = select.select(inputs, [], [])
    if 0 in ready:
        typed = os.read(0, 65536)
        if typed:
            os.write(master, typed)
        else:
            inputs.remove(0)
    if master in ready:
        try:
            shown = os.read(master, 65536)
        except OSError:  # nobody has the terminal open any more
            break
        os.write(1, shown)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) & 255)
