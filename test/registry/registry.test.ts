import { describe, expect, test } from "vitest";
import { formatAddress, parseAddress, parseSubnet } from "../../src/model/address.ts";
import { EMPTY_ROSTER } from "../../src/model/declaration.ts";
import type { ServiceDeclaration } from "../../src/schema/input.ts";
import { formatPrefix, parseName, parsePrefix } from "../../src/model/name.ts";
import { type Change, createRegistry, type Registry, type Source } from "../../src/registry/registry.ts";
import { namesOf } from "../../src/registry/names.ts";
import { deriveService, NOTHING_KNOWN, type Verdict } from "../../src/registry/service.ts";
import { createVipLeases, forgetfulStore, type Lease } from "../../src/registry/vips.ts";
import { roster, stillClock } from "../dns/served.ts";

interface Watched {
  readonly registry: Registry;
  readonly source: Source;
  /** What the last change touched, a line a service: `+web`, `-web`, `~web`. */
  touched(): string[];
}

function watched(): Watched {
  const registry = createRegistry({ clock: stillClock(), store: forgetfulStore });
  let last: Change | undefined;
  registry.follow((change) => {
    last = change;
  }, new AbortController().signal);
  return {
    registry,
    source: registry.open("file"),
    touched() {
      const lines = [...(last?.touched ?? [])].map(([id, { before, after }]) => {
        const sign = before === undefined ? "+" : after === undefined ? "-" : before === after ? "=" : "~";
        return sign + id.replace("file:", "");
      });
      last = undefined;
      return lines.toSorted();
    },
  };
}

const dnsrr = (...tasks: string[]): ServiceDeclaration => ({ endpoint_mode: "dnsrr", tasks });

describe("a change names exactly the services that it touched", () => {
  test("from publish to publish", () => {
    const { source, touched, registry } = watched();
    const first = roster({
      services: { web: dnsrr("192.0.2.1"), api: dnsrr("192.0.2.2"), db: dnsrr("192.0.2.3") },
    });
    source.publish(first);
    expect(touched()).toEqual(["+api", "+db", "+web"]);
    const before = registry.serial;

    source.publish(first);
    expect(touched(), "nothing changed").toEqual([]);
    expect(registry.serial).toBe(before);

    const [web, api] = first.services;
    const changed = roster({ services: { api: dnsrr("192.0.2.9") } }).services[0];
    if (!web || !api || !changed) throw new Error("no services");
    source.publish({ ...first, services: [web, changed] });
    expect(touched()).toEqual(["-db", "~api"]);
    expect(registry.serial).toBe(before + 1);
  });

  test("declare, report and withdraw", () => {
    const { source, touched, registry } = watched();
    source.publish(roster({ services: { web: dnsrr("192.0.2.1") } }));
    touched();
    const [api] = roster({ services: { api: dnsrr("192.0.2.2") } }).services;
    if (!api) throw new Error("no service");
    source.declare(api);
    expect(touched()).toEqual(["+api"]);
    registry.report([{ service: "file:api", task: parsePrefix("192-0-2-2"), verdict: "failing" }]);
    expect(touched()).toEqual(["~api"]);
    registry.report([{ service: "file:api", task: parsePrefix("192-0-2-2"), verdict: "failing" }]);
    expect(touched(), "the same verdict again").toEqual([]);
    registry.report([
      { service: "file:api", task: parsePrefix("nobody"), verdict: "failing" },
      { service: "file:nobody", task: parsePrefix("a"), verdict: "failing" },
    ]);
    expect(touched(), "nobody that is there").toEqual([]);
    expect(source.withdraw(parsePrefix("api"))).toBe(true);
    expect(touched()).toEqual(["-api"]);
    expect(source.withdraw(parsePrefix("api"))).toBe(false);
    expect([...registry.services()].map(({ id }) => id)).toEqual(["file:web"]);
  });

  test("a service that gains a name which another lets go of is touched", () => {
    const { source, touched } = watched();
    const file = roster({
      services: {
        web: { ...dnsrr("192.0.2.1"), aliases: ["www"] },
        api: { ...dnsrr("192.0.2.2"), aliases: ["www"] },
      },
    });
    source.publish(file);
    touched();
    source.withdraw(parsePrefix("web"));
    expect(touched()).toEqual(["-web", "=api"]);
  });

  test("a conflict elsewhere is not touched by it", () => {
    const { source, touched } = watched();
    const file = roster({
      services: { one: { aliases: ["both"] }, two: { aliases: ["both"] }, web: dnsrr("192.0.2.1") },
    });
    source.publish(file);
    touched();
    source.publish({
      ...file,
      services: [...file.services.slice(0, 2), ...roster({ services: { web: dnsrr("192.0.2.2") } }).services],
    });
    expect(touched()).toEqual(["~web"]);
  });

  test("the serial passes 2^32 as RFC 1982 says", () => {
    const clock = stillClock(0xffff_ffff * 1000);
    const registry = createRegistry({ clock, store: forgetfulStore });
    expect(registry.serial).toBe(0xffff_ffff);
    registry.open("file").publish(roster({ services: { web: dnsrr("192.0.2.1") } }));
    expect(registry.serial).toBe(0);
  });

  test("a verdict stays with a task that stays where it is, and no other", () => {
    const { registry, source } = watched();
    const publish = (address: string): void =>
      source.publish(
        roster({ services: { web: { endpoint_mode: "dnsrr", ttl: 7, tasks: [{ id: "a", address }] } } }),
      );
    publish("192.0.2.1");
    registry.report([{ service: "file:web", task: parsePrefix("a"), verdict: "failing" }]);
    publish("192.0.2.1");
    expect([...registry.services()][0]?.serving).toEqual([]);
    publish("192.0.2.2");
    expect([...registry.services()][0]?.serving).toHaveLength(1);
  });
});

describe("two services that claim one name", () => {
  const { registry, source } = watched();
  const library = registry.open("library");
  const holder = (name: string): string => {
    const found = registry.find(parsePrefix(name));
    return found === undefined || found === "below" ? String(found) : found.service.declaration.origin;
  };
  const web = roster({ services: { web: { ...dnsrr("192.0.2.1"), aliases: ["www"] } } }, "a.yaml");
  const others = roster(
    { services: { api: { ...dnsrr("192.0.2.2"), aliases: ["www", "only-api"] }, web: dnsrr("192.0.2.3") } },
    "b.yaml",
  );

  test("the first declared keeps it, and the other's own names answer", () => {
    source.publish({ ...web, services: [...web.services, ...others.services] });
    expect(holder("www")).toContain("a.yaml");
    expect(holder("web")).toContain("a.yaml");
    expect(holder("only-api")).toContain("b.yaml");
    expect(holder("192-0-2-3.web")).toContain("b.yaml");
    expect(
      registry
        .conflicts()
        .map(({ name }) => formatPrefix(name))
        .toSorted(),
    ).toEqual(["tasks.web", "tasks.www", "web", "www"]);
  });

  test("first is who stands first now", () => {
    source.publish({ ...web, services: [...others.services, ...web.services] });
    expect(holder("www")).toContain("b.yaml");
    expect(holder("web")).toContain("b.yaml");
  });

  test("first is who stands first, also where nothing else changed", () => {
    const services = roster({
      services: {
        one: { ...dnsrr("192.0.2.1"), aliases: ["x"] },
        two: { ...dnsrr("192.0.2.1"), aliases: ["x"] },
      },
    }).services;
    for (const first of ["one", "two", "one"]) {
      source.publish({
        ...web,
        services: services.toSorted((service) => (formatPrefix(service.name) === first ? -1 : 1)),
      });
      expect(holder("x")).toContain(first);
      const found = registry.findAddress(parseAddress("192.0.2.1"));
      expect(found && formatPrefix(found.service.declaration.name)).toBe(first);
    }
  });

  test("one declared later by an earlier source comes first", () => {
    library.publish(others);
    source.publish(roster({ services: {} }));
    expect(holder("www")).toContain("b.yaml");
    const [first] = web.services;
    if (first) source.declare(first);
    expect(holder("www")).toContain("a.yaml");
    library.publish(roster({ services: {} }));
  });

  test("a source opened later comes later", () => {
    source.publish(web);
    library.publish(others);
    expect(holder("www")).toContain("a.yaml");
    source.publish(roster({ services: {} }));
    expect(holder("www")).toContain("b.yaml");
    expect(registry.conflicts()).toEqual([]);
  });

  test("nothing is left when all are gone", () => {
    library.publish(roster({ services: {} }));
    for (const name of ["www", "web", "tasks.web", "only-api", "192-0-2-3.web"])
      expect(holder(name)).toBe("undefined");
  });
});

test("what is above a name exists as long as the name does", () => {
  const { registry, source } = watched();
  source.publish(roster({ services: { web: { ...dnsrr("192.0.2.1"), namespace: "a.b", ports: [80] } } }));
  for (const name of ["b", "a.b", "_tcp.web.a.b"])
    expect(registry.find(parsePrefix(name)), name).toBe("below");
  source.withdraw(parsePrefix("web.a.b"));
  for (const name of ["b", "a.b", "_tcp.web.a.b"])
    expect(registry.find(parsePrefix(name)), name).toBeUndefined();
});

describe("VIPs", () => {
  const vipsOf = (registry: Registry): string[] =>
    [...registry.services()].flatMap(({ vips }) => vips.map(({ address }) => formatAddress(address)));
  const pool = (vips: string) => ({ default: { vips } });

  test("stay the service's through scaling, an empty roster, a mode change and back", () => {
    const { registry, source } = watched();
    const web: ServiceDeclaration[] = [
      { tasks: ["192.0.2.1"] },
      { tasks: ["192.0.2.1", "192.0.2.2"] },
      { tasks: [] },
      { endpoint_mode: "dnsrr" },
      { tasks: ["192.0.2.7"] },
    ];
    const given = web.map((service) => {
      source.publish(roster({ services: { web: service } }));
      return vipsOf(registry);
    });
    expect(given[0]).toHaveLength(1);
    expect(given).toEqual([given[0], given[0], given[0], [], given[0]]);
  });

  test("do not depend on what was declared before", () => {
    const alone = watched();
    alone.source.publish(roster({ services: { web: {} } }));
    const crowd = watched();
    crowd.source.publish(roster({ services: { api: {}, db: {}, web: {} } }));
    expect(vipsOf(crowd.registry)).toContain(vipsOf(alone.registry)[0]);
  });

  test("a pool that is too small is an error that names the service, and the others have theirs", () => {
    const { registry, source } = watched();
    source.publish(roster({ networks: pool("10.0.0.0/30"), services: { a: {}, b: {}, c: {} } }));
    expect(new Set(vipsOf(registry))).toEqual(new Set(["10.0.0.1", "10.0.0.2"]));
    expect([...registry.services()].map(({ vipProblem }) => vipProblem)).toEqual([
      undefined,
      undefined,
      "service c has no VIP on network default: no VIP is left in 10.0.0.0/30: all 2 are given, used by tasks or were freed within the hour; widen vips",
    ]);
    source.publish(roster({ networks: pool("10.0.0.0/29"), services: { a: {}, b: {}, c: {} } }));
    expect(new Set(vipsOf(registry)).size).toBe(3);
  });

  test("an address that a task uses is never given, whichever comes first", () => {
    const { registry, source } = watched();
    const networks = pool("10.0.0.0/30");
    source.publish(roster({ networks, services: { web: {}, api: dnsrr("10.0.0.1") } }));
    expect(vipsOf(registry)).toEqual(["10.0.0.2"]);
    source.publish(roster({ networks, services: { web: {}, api: dnsrr("10.0.0.2") } }));
    expect(vipsOf(registry)).toEqual(["10.0.0.1"]);
  });

  test("an address that a task comes to use is taken from its service, which gets another", () => {
    const { registry, source } = watched();
    const library = registry.open("library");
    source.publish(roster({ networks: pool("10.0.0.0/30"), services: { web: {} } }));
    const [vip = ""] = vipsOf(registry);
    library.publish(roster({ services: { api: dnsrr(vip) } }));
    expect(vipsOf(registry)).toHaveLength(1);
    expect(vipsOf(registry)).not.toEqual([vip]);
  });

  test("a service that got none gets one as soon as there is one", () => {
    const { registry, source } = watched();
    const library = registry.open("library");
    library.publish(roster({ services: { api: dnsrr("10.0.0.1") } }));
    source.publish(roster({ networks: pool("10.0.0.1/32"), services: { web: {} } }));
    expect(vipsOf(registry)).toEqual([]);
    library.withdraw(parsePrefix("api"));
    expect(vipsOf(registry)).toEqual(["10.0.0.1"]);
  });

  test("one on a network that its service has left is freed", () => {
    const clock = stillClock();
    const registry = createRegistry({ clock, store: forgetfulStore });
    const source = registry.open("file");
    const networks = { a: { vips: "10.0.0.1/32" }, b: { vips: "10.0.0.2/32" } };
    const publish = (web: string, api: string): string[] => {
      source.publish(roster({ networks, services: { web: { networks: [web] }, api: { networks: [api] } } }));
      return vipsOf(registry);
    };
    expect(publish("a", "b")).toEqual(["10.0.0.1", "10.0.0.2"]);
    expect(publish("b", "a")).toEqual([]);
    clock.turn(3_600_000);
    expect(publish("b", "a")).toEqual(["10.0.0.2", "10.0.0.1"]);
  });

  test("that a dnsrr service holds for later lead nowhere now", () => {
    const { registry, source } = watched();
    source.publish(roster({ networks: pool("10.0.0.1/32"), services: { web: {} } }));
    expect(registry.findAddress(parseAddress("10.0.0.1"))).toBeDefined();
    source.publish(roster({ networks: pool("10.0.0.1/32"), services: { web: dnsrr("192.0.2.1") } }));
    expect(registry.findAddress(parseAddress("10.0.0.1"))).toBeUndefined();
  });

  test("stay with a declaration that did not change, whatever of its name is declared before it", () => {
    const { registry, source } = watched();
    const b = roster({ services: { web: { aliases: ["b"] } } }, "b.yaml").services;
    const a = roster({ services: { web: { aliases: ["a"] } } }, "a.yaml").services;
    const vipOf = (alias: string): unknown => {
      const found = registry.find(parsePrefix(alias));
      return found === undefined || found === "below" ? found : found.service.vips;
    };
    source.publish({ ...EMPTY_ROSTER, services: b });
    const given = vipOf("b");
    source.publish({ ...EMPTY_ROSTER, services: [...a, ...b] });
    expect(vipOf("b")).toEqual(given);
    expect(vipOf("a")).not.toEqual(given);
    source.publish({ ...EMPTY_ROSTER, services: b });
    expect(vipOf("b")).toEqual(given);
  });

  test("come from what is left where a task moves away, and when an hour has passed", () => {
    const clock = stillClock();
    const registry = createRegistry({ clock, store: forgetfulStore });
    const [source, library] = [registry.open("file"), registry.open("library")];
    const declare = (name: string, service: ServiceDeclaration): void => {
      for (const declaration of roster({ services: { [name]: service } }).services)
        library.declare(declaration);
    };
    declare("task", dnsrr("10.0.0.1"));
    source.publish(roster({ networks: pool("10.0.0.1/32"), services: { web: {} } }));
    declare("task", dnsrr("192.0.2.1"));
    expect(vipsOf(registry)).toEqual(["10.0.0.1"]);
    source.publish(roster({ networks: pool("10.0.0.1/32"), services: { api: {} } }));
    expect(vipsOf(registry)).toEqual([]);
    clock.turn(3_600_000);
    declare("task", dnsrr("192.0.2.2"));
    expect(vipsOf(registry)).toEqual(["10.0.0.1"]);
  });

  test("do not move back when a pool is widened again", () => {
    const { registry, source } = watched();
    const given = ["10.7.0.0/16", "10.7.9.0/24", "10.7.0.0/16"].map((vips) => {
      source.publish(roster({ networks: pool(vips), services: { web: {} } }));
      return vipsOf(registry)[0];
    });
    expect(given[1]).toMatch(/^10\.7\.9\./);
    expect(given[2]).toBe(given[1]);
  });

  test("that cannot be had because their network is gone are a problem that is told", () => {
    const { registry, source } = watched();
    const library = registry.open("library");
    source.publish(roster({ networks: { n: { vips: "10.1.0.0/24" } } }));
    for (const declaration of roster({
      networks: { n: { vips: "10.1.0.0/24" } },
      services: { web: { networks: ["n"] } },
    }).services)
      library.declare(declaration);
    expect(vipsOf(registry)).toHaveLength(1);
    source.publish(roster({ services: {} }));
    expect([...registry.services()][0]?.vipProblem).toBe(
      "service web has no VIP on network n: no services file gives the network vips to take one from; give it some, or say endpoint_mode dnsrr",
    );
  });

  test("that were freed over an hour ago are forgotten, however large the pool", () => {
    const clock = stillClock();
    const forgotten: Lease[] = [];
    const leases = createVipLeases(
      clock,
      { ...forgetfulStore, forget: (lease) => forgotten.push(lease) },
      () => false,
    );
    const subnet = parseSubnet("fd00::/64");
    for (let at = 0; at < 100; at++) {
      leases.take(`s${at}`, "default", subnet);
      leases.free(`s${at}`);
    }
    expect(forgotten).toHaveLength(0);
    clock.turn(3_600_000);
    leases.free("another");
    expect(forgotten).toHaveLength(100);
  });

  test("a full pool is not searched anew for each of thousands of services", () => {
    let looks = 0;
    const isTaken = (): boolean => {
      looks += 1;
      return true;
    };
    const leases = createVipLeases(stillClock(), forgetfulStore, isTaken);
    const subnet = parseSubnet("10.0.0.0/24");
    for (let at = 0; at < 1000; at++)
      expect(() => leases.take(`s${at}`, "default", subnet)).toThrow("no VIP is left");
    expect(looks).toBe(254);
  });

  test("one freed is not given out again for an hour, but to its own service", () => {
    const clock = stillClock();
    const registry = createRegistry({ clock, store: forgetfulStore });
    const source = registry.open("file");
    const publish = (...names: string[]): string[] => {
      source.publish(
        roster({
          networks: pool("10.0.0.1/32"),
          services: Object.fromEntries(names.map((name) => [name, {}])),
        }),
      );
      return vipsOf(registry);
    };
    expect(publish("web")).toEqual(["10.0.0.1"]);
    expect(publish("api")).toEqual([]);
    expect(publish("web")).toEqual(["10.0.0.1"]);
    publish();
    clock.turn(3_599_999);
    expect(publish("api")).toEqual([]);
    publish();
    clock.turn(1001);
    expect(publish("api")).toEqual(["10.0.0.1"]);
  });

  test("what the store restores is kept, and it is told of every change", () => {
    const told: string[] = [];
    const clock = stillClock();
    const leases = createVipLeases(
      clock,
      {
        restored: [{ service: "web", network: "default", address: parseAddress("10.0.0.6") }],
        keep: ({ service, address }: Lease) => told.push(`keep ${service} ${formatAddress(address)}`),
        forget: ({ service, address }: Lease) => told.push(`forget ${service} ${formatAddress(address)}`),
      },
      () => false,
    );
    const subnet = parseSubnet("10.0.0.6/32");
    expect(formatAddress(leases.take("web", "default", subnet))).toBe("10.0.0.6");
    expect(told).toEqual([]);
    expect(() => leases.take("api", "default", subnet)).toThrow("no VIP is left");
    leases.free("web");
    clock.turn(3_600_000);
    leases.take("api", "default", subnet);
    expect(told).toEqual(["forget web 10.0.0.6", "keep api 10.0.0.6"]);
    expect(leases.holderOf(parseAddress("10.0.0.6"))).toBe("api");
  });

  test("fill a /24 to its last address, each given once", () => {
    const { registry, source } = watched();
    const names = Array.from({ length: 254 }, (_, at) => [`s${at}`, {}] as const);
    source.publish(roster({ networks: pool("10.0.0.0/24"), services: Object.fromEntries(names) }));
    expect(new Set(vipsOf(registry)).size).toBe(254);
    expect(vipsOf(registry)).not.toContain("10.0.0.255");
    expect(vipsOf(registry)).not.toContain("10.0.0.0");
  });
});

describe("networks", () => {
  test("of two that declare one name, the first source's counts", () => {
    const { registry, source } = watched();
    registry.open("library").publish(roster({ networks: { a: { vips: "10.2.0.0/24" } } }));
    source.publish(roster({ networks: { a: { vips: "10.1.0.0/24" } } }));
    expect(registry.networks.get("a")?.vips).toEqual([parseSubnet("10.1.0.0/24")]);
  });

  test("a network that changes is a change of the zone: its reverse names do", () => {
    const { registry, source } = watched();
    const before = registry.serial;
    source.publish(roster({ networks: { a: { subnets: ["10.0.0.0/24"] } } }));
    expect(registry.serial).toBe(before + 1);
  });

  test("the smallest subnet around an address is found, and none for what is not whole in it", () => {
    const { registry, source } = watched();
    source.publish(
      roster({
        networks: { a: { subnets: ["10.0.0.0/8", "10.0.0.0/24"] }, b: { subnets: ["172.16.0.0/24"] } },
      }),
    );
    expect(registry.findSubnet(parseAddress("10.0.0.9"), 32)).toEqual(parseSubnet("10.0.0.0/24"));
    expect(registry.findSubnet(parseAddress("10.0.1.9"), 32)).toEqual(parseSubnet("10.0.0.0/8"));
    expect(registry.findSubnet(parseAddress("172.16.0.0"), 16)).toBeUndefined();
  });
});

describe("the names of a service", () => {
  test("are claimed once each: its own before its tasks', a slot's before an id's", () => {
    const [web] = roster({
      services: {
        web: {
          aliases: ["tasks.web"],
          tasks: [
            { id: "2", address: "192.0.2.1" },
            { id: "b", slot: 2, address: "192.0.2.2" },
          ],
        },
      },
    }).services;
    const names = new Map(
      [...(web ? namesOf(web) : [])].map(([name, { meaning }]) => [formatPrefix(name), meaning]),
    );
    expect(names.get("tasks.web")?.kind).toBe("service");
    expect(names.get("2.web")).toMatchObject({ kind: "task", task: { slot: 2 } });
  });

  test("a task that is checked does not serve before it passes, one that is not does", () => {
    const [declaration] = roster({ services: { web: dnsrr("192.0.2.1", "192.0.2.2") } }).services;
    if (!declaration) throw new Error("no service");
    const [one, two] = declaration.tasks.map((task, at) => ({ ...task, isChecked: at === 0 }));
    const tasks = one && two ? [one, two] : [];
    const serving = (verdict?: Verdict) =>
      deriveService(
        "web",
        { ...declaration, tasks },
        { ...NOTHING_KNOWN, verdicts: new Map(verdict && one ? [[one.id, verdict]] : []) },
      ).serving;
    expect(serving()).toEqual([two]);
    expect(serving("starting")).toEqual([two]);
    expect(serving("passing")).toEqual([one, two]);
  });
});

test("of two sources that set the zone the first counts", () => {
  const registry = createRegistry({ clock: stillClock(), store: forgetfulStore });
  const [first, second] = [registry.open("one"), registry.open("two")];
  second.publish(roster({ zone: "two.internal", ttl: 9 }));
  expect(registry.settings).toEqual({ zone: parseName("two.internal"), ttl: 9, negativeTtl: 5 });
  first.publish(roster({ zone: "one.internal" }));
  expect(registry.settings).toEqual({ zone: parseName("one.internal"), ttl: 9, negativeTtl: 5 });
});

test(
  "thousands of one name, as containers whose names differ in case, are told apart",
  { timeout: 10_000 },
  () => {
    const { source, registry } = watched();
    const [service] = roster({ services: { web: dnsrr("192.0.2.1") } }).services;
    if (!service) throw new Error("no service");
    const services = Array.from({ length: 16_384 }, () => ({ ...service }));
    source.publish({ ...EMPTY_ROSTER, services });
    expect([...registry.services()]).toHaveLength(16_384);
  },
);
