// --threads: several loops side by side. Also run with ThreadSanitizer.

import assert from 'node:assert/strict';

import { connect } from './support/clients.mjs';
import { echo, serve, test } from './support/program.mjs';

const many = (count, make) => Promise.all(Array.from({ length: count }, (_, index) => make(index)));

test('four threads serve a program to each of 40 visitors', async (t) => {
  const server = await serve(t, ['cat'], ['--threads=4']);
  const visitors = await many(40, () => connect(server.ws()));
  assert.equal(server.programs().length, 40);
  await many(40, async (index) => {
    for (let count = 1; count <= 20; count += 1) {
      visitors[index].send(`visitor ${index}, message ${count}`);
      assert.equal((await visitors[index].received(count))[count - 1],
        `visitor ${index}, message ${count}`);
    }
  });
  await many(40, async (index) => assert.equal((await visitors[index].close(1000)).code, 1000));
  await server.isQuiet();
});

test('visitors come and go on four threads', async (t) => {
  const server = await serve(t, ['echo', 'hello'], ['--threads=4']);
  for (let round = 0; round < 10; round += 1) {
    await many(20, async () => {
      const visitor = await connect(server.ws());
      assert.equal((await visitor.close()).code, 1000);
      assert.deepEqual(visitor.messages, ['hello']);
    });
  }
  await server.isQuiet();
});

for (const drain of ['0', '500ms']) {
  test(`four threads end together, --drain=${drain}`, async (t) => {
    const server = await echo(t, ['--threads=4', `--drain=${drain}`]);
    const visitors = await many(40, () => connect(server.ws()));
    await many(40, async (index) => {
      visitors[index].send(Buffer.alloc(100_000, index));
      await visitors[index].received(1);
    });
    await server.stop();
    await many(40, async (index) => assert.equal((await visitors[index].close()).code, 1001));
  });
}

test('four threads end while programs run', async (t) => {
  const server = await serve(t, ['sh', '-c', 'while :; do echo x; sleep 0.01; done'],
    ['--threads=4', '--ladder=50ms,50ms,50ms']);
  const visitors = await many(12, () => connect(server.ws()));
  await many(12, (index) => visitors[index].received(10));
  await server.stop();
  await many(12, async (index) => assert.equal((await visitors[index].close()).code, 1001));
});
