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
