#!/usr/bin/env python3
"""Two copies of the shared library live in one process, each with a server of its own, and are
unloaded again.

usage: copies.py TWO_COPIES LIBRARY
"""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import talk  # noqa: E402

scratch = Path(tempfile.mkdtemp())
copies = [scratch / 'one.so', scratch / 'other.so']
for copy in copies:
    shutil.copy(sys.argv[2], copy)
process = subprocess.Popen(
    [sys.argv[1], *copies], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
)
try:
    ports = [int(re.search(r':(\d+)/', process.stderr.readline()).group(1)) for _ in copies]
    for _ in range(3):
        for port in ports:
            talk.echo(talk.connect(port))
    open_ones = [talk.connect(port) for port in ports]  # left open: the end takes them along
    _, rest = process.communicate(timeout=60)
    print(rest)
    if process.returncode:
        sys.exit(f'exit status {process.returncode}')
    print(f'{len(ports)} copies, 6 conversations, both unloaded')
finally:
    if process.poll() is None:
        process.kill()
        process.wait()
    shutil.rmtree(scratch)
