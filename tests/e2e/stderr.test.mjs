// Where a program's stderr goes, and that a program which writes much of it is not held up.

import assert from 'node:assert/strict';

import { connect } from './support/clients.mjs';
import { serve, test } from './support/program.mjs';

const sh = (script) => ['sh', '-c', script];

test('--stderr=log: a log line for each line, escaped, not for the client', async (t) => {
  const server = await serve(t,
    sh(String.raw`printf 'odd \033[31m line\n' >&2; printf 'unended' >&2; echo out`));
  const client = await connect(server.ws());
  await client.close();
  assert.deepEqual(client.messages, ['out']);
  await server.said(/odd \\x1b\[31m line/);
  await server.said(/unended/);
  assert.ok(!server.stderr.includes('\x1b[31m line'));
  assert.equal(server.stdout, '');
});

test('--stderr=client: a message for each line', async (t) => {
  const server = await serve(t, sh('echo out; sleep 0.2; echo err >&2; sleep 0.2; echo again'),
    ['--stderr=client']);
  const client = await connect(server.ws());
  await client.close();
  assert.deepEqual(client.messages, ['out', 'err', 'again']);
  assert.ok(!/\berr\b/.test(server.stderr.replace(/^.*http.*$/gm, '')));
});

test("--stderr=stdout: on the server's own stdout", async (t) => {
  const server = await serve(t, sh('echo err >&2; echo out'), ['--stderr=stdout']);
  const client = await connect(server.ws());
  await client.close();
  assert.deepEqual(client.messages, ['out']);
  await server.said(/^err$/m, { on: 'stdout' });
});

for (const mode of ['log', 'client', 'stdout']) {
  test(`--stderr=${mode}: a megabyte without a newline does not hold the program up`, async (t) => {
    const server = await serve(t,
      sh(String.raw`head -c 1000000 /dev/zero | tr '\0' e >&2; echo out`), [`--stderr=${mode}`]);
    const client = await connect(server.ws());
    await client.heard(/^out$/);
    assert.equal((await client.close()).code, 1000);
  });
}
