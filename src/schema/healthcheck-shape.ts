import { z } from "zod";
import type { Hold } from "../model/check.ts";
import type { HealthcheckInput, HoldInput } from "./healthcheck-input.ts";
import { parseSpan } from "./healthcheck-words.ts";
import { dnsInput, execInput, grpcInput, httpInput, httpsInput, tcpInput, testInput } from "./probe-shape.ts";
import { mustBe } from "./problem.ts";
import { type Fields, reading, strict, whole } from "./steps.ts";

/** More often than this, checking is what keeps tasks busy. */
const LEAST_INTERVAL = "100ms";
const MOST = "24h";
/** Unless it is said, and the first time is not longer. */
const MOST_HELD_MS = 300_000;

const interval = span(LEAST_INTERVAL);
const times = whole(1, 100);

const holdInput = z.union(
  [
    interval.transform(holdOf),
    strict({
      initial: interval.describe("The first time."),
      max: interval.optional().describe("At most; default: 5m."),
    } satisfies Fields<HoldInput>)
      .refine(({ initial, max }) => max === undefined || max >= initial, {
        error: "is less than initial: write as much at least",
        path: ["max"],
      })
      .transform(({ initial, max }): Hold => (max === undefined ? holdOf(initial) : hold(initial, max))),
  ],
  { error: mustBe("a duration or a mapping with initial and max") },
);

const healthcheckFields = {
  tcp: tcpInput
    .optional()
    .describe("A connection can be made: true, a port, or more. One probe is written, no more."),
  http: httpInput.optional().describe("A request is answered well: its path, or more."),
  https: httpsInput.optional().describe("As http, over TLS."),
  grpc: grpcInput.optional().describe("The task says SERVING: true, the gRPC service to ask for, or more."),
  dns: dnsInput.optional().describe("A DNS server answers: the name to ask for, or more."),
  exec: execInput
    .optional()
    .describe("A command of this machine exits with 0: program and arguments, or text for a shell."),
  heartbeat: interval.optional().describe("The task itself reports, at least so often."),
  test: testInput.optional().describe("exec in Compose's words, with Docker's defaults."),
  disable: z.boolean().default(false).describe("Whether there is no check."),
  interval: interval.optional().describe("From one probe of a task to its next; default: 5s, with test 30s."),
  timeout: span("1ms").optional().describe("For one probe; default: 2s, with test 30s."),
  rise: times.optional().describe("Passes in a row that bring a task back; default: 2, with test 1."),
  fall: times.optional().describe("Failures in a row that take a task out; default: 3."),
  retries: times.optional().describe("Compose's word for fall."),
  start_period: span("0s")
    .default(0)
    .describe("For so long a task that has not passed yet may fail without its counting."),
  start_interval: interval
    .optional()
    .describe("In place of interval during that time; default: interval, with test 5s."),
  hold: holdInput
    .optional()
    .describe("How long a task that flaps must pass before it serves again, twice as long each time."),
} satisfies Fields<HealthcheckInput>;

export const healthcheckShape = strict(healthcheckFields);
export type HealthcheckShape = z.output<typeof healthcheckShape>;

/** A duration up to a day, which timers hold (Node's end at 24.8 days). */
function span(least: string) {
  return z
    .union([z.string(), z.number()], { error: mustBe("a duration, as 5s or 1m30s") })
    .transform(reading((duration: string | number) => parseSpan(duration, least, MOST)));
}

function holdOf(initialMs: number): Hold {
  return hold(initialMs, Math.max(initialMs, MOST_HELD_MS));
}

function hold(initialMs: number, maxMs: number): Hold {
  return { initialMs, maxMs };
}
