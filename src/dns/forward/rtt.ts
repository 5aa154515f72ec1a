/** How long an upstream takes to reply: RFC 6298 section 2, in milliseconds. */
export interface Rtt {
  readonly smoothed: number;
  readonly variation: number;
}

/** Of an upstream that never replied: a continent away, and a resolver that has to ask others itself. */
const FIRST_PATIENCE_MS = 400;
/** Sooner it is not late: what is not in its cache takes a resolver so long at times. */
const LEAST_PATIENCE_MS = 100;
/** And no attempt is given longer. */
export const MAX_ATTEMPT_MS = 2000;

/** RFC 6298 sections 2.2 and 2.3. */
export function measure(rtt: Rtt | undefined, sampleMs: number): Rtt {
  if (!rtt) return { smoothed: sampleMs, variation: sampleMs / 2 };
  return {
    smoothed: rtt.smoothed * 0.875 + sampleMs * 0.125,
    variation: rtt.variation * 0.75 + Math.abs(rtt.smoothed - sampleMs) * 0.25,
  };
}

/** After how long a reply is late, when it was asked for the `tries`-th time, from 0 on. RFC 6298 sections 2.3 and 5.5. */
export function patienceOf(rtt: Rtt | undefined, tries: number): number {
  const first = rtt ? Math.max(LEAST_PATIENCE_MS, rtt.smoothed + 4 * rtt.variation) : FIRST_PATIENCE_MS;
  // In steps, since Node has a list for each length of a timer.
  return Math.min(MAX_ATTEMPT_MS, Math.ceil((first * 2 ** tries) / 20) * 20);
}
