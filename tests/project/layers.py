#!/usr/bin/python3
"""Arrows point down only: reads every #include and holds it against the two tables of
docs/architecture.md.

    layers.py ROOT
        prints each line that breaks a rule, each crowded folder, and how many includes were read

The first table is of rooms, the second of the folders inside rooms and cli/. A folder without a row
of its own has the rules of its room. The row `cli helpers` of the second table lists the headers of
base/ and http/ that cli/ includes, no others. Public headers name neither a file of src/ nor a
library's header, but for <duplex/uv.h>.
"""
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path, PurePosixPath

FLAT_MAX = 30  # files of ours in one folder of src/, cli/, include/ or web/
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^">]+)[">]', re.M)
LIBRARIES = {'uv': {'net', 'connection', 'server', 'bridge'}, 'openssl': {'net'}}

root = Path(sys.argv[1])


def table(heading):
    """The rows below a heading: {folder: [(allowed folder, files that may, or None for all)]}"""
    text = (root / 'docs' / 'architecture.md').read_text()
    rows = re.search(r'^\| %s \|[^\n]*\n\|[- |]+\|\n((?:\|[^\n]*\n)+)' % heading, text, re.M)
    if not rows:
        sys.exit(f'docs/architecture.md: the table "{heading}" was not found')
    allowed = {}
    for row in rows.group(1).splitlines():
        folders, clauses = (cell.strip() for cell in row.strip('|').split('|')[:2])
        clauses = re.sub(r'\([^)]*\)', '', clauses)
        found = []
        for clause in re.split('[;,]', clauses):
            words = clause.replace('`', '').split()
            if words and re.fullmatch(r'[\w./<>*-]+', words[0]) and words[0] != '–':
                files = (
                    [word for word in words[2:] if word not in ('and', 'only')]
                    if words[1:2] == ['in']
                    else None
                )
                found.append((words[0], files))
        for folder in folders.replace('`', '').split(','):
            allowed[folder.strip()] = found
    return allowed


rooms, folders = table('folder'), table('folder inside')
helpers = {name for name, _ in folders.pop('cli helpers')}
unused_helpers = set(helpers)
failures = [f'docs/architecture.md: {name}: helpers of cli/ are headers of base/ and http/'
            for name in sorted(helpers) if not re.fullmatch(r'(base|http)/[\w/]+\.h', name)]


def row_of(folder):
    """The rules of the nearest folder above that has a row."""
    for above in (folder, *map(str, PurePosixPath(folder).parents)):
        if above in folders:
            return folders[above]
    return None


def is_inside(folder, other):
    return folder == other or folder.startswith(other + '/')


def may_include(file, folder, target):
    room, other = folder.split('/')[0], target.split('/')[0]
    if room != other:
        return any(name == other and (files is None or any(word in file for word in files))
                   for name, files in rooms.get(room, []))
    if folder == target:
        return True
    rules = row_of(folder)
    if rules is None:
        return not any(is_inside(target, inner) and inner != folder for inner in folders)
    return any(target == name for name, _ in rules)


def check(path, line, quote, name):
    file = str(path.relative_to(root))
    top = file.split('/')[0]

    def bad(why):
        failures.append(f'{file}:{line}: {why}: {name}')

    library = (
        next((key for key in LIBRARIES if re.match(key + r'[./]', name)), None)
        if quote == '<'
        else None
    )
    if top == 'include':
        if (
            quote == '"'
            or ('/' in name and not name.startswith('duplex/'))
            or (library and path.name != 'uv.h')
        ):
            bad('not for a public header')
    elif top == 'src':
        folder = str(path.relative_to(root / 'src').parent)
        if library and folder.split('/')[0] not in LIBRARIES[library]:
            bad(f'{library} in src/{folder}')
        if quote == '"' and '/' not in name:
            bad('name the room too')
        elif quote == '"' and not may_include(path.name, folder, str(PurePosixPath(name).parent)):
            bad(f'src/{folder} may not include {PurePosixPath(name).parent}')
    elif top == 'cli':
        folder = str(PurePosixPath(file).parent)
        if library:
            bad('the program uses the public headers')
        if quote == '"':
            target = str(PurePosixPath(name).parent)
            if target.split('/')[0] in rooms and target.split('/')[0] != 'cli':
                unused_helpers.discard(name)
                if name not in helpers:
                    bad('not one of the helpers that cli/ may include')
            elif not may_include(path.name, folder, target):
                bad(f'{folder} may not include {target}')
    elif top in ('examples', 'bench'):
        if library and top != 'bench':
            bad('guests use the public headers')
        if quote == '"' and name.split('/')[0] in rooms and name.split('/')[0] != top:
            if not file.startswith('bench/micro/') or name.split('/')[0] not in ('base', 'ws'):
                bad('guests use the public headers')


read = 0
for top in ('src', 'include', 'cli', 'examples', 'bench'):
    for path in sorted((root / top).rglob('*.[ch]')):
        if 'node_modules' in path.parts:
            continue
        text = path.read_text()
        for match in INCLUDE.finditer(text):
            read += 1
            check(path, text.count('\n', 0, match.start()) + 1, *match.groups())

failures += [f'docs/architecture.md: {name}: no file of cli/ includes it: take it off the list'
             for name in sorted(unused_helpers)]

listed = subprocess.run(
    ['git', '-C', root, 'ls-files', 'src', 'cli', 'include', 'web'], capture_output=True, text=True
)
for folder, count in Counter(
    str(PurePosixPath(file).parent) for file in listed.stdout.split()
).items():
    if count > FLAT_MAX:
        failures.append(f'{folder}: {count} files, at most {FLAT_MAX}: give it folders')

print('\n'.join(failures))
print(f'{read} includes read, {len(failures)} out of place')
sys.exit(bool(failures) or read < 100)
