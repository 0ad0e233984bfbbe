#!/usr/bin/env python3
"""The shared library shows the functions of the public headers, the map names the same, and so does
Debian's list.

usage: symbols.py ROOT LIBRARY
    prints each name that is missing in one of them, and how many were compared
"""
import re
import subprocess
import sys
from pathlib import Path

root, library = Path(sys.argv[1]), sys.argv[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(root / 'script'))
import headers  # noqa: E402 (it lies in script/)

public = headers.read_all(root)
declared = [f.name for h in public for f in h.functions]
# Counted without the reader, so that what it does not understand is not lost.
marked = sum(len(re.findall(r'\bDX_API\b', h.text)) for h in public) - 2  # error.h defines it twice

listing = subprocess.run(
    ['nm', '-D', '--defined-only', library], check=True, capture_output=True, text=True
).stdout
shown = {}
for line in listing.splitlines():
    kind, name = line.split()[-2:]
    if kind != 'A':  # the version's own name
        shown[name.split('@')[0]] = name
debian = re.findall(
    r'^ (dx_\w+)@DUPLEX_0 ', (root / 'debian' / 'libduplex0.symbols').read_text(), re.M
)

failures = []
if len(declared) != marked:
    failures.append(f'{marked} functions are marked DX_API, {len(declared)} were read')
for what, names in {
    'src/libduplex.map': headers.map_symbols(root / 'src' / 'libduplex.map'),
    'the library': list(shown),
    'packaging/debian/libduplex0.symbols': debian,
}.items():
    failures += [f'{name} is declared, and not in {what}' for name in declared if name not in names]
    failures += [f'{name} is in {what}, and not declared' for name in names if name not in declared]
    failures += [f'{name} is twice in {what}' for name in set(names) if names.count(name) > 1]
failures += [
    f'{full} has no version' for name, full in shown.items() if full != name + '@@DUPLEX_0'
]

# A call that the loader resolves may end in another copy of the library.
relocations = subprocess.run(
    ['readelf', '-rW', library], check=True, capture_output=True, text=True
).stdout
failures += [
    f'{name} is called by way of the loader'
    for name in sorted(set(re.findall(r'\b(dx_\w+)', relocations)))
]

print('\n'.join(failures))
print(f'{len(declared)} functions declared, {len(shown)} shown, {len(failures)} differences')
sys.exit(bool(failures) or len(declared) < 100)
