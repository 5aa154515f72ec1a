import type { Timers } from "../../base/timers.ts";
import { RCODE } from "../../wire/message.ts";
import { octetAt } from "../../wire/octet-reader.ts";
import type { ForwardCounters } from "./counters.ts";
import type { Asked, Link } from "./link.ts";
import { MAX_ATTEMPT_MS } from "./rtt.ts";

/** What came of a question. */
export type Outcome =
  /** `isAnswer`: upstream knows; else it says in so many octets that it does not, and so did all others. */
  | { readonly kind: "reply"; readonly octets: Uint8Array; readonly isAnswer: boolean }
  | { readonly kind: "nobody" };

export interface RaceOptions {
  readonly timers: Timers;
  readonly counters: ForwardCounters;
}

/** For all attempts together: clients wait for 5 s (resolv.conf(5), `timeout`). */
export const TOTAL_MS = 4000;
/** A reply may be garbled once, and a connection closed just then. */
const MAX_FAILURES = 2;
/** Soon enough that a client notices nothing, as at the start, when nobody has replied yet and the first may be dead. */
const DOUBTED_PATIENCE_MS = 20;
const NOBODY: Outcome = { kind: "nobody" };

/** What of an upstream is known within one race. */
interface Runner {
  readonly link: Link;
  tries: number;
  failures: number;
  /** It has said that it does not know, or failed too often. */
  isOut: boolean;
}

/**
 * Asks one upstream after the other, the next as soon as one fails, says that it does not know, or is late, and soon
 * while none is known to be there; those that are late may still win. When all have been asked they are asked again, as datagrams get lost.
 */
export function race(
  question: Uint8Array,
  links: readonly Link[],
  { timers, counters }: RaceOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  const runners = inOrder(links).map((link): Runner => ({ link, tries: 0, failures: 0, isOut: false }));
  const attempts = new Set<AbortController>();
  let fallback: Outcome = NOBODY;
  let latest: Runner | undefined;
  let isOver = false;
  let calm: (() => void) | undefined;

  return new Promise((resolve) => {
    const finish = (outcome: Outcome): void => {
      if (isOver) return;
      isOver = true;
      calm?.();
      disarm();
      signal.removeEventListener("abort", abort);
      for (const attempt of attempts) attempt.abort();
      resolve(outcome);
    };
    const abort = (): void => finish(NOBODY);
    const disarm = timers.after(TOTAL_MS, () => finish(fallback));
    signal.addEventListener("abort", abort, { once: true });
    next();

    function next(): void {
      const left = runners.filter(({ isOut }) => !isOut);
      const [first] = left.toSorted((one, other) => one.tries - other.tries);
      if (first) void run(first);
      else if (attempts.size === 0) finish(fallback);
    }

    async function run(runner: Runner): Promise<void> {
      const attempt = new AbortController();
      attempts.add(attempt);
      latest = runner;
      calm?.();
      calm = isDoubted(runner)
        ? timers.after(DOUBTED_PATIENCE_MS, next)
        : timers.after(runner.link.patienceMs(runner.tries), () => {
            counters.late += 1;
            runner.link.passOver();
            next();
          });
      runner.tries += 1;
      const limit = timers.after(MAX_ATTEMPT_MS, () => attempt.abort());
      const asked = await runner.link.ask(question, attempt.signal);
      limit();
      const isSilent = attempt.signal.aborted;
      attempts.delete(attempt);
      if (isOver) return;
      if (!isSilent) take(runner, asked);
      else if (attempts.size === 0) next();
    }

    function take(runner: Runner, asked: Asked): void {
      if (asked.kind === "reply" && isAnswer(asked.octets))
        return finish({ kind: "reply", octets: asked.octets, isAnswer: true });
      if (asked.kind === "reply") {
        runner.isOut = true;
        if (fallback === NOBODY) fallback = { kind: "reply", octets: asked.octets, isAnswer: false };
      } else {
        runner.failures += 1;
        runner.isOut = runner.failures === MAX_FAILURES;
        if (!asked.isOurs) runner.link.passOver();
      }
      // Of one that was late already, the next has been asked.
      if (runner !== latest && attempts.size > 0) return;
      calm?.();
      next();
    }
  });

  /** It may be dead, and another has not been asked. */
  function isDoubted({ link }: Runner): boolean {
    const left = runners.filter(({ tries, isOut }) => tries === 0 && !isOut);
    return link.standing === "passed over" && left.some((other) => other.link !== link);
  }
}

/** Those that lead back here are left out. */
function inOrder(links: readonly Link[]): readonly Link[] {
  return [
    ...links.filter(({ standing }) => standing === "good"),
    ...links.filter(({ standing }) => standing === "passed over"),
  ];
}

/** Another may know better than one that fails, refuses or cannot do it; "no such name" and the rest is an answer. */
function isAnswer(reply: Uint8Array): boolean {
  const rcode = octetAt(reply, 3) & 0x0f;
  return rcode !== RCODE.SERVFAIL && rcode !== RCODE.REFUSED && rcode !== RCODE.NOTIMP;
}
