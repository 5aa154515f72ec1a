import { randomBytes } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { messageOf, systemCodeOf } from "../../base/error.ts";
import type { Log } from "../../base/log.ts";
import type { Timers } from "../../base/timers.ts";
import { joinName, MAX_NAME_OCTETS, type Name, parsePrefix, ROOT } from "../../model/name.ts";
import { CLASS_IN, TYPE } from "../../wire/record.ts";
import type { ForwardCounters } from "./counters.ts";
import type { Exchange } from "./exchange.ts";
import { writeQuestion } from "./question.ts";
import { MAX_ATTEMPT_MS, measure, patienceOf, type Rtt } from "./rtt.ts";

/** What came of asking an upstream once. */
export type Asked =
  | { readonly kind: "reply"; readonly octets: Uint8Array }
  /** `isOurs`: it is no fault of the upstream's that it could not be asked. */
  | { readonly kind: "failed"; readonly why: string; readonly isOurs: boolean };

/**
 * Whether an upstream is asked. `good`: in its turn. `passed over`, also until it has replied for the first time since
 * {@link Link.look}: after all that are good, and tried in the background.
 * `loop`: not at all, since what it is asked comes back here.
 */
export type Standing = "good" | "passed over" | "loop";

/** An upstream, and what is known of it. */
export interface Link {
  /** As `udp://10.0.0.53:53`. */
  readonly name: string;
  readonly standing: Standing;
  /** After how many milliseconds it is late with what it is asked for the `tries`-th time, from 0 on. */
  patienceMs(tries: number): number;
  /** Asks once, until the signal aborts; never rejects. */
  ask(question: Uint8Array, signal: AbortSignal): Promise<Asked>;
  /** It was late or failed: until it replies again others go first, and it is tried in the background. */
  passOver(): void;
  /** Tries in the background whether it is there, and does not lead back here. */
  look(): void;
  /** To be told of names that come here: true if this upstream was asked for it by {@link look}. */
  foundHere(name: Name): boolean;
}

export interface LinkOptions {
  readonly name: string;
  /** One that it is asked for names beneath. */
  readonly zone: Name;
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly counters: ForwardCounters;
  readonly log: Log;
}

/** The rest between two tries of one that is passed over. */
const FIRST_REST_MS = 500;
const LONGEST_REST_MS = 10_000;
/** This process, or the machine, has no more files or memory. */
const OUR_FAULTS: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);
/** Somebody has to change something first. */
const LOOP_REST_MS = 30_000;

export function createLink(
  { name, zone, exchange, clock, timers, counters, log }: LinkOptions,
  signal: AbortSignal,
): Link {
  let standing: Standing = "good";
  let rtt: Rtt | undefined;
  let tried: Name | undefined;
  let isTrying = false;
  let cameBack = false;
  signal.addEventListener("abort", () => exchange[Symbol.dispose](), { once: true });

  return {
    name,
    get standing() {
      return standing;
    },
    patienceMs: (tries) => patienceOf(rtt, tries),
    async ask(question, until) {
      counters.asked += 1;
      const asked = await askOnce(question, until);
      if (asked.kind === "reply" && standing === "passed over") standing = "good";
      return asked;
    },
    passOver() {
      if (standing === "good") standing = "passed over";
      void tryOut();
    },
    look() {
      // Nobody knows yet that it is there, and no client is to be the one who finds out that it is not.
      if (rtt === undefined && standing === "good") standing = "passed over";
      void tryOut();
    },
    foundHere(found) {
      if (found !== tried) return false;
      cameBack = true;
      return true;
    },
  };

  async function askOnce(question: Uint8Array, until: AbortSignal): Promise<Asked> {
    const startedMs = clock.monotonic();
    try {
      const octets = await exchange.ask(question, until);
      rtt = measure(rtt, clock.monotonic() - startedMs);
      return { kind: "reply", octets };
    } catch (error) {
      const isOurs = OUR_FAULTS.has(systemCodeOf(error) ?? "");
      return { kind: "failed", why: until.aborted ? "no reply" : messageOf(error), isOurs };
    }
  }

  /** Tries it until it is good. */
  async function tryOut(): Promise<void> {
    if (isTrying) return;
    isTrying = true;
    let isTold = false;
    for (let tries = 0; !signal.aborted; tries++) {
      const found = await tryOnce();
      if (signal.aborted) return;
      if (found.standing === "loop" && standing !== "loop") {
        counters.loops += 1;
        log.error(
          { upstream: name },
          `${name} leads back here and is left out: what it is asked, it asks this server`,
        );
      }
      standing = found.standing;
      if (found.standing === "good") break;
      if (found.standing === "passed over" && !isTold) {
        log.warn({ upstream: name }, `${name} does not answer and is passed over: ${found.why}`);
      }
      isTold = true;
      const rest = Math.min(FIRST_REST_MS * 2 ** tries, LONGEST_REST_MS);
      await pause(found.standing === "loop" ? LOOP_REST_MS : rest);
    }
    isTrying = false;
    if (isTold && !signal.aborted) log.info({ upstream: name }, `${name} answers again`);
  }

  /** Asks for a name that nobody else asks for: any reply is one, and if the question comes here, it is a loop. */
  async function tryOnce(): Promise<{ readonly standing: Standing; readonly why: string }> {
    tried = nameBeneath(zone);
    cameBack = false;
    const until = new AbortController();
    const disarm = timers.after(MAX_ATTEMPT_MS, () => until.abort());
    const end = (): void => until.abort();
    signal.addEventListener("abort", end, { once: true });
    const asked = await askOnce(questionOf(tried), until.signal);
    signal.removeEventListener("abort", end);
    disarm();
    tried = undefined;
    if (cameBack) return { standing: "loop", why: "" };
    if (asked.kind === "reply") return { standing: "good", why: "" };
    return { standing: "passed over", why: asked.why };
  }

  async function pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        disarm();
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const disarm = timers.after(ms, wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}

const TRIAL_LABEL = "rota-loop";

/** Whether a name looks like one that an upstream is asked for to try it; other Rotas ask such, too. */
export function mayBeTrial(name: Name): boolean {
  return name.includes(TRIAL_LABEL);
}

/** Two labels at least: a name of one is not forwarded by everybody. */
function nameBeneath(zone: Name): Name {
  const labels = parsePrefix(`${randomBytes(8).toString("hex")}.${TRIAL_LABEL}`);
  return joinName(labels, labels.length + zone.length > MAX_NAME_OCTETS ? ROOT : zone);
}

function questionOf(name: Name): Uint8Array {
  const octets = Buffer.concat([Buffer.from(name, "latin1"), Uint8Array.of(0, TYPE.A, 0, CLASS_IN)]);
  const question = { name, type: TYPE.A, class: CLASS_IN, octets };
  return writeQuestion({ question, edns: undefined, authenticDataWanted: false, checkingDisabled: false });
}
