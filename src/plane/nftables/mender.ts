import { messageOf } from "../../base/error.ts";
import type { Log } from "../../base/log.ts";
import type { Timers } from "../../base/timers.ts";

/** Puts back what others took away, as often as they do, but not as fast. */
export interface Mender {
  /** Has it mended soon. */
  call(): void;
}

export interface MenderOptions {
  readonly log: Log;
  readonly timers: Timers;
  mend(): Promise<void>;
}

/** From the first that is noticed on: what is taken away together is put back together. */
const LEAST_DELAY_MS = 200;
const MOST_DELAY_MS = 10_000;
/** After so long without, the next is the first again. */
const QUIET_MS = 30_000;

export function createMender({ log, timers, mend }: MenderOptions, signal: AbortSignal): Mender {
  let delayMs = LEAST_DELAY_MS;
  let cancel: (() => void) | undefined;
  let calm: (() => void) | undefined;
  let told: string | undefined;
  signal.addEventListener("abort", () => {
    cancel?.();
    calm?.();
  });

  return { call };

  function call(): void {
    if (cancel !== undefined || signal.aborted) return;
    calm?.();
    cancel = timers.after(delayMs, () => {
      cancel = undefined;
      void mending();
    });
    // Two that put back what the other took away must not do nothing else.
    delayMs = Math.min(delayMs * 2, MOST_DELAY_MS);
  }

  async function mending(): Promise<void> {
    try {
      await mend();
      told = undefined;
    } catch (error) {
      if (signal.aborted) return;
      const message = messageOf(error);
      log[message === told ? "debug" : "error"](
        { err: error },
        `could not put back what others took away: ${message}`,
      );
      told = message;
      call();
    }
    if (signal.aborted) return;
    calm?.();
    calm = timers.after(QUIET_MS, () => {
      delayMs = LEAST_DELAY_MS;
    });
  }
}
