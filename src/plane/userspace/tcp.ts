import { once } from "node:events";
import { createServer, isIPv6 } from "node:net";
import type { Crew } from "./crew.ts";
import type { Listener } from "./front.ts";
import type { Shared } from "./shared.ts";
import { ACCEPTING } from "./socket-carrier.ts";
import { carryTcp } from "./tcp-flow.ts";

/** Connections that may wait to be accepted; the system has a bound of its own (net.core.somaxconn). */
const BACKLOG = 4096;

/** @throws what `listen` throws, as EADDRINUSE or EACCES. */
export async function listenTcp(
  address: string,
  port: number,
  crew: Crew,
  shared: Shared,
): Promise<Listener> {
  const server = createServer(ACCEPTING);
  server.listen({ host: address, port, ipv6Only: isIPv6(address), exclusive: true, backlog: BACKLOG });
  await once(server, "listening");
  shared.carrier.accept(server, (open) => carryTcp(open, crew, shared));
  server.on("error", (error) => {
    shared.log.warn({ err: error, address, port }, `tcp ${address}: ${error.message}`);
  });
  return {
    // Those that it has accepted go on.
    close: () => void server.close(),
    revive: () => false,
  };
}
