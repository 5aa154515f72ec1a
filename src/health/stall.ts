/**
 * Notices that the process stood still: it was stopped, or busy, and heard nothing of what its tasks said. What
 * failed meanwhile says nothing of them.
 */
export interface StallWatch {
  /** When the last stall ended; -Infinity: there was none. */
  readonly endedMs: number;
  /** Says when the event loop means to come round next; Infinity: nothing calls it. */
  expect(atMs: number): void;
  /**
   * To be called before anything is decided from what the time is: what was read after a stall may be read
   * before any timer fires.
   */
  look(nowMs: number): void;
}

/** A busy machine lets a timer wait for less than that. */
const PATIENCE_MS = 250;

/** @param stalled is told of each stall, and how long it was. */
export function createStallWatch(stalled: (ms: number) => void): StallWatch {
  let expectedMs = Infinity;
  let endedMs = -Infinity;

  return {
    get endedMs() {
      return endedMs;
    },
    expect(atMs) {
      expectedMs = atMs;
    },
    look(nowMs) {
      const lateMs = nowMs - expectedMs;
      if (lateMs <= PATIENCE_MS) return;
      expectedMs = nowMs; // the timer that is late is yet to fire
      endedMs = nowMs;
      stalled(lateMs);
    },
  };
}
