// How the server ends, and that nothing of it is left whichever way it does.

import assert from 'node:assert/strict';

import { connect } from './support/clients.mjs';
import { commandLine, descendants, isAlive } from './support/processes.mjs';
import { eventually, within } from './support/time.mjs';
import { echo, serve, test } from './support/program.mjs';

const stubborn = ['bash', '-c', 'trap "" INT TERM HUP; echo ready; while :; do sleep 0.1; done'];

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal}: Close 1001, end of file to the programs, status 0`, async (t) => {
    const server = await serve(t, ['sh', '-c', 'echo ready; cat >/dev/null; exit 0']);
    const visitors = [await connect(server.ws()), await connect(server.ws())];
    for (const visitor of visitors) await visitor.received(1);
    await server.stop(signal, 0);
    for (const visitor of visitors) {
      const { code, wasClean } = await visitor.close();
      assert.deepEqual({ code, wasClean }, { code: 1001, wasClean: true });
    }
  });

  test(`${signal} with a program that ignores it: the ladder ends it, status 0`, async (t) => {
    const server = await serve(t, stubborn, ['--ladder=50ms,50ms,50ms']);
    const visitor = await connect(server.ws());
    await visitor.received(1);
    await server.stop(signal, 0);
    assert.equal((await visitor.close()).code, 1001);
  });
}

for (const [first, second, status] of [['SIGTERM', 'SIGTERM', 143], ['SIGINT', 'SIGINT', 130],
    ['SIGTERM', 'SIGINT', 130]]) {
  test(`${second} after ${first} kills the programs and ends with ${status}`, async (t) => {
    const server = await serve(t, stubborn, ['--ladder=1m,1m,1m']);
    const visitor = await connect(server.ws());
    await visitor.received(1);
    const family = descendants(server.pid);
    server.kill(first);
    await visitor.close();
    server.kill(second);
    assert.deepEqual(await within(server.ended, 'the server ends'), { code: status, signal: null });
    await eventually(() => !family.some(isAlive), 'nothing is left', 1000);
  });
}

test('--drain spreads the Closes over its time', async (t) => {
  const server = await echo(t, ['--drain=2s']);
  const visitors = await Promise.all(Array.from({ length: 20 }, () => connect(server.ws())));
  const begin = performance.now();
  const ends = visitors.map(async (visitor) => {
    const { code } = await visitor.close();
    assert.equal(code, 1001);
    return performance.now() - begin;
  });
  await server.stop('SIGTERM', 0);
  const at = await Promise.all(ends);
  assert.ok(Math.max(...at) - Math.min(...at) > 200,
    `from ${Math.min(...at)} to ${Math.max(...at)} ms`);
});

test('echo ends with 1001 and status 0', async (t) => {
  const server = await echo(t);
  const visitor = await connect(server.ws());
  await server.stop('SIGTERM', 0);
  assert.equal((await visitor.close()).code, 1001);
});

// A program that does what daemons and stubborn programs do to stay.
const clinging = String.raw`
trap '' INT TERM HUP PIPE
setsid -f bash -c 'trap "" INT TERM HUP PIPE; exec 0<&- 1>&- 2>&-; exec sleep 1001'
(setsid nohup sleep 1002 >/dev/null 2>&1 </dev/null &)
sleep 1003 | sleep 1004 &
echo ready
while :; do sleep 1; done
`;

const names = (pids) => pids.map((pid) => commandLine(pid).join(' '));

async function clingingServer(t) {
  const server = await serve(t, ['bash', '-c', clinging]);
  const visitor = await connect(server.ws());
  await visitor.received(1);
  await eventually(() => ['1001', '1002', '1003', '1004'].every((mark) =>
    names(descendants(server.pid)).some((name) => name === `sleep ${mark}`)),
      'all of its processes run');
  return { server, visitor };
}

test('SIGKILL of the server: everything is gone within a second', async (t) => {
  const { server, visitor } = await clingingServer(t);
  const family = descendants(server.pid);
  assert.ok(family.length >= 6, names(family).join(', '));
  server.kill('SIGKILL');
  await eventually(() => !family.some(isAlive), 'all descendants are gone', 1000);
  assert.deepEqual(await server.ended, { code: null, signal: 'SIGKILL' });
  assert.equal((await visitor.close()).code, 1006);
});

test('SIGKILL of the spawner: everything is gone within a second, and the server goes on',
    async (t) => {
  const { server, visitor } = await clingingServer(t);
  const family = descendants(server.pid);
  process.kill(server.spawner, 'SIGKILL');
  await eventually(() => !family.some(isAlive), 'all descendants are gone', 1000);
  await visitor.close();
  const next = await eventually(() => connect(server.ws()).catch(() => null),
    'the next visitor is served');
  assert.deepEqual(await next.received(1), ['ready']);
  await server.stop();
});
