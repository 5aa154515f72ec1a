import { RotaError } from "../../base/error.ts";
import type { Timers } from "../../base/timers.ts";
import type { ForwardCounters } from "./counters.ts";
import { isCut, isWhole } from "./fit.ts";
import { createHttps } from "./https.ts";
import { createStream } from "./stream.ts";
import { createDatagrams } from "./udp.ts";
import type { Upstream } from "./upstream.ts";

/** The way to one upstream. */
export interface Exchange extends Disposable {
  /**
   * The reply to a question, all its records in it unless TC says otherwise.
   *
   * @throws what keeps it from coming; the signal's reason.
   */
  ask(question: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
}

export function createExchange(upstream: Upstream, counters: ForwardCounters, timers: Timers): Exchange {
  const datagrams = createDatagrams(upstream, counters);
  const create = upstream.transport === "https" ? createHttps : createStream;
  const stream = create(upstream, counters, timers);

  return {
    async ask(question, signal) {
      const reply =
        upstream.transport === "udp" ? await askBoth(question, signal) : await stream.ask(question, signal);
      if (isCut(reply) || isWhole(reply)) return reply;
      counters.garbage += 1;
      throw new RotaError("ERR_ROTA_FORWARD", "its reply cannot be read");
    },
    [Symbol.dispose]: () => stream[Symbol.dispose](),
  };

  /** Over UDP, and again over TCP what did not fit or cannot be believed (RFC 7766 section 5, RFC 5452 section 9). */
  async function askBoth(question: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const datagram = await datagrams.ask(question, signal);
    if (datagram !== "suspicious" && !isCut(datagram)) return datagram;
    counters.retried += 1;
    try {
      return await stream.ask(question, signal);
    } catch (error) {
      // Where TCP does not get through, the client may know better than to give up, and TC tells it.
      if (datagram === "suspicious") throw error;
      return datagram;
    }
  }
}
