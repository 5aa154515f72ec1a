import type { Verdict } from "../registry/service.ts";
import { heldUntil, startPeriodEnd } from "./gate.ts";
import type { Result, TaskCheck } from "./task-check.ts";

/** How one task's check stands, for people. Times are by the monotonic clock. */
export interface CheckState {
  readonly verdict: Verdict;
  readonly isWarned: boolean;
  /** In a row. */
  readonly passes: number;
  /** In a row. */
  readonly failures: number;
  readonly last: Result | undefined;
  readonly lastPassMs: number | undefined;
  readonly lastFailureMs: number | undefined;
  /** The last ten results, the newest last, a letter each: `+` pass, `!` warn, `-` fail, `?` unknown. */
  readonly results: string;
  /** Until the next probe, or until the heartbeat is missed; 0: one is due or under way. */
  readonly nextInMs: number;
  /** Until when it must go on passing before it serves. */
  readonly heldUntilMs: number | undefined;
  /** Until when its failures do not count. */
  readonly startPeriodUntilMs: number | undefined;
}

/** @param nextMs when it will be probed again, or be missed */
export function stateOfCheck(check: TaskCheck, nextMs: number, nowMs: number): CheckState {
  const { health, last, lastPassMs, lastFailureMs, results, service } = check;
  const startPeriodMs = startPeriodEnd(health, service.check);
  return {
    verdict: health.verdict,
    isWarned: health.isWarned,
    passes: health.passes,
    failures: health.failures,
    last,
    lastPassMs,
    lastFailureMs,
    results,
    nextInMs: Math.max(0, nextMs - nowMs),
    heldUntilMs: heldUntil(health, service.check),
    startPeriodUntilMs: startPeriodMs !== undefined && startPeriodMs > nowMs ? startPeriodMs : undefined,
  };
}
