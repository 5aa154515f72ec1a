import type { Outcome } from "./outcome.ts";

/** What the monitor has done since it started, and what it does now. */
export interface HealthCounters {
  /** How many there are now. */
  readonly checks: number;
  /** Probes under way now. */
  readonly running: number;
  /** Probes that are due and wait for others to end. */
  readonly waiting: number;
  /** Results, by what came of them; of heartbeats as well. */
  readonly probes: Readonly<Record<Outcome["kind"], number>>;
  /** Probes that were more than an interval late, or left out as the one before had not ended. */
  readonly late: number;
  /** How often the process stood still. */
  readonly stalls: number;
  /** Verdicts that turned, by what they turned to. */
  readonly verdicts: Readonly<Record<"passing" | "failing", number>>;
  /** How long after they were due probes started. */
  readonly lateness: Timing;
  /** From a result that turned a verdict to the registry having changed. */
  readonly delay: Timing;
}

/** How long something took, many times. */
export interface Timing {
  readonly count: number;
  readonly sumMs: number;
  readonly maxMs: number;
  /** How many took at most as long as the bound at the same place of {@link TIMING_BOUNDS_MS}, and longer than the one before; the last of all: longer than any. */
  readonly buckets: readonly number[];
}

export const TIMING_BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000] as const;

/** The counters as the monitor holds them. */
export interface HealthTally {
  readonly probes: Record<Outcome["kind"], number>;
  late: number;
  stalls: number;
  readonly verdicts: Record<"passing" | "failing", number>;
  readonly lateness: TimingTally;
  readonly delay: TimingTally;
}

export interface TimingTally extends Timing {
  count: number;
  sumMs: number;
  maxMs: number;
  readonly buckets: number[];
}

export function createHealthTally(): HealthTally {
  return {
    probes: { pass: 0, warn: 0, fail: 0, unknown: 0 },
    late: 0,
    stalls: 0,
    verdicts: { passing: 0, failing: 0 },
    lateness: createTiming(),
    delay: createTiming(),
  };
}

export function addTiming(timing: TimingTally, ms: number): void {
  timing.count += 1;
  timing.sumMs += ms;
  timing.maxMs = Math.max(timing.maxMs, ms);
  const within = TIMING_BOUNDS_MS.findIndex((bound) => ms <= bound);
  const at = within < 0 ? TIMING_BOUNDS_MS.length : within;
  timing.buckets[at] = (timing.buckets[at] ?? 0) + 1;
}

function createTiming(): TimingTally {
  return { count: 0, sumMs: 0, maxMs: 0, buckets: [...TIMING_BOUNDS_MS, Infinity].map(() => 0) };
}
