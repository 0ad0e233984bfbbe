// The exit status of `duplex connect`: each cause, and the one line that goes with it.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';

import { certificate } from './support/certificate.mjs';
import { acceptance, connect, openingServer, rawServer, serverFrame, startConnect,
  wsServer } from './support/connect.mjs';
import { echo, test } from './support/program.mjs';

const close = (code, reason = '') => serverFrame(8,
  Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]));

// Runs it and asserts its status, that stdout is empty, and the one line on stderr.
async function fails(t, args, code, line, options = { input: '' }) {
  const result = await connect(t, args, options);
  assert.equal(result.stdout, '');
  assert.match(result.stderr, /^duplex connect: [^\n]+\n$/);
  assert.match(result.stderr, line);
  assert.equal(result.code, code, result.stderr);
}

async function closedPort() {
  const server = net.createServer();
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const { port } = server.address();
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}

test('0: closed with 1000, 1001, without a code, or a code that is allowed', async (t) => {
  for (const code of [1000, 1001, undefined]) {
    const { url } = await wsServer(t, (socket) => socket.close(code));
    assert.deepEqual(await connect(t, [url], { input: '' }), { code: 0, stdout: '', stderr: '' });
  }
  const { url } = await wsServer(t, (socket) => socket.close(4242));
  assert.equal((await connect(t, ['--ok-code=4242', '--ok-code=4000', url], { input: '' }))
    .code, 0);
});

test('1: a file', async (t) => {
  const server = await echo(t);
  const directory = t.directory();
  const missing = path.join(directory, 'none', 'file');
  await fails(t, [`--record=${missing}`, server.ws()], 1,
    /none\/file: No such file or directory \(check the path\)/);
  await fails(t, [`--replay=${missing}`, server.ws()], 1,
    /--replay=.*: No such file or directory \(check the path\)/);
  await fails(t, [`--keylog=${missing}`, server.ws()], 1, /--keylog: No such file or directory/);
  await fails(t, [`--ca=${missing}`, server.ws()], 1, /--ca: /);
  await fails(t, [`--cert=${missing}`, `--key=${missing}`, server.ws()], 1,
    /--cert=.*: No such file/);
  const full = await connect(t, ['--record=/dev/full', '--send=x', '--expect=1', server.ws()]);
  assert.deepEqual([full.code, full.stderr],
    [1, 'duplex connect: /dev/full: No space left on device\n']);
  const busy = await echo(t);
  await fails(t, [`--listen=127.0.0.1:${busy.port}`], 1, /in use/);
});

test('1: stdout that nobody reads', async (t) => {
  const { url } = await wsServer(t, (socket) => {
    const timer = setInterval(() => socket.send('x'), 10);
    socket.on('close', () => clearInterval(timer));
  });
  const program = startConnect(t, ['--linger=forever', url]);
  program.process.stdin.end();
  program.process.stdout.destroy();
  assert.equal((await program.ended).code, 1);
  assert.equal(program.stderr,
    'duplex connect: stdout: Broken pipe (check where the output goes)\n');
});

test('1: a line that --record did not write', async (t) => {
  const server = await echo(t);
  const wrong = ['', '[]', '"us"', '{', '{"from":"us"}', '{"ms":0,"from":"us","text":1}',
    '{"ms":"0","from":"us","text":"a"}',
    '{"ms":-1,"from":"us","text":"a"}', '{"ms":1e300,"from":"us","text":"a"}',
      '{"from":"us","base64":"a"}',
    '{"from":"us","text":"\\ud800"}', '{"from":"us","text":"a"} x', `${'['.repeat(5000)}`];

  for (const [at, line] of wrong.entries()) {
    const file = path.join(t.directory(), `wrong${at}`);
    writeFileSync(file, `{"ms":0,"from":"peer","text":"x"}\n${line}\n`);
    await fails(t, [`--replay=${file}`, server.ws()], 1, /wrong\d+: line 2 is none of --record\n$/);
  }
});

test('2: what is no URL, and no proxy', async (t) => {
  const server = await echo(t);
  await fails(t, ['ftp://example.org/'], 2, /ftp:\/\/example\.org\/: not the URL of a WebSocket/);
  await fails(t, ['ws://a b/'], 2, /not the URL of a WebSocket/);
  await fails(t, ['ws://host:99999/'], 2, /not the URL of a WebSocket/);
  await fails(t, ['ws://host/#part'], 2, /not the URL of a WebSocket/);
  await fails(t, ['--proxy=gopher://x', server.ws()], 2, /--proxy: not a proxy \(write http:/);
  await fails(t, [server.ws()], 2, /all_proxy: not a proxy/,
    { input: '', env: { all_proxy: 'gopher://x' } });
});

test('3: a name that has no address', async (t) => {
  await fails(t, ['ws://name.invalid/'], 3, /name\.invalid: .* \(check the name and the network\)/);
});

test('4: nobody there, and a proxy that is not there or refuses', async (t) => {
  const port = await closedPort();
  await fails(t, [`ws://127.0.0.1:${port}/`], 4,
    /Connection refused \(check that the server runs there\)/);
  await fails(t, ['--unix=/nowhere/socket', 'ws://x/'], 4, /No such file|not/);
  await fails(t, [`--proxy=http://127.0.0.1:${port}`, 'ws://127.0.0.1:1/'], 4,
    /\(check --proxy and the environment/);
  const { port: refusing } = await rawServer(t,
    (socket) => socket.once('data',
    () => socket.end('HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n')));
  await fails(t, [`--proxy=http://127.0.0.1:${refusing}`, 'ws://127.0.0.1:1/'], 4,
    /\(check --proxy/);
});

test('5: TLS that fails, and a certificate that is not trusted', async (t) => {
  const { cert, key } = certificate(t);
  const server = await echo(t, [`--tls-cert=${cert}`, `--tls-key=${key}`]);
  await fails(t, [server.ws()], 5, /certificate.*\(--ca=FILE names whom to trust/);
  await fails(t, [`--ca=${cert}`, '--server-name=other.example', server.ws()], 5, /\(--ca=FILE/);
  const { port } = await rawServer(t, (socket) => socket.write('this is not TLS at all\r\n\r\n'));
  await fails(t, [`wss://127.0.0.1:${port}/`], 5, /does not speak TLS.*\(write ws:/);
});

test('6: any answer but 101', async (t) => {
  for (const [status, advice] of [[200, /check the path/], [301, /--max-redirects=N/],
      [401, /--user or --bearer/], [403, /check the path, --origin and the login; -v/],
      [404, /check the path; -v/], [421, /does not serve this host name; .*--host=NAME/],
      [429, /too many connections from this address/], [503, /full or restarting; -v/]]) {
    const { url } = await rawServer(t, (socket) => socket.once('data', () => socket.end(
      `HTTP/1.1 ${status} X\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n`)));
    await fails(t, [url], 6, new RegExp(`${status}.*${advice.source}`));
  }
});

test('6: a server that is full says when to come back', async (t) => {
  const { url } = await rawServer(t, (socket) => socket.once('data', () => socket.end(
    'HTTP/1.1 503 X\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n')));
  await fails(t, [url], 6, /503.*no room now; try again later, or let --reconnect try/);
  const full = await echo(t, ['--max-connections=1']);
  const first = startConnect(t, ['-v', full.ws()]);
  await first.said(/connected/);
  await fails(t, [full.ws()], 6, /503.*no room now/);
});

test('plain and TLS mixed up', async (t) => {
  const { cert, key } = certificate(t);
  const secure = await echo(t, [`--tls-cert=${cert}`, `--tls-key=${key}`]);
  await fails(t, [`ws://127.0.0.1:${secure.port}/`], 6,
    /speaks TLS: write wss:\/\/ in place of ws:\/\//);
  const plain = await echo(t);
  await fails(t, [`wss://127.0.0.1:${plain.port}/`], 5,
    /does not speak TLS on this port \(write ws:\/\/ in place of wss:\/\/\)/);
  const { url } = await rawServer(t, (socket) => socket.once('data', () => socket.destroy()));
  await fails(t, [url], 10, /if the port speaks TLS, write wss:/);
});

test('localhost is meant where no host is given', async (t) => {
  const { port } = await echo(t);
  for (const target of [`:${port}`, `${port}`, `localhost:${port}`, `:${port}/chat`,
      `127.0.0.1:${port}`]) {
    const result = await connect(t, ['--send=here', '--expect=1', target]);
    assert.deepEqual([result.code, result.stdout], [0, 'here\n'], target + result.stderr);
  }
});

test('7: a wrong 101, no HTTP, a bad frame, bad text, a message that is too long', async (t) => {
  const answers = [acceptance('AAAA'), 'hello there\r\n\r\n'];
  for (const answer of answers) {
    const { url } = await rawServer(t, (socket) => socket.once('data', () => socket.write(answer)));
    await fails(t, [url], 7, /\(check that a WebSocket server listens there\)/);
    await fails(t, ['--subprotocol=chat', url], 7,
      /\(check --subprotocol, and that a WebSocket server listens there\)/);
  }
  for (const bytes of [[0x81, 0x80, 0, 0, 0, 0], [0x83, 0], [0x81, 1, 0xff], [0xc1, 0]]) {
    const { url } = await openingServer(t, bytes);
    await fails(t, [url], 7, /the server is at fault/);
  }
  const { url } = await wsServer(t, (socket) => socket.send('x'.repeat(101)));
  await fails(t, ['--max-message=100', url], 7, /\(--max-message=SIZE allows more\)/);
});

test('8: --timeout, no answer to the upgrade in time, no answer to a heartbeat', async (t) => {
  const { url: mute } = await rawServer(t, () => {});
  await fails(t, ['--timeout=200ms', mute], 8,
    /not done within 200ms \(--timeout=TIME gives more\)/);
  await fails(t, ['--handshake-timeout=200ms', mute], 8,
    /\(check the server, or give --handshake-timeout more time\)/);
  const { url: deaf } = await openingServer(t, []);
  await fails(t, ['--heartbeat=100ms', '--linger=forever', deaf], 8,
    /\(check the network, or give --heartbeat more time\)/);
  await fails(t, ['--heartbeat=100ms', '--heartbeat-text=a/b', '--linger=forever', deaf], 8,
    /--heartbeat more time/);
});

test('9: closed normally before what was expected', async (t) => {
  const { url } = await wsServer(t, (socket) => socket.send('one', () => socket.close(1000)));
  const few = await connect(t, ['--expect=2', url], { input: '' });
  assert.deepEqual(few, { code: 9, stdout: 'one\n',
    stderr: `duplex connect: ${url}: closed after 1 of 2 expected messages ` +
      '(see --expect and --match)\n' });
  assert.equal((await connect(t, ['--match=two', url], { input: '' })).code, 9);
  assert.equal((await connect(t, ['--match=one', url], { input: '' })).code, 0);
  const { url: silent } = await wsServer(t, () => {});
  assert.equal((await connect(t, ['--expect=1', '--linger=50ms', silent], { input: '' })).code, 9);
});

test('10: lost without a Close', async (t) => {
  const { url } = await openingServer(t, (socket) => socket.end());
  await fails(t, [url], 10, /\(--reconnect tries again\)/);
  const { url: reset } = await openingServer(t, (socket) => socket.resetAndDestroy());
  await fails(t, [reset], 10, /\(--reconnect tries again\)/);
  const { url: early } = await rawServer(t, (socket) => socket.once('data', () => socket.end()));
  await fails(t, [early], 10, /closed the connection without an answer/);
});

test('10: a Close that is not answered in time; 0 when what was expected had come', async (t) => {
  const { url } = await openingServer(t, serverFrame(1, 'once'));
  const late = await connect(t, ['--close-timeout=300ms', '--linger=300ms', url], { input: '' });
  assert.deepEqual([late.code, late.stdout], [10, 'once\n']);
  assert.deepEqual(await connect(t, ['--close-timeout=100ms', '--expect=1', url], { input: '' }),
    { code: 0, stdout: 'once\n', stderr: '' });
});

test('11: closed with another code, whatever was expected', async (t) => {
  const { url } = await openingServer(t, (socket) => socket.end(close(4007, 'exit status 7')));
  await fails(t, [url], 11,
    /closed with 4007 exit status 7 \(--ok-code=4007 treats it as success\)/);
  await fails(t, ['--expect=1', url], 11, /closed with 4007/);
  const { url: sly } = await openingServer(t,
    (socket) => socket.end(close(4000, '\u001b[31mred\u202e')));
  await fails(t, [sly], 11, /closed with 4000 \\x1b\[31mred\\xe2\\x80\\xae/);
});

test('130: interrupted; 143: ended', async (t) => {
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]]) {
    let gone;
    const seen = new Promise((resolve) => { gone = resolve; });
    const { url } = await wsServer(t, (socket) => {
      socket.send('hello');
      socket.on('close', gone);
    });
    const program = startConnect(t, [url]);
    await program.said(/hello/, { on: 'stdout' });
    program.kill(signal);
    assert.deepEqual(await program.ended, { code, signal: null });
    assert.equal(program.stderr, '');
    assert.equal(await seen, 1000);
  }
  const { url } = await rawServer(t, () => {});
  const program = startConnect(t, ['-v', url]);
  await program.said(/> GET/);
  program.kill('SIGINT');
  assert.equal((await program.ended).code, 130);
});

test('-q says nothing, the status says it', async (t) => {
  assert.deepEqual(await connect(t, ['-q', `ws://127.0.0.1:${await closedPort()}/`], { input: '' }),
    { code: 4, stdout: '', stderr: '' });
});

test('--json tells the failure as an event, too', async (t) => {
  const { url } = await rawServer(t,
    (socket) => socket.once('data',
    () => socket.end('HTTP/1.1 403 X\r\nContent-Length: 4\r\n\r\nnope')));
  const { code, stdout } = await connect(t, ['--json', url], { input: '' });
  const [error, closed] = stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.equal(code, 6);
  assert.deepEqual([error.event, error.step, error.status, error.body],
    ['error', 'upgrade', 403, 'nope']);
  assert.deepEqual([closed.event, closed.code, closed.clean], ['close', 1006, false]);
});
