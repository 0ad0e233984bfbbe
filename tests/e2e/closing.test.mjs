// How a connection ends: the program's exit status as a close code, and the client's end as the
// program's end of file.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { connect } from './support/clients.mjs';
import { isAlive } from './support/processes.mjs';
import { eventually, within } from './support/time.mjs';
import { serve, test } from './support/program.mjs';
import { closeFrame, frame, opcode, upgrade } from './support/raw.mjs';

const sh = (script) => ['sh', '-c', script];

const endings = [
  ['exit 0', 1000, ''],
  ['exit 1', 4001, 'exit status 1'],
  ['exit 77', 4077, 'exit status 77'],
  ['exit 255', 4255, 'exit status 255'],
  ['kill -HUP $$', 4301, 'SIGHUP'],
  ['kill -KILL $$', 4309, 'SIGKILL'],
  ['kill -SEGV $$', 4311, 'SIGSEGV'],
  ['kill -TERM $$', 4315, 'SIGTERM'],
];

for (const [script, code, reason] of endings) {
  test(`a program's ${script} closes with ${code} '${reason}'`, async (t) => {
    const server = await serve(t, sh(`echo last words; ulimit -c 0; ${script}`));
    const client = await connect(server.ws());
    assert.deepEqual(await client.close(), { code, reason, wasClean: true });
    assert.deepEqual(client.messages, ['last words']);
    await server.isQuiet();
  });
}

test('a program that closes its stdout has ended, and the ladder takes what is left of it',
    async (t) => {
  const server = await serve(t, sh('echo x; exec >&-; sleep 100'), ['--ladder=100ms,100ms,100ms']);
  const client = await connect(server.ws());
  const { wasClean } = await client.close();
  assert.equal(wasClean, true);
  assert.deepEqual(client.messages, ['x']);
  await server.isQuiet();
});

test('a grandchild that holds stdout does not hold the connection', async (t) => {
  const server = await serve(t, sh('echo x; sleep 100 & exit 3'), ['--ladder=100ms,100ms,100ms']);
  const client = await connect(server.ws());
  assert.deepEqual(await client.close(), { code: 4003, reason: 'exit status 3', wasClean: true });
  await server.isQuiet();
});

test('what a program prints at its end of file comes before the answering Close', async (t) => {
  const server = await serve(t, ['sort']);
  const { connection } = await upgrade(t, server);
  for (const line of ['pear', 'apple', 'fig']) connection.send(frame(opcode.text, line));
  connection.send(closeFrame(1000, 'thanks'));
  for (const line of ['apple', 'fig', 'pear']) {
    assert.equal((await connection.message()).payload.toString(), line);
  }
  const { code } = await connection.closeCode();
  assert.equal(code, 1000);
  assert.equal(await within(connection.frame(), 'the end of the connection'), null);
  await server.isQuiet();
});

const ladder = String.raw`
trap 'echo INT >>"$1"' INT
trap 'echo TERM >>"$1"' TERM
echo ready
while read -r line; do :; done
echo EOF >>"$1"
while :; do sleep 0.02; done
`;

const departures = {
  'a Close': (connection) => connection.send(closeFrame(1000)),
  'the end of its connection': (connection) => connection.socket.end(),
  'a reset': (connection) => connection.socket.resetAndDestroy(),
};

for (const [name, depart] of Object.entries(departures)) {
  test(`the client leaves by ${name}: end of file, INT, TERM, KILL`, async (t) => {
    const log = path.join(t.directory(), 'log');
    const server = await serve(t, ['bash', '-c', ladder, 'bash', log],
      ['--ladder=400ms,400ms,400ms']);
    const { connection } = await upgrade(t, server);
    await connection.message();
    const family = server.programs();
    const left = performance.now();
    depart(connection);
    const steps = () => {
      try {
        return readFileSync(log, 'utf8').split('\n').slice(0, -1);
      } catch {
        return [];
      }
    };
    const at = {};
    for (const [index, step] of ['EOF', 'INT', 'TERM'].entries()) {
      await eventually(() => steps().length > index, step);
      at[step] = performance.now() - left;
      assert.equal(steps()[index], step);
    }
    await eventually(() => !family.some(isAlive), 'KILL');
    at.KILL = performance.now() - left;
    assert.ok(at.INT >= 350, `INT after ${at.INT} ms`);
    assert.ok(at.TERM >= 750, `TERM after ${at.TERM} ms`);
    assert.ok(at.KILL >= 1150, `KILL after ${at.KILL} ms`);
    assert.deepEqual(steps(), ['EOF', 'INT', 'TERM']);
    await server.isQuiet();
  });
}

test("the ladder's signals reach the program's whole session", async (t) => {
  const server = await serve(t,
    sh('trap "" INT TERM; sleep 1000 & (sleep 1000 | sleep 1000) & echo ready; sleep 1000'),
    ['--ladder=50ms,50ms,50ms']);
  const { connection } = await upgrade(t, server);
  await connection.message();
  await eventually(() => server.programs().length >= 4, 'the program has its children');
  const family = server.programs();
  connection.send(closeFrame(1000));
  await eventually(() => !family.some(isAlive), 'the whole session has ended');
  await server.isQuiet();
});

const answers = [
  ['1000 with a reason', closeFrame(1000, 'bye'), 1000],
  ['4321', closeFrame(4321), 4321],
];

for (const [name, sent, code] of answers) {
  test(`a client's Close ${name} is answered with its code`, async (t) => {
    const server = await serve(t, ['cat']);
    const { connection } = await upgrade(t, server);
    connection.send(sent);
    assert.equal((await connection.closeCode()).code, code);
    assert.equal(await within(connection.frame(), 'the end of the connection'), null);
    await server.isQuiet();
  });
}

test('each close is one line of the log', async (t) => {
  const server = await serve(t, sh('exit 7'));
  for (const _ of [1, 2, 3]) await (await connect(server.ws())).close();
  await server.isQuiet();
  await server.stop();
  assert.equal(server.stderr.match(/ closed .* code=4007 /g)?.length, 3);
});

test('a program that stays silent after a message gets one log line about buffering', async (t) => {
  const server = await serve(t, sh('read x; read y; sleep 100'));
  const client = await connect(server.ws());
  client.send('x');
  client.send('y');
  await server.said(/many programs buffer output to a pipe/);
  await client.close(1000);
  await server.isQuiet();
  assert.equal(server.stderr.match(/many programs buffer/g).length, 1);
});

test('--text-pong answers ping and keeps it from the program', async (t) => {
  const server = await serve(t, ['cat'], ['--text-pong']);
  const client = await connect(server.ws());
  for (const text of ['ping', 'ping pong', 'ping']) client.send(text);
  assert.deepEqual((await client.received(3)).sort(), ['ping pong', 'pong', 'pong']);
  await client.close(1000);
  assert.equal(client.messages.length, 3);
});
