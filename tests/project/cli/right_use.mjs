// What ends at once and well: help and version, on stdout, with 0; and what becomes of it when
// stdout cannot be written.

import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';

import { built, duplex, run } from './support.mjs';

const version = 'duplex 0.2.0\n';
const rootHelp = duplex(['--help']).stdout;
const serveHelp = duplex(['serve', '--help']).stdout;

test('the help of duplex names every command', () => {
  assert.match(rootHelp, /^Duplex: WebSocket for any program\.\n/);
  assert.deepEqual(rootHelp.match(/^ {2}[a-z]+(?= {2})/gm).map((name) => name.trim()),
    ['serve', 'echo', 'connect', 'help']);
  assert.doesNotMatch(rootHelp, /\x1b/);
});

test('every way to ask for help or version ends with 0', () => {
  const rows = [
    [['--help'], rootHelp], [['-h'], rootHelp], [['help'], rootHelp], [['help', 'help'], rootHelp],
    [['serve', '--help'], serveHelp], [['serve', '-h'], serveHelp], [['help', 'serve'], serveHelp],
    [['serve', '-vh', '--no-such'], serveHelp], [['serve', '--port=0', '--help', 'cat'], serveHelp],
    [['--version'], version], [['-V'], version], [['serve', '--version'], version],
      [['echo', '-qV', 'x'], version],
  ];
  for (const [words, stdout] of rows) {
    assert.deepEqual(duplex(words), { status: 0, stdout, stderr: '' }, words.join(' '));
  }
});

test('a URL stands for the command connect', () => {
  const url = 'ws://127.0.0.1:1/';
  const line = `duplex connect: ${url}: 127.0.0.1 port 1: Connection refused ` +
    '(check that the server runs there)\n';
  for (const words of [[url], ['connect', url], ['127.0.0.1:1']]) {
    assert.deepEqual(duplex(words, { input: '' }), { status: 4, stdout: '', stderr: line });
  }
  assert.match(duplex(['http://127.0.0.1:1'], { input: '' }).stderr,
    /^duplex connect: http:.*refused/);
  assert.deepEqual(duplex([url, '--help']), duplex(['connect', '--help']));
});

test('duplex alone prints the commands on stderr and ends with 2', () => {
  assert.deepEqual(duplex([]), { status: 2, stdout: '', stderr: rootHelp });
});

test('output that cannot be written is exit 1 with a line', () => {
  for (const words of [['--help'], ['--version'], ['serve', '--help'], ['echo', '-V']]) {
    const full = openSync('/dev/full', 'w');
    const result = duplex(words, { stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    assert.equal(result.status, 1);
    assert.equal(result.stderr,
      'duplex: stdout: No space left on device (check where the output goes)\n');
  }
});

test('a closed stdout is exit 1 with a line', () => {
  const result = run('/bin/sh', ['-c', '"$0" --version >&-', built.duplex]);
  assert.deepEqual(result,
    { status: 1, stdout: '',
      stderr: 'duplex: stdout: Bad file descriptor (check where the output goes)\n' });
});

test('wrong use with a closed stderr still ends with 2', () => {
  assert.deepEqual(run('/bin/sh', ['-c', '"$0" sevre 2>&-', built.duplex]),
    { status: 2, stdout: '', stderr: '' });
});
