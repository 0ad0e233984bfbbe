// TLS from the outside: real clients, certificates that change, clients that show one, and those
// that do not speak it. What is inside a handshake is in tests/unit/net/tls_*_test.c; the names
// carry the rows of the threat list.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';

import { certificate } from './support/certificate.mjs';
import { useChromium } from './support/chromium.mjs';
import { connect } from './support/clients.mjs';
import { residentBytes } from './support/processes.mjs';
import { duplexPath, echo, onePort, plainDuplexPath, run, serve, start,
  test } from './support/program.mjs';
import { rawConnect, upgradeRequest } from './support/raw.mjs';
import { eventually, pause, within } from './support/time.mjs';

const openPage = useChromium();

const files = ({ cert, key }) => [`--tls-cert=${cert}`, `--tls-key=${key}`];

// A handshake as these options say: the socket, or an error.
function shake(scope, port, options = {}) {
  const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  scope.after(() => socket.destroy());
  return within(new Promise((resolve, reject) => {
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
  }), 'a TLS handshake');
}

const fingerprintOf = async (scope, port) => (await shake(scope, port)).getPeerCertificate()
  .fingerprint256;

// An authority, and a certificate that it has signed for a client.
function authority(scope) {
  const directory = scope.directory();
  const at = (name) => path.join(directory, name);
  const openssl = (...args) => execFileSync('openssl', args, { stdio: 'ignore' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=authority', '-keyout',
    at('ca.key'), '-out', at('ca.pem'));
  openssl('req', ...newKey, '-subj', '/CN=Ada', '-keyout', at('ada.key'), '-out', at('ada.csr'));
  openssl('x509', '-req', '-in', at('ada.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'),
    '-days', '2', '-set_serial', '7',
    '-out', at('ada.pem'));
  return { ca: at('ca.pem'), cert: readFileSync(at('ada.pem')), key: readFileSync(at('ada.key')) };
}

test('H77 a handshake that does not come to its end is cut at the handshake deadline',
    async (t) => {
  const server = await echo(t, [...files(certificate(t)), '--handshake-timeout=1s']);
  const begin = performance.now();
  // One says nothing, one a byte of a hello now and then, one stops in the middle of it.
  const hello = Buffer.concat([Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
    Buffer.alloc(501)]);
  const ends = [0, 1, 100].map(async (count) => {
    const socket = net.connect(server.port, '127.0.0.1');
    t.after(() => socket.destroy());
    const closed = new Promise((resolve) => { socket.on('close', resolve).on('error', () => {}); });
    if (count > 1) socket.write(hello.subarray(0, count));
    let at = 0;
    const timer = count === 1 ? setInterval(() => socket.write(hello.subarray(at++, at)), 50)
      : undefined;
    await within(closed, 'the server hangs up');
    clearInterval(timer);
    return performance.now() - begin;
  });
  for (const end of ends) assert.ok((await end) > 900, 'a client has its second');
  await server.isQuiet();
});

test('H83 without the certificate that is asked for: an alert, before any program', async (t) => {
  const { ca, cert, key } = authority(t);
  const mark = path.join(t.directory(), 'started');
  const server = await serve(t, ['sh', '-c', `echo x >>${mark}; cat`],
    [...files(certificate(t)), `--tls-client-ca=${ca}`]);
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
    const ended = (async () => {
      const socket = await shake(t, server.port, { maxVersion });
      // With TLS 1.3 a client is through before the server has judged it.
      socket.write(upgradeRequest('/', { Host: `127.0.0.1:${server.port}` }));
      await within(new Promise((resolve,
        reject) => { socket.on('error', reject).on('data', reject).on('close', resolve); }),
        'the alert');
    })();
    await assert.rejects(ended,
      { code: maxVersion === 'TLSv1.3' ? 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'
      : 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE' });
  }
  await server.said(/why="?the client presents no certificate/);
  assert.equal(existsSync(mark), false, 'nothing was started');
  const client = await connect(server.ws(), { rejectUnauthorized: false, cert, key });
  client.send('hello');
  assert.deepEqual(await client.received(1), ['hello']);
  assert.equal(readFileSync(mark, 'utf8'), 'x\n');
  await client.close(1000);
  await server.isQuiet();
});

test('--tls-self-signed prints the fingerprint of a certificate that has the right names',
    async (t) => {
  const seen = [];
  for (const command of [['echo'], ['serve']]) {
    const server = await start(t,
      [...command, onePort, '--tls-self-signed', '--host=box.example',
      ...(command[0] === 'serve' ? ['cat'] : [])]);
    const [, printed] = await server.said(
      /^duplex: self-signed certificate, SHA-256 ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})$/m);
    const socket = await shake(t, server.port);
    const shown = socket.getPeerCertificate();
    assert.equal(shown.fingerprint256, printed);
    assert.equal(shown.subjectaltname,
      'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:box.example');
    seen.push(printed);
    // Whoever trusts it finds nothing else to complain of.
    const mark = (word) => `-----${word} CERTIFICATE-----\n`;
  const pem = `${mark('BEGIN')}${shown.raw.toString('base64')}\n${mark('END')}`;
    const client = await connect(`wss://localhost:${server.port}/`, { ca: pem });
    client.send('trusted');
    assert.deepEqual(await client.received(1), ['trusted']);
    await client.close(1000);
  }
  assert.notEqual(seen[0], seen[1], 'each start makes another one');
});

test('a page on a self-signed server talks to it in Chromium', async (t) => {
  const server = await serve(t, ['cat'], ['--tls-self-signed']);
  const page = await openPage(t, server.url);
  const got = await page.evaluate((url) => new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.onopen = () => socket.send('hello');
    socket.onmessage = (event) => resolve(event.data);
    socket.onclose = (event) => resolve(event.code);
  }), server.ws());
  assert.equal(got, 'hello');
});

test('openssl and curl: versions, a session that goes on, and no other protocol than HTTP/1.1',
    async (t) => {
  // Two loops: a ticket of one is good on the other.
  const server = await echo(t, ['--tls-self-signed', '--threads=2']);
  const saved = path.join(t.directory(), 'session');
  const client = async (...args) => {
    const { stdout, stderr } = await run(t,
      ['s_client', '-connect', `127.0.0.1:${server.port}`, ...args],
      { file: '/usr/bin/openssl' });
    return stdout + stderr;
  };
  const first = await client('-tls1_2', '-sess_out', saved);
  assert.match(first, /New, TLSv1\.2, Cipher is ECDHE-ECDSA-AES128-GCM-SHA256/);
  assert.match(first, /Secure Renegotiation IS supported/);
  assert.match(first, /Compression: NONE/);
  for (let i = 0; i < 3;
    i++) assert.match(await client('-tls1_2', '-sess_in', saved), /Reused, TLSv1\.2/);
  assert.match(await client('-tls1_3', '-alpn', 'h2,http/1.1'), /ALPN protocol: http\/1\.1/);
  assert.match(await client('-tls1_3', '-alpn', 'h2'), /no application protocol/);
  const curl = async (...args) =>
    (await run(t, ['-sS', '-o', '/dev/null', '-w', '%{http_code} %{http_version}', ...args,
    server.url],
    { file: '/usr/bin/curl' }));
  assert.equal((await curl('-k')).stdout, '200 1.1');
  assert.equal((await curl('-k', '--tls-max', '1.1', '--tlsv1.0', '--ciphers',
    'DEFAULT@SECLEVEL=0')).code, 35);
  // One that does not trust the certificate: it says so, and so does the log.
  assert.equal((await curl()).code, 60);
  await server.said(/why="?the client does not trust the certificate/);
});

test('SIGHUP: new certificates for whoever comes, and nobody is dropped', async (t) => {
  const [old, fresh] = [certificate(t), certificate(t)];
  const server = await echo(t, files(old));
  const before = await fingerprintOf(t, server.port);
  const client = await connect(server.ws(), { rejectUnauthorized: false });
  copyFileSync(fresh.cert, old.cert);
  server.kill('SIGHUP');
  const failed = 'reloading the certificate on SIGHUP failed';
  await server.said(new RegExp(`${failed}.*key\\.pem: not the key of that certificate`));
  assert.equal(await fingerprintOf(t, server.port), before);
  copyFileSync(fresh.key, old.key);
  server.kill('SIGHUP');
  const [, logged] = await server.said(/certificate reloaded on SIGHUP.*sha256="?([0-9A-F:]{95})/);
  assert.equal(await fingerprintOf(t, server.port), logged);
  assert.notEqual(logged, before);
  client.send('still here');
  assert.deepEqual(await client.received(1), ['still here']);
  await client.close(1000);
});

// A parent that opens a terminal for the program, waits for its ready line there, and hangs up.
const terminal = `
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
seen = b''
while b'serving on' not in seen:
    seen += os.read(fd, 4096)
os.close(fd)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

test('a terminal that hangs up ends the server, though SIGHUP from others reloads', async (t) => {
  const log = path.join(t.directory(), 'log');
  const { code } = await run(t,
    ['-c', terminal, duplexPath, 'echo', onePort, ...files(certificate(t)), `--log-file=${log}`],
    { file: '/usr/bin/python3' });
  assert.match(readFileSync(log, 'utf8'), /ending on SIGHUP/);
  assert.equal(code, 0);
});

test('the environment and the configuration of OpenSSL change nothing', async (t) => {
  const directory = t.directory();
  const [config, keys] = ['openssl.cnf', 'keys'].map((name) => path.join(directory, name));
  writeFileSync(config,
    ['openssl_conf = all', '[all]', 'ssl_conf = ssl', 'providers = providers', '[providers]',
    'broken = broken',
    '[broken]', 'module = /nowhere.so', 'activate = 1', '[ssl]', 'system_default = weak', '[weak]',
      'MinProtocol = TLSv1',
    'CipherString = ALL:@SECLEVEL=0', 'Groups = P-521', 'Options = UnsafeLegacyRenegotiation',
      ''].join('\n'));
  const { ca } = authority(t);
  const server = await echo(t, files(certificate(t)),
    { env: { OPENSSL_CONF: config, SSLKEYLOGFILE: keys, SSL_CERT_FILE: ca,
    OPENSSL_MODULES: '/nowhere', OPENSSL_ENGINES: '/nowhere' } });
  const weak = { ciphers: 'ALL:@SECLEVEL=0' };
  await assert.rejects(shake(t, server.port,
    { ...weak, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }));
  await assert.rejects(shake(t, server.port,
    { ciphers: 'AES128-SHA:@SECLEVEL=0', maxVersion: 'TLSv1.2' }));
  await assert.rejects(shake(t, server.port, { ecdhCurve: 'P-521' }));
  const socket = await shake(t, server.port, { ecdhCurve: 'X25519' });
  assert.equal(socket.getProtocol(), 'TLSv1.3');
  assert.equal(existsSync(keys), false, 'no key is written down');
});

test('plain HTTP to a port for TLS: one answer in the clear, and a line of the log', async (t) => {
  const server = await echo(t, ['--tls-self-signed']);
  for (const method of ['GET', 'POST', 'OPTIONS', 'DELETE']) {
    const connection = await rawConnect(t, { port: server.port });
    const host = `127.0.0.1:${server.port}`;
    connection.send(`${method} / HTTP/1.1\r\nHost: ${host}\r\nX: ${'x'.repeat(5000)}\r\n\r\n`);
    const { status, headers, body } = await connection.response();
    assert.equal(status, 400);
    assert.equal(headers.connection, 'close');
    assert.equal(body, 'This port speaks TLS: use https or wss.\n');
  }
  await server.said(/why="?plain HTTP on a port for TLS/);
  const stranger = await rawConnect(t, { port: server.port });
  stranger.send('SSH-2.0-OpenSSH_9.2\r\n');
  await server.said(/why="?not a TLS handshake that this server accepts/);
  await server.isQuiet();
});

test('an idle TLS connection costs at most 16 KiB', async (t) => {
  const server = await echo(t, ['--tls-self-signed', '--ping-interval=0'],
    { file: plainDuplexPath });
  const open = async (count) => {
    for (let i = 0; i < count; i++) {
      const connection = await rawConnect(t, { port: server.port, isTls: true });
      connection.send(upgradeRequest('/', { Host: `127.0.0.1:${server.port}` }));
      assert.equal((await connection.response()).status, 101);
    }
    await pause(100);
    return residentBytes(server.pid) / 1024;
  };
  const few = await open(100);
  const many = await open(400);
  const each = (many - few) / 400;
  console.log(`${each.toFixed(1)} KiB resident for an idle TLS connection`);
  assert.ok(each <= 16, `${each} KiB each`);
});
