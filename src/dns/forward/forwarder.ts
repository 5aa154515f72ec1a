import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Timers } from "../../base/timers.ts";
import type { Name } from "../../model/name.ts";
import type { Query } from "../../wire/message.ts";
import type { ForwardCache } from "./cache.ts";
import type { ForwardCounters } from "./counters.ts";
import type { Link } from "./link.ts";
import { createLinks } from "./links.ts";
import { type Outcome, race } from "./race.ts";
import { writeQuestion } from "./question.ts";
import type { Upstream } from "./upstream.ts";

/** What a query gets whose name is not ours. */
export type Forwarded =
  /** Upstream's octets: its question and id are those that it was asked. */
  | { readonly kind: "reply"; readonly octets: Uint8Array }
  /** Nobody answered. */
  | { readonly kind: "nobody" }
  /** Too many wait already. */
  | { readonly kind: "full" }
  /** Nobody is to be asked for this name, or not by this client. */
  | { readonly kind: "none" };

/** Asks others for what is not ours. */
export interface Forwarder {
  /** What comes of a query that has a plain question of class IN; at once where nobody must be asked. */
  forward(query: Query): Forwarded | Promise<Forwarded>;
  /** Whether a zone beneath the root, which upstreams were named for, holds this name. */
  isRouted(name: Name): boolean;
  /** Who is asked for a name, as `udp://10.0.0.53:53`, those left out included. */
  upstreamsOf(name: Name): readonly string[];
  /** Takes other upstreams from now on; of those that stay, what is known of them stays. */
  route(zones: ReadonlyMap<Name, readonly Upstream[]>): void;
  /** From now on this server can be asked: looks whether upstreams are there, and whether one leads back here. */
  look(): void;
}

export interface ForwarderOptions {
  /** How many queries wait for upstreams at most. */
  readonly maxWaiting: number;
  /** Undefined: nothing is kept. */
  readonly cache: ForwardCache | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly counters: ForwardCounters;
  readonly log: Log;
}

export const MAX_WAITING = 4096;

/** A question that upstreams are being asked. */
interface UnderWay {
  readonly asked: Promise<Outcome>;
  readonly ends: AbortController;
}

const NONE: Forwarded = { kind: "none" };
const FULL: Forwarded = { kind: "full" };
const NOBODY: Forwarded = { kind: "nobody" };
/** RFC 8767 section 5: so long a client waits before it gets what is stale. */
const STALE_AFTER_MS = 1800;

export function createForwarder(options: ForwarderOptions, signal: AbortSignal): Forwarder {
  const { maxWaiting, cache, counters, timers } = options;
  const underWay = new Map<string, UnderWay>();
  /** Another with each route: what upstreams of before still say is not to be kept. */
  let routes = 0;
  const links = createLinks(options, signal);
  signal.addEventListener("abort", () => underWay.forEach(({ ends }) => ends.abort()), { once: true });

  return {
    forward,
    isRouted: links.isBelowRoot,
    upstreamsOf: (name) => links.find(name).map((link) => link.name),
    route(zones) {
      links.route(zones);
      routes += 1;
      cache?.clear();
    },
    look: links.look,
  };

  function forward(query: Query): Forwarded | Promise<Forwarded> {
    const { name } = query.question;
    const asked = links.find(name);
    // A question of our own that came back: asked again, it would go round for ever.
    if (asked.length === 0 || signal.aborted || links.isLoop(name)) return NONE;
    const found = cache?.find(query);
    if (found) {
      if (found.wantsPrefetch && underWay.size < maxWaiting) void ask(query, asked);
      return { kind: "reply", octets: found.reply };
    }
    // RFC 1034 section 4.3.1: who does not want recursion is answered from what is here.
    if (!query.recursionDesired) return NONE;
    if (counters.waiting < maxWaiting) return wait(query, asked);
    counters.refused += 1;
    return stale(query) ?? FULL;
  }

  async function wait(query: Query, upstreams: readonly Link[]): Promise<Forwarded> {
    counters.waiting += 1;
    try {
      return await soonest(query, ask(query, upstreams));
    } finally {
      counters.waiting -= 1;
    }
  }

  /** What upstream says; what is stale, if it does not know or lets the client wait for too long. */
  async function soonest(query: Query, asked: Promise<Outcome>): Promise<Forwarded> {
    const inTime = await withinTime(asked, STALE_AFTER_MS);
    const kept = inTime ? undefined : stale(query);
    if (kept) return kept;
    const outcome = inTime ?? (await asked);
    if (outcome.kind === "reply" && outcome.isAnswer) return outcome;
    return stale(query) ?? (outcome.kind === "reply" ? outcome : NOBODY);
  }

  async function withinTime(asked: Promise<Outcome>, ms: number): Promise<Outcome | undefined> {
    let disarm: (() => void) | undefined;
    const late = new Promise<undefined>((resolve) => {
      disarm = timers.after(ms, () => resolve(undefined));
    });
    const outcome = await Promise.race([asked, late]);
    disarm?.();
    return outcome;
  }

  /** The same question is asked once, whoever asks while it is under way. */
  function ask(query: Query, upstreams: readonly Link[]): Promise<Outcome> {
    const key = keyOf(query);
    const found = underWay.get(key);
    if (found) {
      counters.joined += 1;
      return found.asked;
    }
    const ends = new AbortController();
    const askedBy = routes;
    const asked = race(writeQuestion(query), upstreams, options, ends.signal).then((outcome) => {
      underWay.delete(key);
      if (outcome.kind === "nobody") counters.failed += 1;
      if (askedBy === routes) keep(query, outcome);
      return outcome;
    });
    underWay.set(key, { asked, ends });
    return asked;
  }

  function keep(query: Query, outcome: Outcome): void {
    if (outcome.kind === "reply") cache?.keep(query, outcome.octets);
    else if (!signal.aborted) cache?.keepFailure(query);
  }

  function stale(query: Query): Forwarded | undefined {
    const octets = cache?.findStale(query);
    return octets && { kind: "reply", octets };
  }
}

/** What a reply depends on that goes to the client as it came. */
function keyOf({ question, edns, authenticDataWanted, checkingDisabled }: Query): string {
  const { name, type } = question;
  const bits =
    (edns ? 1 : 0) | (edns?.dnssecOk ? 2 : 0) | (authenticDataWanted ? 4 : 0) | (checkingDisabled ? 8 : 0);
  return String.fromCharCode(bits, type) + name;
}
