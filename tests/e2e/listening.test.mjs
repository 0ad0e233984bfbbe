// Where the program listens: ports, both loopback addresses, unix sockets, inherited descriptors,
// TLS.

import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { connect } from './support/clients.mjs';
import { duplexPath, echo, onePort, run, serve, start, test } from './support/program.mjs';
import { rawConnect, request, upgrade } from './support/raw.mjs';
import { certificate } from './support/certificate.mjs';

test('a port alone is both loopback addresses, and port 0 picks the same for both', async (t) => {
  const server = await start(t, ['echo', '--port=0']);
  assert.deepEqual(server.urls.map((url) => new URL(url).hostname), ['127.0.0.1', '[::1]']);
  assert.equal(new URL(server.urls[0]).port, new URL(server.urls[1]).port);
  for (const url of server.urls) {
    const client = await connect(url.replace(/^http/, 'ws'));
    client.send(url);
    assert.deepEqual(await client.received(1), [url]);
    await client.close(1000);
  }
});

test('every --listen is served and named', async (t) => {
  const server = await start(t, ['echo', onePort, '--listen=127.0.0.2:0', '--listen', '[::1]:0']);
  assert.deepEqual(server.urls.map((url) => new URL(url).hostname),
    ['127.0.0.1', '127.0.0.2', '[::1]']);
  for (const url of server.urls) await (await connect(url.replace(/^http/, 'ws'))).close(1000);
});

test('unix:PATH has mode 0600, serves, and is removed at the end', async (t) => {
  const socketPath = path.join(t.directory(), 'socket');
  const server = await start(t, ['serve', `--listen=unix:${socketPath}`, 'echo', 'hello']);
  assert.equal(statSync(socketPath).mode & 0o777, 0o600);
  const { status, connection } = await upgrade(t, server, '/', { Host: 'localhost' },
    { socketPath });
  assert.equal(status, 101);
  assert.equal((await connection.message()).payload.toString(), 'hello');
  connection.destroy();
  await server.stop();
  assert.equal(existsSync(socketPath), false);
});

test('a stale unix socket is replaced, a living one is not', async (t) => {
  const socketPath = path.join(t.directory(), 'socket');
  const first = await start(t, ['echo', `--listen=unix:${socketPath}`]);
  const second = await run(t, ['echo', `--listen=unix:${socketPath}`]);
  assert.equal(second.code, 1);
  assert.equal(second.stderr.trimEnd().split('\n').length, 1);
  first.kill('SIGKILL');
  await first.ended;
  assert.ok(existsSync(socketPath), 'SIGKILL leaves the socket behind');
  const third = await start(t, ['echo', `--listen=unix:${socketPath}`]);
  await third.stop();
});

// Opens a socket as descriptor 3 and becomes the program: a parent that listened on would take
// connections itself.
const opener = `
import os, socket, sys
listener = socket.socket()
listener.bind(('127.0.0.1', 0))
listener.listen()
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.execv(sys.argv[1], sys.argv[1:])
`;

test('fd:N is a socket that the parent has opened', async (t) => {
  const server = await start(t, ['-c', opener, duplexPath, 'echo', '--listen=fd:3'],
    { file: '/usr/bin/python3' });
  const client = await connect(server.ws());
  client.send('x');
  assert.deepEqual(await client.received(1), ['x']);
  await client.close(1000);
});

test('an address in use: one line, status 1', async (t) => {
  const server = await echo(t);
  const { code, stdout, stderr } = await run(t, ['echo', `--listen=127.0.0.1:${server.port}`]);
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(stderr, new RegExp(`^[^\\n]*127\\.0\\.0\\.1:${server.port}[^\\n]*\\n$`));
});

test('--tls-cert and --tls-key: https and wss', async (t) => {
  const { cert, key } = certificate(t);
  const server = await serve(t, ['cat'], [`--tls-cert=${cert}`, `--tls-key=${key}`]);
  assert.match(server.url, /^https:/);
  const client = await connect(server.ws(), { rejectUnauthorized: false });
  client.send('secret');
  assert.deepEqual(await client.received(1), ['secret']);
  await client.close(1000);
  const page = await request(t, server, '/', { isTls: true });
  assert.equal(page.status, 200);
  await server.isQuiet();
});

test('TLS carries 8 MiB both ways', async (t) => {
  const { cert, key } = certificate(t);
  const server = await echo(t, [`--tls-cert=${cert}`, `--tls-key=${key}`]);
  const client = await connect(server.ws(), { rejectUnauthorized: false });
  const message = Buffer.alloc(8 << 20, 'duplex over tls ');
  client.send(message);
  assert.ok((await client.received(1))[0].equals(message));
  await client.close(1000);
});

test('TLS below 1.2 is refused', async (t) => {
  const { cert, key } = certificate(t);
  const server = await echo(t, [`--tls-cert=${cert}`, `--tls-key=${key}`]);
  const { connect: tlsConnect } = await import('node:tls');
  await assert.rejects(new Promise((resolve, reject) => {
    const socket = tlsConnect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false,
      minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
    socket.on('secureConnect', resolve);
    socket.on('error', reject);
  }));
});

test('a certificate that cannot be read: one line, status 1', async (t) => {
  const { key } = certificate(t);
  const broken = path.join(t.directory(), 'broken.pem');
  writeFileSync(broken, 'nonsense');
  for (const cert of ['/nowhere/cert.pem', broken]) {
    const { code, stderr } = await run(t,
      ['echo', onePort, `--tls-cert=${cert}`, `--tls-key=${key}`]);
    assert.equal(code, 1);
    assert.equal(stderr.trimEnd().split('\n').length, 1);
    assert.ok(stderr.includes(cert), stderr);
  }
});

test('the ready line names an URL that can be clicked', async (t) => {
  const server = await serve(t, ['cat']);
  assert.match(server.stderr, /http:\/\/127\.0\.0\.1:\d+\/(\s|$)/m);
  const page = await request(t, server);
  assert.equal(page.status, 200);
  const other = await rawConnect(t, server);
  other.destroy();
});

test('an installed tree works wherever it was moved to', async (t) => {
  const prefix = t.directory();
  for (const [from, to] of [['duplex', 'bin/duplex'],
      ['duplex-spawner', 'libexec/duplex/duplex-spawner']]) {
    mkdirSync(path.dirname(path.join(prefix, to)), { recursive: true });
    copyFileSync(path.join(path.dirname(duplexPath), from), path.join(prefix, to));
  }
  const server = await start(t, ['serve', onePort, 'echo', 'moved'],
    { file: path.join(prefix, 'bin/duplex') });
  const client = await connect(server.ws());
  await client.close();
  assert.deepEqual(client.messages, ['moved']);
});

test('*:PORT is announced by an address that can be clicked', async (t) => {
  const server = await start(t, ['echo', '--listen=*:0']);
  assert.match(server.stderr, /http:\/\/127\.0\.0\.1:\d+\//);
});
