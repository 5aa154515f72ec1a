// What a lane and the main thread say to each other without a message, in memory that both see.

/** Each a word of 32 bits, written by Atomics. */
export const WORD = {
  /** Odd while a batch is worked on: from before the mail is looked at until its replies have left. */
  batch: 0,
  /** Goes up after mail was posted. */
  mail: 1,
  /** 1: the lane is to end. */
  stop: 2,
  /** 1: somebody waits for the batch to be over. */
  awaited: 3,
  /** How many detours the main thread has not looked at yet. */
  detours: 4,
} as const;
const WORDS = Object.keys(WORD).length;

/** Each a number that goes up, written by the lane alone. */
export const COUNT = {
  ignored: 0,
  truncated: 1,
  unsent: 2,
  detours: 3,
  dropped: 4,
  batches: 5,
  replies: 6,
} as const;
/** By rcode, of which a header has 4 bits. */
export const RCODES = 16;

/** How long a lane waits for a query before it looks at its mail. */
export const WAIT_SECONDS = 1;

export function createWords(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT));
}

export function createCounts(): Float64Array<SharedArrayBuffer> {
  return new Float64Array(new SharedArrayBuffer((COUNT.replies + RCODES) * Float64Array.BYTES_PER_ELEMENT));
}
