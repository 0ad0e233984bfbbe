#!/usr/bin/python3
"""Counts to ten, ten numbers a second.

flush=True is what makes the numbers arrive one by one. Python, like C and most languages, keeps what a
program prints in a buffer while stdout is a pipe instead of a terminal, and hands it over when the buffer
is full or the program ends: without it the client would see nothing for a second, then all ten at once.
`python3 -u` does the same for a whole program without a change in it.
"""

import time

for number in range(1, 11):
    print(number, flush=True)
    time.sleep(0.1)
