import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import type { Crew } from "./crew.ts";
import type { Listener } from "./front.ts";
import type { Shared } from "./shared.ts";
import { openUdpFlow, type UdpFlow } from "./udp-flow.ts";

/** Room for a burst while the process is busy with something else. */
const RECEIVE_BUFFER_OCTETS = 4 * 1024 * 1024;

/** @throws what `bind` throws, as EADDRINUSE or EACCES. */
export async function listenUdp(
  address: string,
  port: number,
  crew: Crew,
  shared: Shared,
): Promise<Listener> {
  const { tally, limits } = shared;
  const family = isIPv6(address) ? ({ type: "udp6", ipv6Only: true } as const) : ({ type: "udp4" } as const);
  const socket = createSocket({ ...family, recvBufferSize: RECEIVE_BUFFER_OCTETS });
  /** By the client's address and port. */
  const flows = new Map<string, UdpFlow>();
  let isOpen = true;
  let isClosing = false;

  const listening = once(socket, "listening");
  socket.bind({ address, port, exclusive: true });
  try {
    await listening;
  } catch (error) {
    socket.close();
    throw error;
  }
  socket.on("error", (error) => {
    shared.log.warn({ err: error, address, port }, `udp ${address}: ${error.message}`);
  });
  socket.on("message", (octets, client) => {
    const key = `${client.address} ${client.port}`;
    const flow = flows.get(key) ?? open(key, client);
    if (flow) flow.send(octets);
    else tally.dropped += 1;
  });
  return {
    // Only through this socket do those hear of anything that keep their task: it closes behind the last.
    close() {
      isClosing = true;
      closeIfDone();
    },
    revive() {
      isClosing = false;
      return isOpen;
    },
  };

  function open(key: string, client: RemoteInfo): UdpFlow | undefined {
    // A source port of 0 can be forged and not be answered; Node throws for it.
    if (client.port === 0 || !crew.isServing) return undefined;
    if (shared.udp.size >= limits.maxFlows) {
      tally.evicted += 1;
      shared.udp.oldest()?.end();
    }
    const flow = openUdpFlow(crew, client.address, shared, {
      reply(octets) {
        if (!isOpen) return;
        socket.send(octets, client.port, client.address, (error) => {
          if (error) tally.dropped += 1;
        });
      },
      ended() {
        flows.delete(key);
        closeIfDone();
      },
    });
    flows.set(key, flow);
    return flow;
  }

  function closeIfDone(): void {
    if (!isClosing || !isOpen || flows.size > 0) return;
    isOpen = false;
    socket.close();
  }
}
