import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import type { Log } from "../base/log.ts";
import type { Tally } from "./counters.ts";
import type { Bound, ListenSpec } from "./listen.ts";
import { readProxyHeader } from "./proxy-header.ts";
import type { Respond } from "./respond.ts";

/** Room for a burst while the process is busy with something else: some 2,000 queries. */
const RECEIVE_BUFFER_OCTETS = 4 * 1024 * 1024;

/** @throws what `bind` throws, as EADDRINUSE or EACCES. */
export async function openUdp(
  { address, port, isProxied }: Pick<ListenSpec, "address" | "port" | "isProxied">,
  respond: Respond,
  counters: Tally,
  log: Log,
): Promise<Bound> {
  const socket = createSocket(isIPv6(address) ? { type: "udp6", ipv6Only: true } : { type: "udp4" });
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
    if (reply instanceof Promise) void reply.then((late) => isOpen && send(socket, late, from, counters));
    else if (reply) send(socket, reply, from, counters);
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

function send(socket: Socket, reply: Uint8Array, { address, port }: RemoteInfo, counters: Tally): void {
  // A source port of 0 can be forged and not be answered; Node throws for it.
  if (port === 0) {
    counters.unsent += 1;
    return;
  }
  socket.send(reply, port, address, (error) => {
    if (error) counters.unsent += 1;
  });
}

function growBuffer(socket: Socket): void {
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_OCTETS);
  } catch {
    // The system's own size then: it drops earlier under a burst, and clients ask again.
  }
}
