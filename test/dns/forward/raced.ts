import { createForwardTally, type ForwardCounters } from "../../../src/dns/forward/counters.ts";
import type { Asked, Link, Standing } from "../../../src/dns/forward/link.ts";
import { type Outcome, race } from "../../../src/dns/forward/race.ts";
import { patienceOf, type Rtt } from "../../../src/dns/forward/rtt.ts";
import { type Hand, turnedByHand } from "../../by-hand.ts";

/** What an upstream does with one question: replies with this rcode after so many milliseconds, or never; or fails. */
export type Deed = { readonly afterMs: number; readonly rcode: number } | "silence" | "failure" | "no files";

export const ok = (afterMs: number): Deed => ({ afterMs, rcode: 0 });
export const servfail = (afterMs: number): Deed => ({ afterMs, rcode: 2 });

export interface Raced {
  readonly hand: Hand;
  readonly counters: ForwardCounters;
  /** Who was asked at which millisecond, as `a 0`, `b 400`. */
  readonly asked: string[];
  /** Who was passed over. */
  readonly passed: string[];
  /** Who was told that nobody waits any more. */
  readonly ended: string[];
  /** Who won at which millisecond with which rcode, `nobody 4000`; `still` while it goes on. */
  outcome(): string;
  abort(): void;
}

export interface RunnerOptions {
  readonly standing?: Standing;
  readonly rtt?: Rtt;
}

/** A race of upstreams that each do what they are told, by name: `{ a: [silence, ok(5)] }`. */
export function raced(
  deeds: Readonly<Record<string, readonly Deed[]>>,
  options: Readonly<Record<string, RunnerOptions>> = {},
): Raced {
  const hand = turnedByHand();
  const startMs = hand.clock.monotonic();
  const nowMs = (): number => hand.clock.monotonic() - startMs;
  const counters = createForwardTally();
  const [asked, passed, ended]: [string[], string[], string[]] = [[], [], []];
  let over = "still";

  const links = Object.entries(deeds).map(([name, each]): Link => {
    const { standing = "good", rtt } = options[name] ?? {};
    let times = 0;
    return {
      name,
      standing,
      patienceMs: (tries) => patienceOf(rtt, tries),
      passOver: () => passed.push(name),
      look: () => {},
      foundHere: () => false,
      ask(_, signal) {
        asked.push(`${name} ${nowMs()}`);
        const deed = each[times++] ?? "silence";
        return new Promise<Asked>((resolve) => {
          signal.addEventListener("abort", () => {
            ended.push(name);
            resolve({ kind: "failed", why: "no reply", isOurs: false });
          });
          if (deed === "failure") resolve({ kind: "failed", why: "refused", isOurs: false });
          if (deed === "no files") resolve({ kind: "failed", why: "no more files", isOurs: true });
          if (typeof deed === "string") return;
          const octets = Uint8Array.of(0, 0, 0x80, deed.rcode, name.charCodeAt(0));
          hand.timers.after(deed.afterMs, () => resolve({ kind: "reply", octets }));
        });
      },
    };
  });
  const life = new AbortController();
  const tell = (outcome: Outcome): void => {
    over =
      outcome.kind === "nobody"
        ? `nobody ${nowMs()}`
        : `${String.fromCharCode(outcome.octets[4] ?? 0)} ${nowMs()} rcode ${outcome.octets[3]}${outcome.isAnswer ? "" : ", no answer"}`;
  };
  void race(new Uint8Array(12), links, { timers: hand.timers, counters }, life.signal).then(tell);
  return { hand, counters, asked, passed, ended, outcome: () => over, abort: () => life.abort() };
}
