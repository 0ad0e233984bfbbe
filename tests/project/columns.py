#!/usr/bin/python3
"""Lines have at most 100 columns, in code, comments, scripts and Markdown.

    columns.py ROOT     prints the lines that are longer

Tables are exempt, those of Markdown and those of C that clang-format is kept off, and code blocks
in Markdown. A word that is a URL counts nothing. Chinese, Japanese and Korean characters take two
columns.
"""
import os
import re
import sys
import unicodedata

MOST = 100
ENDINGS = ('.c', '.h', '.md', '.mjs', '.py', '.sh', 'meson.build', 'meson_options.txt')
# Not ours, made by others or not text: what they hold is not written here.
LEFT_OUT = {'.git', 'node_modules', 'corpus', 'results', 'debian'}


def files(root):
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT and
                            not name.startswith(('build', '.', 'obj-')))
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.endswith(ENDINGS) or os.path.relpath(folder, root) == 'script':
                yield os.path.relpath(path, root)


def columns(line):
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in 'WF' else 1
        for c in line
    )


def long_lines(root, path):
    in_code = in_table = False
    with open(os.path.join(root, path), encoding='utf-8') as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip('\n')
            if path.endswith(('.c', '.h')) and 'clang-format o' in line:
                in_table = 'clang-format off' in line
            if in_table:
                continue
            if path.endswith('.md'):
                if re.match(r'\s*(```|~~~)', line):
                    in_code = not in_code
                if in_code or re.match(r'\s*\|', line):
                    continue
            if len(line) > MOST // 2 and columns(re.sub(r'\S*://\S*', '', line)) > MOST:
                yield '%s:%d: %d columns' % (path, number, columns(line))


def main():
    root = sys.argv[1]
    checked = list(files(root))
    problems = [line for path in checked for line in long_lines(root, path)]
    print('\n'.join(problems))
    print('%d files, %d lines too long' % (len(checked), len(problems)))
    return 1 if problems or len(checked) < 300 else 0


if __name__ == '__main__':
    sys.exit(main())
