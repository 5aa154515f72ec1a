import { silentLog } from "../../../src/base/log.ts";
import { type ForwardCache, createForwardCache } from "../../../src/dns/forward/cache.ts";
import { createForwardTally, type ForwardCounters } from "../../../src/dns/forward/counters.ts";
import { createForwarder, type Forwarded, type Forwarder } from "../../../src/dns/forward/forwarder.ts";
import { parseForward, type Upstream } from "../../../src/dns/forward/upstream.ts";
import type { Name } from "../../../src/model/name.ts";
import { type Hand, turnedByHand } from "../../by-hand.ts";
import type { Asked } from "../../wire/query.ts";
import { ask } from "./cached.ts";
import { told } from "./replies.ts";

/** A forwarder in front of upstreams, with a clock to turn. */
export interface Forwarding extends Disposable {
  readonly forwarder: Forwarder;
  readonly counters: ForwardCounters;
  readonly cache: ForwardCache | undefined;
  readonly hand: Hand;
  /** What comes of a question: the lines of its reply, or `nobody`, `full`, `none`. */
  ask(question: string, asked?: Partial<Asked>): Promise<string[]>;
  route(specs: readonly string[]): void;
}

export interface ForwardingOptions {
  readonly maxWaiting?: number;
  /** @default none */
  readonly cacheOctets?: number;
}

export function forwarding(specs: readonly string[], options: ForwardingOptions = {}): Forwarding {
  const { maxWaiting = 100, cacheOctets } = options;
  const hand = turnedByHand();
  const { clock, timers } = hand;
  const counters = createForwardTally();
  const cache = cacheOctets === undefined ? undefined : createForwardCache({ maxOctets: cacheOctets, clock });
  const life = new AbortController();
  const forwarder = createForwarder(
    { maxWaiting, cache, clock, timers, counters, log: silentLog },
    life.signal,
  );
  forwarder.route(routesOf(specs));
  return {
    forwarder,
    counters,
    cache,
    hand,
    ask: async (question, asked) => tell(await forwarder.forward(ask(question, asked))),
    route: (specs) => forwarder.route(routesOf(specs)),
    [Symbol.dispose]: () => life.abort(),
  };
}

export function tell(forwarded: Forwarded): string[] {
  return forwarded.kind === "reply" ? told(forwarded.octets) : [forwarded.kind];
}

function routesOf(specs: readonly string[]): ReadonlyMap<Name, readonly Upstream[]> {
  return new Map(
    specs
      .map(parseForward)
      .map(({ zone, targets }) => [
        zone,
        targets.flatMap((target) => (target.kind === "upstream" ? [target.upstream] : [])),
      ]),
  );
}
