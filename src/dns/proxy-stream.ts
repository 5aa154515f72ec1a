import type { Socket } from "node:net";
import type { Tally } from "./counters.ts";
import { readProxyHeader } from "./proxy-header.ts";

/**
 * Takes the PROXY header off the beginning of a connection, in however many pieces it comes, and then calls `begin`
 * once with the client it tells of, if any, and the octets that came behind it.
 *
 * Without a good one the connection is closed: whether there is a header is not to be guessed (PROXY protocol section 2). That it
 * comes in time is seen to by whoever bounds idle connections.
 */
export function takeProxyHeader(
  socket: Socket,
  counters: Tally,
  begin: (client: string | undefined, rest: Uint8Array) => void,
): void {
  let held: Uint8Array = new Uint8Array(); // never more than a header: then it is right or wrong
  socket.on("data", take);
  socket.on("end", end);

  function take(octets: Uint8Array): void {
    held = held.length === 0 ? octets : Buffer.concat([held, octets]);
    const reading = readProxyHeader(held);
    switch (reading.kind) {
      case "partial":
        return;
      case "wrong":
        refuse();
        return;
      case "header":
        socket.off("data", take).off("end", end);
        begin(reading.client, held.subarray(reading.end));
    }
  }

  /** Whoever only looks whether somebody listens sends nothing, and has done no wrong. */
  function end(): void {
    if (held.length > 0) refuse();
    else socket.end();
  }

  function refuse(): void {
    counters.unproxied += 1;
    socket.destroy();
  }
}
