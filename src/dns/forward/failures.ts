/** What could not be answered a moment ago. */
export interface Failure {
  /** Milliseconds of the monotonic clock. */
  readonly at: number;
  /** How often in a row: 1 for the first. */
  readonly streak: number;
}

/** RFC 9520 section 3.2: "at least 1 second", growing, "not longer than 5 minutes". */
const FIRST_MS = 1000;
/** No longer, as who asks wants to know soon that upstream is back. */
const LONGEST_MS = 5000;
/** RFC 8767 section 5: with a stale answer to give, upstream is tried "no more frequently than every 30 seconds". */
const STALE_RECHECK_MS = 30_000;
/** A failure this long after the last is a new one. */
const STREAK_MS = 60_000;

/** For how long upstream is left alone, where there is nothing else to answer with. */
export function isFailing(failure: Failure, now: number): boolean {
  return now - failure.at < pauseOf(failure);
}

/** For how long upstream is left alone, where there is a stale answer. */
export function isStaleGood(failure: Failure, now: number): boolean {
  return now - failure.at < STALE_RECHECK_MS;
}

/** What is to be remembered after a failure. */
export function failAgain(last: Failure | undefined, now: number): Failure {
  if (last === undefined || now - last.at >= STREAK_MS) return { at: now, streak: 1 };
  // Of one question that many have asked, all may tell.
  return isFailing(last, now) ? last : { at: now, streak: last.streak + 1 };
}

function pauseOf({ streak }: Failure): number {
  return Math.min(FIRST_MS * 2 ** (streak - 1), LONGEST_MS);
}
