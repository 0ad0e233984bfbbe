// The limits with their one outcome each: sizes, counts and times.

import assert from 'node:assert/strict';

import { connect } from './support/clients.mjs';
import { eventually, within } from './support/time.mjs';
import { echo, serve, test } from './support/program.mjs';
import { closeFrame, frame, opcode, rawConnect, request, upgrade } from './support/raw.mjs';

const mebibyte = 1 << 20;

test('serve takes a message of 1 MiB and closes with 1009 at a byte more', async (t) => {
  const server = await serve(t, ['wc', '-c']);
  const fits = await connect(server.ws());
  fits.send('x'.repeat(mebibyte));
  const { connection } = await upgrade(t, server);
  connection.send(frame(opcode.text, 'x'.repeat(mebibyte + 1)));
  assert.equal((await connection.closeCode()).code, 1009);
  fits.socket.close(1000);
  assert.deepEqual(await fits.received(1), [String(mebibyte + 1)]);
});

test('--max-message counts the sum of the fragments, inclusive', async (t) => {
  const server = await serve(t, ['cat'], ['--max-message=10']);
  const fits = await upgrade(t, server);
  fits.connection.send(frame(opcode.text, '12345', { isFinal: false }),
    frame(opcode.continuation, '67890'));
  assert.equal((await fits.connection.message()).payload.toString(), '1234567890');
  const over = await upgrade(t, server);
  over.connection.send(frame(opcode.text, '12345', { isFinal: false }),
    frame(opcode.continuation, '678901'));
  assert.equal((await over.connection.closeCode()).code, 1009);
});

test('echo gives 16 MiB back and closes with 1009 at a byte more', async (t) => {
  const server = await echo(t);
  const client = await connect(server.ws(), { maxPayload: 32 * mebibyte });
  const message = Buffer.alloc(16 * mebibyte, 'duplex');
  client.send(message);
  assert.ok((await client.received(1))[0].equals(message));
  client.send(Buffer.alloc(16 * mebibyte + 1));
  assert.equal((await client.close()).code, 1009);
});

test('--max-fragments closes with 1008', async (t) => {
  const server = await echo(t, ['--max-fragments=3']);
  const { connection } = await upgrade(t, server);
  const parts = (count) => Array.from({ length: count }, (_, index) =>
    frame(index === 0 ? opcode.text : opcode.continuation, 'x', { isFinal: index === count - 1 }));
  connection.send(...parts(3));
  assert.equal((await connection.message()).payload.toString(), 'xxx');
  connection.send(...parts(4));
  assert.equal((await connection.closeCode()).code, 1008);
});

test('--max-programs: 503 with Retry-After until a place is free', async (t) => {
  const server = await serve(t, ['cat'], ['--max-programs=2']);
  const visitors = [await connect(server.ws()), await connect(server.ws())];
  const refused = await upgrade(t, server);
  assert.equal(refused.status, 503);
  assert.match(refused.headers['retry-after'], /^\d+$/);
  assert.equal(server.programs().length, 2);
  await visitors[0].close(1000);
  await eventually(() => server.programs().length === 1, 'its program has ended');
  await eventually(async () => (await upgrade(t, server)).status === 101, 'a place is free');
});

test('--max-connections: 503 above it', async (t) => {
  const server = await echo(t, ['--max-connections=2']);
  const visitors = [await connect(server.ws()), await connect(server.ws())];
  assert.equal((await upgrade(t, server)).status, 503);
  await visitors[0].close(1000);
  await eventually(async () => (await upgrade(t, server)).status === 101, 'a place is free');
});

test('--handshake-timeout ends a request that does not arrive', async (t) => {
  const server = await serve(t, ['cat'], ['--handshake-timeout=300ms']);
  for (const begin of ['', 'GET / HT']) {
    const connection = await rawConnect(t, server);
    if (begin !== '') connection.send(begin);
    // Single bytes do not prolong it.
    const drip = setInterval(() => connection.socket.write('T', () => {}), 100);
    t.after(() => clearInterval(drip));
    await within(eventually(async () => {
      connection.socket.resume();
      return connection.isClosed;
    }, 'the server ends the connection'), 'the end');
    clearInterval(drip);
  }
  assert.equal(server.programs().length, 0);
});

test('--message-timeout closes with 1008 in the middle of a message', async (t) => {
  const server = await echo(t, ['--message-timeout=300ms']);
  const { connection } = await upgrade(t, server);
  connection.send(frame(opcode.text, 'begun', { isFinal: false }));
  assert.equal((await connection.closeCode()).code, 1008);
});

test('--ping-interval asks; an answer keeps the connection, silence ends it', async (t) => {
  const server = await serve(t, ['sleep', '1000'],
    ['--ping-interval=100ms', '--pong-timeout=2s', '--ladder=0,0,0']);
  const answering = await upgrade(t, server);
  for (let count = 0; count < 10; count += 1) {
    const ping = await answering.connection.message();
    assert.equal(ping.opcode, opcode.ping);
    answering.connection.send(frame(opcode.pong, ping.payload));
  }
  const silent = await upgrade(t, server);
  assert.equal((await silent.connection.message()).opcode, opcode.ping);
  silent.connection.socket.resume();
  await eventually(() => silent.connection.isClosed, 'the silent one is given up');
});

test('--write-timeout gives up a client that takes nothing', async (t) => {
  const server = await serve(t, ['yes'], ['--write-timeout=2s', '--ladder=50ms,50ms,50ms']);
  const { connection } = await upgrade(t, server);
  assert.equal(server.programs().length, 1);
  await server.isQuiet();
  connection.destroy();
});

test('--close-timeout ends a connection whose client does not answer the Close', async (t) => {
  const server = await serve(t, ['true'], ['--close-timeout=300ms']);
  const { connection } = await upgrade(t, server);
  assert.equal((await connection.closeCode()).code, 1000);
  assert.equal(await within(connection.frame(), 'the end'), null);
  await server.isQuiet();
});

test("each of many pings gets its pong, and the others' echoes arrive", async (t) => {
  const server = await echo(t);
  const { connection } = await upgrade(t, server);
  const bystander = await connect(server.ws());
  for (let round = 0; round < 20; round += 1) {
    connection.send(...Array.from({ length: 10 },
      (_, index) => frame(opcode.ping, `${round}.${index}`)));
    for (let index = 0; index < 10; index += 1) {
      const pong = await connection.message();
      assert.deepEqual([pong.opcode, pong.payload.toString()], [opcode.pong, `${round}.${index}`]);
    }
    bystander.send(String(round));
    await bystander.received(round + 1);
  }
});

test('a header block that is too large gets 431', async (t) => {
  const server = await serve(t, ['cat']);
  const { status } = await request(t, server, '/', { headers: { 'X-Large': 'x'.repeat(100_000) } });
  assert.equal(status, 431);
});

test('1,000 connections come and go without a trace', async (t) => {
  const server = await serve(t, ['true']);
  for (let round = 0; round < 50; round += 1) {
    const visitors = await Promise.all(Array.from({ length: 20 }, () => connect(server.ws())));
    for (const visitor of visitors) assert.equal((await visitor.close()).code, 1000);
  }
  await server.isQuiet();
  const { connection } = await upgrade(t, server);
  connection.send(closeFrame(1000));
});
