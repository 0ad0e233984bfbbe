// Static files: the real program, asked by curl and by raw requests, over TCP and TLS.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, symlinkSync, truncateSync, utimesSync,
  writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

import { certificate } from './support/certificate.mjs';
import { onePort, start, test } from './support/program.mjs';
import { rawConnect, request } from './support/raw.mjs';
import { eventually, within } from './support/time.mjs';

const LARGE = 10 * 1024 * 1024;
const OLD = new Date('2001-02-03T04:05:06Z');
const OLD_DATE = 'Sat, 03 Feb 2001 04:05:06 GMT';
const script = Buffer.from('export const text = "so and so";\n'.repeat(2000));

const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

function site(t) {
  const directory = t.directory();
  const write = (name, bytes) => {
    writeFileSync(path.join(directory, name), bytes);
    utimesSync(path.join(directory, name), OLD, OLD);
  };
  mkdirSync(path.join(directory, 'sub'));
  write('index.html', '<p>front</p>');
  write('sub/index.html', '<p>sub</p>');
  write('small.txt', '0123456789');
  write('large.bin', randomBytes(LARGE));
  write('script.js', script);
  write('script.js.br', brotliCompressSync(script));
  write('script.js.gz', gzipSync(script));
  write('module.wasm', Buffer.from([0, 0x61, 0x73, 0x6d]));
  write('404.html', '<p>lost</p>');
  symlinkSync('small.txt', path.join(directory, 'link.txt'));
  return { directory, bytes: (name) => readFileSync(path.join(directory, name)) };
}

const serveSite = (t, directory, options = []) =>
  start(t, ['serve', onePort, '--route=/program=cat', `--static=${directory}`, ...options]);

// Runs curl; the bytes that it wrote.
async function curl(...args) {
  const { error, stdout, stderr } = await within(new Promise((resolve) => {
    execFile('curl', ['--silent', '--show-error', '--noproxy', '*', ...args],
      { encoding: 'buffer', maxBuffer: 4 * LARGE },
        (error, stdout, stderr) => resolve({ error, stdout, stderr }));
  }), `curl ${args.join(' ')}`);
  assert.equal(error, null, `curl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

test('curl gets whole files and parts of them, byte for byte', async (t) => {
  const { directory, bytes } = site(t);
  const server = await serveSite(t, directory);
  const large = bytes('large.bin');
  assert.equal(digest(await curl(server.http('/large.bin'))), digest(large));
  for (const [range, part] of [['0-0', large.subarray(0, 1)], ['5-70000', large.subarray(5, 70001)],
    ['-99999', large.subarray(-99999)], [`${LARGE - 1}-`, large.subarray(-1)],
        ['4096-', large.subarray(4096)]]) {
    assert.equal(digest(await curl('--range', range, server.http('/large.bin'))), digest(part),
      range);
  }
});

test('curl --continue-at goes on with a broken download; with a whole one there is nothing to get',
    async (t) => {
  const { directory, bytes } = site(t);
  const server = await serveSite(t, directory);
  const target = path.join(t.directory(), 'large.bin');
  writeFileSync(target, bytes('large.bin').subarray(0, 3_000_001));
  await curl('--continue-at', '-', '--output', target, server.http('/large.bin'));
  assert.equal(digest(readFileSync(target)), digest(bytes('large.bin')));
  const code = await curl('--continue-at', '-', '--output', target, '--write-out', '%{http_code}',
    server.http('/large.bin'));
  assert.equal(code.toString(), '416');
  assert.equal(digest(readFileSync(target)), digest(bytes('large.bin')));
});

test('curl --time-cond gets only what is newer', async (t) => {
  const { directory } = site(t);
  const server = await serveSite(t, directory);
  const code = async (date) =>
    (await curl('--time-cond', date, '--write-out', '%{http_code}', '--output', '/dev/null',
      server.http('/small.txt'))).toString();
  assert.equal(await code(OLD_DATE), '304');
  assert.equal(await code('Sat, 03 Feb 2001 04:05:05 GMT'), '200');
  assert.equal(await code('-Sat, 03 Feb 2001 04:05:07 GMT'), '200');
  assert.equal(await code('-Sat, 03 Feb 2001 04:05:05 GMT'), '412');
});

test('curl --etag-save and --etag-compare: the second time nothing is sent', async (t) => {
  const { directory } = site(t);
  const server = await serveSite(t, directory);
  const etag = path.join(t.directory(), 'etag');
  const get = async (...args) =>
    (await curl(...args, '--write-out', '%{http_code} %{size_download}', '--output', '/dev/null',
    server.http('/large.bin'))).toString();
  assert.equal(await get('--etag-save', etag), `200 ${LARGE}`);
  assert.equal(await get('--etag-compare', etag), '304 0');
});

test('curl --compressed gets the file that lies compressed beside it', async (t) => {
  const { directory, bytes } = site(t);
  const server = await serveSite(t, directory);
  const out = t.directory();
  for (const [accepted, name, coding] of [['gzip', 'script.js.gz', 'gzip'],
    ['br', 'script.js.br', 'br'],
    ['gzip, deflate, br', 'script.js.br', 'br'], ['br;q=0.1, gzip', 'script.js.gz', 'gzip']]) {
    const head = path.join(out, 'head');
    const got = await curl('--header', `Accept-Encoding: ${accepted}`, '--dump-header', head,
      server.http('/script.js'));
    assert.equal(digest(got), digest(bytes(name)), accepted);
    const text = readFileSync(head, 'latin1');
    assert.match(text, new RegExp(`^Content-Encoding: ${coding}\r$`, 'm'));
    assert.match(text, /^Vary: Accept-Encoding\r$/m);
    assert.match(text, /^Content-Type: text\/javascript; charset=utf-8\r$/m);
  }
  assert.equal(digest(await curl('--compressed', server.http('/script.js'))), digest(script));
  assert.equal(digest(await curl(server.http('/script.js'))), digest(script));
});

test('over TLS the same bytes come: whole, in parts, compressed', async (t) => {
  const { directory, bytes } = site(t);
  const { cert, key } = certificate(t);
  const server = await serveSite(t, directory, [`--tls-cert=${cert}`, `--tls-key=${key}`]);
  const large = bytes('large.bin');
  const get = (...args) => curl('--insecure', ...args);
  assert.equal(digest(await get(server.http('/large.bin'))), digest(large));
  assert.equal(digest(await get('--range', '77777-', server.http('/large.bin'))),
    digest(large.subarray(77777)));
  assert.equal((await get(server.http('/small.txt'))).toString(), '0123456789');
  assert.equal(digest(await get('--compressed', server.http('/script.js'))), digest(script));
});

test('a page of the site for what is not there; nothing of a link or a hidden name', async (t) => {
  const { directory } = site(t);
  const server = await serveSite(t, directory);
  for (const target of ['/none', '/link.txt', '/.git/config', '/sub/none.html', '//etc/passwd']) {
    const { status, headers, body } = await request(t, server, target);
    assert.deepEqual([status, body], [404, '<p>lost</p>'], target);
    assert.equal(headers.etag, undefined);
  }
  assert.equal((await request(t, server, '/sub?a=b')).headers.location, '/sub/?a=b');
  assert.equal((await request(t, server, '/module.wasm')).headers['content-type'],
    'application/wasm');
});

test('row 65: a program and the key that lie among the files are not shown', async (t) => {
  const { directory } = site(t);
  const { cert, key } = certificate(t);
  const inside = (name) => path.join(directory, name);
  writeFileSync(inside('chat.sh'), '#!/bin/sh\ncat\n', { mode: 0o755 });
  writeFileSync(inside('chat.py'), 'print("secret")\n');
  writeFileSync(inside('key.pem'), readFileSync(key), { mode: 0o600 });
  const server = await start(t,
    ['serve', onePort, `--route=/sh=${inside('chat.sh')}`, '--route=/py=python3 chat.py',
    `--chdir=${directory}`, `--static=${directory}`, `--tls-cert=${cert}`,
      `--tls-key=${inside('key.pem')}`]);
  for (const [name, status] of [['chat.sh', 404], ['chat.py', 404], ['key.pem', 404],
      ['small.txt', 200]]) {
    const code = await curl('--insecure', '--output', '/dev/null', '--write-out', '%{http_code}',
      server.http(`/${name}`));
    assert.equal(code.toString(), `${status}`, name);
  }
});

test('one connection: files of every size, parts and states one after another', async (t) => {
  const { directory, bytes } = site(t);
  const server = await serveSite(t, directory);
  const connection = await rawConnect(t, { port: server.port });
  const ask = (target, headers = '') =>
    connection.send(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}\r\n`);
  const { headers } = await (ask('/small.txt'), connection.response());
  assert.match(headers.etag, /^(W\/)?"[^"]+"$/);
  for (let round = 0; round < 3; round++) {
    ask('/script.js');
    ask('/small.txt', `If-None-Match: ${headers.etag}\r\n`);
    ask('/small.txt', 'Range: bytes=2-4\r\n');
    ask('/none');
    ask('/script.js', 'Range: bytes=-70\r\n');
    assert.equal((await connection.response()).body, script.toString());
    assert.equal((await connection.response()).status, 304);
    assert.equal((await connection.response()).body, '234');
    assert.equal((await connection.response()).status, 404);
    assert.equal((await connection.response()).body, script.subarray(-70).toString());
  }
  assert.equal(bytes('small.txt').length, 10);
});

test('row 67: a file that becomes shorter while it is sent ends the connection, without padding',
    async (t) => {
  const { directory } = site(t);
  const server = await serveSite(t, directory);
  truncateSync(path.join(directory, 'large.bin'), 20 * LARGE);
  const connection = await rawConnect(t, { port: server.port });
  connection.send('GET /large.bin HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  let length = 0;
  await within(new Promise((resolve) => {
    connection.socket.removeAllListeners('data').removeAllListeners('error');
    connection.socket.on('error', () => {}).on('close', resolve).on('data', (bytes) => {
      if (length === 0) truncateSync(path.join(directory, 'large.bin'), 1);
      length += bytes.length;
    });
    connection.socket.resume();
  }), 'the end of the connection');
  assert.ok(length < 20 * LARGE);
  await server.said(/a file could not be sent to its end/);
});

test('peers that leave in the middle take nothing with them', async (t) => {
  const { directory } = site(t);
  const server = await serveSite(t, directory);
  for (let round = 0; round < 20; round++) {
    const connection = await rawConnect(t, { port: server.port });
    connection.send('GET /large.bin HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    await within(new Promise((resolve) => {
      connection.socket.once('readable', resolve);
    }), 'some bytes');
    if (round % 2 === 0) connection.socket.resetAndDestroy();
    else connection.destroy();
  }
  await eventually(() => server.descriptors() <= server.descriptorsAtStart,
    'descriptors are closed');
  assert.equal((await request(t, server, '/small.txt')).body, '0123456789');
  await server.stop();
});
