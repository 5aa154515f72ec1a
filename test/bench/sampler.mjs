/** Of so many checks, one is looked at: to look at all of them would be part of what is measured. */
const SAMPLED = 10;
const MAX_FAILURES = 3;

/**
 * Probes as `probe` does, and keeps how late some of the probes started and how long they took: exactly, where the
 * monitor's own counter has buckets.
 *
 * @param look tells how the check of a target stands
 */
export function createSampler(probe, look) {
  /** When the next probe of a sampled target is due. A check's target is the same object each time. */
  const due = new Map();
  const seen = new WeakSet();
  const failures = new Set();
  let count = 0;
  let latenessMs = [];
  let durationsMs = [];

  return {
    async probe(what, target, timeoutMs, signal) {
      const startedMs = performance.now();
      const isSampled = sample(target, startedMs);
      const result = await probe(what, target, timeoutMs, signal);
      if (isSampled) {
        durationsMs.push(performance.now() - startedMs);
        lookLater(target);
      }
      if (result.kind !== "pass" && failures.size < MAX_FAILURES) failures.add(result.detail);
      return result;
    },
    /** Forgets what was sampled so far. */
    clear() {
      latenessMs = [];
      durationsMs = [];
    },
    sampled: () => ({ latenessMs, durationsMs, failures: [...failures] }),
  };

  function sample(target, nowMs) {
    const dueMs = due.get(target);
    if (dueMs !== undefined) latenessMs.push(nowMs - dueMs);
    if (seen.has(target)) return dueMs !== undefined;
    seen.add(target);
    return count++ % SAMPLED === 0;
  }

  /** The monitor decides a turn of the event loop after the result, and plans the next probe then. */
  function lookLater(target) {
    setImmediate(() =>
      setImmediate(() => {
        const state = look(target);
        if (state) due.set(target, performance.now() + state.nextInMs);
      }),
    );
  }
}
