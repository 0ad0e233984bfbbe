// One side that does not read stops the other and costs little; neither hides that the other side
// has gone.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { isAlive, residentBytes } from './support/processes.mjs';
import { crowding, eventually, pause, within } from './support/time.mjs';
import { plainDuplexPath, serve, test } from './support/program.mjs';
import { frame, opcode, upgrade } from './support/raw.mjs';

const mebibyte = 1 << 20;
const lineLength = 1024;
const block = 1024; // lines a write

// Line N is N in 12 digits, then dots: each of its bytes can be foretold.
const writer = `
import os
left = ${1024 * mebibyte} // ${lineLength} // ${block}
number = 0
while left:
    numbers = range(number, number + ${block})
    lines = b''.join(b'%012d' % i + b'.' * ${lineLength - 13} + b'\\n' for i in numbers)
    while lines:
        lines = lines[os.write(1, lines):]
    number += ${block}
    left -= 1
`;

const written = (pid) => Number(/^wchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))[1]);

// Waits until the program's writing stands still; returns what it has written.
async function standsStill(pid) {
  let before = -1;
  return eventually(async () => {
    const now = written(pid);
    if (now > 0 && now === before) return now;
    before = now;
    await pause(300);
    return 0;
  }, 'the program is stopped by its client');
}

test('a client that reads nothing costs at most 2 MiB, then reads 1 GiB in order', async (t) => {
  const server = await serve(t, ['/usr/bin/python3', '-c', writer], ['--write-timeout=5m'],
    { file: plainDuplexPath });
  // One connection that comes and goes first, so that what the first one makes for ever is not
  // counted.
  const warm = await upgrade(t, server);
  await warm.connection.message();
  warm.connection.destroy();
  await server.isQuiet();
  const resident = () => residentBytes(server.pid) + residentBytes(server.spawner);
  const base = resident();

  const { connection } = await upgrade(t, server);
  const [program] = server.programs();
  const stopped = await standsStill(program);
  assert.ok(stopped < 64 * mebibyte, `stopped after ${stopped} bytes`);
  let peak = resident();

  const dots = Buffer.alloc(lineLength - 13, '.');
  const count = 1024 * mebibyte / lineLength;
  for (let number = 0; number < count; number += 1) {
    const { isFinal, opcode: kind, payload } = connection.nextFrame() ?? await connection.frame();
    if (kind === opcode.ping) {
      connection.send(frame(opcode.pong, payload));
      number -= 1;
      continue;
    }
    if (!isFinal || kind !== opcode.text || payload.length !== lineLength - 1 ||
        Number(payload.toString('latin1', 0, 12)) !== number ||
        !payload.subarray(12).equals(dots)) {
      const shown = payload.toString('latin1', 0, 40);
      assert.fail(`line ${number} came as ${shown}, ${payload.length} bytes`);
    }
    if (number % 100_000 === 0) peak = Math.max(peak, resident());
  }
  assert.equal((await connection.closeCode()).code, 1000);
  const cost = peak - base;
  console.log(`a client that does not read costs ${cost} bytes`);
  assert.ok(cost <= 2 * mebibyte, `${cost} bytes`);
}, { timeout: 180_000 });

test('a program that reads nothing stops its client', async (t) => {
  const server = await serve(t, ['sleep', '1000'], ['--ladder=50ms,50ms,50ms'],
    { file: plainDuplexPath });
  const base = residentBytes(server.pid);
  const { connection } = await upgrade(t, server);
  const message = frame(opcode.text, Buffer.alloc(65_536 - 8, 'x'));
  for (let count = 0; count < 1024; count += 1) connection.socket.write(message, () => {});
  let before = -1;
  const sent = await eventually(async () => {
    const now = connection.socket.bytesWritten - connection.socket.writableLength;
    if (now > 0 && now === before) return now;
    before = now;
    await pause(500);
    return 0;
  }, 'the client is stopped');
  assert.ok(sent < 32 * mebibyte, `${sent} of 64 MiB were taken`);
  const cost = residentBytes(server.pid) - base;
  assert.ok(cost <= 3 * mebibyte, `the server grew by ${cost} bytes`);
  connection.socket.resetAndDestroy();
  await server.isQuiet();
});

// Says when its stdin has lost its writer, even behind bytes that it does not read.
const watcher = `
import select, sys, time
print('ready', flush=True)
poll = select.poll()
poll.register(0, 0)
while not any(event & select.POLLHUP for _, event in poll.poll(10)):
    pass
open(sys.argv[1], 'w').write(str(time.time()))
time.sleep(1000)
`;

for (const [name, flood] of [['an empty stdin pipe', 0], ['a full stdin pipe', 64]]) {
  test(`with ${name} the client's end reaches the program within 100 ms`, async (t) => {
    const directory = t.directory();
    const server = await serve(t, ['/usr/bin/python3', '-c', watcher, path.join(directory, 'told')],
      ['--ladder=200ms,50ms,50ms']);
    const delays = [];
    for (let round = 0; round < 5; round += 1) {
      const { connection } = await upgrade(t, server);
      assert.equal((await connection.message()).payload.toString(), 'ready');
      const [program] = server.programs();
      const message = frame(opcode.text, Buffer.alloc(60_000, 'x'));
      for (let count = 0; count < flood; count += 1) connection.socket.write(message, () => {});
      if (flood > 0) await pause(300); // the pipe is full by then; earlier would only be easier
      const gone = Date.now() / 1000;
      connection.socket.resetAndDestroy();
      await eventually(() => !isAlive(program), 'the ladder ends the program');
      delays.push(Number(readFileSync(path.join(directory, 'told'), 'utf8')) - gone);
    }
    // The best of five: what the machine does besides must not count.
    assert.ok(Math.min(...delays) < 0.1 * crowding(), `told after ${delays} s`);
    await server.isQuiet();
  });
}

test('a client that does not read and goes ends its program', async (t) => {
  const server = await serve(t, ['yes'], ['--ladder=50ms,50ms,50ms']);
  const { connection } = await upgrade(t, server);
  const [program] = server.programs();
  await standsStill(program);
  connection.socket.resetAndDestroy();
  await eventually(() => !isAlive(program), 'the program has ended', 2000);
  await server.isQuiet();
});

test('a program that ends while its client does not read is still delivered whole', async (t) => {
  const server = await serve(t, ['seq', '-f', '%0100.0f', '1', '300000']);
  const { connection } = await upgrade(t, server);
  const [program] = server.programs();
  await standsStill(program);
  for (let number = 1; number <= 300_000; number += 1) {
    const { payload } = connection.nextFrame() ?? await connection.frame();
    if (Number(payload.toString()) !== number) assert.fail(`line ${number} came as ${payload}`);
  }
  assert.equal((await connection.closeCode()).code, 1000);
  await within(server.isQuiet(), 'quiet');
});
