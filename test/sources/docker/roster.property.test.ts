import * as fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_PREFIX_OCTETS } from "../../../src/model/name.ts";
import { namesOf } from "../../../src/registry/names.ts";
import { createEngineRoster } from "../../../src/sources/docker/roster.ts";
import type { EngineContainer, EngineSnapshot } from "../../../src/sources/docker/snapshot.ts";

/** Few, so that they meet; and some that nobody would expect. */
const word = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom("a", "B", "b", "web", "shop", "shop_web", "c1.net1", "x".repeat(63)),
  },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 300 }) },
);
const id = fc.oneof(fc.constantFrom("1".repeat(64), "2".repeat(64), "12", ""), word);
const address = fc.oneof(fc.constantFrom("10.1.0.2", "10.1.0.3", "fd00::2", "0.0.0.0"), word);
const label = fc.constantFrom(
  "com.docker.compose.project",
  "com.docker.compose.service",
  "com.docker.compose.container-number",
  "com.docker.stack.namespace",
  "com.docker.swarm.service.id",
  "com.docker.swarm.service.name",
  "com.docker.swarm.task.id",
  "rota.enable",
  "rota.service",
  "rota.slot",
  "rota.address",
  "rota.ttl",
  "rota.aliases",
  "rota.labels.a.b",
  "rota.labels",
  "rota.port",
  "rota.port.http",
  "rota.port.HTTP",
  "rota.healthcheck",
  "rota.healthcheck.tcp",
  "rota.healthcheck.http",
  "rota.healthcheck.http.port",
  "rota.healthcheck.dns.type",
  "rota.healthcheck.hold.max",
  "rota.healthcheck.interval",
);
const value = fc.oneof(
  fc.constantFrom("true", "false", "1", "0.5", "80", "/", "5s", "web.shop", "a,b", "10.1.0.9"),
  word,
);
const entries = fc.oneof(
  label,
  fc.string({ maxLength: 12 }).map((rest) => `rota.${rest}`),
  word,
);
const labels = fc.array(fc.tuple(entries, value), { maxLength: 8 }).map((all) => new Map(all));
const endpoint = fc.record({
  networkId: id,
  addresses: fc.array(address, { maxLength: 3 }),
  aliases: fc.array(word, { maxLength: 3 }),
});
const endpoints = fc.array(endpoint, { maxLength: 3 });
const port = fc.record({
  target: fc.constantFrom(-1, 0, 0.5, 53, 80, 65_535, 65_536),
  protocol: fc.constantFrom("tcp", "udp", "sctp"),
  published: fc.constantFrom(undefined, 0, 80, 99_999),
});
const container: fc.Arbitrary<EngineContainer> = fc.record({
  id,
  name: word,
  hostname: word,
  createdAt: fc.integer({ min: 0, max: 3 }),
  state: fc.constantFrom(
    "created",
    "running",
    "running",
    "paused",
    "restarting",
    "removing",
    "exited",
    "dead",
  ),
  health: fc.constantFrom("none", "starting", "healthy", "unhealthy"),
  isStopping: fc.boolean(),
  pid: fc.nat(3),
  labels,
  ports: fc.array(port, { maxLength: 3 }),
  endpoints,
  gatewayAddresses: fc.array(address, { maxLength: 2 }),
});
const anything: fc.Arbitrary<EngineSnapshot> = fc.record({
  networks: fc.array(
    fc.record({
      id,
      name: word,
      driver: fc.constantFrom("bridge", "overlay", "host"),
      isIngress: fc.boolean(),
      subnets: fc.array(fc.oneof(fc.constant("10.1.0.0/16"), word), { maxLength: 2 }),
    }),
    { maxLength: 4 },
  ),
  containers: fc.array(container, { maxLength: 6 }),
  swarm: fc.option(
    fc.record({
      services: fc.array(
        fc.record({
          id,
          name: word,
          createdAt: fc.integer({ min: 0, max: 3 }),
          labels,
          endpointMode: fc.constantFrom("vip", "dnsrr"),
          ports: fc.array(port, { maxLength: 3 }),
          endpoints,
        }),
        { maxLength: 3 },
      ),
      tasks: fc.array(
        fc.record({
          id: word,
          serviceId: id,
          nodeId: word,
          slot: fc.constantFrom(undefined, -1, 0, 1, 2),
          state: fc.constantFrom("new", "starting", "running", "failed"),
          desiredState: fc.constantFrom("running", "shutdown"),
          containerId: id,
          endpoints,
        }),
        { maxLength: 4 },
      ),
    }),
    { nil: undefined },
  ),
});

test("any snapshot gives a roster that holds together", () => {
  fc.assert(
    fc.property(anything, (snapshot) => {
      const map = createEngineRoster();
      const { roster, verdicts, warnings } = map(snapshot);
      const tasks = roster.services.flatMap(({ name, namespace, tasks }) =>
        tasks.map(({ id }) => JSON.stringify([name, namespace, id])),
      );
      expect(new Set(tasks).size, "a task is called as no other").toBe(tasks.length);
      const all = new Set(roster.services.flatMap(({ tasks }) => tasks));
      expect([...verdicts.keys()].every((task) => all.has(task))).toBe(true);

      expect(new Set(roster.services).size, "no service twice").toBe(roster.services.length);
      const networks = roster.networks.map(({ name }) => name);
      expect(new Set(networks).size).toBe(networks.length);
      for (const service of roster.services) {
        const where = [
          ...service.networkAliases.map(({ network }) => network),
          ...(service.vips ?? []).map(({ network }) => network),
          ...service.tasks.flatMap(({ addresses, networkAliases }) => [
            ...addresses.map(({ network }) => network),
            ...networkAliases.map(({ network }) => network),
          ]),
        ];
        expect(where.every((name) => service.networks.includes(name))).toBe(true);
        expect(service.networks.length).toBeGreaterThan(0);
        expect(service.tasks.every(({ addresses }) => addresses.length > 0)).toBe(true);
        expect(service.check?.probe.kind).not.toBe("exec");
        for (const name of namesOf(service).keys())
          expect(name.length).toBeLessThanOrEqual(MAX_PREFIX_OCTETS);
      }
      expect(warnings.every((line) => /^[^\p{C}]*$/u.test(line))).toBe(true);
      expect(map(snapshot).roster, "the same again").toBe(roster);
      const turned = { ...snapshot, containers: snapshot.containers.toReversed() };
      if (new Set(snapshot.containers.map(({ id }) => id)).size === snapshot.containers.length)
        expect(map(turned).roster, "whatever the order").toBe(roster);
    }),
    { numRuns: 1000 },
  );
});
