// The library's client against other people's software: servers of four languages, nginx and
// haproxy with TLS in front, squid, tinyproxy and microsocks in between, with a password and
// without.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';

import { Server as Engine } from 'engine.io';
import WebSocketNode from 'websocket';
import { WebSocketServer } from 'ws';

import { certificate } from './support/certificate.mjs';
import { duplexPath, Program, test } from './support/program.mjs';
import { eventually } from './support/time.mjs';

const probe = path.join(path.dirname(duplexPath), 'tests/support/client-probe');

async function run(t, ...args) {
  const client = new Program(t, probe, args);
  const { code, signal } = await client.ended;
  assert.deepEqual({ code, signal, stderr: client.stderr }, { code: 0, signal: null, stderr: '' },
    client.stdout);
  return client.stdout.split('\n').slice(0, -1);
}

const listening = (server) => new Promise((resolve) => {
  server.listen(0, '127.0.0.1', () => resolve(server.address().port));
});

async function freePort() {
  const listener = net.createServer();
  const port = await listening(listener);
  await new Promise((resolve) => { listener.close(resolve); });
  return port;
}

const accepts = (port) => new Promise((resolve) => {
  const socket = net.connect(port, '127.0.0.1', () => {
    socket.destroy();
    resolve(true);
  });
  socket.on('error', () => resolve(false));
});

// An echo by npm's ws; what it was asked lies in `requests`.
async function echo(t, { tls, ...options } = {}) {
  const requests = [];
  const server = tls ? https.createServer({ cert: readFileSync(tls.cert),
    key: readFileSync(tls.key) }) : http.createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: true, ...options });
  sockets.on('connection', (socket, request) => {
    requests.push(request);
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    return new Promise((resolve) => { server.close(resolve); });
  });
  const port = await listening(server);
  return { port, url: `${tls ? 'wss' : 'ws'}://127.0.0.1:${port}/a?b=c`, requests };
}

const talk = ['--send=早上好', '--send=', '--binary=1000000'];
const answers = ['text 早上好', 'text ', 'binary 1000000', 'close 1000 clean'];

// ---- servers

test('npm ws: text, nothing and a megabyte, there and back', async (t) => {
  const { url, requests } = await echo(t);
  assert.deepEqual(await run(t, ...talk, url), ['open ', ...answers]);
  assert.equal(requests[0].url, '/a?b=c');
});

test('npm ws over TLS, its certificate verified', async (t) => {
  const tls = certificate(t);
  const { url } = await echo(t, { tls });
  assert.deepEqual(await run(t, `--ca=${tls.cert}`, ...talk, url), ['open ', ...answers]);
  assert.deepEqual(await run(t, `--ca=${certificate(t).cert}`, ...talk, url),
    ['error 4 DX_ERR_TLS 0 the certificate of 127.0.0.1 is not valid: self-signed certificate',
      'close 1006 unclean']);
});

test('npm ws: a subprotocol is agreed, and one that is not', async (t) => {
  const { url } = await echo(t,
    { handleProtocols: (offered) => (offered.has('chat') ? 'chat' : false) });
  assert.deepEqual(await run(t, '--subprotocol=chat', '--send=x', url),
    ['open chat', 'text x', 'close 1000 clean']);
  assert.deepEqual(await run(t, '--subprotocol=other', '--send=x', url),
    ['error 6 DX_ERR_PROTOCOL 0 the server accepts none of the offered subprotocols',
      'close 1006 unclean']);
});

test('npm ws: a refusal is told with its status and body', async (t) => {
  const { url } = await echo(t, { verifyClient: (_, done) => done(false, 403, 'not you') });
  const [error, body, ...rest] = await run(t, url);
  assert.equal(error, 'error 5 DX_ERR_REFUSED 403 the server answered 403 Forbidden');
  assert.equal(body, 'body not you');
  assert.deepEqual(rest, ['close 1006 unclean']);
});

test('npm websocket (WebSocket-Node)', async (t) => {
  const server = http.createServer();
  const sockets = new WebSocketNode.server({ httpServer: server, maxReceivedFrameSize: 2 ** 24,
    maxReceivedMessageSize: 2 ** 24 });
  sockets.on('request', (request) => {
    const connection = request.accept(request.requestedProtocols[0], request.origin);
    connection.on('message', (message) => {
      if (message.type === 'utf8') connection.sendUTF(message.utf8Data);
      else connection.sendBytes(message.binaryData);
    });
  });
  const port = await listening(server);
  t.after(() => {
    sockets.shutDown();
    return new Promise((resolve) => { server.close(resolve); });
  });
  assert.deepEqual(await run(t, '--subprotocol=echo', ...talk, `ws://127.0.0.1:${port}/`),
    ['open echo', ...answers]);
});

test("socket.io's engine as a plain WebSocket server", async (t) => {
  const server = http.createServer();
  const engine = new Engine({ transports: ['websocket'], pingInterval: 25_000 });
  engine.attach(server, { path: '/engine.io/' });
  engine.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${data}`)));
  const port = await listening(server);
  t.after(() => {
    engine.close();
    return new Promise((resolve) => { server.close(resolve); });
  });
  const lines = await run(t, '--send=4hello', '--count=2',
    `ws://127.0.0.1:${port}/engine.io/?EIO=4&transport=websocket`);
  assert.equal(lines[0], 'open ');
  assert.match(lines[1], /^text 0\{"sid":"/);
  assert.deepEqual(lines.slice(2), ['text 4echo hello', 'close 1000 clean']);
});

test('python3-websockets', async (t) => {
  const server = new Program(t, '/usr/bin/python3', ['-c', `
import asyncio, websockets
async def echo(socket, path=None):
    async for message in socket:
        await socket.send(message)
async def main():
    server = await websockets.serve(echo, '127.0.0.1', 0, subprotocols=['chat'], max_size=2**24)
    print('port', server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Future()
asyncio.run(main())
`]);
  const [, port] = await server.said(/port (\d+)\n/, { on: 'stdout' });
  assert.deepEqual(await run(t, '--subprotocol=chat', ...talk, `ws://127.0.0.1:${port}/`),
    ['open chat', ...answers]);
});

test('libwebsockets: its numbers count up', async (t) => {
  const port = await freePort();
  new Program(t, '/usr/bin/libwebsockets-test-server', ['-p', `${port}`, '-i', 'lo']);
  await eventually(() => accepts(port), 'libwebsockets listens');
  assert.deepEqual(await run(t, '--subprotocol=dumb-increment-protocol', '--count=3',
    `ws://127.0.0.1:${port}/`),
    ['open dumb-increment-protocol', 'text 0', 'text 1', 'text 2', 'close 1000 clean']);
});

test('a unix socket, whatever the host is', async (t) => {
  const server = http.createServer();
  const sockets = new WebSocketServer({ server });
  const file = path.join(t.directory(), 'socket');
  const hosts = [];
  sockets.on('connection', (socket, request) => {
    hosts.push(request.headers.host);
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await new Promise((resolve) => { server.listen(file, resolve); });
  t.after(() => new Promise((resolve) => { server.close(resolve); }));
  assert.deepEqual(await run(t, `--unix=${file}`, ...talk, 'ws://some.example/'),
    ['open ', ...answers]);
  assert.deepEqual(hosts, ['some.example']);
  assert.deepEqual(await run(t, `--unix=${file}.not`, 'ws://some.example/'),
    [`error 2 DX_ERR_CONNECT 0 unix:${file}.not: No such file or directory`, 'close 1006 unclean']);
});

// ---- in front, with TLS

function nginxConfig(directory, port, backend, { cert, key }) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${directory}/${name};`).join('\n');
  return `daemon off;\nmaster_process off;\npid ${directory}/pid;
error_log stderr;\nevents {}\nhttp {\naccess_log off;
${temporary}
server {
  listen 127.0.0.1:${port} ssl http2;
  ssl_certificate ${cert};
  ssl_certificate_key ${key};
  location / {
    proxy_pass http://127.0.0.1:${backend};
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
  }
  location /no { return 429 "slowly"; }
}
}\n`;
}

function haproxyConfig(directory, port, backend, { both }) {
  return `defaults\n  mode http\n  timeout connect 5s
  timeout client 30s\n  timeout server 30s\n  timeout tunnel 1m
frontend f\n  bind 127.0.0.1:${port} ssl crt ${both} alpn h2,http/1.1
  http-request return status 429 content-type text/plain string slowly if { path /no }
  default_backend b\nbackend b\n  server s 127.0.0.1:${backend}\n`;
}

const fronts = {
  nginx: { file: '/usr/sbin/nginx', config: nginxConfig, args: (file) => ['-c', file] },
  haproxy: { file: '/usr/sbin/haproxy', config: haproxyConfig,
    args: (file) => ['-db', '-f', file] },
};

for (const [name, { file, config, args }] of Object.entries(fronts)) {
  test(`${name} in front, with TLS`, async (t) => {
    const tls = certificate(t);
    const backend = await echo(t);
    const port = await freePort();
    const configFile = path.join(t.directory(), 'config');
    writeFileSync(configFile, config(path.dirname(configFile), port, backend.port, tls));
    new Program(t, file, args(configFile));
    await eventually(() => accepts(port), `${name} listens`);
    assert.deepEqual(await run(t, `--ca=${tls.cert}`, ...talk, `wss://localhost:${port}/`),
      ['open ', ...answers]);
    const [error, body] = await run(t, `--ca=${tls.cert}`, `wss://localhost:${port}/no`);
    assert.equal(error, 'error 5 DX_ERR_REFUSED 429 the server answered 429 Too Many Requests');
    assert.equal(body, 'body slowly');
  });
}

// ---- in between

// tinyproxy's configuration knows no other characters than these in a password.
const simple = ['user', 'secret'];
const rich = ['user', 'p:a@ss %'];

function startSquid(t, port, hasPassword) {
  const directory = t.directory();
  const users = path.join(directory, 'users');
  // It gives its privileges up, where it has some.
  chmodSync(directory, 0o755);
  const hash = execFileSync('openssl', ['passwd', '-apr1', rich[1]], { encoding: 'utf8' });
  writeFileSync(users, `${rich[0]}:${hash}`);
  const config = path.join(directory, 'squid.conf');
  const access = hasPassword
    ? `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${users}\nauth_param basic children 1
acl known proxy_auth REQUIRED\nhttp_access allow known\nhttp_access deny all\n`
    : 'http_access allow all\n';
  writeFileSync(config, `http_port 127.0.0.1:${port}
pid_filename none\naccess_log none\ncache_log /dev/null
cache deny all\nshutdown_lifetime 0 seconds\ncoredump_dir ${directory}\nnetdb_filename none
${access}`);
  return new Program(t, '/usr/sbin/squid', ['-N', '-f', config]);
}

function startTinyproxy(t, port, hasPassword) {
  const config = path.join(t.directory(), 'tinyproxy.conf');
  writeFileSync(config, `Port ${port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 10
LogLevel Critical\n${hasPassword ? `BasicAuth ${simple[0]} ${simple[1]}\n` : ''}`);
  return new Program(t, '/usr/bin/tinyproxy', ['-d', '-c', config]);
}

function startMicrosocks(t, port, hasPassword) {
  return new Program(t, '/usr/bin/microsocks',
    ['-i', '127.0.0.1', '-p', `${port}`, ...(hasPassword ? ['-u', rich[0], '-P', rich[1]] : [])]);
}

const proxies = {
  squid: { start: startSquid, schemes: ['http'],
    wants: 'error 3 DX_ERR_REFUSED 407 the proxy requires valid credentials' },
  tinyproxy: {
    start: startTinyproxy,
    password: simple,
    schemes: ['http'],
    wants: 'error 3 DX_ERR_REFUSED 407 the proxy requires valid credentials',
    refuses: 'error 3 DX_ERR_REFUSED 401 the proxy requires valid credentials',
  },
  microsocks: {
    start: startMicrosocks,
    schemes: ['socks5', 'socks5h'],
    wants:
      'error 3 DX_ERR_REFUSED 0 the proxy requires an authentication method that was not offered',
    refuses: 'error 3 DX_ERR_REFUSED 0 the proxy requires valid credentials',
  },
};

test('through squid behind TLS of its own, plain and with TLS inside TLS', async (t) => {
  const tls = certificate(t);
  const plain = await echo(t);
  const secure = await echo(t, { tls });
  const [inner, outer] = [await freePort(), await freePort()];
  startSquid(t, inner, true);
  const config = path.join(t.directory(), 'haproxy.cfg');
  writeFileSync(config, `defaults\n  mode tcp\n  timeout connect 5s
  timeout client 30s\n  timeout server 30s
listen l\n  bind 127.0.0.1:${outer} ssl crt ${tls.both}\n  server s 127.0.0.1:${inner}\n`);
  new Program(t, '/usr/sbin/haproxy', ['-db', '-f', config]);
  await eventually(async () => (await accepts(inner)) && accepts(outer),
    'squid and haproxy listen');
  const proxy = (password) =>
    `--proxy=https://${rich[0]}:${encodeURIComponent(password)}@localhost:${outer}`;
  for (const url of [plain.url, secure.url])
    assert.deepEqual(await run(t, proxy(rich[1]), `--ca=${tls.cert}`, ...talk, url),
      ['open ', ...answers]);
  assert.deepEqual(await run(t, proxy('wrong'), `--ca=${tls.cert}`, secure.url),
    ['error 3 DX_ERR_REFUSED 407 the proxy requires valid credentials', 'close 1006 unclean']);
  assert.deepEqual(await run(t, proxy(rich[1]), `--ca=${certificate(t).cert}`, secure.url),
    ['error 3 DX_ERR_TLS 0 the certificate of localhost is not valid: self-signed certificate',
      'close 1006 unclean']);
});

for (const [name, { start, schemes, wants, refuses = wants,
    password = rich }] of Object.entries(proxies)) {
  test(`through ${name}, without a password, plain and with TLS inside`, async (t) => {
    const tls = certificate(t);
    const plain = await echo(t);
    const secure = await echo(t, { tls });
    const port = await freePort();
    start(t, port, false);
    await eventually(() => accepts(port), `${name} listens`);
    for (const scheme of schemes) {
      const proxy = `--proxy=${scheme}://127.0.0.1:${port}`;
      assert.deepEqual(await run(t, proxy, ...talk, plain.url), ['open ', ...answers]);
      assert.deepEqual(await run(t, proxy, `--ca=${tls.cert}`, ...talk,
        secure.url.replace('127.0.0.1', 'localhost')),
        ['open ', ...answers]);
      const [gone] = await run(t, proxy, `ws://127.0.0.1:${await freePort()}/`);
      assert.match(gone, /^error 3 DX_ERR_REFUSED (0|50[0-9]) the (proxy|target) /);
    }
  });

  test(`through ${name}, with a password`, async (t) => {
    const plain = await echo(t);
    const port = await freePort();
    start(t, port, true);
    await eventually(() => accepts(port), `${name} listens`);
    for (const scheme of schemes) {
      assert.deepEqual(await run(t,
        `--proxy=${scheme}://${password.map(encodeURIComponent).join(':')}@127.0.0.1:${port}`,
        ...talk, plain.url),
        ['open ', ...answers]);
      assert.deepEqual(await run(t, `--proxy=${scheme}://127.0.0.1:${port}`, plain.url),
        [wants, 'close 1006 unclean']);
      assert.deepEqual(await run(t, `--proxy=${scheme}://user:wrong@127.0.0.1:${port}`, plain.url),
        [refuses, 'close 1006 unclean']);
    }
    assert.equal(plain.requests.length, schemes.length);
  });
}
