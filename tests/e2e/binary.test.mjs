// What the tutorials do with binary data, in Chromium against `duplex echo`.

import assert from 'node:assert/strict';

import { blankPage, useChromium } from './support/chromium.mjs';
import { echo, test } from './support/program.mjs';

const openPage = useChromium();

async function echoPage(t, options = []) {
  const server = await echo(t, options);
  const page = await openPage(t, await blankPage(t));
  return { server, page };
}

test('a File is echoed', async (t) => {
  const { server, page } = await echoPage(t);
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7) & 255));
  await page.locator('input')
    .setInputFiles({ name: 'file.bin', mimeType: 'application/octet-stream', buffer: bytes });
  const result = await page.evaluate((url) => new Promise((resolve, reject) => {
    const file = document.querySelector('input[type="file"]').files[0];
    const ws = new WebSocket(url);
    ws.binaryType = 'blob';
    ws.onopen = () => ws.send(file);
    ws.onerror = () => reject(new Error('error event'));
    ws.onmessage = async (event) => {
      const [sent, got] = await Promise.all([file,
        event.data].map(async (blob) => new Uint8Array(await blob.arrayBuffer())));
      resolve({ isBlob: event.data instanceof Blob, size: event.data.size,
        same: sent.every((byte, at) => byte === got[at]) });
    };
  }), server.ws());
  assert.deepEqual(result, { isBlob: true, size: 100_000, same: true });
});

test('a typed array of 512,000 bytes, a canvas of 400 by 320, is echoed', async (t) => {
  const { server, page } = await echoPage(t);
  const result = await page.evaluate((url) => new Promise((resolve, reject) => {
    const canvas = document.createElement('canvas');
    canvas.width = 400;
    canvas.height = 320;
    const context = canvas.getContext('2d');
    context.fillStyle = '#c0ffee';
    context.fillRect(10, 10, 300, 200);
    const img = context.getImageData(0, 0, 400, 320);
    const binary = new Uint8Array(img.data.length);
    for (let i = 0; i < img.data.length; i++) binary[i] = img.data[i];
    const ws = new WebSocket(url);
    ws.binaryType = 'arraybuffer';
    ws.onopen = () => ws.send(binary.buffer);
    ws.onerror = () => reject(new Error('error event'));
    ws.onmessage = (event) => {
      const got = new Uint8Array(event.data);
      resolve({ isBuffer: event.data instanceof ArrayBuffer, length: got.length,
        same: got.every((byte, at) => byte === binary[at]) });
    };
  }), server.ws());
  assert.deepEqual(result, { isBuffer: true, length: 512_000, same: true });
});

test('after 10,000,000 bytes bufferedAmount is above 0, and comes back to 0', async (t) => {
  const { server, page } = await echoPage(t);
  const result = await page.evaluate((url) => new Promise((resolve, reject) => {
    const ws = new WebSocket(url);
    ws.binaryType = 'arraybuffer';
    let atOnce;
    ws.onopen = () => {
      ws.send(new ArrayBuffer(10000000));
      atOnce = ws.bufferedAmount;
    };
    ws.onerror = () => reject(new Error('error event'));
    ws.onmessage = (event) =>
      resolve({ atOnce, later: ws.bufferedAmount, echoed: event.data.byteLength });
  }), server.ws());
  assert.deepEqual(result, { atOnce: 10_000_000, later: 0, echoed: 10_000_000 });
});

test('text and binary keep their kind', async (t) => {
  const { server, page } = await echoPage(t);
  const kinds = await page.evaluate((url) => new Promise((resolve) => {
    const ws = new WebSocket(url);
    ws.binaryType = 'arraybuffer';
    const seen = [];
    ws.onopen = () => {
      ws.send('your message 你好 😀');
      ws.send(new Uint8Array([1, 2, 3]));
      ws.send('');
    };
    ws.onmessage = (event) => {
      seen.push(typeof event.data === 'string' ? event.data : event.data.byteLength);
      if (seen.length === 3) resolve(seen);
    };
  }), server.ws());
  assert.deepEqual(kinds, ['your message 你好 😀', 3, '']);
});

test('--text-pong: ping gets pong, and every other text its echo', async (t) => {
  const { server, page } = await echoPage(t, ['--text-pong']);
  const seen = await page.evaluate((url) => new Promise((resolve) => {
    const ws = new WebSocket(url);
    const got = [];
    ws.onopen = () => ['ping', 'ping ', 'ping'].forEach((text) => ws.send(text));
    ws.onmessage = (event) => {
      got.push(event.data);
      if (got.length === 3) resolve(got);
    };
  }), server.ws());
  assert.deepEqual(seen, ['pong', 'ping ', 'pong']);
});

test('a wrapper that keeps a heartbeat and reconnects unless it is closed by hand', async (t) => {
  const { server, page } = await echoPage(t, ['--text-pong', '--ping-interval=0']);
  const story = await page.evaluate((url) => new Promise((resolve) => {
    const told = [];
    class Lasting {
      connect() {
        this.ws = new WebSocket(url);
        this.ws.onopen = () => {
          told.push('open');
          this.ws.send('ping');
        };
        this.ws.onmessage = (event) => {
          told.push(event.data);
          if (told.filter((word) => word === 'open').length < 3) this.ws.close(4000,
            'as if it were lost');
          else this.closeByHand();
        };
        this.ws.onclose = (event) => {
          told.push(event.code);
          if (this.isClosedByHand) resolve(told);
          else this.connect();
        };
      }
      closeByHand() {
        this.isClosedByHand = true;
        this.ws.close();
      }
    }
    new Lasting().connect();
  }), server.ws());
  assert.deepEqual(story, ['open', 'pong', 4000, 'open', 'pong', 4000, 'open', 'pong', 1005]);
});

test('readyState goes 0, 1, 2, 3', async (t) => {
  const { server, page } = await echoPage(t);
  const states = await page.evaluate((url) => new Promise((resolve) => {
    const ws = new WebSocket(url);
    const seen = [ws.readyState];
    ws.onopen = () => {
      seen.push(ws.readyState);
      ws.close(1000, '再见');
      seen.push(ws.readyState);
    };
    ws.onclose = (event) => resolve([...seen, ws.readyState, event.code, event.wasClean]);
  }), server.ws());
  assert.deepEqual(states, [0, 1, 2, 3, 1000, true]);
});
