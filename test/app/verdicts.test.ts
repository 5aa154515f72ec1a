import { expect, test } from "vitest";
import { createOutlines } from "../../src/app/outlines.ts";
import { followVerdicts } from "../../src/app/verdicts.ts";
import { systemClock } from "../../src/base/clock.ts";
import {
  type Declaration,
  EMPTY_ROSTER,
  type Roster,
  type TaskDeclaration,
} from "../../src/model/declaration.ts";
import { formatPrefix, parsePrefix } from "../../src/model/name.ts";
import { createRegistry } from "../../src/registry/registry.ts";
import type { Verdict } from "../../src/registry/service.ts";
import { forgetfulStore } from "../../src/registry/vips.ts";
import { parseService } from "../../src/schema/schema.ts";

const CONTEXT = { networks: new Map(), origin: "test" };
const OUTLINE: Declaration = {
  ...parseService("web", { endpoint_mode: "dnsrr" }, CONTEXT),
  isOutline: true,
};
const CHECKED: Declaration = {
  ...parseService("web", { endpoint_mode: "dnsrr", healthcheck: { tcp: 80 } }, CONTEXT),
  isOutline: true,
};

function roster(...services: readonly Declaration[]): Roster {
  return { ...EMPTY_ROSTER, services };
}

function checkedTask(task: TaskDeclaration): TaskDeclaration {
  return { ...task, isChecked: true };
}

/** An engine with `web`, whose one task it checks, and files beside it. */
function joined() {
  const ending = new AbortController();
  const registry = createRegistry({ clock: systemClock, store: forgetfulStore });
  const files = registry.open("file");
  const engine = registry.open("engine", { isAwaited: true });
  const outlines = createOutlines({ files: files.publish, engine: engine.publish });
  const takeVerdicts = followVerdicts(registry, ending.signal);
  const web = parseService(
    "web",
    { endpoint_mode: "dnsrr", tasks: [{ id: "a", address: "10.0.0.1" }] },
    CONTEXT,
  );
  const running = { ...web, tasks: web.tasks.map(checkedTask) };
  const say = (verdict: Verdict): void => {
    takeVerdicts(new Map(running.tasks.map((task) => [task, verdict])));
    outlines.takeEngine(roster(running));
  };
  /** What `web` and its task are after all that is under way. */
  const shown = async (): Promise<string> => {
    await Promise.resolve();
    const found = registry.find(parsePrefix("web"));
    if (!found || found === "below") return "nothing";
    const { id, verdicts, serving } = found.service;
    return `${id} ${verdicts.get(parsePrefix("a")) ?? "unknown"}, ${serving.length} serving`;
  };
  return { ...outlines, registry, say, shown };
}

test("what an engine says of a task holds wherever its service goes", async () => {
  const { takeFiles, say, shown } = joined();
  say("passing");
  expect(await shown()).toBe("engine:web passing, 1 serving");
  takeFiles(roster(OUTLINE));
  expect(await shown()).toBe("file:web passing, 1 serving");
  say("failing");
  expect(await shown()).toBe("file:web failing, 0 serving");
  takeFiles(roster());
  expect(await shown()).toBe("engine:web failing, 0 serving");
});

test("a task that comes back from maintenance is as its engine says, without being looked at anew", async () => {
  const { registry, say, shown } = joined();
  say("passing");
  await shown();
  const service = "engine:web";
  registry.say([{ service, task: undefined, origin: "test", availability: "maintenance" }]);
  expect(await shown()).toBe("engine:web unknown, 0 serving");
  registry.say([{ service, task: undefined, origin: "test", availability: "active" }]);
  expect(await shown()).toBe("engine:web passing, 1 serving");
});

test("of all tasks, only those of which an engine says something else are told of", () => {
  const { signal } = new AbortController();
  const registry = createRegistry({ clock: systemClock, store: forgetfulStore });
  const told: string[] = [];
  const takeVerdicts = followVerdicts(
    {
      follow: registry.follow,
      report(reports) {
        told.push(...[...reports].map(({ task, verdict }) => `${formatPrefix(task)} ${verdict}`));
      },
    },
    signal,
  );
  const tasks = [
    { id: "a", address: "10.0.0.1" },
    { id: "b", address: "10.0.0.2" },
  ];
  const web = parseService("web", { endpoint_mode: "dnsrr", tasks }, CONTEXT);
  const say = (...verdicts: readonly Verdict[]): void =>
    takeVerdicts(new Map(web.tasks.map((task, at) => [task, verdicts[at] ?? "passing"])));
  say("passing", "passing");
  registry.open("engine").publish(roster(web));
  say("passing", "passing");
  expect(told).toEqual([]);
  say("passing", "failing");
  expect(told).toEqual(["b failing"]);
});

test("a task that a file has Rota check is left to that check", async () => {
  const { takeFiles, registry, say, shown } = joined();
  takeFiles(roster(CHECKED));
  say("passing");
  expect(await shown()).toBe("file:web unknown, 0 serving");
  registry.report([{ service: "file:web", task: parsePrefix("a"), verdict: "failing" }]);
  say("passing");
  expect(await shown()).toBe("file:web failing, 0 serving");
});
