import { createSocket } from "node:dgram";
import { familyOf, formatAddress } from "../../model/address.ts";
import type { ForwardCounters } from "./counters.ts";
import { matchReply, withId } from "./question.ts";
import type { Upstream } from "./upstream.ts";

/**
 * So many replies to the very question that is asked, but under other ids, and somebody is guessing: the id has 65,536
 * values, and must be hit before the true reply comes. What else there is to do then is TCP (RFC 5452 section 9).
 */
const MAX_GUESSES = 8;

/** What came of a question; `suspicious`: nothing that can be believed. */
export type Datagram = Uint8Array | "suspicious";

/**
 * Asks over UDP, from a socket and so a port of its own that the system chooses (RFC 5452 section 9.2), and waits until
 * the signal aborts. What is no reply to this question is ignored and counted.
 *
 * @throws what the socket threw: nobody listens there, no route, no more files; the signal's reason.
 */
export function askUdp(
  question: Uint8Array,
  { address, port }: Upstream,
  counters: ForwardCounters,
  signal: AbortSignal,
): Promise<Datagram> {
  const sent = withId(question);
  const socket = createSocket(familyOf(address) === 4 ? "udp4" : "udp6");
  let guesses = 0;
  let abort: () => void;
  return new Promise<Datagram>((resolve, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    socket.on("error", reject);
    socket.on("message", (octets) => {
      const match = matchReply(octets, sent);
      if (match === "reply") return resolve(octets);
      counters.strays += 1;
      if (match === "guess" && ++guesses === MAX_GUESSES) resolve("suspicious");
    });
    // Connected, the system drops what comes from elsewhere, and tells when nobody listens there.
    socket.on("connect", () => socket.send(sent));
    socket.connect(port, formatAddress(address));
  }).finally(() => {
    signal.removeEventListener("abort", abort);
    socket.close();
  });
}
