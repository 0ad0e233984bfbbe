// The examples by themselves, without a server: what they print, and that the chat leaves nothing
// behind.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';

import { commandLine, descendants } from './support/processes.mjs';
import { eventually } from './support/time.mjs';
import { example, Program, run, test } from './support/program.mjs';

const published = {
  'counter.sh': '1188593a26b322fd9ac951a3d283cdf5bc337ac1a15a222768301e0432a83848',
  'greeter.js': '42cb91fe4580a40994bf038b732ec8a86f77a9469e1dabf27e3f956809feffeb',
};

for (const [name, digest] of Object.entries(published)) {
  test(`${name} is the tutorial's, byte for byte`, async () => {
    assert.equal(createHash('sha256').update(readFileSync(example(name))).digest('hex'), digest);
  });
}

test('bash ./counter.sh prints 1, 2 and 3', async (t) => {
  const { code, stdout } = await run(t, [example('counter.sh')], { file: 'bash' });
  assert.deepEqual([code, stdout], [0, '1\n2\n3\n']);
});

test('count.py prints the numbers to ten', async (t) => {
  const { code, stdout } = await run(t, [], { file: example('count.py') });
  assert.deepEqual([code, stdout], [0, '1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n']);
});

class Visitor extends Program {
  constructor(t, env) {
    super(t, example('chat.sh'), [], { stdio: ['pipe', 'pipe', 'pipe'], env });
  }

  say(text) {
    this.process.stdin.write(`${text}\n`);
  }

  async enter(name) {
    await this.said(/Please enter your name:/, { on: 'stdout' });
    this.say(name);
    await this.said(new RegExp(`Welcome to the chat ${name}!`), { on: 'stdout' });
    await eventually(() => descendants(this.pid).length > 0, 'its tail runs');
    return this;
  }

  async leave() {
    const tail = descendants(this.pid);
    this.process.stdin.end();
    assert.deepEqual(await this.ended, { code: 0, signal: null });
    assert.deepEqual(tail.map(commandLine), tail.map(() => []), 'no tail is left');
  }
}

test('chat.sh: a room for each route, empty for its first visitor', async (t) => {
  const TMPDIR = t.directory();
  const one = await new Visitor(t, { TMPDIR, SCRIPT_NAME: '/one' }).enter('Ada');
  const two = await new Visitor(t, { TMPDIR, SCRIPT_NAME: '/two/deep' }).enter('Bob');
  one.say('only here');
  await one.said(/Ada> only here/, { on: 'stdout' });
  await two.leave();
  assert.ok(!/Ada/.test(two.stdout));
  await one.leave();
  const [rooms] = readdirSync(TMPDIR).map((name) => path.join(TMPDIR, name));
  assert.deepEqual(readdirSync(rooms).sort(), ['room-one', 'room-two-deep']);

  const later = await new Visitor(t, { TMPDIR, SCRIPT_NAME: '/one' }).enter('Eve');
  assert.ok(!/Ada/.test(readFileSync(path.join(rooms, 'room-one'), 'utf8')));
  await later.leave();
});

test('chat.sh does not enter a directory that is not its own', async (t) => {
  const TMPDIR = t.directory();
  mkdirSync(path.join(TMPDIR, 'other'));
  symlinkSync('/nowhere', path.join(TMPDIR, `duplex-chat-${process.getuid()}`));
  const visitor = new Visitor(t, { TMPDIR });
  visitor.process.stdin.on('error', () => {}).end('Ada\n');
  assert.equal((await visitor.ended).code, 1);
  assert.equal(existsSync('/nowhere'), false);
});

test('chat.sh leaves no tail when it is killed', async (t) => {
  const visitor = await new Visitor(t, { TMPDIR: t.directory() }).enter('Ada');
  const [tail] = descendants(visitor.pid);
  visitor.kill('SIGKILL');
  await visitor.ended;
  await eventually(() => commandLine(tail).length === 0, 'its tail ends');
});
