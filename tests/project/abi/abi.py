#!/usr/bin/env python3
"""The ABI promise: an old program runs with a newer library, a new program with an older one.

usage: abi.py ROOT BUILD LIBRARY SPAWNER   prints what breaks the promise, and how much was tried
       abi.py ROOT --record                adds to layout.txt what was appended to structs

It is checked in two ways. layout.txt says where each member of each public struct was when it was
published: members stay there, and new ones follow without a hole. And a library is built whose
structs are all longer by a member: a program of today must run with it, and a program of that day
must run with the library of today, unless it uses the member.
"""
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

root = Path(sys.argv[1])
sys.dont_write_bytecode = True
sys.path.insert(0, str(root / 'script'))
import headers  # noqa: E402 (it lies in script/)

folder = root / 'tests' / 'project' / 'abi'
LATER = 'uint64_t abi_later;'
# The library fills these in, so a member that it does not know is not refused.
answers = {'dx_connection_metrics', 'dx_topics_metrics', 'dx_server_metrics', 'dx_tls_facts',
           'dx_handshake_upgrade', 'dx_handshake_response'}
# These are never longer: arrays are made of them, or a standard says what they are.
fixed = {'dx_slice', 'dx_header', 'dx_log_field', 'dx_frame', 'dx_event'}
# These are the library's memory.
lent = {'dx_close_info', 'dx_close_event', 'dx_error_event'}

public = headers.read_all(root)
structs = {d.name: d for h in public for d in h.declarations if d.kind == 'struct'}
functions = {d.name for h in public for d in h.declarations if d.kind == 'inline'}
sized = sorted(set(structs) - fixed - lent)
failures = []


# ---- where members are ----

def members(struct):
    """The names of a struct's members, each with its declaration."""
    body = re.sub(r'/\*.*?\*/', ' ', struct.text, flags=re.S)
    body = body[body.index('{') + 1:body.rindex('}')]
    for text in filter(None, (' '.join(piece.split()) for piece in body.split(';'))):
        pointer = re.search(r'\(\*(\w+)\)\(', text)
        for name in [pointer.group(1)] if pointer else text.split(','):
            yield re.search(r'(\w+)(\[\w+\])?$', name.strip()).group(1), text


def layout():
    """Each struct's length and its members' offsets and lengths, as the compiler has them."""
    lines = []
    for name, struct in sorted(structs.items()):
        lines.append(f'printf("{name} %zu\\n", sizeof(struct {name}));')
        for member, _ in members(struct):
            length = f'sizeof(((struct {name} *)0)->{member})'
            place = f'offsetof(struct {name}, {member})'
            lines.append(f'printf("  {member} %zu %zu\\n", {place}, {length});')
    source = ''.join(f'#include <duplex/{h.stem}.h>\n' for h in public if h.stem != 'uv')
    source += '#include <stdio.h>\nint main(void) { ' + '\n'.join(lines) + ' return 0; }\n'
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch, 'layout')
        subprocess.run(['cc', '-I', root / 'include', '-x', 'c', '-', '-o', program],
                       input=source, text=True, check=True)
        return parse(subprocess.run([program], capture_output=True, text=True, check=True).stdout)


def parse(text):
    found = {}
    for line in text.splitlines():
        words = line.split()
        if line.startswith('  '):
            found[name]['members'].append((words[0], int(words[1]), int(words[2])))
        elif words and not line.startswith('#'):
            name = words[0]
            found[name] = {'size': int(words[1]), 'members': []}
    return found


def compare(recorded, now):
    for name in sorted(set(recorded) - set(now)):
        failures.append(f'{name}: is not in a header any more')
    for name in sorted(set(now) - set(recorded)):
        failures.append(f'{name}: is not in layout.txt (see abi.py --record)')
    for name in sorted(set(now) & set(recorded)):
        compare_struct(name, recorded[name], now[name])


def compare_struct(name, old, new):
    count = len(old['members'])
    added = new['members'][count:]
    if new['members'][:count] != old['members']:
        failures.append(f'{name}: a member has moved')
    if not added and new['size'] != old['size']:
        failures.append(f'{name}: its length has changed')
    if not added:
        return
    names = ', '.join(member[0] for member in added)
    failures.append(f'{name}: {names} is not in layout.txt (see abi.py --record)')
    if name in fixed:
        failures.append(f'{name}: must not get members')
    if added[0][1] < old['size']:
        failures.append(f'{name}: {added[0][0]} lies in what is padding in older programs')
    if old['size'] + sum(member[2] for member in added) != new['size']:
        failures.append(f'{name}: there is padding among the new members')


def record(now):
    head = (folder / 'layout.txt').read_text().split('\n\n', 1)[0]
    with open(folder / 'layout.txt', 'w', encoding='utf-8') as out:
        print(head + '\n', file=out)
        for name, struct in sorted(now.items()):
            print(name, struct['size'], file=out)
            for member in struct['members']:
                print(' ', *member, file=out)


# ---- what structs and functions are like ----

def check_rules():
    caller = (folder / 'caller.c').read_text()
    for name in sized:
        if next(members(structs[name]))[1] != 'size_t size':
            failures.append(f'{name}: does not begin with its size')
        if f'{name}_init' not in functions:
            failures.append(f'{name}: has no {name}_init')
        if not re.search(rf'\bMAKE(_WITH)?\({name},', caller):
            failures.append(f'{name}: is not used by caller.c')
        for member, text in members(structs[name]):
            inner = re.match(r'(?:const )?struct (dx_\w+) \w', text)
            if inner and inner.group(1) not in fixed:
                failures.append(f'{name}.{member}: is a struct by value')
    for function in (f for header in public for f in header.functions):
        if re.match(r'struct dx_\w+ dx_', function.prototype):
            failures.append(f'{function.name}: returns a struct by value')


# ---- programs and libraries of different versions ----

def grow(there):
    """Makes headers in which each struct with a size is longer by a member."""
    (there / 'duplex').mkdir(parents=True, exist_ok=True)

    def longer(match):
        later = f'    {LATER}\n' if match.group(2) in sized else ''
        return match.group(1) + later + '};'

    for header in public:
        text = re.sub(r'^(struct (dx_\w+) \{\n.*?)^\};', longer, header.text, flags=re.S | re.M)
        target = there / 'duplex' / header.path.name
        if not target.exists() or target.read_text() != text:
            target.write_text(text)


def build_library():
    """Compiles the library once more, with those headers, as the build compiles it."""
    jobs, objects = [], []
    for entry in json.loads((build / 'compile_commands.json').read_text()):
        if not re.match(r'src/(ws/)?lib\w+\.a\.p/', entry['output']):
            continue
        target = 'abi/' + entry['output'].replace('/', '_')
        command = entry['command'].replace('-I../include', '-Iabi/include')
        command = command.replace(entry['output'], target)
        jobs.append(re.sub(r' -O\d| -g| -flto\S*', '', command) + ' -w')
        objects.append(build / target)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in pool.map(compile_one, jobs):
            if done.returncode:
                sys.exit(done.stderr)
    needed = subprocess.run(['pkg-config', '--libs', 'libuv', 'openssl'],
                            capture_output=True, text=True, check=True).stdout.split()
    made = build / 'abi' / 'grown' / 'libduplex.so.0'
    made.parent.mkdir(exist_ok=True)
    version_script = root / 'src' / 'libduplex.map'
    subprocess.run(['cc', '-shared', '-o', made, f'-Wl,-soname,{made.name}',
                    f'-Wl,--version-script={version_script}', *objects, *needed, '-lpthread'],
                   check=True)
    return made


def compile_one(command):
    return subprocess.run(command, shell=True, cwd=build, capture_output=True, text=True)


def compile_caller(name, include, with_library, *more):
    program = build / 'abi' / name
    subprocess.run(['cc', '-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-g', *more,
                    '-I', include, folder / 'caller.c', '-o', program, with_library], check=True)
    return program


def run(program, with_library, *arguments):
    environment = {**os.environ, 'LD_LIBRARY_PATH': str(with_library.resolve().parent)}
    done = subprocess.run([program, spawner, *arguments], capture_output=True, text=True,
                          timeout=60, env=environment)
    if done.returncode:
        said = done.stdout + done.stderr
        if done.returncode < 0:
            said = f'signal {-done.returncode}'
        failures.append(f'{program.name} with {with_library} {" ".join(arguments)}: {said}')
    return 1


now = layout()
if sys.argv[2] == '--record':
    record(now)
    sys.exit()
build, library, spawner = Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
compare(parse((folder / 'layout.txt').read_text()), now)
check_rules()
grow(build / 'abi' / 'include')
grown = build_library()
old = compile_caller('old-caller', root / 'include', library)
new = compile_caller('new-caller', build / 'abi' / 'include', grown, '-DABI_LATER')
runs = run(old, library) + run(old, grown) + run(new, grown) + run(new, library)
runs += sum(run(new, library, name) for name in sized if name not in answers)
print('\n'.join(failures))
print(f'{len(structs)} structs, {len(sized)} of them with a size, {runs} runs, '
      f'{len(failures)} failures')
sys.exit(bool(failures) or len(sized) < 20)
