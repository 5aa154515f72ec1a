import type { Kept } from "./kept.ts";

/** An answer, and what became of it since. */
export interface Entry {
  readonly kept: Kept;
  /** Milliseconds of the monotonic clock. */
  readonly keptAt: number;
  /** How often it was given while fresh. */
  hits: number;
  wasPrefetched: boolean;
}

/** RFC 8767 section 5: "between 1 and 3 days"; the least, as addresses change owners. */
const MAX_STALE_MS = 86_400_000;
/** Asked for so often again, an answer is worth asking for before its time is over. */
const HOT_HITS = 3;
/** Nearly over is what has less than this share of its lifetime left. */
const PREFETCH_SHARE = 0.1;

export function newEntry(kept: Kept, keptAt: number): Entry {
  return { kept, keptAt, hits: 0, wasPrefetched: false };
}

export function isFresh(entry: Entry, now: number): boolean {
  return leftMs(entry, now) > 0;
}

/** Its time is over, and not so long ago that it is good for nothing. */
export function isStale(entry: Entry, now: number): boolean {
  const left = leftMs(entry, now);
  return left <= 0 && left > -MAX_STALE_MS;
}

/** Whether to ask upstream before its time is over. */
export function isWorthPrefetching(entry: Entry, now: number): boolean {
  const isHot = entry.hits >= HOT_HITS && !entry.wasPrefetched;
  return isHot && leftMs(entry, now) < entry.kept.lifetime * 1000 * PREFETCH_SHARE;
}

function leftMs({ kept, keptAt }: Entry, now: number): number {
  return keptAt + kept.lifetime * 1000 - now;
}
