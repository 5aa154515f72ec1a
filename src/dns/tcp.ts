import { once } from "node:events";
import { createServer, isIPv6, type Server, type Socket } from "node:net";
import { LRUCache } from "lru-cache";
import type { Log } from "../base/log.ts";
import type { Tally } from "./counters.ts";
import { createFrames } from "./frames.ts";
import type { Bound } from "./listen.ts";
import type { Respond } from "./respond.ts";

/** The open connections of all listeners: strangers make them, so there is a bound. */
export interface Connections extends Disposable {
  /** Takes a connection in; where there are too many, the one idle for longest goes. */
  add(socket: Socket): void;
  /** Puts off the end of a connection that asked something. */
  touch(socket: Socket): void;
}

export interface ConnectionLimits {
  /** How many connections are open at most. */
  readonly maxConnections: number;
  /** Milliseconds without a whole query after which a connection is closed. */
  readonly idleMs: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  maxConnections: 1024,
  idleMs: 10_000, // RFC 7766 section 6.2.3: "on the order of a few seconds"
};

/** A client that asks and does not read is not read either while so much waits for it. */
const MAX_UNREAD_OCTETS = 256 * 1024;

/** How many queries of one connection are answered before others have their turn. */
const QUERIES_A_TURN = 32;

export function createConnections(
  { maxConnections, idleMs }: ConnectionLimits,
  counters: Tally,
): Connections {
  const { connections } = counters;
  const open = new LRUCache<Socket, true>({
    max: maxConnections,
    ttl: idleMs,
    dispose(_, socket, reason) {
      connections.open -= 1;
      if (reason === "evict") connections.evicted += 1;
      if (reason === "expire") connections.expired += 1;
      socket.destroy();
    },
  });
  // Only whole queries count as a sign of life, so one octet a second keeps no connection open.
  const sweep = setInterval(() => open.purgeStale(), Math.min(Math.max(1, idleMs / 4), 1000));

  return {
    add(socket) {
      connections.total += 1;
      connections.open += 1;
      open.set(socket, true);
      socket.once("close", () => open.delete(socket));
    },
    touch(socket) {
      open.get(socket, { updateAgeOnGet: true });
    },
    [Symbol.dispose]() {
      clearInterval(sweep);
      open.clear();
    },
  };
}

/** @throws what `listen` throws, as EADDRINUSE or EACCES. */
export async function openTcp(
  address: string,
  port: number,
  respond: Respond,
  connections: Connections,
  counters: Tally,
  log: Log,
): Promise<Bound> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    connections.add(socket);
    serve(socket, respond, connections, counters);
  });
  const listening = once(server, "listening");
  server.listen({ host: address, port, ipv6Only: isIPv6(address), exclusive: true });
  await listening;
  server.on("error", (error) => log.warn({ err: error, address, port }, `tcp ${address}: ${error.message}`));

  return {
    port: portOf(server),
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** RFC 7766 section 6.2.1.1: any number of queries on one connection, the next before the last is answered. */
function serve(socket: Socket, respond: Respond, connections: Connections, counters: Tally): void {
  const frames = createFrames();
  socket.on("data", (octets) => {
    frames.push(octets);
    answerSome();
  });
  socket.on("drain", answerSome);
  socket.on("end", () => socket.end());
  socket.on("error", () => socket.destroy()); // a reset is the client's business

  /** Answers what has arrived, but not for longer than others can wait: the socket rests while some is left. */
  function answerSome(): void {
    socket.cork(); // the replies to what came in one segment leave in one
    let left = QUERIES_A_TURN;
    while (left > 0 && !isUnread() && answerNext()) left--;
    socket.uncork();
    if (socket.destroyed) return;
    if (left > 0 && !isUnread()) {
      socket.resume();
      return;
    }
    socket.pause();
    if (isUnread()) counters.connections.paused += 1; // and goes on when it drains
    else setImmediate(answerSome);
  }

  /** False: there is no whole query. */
  function answerNext(): boolean {
    const query = socket.destroyed ? undefined : frames.shift();
    if (!query) return false;
    connections.touch(socket);
    const reply = respond(query, "tcp");
    if (!reply) {
      socket.destroy(); // not a query: this is no client of ours
      return false;
    }
    socket.write(lengthOf(reply));
    socket.write(reply);
    return true;
  }

  function isUnread(): boolean {
    return socket.writableLength > MAX_UNREAD_OCTETS;
  }
}

function lengthOf(reply: Uint8Array): Uint8Array {
  return Uint8Array.of(reply.length >> 8, reply.length & 0xff);
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}
