import type { Balance } from "../../model/declaration.ts";
import { createRendezvous } from "./rendezvous.ts";

/** Who may be picked. */
export interface Candidate {
  /** Who it is, whatever object stands for it: the same in another process, too. */
  readonly key: string;
  /** Above 0. */
  readonly weight: number;
  /** How many flows it has now. */
  readonly active: number;
}

/** Says whom a new flow goes to. */
export interface Picker<C extends Candidate> {
  /** Who may be picked from now on; whose turn it is stays, as far as it can. */
  set(candidates: readonly C[]): void;
  /**
   * Undefined: nobody is left.
   *
   * @param client its address; only `source` looks at it
   * @param tried who may not be picked this time
   */
  pick(client: string, tried: readonly C[]): C | undefined;
}

/** @param random a number from 0 up to 1 */
export function createPicker<C extends Candidate>(balance: Balance, random: () => number): Picker<C> {
  switch (balance) {
    case "rotate":
      return createRotation(random);
    case "random":
      return createLottery(random);
    case "weighted":
      return createWeighted();
    case "leastconn":
      return createLeast();
    case "source":
      return createRendezvous();
  }
}

/** Begins anywhere: else each of many nodes would give its first flow to the same task. */
function createRotation<C extends Candidate>(random: () => number): Picker<C> {
  let ring: readonly C[] = [];
  /** Who was picked last. */
  let at = -1;

  return {
    set(candidates) {
      at = ring.length === 0 ? Math.floor(random() * candidates.length) : placeIn(candidates);
      ring = candidates;
    },
    pick(_, tried) {
      for (let left = ring.length; left > 0; left--) {
        at = (at + 1) % ring.length;
        const next = ring[at];
        if (next && !tried.includes(next)) return next;
      }
      return undefined;
    },
  };

  /** In front of the first that would have come next and is still there. */
  function placeIn(candidates: readonly C[]): number {
    const places = new Map(candidates.map((candidate, place) => [candidate, place]));
    for (let step = 1; step <= ring.length; step++) {
      const next = ring[(at + step) % ring.length];
      const place = next && places.get(next);
      if (place !== undefined) return place - 1;
    }
    return -1;
  }
}

function createLottery<C extends Candidate>(random: () => number): Picker<C> {
  let all: readonly C[] = [];
  return {
    set(candidates) {
      all = candidates;
    },
    pick(_, tried) {
      const left = tried.length === 0 ? all : all.filter((candidate) => !tried.includes(candidate));
      return left[Math.floor(random() * left.length)];
    },
  };
}

/**
 * Smooth weighted round robin, as nginx has it: everybody earns its weight, whoever has earned most is picked and
 * pays what all have earned. So the heaviest do not come in a row, and any window is as even as it can be.
 */
function createWeighted<C extends Candidate>(): Picker<C> {
  let all: readonly C[] = [];
  let earned = new Map<C, number>();

  return {
    set(candidates) {
      all = candidates;
      // What is owed among others than before counts for no more than a round: else who was short beside a heavy one
      // that left would now be picked many times in a row.
      const round = candidates.reduce((sum, { weight }) => sum + weight, 0);
      earned = new Map(
        candidates.map((candidate) => [
          candidate,
          Math.max(-round, Math.min(round, earned.get(candidate) ?? 0)),
        ]),
      );
    },
    pick(_, tried) {
      let best: C | undefined;
      let most = -Infinity;
      let sum = 0;
      for (const candidate of all) {
        if (tried.includes(candidate)) continue;
        const has = (earned.get(candidate) ?? 0) + candidate.weight;
        earned.set(candidate, has);
        sum += candidate.weight;
        if (has <= most) continue;
        best = candidate;
        most = has;
      }
      if (best) earned.set(best, most - sum);
      return best;
    },
  };
}

/** The fewest flows for its weight; who has equally few, in turn. */
function createLeast<C extends Candidate>(): Picker<C> {
  let all: readonly C[] = [];
  let turn = 0;
  return {
    set(candidates) {
      all = candidates;
    },
    pick(_, tried) {
      let best: C | undefined;
      let least = Infinity;
      let place = turn;
      for (let step = 0; step < all.length; step++) {
        const at = (turn + step) % all.length;
        const candidate = all[at];
        if (!candidate || tried.includes(candidate)) continue;
        const load = candidate.active / candidate.weight;
        if (load >= least) continue;
        best = candidate;
        least = load;
        place = at;
      }
      turn = place + 1;
      return best;
    },
  };
}
