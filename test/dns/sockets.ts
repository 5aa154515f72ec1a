import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, isIPv6, type Socket } from "node:net";
import { silentLog } from "../../src/base/log.ts";
import { createFrames } from "../../src/dns/frames.ts";
import { createShared } from "../../src/dns/ready/shared.ts";
import { chooseLanes } from "../../src/dns/lanes/choose.ts";
import type { LaneOptions } from "../../src/dns/lanes/lanes.ts";
import { parseListen } from "../../src/dns/listen.ts";
import { type Listeners, type ListenersOptions, openListeners } from "../../src/dns/listeners.ts";
import { CONNECTION_LIMITS, type ConnectionLimits } from "../../src/dns/tcp.ts";

/** What answers over UDP. */
export const WAYS = ["dgram", "lanes"] as const;
export type Way = (typeof WAYS)[number];

/** Opens real sockets in front of what is served. */
export async function listen(
  { respond, counters }: Pick<ListenersOptions, "respond" | "counters">,
  specs: readonly string[] = ["127.0.0.1:0"],
  limits: Partial<ConnectionLimits> = {},
  way: Way = "dgram",
): Promise<Listeners> {
  return openListeners(specs.map(parseListen), {
    respond,
    counters,
    limits: { ...CONNECTION_LIMITS, ...limits },
    lanes: way === "lanes" ? await lanesOf(respond) : undefined,
    log: silentLog,
  });
}

/** One lane that is told nothing, so that `respond` answers everything. */
async function lanesOf(respond: ListenersOptions["respond"]): Promise<LaneOptions> {
  const choice = await chooseLanes(1);
  if (choice.kind === "dgram") throw new Error(choice.because);
  const shared = createShared({ cells: new Int32Array(new SharedArrayBuffer(2 ** 20)) });
  return {
    ...choice,
    shared,
    teach: (octets, client) => ({ reply: respond(octets, "udp", client), mail: [] }),
  };
}

export interface Datagram {
  readonly octets: Buffer;
  /** Where it came from. */
  readonly from: string;
}

/** Sends a datagram and waits for one that comes back, from wherever. */
export async function askUdp(octets: Uint8Array, port: number, address = "127.0.0.1"): Promise<Datagram> {
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  try {
    const replied = new Promise<Datagram>((resolve) => {
      socket.once("message", (reply, { address: from }) => resolve({ octets: reply, from }));
    });
    socket.send(octets, port, address);
    return await replied;
  } finally {
    socket.close();
  }
}

export interface TcpClient {
  readonly socket: Socket;
  /** Writes octets as they are. */
  send(octets: Uint8Array): void;
  /** The next `count` replies. */
  replies(count: number): Promise<Buffer[]>;
  /** Resolves when the other side has ended the connection. */
  readonly closed: Promise<unknown>;
}

export async function connectTcp(port: number, address = "127.0.0.1"): Promise<TcpClient> {
  const socket = connect({ port, host: address });
  const frames = createFrames();
  const arrived: Buffer[] = [];
  const closed = new Promise((resolve) => {
    socket.once("close", resolve);
  });
  socket.on("error", () => {}); // a reset is among what is tested
  socket.on("data", (octets) => {
    frames.push(octets);
    for (let reply = frames.shift(); reply; reply = frames.shift()) arrived.push(Buffer.from(reply));
    socket.emit("reply");
  });
  await once(socket, "connect");
  return {
    socket,
    closed,
    send: (octets) => socket.write(octets),
    async replies(count) {
      while (arrived.length < count) await Promise.race([once(socket, "reply"), closed.then(failClosed)]);
      return arrived.splice(0, count);
    },
  };
}

function failClosed(): never {
  throw new Error("the connection was closed");
}

/** A message as it goes over TCP: its length in front. */
export function framed(octets: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(octets.length >> 8, octets.length & 255), octets]);
}
