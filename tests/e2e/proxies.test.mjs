// Behind nginx and haproxy, configured as the guide shows, plain and with TLS at the proxy: the
// counter, an echo of a large message, the page in Chromium, a client that goes.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';

import { certificate } from './support/certificate.mjs';
import { useChromium } from './support/chromium.mjs';
import { connect } from './support/clients.mjs';
import { eventually } from './support/time.mjs';
import { example, Program, root, serve, test } from './support/program.mjs';

const openPage = useChromium();

async function freePort() {
  const listener = net.createServer();
  await new Promise((resolve) => { listener.listen(0, '127.0.0.1', resolve); });
  const { port } = listener.address();
  await new Promise((resolve) => { listener.close(resolve); });
  return port;
}

const accepts = (port) => new Promise((resolve) => {
  const socket = net.connect(port, '127.0.0.1', () => {
    socket.destroy();
    resolve(true);
  });
  socket.on('error', () => resolve(false));
});

// The configuration that the guide shows, with this test's ports and files in the place of its own.
function documented(kind, replacements) {
  const guide = readFileSync(path.join(root, 'docs/guide.md'), 'utf8');
  let [, text] = new RegExp(`^\`\`\`${kind}\\n([^]*?)^\`\`\`$`, 'm').exec(guide);
  for (const [theirs, ours] of replacements) {
    assert.ok(text.includes(theirs), `the guide's ${kind} block has ${theirs}`);
    text = text.replaceAll(theirs, ours);
  }
  return text;
}

function nginxConfig(directory, ports, backend, { cert, key }) {
  const site = documented('nginx', [['listen 80;', `listen 127.0.0.1:${ports.plain};`],
    ['listen 443 ssl;', `listen 127.0.0.1:${ports.tls} ssl;`], ['/etc/ssl/site/cert.pem', cert],
    ['/etc/ssl/site/key.pem', key], ['127.0.0.1:8080', `127.0.0.1:${backend}`]]);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${directory}/${name};`).join('\n');
  return `daemon off;\nmaster_process off;\npid ${directory}/pid;\nerror_log stderr;\nevents {}\n` +
    `http {\naccess_log off;\n${temporary}\n${site}}\n`;
}

function haproxyConfig(directory, ports, backend, { both }) {
  return documented('haproxy',
    [['bind :80\n', `bind 127.0.0.1:${ports.plain}\n`],
    ['bind :443', `bind 127.0.0.1:${ports.tls}`],
    ['/etc/ssl/site/both.pem', both], ['127.0.0.1:8080', `127.0.0.1:${backend}`]]);
}

const proxies = {
  nginx: { file: '/usr/sbin/nginx', config: nginxConfig, args: (file) => ['-c', file] },
  haproxy: { file: '/usr/sbin/haproxy', config: haproxyConfig,
    args: (file) => ['-db', '-f', file] },
};

async function behind(t, name, command) {
  const server = await serve(t, command);
  const directory = t.directory();
  const ports = { plain: await freePort(), tls: await freePort() };
  const { file, config, args } = proxies[name];
  const configFile = path.join(directory, 'config');
  writeFileSync(configFile, config(directory, ports, server.port, certificate(t)));
  const proxy = new Program(t, file, args(configFile));
  await eventually(async () => (await accepts(ports.plain)) && accepts(ports.tls),
    `${name} listens`);
  return { server, proxy,
    urls: { plain: `http://127.0.0.1:${ports.plain}/`, tls: `https://127.0.0.1:${ports.tls}/` } };
}

const ws = (url) => url.replace(/^http/, 'ws');

for (const name of Object.keys(proxies)) {
  for (const kind of ['plain', 'tls']) {
    test(`${name}, ${kind}: the counter counts and closes with 1000`, async (t) => {
      const { server, urls } = await behind(t, name, [example('counter.sh')]);
      const client = await connect(ws(urls[kind]), { rejectUnauthorized: false });
      assert.deepEqual(await client.close(), { code: 1000, reason: '', wasClean: true });
      assert.deepEqual(client.messages, ['1', '2', '3']);
      await server.isQuiet();
    });

    test(`${name}, ${kind}: text of 1,000,000 bytes there and back, and the client's Close`,
        async (t) => {
      const { server, urls } = await behind(t, name, ['cat']);
      const client = await connect(ws(urls[kind]), { rejectUnauthorized: false });
      const text = '早上好 '.repeat(100_000);
      client.send(text);
      assert.ok((await client.received(1))[0] === text);
      const { code, wasClean } = await client.close(1000);
      assert.deepEqual({ code, wasClean }, { code: 1000, wasClean: true });
      await server.isQuiet();
    });

    test(`${name}, ${kind}: the page in Chromium`, async (t) => {
      const { urls } = await behind(t, name, ['cat']);
      const page = await openPage(t, urls[kind]);
      await eventually(async () => (await page.locator('#status').textContent()) === 'open',
        'the page connects');
      assert.equal(await page.locator('#url').textContent(), ws(urls[kind]));
      await page.locator('#input').fill('你好');
      await page.locator('#send').click();
      await eventually(async () => (await page.locator('#output').textContent()) === '你好\n',
        'the echo');
    });
  }

  test(`${name}: a client that goes is noticed through the proxy`, async (t) => {
    const { server, urls } = await behind(t, name, ['cat']);
    const client = await connect(ws(urls.plain));
    client.socket.terminate();
    await server.isQuiet();
  });
}
