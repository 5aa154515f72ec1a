import { compareText } from "../../base/compare.ts";
import { fnvOf } from "../../base/hash.ts";

/** What a connection is marked with, and the number of the route table that its replies take. */
export type Mark = number;

/** All of ours, and none of anybody else's, have these upper 16 bits: "Ro". */
export const MARK_BASE = 0x526f_0000;
export const MARK_MASK = 0xffff_0000;
const MOST_MARKS = 0xffff;

/**
 * A mark for each key, none twice. It is by the key's hash, and hardly ever depends on which other keys there are:
 * connections keep theirs when a node comes or goes.
 */
export function marksOf(keys: readonly string[]): Mark[] {
  const taken = new Map<number, string>();
  const numbers = new Map<string, number>();
  for (const key of keys.toSorted(compareText).slice(0, MOST_MARKS)) {
    let number = ((fnvOf(key) >>> 0) % MOST_MARKS) + 1;
    while (taken.has(number)) number = (number % MOST_MARKS) + 1;
    taken.set(number, key);
    numbers.set(key, number);
  }
  return keys.map((key) => MARK_BASE + (numbers.get(key) ?? 0));
}

export function isMark(value: number): boolean {
  return value > MARK_BASE && value <= MARK_BASE + MOST_MARKS;
}

export function formatMark(mark: Mark): string {
  return `0x${mark.toString(16)}`;
}
