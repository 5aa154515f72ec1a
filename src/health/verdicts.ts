import type { Clock } from "../base/clock.ts";
import type { Registry } from "../registry/registry.ts";
import { addTiming, type HealthTally } from "./counters.ts";
import type { TaskCheck } from "./task-check.ts";
import type { Teller } from "./tell.ts";

/** The verdicts that the registry is yet to be told of. */
export interface Verdicts {
  /** To be told of a check whose verdict has turned. */
  turned(check: TaskCheck, atMs: number): void;
  /** To be told of a check of which the registry should have the verdict, whether it turned or not. */
  owe(check: TaskCheck): void;
  /**
   * Tells the registry all at once: ten thousand tasks of a service make one service anew, not ten thousand. Says
   * in how many milliseconds it is to be called again; 0: all is told.
   */
  flush(): number;
}

export interface VerdictsOptions {
  readonly registry: Pick<Registry, "report">;
  readonly clock: Clock;
  readonly tally: HealthTally;
  readonly teller: Teller;
}

/**
 * How long the registry is left in peace after each time, in so many times as long as it took. At a first round
 * every turn brings verdicts on all large services: they take a third of the time, and not all of it.
 */
const REST = 2;

export function createVerdicts({ registry, clock, tally, teller }: VerdictsOptions): Verdicts {
  let owed = new Set<TaskCheck>();
  /** Those that turned, and when the result came that turned them. */
  let turned = new Map<TaskCheck, number>();
  let restsUntilMs = -Infinity;

  return {
    turned(check, atMs) {
      turned.set(check, atMs);
      owed.add(check);
    },
    owe: (check) => void owed.add(check),
    flush() {
      if (owed.size === 0) return 0;
      const beganMs = clock.monotonic();
      if (beganMs < restsUntilMs) return restsUntilMs - beganMs;
      const due = [...owed].filter(({ isGone, reported, health }) => !isGone && reported !== health.verdict);
      const since = turned;
      owed = new Set();
      turned = new Map();
      if (due.length === 0) return 0;
      for (const check of due) check.reported = check.health.verdict;
      registry.report(
        due.map(({ service, task, health }) => ({ service: service.id, task, verdict: health.verdict })),
      );
      const now = clock.monotonic();
      restsUntilMs = now + REST * (now - beganMs);
      const news = due.filter((check) => since.has(check));
      for (const check of news) {
        const { verdict } = check.health;
        if (verdict !== "starting") tally.verdicts[verdict] += 1;
        addTiming(tally.delay, now - (since.get(check) ?? now));
      }
      teller.turned(news, now);
      return 0;
    },
  };
}
