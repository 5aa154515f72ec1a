// Servers that say who they are and whom they saw.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, isIPv6 } from "node:net";

/** Servers by the name of the task that they are. */
export function createTasks() {
  const tasks = new Map();

  /** Listens on one address, TCP and UDP on the same port. Port 0: one that is free for both. */
  async function serve({ name, address, port }) {
    const task = tasks.get(name) ?? { listeners: [], connections: new Set() };
    tasks.set(name, task);
    const { tcp, udp } = await listenBoth(address, port);
    task.listeners.push(tcp, udp);
    tcp.on("connection", (socket) => {
      task.connections.add(socket);
      socket.on("close", () => task.connections.delete(socket));
      socket.on("error", () => {}); // a client that resets has gone, no more
      answerLines(socket, name);
    });
    udp.on("error", () => {}); // a reply that nobody took
    udp.on("message", (octets, from) => {
      udp.send(reply(name, from.address, octets.toString()), from.port, from.address);
    });
    return { port: tcp.address().port };
  }

  /** No new connections; those that are open go on. */
  function stopListening({ name }) {
    const task = tasks.get(name);
    for (const listener of task?.listeners.splice(0) ?? []) listener.close();
  }

  /** As a process that is killed: its connections are reset. */
  function die({ name }) {
    stopListening({ name });
    for (const socket of tasks.get(name)?.connections ?? []) socket.resetAndDestroy();
    tasks.delete(name);
  }

  return { serve, stopListening, die };
}

async function listenBoth(address, port) {
  for (;;) {
    const tcp = createServer({ noDelay: true }).listen(port, address);
    await once(tcp, "listening");
    const udp = createSocket(isIPv6(address) ? "udp6" : "udp4");
    udp.bind(tcp.address().port, address);
    try {
      await once(udp, "listening");
      return { tcp, udp };
    } catch (error) {
      tcp.close();
      if (port !== 0) throw error;
    }
  }
}

/** Each line is answered for itself, so that a flow can be seen to live. */
function answerLines(socket, name) {
  let text = "";
  socket.on("data", (octets) => {
    const lines = (text + octets).split("\n");
    text = lines.pop();
    for (const line of lines) socket.write(`${reply(name, socket.remoteAddress, line)}\n`);
  });
}

function reply(name, peer, text) {
  return JSON.stringify({ name, peer, text });
}
