import type { Check } from "../model/check.ts";
import type { Verdict } from "../registry/service.ts";
import type { Outcome } from "./outcome.ts";

/** What is known of one checked task, from its results so far. Never changed: each result makes a new one. */
export interface Health {
  readonly verdict: Verdict;
  /** Whether it said last that it serves but is not well. */
  readonly isWarned: boolean;
  /** In a row, up to now. */
  readonly passes: number;
  /** In a row, up to now; those that do not count are not counted. */
  readonly failures: number;
  readonly startedAtMs: number;
  /** Whether it has passed since then, which ends its start period. */
  readonly hasPassed: boolean;
  /** Since when it is passing, while it is; -Infinity: since before it was checked. */
  readonly servingSinceMs: number;
  /** When it passed first of the passes in a row. */
  readonly passesSinceMs: number;
  /** How many times in a row it has failed after it had served too briefly. */
  readonly flaps: number;
}

/** What of a check decides. */
export type Thresholds = Pick<Check, "rise" | "fall" | "startPeriodMs" | "hold">;

/**
 * What is known with one result more: the whole of how results become verdicts. The first pass is enough for a
 * starting task; one that fails comes back after `rise` passes in a row, when no hold keeps it; `fall` failures
 * in a row take any task out. A warning counts as a pass, and an unknown result as none at all.
 *
 * @param nowMs by the clock that `startedAtMs` is by
 */
export function weigh(
  health: Health,
  result: Outcome["kind"],
  thresholds: Thresholds,
  nowMs: number,
): Health {
  switch (result) {
    case "unknown":
      return health;
    case "pass":
    case "warn":
      return pass(health, result === "warn", thresholds, nowMs);
    case "fail":
      return fail(health, thresholds, nowMs);
  }
}

/**
 * Nothing known of a task but the verdict from before, if there was one. One that was passing may have served
 * for any time, so it is taken for a task that does not flap.
 */
export function createHealth(startedAtMs: number, verdict: Verdict = "starting"): Health {
  return {
    verdict,
    isWarned: false,
    passes: 0,
    failures: 0,
    startedAtMs,
    hasPassed: verdict !== "starting",
    servingSinceMs: -Infinity,
    passesSinceMs: startedAtMs,
    flaps: 0,
  };
}

/** Until when failures do not count, if the task does not pass before; undefined: they do. */
export function startPeriodEnd(
  { hasPassed, startedAtMs }: Health,
  thresholds: Thresholds,
): number | undefined {
  return hasPassed || thresholds.startPeriodMs === 0 ? undefined : startedAtMs + thresholds.startPeriodMs;
}

/** Until when a failing task has to go on passing before it may serve; undefined: no hold keeps it, or it does not pass. */
export function heldUntil(health: Health, thresholds: Thresholds): number | undefined {
  const holdMs = holdOf(health, thresholds);
  return health.verdict === "failing" && health.passes > 0 && holdMs > 0
    ? health.passesSinceMs + holdMs
    : undefined;
}

// Each field by its name: a copy by `...` with fields set anew costs 2 us instead of 0.3, thousands of times a second.

function pass(health: Health, isWarned: boolean, thresholds: Thresholds, nowMs: number): Health {
  const passes = health.passes + 1;
  const passesSinceMs = passes === 1 ? nowMs : health.passesSinceMs;
  const hasRisen = passes >= thresholds.rise && nowMs - passesSinceMs >= holdOf(health, thresholds);
  const isBack = health.verdict === "starting" || (health.verdict === "failing" && hasRisen);
  return {
    verdict: isBack ? "passing" : health.verdict,
    isWarned,
    passes,
    failures: 0,
    startedAtMs: health.startedAtMs,
    hasPassed: true,
    servingSinceMs: isBack ? nowMs : health.servingSinceMs,
    passesSinceMs,
    flaps: health.flaps,
  };
}

function fail(health: Health, thresholds: Thresholds, nowMs: number): Health {
  const doesCount = nowMs >= (startPeriodEnd(health, thresholds) ?? -Infinity);
  const failures = health.failures + (doesCount ? 1 : 0);
  const isOut = health.verdict !== "failing" && failures >= thresholds.fall;
  return {
    verdict: isOut ? "failing" : health.verdict,
    isWarned: false,
    passes: 0,
    failures,
    startedAtMs: health.startedAtMs,
    hasPassed: health.hasPassed,
    servingSinceMs: health.servingSinceMs,
    passesSinceMs: health.passesSinceMs,
    flaps: isOut && health.verdict === "passing" ? flapsNow(health, thresholds, nowMs) : health.flaps,
  };
}

/** How many times in a row it has served too briefly, now that it fails. */
function flapsNow({ flaps, servingSinceMs }: Health, { hold }: Thresholds, nowMs: number): number {
  return hold && nowMs - servingSinceMs < hold.maxMs ? flaps + 1 : 0;
}

function holdOf({ flaps }: Health, { hold }: Thresholds): number {
  return !hold || flaps === 0
    ? 0
    : Math.min(hold.maxMs, hold.initialMs * 2 ** Math.min(flaps - 1, MAX_DOUBLINGS));
}

/** Twice as long so many times is longer than any bound, and still a number. */
const MAX_DOUBLINGS = 60;
