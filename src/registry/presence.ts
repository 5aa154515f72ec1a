import { mix, fnvOf } from "../base/hash.ts";

/**
 * The names that exist, for threads without the registry: they can say of a name that it does not exist, and never
 * that it does. A counting Bloom filter with two cells a name.
 */
export interface Presence {
  readonly shared: SharedPresence;
  add(name: string): void;
  /** The name is gone, unless it is added again before {@link settle}: nobody is told meanwhile that it is. */
  remove(name: string): void;
  settle(): void;
}

/** Goes from thread to thread as it is. When there are many more names, other memory takes its place. */
export type SharedPresence = Uint8Array<SharedArrayBuffer>;

/** For 16 cells a name, one name of 70 that do not exist is taken for one that may. */
const CELLS_A_NAME = 16;
const FIRST_CELLS = 2 ** 16;
/** A cell that got here stays: how many names there are in it is not known any more. */
const FULL = 255;

/**
 * @param names all names that exist, to begin anew with when there are too many for the memory in use
 * @param moved told of that: who has the memory that was in use must not believe it any more
 */
export function createPresence(names: () => Iterable<string>, moved: () => void): Presence {
  let cells = new Uint8Array(new SharedArrayBuffer(FIRST_CELLS));
  let count = 0;
  let removed: string[] = [];

  return {
    get shared() {
      return cells;
    },
    add(name) {
      count += 1;
      if (count * CELLS_A_NAME > cells.length) grow();
      else mark(name);
    },
    remove(name) {
      count -= 1;
      removed.push(name);
    },
    settle() {
      for (const name of removed) unmark(name);
      removed = [];
    },
  };

  function mark(name: string): void {
    const hash = fnvOf(name);
    for (const at of [firstCell(cells, hash), secondCell(cells, hash)])
      cells[at] = Math.min((cells[at] ?? 0) + 1, FULL);
  }

  function unmark(name: string): void {
    const hash = fnvOf(name);
    for (const at of [firstCell(cells, hash), secondCell(cells, hash)]) {
      const marks = cells[at] ?? 0;
      if (marks !== FULL) cells[at] = marks - 1;
    }
  }

  /** Eight times as many: it takes as long as there are names, and happens six times until there are 100 million. */
  function grow(): void {
    cells = new Uint8Array(new SharedArrayBuffer(cells.length * 8));
    removed = [];
    for (const name of names()) mark(name);
    moved();
  }
}

/** @param hash of the name, by `fnvOf` or octet by octet */
export function mayExist(shared: SharedPresence, hash: number): boolean {
  // By Atomics, as `sumOf` reads.
  return (
    Atomics.load(shared, firstCell(shared, hash)) > 0 && Atomics.load(shared, secondCell(shared, hash)) > 0
  );
}

/** There are as many cells as a power of two. */
function firstCell({ length }: SharedPresence, hash: number): number {
  return mix(hash) & (length - 1);
}

function secondCell({ length }: SharedPresence, hash: number): number {
  return mix(Math.imul(hash, 0x9e3779b1) ^ 0x5bd1e995) & (length - 1);
}
