import { withChanges } from "../layers.ts";

/** How many services have each of what several may have, by its key. */
export type Tally = ReadonlyMap<string, number>;

/** Counts what some services have no more, and what some have now. */
export function recount(tally: Tally, gone: readonly string[], come: readonly string[]): Tally {
  const counts = new Map<string, number>();
  const add = (key: string, by: number): void =>
    void counts.set(key, (counts.get(key) ?? tally.get(key) ?? 0) + by);
  for (const key of come) add(key, 1);
  for (const key of gone) add(key, -1);
  return withChanges(tally, new Map([...counts].map(([key, count]) => [key, count || undefined])));
}

/** Counts in place what one service more has. */
export function count(tally: Map<string, number>, keys: Iterable<string>): void {
  for (const key of keys) tally.set(key, (tally.get(key) ?? 0) + 1);
}
