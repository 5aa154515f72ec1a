import { createFifo, type Fifo } from "./fifo.ts";

/** What waits to be run, of many parties that take turns, within a bound on what runs at once. */
export interface Turns<T> {
  readonly running: number;
  /** Those that wait. */
  readonly waiting: number;
  add(party: Party<T>, item: T): void;
  /** Who runs next, from now on until {@link end}; undefined: nobody may. */
  next(): T | undefined;
  /** To be told when one of a party has been run. */
  end(party: Party<T>): void;
}

/** Somebody whose items wait for each other, and for nobody else's longer than for a turn. */
export interface Party<T> {
  readonly items: Fifo<T>;
  running: number;
}

export function createParty<T>(): Party<T> {
  return { items: createFifo(), running: 0 };
}

/**
 * A party may run no more than are left free, so that one alone gets half of all, two a third each: however many
 * of its own hang, whoever comes next finds room at once.
 */
export function createTurns<T>(concurrency: number): Turns<T> {
  /** The parties of which something waits, each once. */
  const parties = createFifo<Party<T>>();
  let running = 0;
  let waiting = 0;

  return {
    get running() {
      return running;
    },
    get waiting() {
      return waiting;
    },
    add(party, item) {
      if (party.items.length === 0) parties.push(party);
      party.items.push(item);
      waiting += 1;
    },
    next() {
      const free = concurrency - running;
      if (free <= 0) return undefined;
      // Who runs more than are free runs two or more, so they are fewer than half of the bound: a short search.
      for (let others = parties.length; others > 0; others--) {
        const party = parties.shift();
        if (!party) return undefined;
        if (party.running > free) {
          parties.push(party);
          continue;
        }
        const item = party.items.shift();
        if (party.items.length > 0) parties.push(party);
        party.running += 1;
        running += 1;
        waiting -= 1;
        return item;
      }
      return undefined;
    },
    end(party) {
      party.running -= 1;
      running -= 1;
    },
  };
}
