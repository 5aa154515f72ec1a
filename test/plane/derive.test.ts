import { describe, expect, test } from "vitest";
import { formatAddress, parseAddress } from "../../src/model/address.ts";
import { parsePrefix } from "../../src/model/name.ts";
import { derivePlaneService } from "../../src/plane/derive.ts";
import type { Frontend, PlaneService } from "../../src/plane/plane.ts";
import { createRegistry, type Registry } from "../../src/registry/registry.ts";
import type { Service } from "../../src/registry/service.ts";
import { forgetfulStore } from "../../src/registry/vips.ts";
import type { ServicesFile } from "../../src/schema/input.ts";
import { roster, stillClock } from "../dns/served.ts";

const HTTP = { name: "http", target: 8080, port: 80 };

function registryOf(services: ServicesFile["services"]): Registry {
  const registry = createRegistry({ clock: stillClock(), store: forgetfulStore });
  const networks = {
    front: { subnets: ["10.0.1.0/24", "fd00:1::/64"], vips: ["10.64.0.0/24", "fd64::/112"] },
    back: { subnets: ["10.0.2.0/24"], vips: "10.65.0.0/24" },
  };
  const nodes = { n2: "10.99.0.2" };
  registry.open("file").publish(roster({ networks, nodes, services }));
  return registry;
}

function serviceOf(registry: Registry): Service {
  const [service] = registry.services();
  if (!service) throw new Error("no service was declared");
  return service;
}

function derive(registry: Registry): PlaneService {
  return derivePlaneService(serviceOf(registry), "n1", undefined);
}

/** A line a frontend, and one for each backend: `a 10.0.1.11:8080 w1 serving`. */
function lines({ frontends }: PlaneService): string[] {
  return frontends.flatMap((frontend) => [placeOf(frontend), ...frontend.backends.map(backendLine)]);
}

function placeOf(frontend: Frontend): string {
  if (frontend.kind === "published") return `published ${frontend.port}/${frontend.protocol}`;
  const vip = frontend.network + (frontend.vip.length === 4 ? " v4" : " v6");
  return `${vip} ${frontend.port ?? "every port"}/${frontend.protocol}`;
}

function backendLine({ task, address, port, weight, duty, node }: Frontend["backends"][number]): string {
  const place = port === undefined ? formatAddress(address) : `${formatAddress(address)}:${port}`;
  return `  ${task} ${place} w${weight} ${duty}${node === undefined ? "" : ` on ${node}`}`;
}

describe("a VIP leads to the tasks", () => {
  test("on its network and of its family, at the port where each listens", () => {
    const tasks = [
      { id: "a", address: { front: ["10.0.1.11", "fd00:1::11"], back: "10.0.2.11" } },
      { id: "b", address: { front: "10.0.1.12" }, ports: { http: 9090 } },
    ];
    const web = { networks: ["front", "back"], ports: [HTTP], tasks };
    expect(lines(derive(registryOf({ web })))).toEqual([
      "front v4 80/tcp",
      "  a 10.0.1.11:8080 w1 serving",
      "  b 10.0.1.12:9090 w1 serving",
      "front v6 80/tcp",
      "  a fd00:1::11:8080 w1 serving",
      "back v4 80/tcp",
      "  a 10.0.2.11:8080 w1 serving",
    ]);
  });

  test("at every port where the service declares none", () => {
    const web = { networks: ["back"], tasks: [{ id: "a", address: "10.0.2.11" }] };
    expect(lines(derive(registryOf({ web })))).toEqual([
      "back v4 every port/any",
      "  a 10.0.2.11 w1 serving",
    ]);
  });

  test("for tcp and udp, and once where two ports have one number", () => {
    const dns = { name: "dns", target: 53, protocol: "udp" as const };
    const ports = [dns, { ...dns, name: "old-dns", target: 5353, port: 53 }, { target: 53 }, "99/sctp"];
    const web = { networks: ["back"], ports, tasks: [{ id: "a", address: "10.0.2.11" }] };
    expect(lines(derive(registryOf({ web })))).toEqual([
      "back v4 53/udp",
      "  a 10.0.2.11:53 w1 serving",
      "back v4 53/tcp",
      "  a 10.0.2.11:53 w1 serving",
    ]);
  });

  test("but not one that an engine gave: that is carried by the engine", () => {
    const registry = createRegistry({ clock: stillClock(), store: forgetfulStore });
    const { services, ...rest } = roster({ services: { web: { ports: [80], tasks: ["10.0.2.11"] } } });
    const vips = [{ network: "default", address: parseAddress("10.0.9.9") }];
    const given = services.map((one) => Object.assign({}, one, { vips }));
    registry.open("engine").publish({ ...rest, services: given });
    expect(derive(registry)).toEqual({ name: "web", vips: [], frontends: [] });
  });
});

describe("a task's duty", () => {
  const tasks = ["a", "b", "c"].map((id, at) => ({ id, weight: at, address: `10.0.2.1${at}` }));
  const web = { networks: ["back"], ports: [80], tasks };
  const backends = (registry: Registry): string[] => lines(derive(registry)).slice(1);

  test("is to serve by its weight", () => {
    expect(backends(registryOf({ web }))).toEqual([
      "  a 10.0.2.10:80 w0 serving",
      "  b 10.0.2.11:80 w1 serving",
      "  c 10.0.2.12:80 w2 serving",
    ]);
  });

  test("is no less where all have weight 0", () => {
    const even = { ...web, tasks: tasks.map((task) => ({ ...task, weight: 0 })) };
    expect(backends(registryOf({ web: even })).every((line) => line.endsWith("w1 serving"))).toBe(true);
  });

  test("ends when it fails its check, and its flows with it", () => {
    const registry = registryOf({ web });
    registry.report([{ service: "file:web", task: parsePrefix("b"), verdict: "failing" }]);
    expect(backends(registry)[1]).toBe("  b 10.0.2.11:80 w0 down");
  });

  test("is to let its flows end when it is drained or in maintenance", () => {
    const registry = registryOf({ web });
    const said = { service: "file:web", availability: "drain", origin: "test" } as const;
    registry.say([
      { ...said, task: parsePrefix("b") },
      { ...said, task: parsePrefix("c"), availability: "maintenance" },
    ]);
    expect(backends(registry)).toEqual([
      "  a 10.0.2.10:80 w1 serving",
      "  b 10.0.2.11:80 w0 draining",
      "  c 10.0.2.12:80 w0 draining",
    ]);
  });

  test("is to serve though it fails where when_empty has all answered", () => {
    const registry = registryOf({ web: { ...web, tasks: tasks.slice(1, 2), when_empty: "all" } });
    registry.report([{ service: "file:web", task: parsePrefix("b"), verdict: "failing" }]);
    expect(backends(registry)).toEqual(["  b 10.0.2.11:80 w1 serving"]);
  });
});

describe("a published port leads to", () => {
  const tasks = [
    { id: "a", address: { front: ["10.0.1.11", "fd00:1::11"] }, node: "n1" },
    { id: "b", address: { front: "10.0.1.12" }, node: "n2" },
  ];
  const web = (more: object) => ({
    networks: ["front"],
    endpoint_mode: "dnsrr" as const,
    ports: [{ ...HTTP, published: 30_080, ...more }],
    tasks,
  });

  test("the tasks of all nodes, of both families, for a dnsrr service as well", () => {
    expect(lines(derive(registryOf({ web: web({}) })))).toEqual([
      "published 30080/tcp",
      "  a 10.0.1.11:8080 w1 serving",
      "  b 10.0.1.12:8080 w1 serving on n2",
      "  a fd00:1::11:8080 w1 serving",
    ]);
  });

  test.each([{ policy: "local" }, { mode: "host" }])("those of this node alone, with %j", (more) => {
    expect(lines(derive(registryOf({ web: web(more) })))).toEqual([
      "published 30080/tcp",
      "  a 10.0.1.11:8080 w1 serving",
      "  a fd00:1::11:8080 w1 serving",
    ]);
  });

  test.each([
    [{ policy: "local" }, ["published 30080/tcp"]],
    [{ mode: "host" }, []],
  ])("nobody where no task is on this node, with %j", (more, expected) => {
    const elsewhere = { ...web(more), tasks: tasks.map((task) => Object.assign({}, task, { node: "n2" })) };
    expect(lines(derive(registryOf({ web: elsewhere })))).toEqual(expected);
  });
});

test("what differs in nothing that traffic needs is the same object", () => {
  const registry = registryOf({ web: { ports: [80], tasks: ["10.0.2.11"], ttl: "5s" } });
  const before = derive(registry);
  const again = registryOf({ web: { ports: [80], tasks: ["10.0.2.11"], ttl: "9s" } });
  expect(derivePlaneService(serviceOf(again), "n1", before)).toBe(before);
  const changed = registryOf({ web: { ports: [80], tasks: ["10.0.2.12"] } });
  expect(derivePlaneService(serviceOf(changed), "n1", before)).not.toBe(before);
});
