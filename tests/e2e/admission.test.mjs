// Who may connect: Origin and Host. Answers are looked at byte by byte, on a connection of our own.

import assert from 'node:assert/strict';

import { echo, serve, start, test } from './support/program.mjs';
import { upgrade } from './support/raw.mjs';

const origins = [
  // options, Origin ('PORT' is the server's), status
  [[], null, 101],
  [[], 'http://127.0.0.1:PORT', 101],
  [[], 'http://localhost:3000', 101],
  [[], 'http://127.0.0.1:1', 101],
  [[], 'http://[::1]:9000', 101],
  [[], 'https://evil.example', 403],
  [[], 'http://127.0.0.1.evil.example', 403],
  [[], 'http://localhost.evil.example:PORT', 403],
  [[], 'null', 403],
  [[], '', 400],
  [[], 'nonsense', 400],
  [['--origin=null'], 'null', 101],
  [['--origin=any'], 'https://evil.example', 101],
  [['--origin=https://app.example.org'], 'https://app.example.org', 101],
  [['--origin=https://app.example.org'], 'http://app.example.org', 403],
  [['--origin=https://app.example.org'], 'https://app.example.org:8443', 403],
  [['--origin=https://*.example.org'], 'https://a.b.example.org', 101],
  [['--origin=https://*.example.org'], 'https://example.org', 403],
  [['--origin=https://*.example.org'], 'https://evilexample.org', 403],
  [['--origin=https://*.example.org'], 'https://a.example.org.evil.example', 403],
  [['--origin=https://a.example', '--origin=https://b.example'], 'https://b.example', 101],
];

for (const [options, origin, expected] of origins) {
  test(`Origin ${origin ?? 'absent'} with ${options.join(' ') || 'no option'}: ${expected}`,
      async (t) => {
    const server = await serve(t, ['cat'], options);
    const { status } = await upgrade(t, server, '/',
      { Origin: origin?.replace('PORT', server.port) ?? null });
    assert.equal(status, expected);
    assert.equal(server.programs().length, expected === 101 ? 1 : 0,
      'a program runs for admitted visitors only');
  });
}

test('a refused Origin is named in the answer and in the log, with the remedy', async (t) => {
  const server = await serve(t, ['cat']);
  const { status, body } = await upgrade(t, server, '/', { Origin: 'null' });
  assert.equal(status, 403);
  assert.match(body, /--origin=null/);
  await server.said(/--origin=null/);
  assert.equal(server.stderr.match(/--origin=null/g).length, 1);
});

test('echo admits every Origin', async (t) => {
  const server = await echo(t);
  for (const origin of ['https://evil.example', 'null', null]) {
    assert.equal((await upgrade(t, server, '/', { Origin: origin })).status, 101);
  }
});

const hosts = [
  [[], '127.0.0.1:PORT', 101],
  [[], 'localhost:PORT', 101],
  [[], 'LOCALHOST', 101],
  [[], '[::1]:PORT', 101],
  [[], 'evil.example:PORT', 421],
  [[], '127.0.0.1.evil.example', 421],
  [['--host=app.example'], 'app.example', 101],
  [['--host=app.example'], 'App.Example:PORT', 101],
  [['--host=app.example'], 'localhost:PORT', 101],
  [['--host=app.example'], 'other.example', 421],
];

for (const [options, host, expected] of hosts) {
  test(`Host ${host} with ${options.join(' ') || 'no option'}: ${expected}`, async (t) => {
    const server = await serve(t, ['cat'], options);
    const { status } = await upgrade(t, server, '/', { Host: host.replace('PORT', server.port) });
    assert.equal(status, expected);
  });
}

test('a listener for all addresses takes any Host until --host is given', async (t) => {
  const open = await start(t, ['serve', '--listen=*:0', 'cat']);
  assert.equal((await upgrade(t, open, '/', { Host: 'any.example' })).status, 101);
  const strict = await start(t, ['serve', '--listen=*:0', '--host=app.example', 'cat']);
  assert.equal((await upgrade(t, strict, '/', { Host: 'any.example' })).status, 421);
  assert.equal((await upgrade(t, strict, '/', { Host: 'app.example' })).status, 101);
});

test('--subprotocol: the first in common, none otherwise', async (t) => {
  const server = await serve(t, ['cat'], ['--subprotocol=v2', '--subprotocol=v1']);
  for (const [offered, answered] of [['v1, v2', 'v2'], ['v1', 'v1'], ['v3', undefined],
      [null, undefined]]) {
    const { status, headers } = await upgrade(t, server, '/',
      { 'Sec-WebSocket-Protocol': offered });
    assert.equal(status, 101);
    assert.equal(headers['sec-websocket-protocol'], answered);
  }
});
