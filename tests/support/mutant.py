"""Builds the library with one mistake in it: what tests/project/guards.py and
tests/sim/mutations.py have in common.

A mistake is named by the function that gets it, so that it survives moves, reformatting and changes
elsewhere in the function:

    function: if (condition)     the condition is never true
    function: text => other      `text` is replaced; it must stand in the function exactly once
    function() => value          the function returns `value` at once

Any white space in `text` matches any other. Only what changes is compiled: everything else, and how
it is compiled and linked, comes from a build that Meson has made.
"""
import collections
import glob
import json
import os
import re
import shlex
import subprocess

Mistake = collections.namedtuple('Mistake', 'function text other')
Row = collections.namedtuple('Row', 'section title mistake line')

# A definition begins in the first column and has its braces there (.clang-format).
DEFINITION = re.compile(r'^(?!#|/|\}|\{| |typedef)[^;{}()]*?\b(\w+)\([^;{}]*?\)\n\{\n(.*?)^\}$',
                        re.MULTILINE | re.DOTALL)


def parse(line):
    """A row of a table as a mistake."""
    returned = re.fullmatch(r'(\w+)\(\) => (.*)', line)
    if returned:
        return Mistake(returned[1], None, 'return %s;' % returned[2])
    function, _, change = line.partition(': ')
    text, arrow, other = change.partition(' =>')
    if arrow:
        return Mistake(function, text, other.strip() or (';' if text.endswith(';') else ''))
    if not re.fullmatch(r'if \(.*\)', text):
        raise ValueError('neither a condition nor a replacement: %s' % line)
    return Mistake(function, text, 'if (false)')


def read_table(path):
    """The rows of a table: [section], below it titles, below a title its mistakes, indented."""
    lines = []
    with open(path) as file:
        for line in file:
            line = line.rstrip()
            if line.startswith('        '):
                lines[-1] += ' ' + line.strip()
            elif line and not line.startswith('#'):
                lines.append(line)
    section = title = None
    rows = []
    for line in lines:
        if line.startswith('['):
            section = line.strip('[]')
        elif line.startswith(' '):
            rows.append(Row(section, title, parse(line.strip()), line.strip()))
        else:
            title = line
    return rows


def matcher(text):
    """What matches `text`, whatever its white space is, also where a line ends after a '('."""
    words = [re.escape(word).replace(r'\(', r'\(\s*') for word in text.split()]
    return re.compile(r'\s+'.join(words))


class Tree:
    """The sources of the library, and the build that their objects come from."""

    def __init__(self, root, build):
        self.root, self.build = os.path.abspath(root), os.path.abspath(build)
        self.functions = collections.defaultdict(list)
        for path in sorted(glob.glob(os.path.join(self.root, 'src', '**', '*.c'), recursive=True)):
            with open(path) as file:
                source = file.read()
            for match in DEFINITION.finditer(source):
                span = match.start(2), match.end()
                self.functions[match[1]].append((path, source, span))
        with open(os.path.join(self.build, 'compile_commands.json')) as file:
            self.compilations = {os.path.normpath(os.path.join(self.build, entry['file'])): entry
                                 for entry in json.load(file)}
        with open(os.path.join(self.build, 'meson-info', 'intro-tests.json')) as file:
            self.tests = {test['name']: test['cmd'] for test in json.load(file)}

    def run(self, command, **options):
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)

    def apply(self, mistake):
        """The file that changes and its new text; ValueError when the place is not exactly one."""
        found = []
        for path, source, (begin, end) in self.functions[mistake.function]:
            if mistake.text is None:
                found.append(
                    (path, source[:begin] + '    ' + mistake.other + '\n' + source[begin:])
                )
                continue
            for match in matcher(mistake.text).finditer(source, begin, end):
                found.append((path, source[:match.start()] + mistake.other + source[match.end():]))
        if len(found) != 1:
            raise ValueError('%s: stands there %d times: %s' % (
                mistake.function, len(found), mistake.text or 'the function itself'))
        return found[0]

    def checked(self, command):
        result = self.run(command, cwd=self.build)
        if result.returncode != 0:
            raise RuntimeError('%s\n%s' % (shlex.join(command), result.stdout.decode()))

    def compile(self, path, text, stem):
        """Compiles `text` as if it were the file at `path`; returns the object's name."""
        entry = self.compilations[path]
        with open(stem + '.c', 'w') as file:
            file.write(text)
        command = shlex.split(entry['command'])
        # A copy lies elsewhere: what it includes from its own folder is found there.
        at = command.index('-o')
        command[at + 1] = stem + '.o'
        command[command.index('-MF') + 1] = stem + '.d'
        command[command.index('-c') + 1] = stem + '.c'
        self.checked(command + ['-O0', '-w', '-iquote', os.path.dirname(path)])
        return stem + '.o'

    def link_command(self, program):
        return shlex.split(self.run(['ninja', '-t', 'commands', '-s', program],
                                    cwd=self.build, check=True).stdout.decode())

    def link(self, command, objects, binary):
        """Links as `command` does, with `objects` before the library's own."""
        at = command.index('-o')
        self.checked(command[:at] + ['-o', binary] + objects + command[at + 2:])
