// What a program finds: its environment as CGI names it, its descriptors, limits, session and
// signals.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync, realpathSync } from 'node:fs';

import { connect } from './support/clients.mjs';
import { commandLine, environment } from './support/processes.mjs';
import { duplexPath, onePort, serve, start, test } from './support/program.mjs';
import { upgrade } from './support/raw.mjs';
import { eventually } from './support/time.mjs';

// The environment of the program that a request starts.
async function environmentFor(t, server, target, headers) {
  const { status, connection } = await upgrade(t, server, target, headers);
  assert.equal(status, 101);
  const [pid] = server.programs();
  await isExecuted(pid);
  const found = environment(pid);
  connection.destroy();
  await server.isQuiet();
  return found;
}

// execve lets the spawner, and so the 101, go on a moment before /proc shows the new program.
const isExecuted = (pid) => eventually(() => Object.keys(environment(pid)).length > 0,
  'the program is executed');

const sleeper = ['sleep', '1000'];
const quick = ['--ladder=10ms,10ms,10ms'];

test('the variables of a request', async (t) => {
  const server = await start(t, ['serve', onePort, ...quick, '--route', '/a/b=sleep 1000']);
  const seen = await environmentFor(t, server, '/a/b/c%20d/e?x=1&y=%3Cz%3E', {
    'User-Agent': 'test/1', Cookie: 'a=b; c=d', Origin: `http://127.0.0.1:${server.port}`,
  });
  const expected = {
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_NAME: '127.0.0.1',
    SERVER_PORT: String(server.port),
    REQUEST_METHOD: 'GET',
    REQUEST_URI: '/a/b/c%20d/e?x=1&y=%3Cz%3E',
    SCRIPT_NAME: '/a/b',
    PATH_INFO: '/c d/e',
    QUERY_STRING: 'x=1&y=%3Cz%3E',
    REMOTE_ADDR: '127.0.0.1',
    REMOTE_HOST: '127.0.0.1',
    HTTP_USER_AGENT: 'test/1',
    HTTP_COOKIE: 'a=b; c=d',
    HTTP_HOST: `127.0.0.1:${server.port}`,
    HTTP_ORIGIN: `http://127.0.0.1:${server.port}`,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(seen[name], value, name);
  assert.match(seen.SERVER_SOFTWARE, /^duplex\/\d+\.\d+\.\d+$/);
  assert.match(seen.REMOTE_PORT, /^\d+$/);
  assert.ok(seen.UNIQUE_ID.length > 0);
  assert.equal(seen.HTTPS, undefined);
});

test('at the root SCRIPT_NAME is empty and PATH_INFO the whole path', async (t) => {
  const server = await serve(t, sleeper, quick);
  const seen = await environmentFor(t, server, '/x/y');
  assert.deepEqual([seen.SCRIPT_NAME, seen.PATH_INFO, seen.QUERY_STRING], ['', '/x/y', '']);
});

test('headers that could pass for something else do not', async (t) => {
  const server = await serve(t, sleeper, quick);
  const seen = await environmentFor(t, server, '/', {
    Proxy: 'http://evil.example/', // httpoxy
    X_Under: 'dropped', // one name must not overwrite another
    'X-Under': 'kept',
    Only_Under: 'dropped',
    Function: '() { :;}; echo',
    Authorization: 'Basic c2VjcmV0',
  });
  assert.equal(seen.HTTP_PROXY, undefined);
  assert.equal(seen.HTTP_X_UNDER, 'kept');
  assert.equal(seen.HTTP_ONLY_UNDER, undefined);
  assert.equal(seen.HTTP_FUNCTION, '() { :;}; echo');
  assert.ok(!Object.values(seen).some((value) => value.includes('c2VjcmV0')),
    'a password stays with the server');
  assert.deepEqual(Object.keys(seen).filter((name) => name.startsWith('BASH_FUNC')), []);
});

test("of the server's own environment only the listed names, and --env", async (t) => {
  const server = await serve(t, sleeper, [...quick, '--env', 'GIVEN=a=b', '--env=HANDED_ON'], {
    env: { SECRET_TOKEN: 'x', HANDED_ON: 'as it is', LC_TIME: 'C', TZ: 'UTC', http_proxy: '',
      LD_LIBRARY_PATH: '/nowhere' },
  });
  const seen = await environmentFor(t, server, '/');
  assert.equal(seen.SECRET_TOKEN, undefined);
  assert.equal(seen.LD_LIBRARY_PATH, undefined);
  assert.equal(seen.GIVEN, 'a=b');
  assert.equal(seen.HANDED_ON, 'as it is');
  assert.equal(seen.LC_TIME, 'C');
  assert.equal(seen.TZ, 'UTC');
  assert.equal(seen.PATH, process.env.PATH);
  const prefixes = ['HTTP', 'SERVER', 'REMOTE', 'REQUEST', 'SCRIPT', 'PATH', 'QUERY', 'GATEWAY',
    'UNIQUE', 'WEBSOCKET', 'AUTH', 'CONTENT'];
  const request = new RegExp(`^(${prefixes.join('|')})_`);
  const rest = Object.keys(seen).filter((name) => !request.test(name)).sort();
  const listed = ['GIVEN', 'HANDED_ON', 'HOME', 'LANG', 'LC_ALL', 'LC_CTYPE', 'LC_TIME', 'PATH',
    'TMPDIR', 'TZ', 'USER'];
  assert.deepEqual(rest.filter((name) => !listed.includes(name)), []);
});

test('a program has the descriptors 0, 1 and 2 and its own session', async (t) => {
  const server = await serve(t, sleeper, quick);
  const other = await connect(server.ws());
  const client = await connect(server.ws());
  for (const pid of server.programs()) {
    await isExecuted(pid);
    assert.deepEqual(readdirSync(`/proc/${pid}/fd`), ['0', '1', '2'], commandLine(pid).join(' '));
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [, , processGroup, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    assert.deepEqual([Number(processGroup), Number(session)], [pid, pid]);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    for (const name of ['SigBlk', 'SigIgn']) {
      const mask = BigInt(`0x${new RegExp(`^${name}:\\s+([0-9a-f]+)$`, 'm').exec(status)[1]}`);
      // 32 and 33 are the C library's own, out of reach for everyone who uses it.
      assert.equal(mask & ~(3n << 31n), 0n, `${name} ${mask.toString(16)}`);
    }
  }
  for (const each of [client, other]) await each.close(1000);
});

test('the descriptor limit that the server was started with is given back', async (t) => {
  const server = await start(t,
    ['--nofile=777:5000', duplexPath, 'serve', onePort, ...quick, ...sleeper],
    { file: 'prlimit' });
  const client = await connect(server.ws());
  const limit = (pid) =>
    /^Max open files\s+(\d+)\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8')).slice(1);
  assert.deepEqual(limit(server.pid), ['5000', '5000']);
  assert.deepEqual(limit(server.programs()[0]), ['777', '5000']);
  await client.close(1000);
});

test('--chdir is where programs run; COMMAND is looked up before', async (t) => {
  const directory = t.directory();
  const server = await serve(t, ['./examples/reader.sh'], [`--chdir=${directory}`, ...quick]);
  const client = await connect(server.ws());
  assert.equal(realpathSync(`/proc/${server.programs()[0]}/cwd`), realpathSync(directory));
  client.send('x');
  assert.deepEqual(await client.received(1), ['You said: x']);
  await client.close(1000);
});

test('arguments reach a program as they are; nothing is expanded', async (t) => {
  const server = await start(t,
    ['serve', onePort, '--route', String.raw`/x=printf '%s\n' "$HOME" a\ b * ;`]);
  const client = await connect(server.ws('/x'));
  assert.equal((await client.close()).code, 1000);
  assert.deepEqual(client.messages, ['$HOME', 'a b', '*', ';']);
});
