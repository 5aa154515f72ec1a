import type { Clock } from "../src/base/clock.ts";
import type { Timers } from "../src/base/timers.ts";

/** Time that goes by when a test says so. */
export interface Hand {
  readonly clock: Clock;
  readonly timers: Timers;
  /** How many timers are set. */
  readonly pending: number;
  /** Lets time go by; timers fire at their times, and what they bring about is done. */
  pass(ms: number): Promise<void>;
  /** Lets time go by within what is going on: it takes so long. */
  spend(ms: number): void;
  /** Lets time go by for everybody else: this process is stopped, and continued. */
  stop(ms: number): Promise<void>;
}

interface Timer {
  readonly atMs: number;
  readonly call: () => void;
}

/** @param turned is told after each turn of the event loop that something was waiting for. */
export function turnedByHand(turned: () => void = () => {}): Hand {
  let nowMs = 1_000_000;
  let turns: (() => void)[] = [];
  const timers = new Set<Timer>();
  const clock: Clock = {
    now() {
      throw new Error("the system's clock is none of health's business");
    },
    monotonic: () => nowMs,
  };

  return {
    clock,
    timers: {
      after(ms, call) {
        const timer = { atMs: nowMs + ms, call };
        timers.add(timer);
        return () => timers.delete(timer);
      },
      soon: (call) => void turns.push(call),
    },
    get pending() {
      return timers.size;
    },
    async pass(ms) {
      const endMs = nowMs + ms;
      await settle();
      for (let timer = first(endMs); timer; timer = first(endMs)) {
        timers.delete(timer);
        nowMs = Math.max(nowMs, timer.atMs);
        timer.call();
        await settle();
      }
      nowMs = Math.max(nowMs, endMs);
    },
    spend(ms) {
      nowMs += ms;
    },
    async stop(ms) {
      nowMs += ms;
      await this.pass(0);
    },
  };

  /** Until nothing is left to be done now. */
  async function settle(): Promise<void> {
    for (;;) {
      await new Promise(setImmediate); // what promises have to do is done then
      if (turns.length === 0) return;
      const calls = turns;
      turns = [];
      for (const call of calls) call();
      turned();
    }
  }

  function first(endMs: number): Timer | undefined {
    return [...timers].filter(({ atMs }) => atMs <= endMs).toSorted((one, other) => one.atMs - other.atMs)[0];
  }
}
