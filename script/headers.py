"""Reads the public headers: what they declare, and the comment on each declaration.

script/man3, script/amalgamate and tests/project use it. It knows the one style that these headers
are written in, not C in general. A function's comment is made of blocks, with an empty line
between:

    prose            paragraphs; an indented one is code, an example
    a list           "name, name_len   what it is", one parameter a line
    Returns          "Returns DX_OK, or:" and one error a line, "  DX_ERR_USAGE   the cause"
"""
import re
from pathlib import Path

TOKEN = re.compile(
    r'(?P<comment>/\*.*?\*/)|(?P<line>^[ \t]*#(?:[^\n\\]|\\\n|\\.)*)|'
    r'(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<other>.)',
    re.S | re.M,
)
NAME = re.compile(r'\b(dx_\w+)\s*\(')


class Declaration:
    """A function, struct, enum or macro: `kind`, `name`, its `text` as written and the `line` it
    begins on."""

    def __init__(self, kind, name, text, line):
        self.kind, self.name, self.text, self.line = kind, name, text, line
        self.trailing = ''
        self.group = None

    @property
    def prototype(self):
        """On one line, without comments and without what only a compiler reads."""
        text = re.sub(r'/\*.*?\*/', ' ', self.text, flags=re.S)
        text = re.sub(r'\b(DX_API|DX_MUST_CHECK)\b|DX_PRINTF\([^)]*\)', '', text)
        return re.sub(r'\s+', ' ', text).strip()

    @property
    def can_fail(self):
        return self.kind == 'function' and self.prototype.startswith('enum dx_err ')


class Group:
    """Declarations without an empty line between, and the comment directly above the first."""

    def __init__(self, header, comment):
        self.header, self.comment = header, comment
        self.declarations = []

    def of(self, *kinds):
        return [d for d in self.declarations if d.kind in kinds]

    @property
    def prose(self):
        """The comment as paragraphs, and what is said of single lines behind them."""
        parts = paragraphs(self.comment)
        for declaration in self.of('function'):
            if declaration.trailing:
                parts.append(f'{declaration.name}(): {" ".join(paragraphs(declaration.trailing))}')
        return parts


class Header:
    def __init__(self, path):
        self.path = Path(path)
        self.stem = self.path.stem
        self.text = self.path.read_text(encoding='utf-8')
        self.about = ''
        self.groups = []
        read(self)

    @property
    def declarations(self):
        return [d for g in self.groups for d in g.declarations]

    @property
    def functions(self):
        return [d for d in self.declarations if d.kind == 'function']

    @property
    def includes(self):
        return re.findall(r'^#\s*include <duplex/(\w+)\.h>', self.text, re.M)


LIST_ROW = re.compile(r'[a-z_]\w*(?:, \w+)* {2,}\S')
ERROR_ROW = re.compile(r' {2,}(DX_\w+)(?: {2,}|$)')


def paragraphs(comment):
    """A comment's blocks: one line each, or several when it is code, a list or a list of errors."""
    body = re.sub(r'^/\*\*?|\*/$', '', comment.strip())
    lines = [re.sub(r'^ ?', '', re.sub(r'^\s*\*', '', line)).rstrip() for line in body.split('\n')]
    found = []
    for block in re.split(r'\n[ \t]*\n', '\n'.join(lines).strip('\n')):
        rows = block.split('\n')
        if not block.strip():
            continue
        if all(row.startswith('    ') for row in rows):
            found.append(block)
        elif LIST_ROW.match(rows[0]) or any(ERROR_ROW.match(row) for row in rows[1:]):
            found.append('\n'.join(joined(rows)))
        else:
            found.append(' '.join(block.split()))
    return found


def joined(rows):
    """The rows of a list, each with the lines that continue it."""
    whole = []
    for row in rows:
        if not whole or LIST_ROW.match(row) or ERROR_ROW.match(row):
            whole.append(row.rstrip())
        else:
            whole[-1] += ' ' + row.strip()
    return whole


def is_code(block):
    return block.startswith('    ')


def is_list(block):
    """Whether the block lists parameters."""
    return bool(LIST_ROW.match(block))


def list_rows(block):
    """[(names, text)] of a list."""
    return [tuple(re.split(' {2,}', row, maxsplit=1)) for row in block.split('\n')]


def error_rows(block):
    """[(error, cause)] of a block that begins with Returns; both of the forms that there are."""
    rows = [ERROR_ROW.match(row) for row in block.split('\n')[1:]]
    if any(rows):
        return [(row.group(1), row.string[row.end():]) for row in rows if row]
    return [(match.group(1), match.group(2) or '') for match in re.finditer(
        r'\b(DX_ERR_\w+)(?:\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\))?', block)]


def classify(text):
    bare = re.sub(r'/\*.*?\*/', ' ', text, flags=re.S)
    if re.match(r'\s*static inline\b', bare):
        return 'inline', NAME.search(bare).group(1)
    match = re.match(r'\s*(struct|enum)\s+(dx_\w+)\s*(\{|;)', bare)
    if match:
        return match.group(1) if match.group(3) == '{' else 'opaque', match.group(2)
    match = NAME.search(bare)
    if match:
        return 'function', match.group(1)
    return 'other', bare.strip()[:40]


def read(header):
    """Fills in the header's comment and its groups."""
    # What only C++ sees is of no interest here.
    text = re.sub(
        r'^#ifdef __cplusplus\n.*?^#endif\n',
        lambda m: '\n' * m.group().count('\n'),
        header.text,
        flags=re.S | re.M,
    )
    items = []  # (kind, start, end)
    start, depth = None, 0
    for match in TOKEN.finditer(text):
        kind, piece = match.lastgroup, match.group()
        if start is None:
            if kind in ('comment', 'line'):
                items.append((kind, match.start(), match.end()))
                continue
            if piece.isspace():
                continue
            start = match.start()
        if kind != 'other':
            continue
        depth += {'{': 1, '}': -1}.get(piece, 0)
        ends_body = piece == '}' and depth == 0 and text[start:].startswith('static inline')
        if depth == 0 and (piece == ';' or ends_body):
            items.append(('declaration', start, match.end()))
            start = None

    group, last_end, pending = None, 0, None
    for kind, begin, end in items:
        gap = text[last_end:begin]
        if kind == 'comment':
            if group and '\n' not in gap and group.declarations:
                group.declarations[-1].trailing += text[begin:end]
            else:
                if not header.about:
                    header.about = text[begin:end]
                pending, group = (text[begin:end]), None
        else:
            name = (
                re.match(r'\s*#\s*define\s+(DX_\w+)', text[begin:end]) if kind == 'line' else None
            )
            if kind == 'line' and not name:
                group, pending = None, None
            else:
                if gap.count('\n') > 1 or group is None:
                    touches = pending is not None and gap.count('\n') <= 1
                    group = Group(header, pending if touches else '')
                    header.groups.append(group)
                pending = None
                what = ('macro', name.group(1)) if name else classify(text[begin:end])
                body = text[begin:end]
                declaration = Declaration(*what, body, text.count('\n', 0, begin) + 1)
                if name and '/*' in body:
                    body, comment = body.split('/*', 1)
                    declaration.text, declaration.trailing = body, '/*' + comment
                declaration.group = group
                group.declarations.append(declaration)
        last_end = end


def read_all(root):
    """All public headers, each after those that it includes."""
    headers = {
        path.stem: Header(path) for path in sorted(Path(root, 'include', 'duplex').glob('*.h'))
    }
    ordered = []

    def visit(stem):
        if headers[stem] not in ordered:
            for other in headers[stem].includes:
                visit(other)
            if headers[stem] not in ordered:
                ordered.append(headers[stem])

    for stem in headers:
        visit(stem)
    return ordered


def errors(headers):
    """The list of error.h: name → text."""
    text = next(h for h in headers if h.stem == 'error').text
    return dict(re.findall(r'X\((DX_\w+), -?\d+, \w+,\s*"([^"]*)"\)', text))


def error_values(headers):
    """The same list: name → value."""
    text = next(h for h in headers if h.stem == 'error').text
    return dict(re.findall(r'X\((DX_\w+), (-?\d+), \w+,', text))


def manual_pages(headers):
    """What section 3 of the manual is to have: the library, its headers, and all that a program
    may call."""
    called = [d.name for h in headers for d in h.declarations if d.kind in ('function', 'inline')]
    return ['libduplex', 'duplex'] + [f'dx_{h.stem}' for h in headers] + called


def map_symbols(path):
    """The names that a version script exports."""
    text = re.sub(r'/\*.*?\*/', '', Path(path).read_text(encoding='utf-8'), flags=re.S)
    return re.findall(r'^\s*(dx_\w+);', text, re.M)
