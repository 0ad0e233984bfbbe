// The promised options, the table in the program, --help, the man pages and the completions of
// three shells say the same.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { optionsOf } from './options.mjs';
import { built, completion, duplex, manPage, readCompletion, run } from './support.mjs';

const commands = ['serve', 'echo', 'connect'];
const pages = ['duplex', 'duplex-serve', 'duplex-echo', 'duplex-connect'];
const helpWidth = 80;

const byName = (a, b) => (a.name < b.name ? -1 : 1);
const longNames = (command) => optionsOf(command).map(({ name }) => `--${name}`).sort();
const spelled = ({ name, letter, value }) =>
  `${letter === '-' ? '' : `-${letter}, `}--${name}${value === '-' ? '' : `=${value}`}`;

// `man` with a terminal's width but no terminal: plain text, and its warnings.
function renderMan(page) {
  const { status, stdout, stderr } = run('man', ['--warnings', '-l', manPage(page)],
    { env: { ...process.env, LC_ALL: 'C.UTF-8', MANROFFOPT: '-c', MANWIDTH: '100', MANPAGER: 'cat',
      PAGER: 'cat' } });
  assert.equal(status, 0);
  return { text: stdout.replace(/.\x08/g, ''), warnings: stderr };
}

for (const command of commands) {
  test(`${command}: the table is what was promised`, () => {
    const rows = run(built.gen, ['options']).stdout.trimEnd().split('\n')
      .map((line) => line.split('\t'))
      .filter((row) => row[0] === command)
      .map(([, name, letter, value, preset]) => ({ name, letter, value, preset })).sort(byName);
    assert.deepEqual(rows, optionsOf(command));
  });

  test(`${command}: --help has every option with its default, and fits`, () => {
    const lines = duplex([command, '--help']).stdout.split('\n');
    const found = [];
    for (const [at, line] of lines.entries()) {
      assert.ok(line.length <= helpWidth, line);
      const match = /^ {2}((?:-\w, )?--\S+) {2,}(.*)$/.exec(line);
      if (!match) continue;
      let [, names, text] = match;
      let more = at + 1;
      for (; /^ {20,}\S/.test(lines[more]); more++) text += ` ${lines[more].trim()}`;
      assert.ok(more - at <= 2, `${names} takes more than two lines`);
      found.push(`${names} ${/\[([^[\]]*)\]$/.exec(text)?.[1] ?? '-'}`);
    }
    assert.deepEqual(found.sort(),
      optionsOf(command).map((o) => `${spelled(o)} ${o.preset}`).sort());
  });

  test(`${command}: the man page has every option with its default`, () => {
    const { text } = renderMan(`duplex-${command}`);
    const section = /\nOPTIONS\n([^]*?)\n[A-Z]/.exec(text)[1];
    const found = section.split(/\n {7}(?=-)/).slice(1).map((entry) => {
      const body = entry.replace(/\n {3}\S[^]*$/, '').replace(/‐\s+/g, '').replace(/\s+/g, ' ');
      return `${entry.split('\n')[0]} ${/ Default: (.*?)\. ?$/.exec(body)?.[1] ?? '-'}`;
    });
    assert.deepEqual(found.sort(),
      optionsOf(command).map((o) => `${spelled(o)} ${o.preset}`).sort());
  });

  test(`${command}: bash completes every option`, () => {
    const words = completeInBash(['duplex', command, '--']).map((word) => word.replace(/=$/, ''));
    assert.deepEqual(words.sort(), longNames(command));
  });

  test(`${command}: zsh completes every option`, () => {
    const specs = argumentsInZsh(command);
    const found = specs.map((spec) => /^(?:\(.*?\)|\*)?(--[a-z0-9-]+)/.exec(spec)?.[1])
      .filter(Boolean);
    assert.deepEqual(found.sort(), longNames(command));
  });

  test(`${command}: fish completes every option`, () => {
    const found = completeInFish(`duplex ${command} --`).filter((word) => word.startsWith('--'))
      .map((word) => word.replace(/=$/, ''));
    assert.deepEqual([...new Set(found)].sort(), longNames(command));
  });
}

test('the man pages render without a warning', () => {
  for (const page of pages) assert.equal(renderMan(page).warnings, '', page);
});

test('the man pages name no option that there is not', () => {
  const known = new Set(commands.flatMap(longNames));
  const foreign = new Set(['--line-buffered', '--name']); // of grep; of the explanation of spelling
  for (const page of pages) {
    const names = renderMan(page).text.replace(/‐\n\s+/g, '').match(/--[a-z][a-z0-9-]*/g) ?? [];
    for (const name of names) assert.ok(known.has(name) || foreign.has(name), `${page}: ${name}`);
  }
});

test('the man pages have the date of the newest version', () => {
  const changes = readFileSync(new URL('../../../CHANGELOG.md', import.meta.url), 'utf8');
  const [, date] = /^## \d\S* - (\d{4}-\d\d-\d\d)$/m.exec(changes);
  for (const page of pages) assert.match(renderMan(page).text, new RegExp(date));
});

// ---- completion, as the shells do it ----

function completeInBash(words) {
  const script = `
    source "$1"; shift
    compopt() { :; }
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _duplex
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { status, stdout, stderr } = run('bash',
    ['--norc', '-c', script, 'bash', completion('duplex'), ...words]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  return stdout.split('\n').filter(Boolean);
}

// What _arguments is called with for a command.
function argumentsInZsh(command) {
  const script = `
    _arguments() {
      if [[ $1 == -C ]]; then state=argument words=(${command} ''); return 1; fi
      print -rl -- "$@"
    }
    source "$1"`;
  const { status, stdout, stderr } = run('zsh', ['-f', '-c', script, 'zsh', completion('_duplex')]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  return stdout.split('\n').filter(Boolean);
}

function completeInFish(line) {
  const { status, stdout, stderr } = run('fish',
    ['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]',
    completion('duplex.fish'), line]);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  return stdout.split('\n').filter(Boolean).map((entry) => entry.split('\t')[0]);
}

test('bash completes commands and values', () => {
  const rows = [
    [['duplex', 's'], ['serve']],
    [['duplex', ''], ['serve', 'echo', 'connect', 'help', '--help', '-h', '--version', '-V']],
    [['duplex', 'help', ''], ['serve', 'echo', 'connect']],
    [['duplex', 'serve', '--fram'], ['--framing=']],
    [['duplex', 'serve', '--framing', ''], ['lines', 'binary', 'length']],
    [['duplex', 'serve', '--framing', '='], ['lines', 'binary', 'length']],
    [['duplex', 'serve', '--framing', '=', 'le'], ['length']],
    [['duplex', 'serve', '-q', '--log-level', '=', 'd'], ['debug']],
    [['duplex', 'echo', '--origin', 'a'], ['any']],
    [['duplex', 'echo', '--port', ''], []],
    [['duplex', 'serve', '--port', '=', '80', '--threads', '2', 'basena'], ['basename']],
  ];
  for (const [words, found] of rows) assert.deepEqual(completeInBash(words), found,
    words.join(' '));
  assert.ok(completeInBash(['duplex', 'serve', 'cat', '/us']).includes('/usr'));
  assert.deepEqual(completeInBash(['duplex', 'serve', 'cat', '--po']), []);
});

test('fish completes commands and values', () => {
  assert.deepEqual(completeInFish('duplex s'), ['serve']);
  assert.deepEqual(completeInFish('duplex help '), ['serve', 'echo', 'connect'].sort());
  assert.deepEqual(completeInFish('duplex serve --framing=b'), ['--framing=binary']);
  assert.deepEqual(completeInFish('duplex serve --framing ').sort(), ['binary', 'length', 'lines']);
  assert.deepEqual(completeInFish('duplex serve cat --po'), []);
  assert.ok(completeInFish('duplex serve --port 80 basena').includes('basename'));
});

test('zsh finds the completion by its first line', () => {
  const script = 'fpath=("${1:h}" $fpath); autoload -U compinit; compinit -D -u; ' +
    'print -r -- ${_comps[duplex]}';
  const { status, stdout, stderr } = run('zsh', ['-f', '-c', script, 'zsh', completion('_duplex')]);
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '_duplex\n', stderr: '' });
});

test('the shells take their files without complaint', () => {
  for (const [shell, name] of [['bash', 'duplex'], ['zsh', '_duplex'], ['fish', 'duplex.fish']]) {
    assert.deepEqual(run(shell, ['-n', completion(name)]), { status: 0, stdout: '', stderr: '' });
    assert.doesNotMatch(readCompletion(name), /\t/);
  }
});
