#!/usr/bin/python3
"""Counts to ten, ten numbers a second.

flush=True sends each number at once. Python, like C and most languages, buffers standard output
when it is a pipe instead of a terminal, and writes it when the buffer is full or the program ends.
Without flush=True the client would see nothing for a second, then all ten numbers together.
`python3 -u` does the same for a whole program, without changing it.
"""

import time

for number in range(1, 11):
    print(number, flush=True)
    time.sleep(0.1)
