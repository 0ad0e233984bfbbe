#!/usr/bin/python3
"""Objects that need each other in a circle, found by nm, held against the list of those that are
allowed.

    circles.py LIST ROOT BUILD    BUILD is a build directory of Meson's

A circle is a strongly connected set of object files: none of them can be linked, or understood,
without the others. LIST names a circle a line, its files separated by blanks; it is allowed inside
one thing that is written in several files. The list only shrinks: a file that is in no circle any
more must leave it.
"""
import json
import re
import subprocess
import sys
from pathlib import Path


def source_names(root):
    """{what Meson makes of a source's path: the path}"""
    names = {}
    for path in [*Path(root, 'src').rglob('*.c'), *Path(root, 'cli').rglob('*.c')]:
        file = str(path.relative_to(root))
        for short in (file, file.partition('/')[2]):
            names[short.replace('/', '_')[:-2]] = file
    return names


sources = source_names(sys.argv[2])


def objects(files):
    """{source: (symbols it defines, symbols it needs)}"""
    found = {}
    text = subprocess.run(['nm', '-A', *files], check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        match = re.match(r'(.*?):[0-9a-f ]* ([A-Za-z]) (\w+)', line)
        if not match:
            continue
        name, kind, symbol = match.groups()
        name = re.search(r'([^/:]+)\.c\.o$', name)
        # An object whose source is gone lies in the build directory until that is made anew.
        if (
            name
            and name.group(1) in sources
            and (kind.isupper() or kind in 'wv')
            and not symbol.startswith(('__', '_GLOBAL_'))
        ):
            defined, needed = found.setdefault(sources[name.group(1)], (set(), set()))
            (needed if kind in 'Uwv' else defined).add(symbol)
    return found


def circles(graph):
    """Tarjan's algorithm, without recursion: the strongly connected sets of more than one."""
    index, low, stack, on_stack, result = {}, {}, [], set(), []
    for start in graph:
        if start in index:
            continue
        work = [(start, iter(graph[start]))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, edges = work[-1]
            for other in edges:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(graph[other])))
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    member = set()
                    while node not in member:
                        member.add(stack.pop())
                    on_stack -= member
                    if len(member) > 1:
                        result.append(member)
    return result


allowed = [
    set(line.split())
    for line in Path(sys.argv[1]).read_text().splitlines()
    if line and not line.startswith('#')
]
# What Meson builds now: an earlier target's objects stay in the build directory.
targets = json.loads(Path(sys.argv[3], 'meson-info', 'intro-targets.json').read_text())
files = []
for target in targets:
    is_program = target['name'] == 'duplex' and target['type'] == 'executable'
    if is_program or target['name'].startswith('dx_'):
        files += sorted(Path(target['filename'][0] + '.p').glob('*.o'))
every = objects(files)
home = {symbol: name for name, (defined, _) in every.items() for symbol in defined}
graph = {name: sorted({home[symbol] for symbol in needed if symbol in home} - {name})
         for name, (_, needed) in every.items()}
found = circles(graph)

failures = []
for circle in found:
    home_of = next((known for known in allowed if circle <= known), None)
    if home_of is None:
        failures.append('a circle that is not on the list: ' + ' '.join(sorted(circle)))
for known in allowed:
    stale = known - set().union(*(circle for circle in found if circle <= known), set())
    if stale:
        failures.append('in no circle any more, take it off the list: ' + ' '.join(sorted(stale)))
print('\n'.join(failures))
print(f'{len(every)} objects, {len(found)} circles, {len(failures)} failures')
sys.exit(bool(failures) or len(every) < 100)
