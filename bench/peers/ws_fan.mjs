// ws_fan.mjs - npm's ws as its own documentation broadcasts: what one says is sent to all others.
// Usage: WS_FOLDER=.../node_modules/ws node ws_fan.mjs PORT
import { createRequire } from 'node:module';

const { WebSocketServer, WebSocket } = createRequire(import.meta.url)(process.env.WS_FOLDER);
const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]),
  backlog: 4096 });
server.on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    socket.on('message', (data, binary) => {
        for (const other of server.clients) {
            if (other !== socket && other.readyState === WebSocket.OPEN) other.send(data,
              { binary });
        }
    });
});
