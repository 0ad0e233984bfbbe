#!/usr/bin/python3
"""Every tests/unit/<room>/<name>_test.c is run: a test that is forgotten in meson.build is silent.

    listed.py ROOT BUILD
"""
import glob
import json
import os
import sys

root, build = sys.argv[1:]
with open(os.path.join(build, 'meson-info', 'intro-tests.json')) as file:
    programs = {os.path.basename(test['cmd'][0]) for test in json.load(file)}
forgotten = []
paths = glob.glob(os.path.join(root, 'tests', 'unit', '*', '*_test.c'))
for path in paths:
    room, name = path.split(os.sep)[-2:]
    if 'unit_%s_%s' % (room, name[:-len('_test.c')]) not in programs:
        forgotten.append(os.path.relpath(path, root))
print('\n'.join(sorted(forgotten)))
print('%d files of unit tests, %d forgotten' % (len(paths), len(forgotten)))
sys.exit(bool(forgotten) or len(paths) < 100)
