import type { Address } from "../model/address.ts";

/**
 * What came of one try at a task. `warn`: it serves, but says that it is not well. `unknown`: nothing was
 * learned of the task, as the fault was on this side; it counts for nothing.
 */
export interface Outcome {
  readonly kind: "pass" | "warn" | "fail" | "unknown";
  /** One line for people: what the task said, or what went wrong. At most {@link MAX_DETAIL} characters, no control characters. */
  readonly detail: string;
}

/** Whom a probe is for. */
export interface Target {
  /** The service's name with its namespace, as `web.shop`. */
  readonly service: string;
  readonly task: string;
  readonly address: Address;
  /** Where the task listens; undefined: the probe needs none. */
  readonly port: number | undefined;
}

const MAX_DETAIL = 200;

/** An outcome fit to be shown: what a server said is cut to one line of printable text. */
export function outcome(kind: Outcome["kind"], detail: string): Outcome {
  const line = detail
    .slice(0, MAX_DETAIL * 4)
    .replaceAll(/[\s\p{C}]+/gu, " ")
    .trim();
  return { kind, detail: line.length > MAX_DETAIL ? `${line.slice(0, MAX_DETAIL - 1)}…` : line };
}
