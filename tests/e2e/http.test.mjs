// Plain HTTP at the door: the page of a program, files, and the answers to what cannot be served.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { connect } from './support/clients.mjs';
import { onePort, run, serve, start, test } from './support/program.mjs';
import { request, upgrade } from './support/raw.mjs';

test('a plain GET on a program path answers with the page, under a strict policy', async (t) => {
  const server = await start(t, ['serve', onePort, '--route', '/a=cat']);
  for (const target of ['/a', '/a/b/c?d']) {
    const { status, headers, body } = await request(t, server, target);
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    assert.match(body, /^<!DOCTYPE html>/);
    assert.match(headers['content-security-policy'] ?? '', /default-src 'none'/);
    assert.ok(!headers['content-security-policy'].includes('unsafe-inline'));
  }
  assert.equal(server.programs().length, 0);
});

test('duplex echo answers a plain GET with its page, other methods with 405', async (t) => {
  const server = await start(t, ['echo', onePort]);
  for (const target of ['/', '/a/b?c']) {
    const { status, headers, body } = await request(t, server, target);
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'text/html; charset=utf-8');
    assert.match(body, /^<!DOCTYPE html>[^]*An echo server at/);
    assert.doesNotMatch(body, /@import/);
    assert.match(headers['content-security-policy'] ?? '', /default-src 'none'/);
    assert.ok(!headers['content-security-policy'].includes('unsafe-inline'));
  }
  const post = await request(t, server, '/',
    { method: 'POST', headers: { 'Content-Length': '0' } });
  assert.deepEqual([post.status, post.headers.allow], [405, 'GET, HEAD']);
  assert.equal((await request(t, server, '/', { headers: { Host: 'example.org' } })).status, 421);
});

test('a path without a program or a file: 404', async (t) => {
  const server = await start(t, ['serve', onePort, '--route', '/a=cat']);
  for (const target of ['/', '/b', '/ab', '/A']) {
    assert.equal((await request(t, server, target)).status, 404, target);
    assert.equal((await upgrade(t, server, target)).status, 404, target);
  }
});

test('of routes the longest wins', async (t) => {
  const server = await serve(t, ['echo', 'root'],
    ['--route', '/a=echo a', '--route', '/a/b=echo ab']);
  const cases = { '/': 'root', '/x': 'root', '/ax': 'root', '/a': 'a', '/a/x': 'a', '/a/bx': 'a',
    '/a/b': 'ab', '/a/b/c': 'ab' };
  for (const [target, expected] of Object.entries(cases)) {
    const client = await connect(server.ws(target));
    await client.close();
    assert.deepEqual(client.messages, [expected], target);
  }
});

test('a program that vanished after the start: 404; one that cannot run: 500', async (t) => {
  const directory = t.directory();
  const program = path.join(directory, 'program');
  writeFileSync(program, '#!/bin/sh\necho hi\n', { mode: 0o755 });
  const server = await serve(t, [program]);
  assert.equal((await upgrade(t, server)).status, 101);
  rmSync(program);
  assert.equal((await upgrade(t, server)).status, 404);
  await server.said(new RegExp('no such program'));
  writeFileSync(program, 'not a program\n', { mode: 0o755 });
  assert.equal((await upgrade(t, server)).status, 500);
  await server.said(/could not be started: it needs a first line like #!/);
  writeFileSync(program, '#!/no/such/interpreter\n', { mode: 0o755 });
  assert.equal((await upgrade(t, server)).status, 500);
  await server.said(/interpreter does not exist; check its #! line/);
  writeFileSync(program, '#!/bin/sh\necho hi\n', { mode: 0o755 });
  chmodSync(program, 0o644);
  assert.equal((await upgrade(t, server)).status, 500);
});

test('--chdir to a directory that vanished: 500', async (t) => {
  const directory = path.join(t.directory(), 'inner');
  mkdirSync(directory);
  const server = await serve(t, ['cat'], [`--chdir=${directory}`]);
  rmSync(directory, { recursive: true });
  assert.equal((await upgrade(t, server)).status, 500);
});

test('COMMAND not found is wrong use, one that may not be run a failed resource', async (t) => {
  for (const [command, status] of [['no-such-program-here', 2], ['./nowhere', 2],
      ['/etc/passwd', 1]]) {
    const { code, stdout, stderr } = await run(t, ['serve', onePort, command]);
    assert.equal(code, status, command);
    assert.equal(stdout, '');
    assert.equal(stderr.trimEnd().split('\n').length, 1);
    assert.ok(stderr.includes(command), stderr);
  }
});

test('methods and handshakes that are refused', async (t) => {
  const server = await serve(t, ['cat']);
  assert.equal((await request(t, server, '/',
    { method: 'POST', headers: { 'Content-Length': '0' } })).status, 405);
  const cases = [
    [{ 'Sec-WebSocket-Version': '8' }, 426],
    [{ 'Sec-WebSocket-Key': 'short' }, 400],
    [{ 'Sec-WebSocket-Key': null }, 400],
  ];
  for (const [headers, expected] of cases) {
    assert.equal((await upgrade(t, server, '/', headers)).status, expected,
      JSON.stringify(headers));
  }
});

function site(t) {
  const directory = t.directory();
  const write = (name, text) => writeFileSync(path.join(directory, name), text);
  mkdirSync(path.join(directory, 'sub'));
  mkdirSync(path.join(directory, 'empty'));
  write('index.html', '<p>front</p>');
  write('sub/index.html', '<p>sub</p>');
  write('style.css', 'p {}');
  write('script.js', '1;');
  write('data.json', '{}');
  write('with space.txt', '空');
  write('.secret', 'x');
  symlinkSync('/etc/passwd', path.join(directory, 'out.txt'));
  return directory;
}

test('--static: files, types, index.html; nothing hidden, nothing outside', async (t) => {
  const server = await start(t, ['serve', onePort, '--route=/program=cat', `--static=${site(t)}`]);
  const found = [
    ['/', /^text\/html/, '<p>front</p>'],
    ['/index.html', /^text\/html/, '<p>front</p>'],
    ['/sub/', /^text\/html/, '<p>sub</p>'],
    ['/style.css', /^text\/css/, 'p {}'],
    ['/script.js', /javascript/, '1;'],
    ['/data.json', /^application\/json/, '{}'],
    ['/with%20space.txt', /^text\/plain/, '空'],
    ['/style.css?query', /^text\/css/, 'p {}'],
  ];
  for (const [target, type, body] of found) {
    const answer = await request(t, server, target);
    assert.deepEqual([answer.status, answer.body], [200, body], target);
    assert.match(answer.headers['content-type'], type);
  }
  for (const target of ['/.secret', '/out.txt', '/nothing', '/empty/', '/%2e%2e/x',
    '/sub/%2e%2e/%2e%2e/etc/passwd',
    '/../../../../etc/passwd', '//etc/passwd']) {
    const { status } = await request(t, server, target);
    assert.ok(status === 404 || status === 400, `${target}: ${status}`);
  }
});

test('a program and files at the same path: WebSockets to the one, the rest to the other',
    async (t) => {
  const server = await serve(t, ['echo', 'program'], [`--static=${site(t)}`]);
  assert.equal((await request(t, server, '/')).body, '<p>front</p>');
  const client = await connect(server.ws('/'));
  await client.close();
  assert.deepEqual(client.messages, ['program']);
});

test('--static at a path of its own', async (t) => {
  const server = await start(t,
    ['serve', onePort, '--route=/program=cat', `--static=/files=${site(t)}`]);
  assert.equal((await request(t, server, '/files/style.css')).status, 200);
  assert.equal((await request(t, server, '/style.css')).status, 404);
});
