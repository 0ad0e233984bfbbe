// ws_client.mjs - npm's ws as a client, default options; does what bench/duplex/client.c does, and
// "once": connect, send, wait for one message, close. Usage: WS_FOLDER=.../node_modules/ws node
// ws_client.mjs receive|send|chunks|hold|once URL [...]
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import readline from 'node:readline';

const WebSocket = createRequire(import.meta.url)(process.env.WS_FOLDER);
const [mode, url, ...rest] = process.argv.slice(2);
const payload = 'abcdefghijklmnopqrst';

function counter(warmup, wanted) {
  let seen = 0;
  let cpu;
  let wall;
  return (data) => {
    if (data.length !== payload.length) throw new Error('a message of another length came');
    seen++;
    if (seen === warmup) {
      cpu = process.cpuUsage();
      wall = process.hrtime.bigint();
    }
    if (seen < warmup + wanted) return;
    const { user, system } = process.cpuUsage(cpu);
    const seconds = Number(process.hrtime.bigint() - wall) / 1e9;
    process.stdout.write(
      `${JSON.stringify({ cpu_us: (user + system) / wanted, rate: wanted / seconds })}\n`);
    process.exit(0);
  };
}

const modes = {
  receive(warmup, wanted) {
    new WebSocket(url).on('message', counter(Number(warmup), Number(wanted)));
  },
  send(warmup, wanted, window) {
    const count = counter(Number(warmup), Number(wanted));
    const socket = new WebSocket(url);
    socket.on('open', () => { for (let i = 0; i < Number(window); i++) socket.send(payload); });
    socket.on('message', (data) => { count(data); socket.send(payload); });
  },
  chunks() {
    const socket = new WebSocket(url, { maxPayload: 0 });
    socket.on('message', (data) => { console.log(JSON.stringify({ bytes: data.length, chunks: 1 }));
      socket.close(); });
  },
  hold() {
    const held = [];
    let opening = 0;
    let goal = 0;
    const openMore = () => {
      while (held.length + opening < goal && opening < 64) {
        opening++;
        const socket = new WebSocket(url);
        socket.on('open', () => { opening--; held.push(socket); openMore(); });
      }
      if (held.length === goal) console.log(JSON.stringify({ open: goal }));
    };
    readline.createInterface({ input: process.stdin })
      .on('line', (line) => { goal = Number(line); openMore(); }).on('close',
        () => process.exit(0));
  },
  once(ca) {
    const socket = new WebSocket(url, ca ? { ca: readFileSync(ca) } : {});
    socket.on('open', () => socket.send('x'));
    socket.on('message', (data) => { process.stdout.write(`${data}\n`); socket.close(); });
  },
};
modes[mode](...rest);
