import type { Log } from "../base/log.ts";
import { formatPrefix, type Prefix } from "../model/name.ts";
import { ownName } from "../registry/names.ts";
import type { Registry } from "../registry/registry.ts";
import type { Outage, Service } from "../registry/service.ts";

export interface DrainOptions {
  /** How long to wait beyond the TTL, in milliseconds: for answers under way, and connections about to be made. */
  readonly graceMs: number;
  /** The monotonic clock, in milliseconds. */
  readonly nowMs: () => number;
  readonly log: Log;
}

/**
 * Tells, in the registry and in the log, when a task that the operator has taken out is drained: when the last
 * answer that named it has outlived its TTL.
 */
export function followDrains(
  registry: Registry,
  { graceMs, nowMs, log }: DrainOptions,
  signal: AbortSignal,
): void {
  const timersOf = new Map<string, Map<Prefix, NodeJS.Timeout>>();
  const stop = (): void => {
    for (const timers of timersOf.values()) for (const timer of timers.values()) clearTimeout(timer);
  };
  signal.addEventListener("abort", stop, { once: true });

  registry.follow(({ touched }) => {
    for (const [id, { before, after }] of touched) {
      if (before?.outages === after?.outages) continue;
      forget(id, after?.outages);
      if (after) for (const [task, outage] of after.outages) time(after, task, outage);
    }
  }, signal);

  function time(service: Service, task: Prefix, { isDrained, sinceMs }: Outage): void {
    const timers = timersOf.get(service.id) ?? new Map<Prefix, NodeJS.Timeout>();
    if (isDrained || timers.has(task)) return;
    const ttl = service.declaration.ttl ?? registry.settings.ttl;
    const waitMs = Math.max(0, sinceMs + ttl * 1000 + graceMs - nowMs());
    const tell = (): void => {
      timers.delete(task);
      log.info(
        { service: service.id, task: formatPrefix(task) },
        `task ${formatPrefix(task)} of ${formatPrefix(ownName(service.declaration))} is drained: answers that named it have expired`,
      );
      registry.noteDrained(service.id, task);
    };
    timersOf.set(service.id, timers.set(task, setTimeout(tell, waitMs)));
  }

  /** Stops the timers of tasks that are not among `out`. */
  function forget(id: string, out: ReadonlyMap<Prefix, unknown> = new Map()): void {
    const timers = timersOf.get(id);
    if (!timers) return;
    for (const [task, timer] of timers) {
      if (out.has(task)) continue;
      clearTimeout(timer);
      timers.delete(task);
    }
    if (timers.size === 0) timersOf.delete(id);
  }
}
