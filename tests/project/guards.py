#!/usr/bin/python3
"""Takes the guards of the library away one by one and shows that a test notices each.

    guards.py ROOT BUILD [--all | --seed SEED] [--only WORD]

The table is guards.txt, beside this file; the forms of a guard are described in
tests/support/mutant.py. BUILD is a configured and compiled plain build. A tenth of the guards is
tried, drawn with the seed (by default the commit), or all of them, or those whose row or program
contains WORD. That each row of the table still names one place in the source is always checked.
Ends with the line "N guards, N noticed".
"""
import argparse
import collections
import concurrent.futures
import os
import random
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
import mutant  # noqa: E402

PATIENCE = 20  # seconds that a broken test gets beyond 20 times what the whole one took


def sample(guards, options):
    if options.only:
        return [guard for guard in guards if options.only in ' '.join((*guard[:2], guard.line))]
    if options.all:
        return guards
    seed = options.seed
    if seed is None:
        head = subprocess.run(['git', '-C', options.root, 'rev-parse', '--short=12', 'HEAD'],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        seed = head.stdout.decode().strip() or '1'  # a release has no commit
    print('a tenth of %d guards, seed %s (--seed %s draws the same, --all tries every one)' %
          (len(guards), seed, seed))
    return random.Random(seed).sample(guards, (len(guards) + 9) // 10)


class Programs:
    """The test programs that notice, and how each row of theirs ends."""

    def __init__(self, tree, scratch):
        self.tree, self.scratch = tree, scratch
        self.links = {}
        self.seconds = {}

    def link(self, program, objects, binary):
        command = self.links.get(program)
        if command is None:
            target = os.path.relpath(self.tree.tests[program][0], self.tree.build)
            command = self.links[program] = self.tree.link_command(target)
        self.tree.link(command, objects, binary)

    def run(self, program, binary, row, timeout=None):
        """Whether the row, and it alone, passed; None when it was not there."""
        try:
            result = self.tree.run([binary, *self.tree.tests[program][1:]], cwd=self.tree.root,
                                   env={**os.environ, 'DUPLEX_TEST': row}, timeout=timeout)
        except subprocess.TimeoutExpired:
            return False
        if '[ RUN      ] %s\n' % row not in result.stdout.decode(errors='replace'):
            return None
        return result.returncode == 0

    def check(self, program, rows):
        """With all guards in place each row passes, also alone. Returns what is wrong."""
        problems = []
        binary = self.tree.tests[program][0]
        for row in sorted(rows):
            begin = time.monotonic()
            passed = self.run(program, binary, row)
            self.seconds[program, row] = time.monotonic() - begin
            if not passed:
                problems.append('%s: "%s" %s' % (program, row, 'does not exist' if passed is None
                                                 else 'fails with all guards in place'))
        return problems

    def notices(self, guard, number):
        path, text = self.tree.apply(guard.mistake)
        stem = os.path.join(self.scratch, 'guard%d' % number)
        self.link(guard.section, [self.tree.compile(path, text, stem)], stem)
        timeout = PATIENCE + 20 * self.seconds[guard.section, guard.title]
        passed = self.run(guard.section, stem, guard.title, timeout)
        os.unlink(stem)
        return not passed


def places(tree, guards):
    """What is wrong with the places that the table names."""
    for guard in guards:
        try:
            tree.apply(guard.mistake)
            if guard.section not in tree.tests:
                raise ValueError('no test program ' + guard.section)
        except ValueError as error:
            yield str(error)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('root')
    parser.add_argument('build')
    parser.add_argument('--all', action='store_true')
    parser.add_argument('--seed')
    parser.add_argument('--only')
    options = parser.parse_args()
    tree = mutant.Tree(options.root, options.build)
    guards = mutant.read_table(os.path.join(HERE, 'guards.txt'))
    problems = list(places(tree, guards))
    if problems:
        sys.exit('\n'.join(problems))
    guards = sample(guards, options)
    rows = collections.defaultdict(set)
    for guard in guards:
        rows[guard.section].add(guard.title)
    with tempfile.TemporaryDirectory() as scratch, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        programs = Programs(tree, scratch)
        problems = sum(pool.map(lambda item: programs.check(*item), rows.items()), [])
        if problems:
            sys.exit('\n'.join(problems))
        noticed = list(pool.map(programs.notices, guards, range(len(guards))))
    for guard, is_noticed in zip(guards, noticed):
        if not is_noticed:
            print('"%s" of %s did not notice: %s' % (guard.title, guard.section, guard.line))
    print('%d guards, %d noticed' % (len(guards), noticed.count(True)))
    return 0 if guards and all(noticed) else 1


if __name__ == '__main__':
    sys.exit(main())
