import { describe, expect, test } from "vitest";
import type { Availability, AvailabilityRule } from "../../src/model/availability.ts";
import type { Declaration } from "../../src/model/declaration.ts";
import { formatPrefix, parsePrefix } from "../../src/model/name.ts";
import { createRegistry, type Registry } from "../../src/registry/registry.ts";
import type { Service, Verdict } from "../../src/registry/service.ts";
import { forgetfulStore } from "../../src/registry/vips.ts";
import { roster, stillClock, type TurnedClock } from "../dns/served.ts";
import { checkedWeb, rosterOf, uncheckedWeb } from "./checked.ts";

const TASKS = ["a 192.0.2.1", "b 192.0.2.2", "c 192.0.2.3"];

interface Opened {
  readonly registry: Registry;
  readonly clock: TurnedClock;
  publish(...declarations: Declaration[]): void;
  web(): Service;
  /** The ids of the serving tasks, then of the answered ones, `waiting` in front while nobody can know. */
  seen(): string;
  report(verdicts: Readonly<Record<string, Verdict>>): void;
}

function open(...declarations: Declaration[]): Opened {
  const clock = stillClock();
  const registry = createRegistry({ clock, store: forgetfulStore });
  const source = registry.open("file");
  const publish = (...published: Declaration[]): void => source.publish(rosterOf(...published));
  publish(...declarations);
  const web = (): Service => {
    const service = source.find(parsePrefix("web"));
    if (!service) throw new Error("web is gone");
    return service;
  };
  const ids = (tasks: Service["serving"]): string => tasks.map(({ id }) => formatPrefix(id)).join("");
  return {
    registry,
    clock,
    publish,
    web,
    seen: () =>
      [...(web().isWaiting ? ["waiting"] : []), ids(web().serving) || "-", ids(web().answering) || "-"].join(
        " ",
      ),
    report(verdicts) {
      registry.report(
        Object.entries(verdicts).map(([task, verdict]) => ({
          service: "file:web",
          task: parsePrefix(task),
          verdict,
        })),
      );
    },
  };
}

function rules(...lines: string[]): AvailabilityRule[] {
  return lines.map((line, at) => {
    const [service = "", task = "*", word = ""] = line.split(" ");
    const availability = word === "drain" || word === "maintenance" ? word : "active";
    return { service, task, availability, origin: `admin.state:${at + 1}` };
  });
}

describe("the first round", () => {
  test("a new service waits until every task has had a result, though some pass", () => {
    const { report, seen } = open(checkedWeb(TASKS));
    expect(seen()).toBe("waiting - -");
    report({ a: "passing", b: "starting" });
    expect(seen()).toBe("waiting a a");
    report({ c: "failing" });
    expect(seen()).toBe("a a");
  });

  test("once it is over, a task that is added does not begin it anew", () => {
    const { publish, report, seen } = open(checkedWeb(TASKS.slice(0, 2)));
    report({ a: "passing", b: "passing" });
    publish(checkedWeb(TASKS));
    expect(seen()).toBe("ab ab");
  });

  test("tasks that are all replaced at once are waited for again", () => {
    const { publish, report, seen } = open(checkedWeb(["a 192.0.2.1"]));
    report({ a: "passing" });
    publish(checkedWeb(["a 192.0.2.9"]));
    expect(seen()).toBe("waiting - -");
  });

  test("nobody waits for a service that is not checked, nor for one whose starting tasks serve", () => {
    expect(open(uncheckedWeb(TASKS)).seen()).toBe("abc abc");
    const notReady = open({ ...checkedWeb(TASKS), publishNotReady: true });
    expect(notReady.seen()).toBe("abc abc");
    notReady.report({ a: "starting", b: "failing" });
    expect(notReady.seen()).toBe("ac ac");
  });

  test("nobody waits for tasks that the operator has taken out", () => {
    const { registry, report, seen } = open(checkedWeb(TASKS));
    registry.rule(rules("web c drain"));
    report({ a: "passing", b: "passing" });
    expect(seen()).toBe("ab ab");
  });
});

test("what an engine has paused or is about to stop is out, whatever checks and when_empty say, and back as it was", () => {
  const declaration = checkedWeb(TASKS, { when_empty: "all" });
  const { publish, report, seen } = open(declaration);
  report({ a: "passing", b: "passing", c: "failing" });
  const downed = (...ids: readonly string[]): Declaration => {
    const tasks = [];
    for (const task of declaration.tasks)
      tasks.push({ ...task, isDown: ids.includes(formatPrefix(task.id)) });
    return { ...declaration, tasks };
  };
  publish(downed("a"));
  expect(seen()).toBe("b b");
  publish(downed("a", "b"));
  expect(seen(), "of those that are left, all").toBe("- c");
  publish(downed("a", "b", "c"));
  expect(seen()).toBe("- -");
  publish(downed());
  expect(seen()).toBe("ab ab");
});

describe("a check that is declared or taken back", () => {
  test("tasks that served unchecked serve on until the check says otherwise", () => {
    const { publish, report, seen } = open(uncheckedWeb(TASKS));
    publish(checkedWeb([...TASKS, "d 192.0.2.4"]));
    expect(seen()).toBe("abc abc");
    report({ b: "failing" });
    expect(seen()).toBe("ac ac");
  });

  test("tasks that failed serve once they are checked no more", () => {
    const { publish, report, seen } = open(checkedWeb(TASKS));
    report({ a: "failing", b: "failing", c: "failing" });
    publish(uncheckedWeb(TASKS));
    expect(seen()).toBe("abc abc");
  });

  test.each([
    ["a port that is spelled out and is the service's", { web: 80 }, "a a"],
    ["another port", { web: 81 }, "waiting - -"],
  ])("a task that gets %s", (_, ports, seenThen) => {
    const web = (task: object): Declaration => {
      const [declared] = roster({
        services: {
          web: {
            endpoint_mode: "dnsrr",
            healthcheck: { tcp: true },
            ports: [{ name: "web", target: 80 }],
            tasks: [{ id: "a", address: "192.0.2.1", ...task }],
          },
        },
      }).services;
      if (!declared) throw new Error("no service");
      return declared;
    };
    const { publish, report, seen } = open(web({}));
    report({ a: "passing" });
    publish(web({ ports }));
    expect(seen()).toBe(seenThen);
  });

  test("a task that moved to another address starts anew", () => {
    const { publish, report, seen } = open(checkedWeb(TASKS));
    report({ a: "passing", b: "passing", c: "passing" });
    publish(checkedWeb(["a 192.0.2.1", "b 192.0.2.9", "c 192.0.2.3"]));
    expect(seen()).toBe("ac ac");
  });
});

test("many verdicts are one change, of the services touched", () => {
  const { registry, report } = open(checkedWeb(TASKS), {
    ...checkedWeb(["x 192.0.2.7"]),
    name: parsePrefix("api"),
  });
  const changes: string[][] = [];
  registry.follow(({ touched }) => changes.push([...touched.keys()]), new AbortController().signal);
  report({ a: "passing", b: "failing", nobody: "failing" });
  report({ a: "passing", b: "failing" });
  expect(changes).toEqual([["file:web"]]);
});

describe("the operator's word", () => {
  test.each([
    ["one task by its id", ["web b drain"], "ac"],
    ["one task by its address", ["* 192.0.2.3 maintenance"], "ab"],
    ["all tasks of a service", ["web * drain"], "-"],
    ["by globs", ["w?b [ab] drain", "*b* c drain"], "ab"],
    ["the last line that fits counts", ["web * drain", "web b active"], "b"],
    ["another service", ["api * drain"], "abc"],
  ])("takes out %s", (_, lines, serving) => {
    const { registry, seen } = open(uncheckedWeb(TASKS));
    registry.rule(rules(...lines));
    expect(seen()).toBe(`${serving} ${serving}`);
    registry.rule([]);
    expect(seen()).toBe("abc abc");
  });

  test("holds for tasks that come later", () => {
    const { publish, registry, seen } = open(uncheckedWeb(TASKS));
    registry.rule(rules("web d drain"));
    registry.say([{ service: "file:web", task: undefined, availability: "drain", origin: "library" }]);
    publish(uncheckedWeb([...TASKS, "d 192.0.2.4"]));
    expect(seen()).toBe("- -");
  });

  test("said of a task stands above what was said of its service, and both above the rules", () => {
    const { registry, seen } = open(uncheckedWeb(TASKS));
    const say = (task: string | undefined, availability: Availability): void =>
      registry.say([
        { service: "file:nobody", task: undefined, availability, origin: "library" },
        {
          service: "file:web",
          task: task === undefined ? undefined : parsePrefix(task),
          availability,
          origin: "library",
        },
      ]);
    registry.rule(rules("web a drain"));
    say("a", "active");
    expect(seen()).toBe("abc abc");
    say("b", "drain");
    say(undefined, "drain");
    say("c", "active");
    expect(seen()).toBe("c c");
    say("nobody", "drain");
    expect(seen()).toBe("c c");
  });

  test.each(["b", undefined])("taken back on %s leaves the rules that come later in force", (task) => {
    const { registry, seen } = open(uncheckedWeb(TASKS));
    const say = (availability: Availability): void => {
      const id = task === undefined ? undefined : parsePrefix(task);
      registry.say([{ service: "file:web", task: id, availability, origin: "library" }]);
    };
    say("drain");
    say("active");
    registry.rule(rules("web b drain"));
    expect(seen()).toBe("ac ac");
    say("active");
    expect(seen(), "said against a rule it stands").toBe("abc abc");
  });

  test("is forgotten with the task and with the service", () => {
    const { publish, registry, seen } = open(uncheckedWeb(TASKS));
    registry.say([{ service: "file:web", task: parsePrefix("a"), availability: "drain", origin: "library" }]);
    publish(uncheckedWeb(TASKS.slice(1)));
    publish(uncheckedWeb(TASKS));
    expect(seen()).toBe("abc abc");
    registry.say([{ service: "file:web", task: undefined, availability: "drain", origin: "library" }]);
    publish();
    publish(uncheckedWeb(TASKS));
    expect(seen()).toBe("abc abc");
  });

  test("keeps a task out whatever when_empty and panic_threshold say", () => {
    const { registry, report, seen } = open(checkedWeb(TASKS, { when_empty: "all", panic_threshold: 0.9 }));
    report({ a: "passing", b: "failing", c: "passing" });
    expect(seen()).toBe("ac abc");
    registry.rule(rules("web a drain"));
    expect(seen()).toBe("c bc");
    registry.rule(rules("web a drain", "web b drain"));
    expect(seen()).toBe("c c");
    registry.rule(rules("web * drain"));
    expect(seen()).toBe("- -");
  });

  test("a task that comes back from a drain serves at once, one from maintenance when it has passed", () => {
    const { registry, report, seen } = open(checkedWeb(TASKS));
    report({ a: "passing", b: "passing", c: "passing" });
    registry.rule(rules("web a drain", "web b maintenance"));
    report({ b: "passing" }); // one that was on its way
    expect(seen()).toBe("c c");
    registry.rule([]);
    expect(seen()).toBe("ac ac");
    report({ b: "passing" });
    expect(seen()).toBe("abc abc");
  });

  test("what was reported of a task that nobody checks outlasts its maintenance", () => {
    const { registry, report, seen } = open(uncheckedWeb(TASKS));
    report({ a: "failing" });
    registry.rule(rules("web * maintenance"));
    report({ b: "failing" });
    registry.rule([]);
    expect(seen()).toBe("c c");
  });

  test("an outage keeps its beginning while it lasts, and is another value once it is drained", () => {
    const { registry, clock, web } = open(uncheckedWeb(TASKS));
    const outage = (): unknown => web().outages.get(parsePrefix("a"));
    clock.turn(1000);
    registry.rule(rules("web a drain"));
    clock.turn(1000);
    registry.noteDrained("file:web", [parsePrefix("a")]);
    registry.rule(rules("web a drain", "web a maintenance"));
    expect(outage()).toEqual({
      availability: "maintenance",
      origin: "admin.state:2",
      sinceMs: 1000,
      isDrained: true,
    });
    registry.rule(rules("web a active"));
    registry.noteDrained("file:web", [parsePrefix("a")]);
    expect(outage()).toBeUndefined();
    registry.rule(rules("web a drain"));
    expect(outage()).toMatchObject({ sinceMs: 2000, isDrained: false });
  });

  test("rules that leave a service as it is do not touch it", () => {
    const { registry, web } = open(uncheckedWeb(TASKS));
    registry.rule(rules("web a drain"));
    const before = web();
    registry.rule(rules("web a drain", "api * drain"));
    expect(web()).toBe(before);
  });
});
