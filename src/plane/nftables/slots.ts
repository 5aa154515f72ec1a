import { mix } from "../../base/hash.ts";
import { drawOf, hashOf } from "../hash.ts";

/** One backend of a frontend, as slots are filled with it. */
export interface Share {
  /** Tells it from the others, and stays the same as others come and go. */
  readonly key: string;
  /** Above 0. */
  readonly weight: number;
}

/**
 * How many slots of a frontend tell weights apart. Beyond as many backends each has one slot, whatever its weight:
 * a change must stay one small transaction, also with weights such as 65,535:1.
 */
export const WEIGHTED_SLOTS = 64;

/** More backends than these are not carried by one frontend. */
export const MAX_BACKENDS = 1024;

/**
 * Which share each slot is given to, as often as its weight says: the weights by their greatest common divisor if that
 * is at most {@link WEIGHTED_SLOTS} slots. Else each share has one slot, and each further one of {@link WEIGHTED_SLOTS}
 * goes to who lacks most of what its weight asks for; so no share is off by more than one slot but those that would have none.
 */
export function slotsByWeight(shares: readonly Share[]): readonly Share[] {
  if (shares.length >= WEIGHTED_SLOTS) return slotsInTurn(shares);
  return interleave(shares, countsOf(shares.map(({ weight }) => weight)));
}

/** One slot each. */
export function slotsInTurn(shares: readonly Share[]): readonly Share[] {
  return shares.slice(0, MAX_BACKENDS);
}

/**
 * Which share each slot is given to, by weighted rendezvous hashing: a share that goes leaves its own slots to the others,
 * and one that comes takes some of each. 64 slots; 256 beyond 32 shares, 1,024 beyond 256.
 */
export function slotsByHash(shares: readonly Share[]): readonly Share[] {
  const kept = shares.slice(0, MAX_BACKENDS).map((share) => ({ share, hash: hashOf(share.key) }));
  const slots: Share[] = [];
  for (let slot = 0; slot < hashSlots(kept.length); slot++) {
    let [best, most] = [kept[0], -1];
    for (const one of kept) {
      const score = drawOf(mix(one.hash ^ Math.imul(slot + 1, 0x9e3779b1)), one.share.weight);
      if (score > most) [best, most] = [one, score];
    }
    if (best !== undefined) slots.push(best.share);
  }
  return slots;
}

function hashSlots(shares: number): number {
  if (shares <= 32) return 64;
  return shares <= 256 ? 256 : 1024;
}

function countsOf(weights: readonly number[]): readonly number[] {
  if (weights.length === 0) return [];
  const divisor = weights.reduce(commonDivisor, 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total / divisor <= WEIGHTED_SLOTS) return weights.map((weight) => weight / divisor);
  const counts = weights.map(() => 1);
  for (let left = WEIGHTED_SLOTS - weights.length; left > 0; left--) {
    let [neediest, most] = [0, -Infinity];
    for (const [at, weight] of weights.entries()) {
      const lack = (weight * WEIGHTED_SLOTS) / total - (counts[at] ?? 0);
      if (lack > most) [neediest, most] = [at, lack];
    }
    counts[neediest] = (counts[neediest] ?? 0) + 1;
  }
  return counts;
}

/** Each so often, and spread evenly: smooth weighted round robin, as nginx has it. */
function interleave(shares: readonly Share[], counts: readonly number[]): readonly Share[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === shares.length) return shares;
  const current = counts.map(() => 0);
  const slots: Share[] = [];
  while (slots.length < total) {
    let first = 0;
    for (const [at, count] of counts.entries()) {
      current[at] = (current[at] ?? 0) + count;
      if ((current[at] ?? 0) > (current[first] ?? 0)) first = at;
    }
    current[first] = (current[first] ?? 0) - total;
    const share = shares[first];
    if (share !== undefined) slots.push(share);
  }
  return slots;
}

function commonDivisor(one: number, other: number): number {
  return other === 0 ? one : commonDivisor(other, one % other);
}
