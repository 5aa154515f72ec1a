import { mix, fnvOf } from "../base/hash.ts";

/**
 * What threads that have no registry see of it, in memory that they share: not what it holds, but whether something
 * that was read from it still holds. What is read under a key is good for as long as the key's cell shows the number
 * that it showed then.
 */
export interface Pulse {
  readonly shared: SharedPulse;
  /** Notes that what is read under a key may read otherwise from now on. */
  touch(key: string): void;
  /** Notes the same of all keys. */
  touchAll(): void;
  setSerial(serial: number): void;
}

/** Goes from thread to thread as it is. */
export interface SharedPulse {
  /** A number a cell, which never goes down but by passing 2³¹: so a sum of several tells as much as each of them. */
  readonly cells: Int32Array<SharedArrayBuffer>;
}

/** Several keys share a cell: what is read under one is then read again for a change to another. 1 MiB. */
const CELLS = 2 ** 18;
/** The cell of what is read under no key: settings, networks, who asks from where. */
export const EVERYTHING = 0;
/** The cell that holds the registry's serial, and so changes with every change. */
export const SERIAL = 1;
/** The first cell that keys lead to. */
const KEYED = 2;

export function createPulse(): Pulse {
  const cells = new Int32Array(new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT));
  return {
    shared: { cells },
    touch(key) {
      Atomics.add(cells, cellOf(key), 1);
    },
    touchAll() {
      Atomics.add(cells, EVERYTHING, 1);
    },
    setSerial(serial) {
      Atomics.store(cells, SERIAL, serial);
    },
  };
}

/** The cell that a key's readers look at. */
export function cellOf(key: string): number {
  return KEYED + (mix(fnvOf(key)) % (CELLS - KEYED));
}

/**
 * The numbers that these cells show now, as one. By Atomics: a thread reads them after it has said that it is at work
 * (dns/lanes/words.ts), and an arm64 processor may read plainly before others see what was said.
 */
export function sumOf({ cells }: SharedPulse, read: Uint32Array): number {
  let sum = 0;
  for (let at = 0; at < read.length; at++) sum = (sum + Atomics.load(cells, read[at] ?? 0)) | 0;
  return sum;
}
