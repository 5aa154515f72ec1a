import { Worker } from "node:worker_threads";
import { messageOf, RotaError } from "../../base/error.ts";
import type { Log } from "../../base/log.ts";
import { pause } from "../../base/pause.ts";
import { systemTimers } from "../../base/timers.ts";
import type { Tally } from "../counters.ts";
import type { Mail } from "../ready/mail.ts";
import type { Shared } from "../ready/shared.ts";
import type { Detours } from "./detours.ts";
import type { LaneMessage, LaneStart } from "./lane.ts";
import { createWords, WORD } from "./words.ts";

/** A lane as the main thread has it: a thread, and after it another if it dies. */
export interface Lane {
  /** Resolves when it answers; rejects with RotaError `ERR_ROTA_LISTEN` if the first thread dies before. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended, which it does by the signal. */
  readonly closed: Promise<void>;
  /** Gives it mail, which it takes in before its next batch. */
  post(mail: readonly Mail[]): void;
  /** Resolves when the batch is over that it works on now. */
  caughtUp(): Promise<void>;
  /** Has it end when it looks up next; what it waits in must be woken. */
  tellEnd(): void;
}

interface LaneParts extends Omit<LaneStart, "words"> {
  readonly number: number;
  readonly shared: Shared;
  readonly program: URL;
  readonly detours: Detours;
  readonly counters: Tally;
  readonly log: Log;
}

/** A lane that dies as often in so long is given a rest: whatever kills it comes again at once. */
const DEATHS = 3;
const DEATHS_MS = 10_000;
const REST_MS = 1000;
/** Far more than a batch takes: what has not ended by then never will. */
const END_MS = 1000;

interface Waiter {
  readonly batch: number;
  readonly resolve: () => void;
}

export function openLane(parts: LaneParts, signal: AbortSignal): Lane {
  const { number, fds, counts, shared, program, detours, counters, log } = parts;
  let words = createWords();
  let worker: Worker | undefined;
  let waiters: Waiter[] = [];
  let isReady = false;
  const first: { answers?: () => void; dies?: (error: RotaError) => void } = {};
  const ready = new Promise<void>((resolve, reject) => {
    Object.assign(first, { answers: resolve, dies: reject });
  });

  return { ready, closed: live(), post, caughtUp, tellEnd };

  async function live(): Promise<void> {
    const deaths: number[] = [];
    for (;;) {
      const cause = await run().catch((error: unknown) => error);
      if (signal.aborted) return first.answers?.();
      const died = `lane ${number} died: ${messageOf(cause)}`;
      if (!isReady)
        return first.dies?.(new RotaError("ERR_ROTA_LISTEN", `${died}; start with lanes 0`, { cause }));
      deaths.push(performance.now());
      const isOften = deaths.length >= DEATHS && (deaths.at(-DEATHS) ?? 0) > performance.now() - DEATHS_MS;
      deaths.splice(0, deaths.length - DEATHS);
      log.error(
        { err: cause, lane: number },
        `${died}; another takes its place${isOften ? " in a second" : ""}`,
      );
      if (isOften && !(await pause(systemTimers, REST_MS, signal))) return;
      counters.lanes.replaced += 1;
    }
  }

  /** Resolves with what it died of. */
  async function run(): Promise<unknown> {
    // What the one before said last is not this one's.
    words = createWords();
    const own = words;
    const start: LaneStart = { fds, words, counts, shared };
    return new Promise((resolve) => {
      let cause: unknown;
      // Whatever this process was started with, as --input-type, is for its own program.
      const running = new Worker(program, { workerData: start, execArgv: [], name: `rota lane ${number}` });
      worker = running;
      const end = (): void => {
        tellEnd();
        const cancel = systemTimers.after(END_MS, () => void running.terminate());
        running.once("exit", cancel);
      };
      if (signal.aborted) end();
      signal.addEventListener("abort", end, { once: true });
      running.on("message", (message: LaneMessage) => hear(message, own));
      running.once("error", (error) => {
        cause = error;
      });
      running.once("exit", (code) => {
        signal.removeEventListener("abort", end);
        worker = undefined;
        // Nothing of its batch leaves any more, whether it was over or not.
        words = createWords();
        wake(waiters.splice(0));
        resolve(cause ?? new Error(`it ended with code ${code}`));
      });
    });
  }

  function hear(message: LaneMessage, of: Int32Array<SharedArrayBuffer>): void {
    switch (message.kind) {
      case "ready":
        isReady = true;
        return first.answers?.();
      case "moved": {
        const now = Atomics.load(words, WORD.batch);
        wake(waiters.filter(({ batch }) => batch !== now));
        waiters = waiters.filter(({ batch }) => batch === now);
        return;
      }
      case "detours":
        return detours.take(message.detours, of);
    }
  }

  function post(mail: readonly Mail[]): void {
    if (!worker) return; // the next one begins with an empty book
    worker.postMessage(mail, []);
    // Behind the message: who sees the number finds the message.
    Atomics.add(words, WORD.mail, 1);
  }

  async function caughtUp(): Promise<void> {
    const batch = Atomics.load(words, WORD.batch);
    if (batch % 2 === 0) return;
    // First it is told that somebody waits, then looked whether it has moved on: so it does tell, or has.
    Atomics.store(words, WORD.awaited, 1);
    if (Atomics.load(words, WORD.batch) !== batch) return;
    await new Promise<void>((resolve) => {
      waiters.push({ batch, resolve });
    });
  }

  function tellEnd(): void {
    Atomics.store(words, WORD.stop, 1);
  }
}

function wake(waiters: readonly Waiter[]): void {
  for (const { resolve } of waiters) resolve();
}
