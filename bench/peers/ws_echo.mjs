// ws_echo.mjs - an echo server with npm's ws and its default options. The folder that holds the
// package comes from WS_FOLDER, so that the benchmark uses the copy that the tests have installed.
// Usage: WS_FOLDER=.../node_modules/ws node ws_echo.mjs PORT
import { createRequire } from 'node:module';

const { WebSocketServer } = createRequire(import.meta.url)(process.env.WS_FOLDER);
const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]) });
server.on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    socket.on('message', (data, binary) => socket.send(data, { binary }));
});
