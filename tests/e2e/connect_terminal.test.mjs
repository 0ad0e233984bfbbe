// `duplex connect` on a terminal: editing, history, completion, colours, and nothing that the peer
// sends drives it.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { acceptance, acceptOf, connect, rawServer, typeConnect,
  wsServer } from './support/connect.mjs';
import { descendants } from './support/processes.mjs';
import { echo, test } from './support/program.mjs';
import { eventually } from './support/time.mjs';

const said = (program, pattern) => program.said(pattern, { on: 'stdout' });

async function opened(t, args, options) {
  const program = typeConnect(t, args, options);
  await said(program, /\* connected to /);
  return program;
}

test('a line is sent, what comes is shown, ^D closes', async (t) => {
  const server = await echo(t);
  const program = await opened(t, [server.ws()]);
  program.type('hello\r');
  await said(program, /\n> \r\x1b\[J\x1b\[36m< \x1b\[0mhello\r\n/);
  program.type('\x04');
  assert.equal((await program.ended).code, 0);
  assert.match(program.stdout, /\* closed with 1000/);
});

test('what comes while a line is typed stands above it, and the line goes on', async (t) => {
  let socket;
  const heard = [];
  const { url } = await wsServer(t, (found) => {
    socket = found;
    socket.on('message', (data) => heard.push(data.toString()));
  });
  const program = await opened(t, [url]);
  program.type('half a');
  await said(program, /half a$/);
  socket.send('in between');
  await said(program, /< \x1b\[0min between\r\n> half a$/);
  program.type(' line\r');
  await eventually(() => heard.length === 1, 'the line is sent');
  assert.deepEqual(heard, ['half a line']);
  const long = 'long '.repeat(30);
  program.type(long);
  await said(program, /long $/);
  socket.send('above');
  await said(program, /\x1b\[1A\r\x1b\[J\x1b\[36m< \x1b\[0mabove\r\n/);
});

test('keys edit, and the history lasts in a file for its owner alone', async (t) => {
  const heard = [];
  const { url } = await wsServer(t, (socket) => socket.on('message', (data) => {
    heard.push(data.toString());
    socket.send(`got ${data}`);
  }));
  const home = t.directory();
  const first = await opened(t, [url], { env: { HOME: home } });
  first.type('abd\x7fc\x01X\x05Y\r'); // backspace, ^A, ^E
  await said(first, /got XabcY/);
  first.type(' not remembered\r');
  await said(first, /got  not/);
  first.type('\u00e9\u4e16\x7f\u754c\r');
  await said(first, /got \u00e9\u754c/);
  first.type('\x04');
  await first.ended;
  const file = path.join(home, 'state', 'duplex', 'history');
  assert.equal(readFileSync(file, 'utf8'), 'XabcY\n\u00e9\u754c\n');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(path.dirname(file)).mode & 0o777, 0o700);
  const second = await opened(t, [url], { env: { HOME: home } });
  second.type('\x1b[A\x1b[A\r'); // the line before the last
  await eventually(() => heard.length === 4, 'the old line is sent again');
  assert.equal(heard[3], 'XabcY');
});

test('a long history keeps its last thousand lines', async (t) => {
  const server = await echo(t);
  const home = t.directory();
  const file = path.join(home, 'state', 'duplex', 'history');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, Array.from({ length: 2500 }, (_, i) => `line ${i}\n`).join(''));
  const program = await opened(t, [server.ws()], { env: { HOME: home } });
  program.type('\x1b[A\r');
  await said(program, /< \x1b\[0mline 2499/);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  assert.equal(lines.length, 1001);
  assert.equal(lines[0], 'line 1500');
});

test('commands: /ping, /hex, /binary, /base64, /text, //, /help, /close', async (t) => {
  const server = await echo(t);
  const program = await opened(t, [server.ws()]);
  const file = path.join(t.directory(), 'bytes');
  writeFileSync(file, Buffer.from([1, 2, 3]));
  program.type('/ping abc\r');
  await said(program, /\* pong after \d+\.\d ms: abc/);
  program.type('/hex 00 1b ff\r');
  await said(program, /binary, 3 bytes:\r\n {2}00 1b ff\r\n/);
  program.type(`/binary @${file}\r`);
  await said(program, /binary, 3 bytes:\r\n {2}01 02 03\r\n/);
  program.type('/base64 AAE=\r');
  await said(program, /binary, 2 bytes:\r\n {2}00 01\r\n/);
  program.type('/binary xy\r');
  await said(program, /binary, 2 bytes:\r\n {2}78 79\r\n/);
  program.type('/text plain\r');
  await said(program, /< \x1b\[0mplain\r\n/);
  program.type('//not a command\r');
  await said(program, /< \x1b\[0m\/not a command\r\n/);
  for (const [typed, answer] of [['/nonsense', /\/nonsense: no such command/],
    ['/hex 0', /digits in pairs/], ['/base64 !', /no base64/],
    ['/binary @/nowhere', /\/nowhere: No such file/], ['/close 99999', /write \/close/],
    ['/close 1005', /a code is 1000 or 3000 to 4999/],
        [`/close 1000 ${'x'.repeat(124)}`, /at most 123 bytes/], ['/help', /\/\/\.\.\. +send/]]) {
    program.type(`${typed}\r`);
    await said(program, answer);
  }
  program.type('/close 3001 bye\r');
  assert.equal((await program.ended).code, 0);
  assert.match(program.stdout, /\* closed with 3001/);
});

test('the tabulator completes commands and files', async (t) => {
  const server = await echo(t);
  const directory = t.directory();
  writeFileSync(path.join(directory, 'payload.bin'), 'q');
  const program = await opened(t, [server.ws()]);
  program.type('/pi\tX\r');
  await said(program, /\* pong after [^\n]*: X/);
  program.type('/b\t');
  await said(program, /\/base64 {2}\/binary\r\n/);
  program.type(`i\t@${directory}/pay\t\r`);
  await said(program, /binary, 1 byte:\r\n {2}71\r\n/);
});

test('nothing that the peer sends drives the terminal', async (t) => {
  const evil = '\x1b[2J\x1b]0;title\x07 \u009b31m \u202e \r over\b\x7f';
  const { url } = await wsServer(t, (socket) => {
    socket.send(evil);
    socket.send(JSON.stringify({ text: `${evil}` }).replace('over', '\u009b'));
    socket.ping('\x1b[5n');
    socket.close(4000, '\x1b[31mreason');
  });
  const program = typeConnect(t, [url]);
  assert.equal((await program.ended).code, 11);
  const own = program.stdout.replace(/\x1b\[(\d*[ABCDGJK]|[0-9;]*m|\?\d+[hl])/g, '')
    .replace(/\r\n|\r(?=> |$)/g, '');
  assert.doesNotMatch(own.replace(/\r/g, ''), /[\x00-\x09\x0b-\x1f\x7f\u0080-\u009f\u202e]/);
  assert.match(program.stdout,
    /\\x1b\[2J\\x1b\]0;title\\x07 \\xc2\\x9b31m \\xe2\\x80\\xae \\x0d over\\x08\\x7f/);
  assert.match(program.stdout, /\* ping: \\x1b\[5n/);
  assert.match(program.stdout, /closed with 4000 \\x1b\[31mreason/);
});

test('JSON is laid out, in colours that NO_COLOR and a dumb terminal take away', async (t) => {
  const { url } = await wsServer(t, (socket) => {
    socket.send('{"a":[1,{}],"b":"x","c":null}');
    socket.send('{"broken":');
    socket.close();
  });
  const shown = async (env) => {
    const program = typeConnect(t, [url], { env });
    assert.equal((await program.ended).code, 0);
    return program.stdout;
  };
  const plain = '{\r\n  "a": [\r\n    1,\r\n    {}\r\n  ],\r\n  "b": "x",\r\n  "c": null\r\n}\r\n';
  const coloured = await shown({});
  assert.match(coloured, /\x1b\[36m"a"\x1b\[0m: \[\r\n {4}\x1b\[33m1\x1b\[0m,/);
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
    const text = await shown(env);
    assert.ok(text.includes(`< ${plain}`), text);
    assert.ok(text.includes('< {"broken":\r\n'));
    assert.doesNotMatch(text, /\x1b\[[0-9;]*m/);
  }
});

test('a line typed before the connection opens is sent', async (t) => {
  const held = [];
  const server = await rawServer(t, (socket) => held.push(socket));
  const program = typeConnect(t, ['-v', server.url]);
  await said(program, /> GET/);
  program.type('early\r');
  await said(program, /> early\r\n/);
  const head = (await eventually(() => held[0]?.read(), 'the request comes')).toString();
  const [, key] = /^Sec-WebSocket-Key: (\S+)/mi.exec(head);
  let got = Buffer.alloc(0);
  held[0].on('data', (data) => { got = Buffer.concat([got, data]); });
  held[0].write(acceptance(acceptOf(key)));
  await eventually(() => got.length >= 11, 'the line comes');
  assert.equal(Buffer.from(got.subarray(6, 11).map((byte, at) => byte ^ got[2 + at % 4]))
    .toString(), 'early');
});

test('^Z stops it, and it goes on with the line; a narrower terminal is noticed', async (t) => {
  let socket;
  const { url } = await wsServer(t, (found) => {
    socket = found;
    socket.on('message', (data) => socket.send(`got ${data}`));
  });
  const program = await opened(t, [url]);
  const [child] = descendants(program.pid);
  const state = () => readFileSync(`/proc/${child}/stat`, 'utf8').split(') ')[1][0];
  program.type('half');
  await said(program, /half$/);
  program.type('\x1a');
  await eventually(() => state() === 'T', 'it is stopped');
  process.kill(child, 'SIGCONT');
  await said(program, /half[^]*half$/);
  program.type(' line\r');
  await said(program, /got half line\r\n/);
  program.kill('SIGUSR1'); // 40 columns
  program.type('x'.repeat(60));
  await said(program, /x{20}$/);
  socket.send('above');
  await said(program, /\x1b\[1A\r\x1b\[J\x1b\[36m< \x1b\[0mabove\r\n/);
});

test('^C ends with 130, and the terminal is as it was', async (t) => {
  const server = await echo(t);
  const program = await opened(t, [server.ws()]);
  program.type('half\x03');
  assert.equal((await program.ended).code, 130);
});

test('with --json what is typed is sent, and events are shown as objects', async (t) => {
  const server = await echo(t);
  const program = typeConnect(t, ['--json', server.ws()]);
  await said(program, /"event":"open"/);
  program.type('x\r');
  await said(program, /\{"time":"[^"]+","event":"message","type":"text","data":"x"\}\r\n/);
});

test('stdout alone on a terminal: shown as for people, without a prompt', async (t) => {
  const server = await echo(t);
  const program = typeConnect(t, ['--send=\x1b[31m', '--expect=1', server.ws()]);
  assert.equal((await program.ended).code, 0);
  assert.equal(program.stdout, '\\x1b[31m\r\n');
  const piped = await connect(t, ['--send=\x1b[31m', '--expect=1', server.ws()]);
  assert.equal(piped.stdout, '\x1b[31m\n'); // a pipe gets what was sent
});
