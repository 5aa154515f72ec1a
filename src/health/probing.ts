import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/error.ts";
import { outcome, type Outcome } from "./outcome.ts";
import type { RunProbe } from "./probe.ts";
import type { TaskCheck } from "./task-check.ts";
import { createTurns } from "./turns.ts";

/** The probes under way, and those that are due and wait for one of them to end. */
export interface Probing {
  readonly running: number;
  readonly waiting: number;
  /** Lets a check be probed as soon as there is room. */
  add(check: TaskCheck): void;
  /** Starts some of those that wait; true if others may be started as well. */
  start(): boolean;
  /** Resolves when the signal has aborted and no probe is under way. */
  readonly closed: Promise<void>;
}

export interface ProbingOptions {
  readonly clock: Clock;
  readonly probe: RunProbe;
  readonly concurrency: number;
  readonly started: (check: TaskCheck, nowMs: number) => void;
  readonly ended: (probed: Probed) => void;
}

/** What came of one probe. */
export interface Probed {
  readonly check: TaskCheck;
  readonly outcome: Outcome;
  readonly startedMs: number;
  readonly endedMs: number;
}

/** More of them between two looks at the sockets would keep queries waiting. */
const STARTS_AT_ONCE = 32;
/** Nor may they take longer, all together: to start a command costs a fork, of 4 ms and more in a process that has grown. */
const STARTS_MS = 4;

export function createProbing(
  { clock, probe, concurrency, started, ended }: ProbingOptions,
  signal: AbortSignal,
): Probing {
  const turns = createTurns<TaskCheck>(concurrency);
  const underWay = new Set<TaskCheck>();
  /** Not aborted, and used again: a new one for each probe is half of what a check costs here. */
  const lives: AbortController[] = [];
  let close: (() => void) | undefined;
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  const end = (): void => {
    for (const { life } of underWay) life?.abort();
    if (underWay.size === 0) close?.();
  };
  if (signal.aborted) end();
  signal.addEventListener("abort", end, { once: true });

  return {
    closed,
    get running() {
      return turns.running;
    },
    get waiting() {
      return turns.waiting;
    },
    add: (check) => turns.add(check.service.party, check),
    start() {
      const beganMs = clock.monotonic();
      for (let left = STARTS_AT_ONCE; left > 0 && !signal.aborted;) {
        const check = turns.next();
        if (!check) return false;
        if (check.isGone) {
          turns.end(check.service.party);
          continue;
        }
        left -= 1;
        void run(check);
        if (clock.monotonic() - beganMs >= STARTS_MS) break;
      }
      return !signal.aborted;
    },
  };

  async function run(check: TaskCheck): Promise<void> {
    const startedMs = clock.monotonic();
    // Its own, as a task may go, or be checked otherwise, while it is probed.
    const life = lives.pop() ?? new AbortController();
    check.life = life;
    underWay.add(check);
    started(check, startedMs);
    const result = await tryOnce(check, life.signal);
    check.life = undefined;
    if (!life.signal.aborted) lives.push(life);
    underWay.delete(check);
    turns.end(check.service.party);
    if (signal.aborted) {
      if (underWay.size === 0) close?.();
      return;
    }
    ended({ check, outcome: result, startedMs, endedMs: clock.monotonic() });
  }

  async function tryOnce({ service, target }: TaskCheck, life: AbortSignal): Promise<Outcome> {
    const { probe: what, timeoutMs } = service.check;
    if (what.kind === "heartbeat") return outcome("unknown", "a heartbeat comes by itself");
    try {
      return await probe(what, target, timeoutMs, life);
    } catch (error) {
      return outcome("unknown", `the probe itself failed: ${messageOf(error)}`);
    }
  }
}
