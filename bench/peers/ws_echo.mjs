// ws_echo.mjs - an echo server with npm's ws and its default options. The folder that holds the
// package comes from WS_FOLDER, so that the benchmark uses the copy that the tests have installed.
// Usage: WS_FOLDER=.../node_modules/ws node ws_echo.mjs PORT [CERTIFICATE KEY]
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { createRequire } from 'node:module';

const { WebSocketServer } = createRequire(import.meta.url)(process.env.WS_FOLDER);
const [port, cert, key] = process.argv.slice(2);
const place = { host: '127.0.0.1', port: Number(port), backlog: 4096 };
let server;
if (cert) {
    const front = https.createServer({ cert: readFileSync(cert), key: readFileSync(key) });
    server = new WebSocketServer({ server: front });
    front.listen(place);
} else {
    server = new WebSocketServer(place);
}
server.on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    socket.on('message', (data, binary) => socket.send(data, { binary }));
});
