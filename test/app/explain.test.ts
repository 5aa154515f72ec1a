import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { explain, type ExplainOptions, type Explanation } from "../../src/app/explain.ts";
import { formatExplanation } from "../../src/app/format-explanation.ts";
import type { CheckState } from "../../src/health/check-state.ts";
import { formatPrefix, parsePrefix } from "../../src/model/name.ts";
import { createRegistry, type Registry } from "../../src/registry/registry.ts";
import type { Service } from "../../src/registry/service.ts";
import { forgetfulStore } from "../../src/registry/vips.ts";
import type { ServiceDeclaration } from "../../src/schema/input.ts";
import { parseService } from "../../src/schema/schema.ts";
import { stillClock, type TurnedClock } from "../dns/served.ts";

/** A service called web, and what a monitor would know of its tasks, with neither time nor sockets. */
interface Scene {
  readonly registry: Registry;
  readonly clock: TurnedClock;
  readonly web: Service;
  explain(name: string, options?: Partial<ExplainOptions>): Explanation;
  /** As a person reads it. */
  told(name: string, options?: Partial<ExplainOptions>): string[];
}

function scene(declaration: ServiceDeclaration, states: Readonly<Record<string, CheckState>> = {}): Scene {
  const clock = stillClock();
  const registry = createRegistry({ clock, store: forgetfulStore });
  const context = { networks: registry.networks, origin: "services.yaml:2:3" };
  const web = registry.open("file").declare(parseService("web", declaration, context));
  registry.report(
    Object.entries(states).map(([id, { verdict }]) => ({ service: web.id, task: parsePrefix(id), verdict })),
  );
  const explainBy = (name: string, options: Partial<ExplainOptions> = {}): Explanation =>
    explain(name, {
      registry,
      nameServers: () => [],
      outside: "refused",
      forwarder: undefined,
      look: (_, task) => states[formatPrefix(task)],
      nowMs: clock.monotonic(),
      ...options,
    });
  const told = (name: string, options?: Partial<ExplainOptions>): string[] =>
    formatExplanation(explainBy(name, options)).split("\n");
  return { registry, clock, web, explain: explainBy, told };
}

/** A check of which nothing came yet, but for what is said. */
function check(known: Partial<CheckState>): CheckState {
  return {
    verdict: "starting",
    isWarned: false,
    passes: 0,
    failures: 0,
    last: undefined,
    lastPassMs: undefined,
    lastFailureMs: undefined,
    results: "",
    nextInMs: 0,
    heldUntilMs: undefined,
    startPeriodUntilMs: undefined,
    ...known,
  };
}

/** A result at this time of the clock. */
function result(kind: "pass" | "warn" | "fail", detail: string, atMs: number): CheckState["last"] {
  return { kind, detail, atMs, durationMs: 1 };
}

const ports = [{ name: "http", target: 8080 }];
const healthcheck = { http: "/healthz" };

test("explain prints what README.md shows", () => {
  const { registry, clock, web, told } = scene(
    {
      endpoint_mode: "dnsrr",
      ports,
      healthcheck,
      tasks: ["a", "b", "c"].map((id, at) => ({ id, address: `10.0.1.${11 + at}` })),
    },
    {
      a: check({
        verdict: "passing",
        results: "+".repeat(10),
        passes: 12,
        last: result("pass", "HTTP 200 in 2ms", 56_000),
        nextInMs: 1000,
      }),
      b: check({
        verdict: "failing",
        results: "++++------",
        failures: 6,
        last: result("fail", "HTTP 503 Service Unavailable", 58_800),
        lastPassMs: 29_000,
        nextInMs: 3900,
      }),
      c: check({
        verdict: "passing",
        results: "+".repeat(10),
        passes: 12,
        last: result("pass", "HTTP 200 in 3ms", 57_700),
        nextInMs: 2700,
      }),
    },
  );
  clock.turn(49_000);
  registry.say([{ service: web.id, task: parsePrefix("c"), availability: "drain", origin: "admin.state:1" }]);
  clock.turn(11_000);

  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const [, shown = ""] = /^```\n(web is the service [\s\S]*?)^```$/m.exec(readme) ?? [];
  expect(told("web")).toEqual(shown.split("\n"));
});

describe("of an answer that is long", () => {
  const tasks = (addresses: readonly string[]): ServiceDeclaration => ({
    endpoint_mode: "dnsrr",
    ports,
    tasks: addresses.map((address, at) => ({ id: `task-${at}`, address })),
  });

  test.each<[string, name: string, addresses: readonly string[], lines: readonly string[]]>([
    [
      "three addresses of IPv6 are told, and why on a line of its own",
      "web",
      [1, 2, 3, 4, 5].map((at) => `2001:db8:aaaa:bbbb:cccc:dddd:eeee:${at}`),
      [
        "  A     to everyone:  NODATA",
        "    because no task that is shown has an IPv4 address",
        "  AAAA  to everyone:  2001:db8:aaaa:bbbb:cccc:dddd:eeee:1, 2001:db8:aaaa:bbbb:cccc:dddd:eeee:2, " +
          "2001:db8:aaaa:bbbb:cccc:dddd:eeee:3 and 2 more, TTL 5s",
        "    because 5 of 5 tasks serve",
      ],
    ],
    [
      "three ports",
      "_http._tcp.web",
      [1, 2, 3, 4, 5].map((at) => `192.0.2.${at}`),
      [
        "  SRV  to everyone:  0 1 8080 task-0.web.rota.internal., 0 1 8080 task-1.web.rota.internal., " +
          "0 1 8080 task-2.web.rota.internal. and 2 more, TTL 5s",
        "    because 5 of 5 tasks serve",
      ],
    ],
    [
      "eight addresses of IPv4",
      "web",
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((at) => `10.0.0.${10 + at}`),
      [
        "  A     to everyone:  10.0.0.11, 10.0.0.12, 10.0.0.13, 10.0.0.14, 10.0.0.15, 10.0.0.16, 10.0.0.17, 10.0.0.18 and 2 more, TTL 5s",
        "    because 10 of 10 tasks serve",
        "  AAAA  to everyone:  NODATA",
        "    because no task that is shown has an IPv6 address",
      ],
    ],
  ])("%s", (_, name, addresses, lines) => {
    const { told } = scene(tasks(addresses));
    // Whose turn it is, chance decides; here it is told in order.
    const sorted = (line: string): string => line.replace(/(?<=everyone: {2}).*(?= and \d+ more)/, "...");
    const shown = told(name).slice(1, 1 + lines.length);
    expect(shown.map(sorted)).toEqual(lines.map(sorted));
    expect(shown.map((line) => line.length)).toEqual(lines.map((line) => line.length));
  });

  test("programs are told all of it", () => {
    const addresses = [1, 2, 3, 4, 5].map((at) => `2001:db8::${at}`);
    const [, aaaa] = scene(tasks(addresses)).explain("web").answers;
    expect(aaaa?.records.toSorted()).toEqual(addresses);
  });
});

describe("of a task it is told", () => {
  const one: ServiceDeclaration = {
    endpoint_mode: "dnsrr",
    ports,
    healthcheck,
    tasks: [{ id: "a", address: "192.0.2.1" }],
  };
  const passing = check({
    verdict: "passing",
    results: "+",
    passes: 1,
    last: result("pass", "HTTP 200 in 2ms", 0),
  });

  test("that it serves with a warning", () => {
    const last = result("warn", "HTTP 429 Too Many Requests", 0);
    const { explain, told, clock } = scene(one, { a: { ...passing, results: "!", isWarned: true, last } });
    clock.turn(2000);
    expect(told("web").at(-2)).toBe(
      "  a  192.0.2.1  passing, warned  !  HTTP 429 Too Many Requests, 2s ago; next now",
    );
    expect(explain("web").tasks).toMatchObject([
      { status: "passing, warned", isWarned: true, isServing: true },
    ]);
  });

  test.each<[availability: "drain" | "maintenance", before: string, after: string]>([
    ["drain", "draining", "drained"],
    ["maintenance", "maintenance", "maintenance"],
  ])("that the operator said %s: %s, at last %s", (availability, before, after) => {
    const { registry, web, explain } = scene(one, { a: passing });
    const task = parsePrefix("a");
    registry.say([{ service: web.id, task, availability, origin: "library" }]);
    expect(explain("web").tasks).toMatchObject([{ status: before }]);
    registry.noteDrained(web.id, [task]);
    expect(explain("web").tasks).toMatchObject([{ status: after }]);
  });

  test("to programs, how its check stands", () => {
    const failing = check({
      verdict: "failing",
      results: "+--",
      failures: 2,
      last: result("fail", "connection refused", 0),
      nextInMs: 1500.4,
    });
    const { explain, clock } = scene(one, { a: failing });
    clock.turn(700);
    expect(explain("web").tasks).toMatchObject([
      {
        status: "failing",
        isWarned: false,
        last: { kind: "fail", detail: "connection refused", agoMs: 700 },
        passes: 0,
        failures: 2,
        nextInMs: 1500,
      },
    ]);
  });

  test("to programs, that nothing came of its check yet", () => {
    const { explain } = scene(one, { a: check({ nextInMs: Infinity }) });
    expect(explain("web").tasks).toMatchObject([
      { last: undefined, passes: 0, failures: 0, nextInMs: undefined },
    ]);
  });

  test("that rota.report must be called for its heartbeat", () => {
    const { told } = scene(
      { ...one, healthcheck: { heartbeat: "30s" } },
      { a: { ...passing, last: result("pass", "it says that it is passing", 0), nextInMs: 28_000 } },
    );
    expect(told("web").slice(-3)).toEqual([
      "1 of 1 task serving; checked by heartbeat, by rota.report, at least every 30s",
      "  a  192.0.2.1  passing  +  it says that it is passing, 1ms ago; must be heard by rota.report within 28s",
      "",
    ]);
  });

  test("that reported as it, where nobody checks", () => {
    const { registry, web, told } = scene({ endpoint_mode: "dnsrr", tasks: one.tasks ?? [] });
    registry.report([{ service: web.id, task: parsePrefix("a"), verdict: "failing" }]);
    expect(told("web").at(-2)).toBe("  a  192.0.2.1  failing  reported as failing");
  });
});

describe("what is written and not served is told", () => {
  const troubles = (): readonly string[] => ["services.yaml:3:1: is broken; what it said before stays"];
  const note = "note: services.yaml:3:1: is broken; what it said before stays";

  test.each(["web", "nobody"])("whoever asks for %s", (name) => {
    const { told } = scene({ tasks: ["192.0.2.1"] });
    expect(told(name)).not.toContain(note);
    expect(told(name, { troubles })).toContain(note);
  });
});

describe("where no task was tried", () => {
  const untried = "--probe tries each task once";
  const NOT_KNOWN = { outcome: "UNKNOWN", records: [], why: "no task was tried" };

  test.each<[name: string, mode: "vip" | "dnsrr", isKnown: boolean]>([
    ["web", "vip", true],
    ["web", "dnsrr", false],
    ["tasks.web", "vip", false],
    ["tasks.web", "dnsrr", false],
    ["_http._tcp.web", "vip", true],
    ["_http._tcp.web", "dnsrr", false],
    ["_http._tcp.tasks.web", "vip", false],
    ["a.web", "dnsrr", true],
    ["192.0.2.1", "dnsrr", true],
  ])("what is answered to %s of a %s service is known: %s", (name, mode, isKnown) => {
    const tasks = [{ id: "a", address: "192.0.2.1" }];
    const { explain } = scene({ endpoint_mode: mode, ports, healthcheck, tasks });
    const { answers, tasks: told, notes } = explain(name, { untried });
    expect(answers[0]).toMatchObject(isKnown ? { outcome: "NOERROR" } : NOT_KNOWN);
    expect(told).toMatchObject([{ status: "not tried", why: "" }]);
    expect(notes).toEqual([untried]);
  });

  test.each<[string, ServiceDeclaration, outcome: string]>([
    ["is not checked", { tasks: ["192.0.2.1"] }, "NOERROR"],
    ["has no tasks", { ports, healthcheck }, "NODATA"],
  ])("all is known of a service that %s", (_, declaration, outcome) => {
    const { explain } = scene({ endpoint_mode: "dnsrr", ...declaration });
    const { answers, notes } = explain("web", { untried });
    expect(answers[0]).toMatchObject({ outcome });
    expect(notes).toEqual([]);
  });
});

test.each([
  ["weeb", "web"],
  ["wbe", "web"],
  ["ewb.rota.internal", "web"],
  ["taskss.web", "tasks.web"],
])("%s was meant for %s", (asked, meant) => {
  expect(scene({ tasks: ["192.0.2.1"] }).explain(asked).notes).toEqual([`did you mean ${meant}?`]);
});
