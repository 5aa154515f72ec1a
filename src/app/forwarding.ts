import { systemClock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { systemTimers } from "../base/timers.ts";
import { createForwardCache, type ForwardCache } from "../dns/forward/cache.ts";
import type { ForwardCounters } from "../dns/forward/counters.ts";
import { createForwarder, type Forwarder } from "../dns/forward/forwarder.ts";
import { type ForwardSpec, plainUpstream, type Target, type Upstream } from "../dns/forward/upstream.ts";
import type { Address } from "../model/address.ts";
import type { Name } from "../model/name.ts";
import type { SourceReport } from "../sources/report.ts";
import { watchResolvConf } from "../sources/resolv-conf.ts";

export interface ForwardingOptions {
  readonly specs: readonly ForwardSpec[];
  readonly maxWaiting: number;
  /** 0: nothing is kept. */
  readonly cacheOctets: number;
  /** Whether resolv.conf is looked at again and again. */
  readonly poll: boolean;
  readonly counters: ForwardCounters;
  readonly log: Log;
  readonly report: (report: SourceReport) => void;
}

/** Forwarding, until the signal aborts. */
export interface Forwarding {
  readonly forwarder: Forwarder;
  /** Undefined: nothing is kept. */
  readonly cache: ForwardCache | undefined;
  /** Resolves when the signal has aborted and nothing is left of it. */
  readonly closed: Promise<unknown>;
}

/** Sends queries where `specs` say, resolv.conf followed as it changes; undefined: they say nothing. */
export async function openForwarding(
  { specs, maxWaiting, cacheOctets, poll, counters, log, report }: ForwardingOptions,
  signal: AbortSignal,
): Promise<Forwarding | undefined> {
  if (specs.length === 0) return undefined;
  const clock = systemClock;
  const cache = cacheOctets === 0 ? undefined : createForwardCache({ maxOctets: cacheOctets, clock });
  const forwarder = createForwarder(
    { maxWaiting, cache, clock, timers: systemTimers, counters, log },
    signal,
  );
  const files = new Map<string, readonly Address[]>();
  const route = (): void => forwarder.route(routesOf(specs, files));
  route();

  const targets = specs.flatMap(({ targets }) => targets);
  const paths = new Set(targets.flatMap((target) => (target.kind === "file" ? [target.path] : [])));
  const watches = [];
  for (const path of paths) {
    const publish = (nameServers: readonly Address[]): void => {
      files.set(path, nameServers);
      route();
    };
    watches.push(await watchResolvConf(path, { poll, publish, report }, signal));
  }
  return { forwarder, cache, closed: Promise.all(watches.map(({ closed }) => closed)) };
}

/** Who is asked for each zone; of a zone that is named twice, all. */
function routesOf(
  specs: readonly ForwardSpec[],
  files: ReadonlyMap<string, readonly Address[]>,
): ReadonlyMap<Name, readonly Upstream[]> {
  const routes = new Map<Name, readonly Upstream[]>();
  const upstreamsOf = (target: Target): readonly Upstream[] =>
    target.kind === "upstream" ? [target.upstream] : (files.get(target.path) ?? []).map(plainUpstream);
  for (const { zone, targets } of specs) {
    routes.set(zone, [...(routes.get(zone) ?? []), ...targets.flatMap(upstreamsOf)]);
  }
  return routes;
}
