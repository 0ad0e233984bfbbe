#!/usr/bin/env python3
"""Each exported function and each public header has a manual page, and man and mandoc find nothing
wrong with any of them.

usage: man3.py ROOT DIRECTORY     DIRECTORY has the pages that script/man3 wrote
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

root, directory = Path(sys.argv[1]), Path(sys.argv[2])
sys.dont_write_bytecode = True
sys.path.insert(0, str(root / 'script'))
import headers  # noqa: E402 (it lies in script/)

public = headers.read_all(root)
failures = []
scratch = Path(tempfile.mkdtemp())
try:
    # Where a page says ".so man3/…" that has to be found, as when it is installed.
    (scratch / 'man3').mkdir()
    for page in directory.glob('*.3'):
        shutil.copy(page, scratch / 'man3')
    pages = {page.stem: page.read_text() for page in sorted((scratch / 'man3').iterdir())}

    wanted = headers.manual_pages(public)
    failures += [f'{name} has no page' for name in wanted if name not in pages]
    failures += [f'{name}.3 is about nothing' for name in pages if name not in wanted]

    for header in public:
        for function in header.functions:
            text = pages.get(function.name, '')
            if text.startswith('.so '):
                text = pages.get(text.split('/')[1].removesuffix('.3\n'), '')
            if (
                f'\\fB#include <duplex/{header.stem}.h>\\fR' not in text
                or function.name + '(' not in text
            ):
                failures.append(f'{function.name}(3) does not show how to call it')
            if function.can_fail and not re.search(
                r'^\.SH "RETURN VALUE"\n(?:.*\n)*?\.TP\n\.B DX_ERR_', text, re.M
            ):
                failures.append(f'{function.name}(3) names no error')
    for name, text in pages.items():
        for other in re.findall(r'^\.BR (dx_\w+|libduplex) \(3\)', text, re.M):
            if other not in pages:
                failures.append(f'{name}(3) leads to {other}(3), which there is not')

    files = [f'man3/{name}.3' for name in pages]
    def formatted(file):
        run = subprocess.run(
            ['man', '--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', file],
            cwd=scratch,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, 'LC_ALL': 'C.UTF-8', 'MANROFFSEQ': ''},
        )
        return f'man: {file}: {run.stderr.strip()}' if run.returncode or run.stderr else None

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        failures += [text for text in pool.map(formatted, files) if text]
    lint = subprocess.run(
        ['mandoc', '-T', 'lint', '-W', 'warning'] + files,
        cwd=scratch,
        stdout=subprocess.PIPE,
        text=True,
    )
    # Leading from one page to another is what .so is for, and what Debian's manual pages do.
    failures += [line for line in lint.stdout.splitlines() if '.so is fragile' not in line]
finally:
    shutil.rmtree(scratch)

print('\n'.join(failures))
print(
    f'{len(pages)} pages for {sum(len(h.functions) for h in public)} functions, '
    f'{len(failures)} failures'
)
sys.exit(bool(failures) or len(pages) < 100)
