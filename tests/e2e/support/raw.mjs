// A WebSocket client of bytes: shows each answer and each frame as it is on the wire, and reads
// only when asked to.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';

import { within } from './time.mjs';

export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

export function frame(code, payload = '', { isFinal = true } = {}) {
  const data = Buffer.from(payload);
  const mask = randomBytes(4);
  const header = [(isFinal ? 0x80 : 0) | code];
  if (data.length < 126) {
    header.push(0x80 | data.length);
  } else if (data.length < 65536) {
    header.push(0x80 | 126, data.length >> 8, data.length & 0xff);
  } else {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(data.length));
    header.push(0x80 | 127, ...length);
  }
  const masked = Buffer.allocUnsafe(data.length);
  for (let at = 0; at < data.length; at += 1) masked[at] = data[at] ^ mask[at & 3];
  return Buffer.concat([Buffer.from(header), mask, masked]);
}

export const closeFrame = (code, reason = '') => {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return frame(opcode.close, payload);
};

export class RawConnection {
  #bytes = Buffer.alloc(0);
  #isEnded = false;

  constructor(socket) {
    this.socket = socket;
    socket.pause();
    socket.on('error', (error) => { this.error = error; });
    socket.on('close', () => { this.isClosed = true; });
    socket.on('end', () => { this.#isEnded = true; });
  }

  // The next bytes from the peer; null at its end.
  async #read() {
    const { socket } = this;
    return new Promise((resolve) => {
      const settle = (value) => {
        socket.pause();
        socket.off('data', settle).off('end', atEnd).off('close', atEnd);
        resolve(value);
      };
      const atEnd = () => settle(null);
      if (this.#isEnded || this.isClosed) {
        resolve(null);
        return;
      }
      socket.on('data', settle).on('end', atEnd).on('close', atEnd);
      socket.resume();
    });
  }

  async #need(length) {
    while (this.#bytes.length < length) {
      const more = await this.#read();
      if (more === null) return false;
      this.#bytes = this.#bytes.length === 0 ? more : Buffer.concat([this.#bytes, more]);
    }
    return true;
  }

  #take(length) {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }

  send(...chunks) {
    this.socket.write(Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))));
  }

  // An HTTP answer's head, and its body when Content-Length is given.
  async response() {
    const end = () => this.#bytes.indexOf('\r\n\r\n');
    while (end() < 0) {
      const more = await within(this.#read(), 'an HTTP answer');
      if (more === null) throw new Error(`the server closed before an answer: ${this.#bytes}`);
      this.#bytes = Buffer.concat([this.#bytes, more]);
    }
    const [first, ...lines] = this.#take(end() + 4).toString('latin1').trimEnd().split('\r\n');
    const headers = Object.fromEntries(lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    const status = Number(first.split(' ')[1]);
    const length = status === 101 ? 0 : Number(headers['content-length'] ?? 0);
    await within(this.#need(length), 'the body');
    return { status, headers, body: this.#take(length).toString() };
  }

  // The next frame if it has come already, else undefined.
  nextFrame() {
    const bytes = this.#bytes;
    if (bytes.length < 2) return undefined;
    assert.equal(bytes[1] & 0x80, 0, 'a server does not mask');
    const short = bytes[1] & 0x7f;
    const headerLength = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (bytes.length < headerLength) return undefined;
    const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126
      ? bytes.readUInt16BE(2) : short;
    if (bytes.length < headerLength + length) return undefined;
    const header = this.#take(headerLength);
    return { isFinal: (header[0] & 0x80) !== 0, opcode: header[0] & 0x0f,
      payload: this.#take(length) };
  }

  // The next frame, or null when the peer has ended the connection.
  async frame() {
    for (;;) {
      const next = this.nextFrame();
      if (next !== undefined) return next;
      if (!(await this.#need(this.#bytes.length + 1))) return null;
    }
  }

  // The next message or control frame: fragments are put together.
  async message() {
    const parts = [];
    let kind;
    for (;;) {
      const next = await within(this.frame(), 'a frame');
      if (next === null) return null;
      if (next.opcode >= 8) return next;
      kind ??= next.opcode;
      parts.push(next.payload);
      if (next.isFinal) return { opcode: kind, payload: Buffer.concat(parts) };
    }
  }

  // The code and the reason of the Close frame that comes next.
  async closeCode() {
    for (;;) {
      const next = await this.message();
      assert.notEqual(next, null, 'the connection ended without a Close frame');
      if (next.opcode !== opcode.close) continue;
      return { code: next.payload.readUInt16BE(0), reason: next.payload.subarray(2).toString() };
    }
  }

  destroy() {
    this.socket.destroy();
  }
}

export async function rawConnect(scope, { port, host = '127.0.0.1', socketPath, isTls = false }) {
  const socket = isTls ? tls.connect({ port, host, rejectUnauthorized: false })
    : net.connect(socketPath === undefined ? { port, host } : { path: socketPath });
  scope.after(() => socket.destroy());
  await within(new Promise((resolve, reject) => {
    socket.once(isTls ? 'secureConnect' : 'connect', resolve);
    socket.once('error', reject);
  }), 'a connection');
  return new RawConnection(socket);
}

// The opening handshake's request; a header whose value is null is left out.
export function upgradeRequest(target, headers = {}) {
  const all = {
    Host: '127.0.0.1',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    'Sec-WebSocket-Version': '13',
    ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

// Asks for a WebSocket: the answer, and the connection.
export async function upgrade(scope, server, target = '/', headers = {}, where = {}) {
  const connection = await rawConnect(scope, { port: server.port, ...where });
  connection.send(upgradeRequest(target, { Host: `127.0.0.1:${server.port}`, ...headers }));
  return { connection, ...(await connection.response()) };
}

// A plain request: status, headers, body.
export async function request(scope, server, target = '/',
    { method = 'GET', headers = {}, ...where } = {}) {
  const connection = await rawConnect(scope, { port: server.port, ...where });
  const lines = Object.entries({ Host: `127.0.0.1:${server.port}`, Connection: 'close',
    ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`);
  connection.send(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`);
  const response = await connection.response();
  connection.destroy();
  return response;
}
