import { EMPTY_PREFIX, type Name, parentOf, type Prefix, wholePrefix } from "../../model/name.ts";
import { createExchange } from "./exchange.ts";
import { createLink, type Link, type LinkOptions, mayBeTrial } from "./link.ts";
import { TOTAL_MS } from "./race.ts";
import { formatUpstream, type Upstream } from "./upstream.ts";

/** Who is asked for which zones. */
export interface Links {
  /** Those of the longest zone that a name is at or beneath; none: nobody is asked. */
  find(name: Name): readonly Link[];
  /** Whether that zone is another than the root. */
  isBelowRoot(name: Name): boolean;
  /** Takes other upstreams from now on; of those that stay, what is known of them stays. */
  route(zones: ReadonlyMap<Name, readonly Upstream[]>): void;
  /** Tries all of them, and from now on new ones as they come. */
  look(): void;
  /** Whether a name that came here is one that an upstream was asked for to see whether it comes here. */
  isLoop(name: Name): boolean;
}

export type LinksOptions = Omit<LinkOptions, "name" | "zone" | "exchange">;

interface Held {
  readonly link: Link;
  readonly ends: AbortController;
}

export function createLinks(options: LinksOptions, signal: AbortSignal): Links {
  const { counters, timers } = options;
  let held = new Map<string, Held>();
  let zones: ReadonlyMap<Prefix, readonly Link[]> = new Map();
  let isLooking = false;
  signal.addEventListener("abort", () => held.forEach(({ ends }) => ends.abort()), { once: true });

  return {
    find: (name) => findBelowRoot(name) ?? zones.get(EMPTY_PREFIX) ?? [],
    isBelowRoot: (name) => findBelowRoot(name) !== undefined,
    route,
    look() {
      isLooking = true;
      for (const { link } of held.values()) link.look();
    },
    isLoop: (name) => mayBeTrial(name) && [...held.values()].some(({ link }) => link.foundHere(name)),
  };

  function findBelowRoot(name: Name): readonly Link[] | undefined {
    let labels: Prefix | undefined = wholePrefix(name);
    for (; labels !== undefined && labels !== EMPTY_PREFIX; labels = parentOf(labels)) {
      const found = zones.get(labels);
      if (found) return found;
    }
    return undefined;
  }

  function route(wanted: ReadonlyMap<Name, readonly Upstream[]>): void {
    const kept = new Map<string, Held>();
    zones = new Map(
      Array.from(wanted, ([zone, upstreams]) => [
        wholePrefix(zone),
        upstreams.map((upstream) => hold(upstream, zone, kept)),
      ]),
    );
    for (const [name, { ends }] of held) {
      if (!kept.has(name)) endLater(ends);
    }
    held = kept;
  }

  function hold(upstream: Upstream, zone: Name, kept: Map<string, Held>): Link {
    const name = formatUpstream(upstream);
    const known = kept.get(name) ?? held.get(name) ?? open(name, upstream, zone);
    kept.set(name, known);
    return known.link;
  }

  function open(name: string, upstream: Upstream, zone: Name): Held {
    const ends = new AbortController();
    const exchange = createExchange(upstream, counters, timers);
    const link = createLink({ ...options, name, zone, exchange }, ends.signal);
    if (isLooking) link.look();
    return { link, ends };
  }

  /** What it was asked it may still answer. */
  function endLater(ends: AbortController): void {
    const leave = (): void => {
      disarm();
      signal.removeEventListener("abort", leave);
      ends.abort();
    };
    const disarm = timers.after(TOTAL_MS, leave);
    signal.addEventListener("abort", leave);
  }
}
