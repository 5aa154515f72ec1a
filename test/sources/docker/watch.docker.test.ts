import { afterAll, beforeAll, describe, expect } from "vitest";
import { parseEngine } from "../../../src/sources/docker/endpoint.ts";
import type { EngineContainer, EngineSnapshot } from "../../../src/sources/docker/snapshot.ts";
import { DOCKER, startEngine, type TestEngine, testWithDocker } from "../../docker/engine.ts";
import { missingOf } from "../../needing.ts";
import { type Watched, watching } from "./watched.ts";

const testDocker = testWithDocker();
const SLEEP = ["busybox", "sleep", "1000"];

let engine: TestEngine | undefined;

beforeAll(async () => {
  if (missingOf(DOCKER).length > 0) return;
  engine = await startEngine();
}, 60_000);

afterAll(() => engine?.[Symbol.asyncDispose](), 60_000);

function started(): TestEngine {
  if (!engine) throw new Error("there is no engine");
  return engine;
}

/** Looks by itself so seldom that what is seen was rung for. */
function watchingIt(): Watched {
  return watching(parseEngine(`unix://${started().socket}`, {}), { lookEveryMs: 1_000_000 });
}

function networkId({ networks }: EngineSnapshot, name: string): string | undefined {
  return networks.find((network) => network.name === name)?.id;
}

function addressesOn(
  snapshot: EngineSnapshot,
  container: EngineContainer,
  network: string,
): readonly string[] {
  const id = networkId(snapshot, network);
  return container.endpoints.find(({ networkId }) => networkId === id)?.addresses ?? [];
}

describe("of a real engine, without waiting for the look at everything, is seen", () => {
  testDocker("a container from its start to its end", async () => {
    const { docker } = started();
    await using watched = watchingIt();
    await watched.watch.ready;
    const words = [
      "--label",
      "team=shop",
      "--expose",
      "80",
      "--hostname",
      "first",
      "-p",
      "127.0.0.1:8081:81/udp",
    ];
    await docker("run", "-d", "--name", "life", ...words, ...SLEEP);
    const seen = await watched.container("life", ({ state }) => state === "running");
    expect(seen).toMatchObject({
      hostname: "first",
      health: "none",
      isStopping: false,
      gatewayAddresses: [],
    });
    expect(seen.labels).toEqual(new Map([["team", "shop"]]));
    expect(seen.ports.toSorted((one, other) => one.target - other.target)).toEqual([
      { target: 80, protocol: "tcp", published: undefined },
      { target: 81, protocol: "udp", published: 8081 },
    ]);
    const snapshot = await watched.shows((snapshot) => snapshot);
    expect(addressesOn(snapshot, seen, "bridge")).toEqual([expect.stringMatching(/^172\.17\.0\.\d+$/)]);
    expect(snapshot.networks.find(({ name }) => name === "bridge")).toMatchObject({
      driver: "bridge",
      isIngress: false,
      subnets: ["172.17.0.0/16"],
    });

    await docker("pause", "life");
    await watched.container("life", ({ state }) => state === "paused");
    await docker("unpause", "life");
    await watched.container("life", ({ state }) => state === "running");
    await docker("rename", "life", "other-life");
    await watched.container("other-life");
    await docker("kill", "other-life");
    await watched.container("other-life", ({ state, isStopping }) => state === "exited" && !isStopping);
    await docker("rm", "other-life");
    await watched.shows(({ containers }) => containers.every(({ id }) => id !== seen.id) || undefined);
  });

  testDocker("that a container is stopping, from the signal on", async () => {
    const { docker } = started();
    await using watched = watchingIt();
    // Process 1 of a container ignores SIGTERM unless it says otherwise.
    await docker("run", "-d", "--name", "slow", ...SLEEP);
    await watched.container("slow", ({ state }) => state === "running");
    const stopped = docker("stop", "-t", "1", "slow");
    await watched.container("slow", ({ isStopping, state }) => isStopping && state === "running");
    await stopped;
    await watched.container("slow", ({ isStopping, state }) => !isStopping && state === "exited");
    await docker("start", "slow");
    const again = await watched.container("slow", ({ state }) => state === "running");
    expect(again.isStopping).toBe(false);
    await docker("rm", "-f", "slow");
  });

  testDocker("of no container that it stops when it is sent another signal", async () => {
    const { docker } = started();
    await using watched = watchingIt();
    await docker("run", "-d", "--name", "hup", "--stop-signal", "USR1", ...SLEEP);
    await watched.container("hup", ({ state }) => state === "running");
    await docker("kill", "-s", "HUP", "hup");
    await docker("kill", "-s", "TERM", "hup");
    await docker("rename", "hup", "heard");
    await watched.container("heard");
    expect(watched.snapshots.some(({ containers }) => containers.some(({ isStopping }) => isStopping))).toBe(
      false,
    );
    await docker("kill", "-s", "USR1", "heard");
    await watched.container("heard", ({ isStopping }) => isStopping);
    await docker("rm", "-f", "heard");
  });

  testDocker("what a container's health check comes to", async () => {
    const { docker } = started();
    await using watched = watchingIt();
    const check = [
      "--health-cmd",
      "test ! -e /tmp/ill",
      "--health-interval",
      "200ms",
      "--health-retries",
      "1",
    ];
    await docker("run", "-d", "--name", "checked", "--tmpfs", "/tmp", ...check, ...SLEEP);
    await watched.container("checked", ({ health }) => health === "healthy");
    await docker("exec", "checked", "touch", "/tmp/ill");
    await watched.container("checked", ({ health }) => health === "unhealthy");
    await docker("rm", "-f", "checked");
  });

  testDocker("which networks a container is on, and by which aliases", async () => {
    const { docker } = started();
    await using watched = watchingIt();
    await docker("run", "-d", "--name", "linked", ...SLEEP);
    await docker("network", "create", "--subnet", "10.201.7.0/24", "front");
    const id = await watched.shows((snapshot) => networkId(snapshot, "front"));
    await docker("network", "connect", "--alias", "www", "--ip", "10.201.7.9", "front", "linked");
    const on = ({ endpoints }: EngineContainer) => endpoints.find(({ networkId }) => networkId === id);
    const connected = await watched.container("linked", (container) => on(container) !== undefined);
    expect(on(connected)).toEqual({ networkId: id, addresses: ["10.201.7.9"], aliases: ["www"] });
    await docker("network", "disconnect", "front", "linked");
    await watched.container("linked", (container) => on(container) === undefined);
    await docker("network", "rm", "front");
    await watched.shows((snapshot) => networkId(snapshot, "front") === undefined || undefined);
    await docker("rm", "-f", "linked");
  });

  testDocker("a container that is not started yet on the network where it will be", async () => {
    const { docker } = started();
    await using watched = watchingIt();
    await docker("network", "create", "back");
    const id = await watched.shows((snapshot) => networkId(snapshot, "back"));
    await docker("create", "--name", "future", "--network", "back", "--network-alias", "db", ...SLEEP);
    const { state, endpoints } = await watched.container("future");
    expect([state, endpoints]).toEqual(["created", [{ networkId: id, addresses: [], aliases: ["db"] }]]);
    await docker("rm", "future");
    await docker("network", "rm", "back");
  });
});

testDocker("what did not change in an engine is the same object again", async () => {
  const { docker } = started();
  await using watched = watchingIt();
  await docker("run", "-d", "--name", "still", ...SLEEP);
  const still = await watched.container("still", ({ state }) => state === "running");
  await docker("run", "-d", "--name", "moving", ...SLEEP);
  await watched.container("moving", ({ state }) => state === "running");
  expect(await watched.container("still")).toBe(still);
  const published = watched.snapshots.length;
  await watched.watch.look();
  expect(watched.snapshots.length).toBe(published);
  await docker("rm", "-f", "still", "moving");
});

testDocker("the manager of a Swarm shows services and tasks, and where tasks ask from", async () => {
  const { docker } = started();
  await using watched = watchingIt();
  await watched.watch.ready;
  await docker("swarm", "init", "--advertise-addr", "127.0.0.1");
  await watched.shows(({ swarm }) => swarm);
  const id = (await docker("network", "create", "-d", "overlay", "--subnet", "10.202.1.0/24", "over")).trim();
  const words = ["--network", "name=over,alias=shop", "--replicas", "2", "--stop-grace-period", "1s"];
  await docker("service", "create", "--detach", "--name", "web", ...words, "--label", "a=b", ...SLEEP);
  const { service, tasks } = await watched.shows(({ swarm }) => {
    const service = swarm?.services.find(({ name }) => name === "web");
    const tasks = swarm?.tasks.filter(({ state }) => state === "running") ?? [];
    return service && tasks.length === 2 ? { service, tasks } : undefined;
  });
  expect(service).toMatchObject({
    endpointMode: "vip",
    labels: new Map([["a", "b"]]),
    endpoints: [{ networkId: id, addresses: ["10.202.1.2"], aliases: ["shop"] }],
  });
  expect(new Set(tasks.map(({ slot }) => slot))).toEqual(new Set([1, 2]));
  for (const task of tasks) {
    expect(task).toMatchObject({ serviceId: service.id, desiredState: "running" });
    expect(task.endpoints).toEqual([
      { networkId: id, addresses: [expect.stringMatching(/^10\.202\.1\.\d+$/)], aliases: [] },
    ]);
    const container = await watched.shows(({ containers }) =>
      containers.find(({ id, gatewayAddresses }) => id === task.containerId && gatewayAddresses.length > 0),
    );
    expect(container.endpoints.map(({ networkId }) => networkId)).toEqual([id]);
  }
  const snapshot = await watched.shows((snapshot) => snapshot);
  expect(snapshot.networks.find(({ name }) => name === "ingress")?.isIngress).toBe(true);

  await docker("service", "update", "--detach", "--endpoint-mode", "dnsrr", "web");
  await watched.shows(({ swarm }) => swarm?.services.find(({ endpointMode }) => endpointMode === "dnsrr"));
  await docker("service", "rm", "web");
  await watched.shows(({ swarm }) => (swarm?.services.length === 0 ? true : undefined));
  expect(watched.reports.filter((report) => !report.startsWith("read "))).toEqual([]);
  // While it leaves it fails some questions, which is told.
  await docker("swarm", "leave", "--force");
  await watched.shows(({ swarm }) => (swarm === undefined ? true : undefined));
});

testDocker(
  "what an engine showed stays while it is killed, which is told once, until it is back",
  async () => {
    const { docker, stop, start } = started();
    await using watched = watchingIt();
    await docker("run", "-d", "--name", "left", ...SLEEP);
    await watched.container("left", ({ state }) => state === "running");
    await stop("KILL");
    const [, problem] = await watched.told(2);
    expect(problem).toMatch(
      /^problem (?:could not ask )?the engine at unix:\S+ .*; what it said before stays; trying again$/,
    );
    const before = watched.snapshots.length;
    const left = watched.snapshots.at(-1)?.containers.find(({ name }) => name === "left");
    expect(left?.state).toBe("running");
    // Looked at once more, which fails, before it is back.
    await watched.watch.look();
    expect([watched.snapshots.length, watched.reports.length]).toEqual([before, 2]);
    await start();
    expect((await watched.told(3)).at(-1)).toMatch(/^recovered the engine at unix:\S+ can be asked again$/);
    await watched.container("left", ({ state }) => state === "exited");
    await docker("rm", "-f", "left");
  },
);
