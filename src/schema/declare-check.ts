import type { Check, Hold } from "../model/check.ts";
import type { Port } from "../model/declaration.ts";
import { declareProbe, PROBE_WORDS } from "./declare-probe.ts";
import type { HealthcheckShape } from "./healthcheck-shape.ts";
import { countsSeconds, type Span } from "./healthcheck-words.ts";
import { listOf, type Path } from "./problem.ts";
import type { Surroundings } from "./surroundings.ts";

/** What is not said of a check. */
interface Defaults {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
  /** Undefined: as the interval. */
  readonly startIntervalMs: number | undefined;
}

const DEFAULTS: Defaults = {
  intervalMs: 5000,
  timeoutMs: 2000,
  rise: 2,
  fall: 3,
  startIntervalMs: undefined,
};

/**
 * Compose specification, services, healthcheck: "its default values are set by the HEALTHCHECK Dockerfile
 * instruction"; Dockerfile reference, HEALTHCHECK: interval 30s, timeout 30s, start period 0s, start interval 5s,
 * retries 3. One pass makes a container healthy again.
 */
const COMPOSE_DEFAULTS: Defaults = {
  intervalMs: 30_000,
  timeoutMs: 30_000,
  rise: 1,
  fall: 3,
  startIntervalMs: 5000,
};

/** Unless it is said, and the first time is not longer. */
const MOST_HELD_MS = 300_000;
/** Few mean more than an hour, and who does writes it with an h. */
const ODD_MS = 3_600_000;
const SPANS = ["interval", "timeout", "start_period", "start_interval", "heartbeat"] as const;

/** What does not go with a heartbeat, and why. */
const NOTHING_ASKED = "nothing is asked, and its own duration is all that counts";
const ONE_COUNTS = "one report passes, and none for its duration fails";
const NOT_FOR_HEARTBEAT = [
  ["interval", NOTHING_ASKED],
  ["timeout", NOTHING_ASKED],
  ["start_interval", NOTHING_ASKED],
  ["rise", ONE_COUNTS],
  ["fall", ONE_COUNTS],
  ["retries", ONE_COUNTS],
] as const;

/** Makes a check of what is well-formed, and tells what does not fit together; undefined: the tasks are not checked. */
export function declareCheck(
  shape: HealthcheckShape | undefined,
  ports: readonly Port[],
  around: Surroundings,
): Check | undefined {
  if (shape === undefined || shape.disable || shape.test === "none") return undefined;
  const path = [...around.path, "healthcheck"];
  if (!isOneProbe(shape, path, around)) return undefined;
  tellTwoWords(shape, path, around);
  tellCommand(shape, path, around);
  const probe = declareProbe(shape, ports, path, around);
  if (probe === undefined) return undefined;
  warnOfSeconds(shape, path, around);
  const startPeriodMs = shape.start_period?.ms ?? 0;
  const hold = shape.hold && holdOf(shape.hold);
  if (shape.heartbeat !== undefined) {
    tellHeartbeat(shape, path, around);
    // Nothing is waited for but the next.
    const { ms } = shape.heartbeat;
    return {
      probe,
      intervalMs: ms,
      timeoutMs: ms,
      rise: 1,
      fall: 1,
      startPeriodMs,
      startIntervalMs: ms,
      hold,
    };
  }

  const defaults = shape.test === undefined ? DEFAULTS : COMPOSE_DEFAULTS;
  const intervalMs = said(shape.interval?.ms) ?? defaults.intervalMs;
  return {
    probe,
    intervalMs,
    timeoutMs: said(shape.timeout?.ms) ?? defaults.timeoutMs,
    rise: shape.rise ?? defaults.rise,
    fall: shape.fall ?? said(shape.retries) ?? defaults.fall,
    startPeriodMs,
    startIntervalMs: said(shape.start_interval?.ms) ?? defaults.startIntervalMs ?? intervalMs,
    hold,
  };
}

/** Docker Engine API, HealthConfig: "0 means inherit", which comes to the default. */
function said(number: number | undefined): number | undefined {
  return number === 0 ? undefined : number;
}

function holdOf({ initial, max }: NonNullable<HealthcheckShape["hold"]>): Hold {
  return { initialMs: initial.ms, maxMs: max?.ms ?? Math.max(initial.ms, MOST_HELD_MS) };
}

function isOneProbe(shape: HealthcheckShape, path: Path, around: Surroundings): boolean {
  const written = PROBE_WORDS.filter((word) => shape[word] !== undefined);
  if (written.length === 1) return true;
  const message =
    written.length === 0
      ? `does not say how: write ${listOf(PROBE_WORDS, "or")}, or disable: true`
      : `has ${written.length} probes, ${listOf(written, "and")}: write one`;
  around.problems.push({ path, message });
  return false;
}

function tellTwoWords(shape: HealthcheckShape, path: Path, around: Surroundings): void {
  if (shape.fall === undefined || shape.retries === undefined) return;
  around.problems.push({
    path: [...path, "retries"],
    message: "is another word for fall: write one of them",
  });
}

/** Who may write a services file may otherwise not run commands. */
function tellCommand(shape: HealthcheckShape, path: Path, around: Surroundings): void {
  const word = shape.test === undefined ? "exec" : "test";
  if (shape[word] === undefined) return;
  if (!around.allowExec) {
    const message = "runs a command: allow it with --allow-exec, in a program with allowExec: true";
    around.problems.push({ path: [...path, word], message });
  } else if (word === "test") {
    const message = "is run on this machine, not in a container";
    around.warnings.push({ path: [...path, word], message });
  }
}

/** A number that is too large for the seconds that it counts is one of milliseconds. */
function warnOfSeconds(shape: HealthcheckShape, path: Path, around: Surroundings): void {
  const { hold } = shape;
  const spans: (readonly [below: Path, Span | undefined])[] = [
    ...SPANS.map((word) => [[word], shape[word]] as const),
    [hold?.isBare ? ["hold"] : ["hold", "initial"], hold?.initial],
    [["hold", "max"], hold?.max],
  ];
  for (const [below, span] of spans) {
    if (span === undefined || span.ms <= ODD_MS || !countsSeconds(span.written)) continue;
    const message = `${span.written} counts seconds: write ${span.written}ms if milliseconds were meant`;
    around.warnings.push({ path: [...path, ...below], message });
  }
}

function tellHeartbeat(shape: HealthcheckShape, path: Path, around: Surroundings): void {
  for (const [word, why] of NOT_FOR_HEARTBEAT) {
    if (shape[word] === undefined) continue;
    around.problems.push({ path: [...path, word], message: `does not go with heartbeat: ${why}` });
  }
}
