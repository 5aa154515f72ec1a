import { describe, expect, test } from "vitest";
import { formatName, parseName, parsePrefix } from "../../src/model/name.ts";
import { reverseName } from "../../src/model/reverse.ts";
import { parseAddress } from "../../src/model/address.ts";
import { forgetfulStore, type Lease } from "../../src/registry/vips.ts";
import { EMPTY_ROSTER, type Roster } from "../../src/model/declaration.ts";
import { checkedWeb, rosterOf } from "../registry/checked.ts";
import { roster, served } from "./served.ts";

const ZONE_SOA =
  "rota.internal. 5 SOA ns.rota.internal. hostmaster.rota.internal. 1700000001 3600 600 86400 5";
const ROOT_SOA = ZONE_SOA.replace("rota.internal.", ".");

const VIP = "10.0.1.130";
const VIP6 = "fd00:1::1:0:0:2";

const { ask } = served(
  {
    networks: {
      default: { vips: "127.64.0.0/16" },
      frontend: { subnets: ["10.0.1.0/24", "fd00:1::/64"], vips: ["10.0.1.128/25", "fd00:1:0:0:1::/80"] },
    },
    services: {
      web: {
        networks: ["frontend"],
        aliases: ["www"],
        ports: [{ name: "http", target: 8080, port: 80 }, "53/udp"],
        labels: { team: "shop", tier: 1 },
        tasks: [
          { id: "a", slot: 1, address: "10.0.1.11" },
          { id: "b", slot: 2, address: ["10.0.1.12", "fd00:1::12"], weight: 3, ports: { http: 9090 } },
        ],
      },
      api: {
        endpoint_mode: "dnsrr",
        ttl: "1m",
        ports: [{ name: "grpc", target: 9000 }],
        tasks: [{ id: "one", address: "192.0.2.1", weight: 2 }, "192.0.2.2:9001"],
      },
      six: { endpoint_mode: "dnsrr", tasks: ["2001:db8::1"] },
      cart: {
        namespace: "shop",
        endpoint_mode: "dnsrr",
        aliases: ["basket"],
        tasks: [{ id: "c", slot: 1, address: "192.0.2.9" }],
      },
      idle: { endpoint_mode: "dnsrr", labels: { a: "b" } },
      later: { endpoint_mode: "dnsrr", when_empty: "servfail", ports: [{ name: "http", target: 80 }] },
    },
  },
  { store: { ...forgetfulStore, restored: [lease(VIP), lease(VIP6)] } },
);

function lease(address: string): Lease {
  return { service: "file:web", network: "frontend", address: parseAddress(address) };
}

describe("what a name answers", () => {
  test.each<[string, ...string[]]>([
    ["web.rota.internal A", "NOERROR aa", `web.rota.internal. 5 A ${VIP}`],
    ["web A", "NOERROR aa", `web. 5 A ${VIP}`],
    ["www.rota.internal A", "NOERROR aa", `www.rota.internal. 5 A ${VIP}`],
    ["web AAAA", "NOERROR aa", `web. 5 AAAA ${VIP6}`],
    ["web ANY", "NOERROR aa", `web. 5 A ${VIP}`],
    ["web TXT", "NOERROR aa", 'web. 5 TXT "team=shop" "tier=1"'],
    ["web MX", "NOERROR aa", `authority: ${ROOT_SOA}`],
    ["web.rota.internal MX", "NOERROR aa", `authority: ${ZONE_SOA}`],
    ["web TYPE65280", "NOERROR aa", `authority: ${ROOT_SOA}`],
    ["api A", "NOERROR aa", "api. 60 A 192.0.2.1", "api. 60 A 192.0.2.2"],
    ["api AAAA", "NOERROR aa", `authority: ${ROOT_SOA}`],
    ["six AAAA", "NOERROR aa", "six. 5 AAAA 2001:db8::1"],
    ["six A", "NOERROR aa", `authority: ${ROOT_SOA}`],
    ["six ANY", "NOERROR aa", "six. 5 AAAA 2001:db8::1"],
    ["tasks.web AAAA", "NOERROR aa", "tasks.web. 5 AAAA fd00:1::12"],
    ["tasks.www.rota.internal AAAA", "NOERROR aa", "tasks.www.rota.internal. 5 AAAA fd00:1::12"],
    ["2.web A", "NOERROR aa", "2.web. 5 A 10.0.1.12"],
    ["3.web A", "REFUSED"],
    ["3.web.rota.internal A", "NXDOMAIN aa", `authority: ${ZONE_SOA}`],
    ["b.web.rota.internal AAAA", "NOERROR aa", "b.web.rota.internal. 5 AAAA fd00:1::12"],
    ["b A", "NOERROR aa", "b. 5 A 10.0.1.12"],
    ["a AAAA", "NOERROR aa", `authority: ${ROOT_SOA}`],
    ["192-0-2-2-9001.api A", "NOERROR aa", "192-0-2-2-9001.api. 60 A 192.0.2.2"],
    ["192-0-2-2-9001 A", "NXDOMAIN aa", `authority: ${ROOT_SOA}`],
    ["idle A", "NOERROR aa", `authority: ${ROOT_SOA}`],
    ["idle TXT", "NOERROR aa", 'idle. 5 TXT "a=b"'],
    ["later A", "SERVFAIL"],
    ["later ANY", "SERVFAIL"],
    ["later MX", "NOERROR aa", `authority: ${ROOT_SOA}`],
    ["_http._tcp.later SRV", "SERVFAIL"],
  ])("%s", (question, ...lines) => {
    expect(ask(question)).toEqual(lines);
  });
});

describe("what a namespace's names answer", () => {
  test.each<[string, ...string[]]>([
    ["cart.shop A", "NOERROR aa", "cart.shop. 5 A 192.0.2.9"],
    ["basket.shop.rota.internal A", "NOERROR aa", "basket.shop.rota.internal. 5 A 192.0.2.9"],
    ["1.cart.shop A", "NOERROR aa", "1.cart.shop. 5 A 192.0.2.9"],
    ["c.shop A", "NOERROR aa", "c.shop. 5 A 192.0.2.9"],
    ["shop.rota.internal A", "NOERROR aa", `authority: ${ZONE_SOA}`],
    ["shop A", "NOERROR aa", `authority: ${ROOT_SOA}`],
    ["cart A", "NXDOMAIN aa", `authority: ${ROOT_SOA}`],
  ])("%s", (question, ...lines) => {
    expect(ask(question)).toEqual(lines);
  });
});

describe("what a port's name answers", () => {
  test.each<[string, ...string[]]>([
    [
      "_http._tcp.web SRV",
      "NOERROR aa",
      "_http._tcp.web. 5 SRV 0 0 80 web.rota.internal.",
      `additional: web.rota.internal. 5 A ${VIP}`,
      `additional: web.rota.internal. 5 AAAA ${VIP6}`,
    ],
    [
      "_http._tcp.tasks.web SRV",
      "NOERROR aa",
      "_http._tcp.tasks.web. 5 SRV 0 1 8080 a.web.rota.internal.",
      "_http._tcp.tasks.web. 5 SRV 0 3 9090 b.web.rota.internal.",
      "additional: a.web.rota.internal. 5 A 10.0.1.11",
      "additional: b.web.rota.internal. 5 A 10.0.1.12",
      "additional: b.web.rota.internal. 5 AAAA fd00:1::12",
    ],
    [
      "_grpc._tcp.api.rota.internal SRV",
      "NOERROR aa",
      "_grpc._tcp.api.rota.internal. 60 SRV 0 2 9000 one.api.rota.internal.",
      "_grpc._tcp.api.rota.internal. 60 SRV 0 1 9001 192-0-2-2-9001.api.rota.internal.",
      "additional: one.api.rota.internal. 60 A 192.0.2.1",
      "additional: 192-0-2-2-9001.api.rota.internal. 60 A 192.0.2.2",
    ],
    [
      "_53._udp.www SRV",
      "NOERROR aa",
      "_53._udp.www. 5 SRV 0 0 53 web.rota.internal.",
      `additional: web.rota.internal. 5 A ${VIP}`,
      `additional: web.rota.internal. 5 AAAA ${VIP6}`,
    ],
    ["_http._tcp.web A", "NOERROR aa", `authority: ${ROOT_SOA}`],
    ["_tcp.web.rota.internal SRV", "NOERROR aa", `authority: ${ZONE_SOA}`],
    ["_tcp.web A", "NOERROR aa", `authority: ${ROOT_SOA}`],
    ["_http._udp.web.rota.internal SRV", "NXDOMAIN aa", `authority: ${ZONE_SOA}`],
    ["web SRV", "NOERROR aa", `authority: ${ROOT_SOA}`],
  ])("%s", (question, ...lines) => {
    expect(ask(question, { transport: "tcp" })).toEqual(lines);
  });
});

describe("what the zone itself answers", () => {
  test.each<[string, ...string[]]>([
    ["rota.internal SOA", "NOERROR aa", ZONE_SOA],
    [
      "rota.internal NS",
      "NOERROR aa",
      "rota.internal. 5 NS ns.rota.internal.",
      "additional: ns.rota.internal. 5 A 127.0.0.1",
      "additional: ns.rota.internal. 5 AAAA ::1",
    ],
    ["rota.internal A", "NOERROR aa", `authority: ${ZONE_SOA}`],
    ["rota.internal ANY", "NOERROR aa", ZONE_SOA],
    ["ns.rota.internal A", "NOERROR aa", "ns.rota.internal. 5 A 127.0.0.1"],
    ["ns.rota.internal AAAA", "NOERROR aa", "ns.rota.internal. 5 AAAA ::1"],
    ["ns.rota.internal ANY", "NOERROR aa", "ns.rota.internal. 5 A 127.0.0.1"],
    ["ns.rota.internal TXT", "NOERROR aa", `authority: ${ZONE_SOA}`],
    ["nosuch.rota.internal A", "NXDOMAIN aa", `authority: ${ZONE_SOA}`],
    ["a.b.c.d.rota.internal A", "NXDOMAIN aa", `authority: ${ZONE_SOA}`],
    ["nosuch A", "NXDOMAIN aa", `authority: ${ROOT_SOA}`],
    ["example.com A", "REFUSED"],
    ["arpa A", "NOERROR aa", `authority: ${ROOT_SOA}`],
    ["internal A", "NOERROR aa", `authority: ${ROOT_SOA}`],
    ["xrota.internal A", "REFUSED"],
    [". NS", "REFUSED"],
  ])("%s", (question, ...lines) => {
    expect(ask(question)).toEqual(lines);
  });
});

describe("what a reverse name answers", () => {
  const soa = (apex: string): string => `authority: ${ZONE_SOA.replace("rota.internal.", apex)}`;
  test.each<[string, ...string[]]>([
    ["11.1.0.10.in-addr.arpa PTR", "NOERROR aa", "11.1.0.10.in-addr.arpa. 5 PTR a.web.rota.internal."],
    ["130.1.0.10.in-addr.arpa PTR", "NOERROR aa", "130.1.0.10.in-addr.arpa. 5 PTR web.rota.internal."],
    [
      "2.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa PTR",
      "NOERROR aa",
      "2.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa. 5 PTR b.web.rota.internal.",
    ],
    ["1.2.0.192.in-addr.arpa PTR", "NOERROR aa", "1.2.0.192.in-addr.arpa. 60 PTR one.api.rota.internal."],
    ["1.2.0.192.in-addr.arpa A", "NOERROR aa", soa("1.2.0.192.in-addr.arpa.")],
    ["77.1.0.10.in-addr.arpa PTR", "NXDOMAIN aa", soa("1.0.10.in-addr.arpa.")],
    ["1.0.10.in-addr.arpa PTR", "NOERROR aa", soa("1.0.10.in-addr.arpa.")],
    ["1.0.10.in-addr.arpa SOA", "NOERROR aa", ZONE_SOA.replace("rota.internal.", "1.0.10.in-addr.arpa.")],
    ["0.10.in-addr.arpa PTR", "REFUSED"],
    ["77.2.0.192.in-addr.arpa PTR", "REFUSED"],
    ["7.0.64.127.in-addr.arpa PTR", "NXDOMAIN aa", soa("64.127.in-addr.arpa.")],
    ["in-addr.arpa PTR", "REFUSED"],
    ["011.1.0.10.in-addr.arpa PTR", "NXDOMAIN aa", soa("1.0.10.in-addr.arpa.")],
    ["b._dns-sd._udp.0.1.0.10.in-addr.arpa PTR", "NXDOMAIN aa", soa("1.0.10.in-addr.arpa.")],
    ["x.1.2.0.192.in-addr.arpa PTR", "NXDOMAIN aa", soa("1.2.0.192.in-addr.arpa.")],
    ["x.0.10.in-addr.arpa PTR", "REFUSED"],
  ])("%s", (question, ...lines) => {
    expect(ask(question)).toEqual(lines);
  });
});

describe("who is in an answer when tasks fail", () => {
  const tasks = [
    { id: "a", address: "192.0.2.1" },
    { id: "b", address: "192.0.2.2" },
    { id: "c", address: "192.0.2.3" },
    { id: "d", address: "192.0.2.4" },
  ];
  test.each([
    ["the serving ones are left", {}, ["a"], ["192.0.2.2", "192.0.2.3", "192.0.2.4"]],
    ["nobody is left", {}, ["a", "b", "c", "d"], []],
    [
      "when_empty: all",
      { when_empty: "all" },
      ["a", "b", "c", "d"],
      ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"],
    ],
    ["when_empty: all, one is left", { when_empty: "all" }, ["a", "b", "c"], ["192.0.2.4"]],
    [
      "panic_threshold: just as many as it says",
      { panic_threshold: 0.75 },
      ["a"],
      ["192.0.2.2", "192.0.2.3", "192.0.2.4"],
    ],
    ["panic_threshold: half are left", { panic_threshold: 0.5 }, ["a", "b"], ["192.0.2.3", "192.0.2.4"]],
    [
      "panic_threshold: fewer are left",
      { panic_threshold: 0.5 },
      ["a", "b", "c"],
      ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"],
    ],
  ] as const)("%s", (_, words, failing, expected) => {
    const { data, registry } = served({ services: { web: { endpoint_mode: "dnsrr", ...words, tasks } } });
    for (const task of failing)
      registry.report([{ service: "file:web", task: parsePrefix(task), verdict: "failing" }]);
    expect(data("web A").toSorted()).toEqual(expected);
    expect(data("a.web A"), "a task's own name answers all the same").toEqual(["192.0.2.1"]);
  });

  test.each(["nodata", "all", "servfail"] as const)(
    "until the first round is over, names that lead to tasks fail, whatever when_empty says: %s",
    (when_empty) => {
      const web = checkedWeb(["a 192.0.2.1"], { when_empty, ports: [80] });
      const { ask, data, source, registry } = served({});
      source.publish(rosterOf(web, { ...web, name: parsePrefix("api"), endpointMode: "vip" }));
      for (const asked of ["web A", "web ANY", "tasks.web A", "_80._tcp.web SRV", "tasks.api A"])
        expect(ask(asked), asked).toEqual(["SERVFAIL"]);
      expect(data("a.web A"), "a task's own name answers all the same").toEqual(["192.0.2.1"]);
      expect(data("api A"), "so does a VIP").toHaveLength(1);
      expect(ask("web TXT")[0], "what is no address is known").toBe("NOERROR aa");
      registry.report([{ service: "file:web", task: parsePrefix("a"), verdict: "passing" }]);
      expect(data("web A")).toEqual(["192.0.2.1"]);
    },
  );

  test("a VIP stays whoever serves", () => {
    const { data, registry } = served({ services: { web: { tasks } } });
    const [vip] = data("web A");
    for (const { id } of tasks)
      registry.report([{ service: "file:web", task: parsePrefix(id), verdict: "failing" }]);
    expect(data("web A")).toEqual([vip]);
    expect(data("tasks.web A")).toEqual([]);
  });

  test("a task that passes again is back", () => {
    const { data, registry } = served({ services: { web: { endpoint_mode: "dnsrr", tasks } } });
    registry.report([{ service: "file:web", task: parsePrefix("a"), verdict: "failing" }]);
    expect(data("web A")).not.toContain("192.0.2.1");
    registry.report([{ service: "file:web", task: parsePrefix("a"), verdict: "passing" }]);
    expect(data("web A")).toContain("192.0.2.1");
  });
});

test("names are matched whatever their case, and repeated as they were asked", () => {
  expect(ask("wEb.RoTa.InTeRnAl A")).toEqual(["NOERROR aa", `wEb.RoTa.InTeRnAl. 5 A ${VIP}`]);
});

test("an address that several tasks share is answered once", () => {
  const { data } = served({
    services: {
      web: { endpoint_mode: "dnsrr", ports: [80], tasks: ["192.0.2.1:1", "192.0.2.1:2", "192.0.2.2:1"] },
    },
  });
  expect(data("web A")).toEqual(["192.0.2.1", "192.0.2.2"]);
  expect(data("_80._tcp.web SRV")).toHaveLength(3);
});

test("SRV targets lead to the service's own tasks, also where another service holds its name", () => {
  const web = (address: string, aliases: string[] = []): Roster["services"] =>
    roster({
      services: {
        web: { endpoint_mode: "dnsrr", aliases, ports: [80], tasks: [{ id: "a", address }, `${address}9`] },
      },
    }).services;
  const { source, ask } = served({ services: {} });
  source.publish({ ...EMPTY_ROSTER, services: [...web("192.0.2.1"), ...web("192.0.2.2", ["other"])] });
  expect(ask("_80._tcp.other SRV")).toEqual([
    "NOERROR aa",
    "_80._tcp.other. 5 SRV 0 1 80 192-0-2-29.web.rota.internal.",
    "additional: 192-0-2-29.web.rota.internal. 5 A 192.0.2.29",
  ]);
});

describe("a target or pointer is a name that really means what it is told of", () => {
  test("tasks whose ids look like slots, like `tasks`, or like an alias", () => {
    const tasks = [
      { id: "2", slot: 1, address: "192.0.2.1" },
      { id: "x", slot: 2, address: "192.0.2.2" },
      { id: "tasks", slot: 3, address: "192.0.2.3" },
      { id: "green", slot: 4, address: "192.0.2.4" },
    ];
    const { ask, data } = served({
      services: { pool: { endpoint_mode: "dnsrr", aliases: ["green.pool"], ports: [80], tasks } },
    });
    const [, ...lines] = ask("_80._tcp.pool SRV", { transport: "tcp" });
    const targets = lines
      .filter((line) => line.includes(" SRV "))
      .map((line) => line.split(" ").at(-1) ?? "");
    expect(targets).toEqual(["1.pool", "x.pool", "3.pool", "4.pool"].map((name) => `${name}.rota.internal.`));
    for (const [at, target] of targets.entries()) expect(data(`${target} A`)).toEqual([tasks[at]?.address]);
    expect(data("1.2.0.192.in-addr.arpa PTR")).toEqual(["1.pool.rota.internal."]);
  });

  test("a service whose own name another holds", () => {
    const { ask, data, registry } = served({
      services: {
        first: { aliases: ["second"] },
        second: { aliases: ["deux"], ports: [80] },
        third: { endpoint_mode: "dnsrr", aliases: ["fourth"] },
        fourth: { ports: [80] },
      },
    });
    const [, line = ""] = ask("_80._tcp.deux SRV");
    expect(line).toContain(" 0 0 80 deux.rota.internal.");
    const vips = [...registry.services()].map(({ vips }) => vips[0]?.address);
    const reverse = vips.map((vip) => (vip === undefined ? [] : data(`${formatName(reverseName(vip))} PTR`)));
    expect(reverse).toEqual([["first.rota.internal."], ["deux.rota.internal."], [], []]);
  });
});

test("a namespace called like the zone's name server leaves it be", () => {
  const { data } = served({
    services: { web: { namespace: "ns", endpoint_mode: "dnsrr", tasks: ["192.0.2.1"] } },
  });
  expect(data("ns.rota.internal A")).toEqual(["127.0.0.1"]);
  expect(data("web.ns A")).toEqual(["192.0.2.1"]);
});

test("a zone called like a namespace does not hide its short names", () => {
  const { ask } = served({
    zone: "shop",
    services: { web: { namespace: "shop", endpoint_mode: "dnsrr", tasks: ["192.0.2.1"] } },
  });
  expect(ask("web.shop A")).toEqual(["NOERROR aa", "web.shop. 5 A 192.0.2.1"]);
  expect(ask("web.shop.shop A")).toEqual(["NOERROR aa", "web.shop.shop. 5 A 192.0.2.1"]);
});

test("the reverse zone of a subnet that ends within a label is that of the whole labels in it", () => {
  const subnets = ["10.16.0.0/12", "fd00:10::/30"];
  const { ask } = served({ networks: { default: { subnets, vips: "127.64.0.0/16" } }, services: {} });
  expect(ask("1.2.20.10.in-addr.arpa PTR")).toEqual([
    "NXDOMAIN aa",
    expect.stringContaining("authority: 20.10.in-addr.arpa. "),
  ]);
  expect(ask("10.in-addr.arpa PTR")).toEqual(["REFUSED"]);
  expect(ask("5.0.1.0.0.0.0.d.f.ip6.arpa PTR")[1]).toContain("authority: 0.1.0.0.0.0.d.f.ip6.arpa. ");
});

test("a VIP is answered only in families that the tasks have", () => {
  const pools = { subnets: [], vips: ["10.9.0.0/24", "fd00:9::/64"] };
  const { ask } = served({
    networks: { default: pools },
    services: { web: { tasks: ["192.0.2.1"] }, idle: {} },
  });
  expect(ask("web AAAA")[0]).toBe("NOERROR aa");
  expect(ask("web AAAA")[1]).toContain("authority: . 5 SOA");
  expect(ask("idle AAAA")[1]).toContain("idle. 5 AAAA fd00:9::");
});

test("the zone is what the options say before what a file says", () => {
  const { ask } = served(
    { zone: "shop.internal", services: { web: { endpoint_mode: "dnsrr", tasks: ["192.0.2.1"] } } },
    { zone: parseName("corp.internal") },
  );
  expect(ask("web.corp.internal A")[1]).toBe("web.corp.internal. 5 A 192.0.2.1");
  expect(ask("web.shop.internal A")).toEqual(["REFUSED"]);
});
