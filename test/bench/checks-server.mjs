// What is probed, in a process of its own that checks.mjs starts: node checks-server.mjs KIND
// It listens on all of 127.0.0.0/8, for tens of thousands of tasks that each have an address: were it one address, the
// ports to call it from would run out, as each is kept for a minute after a connection.

import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer as createTcpServer } from "node:net";

const SERVERS = {
  tcp: () =>
    createTcpServer((socket) => {
      socket.on("error", () => socket.destroy()); // whoever probes may reset
      socket.resume(); // else its end is not heard
    }),
  http: () => createHttpServer((_request, response) => response.end("ok")),
};
/** More than are ever probed at once. */
const BACKLOG = 4096;

const server = SERVERS[process.argv[2]]();
server.listen({ host: "0.0.0.0", port: 0, backlog: BACKLOG });
await once(server, "listening");
process.on("disconnect", () => process.exit());
process.send(server.address().port);
