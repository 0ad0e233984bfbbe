// The examples of the library: compiled from an installation that pkg-config finds, by gcc, clang
// and g++, and used as what they are. How long each may be is part of what they show.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { clients, connect } from './support/clients.mjs';
import { installExamples, lineCount, variants } from './support/installed.mjs';
import { Program, test } from './support/program.mjs';
import { within } from './support/time.mjs';

const { at, forEachCompiler } =
  installExamples(['echo', 'chat', 'files', 'json', 'embed_*', 'protocol_poll']);

// Runs an example, which prints the URL that it listens at.
async function run(scope, name, args = []) {
  const program = new Program(scope, at(name), args);
  program.url = (await program.said(/http:\/\/\S+\//))[0];
  return program;
}

const ws = (program, target = '/') => new URL(target, program.url).href.replace(/^http/, 'ws');

for (const [name, most] of Object.entries({ echo: 25, chat: 40, files: 40, json: 60 })) {
  test(`${name}.c has at most ${most} lines beside blanks and comments`, async () => {
    const count = lineCount(`${name}.c`);
    assert.ok(count > 15 && count <= most, `${count} lines`);
  });
}

forEachCompiler('echo', async (scope, name) => {
  const server = await run(scope, name, ['127.0.0.1:0']);
  for (const Socket of Object.values(clients)) {
    const client = await connect(ws(server), { Socket });
    client.send('Grüße');
    client.send(Buffer.alloc(100_000, 7));
    assert.deepEqual(await client.received(2), ['Grüße', Buffer.alloc(100_000, 7)]);
    assert.equal((await client.close(1000)).code, 1000);
  }
});

forEachCompiler('chat', async (scope, name) => {
  const server = await run(scope, name, ['127.0.0.1:0']);
  const visitors = await Promise.all([1, 2, 3].map(() => connect(ws(server))));
  for (let count = 0; count < 20; count += 1) visitors[count % 3].send(`message ${count}`);
  const heard = await Promise.all(visitors.map((visitor) => visitor.received(20)));
  assert.equal(new Set(heard[0]).size, 20);
  assert.deepEqual(heard[1], heard[0]);
  assert.deepEqual(heard[2], heard[0]);
  await visitors[0].close(1000);
  visitors[1].send('two are left');
  assert.equal((await visitors[2].received(21))[20], 'two are left');
});

forEachCompiler('files', async (scope, name) => {
  const pages = path.join(scope.directory(), 'pages');
  mkdirSync(pages);
  writeFileSync(path.join(pages, 'index.html'), '<p>the page');
  writeFileSync(path.join(pages, '404.html'), '<p>not here');
  const server = await run(scope, name, [pages, '127.0.0.1:0']);
  const page = await fetch(server.url);
  assert.equal(await page.text(), '<p>the page');
  assert.equal(page.headers.get('cache-control'), 'max-age=60');
  const missing = await fetch(new URL('/nothing', server.url));
  assert.equal(missing.status, 404);
  assert.equal(await missing.text(), '<p>not here');
  const part = await fetch(server.url, { headers: { Range: 'bytes=7-' } });
  assert.equal(part.status, 206);
  assert.equal(await part.text(), 'page');
  const client = await connect(ws(server, '/socket'));
  client.send('hello');
  assert.deepEqual(await client.received(1), ['hello']);
});

forEachCompiler('json', async (scope, name) => {
  const server = await run(scope, name, ['s3cret', '127.0.0.1:0']);
  const say = (body, method = 'POST') => fetch(new URL('/say', server.url), { method, body });
  for (const target of ['/live', '/live?token=', '/live?token=s3cres', '/live?token=s3cret1'])
    await assert.rejects(connect(ws(server, target)), /401/);
  assert.deepEqual(await (await say('"nobody"')).json(), { listeners: 0 });
  const listener = await connect(ws(server, '/live?token=s3cret'));
  const said = await say('{"ä":1}');
  assert.equal(said.headers.get('content-type'), 'application/json');
  assert.deepEqual(await said.json(), { listeners: 1 });
  assert.deepEqual(await listener.received(1), ['{"ä":1}']);
  assert.equal((await say(Buffer.from([0xff]))).status, 400);
  assert.equal((await say(Buffer.alloc(65537, 'x'))).status, 413);
  assert.equal((await say(Buffer.alloc(65536, 'x'))).status, 200);
  assert.equal((await say(undefined, 'GET')).status, 405);
  assert.equal((await listener.received(2))[1].length, 65536);
});

// Inside somebody else's loop, whose timer tells each client the seconds. All compilers' at once:
// they mostly wait.
for (const loop of ['embed_epoll', 'embed_uv', 'embed_glib']) {
  test(loop, (scope) => Promise.all(variants.map(async (variant) => {
    const server = await run(scope, loop + variant, ['127.0.0.1:0']);
    const visitors = await Promise.all([1, 2, 3].map(() => connect(ws(server))));
    const [first, second] = (await visitors[0].received(2)).map(Number);
    assert.equal(second, first + 1);
    await visitors[1].received(2);
    if (loop === 'embed_uv') {
      server.kill('SIGTERM');
      assert.equal((await visitors[2].close()).code, 1001);
      assert.deepEqual(await within(server.ended, 'everything ends in order'),
        { code: 0, signal: null });
    }
  })));
}

forEachCompiler('protocol_poll', async (scope, name) => {
  const server = await run(scope, name, ['0']);
  const plain = await fetch(server.url);
  assert.equal(plain.status, 426);
  for (const Socket of Object.values(clients)) {
    const client = await connect(ws(server), { Socket });
    client.send('Grüße');
    client.send(Buffer.alloc(1_000_000, 7));
    assert.deepEqual(await client.received(2), ['Grüße', Buffer.alloc(1_000_000, 7)]);
    assert.equal((await client.close(3000, 'bye')).code, 3000);
  }
});
