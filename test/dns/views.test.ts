import { describe, expect, test } from "vitest";
import { formatAddress, parseAddress, parseSubnet } from "../../src/model/address.ts";
import { type Declaration, EMPTY_ROSTER } from "../../src/model/declaration.ts";
import { EMPTY_PREFIX, parsePrefix } from "../../src/model/name.ts";
import { roster, served } from "./served.ts";

const NETWORKS = {
  front: { subnets: ["10.0.1.0/24", "fd00:1::/64"], vips: "10.0.1.128/25" },
  back: { subnets: ["10.0.2.0/24"], vips: "10.0.2.128/25" },
  // The same hosts, by another name.
  ops: { subnets: ["10.0.1.0/25"] },
} as const;

/** Who asks. */
const FRONT = "10.0.1.200";
const BACK = "10.0.2.200";
const BOTH = "10.0.1.20"; // a task that is on back as well
const FRONT_AND_OPS = "10.0.1.99";
const NOWHERE = "192.0.2.7";

const { shown, registry } = served({
  networks: NETWORKS,
  services: {
    web: {
      networks: ["front", "back"],
      endpoint_mode: "dnsrr",
      ports: [{ name: "http", target: 80 }],
      tasks: [
        { id: "a", slot: 1, address: { front: ["10.0.1.11", "fd00:1::11"], back: "10.0.2.11" } },
        { id: "b", slot: 2, address: { front: "10.0.1.12" } },
      ],
    },
    db: { networks: ["back"], endpoint_mode: "dnsrr", tasks: [{ id: "main", address: "10.0.2.30" }] },
    api: { networks: ["back", "front"], tasks: [{ address: { front: "10.0.1.40", back: "10.0.2.40" } }] },
    job: {
      namespace: "shop",
      networks: ["front", "back"],
      endpoint_mode: "dnsrr",
      tasks: [{ id: "j", address: { front: BOTH, back: "10.0.2.20" } }],
    },
    cart: { namespace: "shop", networks: ["back"], endpoint_mode: "dnsrr", tasks: ["10.0.2.50"] },
    meter: { networks: ["ops"], endpoint_mode: "dnsrr", tasks: ["10.0.1.60"] },
  },
});

describe("a client sees the services of its networks, at their addresses there", () => {
  test.each<[string, string, ...string[]]>([
    // who asks, what, and what it is told
    [FRONT, "web", "10.0.1.11", "10.0.1.12"],
    [FRONT, "web AAAA", "fd00:1::11"],
    [FRONT, "web.rota.internal", "10.0.1.11", "10.0.1.12"],
    [BACK, "web", "10.0.2.11"],
    [BACK, "web AAAA", "nodata"],
    [BACK, "tasks.web", "10.0.2.11"],
    [BACK, "a.web", "10.0.2.11"],
    [BACK, "1.web", "10.0.2.11"],
    [FRONT, "main", "nxdomain"],
    [FRONT, "db", "nxdomain"],
    [FRONT, "db.rota.internal", "nxdomain"],
    [FRONT, "main.db.rota.internal", "nxdomain"],
    [BACK, "db", "10.0.2.30"],
    [FRONT, "api", "VIP of front"],
    [BACK, "api", "VIP of back"],
    [FRONT, "_http._tcp.web SRV", "a.web.rota.internal.", "b.web.rota.internal."],
    [BACK, "_http._tcp.web SRV", "a.web.rota.internal."],
    // Of web's tasks b is on front alone: back knows nothing of it.
    [BACK, "b.web", "elsewhere"],
    [BACK, "b.web.rota.internal", "nxdomain"],
    [BACK, "2.web.rota.internal", "nxdomain"],
  ])("%s asks for %s", (from, question, ...expected) => {
    expect(shown(question, from).toSorted()).toEqual(expected.map(vipOf).toSorted());
  });

  test.each<[string, string, ...string[]]>([
    [BOTH, "web", "10.0.1.11", "10.0.1.12"],
    [BOTH, "db", "10.0.2.30"],
    [BOTH, "api", "VIP of front"],
    [FRONT_AND_OPS, "meter", "10.0.1.60"],
    [FRONT_AND_OPS, "web", "10.0.1.11", "10.0.1.12"],
    [FRONT, "meter", "nxdomain"],
  ])("%s, on two, asks for %s", (from, question, ...expected) => {
    expect(shown(question, from).toSorted()).toEqual(expected.map(vipOf).toSorted());
  });

  test("a client on none sees everything, everywhere it is", () => {
    expect(shown("web", NOWHERE).toSorted()).toEqual(["10.0.1.11", "10.0.1.12", "10.0.2.11"]);
    expect(shown("db", NOWHERE)).toEqual(["10.0.2.30"]);
    expect(shown("api", NOWHERE).toSorted()).toEqual(
      [vipOf("VIP of back"), vipOf("VIP of front")].toSorted(),
    );
  });

  test("what a name stands above counts only where it is seen", () => {
    expect(shown("shop", BACK), "cart.shop and job.shop are there").toEqual(["nodata"]);
    expect(shown("shop.rota.internal", FRONT), "job.shop is").toEqual(["nodata"]);
    expect(shown("db.rota.internal", FRONT), "main.db is not").toEqual(["nxdomain"]);
    expect(shown("shop", FRONT_AND_OPS)).toEqual(["nodata"]);
  });

  test.each<[string, string, ...string[]]>([
    [FRONT, "11.1.0.10.in-addr.arpa PTR", "a.web.rota.internal."],
    [BACK, "11.2.0.10.in-addr.arpa PTR", "a.web.rota.internal."],
    [FRONT, "30.2.0.10.in-addr.arpa PTR", "nxdomain"],
    [BACK, "30.2.0.10.in-addr.arpa PTR", "main.db.rota.internal."],
  ])("%s asks whose address it is: %s", (from, question, ...expected) => {
    expect(shown(question, from)).toEqual(expected);
  });

  test("a VIP of another network is nobody's", () => {
    const [vip] = shown("api", BACK);
    const name = `${vip?.split(".").toReversed().join(".")}.in-addr.arpa PTR`;
    expect(shown(name, BACK)).toEqual(["api.rota.internal."]);
    expect(shown(name, FRONT), "each address of the pool is a zone of its own").toEqual(["nodata"]);
  });
});

describe("namespaces", () => {
  test("a task asks for its own namespace's services by their short names, and in the zone", () => {
    expect(shown("cart", BOTH)).toEqual(["10.0.2.50"]);
    expect(shown("cart.rota.internal", BOTH)).toEqual(["10.0.2.50"]);
    expect(shown("tasks.cart", BOTH)).toEqual(["10.0.2.50"]);
    expect(shown("cart", BACK), "who is in none does not").toEqual(["nxdomain"]);
    expect(shown("cart.shop", BACK)).toEqual(["10.0.2.50"]);
  });

  test("its own comes before one of that name in none", () => {
    const { shown } = served({
      networks: NETWORKS,
      services: {
        web: { networks: ["front"], endpoint_mode: "dnsrr", tasks: ["10.0.1.1"] },
        "web-too": { networks: ["front"], namespace: "a", endpoint_mode: "dnsrr", tasks: ["10.0.1.2"] },
        other: {
          networks: ["front"],
          namespace: "b",
          aliases: ["web"],
          endpoint_mode: "dnsrr",
          tasks: ["10.0.1.3"],
        },
      },
    });
    expect(shown("web", "10.0.1.1")).toEqual(["10.0.1.1"]);
    expect(shown("web", "10.0.1.2"), "a has none of its own").toEqual(["10.0.1.1"]);
    expect(shown("web", "10.0.1.3")).toEqual(["10.0.1.3"]);
  });
});

describe("the name of a network behind a name", () => {
  test.each<[string, string, ...string[]]>([
    [BOTH, "web.front", "10.0.1.11", "10.0.1.12"],
    [BOTH, "web.back", "10.0.2.11"],
    [BOTH, "WEB.Back", "10.0.2.11"],
    [BOTH, "a.web.back", "10.0.2.11"],
    [BOTH, "web.back.rota.internal", "10.0.2.11"],
    [BOTH, "cart.back", "10.0.2.50"],
    // What a SRV record leads to is on that network as well.
    [BOTH, "_http._tcp.web.back SRV", "a.web.back.rota.internal."],
    [BOTH, "_http._tcp.web.front SRV", "a.web.front.rota.internal.", "b.web.front.rota.internal."],
    [BACK, "_http._tcp.web.back SRV", "a.web.back.rota.internal."],
    [FRONT, "web.back", "elsewhere"],
    [FRONT, "web.back.rota.internal", "nxdomain"],
    [BOTH, "nosuch.back", "elsewhere"],
    [BOTH, "db.front", "elsewhere"],
    [NOWHERE, "web.back", "10.0.2.11"],
    [BOTH, "back", "nodata"],
    [FRONT, "back", "nxdomain"],
  ])("shows what is there alone: %s asks for %s", (from, question, ...expected) => {
    expect(shown(question, from).toSorted()).toEqual(expected.toSorted());
  });
});

describe("what an engine knows", () => {
  const { source, registry, shown } = served({ networks: NETWORKS });
  const [web, other] = roster({
    networks: NETWORKS,
    services: {
      web: {
        networks: ["front", "back"],
        endpoint_mode: "dnsrr",
        ports: [80],
        tasks: [{ id: "a", slot: 1, address: { front: "10.0.1.11", back: "10.0.2.11" } }],
      },
      other: { networks: ["back"], namespace: "shop", tasks: [{ id: "x", address: "10.0.2.30" }] },
    },
  }).services;
  if (!web || !other) throw new Error("no services");
  const [task] = web.tasks;
  if (!task) throw new Error("no task");
  const alias = (name: string, network: string) => ({ name: parsePrefix(name), network });
  const services: readonly Declaration[] = [
    {
      ...web,
      networkAliases: [alias("www", "front"), alias("both", "front"), alias("both", "back")],
      tasks: [{ ...task, networkAliases: [alias("c0ffee", "front"), alias("web.1.abc", "back")] }],
    },
    {
      ...other,
      vips: [{ network: "back", address: parseAddress("10.0.2.99") }],
      networkAliases: [alias("www", "back")],
    },
  ];
  const gateway = parseAddress("172.18.0.5");
  source.publish({
    ...EMPTY_ROSTER,
    networks: [...registry.networks.values()],
    services,
    clients: [{ address: gateway, networks: ["back"], namespace: parsePrefix("shop") }],
  });

  test.each<[string, string, ...string[]]>([
    [FRONT, "www", "10.0.1.11"],
    [BACK, "www", "10.0.2.99"],
    [NOWHERE, "www", "10.0.1.11", "10.0.2.11"],
    [FRONT, "tasks.www", "10.0.1.11"],
    [FRONT, "1.www", "10.0.1.11"],
    [FRONT, "a.www", "10.0.1.11"],
    [FRONT, "_80._tcp.www SRV", "a.web.rota.internal."],
    [BACK, "both", "10.0.2.11"],
    [FRONT, "both", "10.0.1.11"],
    [FRONT, "c0ffee", "10.0.1.11"],
    [BACK, "c0ffee", "nxdomain"],
    [BACK, "web.1.abc", "10.0.2.11"],
    [FRONT, "web.1.abc", "elsewhere"],
    [FRONT, "1.abc", "elsewhere"],
    // Somebody whom only the engine knows by this address.
    ["172.18.0.5", "other", "10.0.2.99"],
    ["172.18.0.5", "web", "10.0.2.11"],
    ["172.18.0.6", "other", "nxdomain"],
    [BACK, "99.2.0.10.in-addr.arpa PTR", "other.shop.rota.internal."],
  ])("network aliases, given VIPs and clients: %s asks for %s", (from, question, ...expected) => {
    expect(shown(question, from).toSorted()).toEqual(expected.toSorted());
  });

  test("two that claim a name on different networks are at odds with nobody", () => {
    expect(registry.conflicts()).toEqual([]);
    source.publish({
      ...EMPTY_ROSTER,
      networks: [...registry.networks.values()],
      services: [
        ...services.slice(0, 1),
        { ...other, networkAliases: [alias("www", "back"), alias("www", "front")] },
      ],
    });
    const told = registry.conflicts().filter(({ name }) => name === parsePrefix("www"));
    expect(told).toMatchObject([{ holder: { id: "file:web" }, others: [{ id: "file:other.shop" }] }]);
    expect(shown("www", FRONT)).toEqual(["10.0.1.11"]);
    expect(shown("www", BACK), "on back nobody else claims it").not.toEqual(["10.0.2.11"]);
  });

  test("who is known as a client no longer is on no network, and the serial says that something changed", () => {
    const before = registry.serial;
    source.publish({ ...EMPTY_ROSTER, networks: [...registry.networks.values()], services });
    expect(registry.viewOf(gateway, 32).networks).toBeUndefined();
    const without = registry.serial;
    expect(without).not.toBe(before);
    const clients = [{ address: gateway, networks: ["back"], namespace: EMPTY_PREFIX }];
    source.publish({ ...EMPTY_ROSTER, networks: [...registry.networks.values()], services, clients });
    expect(registry.serial).not.toBe(without);
  });
});

test("a network inside a subnet that is given as a prefix alone", () => {
  expect([...(registry.viewOf(parseAddress("10.0.1.0"), 24).networks ?? [])]).toEqual(["front"]);
  expect([...(registry.viewOf(parseAddress("10.0.1.0"), 25).networks ?? [])]).toEqual(["front", "ops"]);
  expect(registry.viewOf(parseAddress("10.0.0.0"), 16).networks, "who it is that asks is not known").toEqual(
    new Set(),
  );
  expect(registry.viewOf(parseAddress("10.1.0.0"), 16).networks, "it is on none").toBeUndefined();
  expect(parseSubnet("10.0.1.0/24").length).toBe(24);
});

test("loopback is the machine, not the task that listens there", () => {
  const { shown } = served({
    networks: { one: { vips: "127.65.0.0/24" }, two: { vips: "127.66.0.0/24" } },
    services: {
      here: { networks: ["one"], endpoint_mode: "dnsrr", tasks: ["127.0.0.1"] },
      there: { networks: ["two"], endpoint_mode: "dnsrr", tasks: ["192.0.2.1"] },
    },
  });
  expect(shown("there", "127.0.0.1")).toEqual(["192.0.2.1"]);
});

test("before a source has told what it declares, nothing is said not to exist", () => {
  const { registry, source, shown } = served({ services: {} });
  const engine = registry.open("engine", { isAwaited: true });
  expect(shown("web.rota.internal")).toEqual(["servfail"]);
  expect(shown("web")).toEqual(["servfail"]);
  source.publish(EMPTY_ROSTER);
  expect(shown("web"), "another source").toEqual(["servfail"]);
  engine.publish(EMPTY_ROSTER);
  expect(shown("web")).toEqual(["nxdomain"]);
});

test("each view has a turn of its own", () => {
  const ask = (from: string): string | undefined => shown("web", from)[0];
  const first = [ask(FRONT), ask(FRONT), ask(FRONT), ask(FRONT)];
  expect(first.filter((address) => address === "10.0.1.11")).toHaveLength(2);
  const between = [FRONT, NOWHERE, FRONT, NOWHERE, FRONT, NOWHERE, FRONT].map(
    (from) => [from, ask(from)] as const,
  );
  const ofFront = between.filter(([from]) => from === FRONT).map(([, address]) => address);
  expect(
    ofFront.filter((address) => address === "10.0.1.11"),
    "others' questions do not skew it",
  ).toHaveLength(2);
});

/** The address that `VIP of front` stands for. */
function vipOf(text: string): string {
  const [, network] = /^VIP of (\w+)$/.exec(text) ?? [];
  if (network === undefined) return text;
  const service = [...registry.services()].find(({ id }) => id === "file:api");
  const vip = service?.vips.find((one) => one.network === network);
  return vip ? formatAddress(vip.address) : "none";
}
