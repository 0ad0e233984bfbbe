// The examples of clients: compiled from an installation that pkg-config finds, by gcc, clang and
// g++, and used as what they are, with npm's ws, `duplex` and servers of the library as their
// peers.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';

import { WebSocketServer } from 'ws';

import { certificate } from './support/certificate.mjs';
import { connect } from './support/clients.mjs';
import { installExamples, lineCount } from './support/installed.mjs';
import { isWaiting } from './support/processes.mjs';
import { echo, Program, root, serve, test } from './support/program.mjs';
import { eventually, within } from './support/time.mjs';

const { at, forEachCompiler } = installExamples(['client_*', 'echo']);
const names = readdirSync(path.join(root, 'examples'))
  .filter((name) => /^client_.*\.c$/.test(name));

test('ten clients have at most 63 lines each, beside blanks and comments', async () => {
  assert.equal(names.length, 10);
  for (const name of names) assert.ok(lineCount(name) > 15 && lineCount(name) <= 63,
    `${name}: ${lineCount(name)} lines`);
});

const program = (scope, name, args, options) => new Program(scope, at(name), args, options);
const piped = { stdio: ['pipe', 'pipe', 'pipe'] };

// npm's ws as the server: its sockets in the order in which they came, and when the next one comes.
class Peer {
  sockets = [];
  requests = [];

  constructor(scope, options = {}) {
    this.options = options;
    scope.after(() => this.end());
  }

  async listen(port = 0) {
    this.server = new WebSocketServer({ host: '127.0.0.1', port, maxPayload: 2 ** 30,
      ...this.options });
    this.server.on('connection', (socket, request) => {
      socket.heard = [];
      socket.closed = new Promise((resolve) => { socket.on('close', (code) => resolve(code)); });
      socket.on('message', (data, isBinary) =>
        socket.heard.push(isBinary ? data : data.toString()));
      socket.on('error', () => {});
      this.requests.push(request);
      this.sockets.push(socket);
    });
    await once(this.server, 'listening');
    this.port = this.server.address().port;
    this.url = `ws://127.0.0.1:${this.port}/`;
    return this;
  }

  async socket(index) {
    return eventually(() => this.sockets[index], `connection ${index}`);
  }

  async end() {
    for (const socket of this.server.clients) socket.terminate();
    await new Promise((resolve) => { this.server.close(resolve); });
  }
}

const peer = (scope, options) => new Peer(scope, options).listen();

async function endsWith(client, code) {
  assert.deepEqual(await within(client.ended, `${client.title} ends`), { code, signal: null });
  return client;
}

const most = (pid) =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
const hash = (data) => createHash('sha256').update(data).digest('hex');

forEachCompiler('client_hello', async (scope, name) => {
  const own = program(scope, name.replace('client_hello', 'echo'), ['127.0.0.1:0']);
  const url = (await own.said(/http:\/\/\S+\//))[0];
  const servers = [url, (await echo(scope)).ws(), (await serve(scope, ['cat'])).ws()];
  for (const server of servers)
    assert.equal((await endsWith(program(scope, name, [server, 'Grüße']), 0)).stdout, 'Grüße\n');

  const refused = await endsWith(program(scope, name, ['ws://127.0.0.1:1/', 'hello']), 1);
  assert.match(refused.stderr, /^client_hello: .*refused\n$/);
  assert.match((await endsWith(program(scope, name, ['ftp://127.0.0.1/', 'hello']), 1)).stderr,
    /cannot be opened/);

  const npm = await peer(scope);
  const client = program(scope, name, [npm.url, 'hello']);
  const socket = await npm.socket(0);
  await eventually(() => socket.heard.length === 1, 'it says hello');
  socket.send('good morning');
  await endsWith(client, 0);
  assert.equal(client.stdout, 'good morning\n');
  assert.equal(await socket.closed, 1000);
});

forEachCompiler('client_ticker', async (scope, name) => {
  const accepted = ['first', 'second'];
  const npm = await peer(scope, {
    verifyClient: ({ req }) =>
      accepted.includes(new URL(req.url, 'http://host').searchParams.get('token')),
  });
  const tokenPath = path.join(scope.directory(), 'token');
  writeFileSync(tokenPath, 'first\n');
  const client = program(scope, name, [`${npm.url}live`, tokenPath]);
  const first = await npm.socket(0);
  first.on('message', (data) => first.send(data.toString() === 'ping' ? 'pong' : 'what?'));
  first.send('one');
  await eventually(() => first.heard.length === 2, 'it pings'); // and nothing is shown of that
  first.send('two');
  await client.said(/two\n/, { on: 'stdout' });
  writeFileSync(tokenPath, 'second\n');
  first.terminate();
  await client.said(/reconnecting soon/);

  const second = await npm.socket(1); // which never answers a ping
  second.send('three');
  await client.said(/three\n/, { on: 'stdout' });
  writeFileSync(tokenPath, 'third\n');
  await client.said(/answer.*reconnecting soon/);
  await endsWith(client, 1);
  assert.match(client.stderr, /401.*giving up\n$/);
  assert.equal(client.stdout, 'one\ntwo\nthree\n');
  assert.deepEqual(npm.requests.map((request) => request.url),
    ['/live?token=first', '/live?token=second']);
});

forEachCompiler('client_outbox', async (scope, name) => {
  const npm = await peer(scope);
  const client = program(scope, name, [npm.url, '15']);
  const first = await npm.socket(0);
  await eventually(() => first.heard.length >= 3, 'some readings come');
  await npm.end();
  await client.said(/([5-9]|1\d) not sent/);
  await npm.listen(npm.port);
  await endsWith(client, 0);
  const heard = npm.sockets.flatMap((socket) => socket.heard)
    .map((text) => Number(text.replace('reading ', '')));
  assert.deepEqual([...new Set(heard)], Array.from({ length: 15 }, (_, index) => index + 1));
  assert.equal(await npm.sockets.at(-1).closed, 1000);
});

forEachCompiler('client_chunks', async (scope, name) => {
  const npm = await peer(scope);
  const file = path.join(scope.directory(), 'copy');
  const client = program(scope, name, [npm.url, file]);
  const socket = await npm.socket(0);
  const part = randomBytes(2 ** 20);
  const all = createHash('sha256');
  for (let count = 0; count < 48; count += 1) {
    all.update(part);
    await new Promise((resolve) => { socket.send(part, { fin: false }, resolve); });
  }
  assert.ok(most(client.pid) < 24 * 2 ** 20, `${most(client.pid)} bytes of memory`);
  socket.send('', { fin: true });
  await endsWith(client, 0);
  assert.equal(client.stdout, `${48 * 2 ** 20} bytes\n`);
  assert.equal(hash(readFileSync(file)), all.digest('hex'));

  const cut = program(scope, name, [npm.url, file]);
  const second = await npm.socket(1);
  await new Promise((resolve) => { second.send(part, { fin: false }, resolve); });
  second.terminate();
  await endsWith(cut, 1);
  assert.match(cut.stderr, /incomplete/);
  assert.equal(existsSync(file), false);
});

forEachCompiler('client_threads', async (scope, name) => {
  const npm = await peer(scope);
  const client = program(scope, name, [npm.url]);
  const socket = await npm.socket(0);
  await endsWith(client, 0);
  assert.equal(await socket.closed, 1000);
  const counts = new Map();
  for (const data of socket.heard) {
    const number = data.readInt32LE();
    counts.set(number, (counts.get(number) ?? 0) + 1);
  }
  assert.equal(socket.heard.length, 4000);
  // Each thread's in its order.
  assert.deepEqual([...counts.keys()], Array.from({ length: 1000 }, (_, index) => index + 1));
  assert.ok([...counts.values()].every((count) => count === 4));
  const refused = await endsWith(program(scope, name, ['ws://127.0.0.1:1/']), 1);
  assert.match(refused.stderr, /^not all was sent: .*refused/);
});

// A proxy that wants a password and knows CONNECT.
async function connectProxy(scope) {
  const server = http.createServer();
  server.on('connect', (request, socket, head) => {
    scope.after(() => socket.destroy());
    const login = Buffer.from('ada:s3cret').toString('base64');
    if (request.headers['proxy-authorization'] !== `Basic ${login}`) {
      socket.end('HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const [host, port] = request.url.split(':');
    const beyond = net.connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      beyond.write(head);
      socket.pipe(beyond).pipe(socket);
    });
    beyond.on('error', () => socket.destroy());
    socket.on('error', () => beyond.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.after(() => server.close());
  return server.address().port;
}

// A certificate for a client, signed by itself: who trusts it names it as its authority.
function identity(scope) {
  const directory = scope.directory();
  const [cert, key] = [path.join(directory, 'ada.pem'), path.join(directory, 'ada.key')];
  execFileSync('openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-subj', '/CN=Ada', '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { cert, key };
}

forEachCompiler('client_tls', async (scope, name) => {
  const { cert, key } = certificate(scope);
  const ada = identity(scope);
  const server = await echo(scope,
    [`--tls-cert=${cert}`, `--tls-key=${key}`, `--tls-client-ca=${ada.cert}`]);
  const agreed = await endsWith(program(scope, name, [server.ws(), cert, ada.cert, ada.key]), 0);
  assert.match(agreed.stdout, /^TLSv1\.3, TLS_\w+\n$/);

  const distrusted = await endsWith(program(scope, name, [server.ws(), ada.cert]), 1);
  assert.match(distrusted.stderr, /^wss:\/\/127\.0\.0\.1:\d+\/: TLS: .*certificate/);
  const unknown = await endsWith(program(scope, name, [server.ws(), cert]), 1);
  assert.match(unknown.stderr, /certificate/);
  const missing = await endsWith(program(scope, name,
    [server.ws(), path.join(scope.directory(), 'none')]), 1);
  assert.match(missing.stderr, /^client_tls: .*none/);

  const port = await connectProxy(scope);
  const through = (login) => program(scope, name, [server.ws(), cert, ada.cert, ada.key],
    { env: { https_proxy: `http://${login}127.0.0.1:${port}` } });
  assert.match((await endsWith(through('ada:s3cret@'), 0)).stdout, /^TLSv1\.3/);
  assert.match((await endsWith(through(''), 1)).stderr, /the proxy: .*credentials/);

  const picky = await peer(scope,
    { verifyClient: (info, answer) => answer(false, 451, 'for reasons', { Why: 'law' }) });
  const told = (await endsWith(program(scope, name, [picky.url]), 1)).stderr;
  assert.match(told, /: the server: .*451/);
  assert.match(told, /\n {2}Why: law\n/);
  assert.match(told, /for reasons$/);
});

forEachCompiler('client_mirror', async (scope, name) => {
  const npm = await peer(scope);
  const mirror = program(scope, name, [npm.url, '127.0.0.1:0']);
  const url = (await mirror.said(/http:\/\/\S+\//))[0].replace('http', 'ws');
  const origin = await npm.socket(0);
  const visitors = await Promise.all([1, 2, 3].map(() => connect(url)));
  visitors[0].send('from a visitor');
  await eventually(() => origin.heard.length === 1, 'the origin hears it');
  assert.deepEqual(origin.heard, ['from a visitor']);
  const big = randomBytes(300_000);
  origin.send('for everybody');
  origin.send(big);
  for (const visitor of visitors) assert.deepEqual(await visitor.received(2),
    ['for everybody', big]);

  origin.terminate();
  const again = await npm.socket(1); // within 5 s
  again.send('back');
  for (const visitor of visitors) assert.equal((await visitor.received(3))[2], 'back');
  again.close(1000);
  for (const visitor of visitors) assert.equal((await visitor.close()).code, 1001);
  await endsWith(mirror, 0);
});

forEachCompiler('client_embed_uv', async (scope, name) => {
  const npm = await peer(scope);
  for (const url of [npm.url, (await echo(scope)).ws()]) {
    const client = await endsWith(program(scope, name, [url, '4']), 0);
    assert.match(client.stdout, /^(\d+\.\d{3} ms\n){4}$/);
  }
  const client = program(scope, name, [npm.url, '1000']);
  const socket = await npm.socket(1);
  await within(once(socket, 'ping'), 'it pings');
  socket.close(1001);
  await endsWith(client, 1);
  assert.match(client.stderr, /before all pongs/);
});

forEachCompiler('client_embed_glib', async (scope, name) => {
  const server = await serve(scope, ['sed', '-u', 's/^/heard: /']);
  const client = program(scope, name, [server.ws()], piped);
  client.process.stdin.write('one\n');
  await client.said(/heard: one\n/, { on: 'stdout' });
  client.process.stdin.write('two\nthree\n');
  await client.said(/heard: three\n/, { on: 'stdout' });
  client.process.stdin.end();
  await endsWith(client, 0);
  assert.equal(client.stdout, 'heard: one\nheard: two\nheard: three\n');
  assert.equal(client.stderr, 'closed\n');
  const refused = await endsWith(program(scope, name, ['ws://127.0.0.1:1/'], piped), 1);
  assert.match(refused.stderr, /refused/);
});

forEachCompiler('client_embed_poll', async (scope, name) => {
  const npm = await peer(scope);
  const client = program(scope, name, [npm.url], piped);
  const socket = await npm.socket(0);
  const reason = once(socket, 'close').then(([, text]) => text.toString());
  const bytes = randomBytes(48 * 2 ** 20);
  socket.pause(); // what does not go away waits in the pipe, not in the client
  const written = new Promise((resolve) => { client.process.stdin.end(bytes, resolve); });
  await eventually(() => client.process.stdin.writableLength > 0 && socket._socket.bytesRead > 0,
    'it has begun');
  let looks = 0;
  await eventually(() => { looks = isWaiting(client.pid) ? looks + 1 : 0; return looks > 20; },
    'it waits');
  assert.ok(most(client.pid) < 16 * 2 ** 20, `${most(client.pid)} bytes of memory`);
  socket.resume();
  await written;
  await endsWith(client, 0);
  assert.equal(await reason, 'that was all');
  assert.equal(socket.heard.length, 1);
  assert.equal(hash(socket.heard[0]), hash(bytes));

  const cut = program(scope, name, [npm.url], piped);
  (await npm.socket(1)).terminate();
  await endsWith(cut, 1);
  assert.match(cut.stderr, /not everything arrived/);
});
