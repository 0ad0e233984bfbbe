// What is a message to the program and what is one to the client: lines, binary, length.

import assert from 'node:assert/strict';

import { connect } from './support/clients.mjs';
import { serve, test } from './support/program.mjs';
import { frame, opcode, upgrade } from './support/raw.mjs';

const sh = (script) => ['sh', '-c', script];

const printed = [
  ['lines', String.raw`printf 'a\n\nb\r\nc\r\r\nd\rd\n'`, ['a', '', 'b', 'c\r', 'd\rd']],
  ['a last line without its newline', String.raw`printf 'one\nlast'`, ['one', 'last']],
  ['nothing', 'true', []],
  ['a lone newline', 'echo', ['']],
  ['NUL bytes', String.raw`printf 'a\000b\n'`, ['a\0b']],
  ['a code point in two writes', String.raw`printf '\344'; sleep 0.1; printf '\275\240\n'`, ['你']],
  ['bytes that are not UTF-8', String.raw`printf 'a\377b\n\300\200\n'`,
    ['a\ufffdb', '\ufffd\ufffd']],
  ['half a code point at the end', String.raw`printf 'a\344\275'`, ['a\ufffd']],
];

for (const [name, script, expected] of printed) {
  test(`a program prints ${name}`, async (t) => {
    const server = await serve(t, sh(script));
    const client = await connect(server.ws());
    assert.deepEqual(await client.close(), { code: 1000, reason: '', wasClean: true });
    assert.deepEqual(client.messages, expected);
    await server.isQuiet();
  });
}

test('a line of 5,000,000 bytes is one message', async (t) => {
  const server = await serve(t,
    sh(String.raw`head -c 5000000 /dev/zero | tr '\0' x; echo; echo end`));
  const client = await connect(server.ws());
  await client.close();
  assert.equal(client.messages.length, 2);
  assert.ok(client.messages[0] === 'x'.repeat(5_000_000));
  assert.equal(client.messages[1], 'end');
});

test('200,000 lines arrive whole and in order', async (t) => {
  const server = await serve(t, ['seq', '200000']);
  const client = await connect(server.ws());
  assert.equal((await client.close()).code, 1000);
  assert.equal(client.messages.length, 200_000);
  assert.ok(client.messages.every((message, index) => message === String(index + 1)));
});

test('--invalid-utf8=close ends the connection with 1011', async (t) => {
  const server = await serve(t, sh(String.raw`echo good; printf 'a\377b\n'; sleep 100`),
    ['--invalid-utf8=close']);
  const client = await connect(server.ws());
  const { code, wasClean } = await client.close();
  assert.deepEqual({ code, wasClean }, { code: 1011, wasClean: true });
  assert.deepEqual(client.messages, ['good']);
});

test('--invalid-utf8=replace logs one line a connection', async (t) => {
  const server = await serve(t,
    sh(String.raw`for i in 1 2 3; do printf '\377\n'; sleep 0.05; done`));
  const client = await connect(server.ws());
  await client.close();
  assert.deepEqual(client.messages, ['\ufffd', '\ufffd', '\ufffd']);
  await server.said(/UTF-8/);
  await server.stop();
  assert.equal(server.stderr.match(/UTF-8/g).length, 1);
});

const newlines = [
  ['keep', 'a\nb', ['a', 'b']],
  ['escape', 'a\nb\r\\', [String.raw`a\nb\r\\`]],
];

for (const [mode, sent, expected] of newlines) {
  test(`--newlines=${mode}: a newline inside a message`, async (t) => {
    const server = await serve(t, ['cat'], [`--newlines=${mode}`]);
    const client = await connect(server.ws());
    client.send(sent);
    client.send('end');
    assert.deepEqual(await client.received(expected.length + 1), [...expected, 'end']);
  });
}

test('--newlines=reject closes with 1003', async (t) => {
  const server = await serve(t, ['cat'], ['--newlines=reject']);
  const client = await connect(server.ws());
  client.send('fine');
  assert.deepEqual(await client.received(1), ['fine']);
  client.send('a\nb');
  assert.equal((await client.close()).code, 1003);
  assert.deepEqual(client.messages, ['fine']);
});

test('an empty message is an empty line', async (t) => {
  const server = await serve(t, ['cat', '-A']);
  const client = await connect(server.ws());
  client.send('');
  client.send('x');
  assert.deepEqual(await client.received(2), ['$', 'x$']);
});

test('a binary message to a program of lines closes with 1003', async (t) => {
  const server = await serve(t, ['cat']);
  const client = await connect(server.ws());
  client.send(Buffer.from('x'));
  assert.equal((await client.close()).code, 1003);
  assert.deepEqual(client.messages, []);
});

test('--flush-after sends a prompt that has no newline', async (t) => {
  const server = await serve(t, sh('printf "name? "; read name; echo "hello $name"'),
    ['--flush-after=100ms']);
  const client = await connect(server.ws());
  assert.deepEqual(await client.received(1), ['name? ']);
  client.send('老张');
  assert.deepEqual(await client.received(2), ['name? ', 'hello 老张']);
  await client.close();
});

test('without --flush-after a prompt waits for its newline', async (t) => {
  const server = await serve(t, sh('printf "name? "; read name; echo "hello $name"'));
  const client = await connect(server.ws());
  client.send('老张');
  await client.close();
  assert.deepEqual(client.messages, ['name? hello 老张']);
});

for (const option of ['--framing=binary', '--binary']) {
  test(`${option}: bytes both ways, a text message is its bytes`, async (t) => {
    const server = await serve(t, ['cat'], [option]);
    const client = await connect(server.ws());
    const bytes = Buffer.from([0, 255, 10, 13, 128]);
    client.send(bytes);
    client.send('老张');
    const expected = Buffer.concat([bytes, Buffer.from('老张')]);
    let seen = Buffer.alloc(0);
    for (let count = 1; seen.length < expected.length; count += 1) {
      seen = Buffer.concat(await client.received(count));
    }
    assert.deepEqual(seen, expected);
  });
}

test('--framing=length keeps borders and kinds both ways', async (t) => {
  // cat gives each record back as it came.
  const server = await serve(t, ['cat'], ['--framing=length']);
  const client = await connect(server.ws());
  const messages = ['one', '', '两\n行', Buffer.from([0, 1, 255]), Buffer.alloc(0),
    'x'.repeat(200_000)];
  for (const message of messages) client.send(message);
  assert.deepEqual(await client.received(messages.length), messages);
});

test('--framing=length: the record that a program reads', async (t) => {
  const server = await serve(t, sh('head -c 8 | od -An -tx1 >&2; sleep 100'),
    ['--framing=length', '--stderr=log']);
  const client = await connect(server.ws());
  client.send('abc');
  await server.said(/74 00 00 00 03 61 62 63/);
});

test('--framing=length: a program that breaks it closes with 1011', async (t) => {
  const server = await serve(t, sh('printf "nonsense"; sleep 100'), ['--framing=length']);
  const client = await connect(server.ws());
  assert.equal((await client.close()).code, 1011);
});

test('a fragmented message is one line', async (t) => {
  const server = await serve(t, ['cat']);
  const { connection, status } = await upgrade(t, server);
  assert.equal(status, 101);
  connection.send(frame(opcode.text, 'early ', { isFinal: false }));
  connection.send(frame(opcode.ping, 'between'));
  connection.send(frame(opcode.continuation, 'and late'));
  assert.deepEqual(await connection.message(),
    { isFinal: true, opcode: opcode.pong, payload: Buffer.from('between') });
  assert.deepEqual(await connection.message(),
    { opcode: opcode.text, payload: Buffer.from('early and late') });
});

test('messages that come with the handshake reach the program', async (t) => {
  const { rawConnect, upgradeRequest } = await import('./support/raw.mjs');
  const server = await serve(t, ['cat']);
  const connection = await rawConnect(t, server);
  connection.send(upgradeRequest('/', { Host: `127.0.0.1:${server.port}` }),
    frame(opcode.text, 'at once'));
  assert.equal((await connection.response()).status, 101);
  assert.equal((await connection.message()).payload.toString(), 'at once');
});
