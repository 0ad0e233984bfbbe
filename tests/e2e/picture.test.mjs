// The picture of the README: a terminal that serves examples/counter.sh, beside it the page of that
// program in Chromium. Both are real: the commands run, and the server sends the page. Only the
// port is replaced by 8080, which the README names.
//
// PICTURES=docs/images node --test tests/e2e/picture.test.mjs writes the picture there. Every run
// takes it again and compares its size with the one in docs/images.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { useChromium } from './support/chromium.mjs';
import { eventually } from './support/time.mjs';
import { root, start, test } from './support/program.mjs';

const openPage = useChromium();
const scale = { deviceScaleFactor: 2 };
const bytesMax = 100_000;

// Width and height of a PNG: its first chunk begins with them.
const sizeOf = (png) => [png.readUInt32BE(16), png.readUInt32BE(20)];

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

const html = (terminal, url, shot) => `<!DOCTYPE html><meta charset="utf-8"><style>
body { margin: 0; width: 960px; background: #fff; }
main { display: flex; gap: 16px; padding: 12px; height: 324px; }
section { border: 1px solid #c8ced6; border-radius: 8px; overflow: hidden; }
header { padding: 9px 12px; border-bottom: 1px solid #d4d9df; background: #eef1f4; color: #4a5460;
  font: 13px sans-serif; }
header span { padding: 3px 10px; border: 1px solid #d4d9df; border-radius: 10px; background: #fff; }
pre { margin: 0; padding: 12px 14px; color: #1b1f24; font: 13px/1.45 monospace;
  white-space: pre-wrap; }
b { color: #0b62c4; }
#terminal { flex: 0 0 364px; background: #fbfcfd; }
#browser { flex: 1; }
img { display: block; width: 100%; }
</style><main>
<section id="terminal"><header>Terminal</header><pre>${terminal}</pre></section>
<section id="browser"><header><span>${url}</span></header>
<img src="data:image/png;base64,${shot}"></section>
</main>`;

test('the picture of the README shows a program in a terminal and in its page', async (t) => {
  const server = await start(t, ['serve', '--port=0', 'examples/counter.sh']);
  const named = (text) => text.replaceAll(String(server.port), '8080');
  const ready = named(server.stderr);
  const page = await openPage(t, server.url, { ...scale, viewport: { width: 552, height: 290 } });
  const text = (selector) => page.locator(selector).textContent();
  await eventually(async () => await text('#status') === 'closed: code 1000, wasClean true',
    'the counter ends');
  assert.equal(await text('#output'), '1\n2\n3\n');
  await page.evaluate((port) => {
    for (const id of ['url', 'script']) {
      const place = document.getElementById(id);
      place.textContent = place.textContent.replaceAll(port, '8080');
    }
    document.activeElement.blur(); // its cursor blinks, and its focus has scrolled the page
    scrollTo(0, 0);
  }, String(server.port));
  assert.equal(await text('#url'), 'ws://127.0.0.1:8080/');
  const shot = await page.screenshot();

  const script = execFileSync('cat', ['examples/counter.sh'], { cwd: root, encoding: 'utf8' });
  const show = (command, printed) => `<b>$ ${command}</b>\n${escaped(printed)}`;
  const terminal = show('cat examples/counter.sh', script) +
    show('duplex serve examples/counter.sh', ready);
  const viewport = { width: 960, height: 348 };
  const whole = await openPage(t, 'about:blank', { ...scale, viewport });
  await whole.setContent(html(terminal, named(server.url), shot.toString('base64')));
  await whole.locator('img').evaluate((image) => image.decode());
  const picture = await whole.screenshot();
  assert.ok(picture.length < bytesMax, `the picture has ${picture.length} bytes`);

  if (process.env.PICTURES !== undefined) {
    const folder = path.resolve(root, process.env.PICTURES);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'counter.png'), picture);
  }
  const kept = readFileSync(path.join(root, 'docs/images/counter.png'));
  assert.deepEqual(sizeOf(picture), sizeOf(kept), 'docs/images/counter.png has this size');
  assert.ok(kept.length < bytesMax);
});
