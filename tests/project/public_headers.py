#!/usr/bin/env python3
"""The public headers, each alone and all together, are clean C11 and C++17; each is short and says
what its functions do.

usage: public_headers.py ROOT     prints what is wrong, and how much was tried
"""
import concurrent.futures
import os
import subprocess
import sys
from pathlib import Path

root = Path(sys.argv[1])
sys.dont_write_bytecode = True
sys.path.insert(0, str(root / 'script'))
import headers  # noqa: E402 (it lies in script/)

# What of -Weverything is not asked for, and why.
not_asked = {
    'padded': 'structs are laid out for their readers',
}
not_asked_of_cxx = {
    'c++98-compat-pedantic': 'C++17 is what is promised',
    'zero-as-null-pointer-constant': 'NULL is the word of both languages',
}
# libuv's header needs POSIX's names.
plain = ['-D_POSIX_C_SOURCE=200809L', '-pedantic', '-Wall', '-Wextra', '-Werror', '-fsyntax-only']
everything = ['-D_POSIX_C_SOURCE=200809L', '-Weverything', '-Werror', '-fsyntax-only'] + [
    f'-Wno-{name}' for name in not_asked
]
compilers = [
    ['gcc', '-std=c11', '-x', 'c'] + plain,
    ['g++', '-std=c++17', '-x', 'c++'] + plain,
    ['clang', '-std=c11', '-x', 'c'] + everything,
    ['clang++', '-std=c++17', '-x', 'c++']
    + everything
    + [f'-Wno-{name}' for name in not_asked_of_cxx],
]

public = headers.read_all(root)
names = [f'duplex/{h.stem}.h' for h in public]
units = {name: f'#include <{name}>\n' for name in names}
rest = 'extern int dx_nothing;\n'  # a header of macros alone would leave an empty translation unit
units['all together'] = ''.join(units[name] for name in names)
units['all, the other way round, and twice'] = ''.join(units[name] for name in reversed(names)) * 2


def compile_one(job):
    command, (name, source) = job
    run = subprocess.run(
        command + ['-I', str(root / 'include'), '-'],
        input=source + rest,
        capture_output=True,
        text=True,
    )
    return f'{" ".join(command[:2])}: {name}\n{run.stderr}' if run.returncode else None


jobs = [(command, unit) for command in compilers for unit in units.items()]
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    failures = [text for text in pool.map(compile_one, jobs) if text]

functions = 0
for header in public:
    if not header.about:
        failures.append(f'{header.path}: does not begin with a comment')
    for function in header.functions:
        functions += 1
        prose = ' '.join(function.group.prose)
        where = f'{header.path}:{function.line}: {function.name}'
        if not prose:
            failures.append(f'{where} has no comment')
        elif function.can_fail and 'Returns' not in prose and 'Errors as' not in prose:
            failures.append(f'{where}: its comment does not say what it returns')
    for declaration in header.declarations:
        if declaration.kind == 'other':
            failures.append(f'{header.path}:{declaration.line}: not understood: {declaration.name}')

print('\n'.join(failures))
print(
    f'{len(public)} headers, {functions} functions, {len(jobs)} compilations, '
    f'{len(failures)} failures'
)
sys.exit(bool(failures) or functions < 100)
