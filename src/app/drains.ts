import { count } from "../base/count.ts";
import type { Log } from "../base/log.ts";
import { formatPrefix, type Prefix } from "../model/name.ts";
import { ownName } from "../registry/names.ts";
import type { Registry } from "../registry/registry.ts";
import type { Service } from "../registry/service.ts";

export interface DrainOptions {
  /** How long to wait beyond the TTL, in milliseconds: for answers under way, and connections about to be made. */
  readonly graceMs: number;
  /** The monotonic clock, in milliseconds. */
  readonly nowMs: () => number;
  readonly log: Log;
}

/** More tasks of a service than this are told in one line. */
const TOLD_ONE_BY_ONE = 10;

/**
 * Tells, in the registry and in the log, when tasks that the operator has taken out are drained: when the last
 * answer that named them has outlived its TTL.
 */
export function followDrains(
  registry: Registry,
  { graceMs, nowMs, log }: DrainOptions,
  signal: AbortSignal,
): void {
  /** One a service, for those of its tasks that are drained next. */
  const timers = new Map<string, NodeJS.Timeout>();
  const stop = (): void => {
    for (const timer of timers.values()) clearTimeout(timer);
  };
  signal.addEventListener("abort", stop, { once: true });

  registry.follow(({ touched }) => {
    for (const [id, { before, after }] of touched) {
      if (before?.outages !== after?.outages) time(id, after);
    }
  }, signal);

  function time(id: string, service: Service | undefined): void {
    clearTimeout(timers.get(id));
    timers.delete(id);
    if (!service || signal.aborted) return;
    let dueMs = Infinity;
    for (const [, atMs] of drainTimes(service)) dueMs = Math.min(dueMs, atMs);
    if (dueMs === Infinity) return;
    const end = (): void => drained(id, service);
    timers.set(id, setTimeout(end, Math.max(0, Math.ceil(dueMs - nowMs()))));
  }

  /** @param service as it was when it was timed: what changed since in who is out has made another timer. */
  function drained(id: string, service: Service): void {
    timers.delete(id);
    const now = nowMs();
    const tasks = [...drainTimes(service)].filter(([, atMs]) => atMs <= now).map(([task]) => task);
    if (tasks.length === 0) return time(id, service);
    tell(service, tasks);
    registry.noteDrained(id, tasks); // which times the others
  }

  function tell({ id, declaration }: Service, tasks: readonly Prefix[]): void {
    const of = `of ${formatPrefix(ownName(declaration))}`;
    if (tasks.length > TOLD_ONE_BY_ONE) {
      const many = count(tasks.length, "task");
      return log.info({ service: id }, `${many} ${of} are drained: answers that named them have expired`);
    }
    for (const task of tasks) {
      const who = `task ${formatPrefix(task)} ${of}`;
      log.info({ service: id }, `${who} is drained: answers that named it have expired`);
    }
  }

  function* drainTimes({ declaration, outages }: Service): Iterable<readonly [task: Prefix, atMs: number]> {
    const afterMs = (declaration.ttl ?? registry.settings.ttl) * 1000 + graceMs;
    for (const [task, { isDrained, sinceMs }] of outages) if (!isDrained) yield [task, sinceMs + afterMs];
  }
}
