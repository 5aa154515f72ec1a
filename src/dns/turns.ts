import type { Order } from "../model/declaration.ts";

/** The orders in which as many things as there are weights are shown, one after another. */
export interface Turns {
  readonly count: number;
  /** The indices of all, in the order that is next; good until the next call. */
  next(): Uint32Array;
  /** Where it stands, for others to go on from by `begin`. */
  standing(): readonly number[];
}

export interface TurnsOptions {
  readonly order: Order;
  readonly weights: readonly number[];
  /**
   * Where others stood.
   * @default anywhere: under constant change the first would get everything
   */
  readonly begin?: readonly number[] | undefined;
  /** From 0 up to 1, to shuffle by and to begin anywhere. */
  readonly random?: (() => number) | undefined;
  /**
   * Takes the next of the numbers that all count on by who take these turns.
   * @default nobody else takes them
   */
  readonly take?: (() => number) | undefined;
}

export function createTurns({ order, weights, begin, random = Math.random, take }: TurnsOptions): Turns {
  const indices = Uint32Array.from(weights.keys());
  switch (order) {
    case "rotate":
      return rotate(indices, take ?? counter(begin?.[0] ?? Math.floor(random() * weights.length)));
    case "random":
      return shuffle(indices, random);
    case "weighted":
      return weights.every((weight) => weight === 0)
        ? rotate(indices, take ?? counter(begin?.[0] ?? Math.floor(random() * weights.length)))
        : weigh(indices, weights, begin ?? weights.map((weight) => weight * random()));
  }
}

function counter(begin: number): () => number {
  let next = begin;
  return () => next++;
}

function rotate(indices: Uint32Array, take: () => number): Turns {
  const count = indices.length;
  let taken = 0;
  return {
    count,
    next() {
      taken = take() % count;
      for (let place = 0, at = taken; place < count; place++) {
        indices[place] = at;
        at = at + 1 === count ? 0 : at + 1;
      }
      return indices;
    },
    standing: () => [(taken + 1) % count],
  };
}

/** Fisher and Yates: each order is as likely as any other, whatever the one before. */
function shuffle(indices: Uint32Array, random: () => number): Turns {
  const count = indices.length;
  return {
    count,
    standing: () => [],
    next() {
      for (let last = count - 1; last > 0; last--) {
        const chosen = Math.floor(random() * (last + 1));
        const moved = indices[last] ?? 0;
        indices[last] = indices[chosen] ?? 0;
        indices[chosen] = moved;
      }
      return indices;
    },
  };
}

/**
 * Smooth weighted round robin: each saves up its weight, the richest is first and pays for all. Over as many
 * questions as the weights sum to, each was first exactly as often as its weight says, and never in one run.
 */
function weigh(indices: Uint32Array, weights: readonly number[], begin: readonly number[]): Turns {
  const savings = Float64Array.from(begin);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const savedBy = (index: number): number =>
    (weights[index] ?? 0) === 0 ? -Infinity : (savings[index] ?? 0);
  return {
    count: weights.length,
    standing: () => [...savings],
    next() {
      for (const [index, weight] of weights.entries()) savings[index] = (savings[index] ?? 0) + weight;
      // In the order declared where two have saved the same: `sort` keeps the order that it finds.
      for (let index = 0; index < indices.length; index++) indices[index] = index;
      indices.sort((one, other) => savedBy(other) - savedBy(one));
      const first = indices[0] ?? 0;
      savings[first] = (savings[first] ?? 0) - total;
      return indices;
    },
  };
}
