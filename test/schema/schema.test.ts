import { describe, expect, expectTypeOf, test } from "vitest";
import { formatAddress } from "../../src/model/address.ts";
import type { Declaration, Network, TaskDeclaration } from "../../src/model/declaration.ts";
import type { ServiceDeclaration, ServicesFile } from "../../src/schema/input.ts";
import { formatName, formatPrefix } from "../../src/model/name.ts";
import { formatProblem } from "../../src/schema/problem.ts";
import {
  parseNetworks,
  parseService,
  parseServicesFile,
  servicesJsonSchema,
} from "../../src/schema/schema.ts";

/** What is wrong with a file, as people read it. */
function problemsOf(value: unknown): string[] {
  const parsed = parseServicesFile(value, () => "");
  return parsed.ok ? [] : parsed.problems.map(formatProblem);
}

/** What is wrong with a service named web, without where it stands. */
function wrongWith(service: unknown): string[] {
  return problemsOf({ services: { web: service } }).map((problem) =>
    problem.replace(/^services\.web[.:]? ?/, ""),
  );
}

function declare(
  service: ServiceDeclaration,
  networks: ReadonlyMap<string, Network> = new Map(),
): Declaration {
  return parseService("web", service, { networks, origin: "test" });
}

function taskOf(
  task: NonNullable<ServiceDeclaration["tasks"]>[number],
  more: ServiceDeclaration = {},
): TaskDeclaration {
  const [declared] = declare({ ports: [8080], ...more, tasks: [task] }).tasks;
  if (declared === undefined) throw new Error("no task was declared");
  return declared;
}

describe("a services file", () => {
  test("comes out with its words folded and its units counted", () => {
    const file: ServicesFile = {
      zone: "Rota.Internal",
      ttl: "1m30s",
      negative_ttl: 7,
      namespace: "Shop",
      networks: { front: { subnets: ["10.0.1.0/24"], vips: "10.0.1.128/25" } },
      services: { WEB: { networks: ["front"], aliases: ["www", "WWW", "web"] } },
      "x-anchors": { anything: true },
    };
    const parsed = parseServicesFile(file, (path) => `at ${path.join("/")}`);
    if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join("\n"));
    const { zone, ttl, negativeTtl, networks, services } = parsed.roster;
    expect(zone === undefined ? "none" : formatName(zone)).toBe("rota.internal.");
    expect([ttl, negativeTtl]).toEqual([90, 7]);
    expect(networks.map(({ name }) => name)).toEqual(["front"]);
    expect(
      services.map(({ name, namespace, aliases, origin }) => ({
        name: formatPrefix(name),
        namespace: formatPrefix(namespace),
        aliases: aliases.map(formatPrefix),
        origin,
      })),
    ).toEqual([{ name: "web", namespace: "shop", aliases: ["www"], origin: "at services/WEB" }]);
  });

  test.each<[unknown, string]>([
    [5, "must be a mapping, not 5"],
    [null, "must be a mapping, not empty: write {} for none"],
    [[], "must be a mapping, not a list"],
    [{ services: null }, "services: must be a mapping, not empty: write {} for none"],
    [{ services: { web: null } }, "services.web: must be a mapping, not empty: write {} for none"],
    [{ zone: "a..b" }, 'zone: "a..b" is not a name: it has an empty label'],
    [
      { zone: `${"a".repeat(40)}.${"b".repeat(40)}` },
      `zone: "${"a".repeat(40)}.${"b".repeat(40)}" is too long for a zone: it has 83 octets, 80 are allowed`,
    ],
    [{ servces: {} }, 'unknown key "servces": did you mean services?'],
    [
      { volumes: {} },
      'unknown key "volumes": write zone, ttl, negative_ttl, namespace, networks, nodes, services or $schema',
    ],
    [{ ttl: -1 }, "ttl: -1 does not do: write whole seconds, from 0 to 86400 (24h)"],
    [{ ttl: "25h" }, 'ttl: "25h" does not do: write whole seconds, from 0 to 86400 (24h)'],
    [{ ttl: "500ms" }, 'ttl: "500ms" does not do: write whole seconds, from 0 to 86400 (24h)'],
    [{ ttl: true }, "ttl: must be a duration, as 5s or 1m30s, not true"],
    [
      { services: { "we b": {} } },
      'services: "we b" is not a name: write letters and digits, "-" and "_" between them, 63 at most in each part',
    ],
    [{ services: { web: {}, WEB: {} } }, "services: is declared twice, as web too: names ignore case"],
    [
      { networks: { f: { subnets: ["10.0.1.5/24"] } } },
      'networks.f.subnets[0]: "10.0.1.5/24" is an address inside a subnet: write 10.0.1.0/24',
    ],
    [
      { networks: { f: { vips: ["10.0.0.0/25", "10.1.0.0/25"] } } },
      "networks.f.vips: has two subnets of one family: one of IPv4 and one of IPv6 at most",
    ],
    [
      { networks: { f: { vips: "224.0.0.0/24" } } },
      'networks.f.vips: "224.0.0.0/24" has addresses that no service can have',
    ],
    [{ networks: { f: { vip: "10.0.0.0/24" } } }, 'networks.f: unknown key "vip": did you mean vips?'],
  ])("%j is refused", (file, message) => {
    expect(problemsOf(file)).toEqual([message]);
  });

  test("tells everything that is wrong at once, of its services too", () => {
    expect(problemsOf({ ttl: "x", services: { web: { order: "x" }, db: { tasks: ["x"] } } })).toEqual([
      'ttl: "x" is not a duration: write it as 5s, 1m30s or 500ms',
      'services.web.order: "x" is not allowed: write rotate, random or weighted',
      'services.db.tasks[0]: "x" is not an IPv4 or IPv6 address',
    ]);
  });

  test.each([
    { services: {} },
    { $schema: "https://example.org/services.json" },
    { networks: { front: null } },
    {},
  ])("%j means nothing, and may", (file) => {
    const parsed = parseServicesFile(file, () => "");
    expect(parsed.ok && parsed.roster.services).toEqual([]);
  });
});

describe("networks", () => {
  test("may be named that another file declares", () => {
    const file = { services: { web: { networks: ["front"] } } };
    const networks = parseNetworks({ networks: { front: { vips: "10.0.0.0/25" } } });
    expect(parseServicesFile(file, () => "").ok).toBe(false);
    expect(parseServicesFile(file, () => "", { networks }).ok).toBe(true);
  });

  test("are the well-formed ones of a file that is not right in all", () => {
    const file = { ttl: "x", networks: { good: {}, bad: { subnets: ["x"] } } };
    expect([...parseNetworks(file).keys()]).toEqual(["good"]);
    expect([...parseNetworks("nonsense").keys()]).toEqual([]);
  });

  test.each<[object, string]>([
    [{ networks: ["fron"] }, 'services.web.networks[0]: network "fron" is not declared: did you mean front?'],
    [
      { networks: ["elsewhere"] },
      'services.web.networks[0]: network "elsewhere" is not declared: declare it under networks',
    ],
    [{ networks: ["front", "front"] }, 'services.web.networks[1]: network "front" is named twice'],
    [{ networks: [] }, "services.web.networks: is empty: leave it out for the network named default"],
    [
      { networks: ["bare"] },
      "services.web: network bare has no vips to take a VIP from: give it vips: 10.0.1.128/25, or set endpoint_mode: dnsrr",
    ],
  ])("%j is refused", (service, message) => {
    const networks = { front: { vips: "10.0.0.0/25" }, bare: null };
    expect(problemsOf({ networks, services: { web: service } })).toEqual([message]);
  });

  test("without vips carry dnsrr", () => {
    expect(
      problemsOf({
        networks: { bare: {} },
        services: { web: { networks: ["bare"], endpoint_mode: "dnsrr" } },
      }),
    ).toEqual([]);
  });

  test("get each address by their subnets, else by their order, or as it is written", () => {
    const networks = parseNetworks({
      networks: {
        front: { subnets: ["10.0.1.0/24"], vips: "10.0.1.128/25" },
        back: { subnets: ["10.0.2.0/24", "fd00::/64"], vips: "10.0.2.128/25" },
      },
    });
    const placed = (address: NonNullable<ServiceDeclaration["tasks"]>[number]): string[] =>
      declare({ networks: ["front", "back"], tasks: [address] }, networks).tasks.flatMap(({ addresses }) =>
        addresses.map(({ network, address }) => `${network} ${formatAddress(address)}`),
      );
    expect(placed("10.0.2.7")).toEqual(["back 10.0.2.7"]);
    expect(placed("192.0.2.1")).toEqual(["front 192.0.2.1"]);
    expect(placed({ address: ["10.0.1.7", "fd00::7"] })).toEqual(["front 10.0.1.7", "back fd00::7"]);
    expect(placed({ address: { back: ["192.0.2.1", "fd00::9"], front: "10.0.2.9" } })).toEqual([
      "back 192.0.2.1",
      "back fd00::9",
      "front 10.0.2.9",
    ]);
  });
});

describe("a service", () => {
  test("has all its defaults filled in", () => {
    expect(declare({})).toEqual({
      name: "\u0003web",
      namespace: "",
      endpointMode: "vip",
      aliases: [],
      networkAliases: [],
      networks: ["default"],
      ttl: undefined,
      ports: [],
      labels: [],
      order: "rotate",
      balance: "weighted",
      affinityMs: 0,
      maxAnswers: Infinity,
      whenEmpty: "nodata",
      panicThreshold: 0,
      check: undefined,
      publishNotReady: false,
      vips: undefined,
      publishes: true,
      isOutline: false,
      tasks: [],
      origin: "test",
    });
  });

  test.each<[ServiceDeclaration["labels"], string[]]>([
    [{ team: "shop", tier: 1, on: true }, ["team=shop", "tier=1", "on=true"]],
    [
      ["a=b=c", "bare"],
      ["a=b=c", "bare="],
    ],
  ])("with labels %j", (labels, expected) => {
    expect(declare({ labels }).labels).toEqual(expected);
  });

  test.each<[object, string]>([
    [{ endpoint_mod: "vip" }, 'unknown key "endpoint_mod": did you mean endpoint_mode?'],
    [{ endpoint_mode: "vipp" }, 'endpoint_mode: "vipp" is not allowed: write vip or dnsrr'],
    [{ ttl: "5 sec" }, 'ttl: "5 sec" is not a duration: write it as 5s, 1m30s or 500ms'],
    [{ aliases: "www" }, 'aliases: must be a list, not "www"'],
    [
      { aliases: ["a..b"] },
      'aliases[0]: "a..b" is not a name: write letters and digits, "-" and "_" between them, 63 at most in each part',
    ],
    [
      { aliases: ["a".repeat(64)] },
      `aliases[0]: "${"a".repeat(64)}" is not a name: the label "${"a".repeat(64)}" has 64 octets, 63 are allowed`,
    ],
    [{ namespace: 7 }, "namespace: must be text, not 7: put it in quotes"],
    [{ max_answers: 0 }, "max_answers: must be a whole number from 1 to 65535, not 0"],
    [{ panic_threshold: 1.5 }, "panic_threshold: must be a share from 0 to 1, not 1.5"],
    [{ when_empty: "x" }, 'when_empty: "x" is not allowed: write nodata, all or servfail'],
    [{ healthcheck: "x" }, 'healthcheck: must be a mapping, not "x"'],
    [
      { balance: "least" },
      'balance: "least" is not allowed: write weighted, rotate, random, leastconn or source',
    ],
    [{ affinity: "2 days" }, 'affinity: "2 days" is not a duration: write it as 5s, 1m30s or 500ms'],
    [{ publish_not_ready: "yes" }, 'publish_not_ready: must be true or false, not "yes"'],
    [{ labels: { a: ["x"] } }, "labels.a: must be text, a number, true or false, not a list"],
    [{ labels: { "a=b": 1 } }, 'labels: "a=b" is not a label\'s key: write printable ASCII without "="'],
    [{ labels: { a: "x".repeat(254) } }, 'labels: label "a" has 256 octets with its value: 255 are allowed'],
    [{ labels: 5 }, "labels: must be a mapping or a list of key=value, not 5"],
    [{ tasks: null }, "tasks: must be a list, not empty: write [] for none"],
  ])("%j is refused", (service, message) => {
    expect(wrongWith(service)).toEqual([message]);
  });

  test("with a name that fits to the octet is taken, and with one more refused", () => {
    // 175 octets: 6 for tasks, 4 for web, 165 for the namespace.
    const namespace = [63, 63, 36].map((length) => "n".repeat(length)).join(".");
    expect(wrongWith({ namespace })).toEqual([]);
    expect(wrongWith({ namespace: `${namespace}n` })).toEqual([
      `makes a name that is too long, tasks.web.${namespace}n: it has 176 octets, 175 are allowed`,
    ]);
    expect(wrongWith({ namespace, aliases: ["webs"] })[0]).toContain("tasks.webs.");
    expect(wrongWith({ namespace, tasks: ["10.0.0.11"] })[0]).toContain("10-0-0-11.web.");
    expect(wrongWith({ namespace, ports: [80] })[0]).toContain("_80._tcp.tasks.web.");
  });
});

describe("a port", () => {
  const plain = { mode: "ingress", policy: "cluster", proxyProtocol: 0 };
  const port = { name: "8080", protocol: "tcp", target: 8080, port: 8080, published: undefined, ...plain };

  test.each<[NonNullable<ServiceDeclaration["ports"]>[number], object]>([
    [8080, port],
    ["8080", port],
    ["80:8080", { ...port, published: 80 }],
    ["80:8080/udp", { ...port, published: 80, protocol: "udp" }],
    ["8080/sctp", { ...port, protocol: "sctp" }],
    [{ target: 8080 }, port],
    [
      { name: "HTTP-1", target: 8080, port: 80, published: 443, protocol: "udp" },
      { ...plain, name: "http-1", target: 8080, port: 80, published: 443, protocol: "udp" },
    ],
    [
      { target: 8080, published: "auto" },
      { ...port, published: "auto" },
    ],
    [
      { target: 8080, published: 80, mode: "host", policy: "local", proxy_protocol: 2 },
      { ...port, published: 80, mode: "host", policy: "local", proxyProtocol: 2 },
    ],
  ])("written %j", (written, expected) => {
    expect(declare({ ports: [written] }).ports).toEqual([expected]);
  });

  test.each<[unknown, string]>([
    [0, "ports[0]: must be a whole number from 1 to 65535, not 0"],
    ["http", 'ports[0]: "http" is not a port: write 8080, "80:8080" (published:target) or "80:8080/udp"'],
    ["1-5", 'ports[0]: "1-5" is not a port: write 8080, "80:8080" (published:target) or "80:8080/udp"'],
    [
      "80/quic",
      'ports[0]: "80/quic" is not a port: write 8080, "80:8080" (published:target) or "80:8080/udp"',
    ],
    ["70000", "ports[0]: 70000 is not a port: ports go from 1 to 65535"],
    [
      { target: 80, published: "any" },
      'ports[0].published: must be a port from 1 to 65535, or auto, not "any"',
    ],
    [{ target: 80, mode: "all" }, 'ports[0].mode: "all" is not allowed: write ingress or host'],
    [{ target: 80, policy: "all" }, 'ports[0].policy: "all" is not allowed: write cluster or local'],
    [{ target: 80, proxy_protocol: 3 }, "ports[0].proxy_protocol: must be 1 or 2, not 3"],
    [
      { target: 80, protocol: "udp", proxy_protocol: 1 },
      "ports[0]: has proxy_protocol, which only TCP connections can have in front, not udp",
    ],
    [
      { target: 80, protocol: "sctp", published: 80 },
      "ports[0]: cannot be published: planes carry tcp and udp, not sctp",
    ],
    [true, 'ports[0]: must be a port number, text as "80:8080", or a mapping, not true'],
    [{ name: "http" }, "ports[0].target: is missing"],
    [{ target: "80" }, 'ports[0].target: must be a whole number from 1 to 65535, not "80"'],
    [
      { target: 80, name: "a--b" },
      'ports[0].name: "a--b" is not a port name: write 1 to 15 letters, digits and single hyphens within, a letter among them',
    ],
    [
      { target: 80, name: "sixteen-letters1" },
      'ports[0].name: "sixteen-letters1" is not a port name: write 1 to 15 letters, digits and single hyphens within, a letter among them',
    ],
    [{ target: 80, protocl: "udp" }, 'ports[0]: unknown key "protocl": did you mean protocol?'],
  ])("written %j is refused", (written, message) => {
    expect(wrongWith({ ports: [written] })).toEqual([message]);
  });

  test("shares its name with none of its protocol", () => {
    expect(wrongWith({ ports: [80, "81:80"] })).toEqual([
      "ports[1]: is named 80 over tcp, as ports[0] is: give each a name of its own",
    ]);
    expect(wrongWith({ ports: ["53/tcp", "53/udp"] })).toEqual([]);
  });
});

describe("a task", () => {
  test.each<[NonNullable<ServiceDeclaration["tasks"]>[number], string, boolean]>([
    ["10.0.1.11", "10-0-1-11", false],
    ["10.0.1.13:9090", "10-0-1-13-9090", false],
    ["fd00::1", "fd00-0-0-0-0-0-0-1", false],
    ["[fd00::1]:80", "fd00-0-0-0-0-0-0-1-80", false],
    [{ address: ["10.0.1.11", "fd00::1"] }, "10-0-1-11", false],
    [{ address: "10.0.1.11", id: "Web_1.a" }, "web_1.a", true],
  ])("%j has an id", (task, id, isNamed) => {
    const declared = taskOf(task);
    expect([formatPrefix(declared.id), declared.isNamed]).toEqual([id, isNamed]);
  });

  test("has what was said of it, else the defaults", () => {
    expect(taskOf("10.0.1.11")).toMatchObject({ slot: undefined, weight: 1, isChecked: false });
    expect(taskOf({ address: "10.0.1.11", slot: 2, weight: 0 })).toMatchObject({ slot: 2, weight: 0 });
  });

  test("listens where its address or its ports say", () => {
    expect([...taskOf("10.0.1.11").ports]).toEqual([]);
    expect([...taskOf("10.0.1.11:9090").ports]).toEqual([["8080", 9090]]);
    expect([...taskOf({ address: ["10.0.1.11:9090", "[fd00::1]:9090"] }).ports]).toEqual([["8080", 9090]]);
    expect([
      ...taskOf(
        { address: "10.0.1.11", ports: { HTTP: 1, dns: 2 } },
        {
          ports: [
            { name: "http", target: 80 },
            { name: "dns", target: 53 },
          ],
        },
      ).ports,
    ]).toEqual([
      ["http", 1],
      ["dns", 2],
    ]);
  });

  test.each<[unknown, string]>([
    ["10.0.1.300", '[0]: "10.0.1.300" is not an IPv4 or IPv6 address'],
    ["10.0.1.3:0", '[0]: "10.0.1.3:0" has port 0: ports go from 1 to 65535'],
    ["224.0.0.1", '[0]: "224.0.0.1" is an address that no task can have'],
    ["0.0.0.0:80", '[0]: "0.0.0.0:80" is an address that no task can have'],
    [5, "[0]: must be an address or a mapping, not 5"],
    [{}, "[0].address: is missing"],
    [{ address: "10.0.1.300" }, '[0].address: "10.0.1.300" is not an IPv4 or IPv6 address'],
    [{ address: [] }, "[0].address: is empty: a task needs an address"],
    [{ address: {} }, "[0].address: is empty: a task needs an address"],
    [{ address: ["10.0.0.1", "x"] }, '[0].address[1]: "x" is not an IPv4 or IPv6 address'],
    [{ address: { default: ["x"] } }, '[0].address.default[0]: "x" is not an IPv4 or IPv6 address'],
    [
      { address: { front: "10.0.0.1" } },
      '[0].address: the service is not on network "front": it is on default',
    ],
    [
      { address: 5 },
      "[0].address: must be an address, a list of addresses or a mapping from network to address, not 5",
    ],
    [
      { address: "10.0.0.1", id: "-a" },
      '[0].id: "-a" is not an id: write letters, digits, "_", "." and "-", a letter or digit first',
    ],
    [{ address: "10.0.0.1", id: "a..b" }, '[0].id: "a..b" is not a name: it has an empty label'],
    [{ address: "10.0.0.1", slot: 0 }, "[0].slot: must be a whole number from 1 to 2147483647, not 0"],
    [
      { address: "10.0.0.1", weight: 65_536 },
      "[0].weight: must be a whole number from 0 to 65535, not 65536",
    ],
    [{ address: "10.0.0.1", wieght: 2 }, '[0]: unknown key "wieght": did you mean weight?'],
    [{ address: "10.0.0.1", ports: { htp: 1 } }, '[0].ports: no port is named "htp": did you mean http?'],
    [
      { address: ["10.0.0.1:1", "10.0.0.2:2"] },
      '[0].address[1]: "10.0.0.2:2" is at odds with port 1 of the same task',
    ],
    [{ address: ["10.0.0.1", "10.0.0.1"] }, "[0]: address 10.0.0.1 is in this task twice"],
  ])("%j is refused", (task, message) => {
    const service = { ports: [{ name: "http", target: 80 }], tasks: [task] };
    expect(wrongWith(service)).toEqual([`tasks${message}`]);
  });

  test("has a port behind its address only where it is clear which", () => {
    expect(wrongWith({ tasks: ["10.0.0.1:90"] })).toEqual([
      'tasks[0]: "10.0.0.1:90" has a port, but the service declares none: give it ports: [90]',
    ]);
    expect(wrongWith({ ports: [{ name: "http", target: 80 }, 443], tasks: ["10.0.0.1:90"] })).toEqual([
      'tasks[0]: "10.0.0.1:90" has a port, but the service has 2: write ports: { http: 90 } in the task',
    ]);
  });

  test.each<[string, unknown[], string[]]>([
    [
      "id",
      [
        { id: "b", address: "10.0.0.1" },
        { id: "B", address: "10.0.0.2" },
      ],
      ['tasks[1].id: id "b" is that of tasks[0] already'],
    ],
    [
      "slot",
      [
        { slot: 2, address: "10.0.0.1" },
        { slot: 2, address: "10.0.0.2" },
      ],
      ["tasks[1].slot: slot 2 is that of tasks[0] already"],
    ],
    ["address", ["10.0.0.1", "10.0.0.1"], ["tasks[1]: address 10.0.0.1 is that of tasks[0] already"]],
    [
      "address, one written with the port that is the service's",
      ["10.0.0.1", { id: "b", address: "10.0.0.1:80" }],
      ["tasks[1]: address 10.0.0.1 is that of tasks[0] already"],
    ],
    [
      "made id",
      ["10.0.0.1", { id: "10-0-0-1", address: "10.0.0.2" }],
      ['tasks[1].id: id "10-0-0-1" is that of tasks[0] already'],
    ],
    ["address, with another port", ["10.0.0.1", "10.0.0.1:81"], []],
  ])("of the same %s as another", (_, tasks, messages) => {
    expect(wrongWith({ ports: [80], tasks })).toEqual(messages);
  });
});

describe("a declaration from code", () => {
  test("that is wrong is refused with all that is wrong, in one line", () => {
    const declare = (): Declaration =>
      parseService("web", { ttl: "x", tasks: [3] }, { networks: new Map(), origin: "test" });
    expect(declare).toThrow(
      expect.objectContaining({
        name: "RotaError",
        code: "ERR_ROTA_DECLARATION",
        message:
          'could not declare service "web": ttl: "x" is not a duration: write it as 5s, 1m30s or 500ms; ' +
          "tasks[0]: must be an address or a mapping, not 3",
      }),
    );
  });

  test("is in the namespace that it names, else in the one of its surroundings", () => {
    const inShop = { networks: new Map(), namespace: "shop", origin: "test" };
    expect(formatPrefix(parseService("web", {}, inShop).namespace)).toBe("shop");
    expect(formatPrefix(parseService("web", { namespace: "Crm" }, inShop).namespace)).toBe("crm");
  });

  test("is told what does not do as one may think", () => {
    const warnings: string[] = [];
    const warn = (message: string): void => void warnings.push(message);
    const context = { networks: new Map(), origin: "test", allowExec: true, warn };
    parseService("web", { healthcheck: { test: "true" } }, context);
    expect(warnings).toEqual(['service "web": healthcheck.test: is run on this machine, not in a container']);
  });

  test("takes its types from the words of the file", () => {
    expectTypeOf<"vip">().toExtend<ServiceDeclaration["endpoint_mode"]>();
    expectTypeOf<"vipp">().not.toExtend<ServiceDeclaration["endpoint_mode"]>();
    expectTypeOf<{ endpoint_mod: "vip" }>().not.toExtend<ServiceDeclaration>();
  });
});

test("editors get a JSON Schema with every key, what it is for, and what it may be", () => {
  expect(servicesJsonSchema()).toMatchObject({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Rota services file",
    additionalProperties: false,
    patternProperties: { "^x-": {} },
    properties: {
      zone: { type: "string", description: "The name above all services." },
      services: {
        additionalProperties: {
          additionalProperties: false,
          properties: {
            endpoint_mode: { enum: ["vip", "dnsrr"], default: "vip" },
            ports: { items: { anyOf: [{ type: "string" }, { type: "integer" }, { required: ["target"] }] } },
            tasks: { items: { anyOf: [{ type: "string" }, { required: ["address"] }] } },
          },
        },
      },
    },
  });
});

test("editors get a description of every key", () => {
  const silent: string[] = [];
  const isMapping = (value: unknown): value is { readonly [key: string]: unknown } =>
    typeof value === "object" && value !== null;
  const visit = (schema: unknown, path: string): void => {
    if (!isMapping(schema)) return;
    for (const [key, below] of Object.entries(isMapping(schema["properties"]) ? schema["properties"] : {})) {
      if (!isMapping(below) || below["description"] === undefined) silent.push(`${path}.${key}`);
    }
    for (const [key, below] of Object.entries(schema)) visit(below, `${path}.${key}`);
  };
  visit(servicesJsonSchema(), "");
  expect(silent).toEqual([]);
});

test("a name that is nearly one takes no longer to refuse than any other", () => {
  // A pattern that tries all ways to cut the letters into words would not come to an end.
  for (const name of [`${"a".repeat(60)}.`, `${"a-".repeat(31)}.`, `${"ab_".repeat(21)}/`]) {
    const context = { networks: new Map(), origin: "test" };
    expect(() => parseService(name, {}, context)).toThrow(name);
    expect(() => parseService("web", { aliases: [`x/${name}`] }, context)).toThrow("aliases");
  }
});
