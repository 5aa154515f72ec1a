import { expect, test } from "vitest";
import { formatAddress, parseAddress } from "../../../src/model/address.ts";
import { isMark, marksOf } from "../../../src/plane/mesh/marks.ts";
import { boundedPeers, MOST_ADDRESSES, MOST_PEERS, pathsOf } from "../../../src/plane/mesh/paths.ts";
import { renderRoutes, renderTable } from "../../../src/plane/mesh/ruleset.ts";
import type { Link, Surroundings } from "../../../src/plane/mesh/surroundings.ts";
import type { Peer } from "../../../src/plane/plane.ts";

interface Case {
  readonly peers: Readonly<Record<string, readonly string[]>>;
  /** Address to link, and gateway. */
  readonly routes?: Readonly<Record<string, string>>;
  readonly neighbours?: Readonly<Record<string, string>>;
  readonly tunnels?: readonly string[];
  readonly reversePathFilter?: number;
  readonly defaultLinks?: readonly string[];
}

const MAC = "02:00:00:00:00:02";

test.each<[string, Case, { paths?: string[]; obstacles?: RegExp[] }]>([
  [
    "on one link, in both families",
    {
      peers: { n2: ["10.99.0.2", "fd99::2"] },
      routes: { "10.99.0.2": "eth0", "fd99::2": "eth0" },
      neighbours: { "10.99.0.2": MAC, "fd99::2": MAC },
    },
    { paths: [`n2 eth0 ${MAC} 10.99.0.2 fd99::2`] },
  ],
  [
    "in one family alone",
    { peers: { n2: ["fd99::2"] }, routes: { "fd99::2": "eth0" }, neighbours: { "fd99::2": MAC } },
    { paths: [`n2 eth0 ${MAC} fd99::2`] },
  ],
  [
    "on two links, each its own way",
    {
      peers: { n2: ["10.99.0.2", "10.61.2.1"] },
      routes: { "10.99.0.2": "eth0", "10.61.2.1": "br0" },
      neighbours: { "10.99.0.2": MAC, "10.61.2.1": "02:00:00:00:00:03" },
    },
    { paths: [`n2 eth0 ${MAC} 10.99.0.2`, "n2 br0 02:00:00:00:00:03 10.61.2.1"] },
  ],
  [
    "silent",
    { peers: { n2: ["10.99.0.2"] }, routes: { "10.99.0.2": "eth0" } },
    { obstacles: [/n2 \(10\.99\.0\.2\): it does not answer on eth0/] },
  ],
  [
    "no route",
    { peers: { n2: ["10.99.0.2"] } },
    { obstacles: [/n2 \(10\.99\.0\.2\): no route leads there/] },
  ],
  [
    "behind a gateway",
    { peers: { n2: ["192.0.2.2"] }, routes: { "192.0.2.2": "eth0 10.99.0.254" } },
    { obstacles: [/behind the gateway 10\.99\.0\.254/] },
  ],
  [
    "behind another of its own addresses",
    {
      peers: { n2: ["10.61.2.1", "10.99.0.2"] },
      routes: { "10.61.2.1": "eth0 10.99.0.2", "10.99.0.2": "eth0" },
      neighbours: { "10.99.0.2": MAC },
    },
    { paths: [`n2 eth0 ${MAC} 10.99.0.2`] },
  ],
  [
    "this node itself",
    { peers: { n2: ["10.99.0.1"] }, routes: { "10.99.0.1": "lo local" } },
    { obstacles: [/an address of this node itself/] },
  ],
  [
    "an interface whose name is a command",
    { peers: { n2: ["10.99.0.2"] }, routes: { "10.99.0.2": 'x";flush' } },
    { obstacles: [/its interface "x";flush" cannot be used/] },
  ],
  [
    "alone in a tunnel",
    { peers: { n2: ["10.8.0.2"] }, routes: { "10.8.0.2": "wg0" }, tunnels: ["wg0"] },
    { paths: ["n2 wg0 - 10.8.0.2"] },
  ],
  [
    "in a tunnel with another",
    {
      peers: { n2: ["10.8.0.2"], n3: ["10.8.0.3"] },
      routes: { "10.8.0.2": "wg0", "10.8.0.3": "wg0" },
      tunnels: ["wg0"],
    },
    { obstacles: [/towards n2, n3: all are behind the interface wg0/] },
  ],
  [
    "behind the same card as another",
    {
      peers: { n2: ["10.99.0.2"], n3: ["10.99.0.3"] },
      routes: { "10.99.0.2": "eth0", "10.99.0.3": "eth0" },
      neighbours: { "10.99.0.2": MAC, "10.99.0.3": MAC },
    },
    { obstacles: [new RegExp(`towards n2, n3: all are behind ${MAC} on eth0`)] },
  ],
  [
    "on a link that drops what came another way",
    {
      peers: { n2: ["10.99.0.2", "fd99::2"] },
      routes: { "10.99.0.2": "eth1", "fd99::2": "eth1" },
      neighbours: { "10.99.0.2": MAC, "fd99::2": MAC },
      reversePathFilter: 1,
      defaultLinks: ["eth0"],
    },
    {
      paths: [`n2 eth1 ${MAC} fd99::2`],
      obstacles: [/sysctl -w net\.ipv4\.conf\.eth1\.rp_filter=2/],
    },
  ],
  [
    "on such a link that leads to clients, too",
    {
      peers: { n2: ["10.99.0.2"] },
      routes: { "10.99.0.2": "eth0" },
      neighbours: { "10.99.0.2": MAC },
      reversePathFilter: 1,
      defaultLinks: ["eth0"],
    },
    { paths: [`n2 eth0 ${MAC} 10.99.0.2`] },
  ],
])("a peer %s", (_where, given, expected) => {
  const { paths, obstacles } = pathsOf(peersOf(given), around(given));
  const told = paths.map(({ peer, link, mac = "-", addresses }) =>
    [peer, link, mac, ...addresses.map(formatAddress)].join(" "),
  );
  expect(told).toEqual(expected.paths ?? []);
  expect(obstacles).toEqual((expected.obstacles ?? []).map((pattern) => expect.stringMatching(pattern)));
});

test("Of 1,025 peers 1,024 have a return path, of 17 addresses 16 are looked at, and it is said", () => {
  const peersFor = (count: number): Map<string, Peer> =>
    new Map(
      Array.from({ length: count }, (_, at) => [
        `n${at}`,
        { addresses: [parseAddress(`10.9.${at >> 8}.${at & 255}`)] },
      ]),
    );
  const nothing = { routes: new Map(), links: new Map(), defaultLinks: new Set<string>() };
  expect(boundedPeers(peersFor(MOST_PEERS + 1)).size).toBe(1024);
  expect(pathsOf(peersFor(MOST_PEERS), nothing).obstacles).toHaveLength(1024);
  expect(pathsOf(peersFor(MOST_PEERS + 1), nothing).obstacles[0]).toMatch(
    /^1 of 1025 nodes have no return path/,
  );
  const many = Array.from({ length: MOST_ADDRESSES + 1 }, (_, at) => parseAddress(`10.9.0.${at}`));
  expect(boundedPeers(new Map([["n", { addresses: many }]])).get("n")).toHaveLength(16);
});

test("Marks are all different, ours, and stay when others come", () => {
  const keys = Array.from({ length: 4096 }, (_, at) => `n${at}`);
  const marks = marksOf(keys);
  expect(new Set(marks).size).toBe(4096);
  expect(marks.every(isMark)).toBe(true);
  const few = ["a", "b", "c"];
  expect(marksOf(["a", "c"])).toEqual([0, 2].map((at) => marksOf(few)[at]));
  expect([0x526f_0000, 0x5270_0000, 0x1_0001].map(isMark)).toEqual([false, false, false]);
});

test("Routes come before the rules that lead to them, and go after", () => {
  const [path] = pathsOf(peersOf(PLAIN), around(PLAIN)).paths;
  const mark = path?.mark ?? 0;
  const stale = 0x526f_ffff;
  const present = { rules: new Set([stale]), tables: new Set([stale]) };
  expect(renderRoutes(path === undefined ? [] : [path], present, 4)).toEqual([
    `route replace default via 10.99.0.2 dev eth0 onlink table ${mark} protocol 76`,
    `rule add fwmark 0x${mark.toString(16)} lookup ${mark} priority 21103 protocol 76`,
    `rule del fwmark 0x${stale.toString(16)}`,
    `route flush table ${stale}`,
  ]);
  const done = { rules: new Set([mark]), tables: new Set([mark]) };
  expect(renderRoutes([], done, 6).map((line) => line.split(" ", 2).join(" "))).toEqual([
    "rule del",
    "route flush",
  ]);
});

test("Without a path no table is left", () => {
  expect(renderTable([])).toBe("table inet rota-mesh\ndelete table inet rota-mesh\n");
});

const PLAIN: Case = {
  peers: { n2: ["10.99.0.2"] },
  routes: { "10.99.0.2": "eth0" },
  neighbours: { "10.99.0.2": MAC },
};

function peersOf({ peers }: Case): Map<string, Peer> {
  return new Map(
    Object.entries(peers).map(([name, addresses]) => [name, { addresses: addresses.map(parseAddress) }]),
  );
}

function around({
  routes = {},
  neighbours = {},
  tunnels = [],
  reversePathFilter = 0,
  defaultLinks = [],
}: Case): Surroundings {
  const macs = new Map(Object.entries(neighbours).map(([address, mac]) => [parseAddress(address), mac]));
  const links = ["eth0", "eth1", "br0", "wg0", "lo"].map((name): [string, Link] => [
    name,
    {
      name,
      kind: tunnels.includes(name) ? "tunnel" : "ethernet",
      neighbours: macs,
      reversePathFilter,
      sendsRedirects: false,
    },
  ]);
  return {
    routes: new Map(
      Object.entries(routes).map(([address, route]) => {
        const [link = "", via] = route.split(" ");
        const isLocal = via === "local";
        const gateway = via === undefined || isLocal ? undefined : parseAddress(via);
        return [parseAddress(address), { link, gateway, isLocal }];
      }),
    ),
    links: new Map(links),
    defaultLinks: new Set(defaultLinks),
  };
}
