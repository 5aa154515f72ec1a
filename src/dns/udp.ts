import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import type { Log } from "../base/log.ts";
import type { Tally } from "./counters.ts";
import type { Bound, ListenSpec } from "./listen.ts";
import { readProxyHeader } from "./proxy-header.ts";
import type { Respond } from "./respond.ts";

/** Room for a burst while the process is busy with something else: some 2,000 queries. */
const RECEIVE_BUFFER_OCTETS = 4 * 1024 * 1024;

const FOUR = { type: "udp4" } as const;
const SIX = { type: "udp6", ipv6Only: true } as const;

/** @throws what `bind` throws, as EADDRINUSE or EACCES. */
export async function openUdp(
  { address, port, isProxied }: Pick<ListenSpec, "address" | "port" | "isProxied">,
  respond: Respond,
  counters: Tally,
  log: Log,
): Promise<Bound> {
  const socket = createSocket({ ...(isIPv6(address) ? SIX : FOUR), lookup });
  const sent = (error: Error | null): void => {
    if (error) counters.unsent += 1;
  };
  let isOpen = true;
  socket.on("message", (octets: Buffer, from: RemoteInfo) => {
    if (isProxied) answerProxied(octets, from);
    else answer(octets, from, from.address);
  });
  const answerProxied = (octets: Buffer, from: RemoteInfo): void => {
    const header = readProxyHeader(octets);
    if (header.kind === "header") answer(octets.subarray(header.end), from, header.client ?? from.address);
    else counters.unproxied += 1;
  };
  const answer = (octets: Buffer, from: RemoteInfo, client: string): void => {
    const reply = respond(octets, "udp", client);
    if (reply instanceof Promise) void reply.then((late) => isOpen && send(late, from));
    else if (reply) send(reply, from);
  };
  const send = (reply: Uint8Array, { address, port }: RemoteInfo): void => {
    // A source port of 0 can be forged and not be answered; Node throws for it.
    if (port === 0) counters.unsent += 1;
    else socket.send(reply, port, address, sent);
  };
  const listening = once(socket, "listening");
  socket.bind({ address, port, exclusive: true });
  try {
    await listening;
  } catch (error) {
    socket.close();
    throw error;
  }
  socket.on("error", (error) => log.warn({ err: error, address, port }, `udp ${address}: ${error.message}`));
  growBuffer(socket);

  return {
    port: socket.address().port,
    async [Symbol.asyncDispose]() {
      const closed = once(socket, "close");
      isOpen = false;
      socket.close();
      await closed;
    },
  };
}

/** What is sent to is an address already: to have the resolver find that out takes a microsecond of each reply. */
const lookup: NonNullable<SocketOptions["lookup"]> = (address, _, callback) => {
  callback(null, address, isIPv6(address) ? 6 : 4);
};

function growBuffer(socket: Socket): void {
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_OCTETS);
  } catch {
    // The system's own size then: it drops earlier under a burst, and clients ask again.
  }
}
