import { z } from "zod";
import type { HealthcheckInput, HoldInput } from "./healthcheck-input.ts";
import { messageOfSpan, parseSpan, parseSpanOrZero } from "./healthcheck-words.ts";
import { httpInput, httpsInput } from "./http-shape.ts";
import { dnsInput, execInput, grpcInput, tcpInput, testInput } from "./probe-shape.ts";
import { mustBe, show } from "./problem.ts";
import { durationInput, type Fields, orDigits, reading, strict, whole } from "./steps.ts";

/** More often than this, checking is what keeps tasks busy. */
const LEAST_INTERVAL = "100ms";
const LEAST_TIMEOUT = "1ms";
/** Timers hold a day (Node's end at 24.8 of them). */
const MOST = "24h";
const MOST_TIMES = 10_000;

const interval = span(LEAST_INTERVAL);
const times = whole(1, MOST_TIMES);

const holdInput = z.union(
  [
    interval.transform((initial) => ({ initial, max: undefined, isBare: true })),
    strict({
      initial: interval.describe("The first time."),
      max: interval.optional().describe("At most; default: 5m."),
    } satisfies Fields<HoldInput>)
      .refine(({ initial, max }) => max === undefined || max.ms >= initial.ms, {
        error: "is less than initial: write as much at least",
        path: ["max"],
      })
      .transform(({ initial, max }) => ({ initial, max, isBare: false })),
  ],
  { error: mustBe("a duration or a mapping with initial and max") },
);

const truth = z.union([z.boolean(), z.enum(["true", "false"]).transform((text) => text === "true")], {
  error: mustBe("true or false"),
});

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
  disable: truth.default(false).describe("Whether there is no check; default: false."),
  interval: spanOrZero(LEAST_INTERVAL)
    .optional()
    .describe("From one probe of a task to its next; default: 5s, with test 30s."),
  timeout: spanOrZero(LEAST_TIMEOUT).optional().describe("For one probe; default: 2s, with test 30s."),
  rise: times.optional().describe("Passes in a row that bring a task back; default: 2, with test 1."),
  fall: times.optional().describe("Failures in a row that take a task out; default: 3."),
  retries: orDigits(whole(0, MOST_TIMES)).optional().describe("Compose's word for fall; default: 3."),
  start_period: span("0s")
    .optional()
    .describe("For so long a task that has not passed yet may fail without its counting; default: 0s."),
  start_interval: spanOrZero(LEAST_INTERVAL)
    .optional()
    .describe("In place of interval during that time; default: interval, with test 5s."),
  hold: holdInput
    .optional()
    .describe("How long a task that flaps must pass before it serves again, twice as long each time."),
} satisfies Fields<HealthcheckInput>;

const SPANS_OR_ZERO = [
  ["interval", LEAST_INTERVAL],
  ["timeout", LEAST_TIMEOUT],
  ["start_interval", LEAST_INTERVAL],
] as const;

/** A zero is left in Compose's form alone: it is for Docker's default. */
export const healthcheckShape = strict(healthcheckFields, { mistaken }).superRefine((shape, context) => {
  if (shape.test !== undefined || shape.disable) return;
  for (const [word, least] of SPANS_OR_ZERO) {
    const span = shape[word];
    if (span?.ms !== 0) continue;
    context.addIssue({ code: "custom", path: [word], message: messageOfSpan(span.written, least, MOST) });
  }
  if (shape.retries !== 0) return;
  const message = `must be a whole number from 1 to ${MOST_TIMES}, not 0`;
  context.addIssue({ code: "custom", path: ["retries"], message });
});
export type HealthcheckShape = z.output<typeof healthcheckShape>;

function span(least: string) {
  return durationInput.transform(reading((written) => parseSpan(written, least, MOST)));
}

/**
 * Docker Engine API, HealthConfig, of Interval, Timeout and StartInterval: "It should be 0 or at least 1000000
 * (1 ms). 0 means inherit."
 */
function spanOrZero(least: string) {
  return durationInput.transform(reading((written) => parseSpanOrZero(written, least, MOST)));
}

/** What is told of a health check that is no mapping. */
function mistaken(written: unknown): string | undefined {
  if (written === null) return "is empty: indent what belongs to it, or write { disable: true }";
  if (written !== false && typeof written !== "string") return undefined;
  const wrong = `must be a mapping, not ${show(written)}`;
  const text = String(written);
  if (/^(?:none|false|no|off|disabled?)$/i.test(text)) return `${wrong}: write { disable: true }`;
  // Without what YAML would have in quotes.
  if (/^\/[\w./?=&%-]{0,59}$/.test(text)) return `${wrong}: write { http: ${text} }`;
  return undefined;
}
