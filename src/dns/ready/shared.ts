import type { SharedPulse } from "../../registry/pulse.ts";

/** Memory that all threads see. Goes from thread to thread as it is. */
export interface Shared extends SharedPulse {
  /** Numbers that all count on by who take the same turns, so that they are each one's in turn whoever is asked. */
  readonly turns: Int32Array<SharedArrayBuffer>;
}

/** The numbers are given out in a circle: by the time that one is given again, hardly anybody takes those turns still. */
const TURNS = 2 ** 20;

/** Of the numbers only those take memory that were given out. */
export function createShared(pulse: SharedPulse): Shared {
  return { ...pulse, turns: new Int32Array(new SharedArrayBuffer(TURNS * Int32Array.BYTES_PER_ELEMENT)) };
}
