import { expect, onTestFinished, test } from "vitest";
import { followDrains } from "../../src/app/drains.ts";
import { silentLog } from "../../src/base/log.ts";
import { createRegistry, type Registry } from "../../src/registry/registry.ts";
import { forgetfulStore } from "../../src/registry/vips.ts";
import { stillClock } from "../dns/served.ts";
import { rosterOf, uncheckedWeb } from "../registry/checked.ts";

const RULE = { service: "web", task: "*", availability: "drain", origin: "test" } as const;

interface Drained {
  readonly registry: Registry;
  /** What is told. */
  readonly lines: readonly string[];
  /** How many are drained after each change. */
  readonly changes: readonly number[];
  /** Resolves when all that are out are drained. */
  all(): Promise<void>;
}

/** A registry with these tasks, of which drains take no time. */
function drained(tasks: readonly string[]): Drained {
  const life = new AbortController();
  onTestFinished(() => life.abort());
  const clock = stillClock();
  const registry = createRegistry({ clock, store: forgetfulStore });
  const lines: string[] = [];
  const changes: number[] = [];
  const log = { ...silentLog, info: (_: object, line: string) => void lines.push(line) };
  followDrains(registry, { graceMs: 0, nowMs: () => clock.monotonic(), log }, life.signal);
  registry.open("file").publish(rosterOf(uncheckedWeb(tasks, { ttl: 0 })));
  const done = new Promise<void>((resolve) => {
    registry.follow(({ touched }) => {
      const outages = [...(touched.get("file:web")?.after?.outages.values() ?? [])];
      changes.push(outages.filter(({ isDrained }) => isDrained).length);
      if (outages.length > 0 && outages.every(({ isDrained }) => isDrained)) resolve();
    }, life.signal);
  });
  return { registry, lines, changes, all: async () => done };
}

test("ten thousand tasks that are taken out together are drained in one change, and told in one line", async () => {
  const tasks = Array.from({ length: 10_000 }, (_, at) => `t${at} 10.0.${at >> 8}.${at & 255}`);
  const { registry, lines, changes, all } = drained(tasks);
  registry.rule([RULE]);
  await all();
  expect(changes).toEqual([0, 10_000]);
  expect(lines).toEqual(["10000 tasks of web are drained: answers that named them have expired"]);
});

test("a task that goes from drain to maintenance is drained once, and one that is active again never", async () => {
  const { registry, lines, all } = drained(["a 10.0.0.1", "b 10.0.0.2", "c 10.0.0.3"]);
  registry.rule([RULE]);
  registry.rule([RULE, { ...RULE, task: "a", availability: "maintenance" }]);
  registry.rule([RULE, { ...RULE, task: "b", availability: "active" }]);
  await all();
  expect(lines.toSorted()).toEqual([
    "task a of web is drained: answers that named it have expired",
    "task c of web is drained: answers that named it have expired",
  ]);
});
