import type { Check } from "../model/check.ts";
import type { Port } from "../model/declaration.ts";
import { declareProbe, PROBE_WORDS } from "./declare-probe.ts";
import type { HealthcheckShape } from "./healthcheck-shape.ts";
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
  if (shape.heartbeat !== undefined) tellHeartbeat(shape, path, around);

  const defaults = shape.test === undefined ? DEFAULTS : COMPOSE_DEFAULTS;
  const intervalMs = shape.heartbeat ?? shape.interval ?? defaults.intervalMs;
  return {
    probe,
    intervalMs,
    // Of a heartbeat, nothing is waited for but the next.
    timeoutMs: shape.heartbeat ?? shape.timeout ?? defaults.timeoutMs,
    rise: shape.heartbeat === undefined ? (shape.rise ?? defaults.rise) : 1,
    fall: shape.heartbeat === undefined ? (shape.fall ?? shape.retries ?? defaults.fall) : 1,
    startPeriodMs: shape.start_period,
    startIntervalMs: shape.start_interval ?? defaults.startIntervalMs ?? intervalMs,
    hold: shape.hold,
  };
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
    const message = "is run on this machine, not in a container: write exec if that is meant";
    around.warnings.push({ path: [...path, word], message });
  }
}

function tellHeartbeat(shape: HealthcheckShape, path: Path, around: Surroundings): void {
  for (const [word, why] of NOT_FOR_HEARTBEAT) {
    if (shape[word] === undefined) continue;
    around.problems.push({ path: [...path, word], message: `does not go with heartbeat: ${why}` });
  }
}
