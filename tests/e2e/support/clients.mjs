// WebSocket clients with one face: npm's ws and npm's websocket (WebSocket-Node), through the
// browser's interface that both of them offer.

import WebSocketNode from 'websocket';
import Ws from 'ws';

import { within } from './time.mjs';

export const clients = { ws: Ws, websocket: WebSocketNode.w3cwebsocket };

export class Client {
  messages = [];
  isClosed = false;
  #waiting = [];

  constructor(url, { Socket = Ws, protocols = [], ...options } = {}) {
    this.socket = Socket === Ws ? new Ws(url, protocols, options)
      : new Socket(url, protocols, options.origin, options.headers);
    this.socket.binaryType = 'arraybuffer';
    this.opened = new Promise((resolve, reject) => {
      this.socket.onopen = () => resolve(this);
      this.socket.onerror = (event) => {
        this.error = event.error ?? event;
        reject(this.error instanceof Error ? this.error : new Error('the connection failed'));
      };
    });
    this.opened.catch(() => {});
    this.closed = new Promise((resolve) => {
      this.socket.onclose = ({ code, reason, wasClean }) => {
        this.isClosed = true;
        this.#wake();
        resolve({ code, reason, wasClean });
      };
    });
    this.socket.onmessage = ({ data }) => {
      this.messages.push(typeof data === 'string' ? data : Buffer.from(data));
      this.#wake();
    };
  }

  #wake() {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  // Resolves once `count` messages are there, with those messages.
  async received(count, ms) {
    const enough = async () => {
      while (this.messages.length < count) {
        if (this.isClosed) throw new Error(
          `closed after ${this.messages.length} of ${count} messages`);
        await new Promise((resolve) => this.#waiting.push(resolve));
      }
      return this.messages.slice(0, count);
    };
    return within(enough(), `${count} messages`, ms);
  }

  // Resolves once a message matches, with it.
  async heard(pattern, ms) {
    const find = async () => {
      for (;;) {
        const found = this.messages.find((message) => pattern.test(message));
        if (found !== undefined) return found;
        if (this.isClosed) throw new Error(
          `closed without ${pattern}: ${JSON.stringify(this.messages).slice(0, 500)}`);
        await new Promise((resolve) => this.#waiting.push(resolve));
      }
    };
    return within(find(), `a message like ${pattern}`, ms);
  }

  send(data) {
    this.socket.send(data);
  }

  // Waits for the close event: code, reason, wasClean.
  close(code, reason) {
    if (code !== undefined) this.socket.close(code, reason);
    return within(this.closed, 'the close event');
  }
}

export async function connect(url, options) {
  const client = new Client(url, options);
  await within(client.opened, `the WebSocket ${url} opens`);
  return client;
}
