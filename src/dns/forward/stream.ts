import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { RotaError } from "../../base/error.ts";
import type { Timers } from "../../base/timers.ts";
import { formatAddress } from "../../model/address.ts";
import { pairAt } from "../../wire/octet-reader.ts";
import { createFrames } from "../frames.ts";
import type { ForwardCounters } from "./counters.ts";
import { matchReply, withId } from "./question.ts";
import { createReused } from "./reused.ts";
import type { Upstream } from "./upstream.ts";

/**
 * The connection to one upstream: opened when it is needed, kept for a while, and used by any number of questions at
 * once, whose replies come in any order (RFC 7766 sections 6.2.1 and 7, RFC 7858 section 3.4).
 */
export interface Stream extends Disposable {
  /** @throws RotaError `ERR_ROTA_FORWARD`, or what the socket threw; the signal's reason. */
  ask(question: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
}

interface Connection {
  readonly socket: Socket;
  /** What was asked on it and not replied to, by id; also what nobody waits for any more, since its reply may come. */
  readonly asked: Map<number, Asked>;
  /** Whether it ever brought a reply: one that did may have been closed by the other side when it was idle. */
  hasReplied: boolean;
  /** Lets go of it when nothing is heard for so long. */
  keepFor(ms: number): void;
}

interface Asked {
  readonly sent: Uint8Array;
  readonly resolve: (reply: Uint8Array) => void;
  readonly reject: (reason: unknown) => void;
}

/** RFC 7766 section 6.2.3: idle connections are closed by the client; most servers do after some 10 s. */
const IDLE_MS = 8000;
/** With questions waiting and nothing said for so long, nobody is there any more. */
const SILENT_MS = 2000;
/** A server that brings replies nobody asked for is not listened to for long. */
const MAX_STRAYS = 100;
/** As many as may wait altogether. */
const MAX_ASKED = 4096;

export function createStream(upstream: Upstream, counters: ForwardCounters, timers: Timers): Stream {
  const kept = createReused(open);

  return {
    ask: async (question, signal) =>
      kept.use(async (connection) => askOn(connection, question, signal), signal),
    [Symbol.dispose]: () => kept.current?.socket.destroy(),
  };

  function open(): Connection {
    const socket = connect(upstream);
    const frames = createFrames();
    let strays = 0;
    let disarm = nothing;
    let failure: unknown = new RotaError("ERR_ROTA_FORWARD", "the connection was closed");
    const connection: Connection = {
      socket,
      asked: new Map(),
      hasReplied: false,
      keepFor(ms) {
        disarm();
        disarm = timers.after(ms, () => socket.destroy());
      },
    };

    socket.setNoDelay(true);
    socket.on("data", (octets) => {
      frames.push(octets);
      for (let reply = frames.shift(); reply; reply = frames.shift()) {
        connection.hasReplied = true;
        if (take(connection, reply)) continue;
        counters.strays += 1;
        if (++strays === MAX_STRAYS) socket.destroy();
      }
      if (!socket.destroyed) connection.keepFor(connection.asked.size > 0 ? SILENT_MS : IDLE_MS);
    });
    socket.on("end", () => socket.destroy());
    socket.on("error", (error) => {
      failure = error;
    });
    socket.on("close", () => {
      disarm();
      kept.letGo(connection);
      for (const { reject } of connection.asked.values()) reject(failure);
    });
    return connection;
  }
}

async function askOn(connection: Connection, question: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
  const { socket, asked } = connection;
  if (asked.size === MAX_ASKED) throw new RotaError("ERR_ROTA_FORWARD", "too many questions wait for it");
  let sent = withId(question);
  while (asked.has(pairAt(sent, 0))) sent = withId(question);
  if (asked.size === 0) connection.keepFor(SILENT_MS);
  let abort = nothing;
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      asked.set(pairAt(sent, 0), { sent, resolve, reject });
      abort = () => reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      // RFC 7766 section 8: length and message in one segment.
      socket.write(Buffer.concat([Uint8Array.of(sent.length >> 8, sent.length & 0xff), sent]));
    });
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function nothing(): void {}

/** False: nobody waits for it. */
function take({ asked }: Connection, reply: Uint8Array): boolean {
  const id = pairAt(reply, 0);
  const found = asked.get(id);
  if (!found || matchReply(reply, found.sent) !== "reply") return false;
  asked.delete(id);
  found.resolve(reply);
  return true;
}

/** RFC 8310 section 8.1: without a name, the certificate must be for the address. */
function connect({ transport, address, port, serverName }: Upstream): Socket {
  const host = formatAddress(address);
  if (transport !== "tls") return connectTcp({ host, port });
  const servername = serverName ?? host;
  return connectTls({
    host,
    port,
    // RFC 6066 section 3: "Literal IPv4 and IPv6 addresses are not permitted" as SNI.
    servername: isIP(servername) === 0 ? servername : "",
    ALPNProtocols: ["dot"], // RFC 7858 section 3.1, IANA "TLS ALPN Protocol IDs"
  });
}
