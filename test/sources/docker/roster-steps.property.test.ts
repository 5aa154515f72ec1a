import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createEngineRoster } from "../../../src/sources/docker/roster.ts";
import type {
  EngineContainer,
  EngineRoster,
  EngineSnapshot,
  SwarmService,
  SwarmTask,
} from "../../../src/sources/docker/snapshot.ts";
import {
  compose,
  container,
  type ContainerTold,
  network,
  snapshot,
  swarmService,
  swarmTask,
} from "./snapshots.ts";

/** One of a few containers, which meet in services, names, aliases, slots and addresses. */
const oneContainer: fc.Arbitrary<EngineContainer> = fc
  .record({
    name: fc.constantFrom("a", "A", "b", "c", "web", "d", "e"),
    createdAt: fc.integer({ min: 1000, max: 1002 }),
    state: fc.constantFrom("running", "running", "running", "paused", "exited"),
    health: fc.constantFrom("none", "starting", "healthy", "unhealthy"),
    isStopping: fc.boolean(),
    gatewayAddresses: fc.constantFrom([], ["172.20.0.2"]),
    labels: fc.constantFrom(
      {},
      compose("web", 1),
      compose("web", 1, "shop", { "rota.ttl": "9s" }),
      compose("web", 2),
      compose("db", 1),
      compose("web", 1, "other"),
      { "rota.service": "web.shop", "rota.slot": "1" },
      { "rota.enable": "false", "rota.service": "web" },
      { "rota.wrong": "x", "rota.slot": "0" },
      { "rota.address": "10.9.0.1" },
    ),
    on: fc.constantFrom(
      {},
      { front: "10.2.0.2 search" },
      { front: "10.2.0.3 search cache" },
      { front: "10.2.0.3 search", back: "10.1.0.3 cache" },
      { front: "- search" },
    ),
  })
  .map(({ name, ...told }) => container(name, told));
const oneService: fc.Arbitrary<SwarmService> = fc
  .record({
    name: fc.constantFrom("web", "shop_web"),
    createdAt: fc.integer({ min: 1000, max: 1001 }),
    labels: fc.constantFrom({}, { "rota.service": "web.shop" }, { "rota.ttl": "?" }),
    on: fc.constantFrom({ front: "10.2.1.1 search" }, { back: "- cache" }),
  })
  .map(({ name, ...told }) => swarmService(name, told));
const oneTask: fc.Arbitrary<SwarmTask> = fc
  .record({
    service: fc.constantFrom("web", "shop_web"),
    id: fc.constantFrom("t1", "t2", "a"),
    slot: fc.constantFrom(undefined, 1, 2),
    state: fc.constantFrom("starting", "running", "failed"),
    containerId: fc.constantFrom("", container("a").id),
    on: fc.constantFrom({ front: "10.2.1.2" }, { back: "10.1.1.2" }),
  })
  .map(({ service, id, ...told }) => swarmTask(service, id, told));

/** An edit of one thing in the snapshot, which leaves all others as the objects that they are. */
type Edit = (before: EngineSnapshot) => EngineSnapshot;

const edit: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 8,
    arbitrary: oneContainer.map((item): Edit => (before) => ({
      ...before,
      containers: put(before.containers, item),
    })),
  },
  {
    weight: 2,
    arbitrary: fc.nat(6).map((at): Edit => (before) => ({
      ...before,
      containers: before.containers.toSpliced(at, 1),
    })),
  },
  {
    weight: 2,
    arbitrary: oneService.map((item): Edit => ({ swarm, ...before }) => ({
      ...before,
      swarm: { services: put(swarm?.services ?? [], item), tasks: swarm?.tasks ?? [] },
    })),
  },
  {
    weight: 2,
    arbitrary: oneTask.map((item): Edit => ({ swarm, ...before }) => ({
      ...before,
      swarm: { services: swarm?.services ?? [], tasks: put(swarm?.tasks ?? [], item) },
    })),
  },
  fc.constant<Edit>((before) => ({ ...before, swarm: undefined })),
  fc.constantFrom(["front"], ["back", "front"], ["front", "third"]).map((names): Edit => (before) => ({
    ...before,
    networks: names.map((name) => network(name, { subnets: ["10.2.0.0/16", "wrong"] })),
  })),
);

test("a roster made step by step from snapshots that share objects equals one made afresh from the last", () => {
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 12 }), (edits) => {
      const stepwise = createEngineRoster();
      let current = snapshot({});
      for (const edit of edits) {
        current = edit(current);
        const roster = stepwise(current);
        const made = told(roster);
        const tasks = tasksOf(roster);
        expect(new Set(tasks).size, "a task is called as no other").toBe(tasks.length);
        // Nothing is known of a clone: no object in it was there before.
        expect(made).toEqual(told(createEngineRoster()(structuredClone(current))));
      }
    }),
    { numRuns: 1000 },
  );
});

test("of a container that did not change nothing is worked out again, also of its service or project", () => {
  let reads = 0;
  const read = (name: string, told: ContainerTold): EngineContainer => {
    const made = container(name, told);
    return {
      ...made,
      get endpoints() {
        reads += 1;
        return made.endpoints;
      },
    };
  };
  const one = read("shop-web-1", { labels: compose("web", 1), on: { front: "10.2.0.1 web" } });
  const other = read("shop-web-2", { labels: compose("web", 2), on: { front: "10.2.0.2 web" } });
  const alone = read("alone", { on: { front: "10.2.0.3 web" } });
  const map = createEngineRoster();
  const before = snapshot({ containers: [one, other, alone] });
  map(before);
  const changed: EngineContainer = { ...one, health: "unhealthy" };
  reads = 0;
  const { roster, verdicts } = map({ ...before, containers: [changed, other, alone] });
  expect(reads).toBe(0);
  const ofTasks = roster.services.flatMap(({ tasks }) => tasks.map((task) => verdicts.get(task)));
  expect(ofTasks.filter((verdict) => verdict === "failing").length).toBe(1);
});

function put<Item extends { readonly id: string }>(items: readonly Item[], item: Item): Item[] {
  const at = items.findIndex(({ id }) => id === item.id);
  return at < 0 ? [...items, item] : items.with(at, item);
}

/** All that a roster says, without whose object it is. */
function told({ roster, verdicts, warnings }: EngineRoster): unknown {
  const ofTasks = roster.services.map(({ tasks }) => tasks.map((task) => verdicts.get(task)));
  return { roster, ofTasks, count: verdicts.size, warnings };
}

function tasksOf({ roster }: EngineRoster): string[] {
  return roster.services.flatMap(({ name, namespace, tasks }) =>
    tasks.map(({ id }) => JSON.stringify([name, namespace, id])),
  );
}
