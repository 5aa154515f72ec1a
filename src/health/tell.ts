import { count } from "../base/count.ts";
import type { Log } from "../base/log.ts";
import { formatSpan } from "../model/duration.ts";
import type { TaskCheck } from "./task-check.ts";

/** What the monitor writes into the log. */
export interface Teller {
  /** Verdicts that have turned together. */
  turned(checks: readonly TaskCheck[], nowMs: number): void;
  unknown(check: TaskCheck): void;
  late(probes: number): void;
  stalled(ms: number): void;
  /** To be called now and then: says what has been kept back, once it may. */
  look(nowMs: number): void;
}

/** Verdicts that turn within {@link WINDOW_MS}: more than these are told in one line. */
const TOLD_ONE_BY_ONE = 10;
const WINDOW_MS = 1000;
/** What may happen thousands of times is told so often. */
const QUIET_MS = 60_000;

export function createTeller(log: Log): Teller {
  let unknown = 0;
  let lastUnknown = "";
  let late = 0;
  let stalls = 0;
  let stalledMs = 0;
  let windowMs = -Infinity;
  let told = 0;
  const untold = { failing: 0, passing: 0, starting: 0 };
  const notices = [
    createNotice(
      () => unknown > 0,
      () => {
        const probes = unknown;
        unknown = 0;
        log.warn(
          { probes },
          `${count(probes, "probe")} without a result that counts, the last of ${lastUnknown}`,
        );
      },
    ),
    createNotice(
      () => late > 0,
      () => {
        const probes = late;
        late = 0;
        log.warn(
          { probes },
          `${count(probes, "probe")} came more than an interval late or not at all: intervals are too short for this machine, or it stood still`,
        );
      },
    ),
    createNotice(
      () => stalls > 0,
      () => {
        const fields = { stalls, stalledMs: Math.round(stalledMs) };
        stalls = 0;
        stalledMs = 0;
        log.warn(
          fields,
          `the process stood still for ${formatSpan(fields.stalledMs)}: what failed meanwhile is tried again`,
        );
      },
    ),
  ];

  return {
    turned(checks, nowMs) {
      openWindow(nowMs);
      for (const check of checks) {
        told += 1;
        if (told <= TOLD_ONE_BY_ONE) tellTurned(check);
        else untold[check.health.verdict] += 1;
      }
    },
    unknown({ target, last }) {
      unknown += 1;
      lastUnknown = `task ${target.task} of ${target.service}: ${last?.detail ?? ""}`;
    },
    late(probes) {
      late += probes;
    },
    stalled(ms) {
      stalls += 1;
      stalledMs += ms;
    },
    look(nowMs) {
      openWindow(nowMs);
      for (const notice of notices) notice(nowMs);
    },
  };

  /** Begins to count anew when it is time, and says how many the last time was silent about. */
  function openWindow(nowMs: number): void {
    if (nowMs - windowMs < WINDOW_MS) return;
    windowMs = nowMs;
    told = 0;
    const { failing, passing } = untold;
    if (failing + passing === 0) return;
    untold.failing = 0;
    untold.passing = 0;
    const line = `${count(failing + passing, "more verdict")} turned: ${failing} failing, ${passing} passing`;
    log[failing > 0 ? "warn" : "info"]({ failing, passing }, line);
  }

  function tellTurned({ service, target, health, last }: TaskCheck): void {
    const fields = { service: service.id, task: target.task };
    const why = `task ${target.task} of ${target.service} is ${health.verdict}: ${last?.detail ?? ""}`;
    if (health.verdict === "failing")
      log.warn(fields, `${why} (${count(health.failures, "failure")} in a row)`);
    else log.info(fields, health.passes > 1 ? `${why} (${health.passes} passes in a row)` : why);
  }
}

/** Says what there is to say at most once in {@link QUIET_MS}. */
function createNotice(isAny: () => boolean, say: () => void): (nowMs: number) => void {
  let saidMs = -Infinity;
  return (nowMs) => {
    if (nowMs - saidMs < QUIET_MS || !isAny()) return;
    saidMs = nowMs;
    say();
  };
}
