#!/usr/bin/env python3
"""script/amalgamate makes two files that compile alone and without a warning, show no name but
dx_…, and make an echo server.

usage: amalgamation.py ROOT
"""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
import talk  # noqa: E402

root = Path(sys.argv[1]).resolve()
scratch = Path(tempfile.mkdtemp())


def run(*command):
    subprocess.run(command, cwd=scratch, check=True)


try:
    run(str(root / 'script' / 'amalgamate'), '.')
    example = (root / 'examples' / 'echo.c').read_text()
    (scratch / 'echo.c').write_text(
        re.sub(r'#include <duplex/\w+\.h>\n', '#include "duplex.h"\n', example)
    )
    warnings = ['-Wall', '-Wextra', '-Werror']
    for compiler, level in ('gcc', '-O2'), ('clang', '-O0'):
        # Nothing but the file: what it needs of the compiler it says itself.
        run(compiler, *warnings, level, '-c', 'duplex.c')
        names = subprocess.run(
            ['nm', '-g', '--defined-only', 'duplex.o'],
            cwd=scratch,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split('\n')
        foreign = [
            line.split()[-1] for line in names if line and not line.split()[-1].startswith('dx_')
        ]
        if foreign:
            sys.exit(f'names without dx_: {foreign}')
        run(
            compiler,
            *warnings,
            'echo.c',
            'duplex.o',
            '-luv',
            '-lssl',
            '-lcrypto',
            '-pthread',
            '-o',
            f'echo-{compiler}',
        )
        server, port = talk.start([scratch / f'echo-{compiler}', '0'])
        try:
            talk.echo(talk.connect(port))
        finally:
            server.kill()
            server.wait()
    # As another processor would have it: what is chosen by a file's name is chosen here by a
    # condition.
    portable = (scratch / 'duplex.c').read_text().replace('defined(__x86_64__)', '0')
    (scratch / 'portable.c').write_text(portable)
    run('gcc', *warnings, '-c', 'portable.c')
    run(
        'g++',
        '-std=c++17',
        '-pedantic',
        *warnings,
        '-DDUPLEX_WITH_UV',
        '-x',
        'c++',
        '-fsyntax-only',
        'echo.c',
    )
    sizes = [len((scratch / name).read_text().split('\n')) for name in ('duplex.h', 'duplex.c')]
    print(
        f'duplex.h has {sizes[0]} lines, duplex.c {sizes[1]}; '
        'an echo server of each of two compilers echoed'
    )
finally:
    shutil.rmtree(scratch)
