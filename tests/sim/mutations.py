#!/usr/bin/python3
"""Breaks the library in one place after another and shows that some simulated world notices each.

    mutations.py ROOT BUILD [SEEDS]

The table is mutations.txt, beside this file; the forms of a mistake are described in
tests/support/mutant.py. BUILD is a configured and compiled plain build. Ends with the line
"N mutations, N noticed".
"""
import concurrent.futures
import os
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'support'))
import mutant  # noqa: E402


def simulate(tree, objects, binary, seeds):
    """The line of the first world that failed, '' when none did."""
    tree.link(tree.link_command('tests/sim/sim'), objects, binary)
    output = tree.run([binary, '--seeds', seeds, '--jobs', '1', '--stop']).stdout
    os.unlink(binary)
    lines = output.decode(errors='replace').splitlines()
    return next((line for line in lines if ' failed: ' in line), '')


def main():
    root, build, seeds = [*sys.argv[1:3], *(sys.argv[3:4] or ['10000'])]
    tree = mutant.Tree(root, build)
    rows = mutant.read_table(os.path.join(HERE, 'mutations.txt'))

    def is_noticed(row):
        try:
            path, text = tree.apply(row.mistake)
        except ValueError as error:
            print(error, flush=True)
            return False
        stem = os.path.join(scratch, 'mutation%d' % rows.index(row))
        failure = simulate(tree, [tree.compile(path, text, stem)], stem, seeds)
        print('%s: %s' % (row.title, failure.split('; replay')[0] or 'NOT NOTICED'), flush=True)
        return failure != ''

    with tempfile.TemporaryDirectory() as scratch, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        failure = simulate(tree, [], os.path.join(scratch, 'whole'), seeds)
        if failure:
            sys.exit('a world fails as it is: ' + failure)
        noticed = list(pool.map(is_noticed, rows))
    print('%d mutations, %d noticed' % (len(rows), noticed.count(True)))
    return 0 if all(noticed) else 1


if __name__ == '__main__':
    sys.exit(main())
