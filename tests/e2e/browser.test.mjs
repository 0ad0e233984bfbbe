// The pages in Chromium: the one that answers on a program's path, the demo, and the examples'
// page.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';

import { useChromium } from './support/chromium.mjs';
import { eventually } from './support/time.mjs';
import { example, onePort, root, serve, start, test } from './support/program.mjs';

const openPage = useChromium();
const text = (page, selector) => page.locator(selector).textContent();
const lines = async (page, selector = '#output') => (await text(page, selector)).split('\n')
  .slice(0, -1);
const shows = (page, selector, expected) =>
  eventually(async () => expected.test(await text(page, selector)),
    `${selector} shows ${expected}`);
const say = async (page, form, line) => {
  await page.locator(`${form} input`).fill(line);
  await page.locator(`${form} button`).first().click();
};

test('the page of a program: its address, its output, its close event, the script', async (t) => {
  const server = await serve(t, [example('counter.sh')]);
  const page = await openPage(t, server.url);
  await shows(page, '#status', /^closed: code 1000, wasClean true$/);
  assert.deepEqual(await lines(page), ['1', '2', '3']);
  assert.equal(await text(page, '#url'), server.ws());
  assert.match(await text(page, '#script'),
    new RegExp(`^var ws = new WebSocket\\("${server.ws()}"\\);`));

  // The script that the page shows does what the page does.
  const script = await text(page, '#script');
  const printed = await page.evaluate((source) => new Promise((resolve) => {
    const said = [];
    const log = console.log;
    console.log = (...words) => {
      said.push(words);
      if (words.length === 3) {
        console.log = log;
        resolve(said);
      }
    };
    // The page's policy admits no eval, as it should: a console is where people paste the script.
    const socket = new WebSocket(/"(.*)"/.exec(source)[1]);
    socket.onmessage = (event) => console.log(event.data);
    socket.onclose = (event) => console.log(event.code, event.reason, event.wasClean);
  }), script);
  assert.deepEqual(printed, [['1'], ['2'], ['3'], [1000, '', true]]);
  await server.isQuiet();
});

test('the page of a program works below its path, query included, and connects again',
    async (t) => {
  const server = await start(t, ['serve', onePort, '--route', `/a=${example('reader.sh')}`]);
  const page = await openPage(t, server.http('/a/b%20c?d=1'));
  await shows(page, '#status', /^open$/);
  assert.equal(await text(page, '#url'), server.ws('/a/b%20c?d=1'));
  await say(page, '#form', '早上好 <b>&amp;</b>');
  await shows(page, '#output', /You said: 早上好 <b>&amp;<\/b>\n/);
  assert.equal(await page.locator('#output b').count(), 0, 'what a program prints is text');
  for (const pid of server.programs()) process.kill(pid, 'SIGKILL');
  await shows(page, '#status', /^closed: code 4309, reason (SIG)?KILL, wasClean true$/);
  await page.locator('#again').click();
  await shows(page, '#status', /^open$/);
  await say(page, '#form', 'again');
  await shows(page, '#output', /^You said: again\n$/);
});

test('the page of a program keeps a bounded number of lines', async (t) => {
  const server = await serve(t, ['seq', '5000']);
  const page = await openPage(t, server.url);
  await shows(page, '#status', /^closed: code 1000/);
  const kept = await lines(page);
  assert.equal(kept.length, 1000);
  assert.deepEqual([kept[0], kept[999]], ['4001', '5000']);
});

test('the page of duplex echo: what is sent comes back, and it connects again', async (t) => {
  const server = await start(t, ['echo', onePort]);
  const page = await openPage(t, server.http('/a?b=c'));
  await shows(page, '#status', /^open$/);
  assert.equal(await text(page, '#url'), server.ws('/a?b=c'));
  assert.equal(await text(page, '#command'), `echo hello | duplex connect ${server.ws('/a?b=c')}`);
  await say(page, '#form', '早上好 <b>&amp;</b>');
  await say(page, '#form', 'two');
  await shows(page, '#output', /^早上好 <b>&amp;<\/b>\ntwo\n$/);
  assert.equal(await page.locator('#output b').count(), 0, 'what comes back is text');
  await page.locator('#again').evaluate((button) => { button.disabled = false; button.click(); });
  await shows(page, '#status', /^open$/);
  await say(page, '#form', 'again');
  await shows(page, '#output', /\nagain\n$/);
});

const tutorial = [
  ['ls', () => ['ls', path.join(root, 'examples')], null, (shown) =>
    assert.deepEqual(shown.sort(), readdirSync(path.join(root, 'examples')).sort())],
  ['greeter.js', () => ['node', example('greeter.js')], '你好',
    (shown) => assert.deepEqual(shown, ['data: 你好'])],
  ['reader.sh', () => [example('reader.sh')], '你好',
    (shown) => assert.deepEqual(shown, ['You said: 你好'])],
  ['vmstat 1', () => ['vmstat', '1'], null, (shown) => assert.match(shown[0], /^procs -+memory-+/)],
  ['greeter.c', (t) => {
    const greeter = path.join(t.directory(), 'greeter');
    execFileSync('gcc', ['-o', greeter, example('greeter.c')]);
    return [greeter];
  }, '你好', (shown) => assert.deepEqual(shown, ['data: 你好'])],
  ['count.py', () => [example('count.py')], null, (shown) => assert.equal(shown[0], '1')],
];

for (const [name, command, line, check] of tutorial) {
  test(`${name} in its page`, async (t) => {
    const server = await serve(t, command(t));
    const page = await openPage(t, server.url);
    if (line !== null) {
      await shows(page, '#status', /^open$/);
      await say(page, '#form', line);
    }
    await eventually(async () => (await lines(page)).length > 0, 'a line in the page');
    if (name === 'ls') await shows(page, '#status', /^closed: code 1000, wasClean true$/);
    check(await lines(page));
  });
}

test('examples/page.html shows the program behind its #', async (t) => {
  const server = await start(t, ['serve', onePort, `--static=${path.join(root, 'examples')}`,
    '--route', `/greeter=node ${example('greeter.js')}`]);
  const page = await openPage(t, server.http('/page.html#/greeter'));
  await eventually(() => server.programs().length === 1, 'the greeter runs');
  await say(page, '#form', 'hello');
  await shows(page, '#output', /^data: hello\n/);
  process.kill(server.programs()[0], 'SIGKILL');
  await shows(page, '#output', /closed: code 4309, wasClean true\n$/);
});

const demo = (t) => start(t,
  ['serve', onePort, '--static=web/demo', '--route', '/counter=examples/counter.sh',
  '--route', '/chat=examples/chat.sh'], { env: { TMPDIR: t.directory() } });

test('the demo: the counter ends with its close event, and starts again', async (t) => {
  const server = await demo(t);
  const page = await openPage(t, server.url);
  for (const _ of [1, 2]) {
    await shows(page, '#counter .status', /^closed: code 1000, wasClean true$/);
    assert.deepEqual(await lines(page, '#counter .output'), ['1', '2', '3']);
    await page.locator('#counter button').click();
    await shows(page, '#counter .status', /^(connecting|open)$/);
  }
});

test('the demo: killing the counter shows its close event', async (t) => {
  const server = await demo(t);
  const page = await openPage(t, server.url);
  await shows(page, '#counter .output', /^1\n/);
  const { commandLine } = await import('./support/processes.mjs');
  const counter = server.programs()
    .find((pid) => commandLine(pid).join(' ').includes('counter.sh'));
  process.kill(counter, 'SIGKILL');
  await shows(page, '#counter .status', /^closed: code 4309, reason (SIG)?KILL, wasClean true$/);
});

test('the demo: two browsers talk in Chinese, and a late one is announced', async (t) => {
  const server = await demo(t);
  const zhang = await openPage(t, server.url);
  await shows(zhang, '#chat .output', /Please enter your name:/);
  await say(zhang, '#chat', '老张');
  await shows(zhang, '#chat .output', /\[.+\] Welcome to the chat 老张!\n/);
  await say(zhang, '#chat', '早上好');
  await shows(zhang, '#chat .output', /\[.+\] 老张> 早上好\n/);

  const li = await openPage(t, server.url);
  await shows(li, '#chat .output', /Please enter your name:/);
  await say(li, '#chat', '老李');
  await shows(zhang, '#chat .output', /\[.+\] 老李 joined the chat\n/);
  await say(li, '#chat', '天气不错啊');
  for (const page of [zhang, li]) await shows(page, '#chat .output', /\[.+\] 老李> 天气不错啊\n/);
  await say(zhang, '#chat', '<img src=x onerror=alert(1)>');
  await shows(li, '#chat .output', /老张> <img src=x onerror=alert\(1\)>\n/);
  assert.equal(await li.locator('img').count(), 0, 'what is said is text');
  await li.close();
  await shows(zhang, '#chat .output', /\[.+\] 老李 left the chat\n/);
});
