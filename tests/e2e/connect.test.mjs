// `duplex connect` in a pipe: what goes in and what comes out, in every form, and when it ends.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import path from 'node:path';

import { WebSocketServer } from 'ws';

import { certificate } from './support/certificate.mjs';
import { connect, openingServer, rawServer, serverFrame, startConnect,
  wsServer } from './support/connect.mjs';
import { connect as connectClient } from './support/clients.mjs';
import { residentBytes } from './support/processes.mjs';
import { Program, duplexPath, echo, serve, start, test } from './support/program.mjs';
import { eventually } from './support/time.mjs';

const ok = (stdout) => ({ code: 0, stdout, stderr: '' });

test('a line in is a message, a message is a line out', async (t) => {
  const server = await echo(t);
  assert.deepEqual(await connect(t, [server.ws()], { input: 'one\ntwo\r\n\nthree' }),
    ok('one\ntwo\n\nthree\n'));
});

test('100,000 lines go there and back without a loss', async (t) => {
  const server = await echo(t);
  const input = Array.from({ length: 100_000 }, (_, i) => `line ${i} ${'x'.repeat(i % 50)}\n`)
    .join('');
  const { code, stdout } = await connect(t, [server.ws()], { input });
  assert.equal(code, 0);
  assert.ok(stdout === input, `${stdout.length} of ${input.length} characters came back`);
  console.log('100000 lines each way');
});

test('a file on stdin through a program that answers at its end', async (t) => {
  const server = await serve(t, ['sort']);
  const file = path.join(t.directory(), 'lines');
  writeFileSync(file, Array.from({ length: 5000 }, (_, i) => `${99999 - i}\n`).join(''));
  const fd = openSync(file, 'r');
  const program = new Program(t, duplexPath, ['connect', server.ws()],
    { stdio: [fd, 'pipe', 'pipe'] });
  closeSync(fd);
  assert.deepEqual(await program.ended, { code: 0, signal: null });
  assert.equal(program.stdout,
    `${readFileSync(file, 'utf8').trimEnd().split('\n').sort().join('\n')}\n`);
});

test('nothing is lost that was written before the connection opened', async (t) => {
  const held = [];
  const server = createHttpServer();
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => server.close());
  server.on('upgrade', (...upgrade) => held.push(upgrade));
  const program = startConnect(t, [`ws://127.0.0.1:${server.address().port}/`]);
  program.process.stdin.end('early\n');
  await eventually(() => held.length === 1, 'the upgrade is asked for');
  const late = new WebSocketServer({ noServer: true });
  late.handleUpgrade(...held[0],
    (socket) => socket.on('message', (data) => socket.send(`late ${data}`)));
  assert.deepEqual(await program.ended, { code: 0, signal: null });
  assert.equal(program.stdout, 'late early\n');
});

test('a reply that is slow is waited for, as long as --linger says', async (t) => {
  const { url } = await wsServer(t, (socket) => {
    socket.on('message', () => { setTimeout(() => socket.send('slow'), 200); });
  });
  const { url: slower } = await wsServer(t, (socket) => {
    socket.on('message', () => { setTimeout(() => socket.send('slower'), 3000); });
  });
  assert.deepEqual(await connect(t, [url], { input: 'x\n' }), ok('slow\n'));
  assert.deepEqual(await connect(t, ['--linger=100ms', slower], { input: 'x\n' }), ok(''));
  assert.deepEqual(await connect(t, ['--linger=forever', '--timeout=2500ms', url],
    { input: 'x\n' }),
    { code: 8, stdout: 'slow\n',
      stderr: `duplex connect: ${url}: not done within 2500ms (--timeout=TIME gives more)\n` });
});

test('what comes between our Close and the answer is printed', async (t) => {
  const { url } = await openingServer(t, (socket) => {
    const message = 7; // bytes of "x", masked; the Close may come together with it
    let came = Buffer.alloc(0);
    socket.on('data', (data) => {
      came = Buffer.concat([came, data]);
      if (came[message] !== 0x88) return;
      socket.write(Buffer.concat([serverFrame(1, 'late'), serverFrame(1, 'later'),
        serverFrame(8, Buffer.from([3, 232]))]));
    });
  });
  assert.deepEqual(await connect(t, ['--linger=1ms', '--close-timeout=1m', url], { input: 'x\n' }),
    ok('late\nlater\n'));
});

test('--send, --expect and --match end it when what was expected has come', async (t) => {
  const server = await echo(t);
  const url = server.ws();
  assert.deepEqual(await connect(t, ['--send=a', '--send', 'b', '--expect=2', url]), ok('a\nb\n'));
  assert.deepEqual(await connect(t, ['--send=a', '--send=b', '--send=c', '--expect=1', url]),
    ok('a\n'));
  assert.deepEqual(await connect(t,
    ['--send=one', '--send=two', '--send=three', '--match=^t[aw]o$', url]), ok('one\ntwo\n'));
  assert.deepEqual(await connect(t, ['--match=o', '--expect=2', url],
    { input: 'one\nxxx\ntwo\nthree\n' }), ok('one\nxxx\ntwo\n'));
  assert.deepEqual(await connect(t, ['--send=', '--expect=1', url]), ok('\n'));
});

test('options stand before and behind the URL', async (t) => {
  const server = await echo(t);
  assert.deepEqual(await connect(t, [server.ws(), '--send=a', '--expect', '1']), ok('a\n'));
  assert.deepEqual(await connect(t, ['--send=a', '--expect=1', '--', server.http()]), ok('a\n'));
});

test('bytes: --binary, --hex, --base64 and -0', async (t) => {
  const server = await echo(t);
  const url = server.ws();
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const program = startConnect(t, ['--binary', url]);
  const chunks = [];
  program.process.stdout.removeAllListeners('data').setEncoding(null);
  program.process.stdout.on('data', (data) => chunks.push(Buffer.from(data, 'latin1')));
  program.process.stdout.setEncoding('latin1');
  program.process.stdin.end(bytes);
  assert.deepEqual(await program.ended, { code: 0, signal: null });
  assert.deepEqual(Buffer.concat(chunks), bytes);
  assert.deepEqual(await connect(t, ['--hex', url], { input: '00 ff\nDEADbeef\n' }),
    ok('00ff\ndeadbeef\n'));
  assert.deepEqual(await connect(t, ['--base64', url], { input: 'AP8=\n3q2+7w==\n' }),
    ok('AP8=\n3q2+7w==\n'));
  assert.deepEqual(await connect(t, ['-0', url], { input: 'two\nlines\0one\0' }),
    ok('two\nlines\0one\0'));
  assert.deepEqual(await connect(t, ['--null', '--send=a\nb', '--expect=1', url]), ok('a\nb\0'));
});

test('input that cannot be sent is an error with its place', async (t) => {
  const server = await echo(t);
  const url = server.ws();
  assert.deepEqual(await connect(t, ['--hex', url], { input: '00\n0g\n' }),
    { code: 1, stdout: '',
      stderr: 'duplex connect: stdin, message 2: no hexadecimal digits in pairs (write 00ff)\n' });
  assert.deepEqual(await connect(t, ['--base64', '--send=A', url]),
    { code: 1, stdout: '', stderr: 'duplex connect: --send: no base64 (write AP8=)\n' });
  assert.deepEqual(await connect(t, [url], { input: Buffer.from([0xff, 10]) }),
    { code: 1, stdout: '',
      stderr: 'duplex connect: stdin, message 1: not UTF-8 ' +
        '(use --binary, --hex or --base64 for bytes)\n' });
  assert.deepEqual(await connect(t, ['--max-message=10', url], { input: `${'x'.repeat(11)}\n` }),
    { code: 1, stdout: '',
      stderr: 'duplex connect: stdin, message 1: longer than --max-message\n' });
});

test('--json prints each event as an object a line', async (t) => {
  const { url } = await wsServer(t, (socket) => {
    socket.on('message', (data) => {
      socket.ping('are you there');
      socket.send(`"${data}"\n\u0085`);
      socket.send(Buffer.from([0, 255]), () => socket.close(4001, 'enough'));
    });
  });
  const { code, stdout } = await connect(t,
    ['--json', '--subprotocol=chat', '--send=x', '--ok-code=4001', url]);
  const events = stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.equal(code, 0);
  assert.doesNotMatch(stdout, /\u0085/);
  for (const event of events) assert.match(event.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(events.map(({ time, headers, ...event }) => event), [
    { event: 'open', url, protocol: 'chat' },
    { event: 'ping', data: 'are you there' },
    { event: 'message', type: 'text', data: '"x"\n\u0085' },
    { event: 'message', type: 'binary', base64: 'AP8=' },
    { event: 'close', code: 4001, reason: 'enough', clean: true },
  ]);
  assert.ok(events[0].headers.some(([name, value]) => name === 'Upgrade' && value === 'websocket'));
});

test('the request says what the options say', async (t) => {
  let request;
  const { url, port } = await wsServer(t, (socket, { headers, url: target }) => {
    request = { headers, target };
    socket.close();
  });
  const said = async (...args) => {
    assert.deepEqual(await connect(t, args, { input: '' }), ok(''));
    return request.headers;
  };
  let headers = await said('-H', 'X-One: 1', '-HX-Two:2', '--header=X-Three:  3 ',
    '--origin=https://example.org',
    '--cookie=a=1', '--cookie=b=2', '--user=me:pass word', `${url}chat?x=1`);
  assert.deepEqual([headers['x-one'], headers['x-two'], headers['x-three']], ['1', '2', '3']);
  assert.equal(headers.origin, 'https://example.org');
  assert.equal(headers.cookie, 'a=1; b=2');
  assert.equal(headers.authorization, `Basic ${Buffer.from('me:pass word').toString('base64')}`);
  assert.equal(headers['user-agent'], 'duplex/0.2.0');
  assert.equal(request.target, '/chat?x=1');
  headers = await said('--bearer=t0ken', url);
  assert.equal(headers.authorization, 'Bearer t0ken');
  headers = await said(`ws://na%40me:p%3ass@127.0.0.1:${port}/`);
  assert.equal(headers.authorization, `Basic ${Buffer.from('na@me:p:ss').toString('base64')}`);
  assert.equal(headers.host, `127.0.0.1:${port}`);
});

test('a name and password in the URL are never shown', async (t) => {
  for (const slashes of ['//', '///', '', '/\\', '\\\\']) {
    const { code, stdout, stderr } = await connect(t,
      ['-v', '--json', `ws:${slashes}me:secret@127.0.0.1:1/?://`]);
    assert.equal(code, 4, stderr);
    assert.match(stderr, /Connection refused/);
    assert.doesNotMatch(stdout + stderr, /secret/, slashes);
  }
});

test('-v shows the handshake and keeps secrets', async (t) => {
  const server = await echo(t);
  const { code, stdout, stderr } = await connect(t,
    ['-v', '--send=a', '--expect=1', '--user=me:secret', '-H', 'X-One: 1', server.ws()]);
  assert.deepEqual([code, stdout], [0, 'a\n']);
  const lines = stderr.trimEnd().split('\n');
  assert.equal(lines[0], '> GET / HTTP/1.1');
  for (const line of [`> Host: 127.0.0.1:${server.port}`, '> X-One: 1',
    '> Authorization: (not shown)', '< HTTP/1.1 101 Switching Protocols',
    '< Upgrade: websocket', `* connected to ${server.ws()}`,
      '* closed with 1000']) assert.ok(lines.includes(line), `${line} in ${stderr}`);
  assert.doesNotMatch(stderr, /secret|bWU6c2VjcmV0/);
});

test('-v shows the answer that refuses, harmless', async (t) => {
  const body = 'no \x1b[31mroom\x07\nhere';
  const { url } = await rawServer(t, (socket) => socket.once('data', () => socket.end(
    `HTTP/1.1 403 Forbidden\r\nX-Why: full\r\nContent-Length: ${body.length}\r\n\r\n${body}`)));
  const { code, stdout, stderr } = await connect(t, ['-v', url]);
  assert.deepEqual([code, stdout], [6, '']);
  assert.match(stderr, /< HTTP\/1\.1 403\n< X-Why: full\n< Content-Length: \d+\n/);
  assert.match(stderr, /< Content-Length: \d+\nno \\x1b\[31mroom\\x07\nhere\n/);
  assert.match(stderr, /duplex connect: ws:\S+: .*403.*\n$/);
});

test('--unix goes to a socket', async (t) => {
  const socket = path.join(t.directory(), 'socket');
  await start(t, ['echo', `--listen=unix:${socket}`]);
  assert.deepEqual(await connect(t,
    [`--unix=${socket}`, '--send=x', '--expect=1', 'ws://any.example/']), ok('x\n'));
});

test('--max-redirects follows', async (t) => {
  const server = await echo(t);
  const { url } = await rawServer(t, (socket) => socket.once('data', () => socket.end(
    `HTTP/1.1 302 Found\r\nLocation: ${server.ws('/there')}\r\nContent-Length: 0\r\n\r\n`)));
  assert.deepEqual(await connect(t, ['--max-redirects=1', '--send=x', '--expect=1', url]),
    ok('x\n'));
  assert.equal((await connect(t, ['--send=x', '--expect=1', url])).code, 6);
});

test('--on-open, --heartbeat-text and --heartbeat', async (t) => {
  const heard = [];
  const { url } = await wsServer(t, (socket) => {
    socket.on('message', (data) => {
      heard.push(data.toString());
      if (data.toString() === 'ping') socket.send('pong');
      if (heard.length === 3) socket.send('three');
    });
    socket.on('ping', () => socket.send('pinged'));
  });
  assert.deepEqual(await connect(t,
    ['--on-open=subscribe', '--heartbeat-text=ping/pong', '--heartbeat=500ms', '--expect=1', url]),
    ok('three\n'));
  assert.deepEqual(heard, ['subscribe', 'ping', 'ping']);
  assert.deepEqual(await connect(t, ['--heartbeat=500ms', '--expect=1', url]), ok('pinged\n'));
});

test('--reconnect goes on after a lost connection, with what was given meanwhile', async (t) => {
  let count = 0;
  const heard = [];
  const { url } = await wsServer(t, (socket) => {
    count += 1;
    const turn = count;
    socket.on('message', (data) => {
      heard.push(data.toString());
      if (turn === 1) socket.terminate();
      else if (data.toString() !== 'hello') socket.send(`got ${data}`);
    });
  });
  const program = startConnect(t, ['--reconnect', '--on-open=hello', '--expect=1', url]);
  await eventually(() => count === 2, 'it connects again');
  program.process.stdin.write('late\n');
  assert.deepEqual(await program.ended, { code: 0, signal: null });
  assert.equal(program.stdout, 'got late\n');
  assert.deepEqual(heard, ['hello', 'hello', 'late']);
});

test('--record writes both sides, --replay sends them again at their times', async (t) => {
  const server = await echo(t);
  const file = path.join(t.directory(), 'talk');
  const program = startConnect(t, [`--record=${file}`, server.ws()]);
  program.process.stdin.write('first "\u00e9"\n');
  await program.said(/first/, { on: 'stdout' });
  setTimeout(() => program.process.stdin.end('second\n'), 1000);
  await program.ended;
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ ms, ...line }) => line), ['first "\u00e9"', 'second']
    .flatMap((text) => [{ from: 'us', text }, { from: 'peer', text }]));
  const times = [];
  const { url } = await wsServer(t, (socket) => socket.on('message', (data) => {
    times.push(Date.now());
    socket.send(`again ${data}`);
  }));
  assert.deepEqual(await connect(t, [`--replay=${file}`, url]),
    ok('again first "\u00e9"\nagain second\n'));
  // The first may have been late.
  const gap = times[1] - times[0];
  assert.ok(gap >= (lines[2].ms - lines[0].ms) / 2, `${gap} ms between them`);
  writeFileSync(file, '{"ms":0,"from":"us","base64":"AP8="}\nnonsense\n');
  assert.deepEqual(await connect(t, [`--replay=${file}`, '--hex', server.ws()]),
    { code: 1, stdout: '', stderr: `duplex connect: ${file}: line 2 is none of --record\n` });
});

test('--listen waits for one client and refuses the others', async (t) => {
  const program = startConnect(t, ['--listen=127.0.0.1:0', '--on-open=welcome']);
  const [, url] = await program.said(/waiting on http(:\S+)\n/);
  const client = await connectClient(`ws${url}`);
  await assert.rejects(connectClient(`ws${url}`), /503/);
  assert.deepEqual(await client.received(1), ['welcome']);
  client.send('from the client');
  await program.said(/from the client\n/, { on: 'stdout' });
  program.process.stdin.write('to the client\n');
  assert.deepEqual(await client.received(2), ['welcome', 'to the client']);
  assert.equal((await client.close(1000)).code, 1000);
  assert.deepEqual(await program.ended, { code: 0, signal: null });
});

test('who reads slowly stops the server, and gets everything', async (t) => {
  const line = `${'y'.repeat(999)}\n`;
  let socketOfServer;
  const { url } = await wsServer(t, (socket) => {
    socketOfServer = socket;
    for (let i = 0; i < 60_000; i += 1) socket.send(line.trimEnd());
    socket.close();
  });
  // The answer to its Close is behind all of that.
  const program = startConnect(t, ['--close-timeout=1m', url]);
  program.process.stdin.end();
  program.process.stdout.pause();
  await eventually(() => socketOfServer !== undefined && socketOfServer.bufferedAmount > 1_000_000,
    'the server has to wait');
  const before = socketOfServer.bufferedAmount;
  await new Promise((resolve) => { setTimeout(resolve, 300); });
  assert.ok(socketOfServer.bufferedAmount > before / 2, 'the server still waits');
  assert.ok(residentBytes(program.pid) < 400e6);
  program.process.stdout.resume();
  assert.deepEqual(await program.ended, { code: 0, signal: null });
  assert.equal(program.stdout.length, 60_000 * line.length);
}, { timeout: 120_000 });

test('a message that is long on its way is waited for', async (t) => {
  const { url } = await openingServer(t, (socket) => {
    const pieces = 30;
    socket.write(Buffer.from([0x01, 1, 0x61]));
    let sent = 1;
    const timer = setInterval(() => {
      sent += 1;
      socket.write(Buffer.from([sent < pieces ? 0x00 : 0x80, 1, 0x61]));
      if (sent === pieces) clearInterval(timer);
    }, 50);
    socket.on('data', (data) => {
      if (data[0] === 0x88) socket.end(serverFrame(8, Buffer.from([3, 232]))); });
  });
  assert.deepEqual(await connect(t, ['--linger=1s', url], { input: '' }),
    ok(`${'a'.repeat(30)}\n`));
});

test('a message of 40 MB goes there and back', async (t) => {
  const server = await echo(t, ['--max-message=64M']);
  const input = `${'b'.repeat(40_000_000)}\n`;
  const { code, stdout } = await connect(t, ['--max-message=64M', server.ws()], { input });
  assert.equal(code, 0);
  assert.ok(stdout === input, `${stdout.length} characters came back`);
});

test('a server that does not read stops stdin', async (t) => {
  const { url } = await wsServer(t, (socket) => socket.pause());
  const program = startConnect(t, [url]);
  const chunk = `${'z'.repeat(65_535)}\n`;
  let written = 0;
  const { stdin } = program.process;
  for (;;) {
    written += chunk.length;
    if (!stdin.write(chunk)) {
      const more = await Promise.race([once(stdin, 'drain').then(() => true),
        new Promise((resolve) => { setTimeout(resolve, 1000, false); })]);
      if (!more) break;
    }
    assert.ok(written < 200e6, 'it takes without end');
  }
  assert.ok(residentBytes(program.pid) < 400e6);
  program.kill('SIGINT');
  assert.equal((await program.ended).code, 130);
});

test('the keys of TLS go to a file that others cannot read', async (t) => {
  const { cert, key } = certificate(t);
  const server = await echo(t, [`--tls-cert=${cert}`, `--tls-key=${key}`]);
  const file = path.join(t.directory(), 'keys');
  const url = server.ws().replace('127.0.0.1', 'localhost');
  assert.deepEqual(await connect(t,
    [`--ca=${cert}`, `--keylog=${file}`, '--send=x', '--expect=1', url]), ok('x\n'));
  assert.match(readFileSync(file, 'utf8'), /^CLIENT_HANDSHAKE_TRAFFIC_SECRET [0-9a-f]{64} /m);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(await connect(t, ['-k', '--send=x', '--expect=1', server.ws()]), ok('x\n'));
  assert.deepEqual(await connect(t,
    [`--ca=${cert}`, '--server-name=localhost', '--send=x', '--expect=1', server.ws()]), ok('x\n'));
  const { stderr } = await connect(t, ['-v', `--ca=${cert}`, '--send=x', '--expect=1', url]);
  assert.match(stderr, /^\* TLSv1\.3, TLS_/m);
});

test('a certificate of its own is shown when the server asks', async (t) => {
  const { cert, key } = certificate(t);
  const server = await echo(t,
    [`--tls-cert=${cert}`, `--tls-key=${key}`, `--tls-client-ca=${cert}`]);
  const trust = [`--ca=${cert}`, '--send=x', '--expect=1', server.ws()];
  assert.deepEqual(await connect(t, [`--cert=${cert}`, `--key=${key}`, ...trust]), ok('x\n'));
  assert.equal((await connect(t, trust)).code, 5);
});
