import { RotaError } from "../base/error.ts";
import type { Outcome, Target } from "./outcome.ts";

/**
 * Tries a task once, for one kind of probe. It may throw what went wrong, ends soon after `signal` aborts, and
 * leaves nothing behind in any case: no socket, no process, no listener.
 *
 * @param stage hears what is being done, as `connecting`, for the message of a time-out.
 */
export type Attempt<P> = (
  probe: P,
  target: Target,
  signal: AbortSignal,
  stage: (doing: string) => void,
) => Promise<Outcome>;

/** How a try comes to its end; what comes after the first is not heard. */
export interface Ending<T> {
  end(result: T): void;
  fail(error: Error): void;
}

/**
 * What comes of something that is started, or fails because `signal` aborts. However it ends, `close` is called.
 *
 * @param start adds its listeners, and keeps that of errors: what is closed may still have one to tell.
 */
export function untilEnd<T>(
  signal: AbortSignal,
  close: () => void,
  start: (ending: Ending<T>) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      signal.removeEventListener("abort", abort);
      close();
    };
    const end = (result: T): void => {
      leave();
      resolve(result);
    };
    const fail = (error: Error): void => {
      leave();
      reject(error);
    };
    const abort = (): void => fail(new RotaError("ERR_ROTA_ASK", "trying was ended"));
    start({ end, fail });
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
  });
}
