import { once } from "node:events";
import { createServer, isIPv6, type Server, type Socket } from "node:net";
import { LRUCache } from "lru-cache";
import type { Log } from "../base/log.ts";
import type { Tally } from "./counters.ts";
import { createFrames } from "./frames.ts";
import type { Bound, ListenSpec } from "./listen.ts";
import { takeProxyHeader } from "./proxy-stream.ts";
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

/** How many queries of one connection may wait for others to be asked: it is read on when half of them have replies. */
const MAX_WAITING = 128;

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
  { address, port, isProxied }: Pick<ListenSpec, "address" | "port" | "isProxied">,
  respond: Respond,
  connections: Connections,
  counters: Tally,
  log: Log,
): Promise<Bound> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy()); // a reset is the client's business
    connections.add(socket);
    const own = socket.remoteAddress;
    if (own === undefined) {
      socket.destroy(); // it has been reset already
      return;
    }
    const begin = (client = own, first: Uint8Array = new Uint8Array()): void =>
      serve(socket, first, (query) => respond(query, "tcp", client), connections, counters);
    if (isProxied) takeProxyHeader(socket, counters, begin);
    else begin();
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

/**
 * RFC 7766 section 6.2.1.1: any number of queries on one connection, the next before the last is answered. What must
 * be asked elsewhere is overtaken by what need not. `first` is what has been read already.
 */
function serve(
  socket: Socket,
  first: Uint8Array,
  respond: (query: Uint8Array) => ReturnType<Respond>,
  connections: Connections,
  counters: Tally,
): void {
  const frames = createFrames();
  let waiting = 0;
  let isHeld = false;
  let hasEnded = false;
  /** The replies to what came in one go, each behind its length: they leave in one write. */
  let replies: Uint8Array[] = [];
  let gathered = 0;
  socket.on("data", (octets) => {
    frames.push(octets);
    answerSome();
  });
  socket.on("drain", answerSome);
  socket.on("end", () => {
    hasEnded = true;
    endIfDone();
  });
  if (first.length > 0) {
    frames.push(first);
    answerSome();
  }

  /** Answers what has arrived, but not for longer than others can wait: the socket rests while some is left. */
  function answerSome(): void {
    let left = QUERIES_A_TURN;
    while (left > 0 && !isFull() && answerNext()) left--;
    if (left < QUERIES_A_TURN) connections.touch(socket);
    send();
    if (socket.destroyed) return;
    if (left > 0 && !isFull()) {
      socket.resume();
      return;
    }
    socket.pause();
    if (!isFull()) {
      setImmediate(answerSome);
      return;
    }
    counters.connections.paused += 1;
    isHeld = !isUnread(); // else it goes on when it drains
  }

  /** False: there is no whole query. */
  function answerNext(): boolean {
    const query = socket.destroyed ? undefined : frames.shift();
    if (!query) return false;
    const reply = respond(query);
    if (reply instanceof Promise) {
      waiting += 1;
      void reply.then(answerLate);
      return true;
    }
    if (!reply) {
      socket.destroy(); // not a query: this is no client of ours
      return false;
    }
    add(reply);
    return true;
  }

  function answerLate(reply: Uint8Array): void {
    waiting -= 1;
    if (socket.destroyed) return;
    connections.touch(socket);
    add(reply);
    send();
    endIfDone();
    if (!isHeld || waiting > MAX_WAITING / 2) return;
    isHeld = false;
    answerSome();
  }

  function add(reply: Uint8Array): void {
    replies.push(lengthOf(reply), reply);
    gathered += 2 + reply.length;
  }

  function send(): void {
    if (replies.length > 0 && !socket.destroyed) socket.write(Buffer.concat(replies));
    replies = [];
    gathered = 0;
  }

  /** Who has said all may still wait for replies. */
  function endIfDone(): void {
    if (hasEnded && waiting === 0) socket.end();
  }

  function isFull(): boolean {
    return isUnread() || waiting >= MAX_WAITING;
  }

  function isUnread(): boolean {
    return socket.writableLength + gathered > MAX_UNREAD_OCTETS;
  }
}

function lengthOf(reply: Uint8Array): Uint8Array {
  return Uint8Array.of(reply.length >> 8, reply.length & 0xff);
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}
