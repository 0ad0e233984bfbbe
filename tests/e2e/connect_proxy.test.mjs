// `duplex connect` and proxies: by option and by the environment, with curl's rules for what goes
// straight.

import assert from 'node:assert/strict';
import net from 'node:net';

import { connect } from './support/connect.mjs';
import { echo, test } from './support/program.mjs';

// An HTTP proxy of CONNECT; remembers what it was asked.
async function proxy(t) {
  const asked = [];
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (data) => {
      const head = data.toString('latin1');
      const [, host, port] = /^CONNECT (.*):(\d+) HTTP\/1\.1\r\n/.exec(head);
      asked.push({ target: `${host}:${port}`,
        login: /^Proxy-Authorization: (.*)\r$/mi.exec(head)?.[1] });
      const target = net.connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        socket.pipe(target).pipe(socket);
      });
      target.on('error', () => socket.destroy());
      socket.on('close', () => target.destroy());
    });
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => server.close());
  return { asked, host: `127.0.0.1:${server.address().port}` };
}

test('--proxy, with a name and password', async (t) => {
  const server = await echo(t);
  const { asked, host } = await proxy(t);
  const { code, stdout } = await connect(t,
    [`--proxy=http://me:p%40ss@${host}`, '--send=x', '--expect=1', server.ws()]);
  assert.deepEqual([code, stdout], [0, 'x\n']);
  assert.deepEqual(asked,
    [{ target: `127.0.0.1:${server.port}`,
    login: `Basic ${Buffer.from('me:p@ss').toString('base64')}` }]);
});

test('the environment chooses as curl does', async (t) => {
  const server = await echo(t, ['--host=any.example']);
  const { asked, host } = await proxy(t);
  const nowhere = 'http://127.0.0.1:1';
  const there = `http://${host}`;
  const target = `127.0.0.1:${server.port}`;
  const name = `any.example:${server.port}`;
  // Environment, host of the URL, whether the proxy is asked.
  const rows = [
    [{ http_proxy: there }, target, true],
    [{ http_proxy: host }, target, true],
    [{ HTTP_PROXY: nowhere }, target, false], // a CGI program has it from its client
    [{ https_proxy: nowhere }, target, false], // for wss
    [{ all_proxy: there }, target, true],
    [{ ALL_PROXY: there }, target, true],
    [{ http_proxy: there, all_proxy: nowhere }, target, true],
    [{ ws_proxy: there, http_proxy: nowhere }, target, true],
    [{ http_proxy: nowhere, no_proxy: '*' }, target, false],
    [{ http_proxy: nowhere, no_proxy: 'example.org, 127.0.0.1' }, target, false],
    [{ http_proxy: nowhere, NO_PROXY: '127.0.0.0/8' }, target, false],
    [{ http_proxy: there, no_proxy: '128.0.0.0/8,27.0.0.1,127.0.0.1/33' }, target, true],
    [{ http_proxy: nowhere, no_proxy: 'localhost' }, `localhost:${server.port}`, false],
    [{ http_proxy: nowhere, no_proxy: '.localhost' }, `localhost:${server.port}`, false],
    [{ http_proxy: nowhere, no_proxy: 'HOST,LOCALHOST.' }, `localhost:${server.port}`, false],
    [{ http_proxy: there, no_proxy: 'ample,y.example,any.exampl' }, name, true],
  ];
  for (const [env, to, isAsked] of rows) {
    asked.length = 0;
    const { code, stdout, stderr } = await connect(t, ['--send=x', '--expect=1', `ws://${to}/`],
      { env });
    assert.deepEqual([code, stdout, stderr], [0, 'x\n', ''], JSON.stringify(env));
    assert.deepEqual(asked.map((one) => one.target), isAsked ? [to] : [], JSON.stringify(env));
  }
  const { code } = await connect(t, ['--proxy=none', '--send=x', '--expect=1', server.ws()],
    { env: { http_proxy: nowhere } });
  assert.equal(code, 0);
});
