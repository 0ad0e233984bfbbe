#!/usr/bin/python3
"""A new option touches its command's file and nothing else of the program.

    one_place.py ROOT BUILD

It adds an option to a copy of `duplex echo` (a field in echo.h, a row in echo.c), compiles that one
file and links it with everything else as it was built. The program then parses the option, --help
lists it with its default, and the generated man page and completions have it.
"""
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

root, build = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
FIELD = 'uint32_t of_this_test;'
ROW = '''{.name = "of-this-test", .kind = CLI_COUNT, .field = FIELD(of_this_test),
     .placeholder = "N", .preset = "7", .largest = 9, .help = "an option that a test has added"},'''


def add(text, before, what):
    """Puts `what` before the only place where `before` stands."""
    if text.count(before) != 1:
        sys.exit(f'{before!r} stands {text.count(before)} times')
    return text.replace(before, what + '\n' + before)


def command_of(file):
    commands = json.loads((build / 'compile_commands.json').read_text())
    return next(entry for entry in commands if entry['file'].endswith(file))


with tempfile.TemporaryDirectory() as directory:
    copy = Path(directory, 'cli', 'echo')
    copy.mkdir(parents=True)
    header = (root / 'cli/echo/echo.h').read_text()
    source = (root / 'cli/echo/echo.c').read_text()
    (copy / 'echo.h').write_text(add(header, '    bool answers_text_ping;', '    ' + FIELD))
    (copy / 'echo.c').write_text(add(source, '    {.name = "text-pong",', '    ' + ROW))

    entry = command_of('cli/echo/echo.c')
    words = shlex.split(entry['command'])
    compiler = words[:2] if words[0].endswith('ccache') else words[:1]
    # Only options of the language, and the copy's folder before all others.
    not_these = ('-MD', '-MQ', '-MF', '-o', '-c')
    options = [word for word in words if word.startswith('-') and word not in not_these]
    subprocess.run([*compiler, '-I' + directory, *options, '-c', copy / 'echo.c',
                    '-o', copy / 'echo.o'], check=True, cwd=entry['directory'])

    libraries = [build / 'cli/libdx_cli.a', build / 'src/libduplex.a']
    system = subprocess.run(['pkg-config', '--libs', 'libuv', 'openssl', 'libedit', 'jansson'],
                            check=True, capture_output=True, text=True).stdout.split()

    def link(name, objects):
        subprocess.run([*compiler, '-o', Path(directory, name), copy / 'echo.o', *objects,
                        *libraries, *system, '-lpthread'], check=True)
        return Path(directory, name)

    duplex = link('duplex', [build / 'duplex.p/cli_main.c.o'])
    gen = link('duplex-gen', sorted((build / 'cli/duplex-gen.p').glob('*.o')))

    def run(*line):
        return subprocess.run(line, capture_output=True, text=True, check=False)

    found = {
        'a wrong value': run(duplex, 'echo', '--of-this-test=10').stderr ==
        'duplex echo: --of-this-test=10: out of range (write 0 to 9)\n',
        'a slip': run(duplex, 'echo', '--of-thistest=1').stderr ==
        'duplex echo: --of-thistest: no such option (did you mean --of-this-test?)\n',
        'another command': run(duplex, 'serve', '--of-this-test=1', 'cat').stderr ==
        'duplex serve: --of-this-test: no such option (it is an option of duplex echo)\n',
        'a good value': run(duplex, 'echo', '--of-this-test=9', '--version').stdout != '',
        '--help': re.search(r'\n  --of-this-test=N +an option that a test has added \[7\]\n',
                            run(duplex, 'echo', '--help').stdout),
        'man': '*--of-this-test*=_N_' in run(gen, 'man', 'echo',
                                             root / 'docs/man/duplex-echo.1.scd').stdout,
        'options': '\necho\tof-this-test\t-\tN\t7\tcount\n' in run(gen, 'options').stdout,
        **{shell: 'of-this-test' in run(gen, shell).stdout for shell in ('bash', 'zsh', 'fish')},
    }

failures = [what for what, good in found.items() if not good]
print('\n'.join(f'not as it should be: {what}' for what in failures))
print(f'{len(found)} looked at, {len(failures)} failures')
sys.exit(bool(failures))
