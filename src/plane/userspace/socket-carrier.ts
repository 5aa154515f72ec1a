import { Socket } from "node:net";
import type { Carrier, Ears, Side } from "./side.ts";
import { pass, read, reset } from "./stream.ts";

/** What is written is told of when all of it has left (1). */
export const ACCEPTING = { pauseOnConnect: true, allowHalfOpen: true, highWaterMark: 1 } as const;
const CALLING = { allowHalfOpen: true, writableHighWaterMark: 1 } as const;

/** Sides that are sockets of Node's. Servers must have been created with {@link ACCEPTING}. */
export function createSocketCarrier(): Carrier {
  return {
    accept: (server, take) =>
      void server.on("connection", (client) => take((ears) => createSocketSide(client, ears))),
    call(host, port, ears) {
      const socket = new Socket(CALLING);
      const side = createSocketSide(socket, ears);
      socket.pause(); // or it would read as soon as it stands
      socket.on("connect", ears.joined);
      socket.connect(port, host);
      return side;
    },
  };
}

function createSocketSide(socket: Socket, ears: Ears): Side {
  socket.on("error", ignore); // "close" follows
  socket.on("close", ears.gone);
  socket.on("drain", ears.drained);
  socket.on("end", ears.ended);
  // A stream's own `push` would take one chunk more than there is room for before it stopped reading, and would
  // tell of each by an event; false has the socket stop at once, until it is to read on.
  const { push } = socket;
  socket.push = (chunk: Buffer | null) => (chunk === null ? push.call(socket, null) : ears.heard(chunk));

  return {
    get isClosed() {
      return socket.destroyed;
    },
    read: () => read(socket),
    write: (octets) => !socket.destroyed && pass(socket, octets),
    end: () => void socket.end(),
    finish() {
      if (socket.writableLength === 0) socket.destroy();
      else socket.end();
    },
    close: () => void socket.destroy(),
    reset: () => reset(socket),
    setNoDelay: () => void socket.setNoDelay(),
    setKeepAlive: (ms) => void socket.setKeepAlive(true, ms),
    ends() {
      const { remoteAddress: source, remotePort: sourcePort } = socket;
      const { localAddress: destination, localPort: destinationPort } = socket;
      if (source === undefined || sourcePort === undefined) return undefined;
      if (destination === undefined || destinationPort === undefined) return undefined;
      return { source, sourcePort, destination, destinationPort };
    },
  };
}

function ignore(): void {}
