import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Verdict } from "../../src/registry/service.ts";
import {
  createHealth,
  type Health,
  heldUntil,
  startPeriodEnd,
  type Thresholds,
  weigh,
} from "../../src/health/gate.ts";
import type { Outcome } from "../../src/health/outcome.ts";

const DEFAULTS: Thresholds = { rise: 2, fall: 3, startPeriodMs: 0, hold: undefined };
const SECOND = 1000;

const KINDS: Readonly<Record<string, Outcome["kind"]>> = {
  "+": "pass",
  "!": "warn",
  "-": "fail",
  "?": "unknown",
};
const LETTERS: Readonly<Record<Verdict, string>> = { starting: "s", passing: "P", failing: "f" };

/** The verdict that each result met: `+` pass, `!` warn, `-` fail, `?` unknown, `.` a look alone; one a second. */
function verdicts(results: string, thresholds: Partial<Thresholds> = {}, before?: Verdict): string {
  let health = createHealth(0, before);
  let met = "";
  for (const [second, result] of results.split("").entries()) {
    met += LETTERS[health.verdict];
    const kind = KINDS[result];
    if (kind) health = weigh(health, kind, { ...DEFAULTS, ...thresholds }, second * SECOND);
  }
  return met;
}

describe("results and the verdict that each met", () => {
  test.each([
    ["the first pass is enough for a starting task", "+.", "sP", {}],
    ["a warning is a pass", "!.", "sP", {}],
    ["failures take a starting task out as well", "---.", "sssf", {}],
    ["what failed before its first pass comes back by two", "---++.", "sssffP", {}],
    ["failures before a first pass that are too few are forgotten", "--+--.", "sssPPP", {}],
    ["two of two take it out", "++---+", "sPPPff", { fall: 2 }],
    ["three of three take it out, two of two bring it back", "++---+-++.", "sPPPPffffP", {}],
    ["a pass between breaks the row", "+--+--+--.", "sPPPPPPPPP", {}],
    ["one is enough where one is asked for", "+-+-.", "sPfPf", { rise: 1, fall: 1 }],
    ["a failure between begins the way back anew", "+---+-+-++.", "sPPPffffffP", {}],
    ["what is unknown changes nothing", "????.", "sssss", {}],
    ["what is unknown breaks no row of failures", "+-?-?-.", "sPPPPPf", {}],
    ["what is unknown breaks no row of passes", "+---+?+.", "sPPPfffP", {}],
    ["a warning brings back and counts in a row", "+---!+.", "sPPPffP", {}],
    [
      "failures within the start period do not count",
      "---------.",
      "sssssssssf",
      { startPeriodMs: 6 * SECOND },
    ],
    ["a pass ends the start period", "-+---.", "ssPPPf", { startPeriodMs: 60 * SECOND }],
    ["the start period ends by itself", "-----.", "sssssf", { startPeriodMs: 2 * SECOND }],
  ])("%s: %s", (_, results, expected, thresholds) => {
    expect(verdicts(results, thresholds)).toBe(expected);
  });

  test.each([
    ["passing stays passing", "passing", "--+.", "PPPP"],
    ["passing fails as ever", "passing", "---.", "PPPf"],
    ["failing comes back as ever", "failing", "++.", "ffP"],
    ["starting is as nothing known", "starting", "+.", "sP"],
  ] as const)("from a verdict before: %s", (_, before, results, expected) => {
    expect(verdicts(results, {}, before)).toBe(expected);
    expect(verdicts(results, { startPeriodMs: 60 * SECOND }, before), "who was known does not start").toBe(
      expected,
    );
  });
});

describe("a hold", () => {
  const hold = { rise: 1, fall: 1, hold: { initialMs: 2 * SECOND, maxMs: 6 * SECOND } };

  test.each([
    ["after the first brief service passes for 2 s", "+-+++.", "sPfffP", hold],
    ["doubles, up to its bound", "+-+++-+++++-+++++++-+++++++.", "sPfffPfffffPfffffffPfffffffP", hold],
    ["begins anew with each failure", "+-++-+++.", "sPffffffP", hold],
    ["is over with rise, where that takes longer", "+-++++++.", "sPffffffP", { ...hold, rise: 6 }],
    ["is forgiven for who served long", "+-++++++++++-+.", "sPfffPPPPPPPPfP", hold],
    ["does not keep a task that never served", "-+.", "sfP", hold],
    ["goes on while results are unknown", "+-+??+.", "sPffffP", hold],
  ])("%s: %s", (_, results, expected, thresholds) => {
    expect(verdicts(results, thresholds)).toBe(expected);
  });

  test("does not keep one that was passing before it was checked here", () => {
    expect(verdicts("-+.", hold, "passing")).toBe("PfP");
  });

  test("is told until when it lasts, while the task passes", () => {
    const thresholds = { ...DEFAULTS, ...hold };
    let health = weigh(createHealth(0), "pass", thresholds, 0);
    expect(heldUntil(health, thresholds)).toBeUndefined();
    health = weigh(health, "fail", thresholds, 1000);
    expect(heldUntil(health, thresholds), "it does not pass yet").toBeUndefined();
    health = weigh(health, "pass", thresholds, 2000);
    expect(heldUntil(health, thresholds)).toBe(4000);
    expect(heldUntil(health, { ...thresholds, hold: undefined })).toBeUndefined();
  });

  test("is a number however often it doubled", () => {
    const thresholds = { ...DEFAULTS, rise: 1, fall: 1, hold: { initialMs: 1, maxMs: 1000 } };
    const flapping: Health = { ...createHealth(0, "failing"), flaps: 5000 };
    const passed = weigh(flapping, "pass", thresholds, 0);
    expect(heldUntil(passed, thresholds)).toBe(1000);
    expect(weigh(passed, "pass", thresholds, 1000).verdict).toBe("passing");
  });
});

test("a warning is remembered until the next result that tells something", () => {
  let health = createHealth(0);
  const told = "!?+!-+".split("").map((letter) => {
    health = weigh(health, KINDS[letter] ?? "unknown", DEFAULTS, 0);
    return health.isWarned;
  });
  expect(told).toEqual([true, true, false, true, false, false]);
});

test("the start period is told while it lasts", () => {
  const thresholds = { ...DEFAULTS, startPeriodMs: 5000 };
  const health = createHealth(1000);
  expect(startPeriodEnd(health, thresholds)).toBe(6000);
  expect(startPeriodEnd(health, DEFAULTS)).toBeUndefined();
  expect(startPeriodEnd(weigh(health, "pass", thresholds, 2000), thresholds)).toBeUndefined();
});

describe("whatever the results", () => {
  const kinds = fc.constantFrom<Outcome["kind"]>("pass", "warn", "fail", "unknown");
  const story = fc.array(fc.tuple(kinds, fc.integer({ min: 0, max: 5000 })), { maxLength: 120 });
  const thresholds = fc.record({
    rise: fc.integer({ min: 1, max: 4 }),
    fall: fc.integer({ min: 1, max: 4 }),
    startPeriodMs: fc.constantFrom(0, 3000, 60_000),
    hold: fc.option(
      fc.record({ initialMs: fc.constantFrom(1, 500, 4000), maxMs: fc.constantFrom(4000, 20_000) }),
      { nil: undefined },
    ),
  });
  const before = fc.constantFrom<Verdict>("starting", "passing", "failing");

  /** Each result with the health before and after it, and all results up to it that told something. */
  function told(results: [Outcome["kind"], number][], by: Thresholds, verdict: Verdict) {
    let health = createHealth(0, verdict);
    let nowMs = 0;
    const known: { kind: Outcome["kind"]; nowMs: number }[] = [];
    return results.map(([kind, laterMs]) => {
      nowMs += laterMs;
      if (kind !== "unknown") known.push({ kind, nowMs });
      const step = { kind, nowMs, from: health, to: weigh(health, kind, by, nowMs), known: [...known] };
      health = step.to;
      return step;
    });
  }

  const isPass = ({ kind }: { kind: Outcome["kind"] }): boolean => kind === "pass" || kind === "warn";

  test("fewer than `fall` failures in a row never turn a passing task", () => {
    fc.assert(
      fc.property(story, thresholds, before, (results, by, verdict) => {
        for (const { from, to, known } of told(results, by, verdict)) {
          if (from.verdict !== "passing" || to.verdict === "passing") continue;
          expect(to.verdict).toBe("failing");
          expect(known.slice(-by.fall).map(({ kind }) => kind)).toEqual(
            Array.from({ length: by.fall }, () => "fail"),
          );
        }
      }),
    );
  });

  test("`fall` failures in a row always do", () => {
    fc.assert(
      fc.property(story, thresholds, before, (results, by, verdict) => {
        for (const { to, known } of told(results, by, verdict)) {
          const last = known.slice(-by.fall);
          if (last.length < by.fall || last.some(isPass)) continue;
          if (to.verdict !== "starting") expect(to.verdict).toBe("failing");
        }
      }),
    );
  });

  test("a failing task never serves with fewer than `rise` passes in a row", () => {
    fc.assert(
      fc.property(story, thresholds, before, (results, by, verdict) => {
        for (const { from, to, known } of told(results, by, verdict)) {
          if (from.verdict !== "failing" || to.verdict === "failing") continue;
          expect(known.slice(-by.rise).filter(isPass)).toHaveLength(by.rise);
        }
      }),
    );
  });

  test("no hold is longer than its bound", () => {
    fc.assert(
      fc.property(story, thresholds, before, (results, by, verdict) => {
        for (const { kind, to, known, nowMs } of told(results, by, verdict)) {
          if (kind === "unknown") continue; // it is by a pass that a task comes back
          const run = known.slice(known.findLastIndex((result) => !isPass(result)) + 1);
          const [first] = run;
          if (run.length < by.rise || !first || nowMs - first.nowMs < (by.hold?.maxMs ?? 0)) continue;
          expect(to.verdict).toBe("passing");
        }
      }),
    );
  });

  test("with no hold, `rise` passes in a row always serve", () => {
    fc.assert(
      fc.property(story, thresholds, before, (results, by, verdict) => {
        for (const { to, known } of told(results, { ...by, hold: undefined }, verdict)) {
          const last = known.slice(-by.rise);
          if (last.length === by.rise && last.every(isPass)) expect(to.verdict).toBe("passing");
        }
      }),
    );
  });

  test("nothing starts twice, and unknown results change nothing", () => {
    fc.assert(
      fc.property(story, thresholds, before, (results, by, verdict) => {
        for (const { kind, from, to } of told(results, by, verdict)) {
          if (kind === "unknown") expect(to).toBe(from);
          if (from.verdict !== "starting") expect(to.verdict).not.toBe("starting");
        }
      }),
    );
  });
});
