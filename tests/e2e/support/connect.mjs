// `duplex connect` run to its end, and servers of a few lines for it to talk to.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { WebSocketServer } from 'ws';

import { Program, duplexPath } from './program.mjs';
import { within } from './time.mjs';

const onTerminal = fileURLToPath(new URL('on_terminal.py', import.meta.url));

// The environment of these tests names no proxy.
const plain = Object.fromEntries(['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy',
  'ALL_PROXY', 'no_proxy', 'NO_PROXY']
  .map((name) => [name, '']));

// Runs it with `input` on stdin: { code, stdout, stderr }. Without an input stdin stays open.
export async function connect(scope, args, { input, env = {}, ...options } = {}) {
  const program = new Program(scope, duplexPath, ['connect', ...args],
    { ...options, env: { ...plain, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  program.process.stdin.on('error', () => {}); // it may end before it has read everything
  if (input !== undefined) program.process.stdin.end(input);
  const { code, signal } = await within(program.ended, `${program.title} ends`, 50_000);
  return { code: code ?? signal, stdout: program.stdout, stderr: program.stderr };
}

// Starts it: a Program whose stdin can be written to.
export function startConnect(scope, args, { env = {}, ...options } = {}) {
  return new Program(scope, duplexPath, ['connect', ...args],
    { ...options, env: { ...plain, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
}

// On a terminal, with a home of its own.
export function typeConnect(scope, args, { env = {} } = {}) {
  const home = env.HOME ?? scope.directory();
  const program = new Program(scope, 'python3', [onTerminal, duplexPath, 'connect', ...args],
    { env: { ...plain, TERM: 'xterm', LC_ALL: 'C.UTF-8', NO_COLOR: '',
      XDG_STATE_HOME: path.join(home, 'state'), HOME: home, ...env },
      stdio: ['pipe', 'pipe', 'pipe'] });
  program.type = (text) => program.process.stdin.write(text);
  return program;
}

// The answer to a handshake, and what its Sec-WebSocket-Accept is to a key.
export const acceptance = (accept) =>
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  `Sec-WebSocket-Accept: ${accept}\r\n\r\n`;
export const acceptOf = (key) =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

// A server of npm's ws: `onSocket` gets each connection and its request.
export async function wsServer(scope, onSocket, options = {}) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  if (options.server === undefined) await once(server, 'listening');
  server.on('connection', (socket, request) => {
    socket.on('error', () => {});
    onSocket(socket, request);
  });
  scope.after(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const { port } = (options.server ?? server).address();
  return { server, port, url: `ws://127.0.0.1:${port}/` };
}

// A server of bytes: `onSocket` gets each connection.
export async function rawServer(scope, onSocket) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    onSocket(socket);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  scope.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: server.address().port, url: `ws://127.0.0.1:${server.address().port}/` };
}

// A server that opens each connection properly and then says `bytes`, or what a function of the
// socket does with it.
export function openingServer(scope, then) {
  return rawServer(scope, (socket) => {
    let head = '';
    const onData = (data) => {
      head += data.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      socket.off('data', onData);
      const [, key] = /^Sec-WebSocket-Key: (\S+)/mi.exec(head);
      socket.write(acceptance(acceptOf(key)));
      if (typeof then === 'function') then(socket);
      else socket.write(Buffer.from(then));
    };
    socket.on('data', onData);
  });
}

// A frame of a server's, of at most 125 bytes.
export const serverFrame = (opcode, payload = '') =>
  Buffer.concat([Buffer.from([0x80 | opcode, Buffer.byteLength(payload)]), Buffer.from(payload)]);
