// The tutorial's programs, unchanged, under `duplex serve`, driven by npm's ws and by npm's
// websocket.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';

import { clients, connect } from './support/clients.mjs';
import { example, root, serve, test } from './support/program.mjs';

const clean = { code: 1000, wasClean: true };
// WebSocket-Node puts a reason of its own where the Close frame has none.
async function closesCleanly(client, ours) {
  const { code, wasClean } = await client.close(ours);
  assert.deepEqual({ code, wasClean }, { code: 1000, wasClean: true });
}

const date = String.raw`\[\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \w+ \d{4}\]`;

for (const [library, Socket] of Object.entries(clients)) {
  test(`counter.sh counts to three, a second apart, and closes with 1000 (${library})`,
      async (t) => {
    const server = await serve(t, [example('counter.sh')]);
    const begun = performance.now();
    const client = await connect(server.ws(), { Socket });
    const arrivals = [];
    for (const count of [1, 2, 3]) {
      await client.received(count);
      arrivals.push(performance.now());
    }
    await closesCleanly(client);
    assert.deepEqual(client.messages, ['1', '2', '3']);
    for (const at of [1, 2]) {
      // None comes before its time, and they do not come together.
      assert.ok(arrivals[at] - begun >= at * 1000, `${at + 1} after ${arrivals[at] - begun} ms`);
      const gap = arrivals[at] - arrivals[at - 1];
      assert.ok(gap > 200, `a second passes before ${at + 1}: ${gap} ms`);
    }
    await server.isQuiet();
  });

  test(`bash ./counter.sh, as the tutorial starts it (${library})`, async (t) => {
    const server = await serve(t, ['bash', './counter.sh'], [],
      { cwd: path.join(root, 'examples') });
    const client = await connect(server.ws(), { Socket });
    await closesCleanly(client);
    assert.deepEqual(client.messages, ['1', '2', '3']);
    await server.isQuiet();
  });

  test(`ls gives the directory's names (${library})`, async (t) => {
    const cwd = path.join(root, 'examples');
    const server = await serve(t, ['ls'], [], { cwd });
    const client = await connect(server.ws(), { Socket });
    await closesCleanly(client);
    assert.deepEqual(client.messages.sort(),
      readdirSync(cwd).filter((name) => !name.startsWith('.')).sort());
    await server.isQuiet();
  });

  test(`greeter.js answers each message (${library})`, async (t) => {
    const server = await serve(t, ['node', example('greeter.js')]);
    const client = await connect(server.ws(), { Socket });
    for (const [index, text] of ['hello', '你好，世界', ''].entries()) {
      client.send(text);
      assert.equal((await client.received(index + 1))[index], `data: ${text}`);
    }
    await closesCleanly(client, 1000);
    await server.isQuiet();
  });

  test(`reader.sh reads what the client sends (${library})`, async (t) => {
    const server = await serve(t, [example('reader.sh')]);
    const client = await connect(server.ws(), { Socket });
    for (const text of ['one', '  two  ', String.raw`back\slash`, '三']) client.send(text);
    assert.deepEqual(await client.received(4),
      ['You said: one', 'You said:   two  ', String.raw`You said: back\slash`, 'You said: 三']);
    await closesCleanly(client, 1000);
    await server.isQuiet();
  });

  test(`chat.sh: names, dates, joins and leaves (${library})`, async (t) => {
    const server = await serve(t, [example('chat.sh')], [], { env: { TMPDIR: t.directory() } });
    const zhang = await connect(server.ws(), { Socket });
    assert.deepEqual(await zhang.received(1), ['Please enter your name:']);
    zhang.send('老张');
    await zhang.heard(new RegExp(`^${date} Welcome to the chat 老张!$`));
    zhang.send('早上好');
    await zhang.heard(new RegExp(`^${date} 老张> 早上好$`));

    const li = await connect(server.ws(), { Socket });
    li.send('老李');
    await li.heard(new RegExp(`^${date} Welcome to the chat 老李!$`));
    await zhang.heard(new RegExp(`^${date} 老李 joined the chat$`));
    li.send('天气不错啊');
    const line = new RegExp(`^${date} 老李> 天气不错啊$`);
    for (const visitor of [zhang, li]) await visitor.heard(line);
    await li.close(1000);
    await zhang.heard(new RegExp(`^${date} 老李 left the chat$`));

    assert.equal(li.messages.filter((message) => /早上好|老李 joined/.test(message)).length, 0,
      'a visitor hears what is said after joining');
    await zhang.close(1000);
    await server.isQuiet();
  });

  test(`vmstat 1 reports every second and ends with its visitor (${library})`, async (t) => {
    const server = await serve(t, ['vmstat', '1']);
    const client = await connect(server.ws(), { Socket });
    const lines = await client.received(4);
    assert.match(lines[0], /^procs -+memory-+/);
    assert.match(lines[1], /^ r {2}b {3}swpd/);
    for (const line of lines.slice(2)) assert.match(line, /^ *\d+( +\d+){16,17}$/);
    await client.close(1000);
    await server.isQuiet();
  });

  test(`greeter.c answers at once (${library})`, async (t) => {
    const greeter = path.join(t.directory(), 'greeter');
    execFileSync('gcc', ['-Wall', '-Wextra', '-Werror', '-o', greeter, example('greeter.c')]);
    const server = await serve(t, [greeter]);
    const client = await connect(server.ws(), { Socket });
    for (const [index, text] of ['hello', '你好'].entries()) {
      client.send(text);
      assert.equal((await client.received(index + 1))[index], `data: ${text}`);
    }
    await closesCleanly(client, 1000);
    await server.isQuiet();
  });

  test(`count.py prints its numbers one by one (${library})`, async (t) => {
    const server = await serve(t, [example('count.py')]);
    const client = await connect(server.ws(), { Socket });
    await client.received(1);
    const first = performance.now();
    assert.deepEqual(await client.received(10),
      ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
    const spread = performance.now() - first;
    assert.ok(spread > 200, `the ten numbers come over nearly a second: ${spread} ms`);
    await closesCleanly(client);
    await server.isQuiet();
  });
}

test('without flush=True Python holds its output back to the end, and -u lets it out',
    async (t) => {
  const script = 'import time\nfor n in range(3):\n    print(n)\n    time.sleep(0.8)\n';
  for (const [args, isHeldBack] of [[[], true], [['-u'], false]]) {
    const server = await serve(t, ['/usr/bin/python3', ...args, '-c', script]);
    const client = await connect(server.ws());
    await client.received(1);
    const first = performance.now();
    await client.received(3);
    assert.equal(performance.now() - first < 800, isHeldBack);
    await client.close();
  }
});
