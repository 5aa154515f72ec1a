import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseContainer } from "../../../src/sources/docker/container.ts";
import { parseAttached, parseNetworks } from "../../../src/sources/docker/network.ts";
import { isSwarmManaged, parseSwarm } from "../../../src/sources/docker/swarm.ts";
import { ID, inspected } from "./fake-engine.ts";

const parse = (more: object) => parseContainer(inspected(more), new Map([["back", "n2"]]));

test.each([
  ["Docker's states are taken as they are", { State: { Status: "paused" } }, { state: "paused" }],
  ["Podman's, by whether it runs", { State: { Status: "stopped", Running: false } }, { state: "exited" }],
  ["and as well when it does", { State: { Status: "stopping", Running: true } }, { state: "running" }],
  ["none is no run", { State: null }, { state: "exited", health: "none" }],
  ["health", { State: { Health: { Status: "unhealthy" } } }, { health: "unhealthy" }],
  ["health of a check that was taken away", { State: { Health: { Status: "none" } } }, { health: "none" }],
  [
    "labels that are texts",
    { Config: { Labels: { a: "b", c: 1, ["__proto__x"]: "d" } } },
    {
      labels: new Map([
        ["a", "b"],
        ["__proto__x", "d"],
      ]),
    },
  ],
  ["its first process", { State: { Pid: 4711 }, HostConfig: { NetworkMode: "shop_front" } }, { pid: 4711 }],
  [
    "none on the machine's own network",
    { State: { Pid: 4711 }, HostConfig: { NetworkMode: "host" } },
    { pid: 0 },
  ],
  ["a date that is none", { Created: "yesterday" }, { createdAt: 0 }],
  [
    "ports, of which the first binding counts",
    {
      Config: {
        ExposedPorts: { "53/udp": {}, "0/tcp": {}, "70000/tcp": {}, "x/tcp": {}, "9/sctp": {}, "1/icmp": {} },
      },
      NetworkSettings: { Ports: { "80/tcp": [{ HostPort: "8080" }, { HostPort: "9" }], "53/udp": null } },
    },
    {
      ports: [
        { target: 53, protocol: "udp", published: undefined },
        { target: 9, protocol: "sctp", published: undefined },
        { target: 80, protocol: "tcp", published: 8080 },
      ],
    },
  ],
  [
    "aliases but for its ids, each once",
    {
      NetworkSettings: {
        Networks: {
          n: {
            NetworkID: "n1",
            IPAddress: "10.0.0.2",
            GlobalIPv6Address: "fd00::2",
            Aliases: ["db", ID.slice(0, 12), ID, "db", "web"],
          },
        },
      },
    },
    { endpoints: [{ networkId: "n1", addresses: ["10.0.0.2", "fd00::2"], aliases: ["db", "web"] }] },
  ],
  [
    "a network that only its name tells of",
    { NetworkSettings: { Networks: { back: { IPAddress: "" }, other: {} } } },
    { endpoints: [{ networkId: "n2", addresses: [], aliases: [] }] },
  ],
])("of a container, %s", (_, more, expected) => {
  expect(parse(more)?.container).toMatchObject(expected);
});

test.each([
  [{}, 15, 10_000],
  [{ StopSignal: "SIGQUIT", StopTimeout: 0 }, 3, 0],
  [{ StopSignal: "nonsense", StopTimeout: -1 }, 15, 10_000],
])("%j stops a container", (Config, stopSignal, stopTimeoutMs) => {
  expect(parse({ Config })).toMatchObject({ stopSignal, stopTimeoutMs });
});

test.each([[{ Id: "short" }], [{ Id: `${ID}0` }], [{ Name: "/" }], [{ Name: 7 }]])(
  "%j is no container",
  (more) => {
    expect(parse(more)).toBe(undefined);
  },
);

test("a service has the networks of its declaration and of its VIPs", () => {
  const old = { ID: "s", Spec: { Name: "web", Networks: [{ Target: "a", Aliases: ["www"] }] } };
  const now = {
    ...old,
    Endpoint: {
      VirtualIPs: [
        { NetworkID: "ingress", Addr: "10.0.0.2/24" },
        { NetworkID: "a", Addr: "10.0.1.2/24" },
      ],
      Ports: [{ TargetPort: 80, PublishedPort: 8080 }],
    },
  };
  const task = { ID: "t", ServiceID: "s", Slot: 0 };
  const { services, tasks } = parseSwarm([old, now, { ID: "x" }], [task, {}]);
  expect(services.map(({ endpoints }) => endpoints)).toEqual([
    [{ networkId: "a", addresses: [], aliases: ["www"] }],
    [
      { networkId: "a", addresses: ["10.0.1.2"], aliases: ["www"] },
      { networkId: "ingress", addresses: ["10.0.0.2"], aliases: [] },
    ],
  ]);
  expect(services[1]?.ports).toEqual([{ target: 80, protocol: "tcp", published: 8080 }]);
  expect(tasks).toEqual([
    {
      id: "t",
      serviceId: "s",
      nodeId: "",
      slot: undefined,
      state: "",
      desiredState: "",
      containerId: "",
      endpoints: [],
    },
  ]);
});

test("whatever an engine says, nothing is thrown", () => {
  const keys = fc.constantFrom(
    ..."Id ID Name Config State Status Health NetworkSettings Networks Ports Labels IPAM Subnet Spec Endpoint VirtualIPs Addr Swarm TaskTemplate Target Aliases NetworksAttachments Network Addresses Slot Containers".split(
      " ",
    ),
  );
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { depthSize: "medium" },
      fc.constantFrom(ID, "x", "", 80, -1, null, true),
      fc.array(tie("json"), { maxLength: 3 }),
      fc.dictionary(keys, tie("json"), { maxKeys: 5 }),
    ),
  }));
  fc.assert(
    fc.property(json, (said) => {
      parseContainer(said, new Map());
      parseContainer(Object.assign(inspected(), { NetworkSettings: said, Config: said }), new Map());
      parseNetworks([said]);
      parseAttached(said);
      parseSwarm(
        [said, { ID: "s", Spec: said }],
        [said, { ID: "t", ServiceID: "s", NetworksAttachments: said }],
      );
      isSwarmManaged(said);
    }),
    { numRuns: 500 },
  );
});
