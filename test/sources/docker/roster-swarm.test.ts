import { expect, test } from "vitest";
import { formatPrefix } from "../../../src/model/name.ts";
import type { EngineContainer, SwarmTask } from "../../../src/sources/docker/snapshot.ts";
import {
  container,
  idOf,
  network,
  nameOf,
  rosterOf,
  serviceOf,
  shortIdOf,
  show,
  showVerdicts,
  swarmService,
  swarmTask,
  taskNames,
} from "./snapshots.ts";

const stack = { "com.docker.stack.namespace": "shop" };
const service = swarmService("shop_web", { labels: stack, on: { back: "10.1.0.100 web" } });

function swarmOf(
  tasks: readonly SwarmTask[],
  containers: readonly EngineContainer[] = [],
): ReturnType<typeof rosterOf> {
  return rosterOf({ containers, swarm: { services: [service], tasks } });
}

test("a stack's service is called after it, by what the Swarm calls it, and with a hyphen", () => {
  const roster = swarmOf([swarmTask("shop_web", "t1", { on: { back: "10.1.0.2" }, slot: 3 })]);
  expect(show(roster)).toEqual([
    "web.shop vip on back",
    "  alias shop_web@back",
    "  alias shop-web@back",
    "  alias web@back",
    "  vip 10.1.0.100@back",
    "  task t1 slot 3 at 10.1.0.2@back",
  ]);
  expect(taskNames(roster, "web.shop")).toEqual({ t1: ["shop_web.3.t1@back", "t1@back"] });
});

test("a service of no stack has its own name; a global one's tasks are called by their nodes", () => {
  const roster = rosterOf({
    swarm: {
      services: [swarmService("my_api", { endpointMode: "dnsrr", on: { back: "-", front: "-" } })],
      tasks: [swarmTask("my_api", "t1", { on: { front: "10.2.0.2", back: "10.1.0.2" }, slot: undefined })],
    },
  });
  expect(show(roster)).toEqual([
    "my_api dnsrr on back front",
    "  alias my-api@back",
    "  alias my-api@front",
    "  task t1 at 10.1.0.2@back 10.2.0.2@front",
  ]);
  expect(taskNames(roster, "my_api")).toEqual({
    t1: ["my_api.node1.t1@back", "t1@back", "my_api.node1.t1@front", "t1@front"],
  });
});

test("a VIP on ingress is nobody's: a service with no other is dnsrr, and one with no network is not asked for", () => {
  const networks = [network("back"), network("ingress", { isIngress: true })];
  const roster = rosterOf({
    networks,
    swarm: {
      services: [
        swarmService("a", { on: { ingress: "10.0.0.5" } }),
        swarmService("b", { on: { ingress: "10.0.0.6", back: "-" } }),
        swarmService("c", { on: { ingress: "10.0.0.7", back: "10.1.0.7" } }),
      ],
      tasks: [swarmTask("c", "t1", { on: { ingress: "10.0.0.9", back: "10.1.0.2" } })],
    },
  });
  expect(show(roster)).toEqual([
    "b dnsrr on back",
    "c vip on back",
    "  vip 10.1.0.7@back",
    "  task t1 slot 1 at 10.1.0.2@back",
  ]);
});

test.each([
  ["running", "running", ["web.shop t1 passing"]],
  ["starting", "running", ["web.shop t1 starting"]],
  ["assigned", "running", ["web.shop t1 starting"]],
  ["ready", "ready", []],
  ["new", "running", []],
  ["pending", "running", []],
  ["running", "shutdown", []],
  ["running", "remove", []],
  ["failed", "running", []],
  ["complete", "running", []],
])("a task that is %s and is to be %s: %j", (state, desiredState, expected) => {
  const roster = swarmOf([swarmTask("shop_web", "t1", { state, desiredState, on: { back: "10.1.0.2" } })]);
  expect(showVerdicts(roster)).toEqual(expected);
  expect(roster.roster.services[0]?.tasks).toHaveLength(expected.length);
});

test.each([
  [{ state: "created" }, ["web.shop t1 starting"]],
  [{ health: "starting" }, ["web.shop t1 starting"]],
  [{}, ["web.shop t1 passing"]],
  [{ health: "unhealthy" }, ["web.shop t1 failing"]],
  [{ isStopping: true }, ["web.shop t1 down, passing"]],
  [{ state: "exited" }, []],
] as const)(
  "a task's container of this machine, %j, is known before the Swarm tells: %j",
  (told, expected) => {
    const name = "shop_web.1.t1";
    const labels = { "com.docker.swarm.service.id": "id-of-shop_web", "rota.weight": "4" };
    const roster = swarmOf(
      [swarmTask("shop_web", "t1", { state: "starting", containerId: idOf(name), on: { back: "10.1.0.2" } })],
      [container(name, { labels, hostname: "box", on: { back: "10.1.0.2" }, ...told })],
    );
    expect(showVerdicts(roster)).toEqual(expected);
    expect(roster.roster.services.map(nameOf), "never plain ones beside it").toEqual(["web.shop"]);
    if (expected.length === 0) return;
    expect(taskNames(roster, "web.shop")).toEqual({
      t1: [`${name}@back`, "t1@back", `${shortIdOf(name)}@back`, "box@back"],
    });
    expect(serviceOf(roster, "web.shop").tasks[0]?.weight).toBe(4);
  },
);

test("a container of a task that the Swarm has let go of is nobody's, and no plain one", () => {
  const labels = { "com.docker.swarm.service.id": "id-of-shop_web" };
  const roster = swarmOf([], [container("shop_web.1.t0", { labels, on: { back: "10.1.0.2" } })]);
  expect(roster.roster.services.map(nameOf)).toEqual(["web.shop"]);
  expect(roster.verdicts.size).toBe(0);
});

test("a container that asks has its service's namespace", () => {
  const task = swarmTask("shop_web", "t1", { containerId: idOf("c"), on: { back: "10.1.0.2" } });
  const { roster } = swarmOf([task], [container("c", { on: { back: "10.1.0.2" } })]);
  expect(roster.clients.map(({ namespace }) => formatPrefix(namespace))).toEqual(["shop"]);
});

test("labels of a service count for it: its mode, its name, or that it is left out", () => {
  const of = (labels: Record<string, string>): string[] =>
    show(
      rosterOf({
        swarm: { services: [swarmService("web", { labels, on: { back: "10.1.0.100" } })], tasks: [] },
      }),
    );
  expect(of({ "rota.endpoint_mode": "dnsrr" })).toEqual(["web dnsrr on back"]);
  expect(of({ "rota.service": "api.shop" })[0]).toBe("api.shop vip on back");
  expect(of({ "rota.enable": "false" })).toEqual([]);
});

test("on a worker the containers themselves say what they are of", () => {
  const of = (slot: number): EngineContainer =>
    container(`shop_web.${slot}.t${slot}`, {
      labels: {
        ...stack,
        "com.docker.swarm.service.id": "s",
        "com.docker.swarm.service.name": "shop_web",
        "com.docker.swarm.task.id": `t${slot}`,
        "com.docker.swarm.task.name": `shop_web.${slot}.t${slot}`,
      },
      on: { back: `10.1.0.${slot} web` },
    });
  const roster = rosterOf({ containers: [of(1), of(2)] });
  expect(show(roster)).toEqual([
    "web.shop dnsrr on back",
    "  alias shop_web@back",
    "  alias shop-web@back",
    "  alias web@back",
    "  task t1 slot 1 at 10.1.0.1@back",
    "  task t2 slot 2 at 10.1.0.2@back",
  ]);
  expect(taskNames(roster, "web.shop")["t2"]).toEqual([
    "shop_web.2.t2@back",
    `${shortIdOf("shop_web.2.t2")}@back`,
  ]);
});
