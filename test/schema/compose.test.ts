import { describe, expect, test } from "vitest";
import { formatSubnet } from "../../src/model/address.ts";
import type { Declaration, Port } from "../../src/model/declaration.ts";
import { formatName, formatPrefix } from "../../src/model/name.ts";
import {
  type ComposeFileOptions,
  isComposeFile,
  parseComposeFile,
  parseComposeNetworks,
} from "../../src/schema/compose.ts";
import { formatProblem } from "../../src/schema/problem.ts";
import type { Parsed } from "../../src/schema/schema.ts";

const TERMS = { env: {}, folder: "shop" };

function parse(value: unknown, options: Partial<ComposeFileOptions> = {}): Parsed {
  return parseComposeFile(value, (path) => `at ${path.join("/")}`, { ...TERMS, ...options });
}

function problemsOf(value: unknown): string[] {
  const parsed = parse(value);
  return parsed.ok ? [] : parsed.problems.map(formatProblem);
}

function wrongWith(service: unknown): string[] {
  return problemsOf({ services: { web: service } }).map((problem) =>
    problem.replace(/^services\.web[.:]? ?/, ""),
  );
}

/** A file that is good, with what it warns of. */
function good(value: unknown, options: Partial<ComposeFileOptions> = {}) {
  const parsed = parse(value, options);
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join("\n"));
  return { ...parsed.roster, warnings: parsed.warnings.map(formatProblem) };
}

function outline(service: unknown, rest: object = {}): Declaration {
  const [declared] = good({ ...rest, services: { web: service } }).services;
  if (declared === undefined) throw new Error("no service was declared");
  return declared;
}

/** `http 8080>80/tcp`, and `>80/tcp` for one that is not published. */
function formatPort({ name, published, target, protocol }: Port): string {
  return `${name} ${published ?? ""}>${target}/${protocol}`;
}

/** `shop_default: web www, shop_back: web`. */
function formatAliases({ networks, networkAliases }: Declaration): string {
  const namesOn = (network: string): string[] =>
    networkAliases.filter((alias) => alias.network === network).map(({ name }) => formatPrefix(name));
  return networks.map((network) => `${network}: ${namesOn(network).join(" ")}`).join(", ");
}

describe("a file is Compose's or Rota's", () => {
  test.each<[string, unknown, boolean]>([
    ["compose.yaml", {}, true],
    ["compose.yml", { services: { web: {} } }, true],
    ["docker-compose.yaml", {}, true],
    ["docker-compose.override.yml", {}, true],
    ["compose.prod.yaml", {}, true],
    ["compose-dev.yml", {}, true],
    ["Compose.YAML", {}, true],
    ["composer.yaml", {}, false],
    ["my-compose.yaml", {}, false],
    ["services.yaml", {}, false],
    ["services.yaml", { services: { web: { image: "nginx" } } }, true],
    ["services.yaml", { services: { web: {}, db: { build: "." } } }, true],
    ["compose.yaml", { zone: "shop.internal" }, false],
    ["compose.yaml", { services: { web: { tasks: ["10.0.0.1"] } } }, false],
    ["compose.yaml", { services: { web: { ttl: 5 } } }, false],
    ["compose.yaml", { services: { web: { healthcheck: {}, ports: [80], labels: {} } } }, true],
    ["compose.yaml", { zone: "x", services: { web: { image: "nginx", ttl: 5 } } }, true],
    ["compose.yaml", null, true],
    ["services.yaml", { services: [1, "x", null] }, false],
  ])("%s with %j: %s", (name, value, expected) => {
    expect(isComposeFile(name, value)).toBe(expected);
  });
});

describe("the project", () => {
  test.each<[string | undefined, string | undefined, string, string]>([
    ["shop", "other", "folder", "other"],
    ["shop", undefined, "folder", "shop"],
    [undefined, "other", "folder", "other"],
    [undefined, undefined, "folder", "folder"],
    ["", "", "My Shop_1.x", "myshop_1x"],
    [undefined, undefined, "__A-b", "a-b"],
    ["9to-5_", undefined, "folder", "9to-5_"],
  ])("of name %j, COMPOSE_PROJECT_NAME %j and folder %j is %s", (name, variable, folder, expected) => {
    const env = { COMPOSE_PROJECT_NAME: variable };
    const { services } = good({ name, services: { web: {} } }, { env, folder });
    const told = services.map(
      (service) => `${formatPrefix(service.namespace)} ${service.networks.join(" ")}`,
    );
    expect(told).toEqual([`${expected} ${expected}_default`]);
  });

  test.each<[string | undefined, string | undefined, string, string]>([
    [
      "Shop",
      undefined,
      "x",
      'name: "Shop" is not the name of a project: write lower-case letters, digits, - and _',
    ],
    [undefined, "-x", "x", 'COMPOSE_PROJECT_NAME, "-x", is not the name of a project: '],
    [undefined, undefined, "---", `has no project: the folder's name, "---", makes none: give it name: shop`],
    ["a".repeat(64), undefined, "x", "is too long to be a namespace: 63 characters are allowed"],
  ])("of name %j, COMPOSE_PROJECT_NAME %j and folder %j is none", (name, variable, folder, message) => {
    const parsed = parse({ name }, { env: { COMPOSE_PROJECT_NAME: variable }, folder });
    expect(parsed.ok ? [] : parsed.problems.map(formatProblem)).toEqual([expect.stringContaining(message)]);
  });
});

test("a service is outlined: its name, project and place, and no tasks", () => {
  expect(outline({ image: "nginx" })).toMatchObject({
    isOutline: true,
    tasks: [],
    endpointMode: "dnsrr",
    vips: undefined,
    check: undefined,
    origin: "at services/web",
  });
});

describe("networks and the names on them, as the engine has them", () => {
  const networks = {
    front: null,
    back: { name: "backbone" },
    out: { external: true },
    old: { external: { name: "o" } },
  };
  test.each<[object, string]>([
    [{}, "shop_default: web"],
    [{ networks: [] }, "shop_default: web"],
    [{ networks: ["front", "back"] }, "shop_front: web, backbone: web"],
    [{ networks: { front: { aliases: ["www", "web"] }, out: null } }, "shop_front: web www, out: web"],
    [{ networks: ["old"] }, "o: web"],
    [{ hostname: "Web.example.com", container_name: "the_web" }, "shop_default: web the_web web.example.com"],
    [{ hostname: "{{.Service.Name}}-{{.Task.Slot}}" }, "shop_default: web"],
    [{ network_mode: "host" }, ""],
    [{ network_mode: "none" }, ""],
    [{ network_mode: "service:db" }, ""],
    [{ network_mode: "bridge" }, "bridge: web"],
  ])("%j is on %s", (service, expected) => {
    expect(formatAliases(outline(service, { networks }))).toBe(expected);
  });

  test("are in the roster if the file says addresses of them", () => {
    const file = {
      networks: {
        front: { ipam: { config: [{ subnet: "172.20.0.0/16", gateway: "172.20.0.1" }] }, internal: true },
        back: { "x-rota": { vips: "172.21.128.0/17" } },
        bare: { driver: "overlay", ipam: { driver: "default" } },
      },
    };
    const told = good(file).networks.map(({ name, subnets, vips }) =>
      [name, ...subnets.map(formatSubnet), "vips", ...vips.map(formatSubnet)].join(" "),
    );
    expect(told).toEqual(["shop_front 172.20.0.0/16 vips", "shop_back vips 172.21.128.0/17"]);
    expect([...parseComposeNetworks(file, TERMS).keys()]).toEqual(["shop_front", "shop_back"]);
  });
});

describe("the endpoint mode", () => {
  const pool = { networks: { front: { "x-rota": { vips: "172.20.128.0/17" } }, back: {} } };
  const why =
    "is answered as dnsrr, unless a Swarm gives it a VIP, since network shop_back has no vips: write x-rota: { vips: 172.20.128.0/17 } into it";
  test.each<[object, string, string[]]>([
    [{ networks: ["front"] }, "dnsrr", []],
    [{ networks: ["front"], deploy: { endpoint_mode: "vip" } }, "vip", []],
    [{ networks: ["front"], "x-rota": { endpoint_mode: "vip" } }, "vip", []],
    [
      { networks: ["front"], deploy: { endpoint_mode: "vip" }, "x-rota": { endpoint_mode: "dnsrr" } },
      "dnsrr",
      [],
    ],
    [
      { networks: ["back"], deploy: { endpoint_mode: "vip" } },
      "dnsrr",
      [`services.web.deploy.endpoint_mode: ${why}`],
    ],
    [
      { networks: ["front", "back"], "x-rota": { endpoint_mode: "vip" } },
      "dnsrr",
      [`services.web.x-rota.endpoint_mode: ${why}`],
    ],
    [
      { network_mode: "host", deploy: { endpoint_mode: "vip" } },
      "dnsrr",
      [
        "services.web.deploy.endpoint_mode: is answered as dnsrr, unless a Swarm gives it a VIP, since it is on no network",
      ],
    ],
  ])("of %j is %s", (service, mode, expected) => {
    const { services, warnings } = good({ ...pool, services: { web: service } });
    expect(services[0]?.endpointMode).toBe(mode);
    expect(warnings).toEqual(expected);
  });

  test("is vip also by the vips that another file gives a network", () => {
    const networks = parseComposeNetworks(pool, TERMS);
    const file = {
      networks: { front: {} },
      services: { web: { networks: ["front"], deploy: { endpoint_mode: "vip" } } },
    };
    expect(good(file, { networks }).services[0]?.endpointMode).toBe("vip");
  });
});

describe("ports", () => {
  test.each<[object, string[]]>([
    [{ ports: ["8080:80", 443], expose: ["9000", 80] }, ["80 8080>80/tcp", "443 >443/tcp", "9000 >9000/tcp"]],
    [{ ports: ["80:80", "81:80"] }, ["80 80>80/tcp"]],
    [
      { ports: [{ target: 80, published: "8080", name: "http", mode: "host", app_protocol: "http" }] },
      ["http 8080>80/tcp"],
    ],
    [{ ports: [{ target: "53", published: 53, protocol: "udp", host_ip: "127.0.0.1" }] }, ["53 53>53/udp"]],
    [{ ports: [{ target: 80, published: "8080-8090" }] }, ["80 >80/tcp"]],
    [{ ports: ["8080:80", { target: 80, name: "http" }] }, ["http >80/tcp"]],
    [
      { ports: ["8080:80", "53:53/udp"], "x-rota": { ports: [{ name: "http", target: 80 }] } },
      ["http 8080>80/tcp", "53 53>53/udp"],
    ],
    [{ expose: ["80"], labels: { "rota.port.http": "80" } }, ["http >80/tcp"]],
  ])("of %j are %j", (service, expected) => {
    expect(outline(service).ports.map(formatPort)).toEqual(expected);
  });

  test("that nothing is made of are told", () => {
    const web = { ports: ["10000-20000:10000-20000/udp", { target: 80, name: "Web UI" }] };
    const { services, warnings } = good({ services: { web } });
    expect(services[0]?.ports.map(formatPort)).toEqual(["80 >80/tcp"]);
    expect(warnings).toEqual([
      "services.web.ports[0]: is a range of 10001 ports, and none of them has a SRV record: write those that should under x-rota.ports",
      'services.web.ports[1].name: "Web UI" is not a port name: write 1 to 15 letters, digits and single hyphens within, a letter among them; its SRV record is named 80',
    ]);
  });
});

describe("a service may have", () => {
  const some = <Made>(count: number, make: (at: number) => Made): Made[] =>
    Array.from({ length: count }, (_, at) => make(at));
  const labelsOf = (count: number): object =>
    Object.fromEntries(some(count, (at) => [`rota.labels.k${at}`, "x"]));

  test.each<[string, unknown, unknown, string]>([
    [
      "64 labels for Rota, and others",
      { labels: { ...labelsOf(64), other: 1 } },
      { labels: labelsOf(65) },
      "labels: has 65 labels for Rota: 64 are allowed",
    ],
    [
      "64 of them in deploy",
      { deploy: { labels: labelsOf(64) } },
      { deploy: { labels: labelsOf(65) } },
      "deploy.labels: has 65 labels for Rota: 64 are allowed",
    ],
    [
      "4096 ports",
      { ports: some(4095, (at) => at + 1), expose: ["5000"] },
      { ports: some(4096, (at) => at + 1), expose: ["5000"] },
      "ports: come to 4097 ports: 4096 are allowed",
    ],
    [
      "4096 of them by ranges",
      { ports: some(40, (at) => `${at + 1}01-${at + 2}00`), expose: ["9000-9095"] },
      { ports: some(40, (at) => `${at + 1}01-${at + 2}00`), expose: ["9000-9096"] },
      "ports: come to 4097 ports: 4096 are allowed",
    ],
    [
      "4096 entries for them",
      { ports: some(4096, () => "100-300") },
      { ports: some(4097, () => "100-300") },
      "ports: has over 4096 entries: 4096 ports are allowed",
    ],
  ])("%s, and no more", (_, fitting, over, message) => {
    expect(wrongWith(fitting)).toEqual([]);
    expect(wrongWith(over)).toEqual([message]);
  });

  test("32 names on a network; those beyond are left out, and it is told", () => {
    const named = (count: number) =>
      good({ services: { web: { networks: { default: { aliases: some(count - 1, (at) => `a${at}`) } } } } });
    expect(named(32)).toMatchObject({ warnings: [] });
    const { services, warnings } = named(33);
    expect(services[0]?.networkAliases.map(({ name }) => formatPrefix(name)).slice(-1)).toEqual(["a30"]);
    expect(warnings).toEqual(["services.web: has 33 names on shop_default: the first 32 count"]);
  });

  test("a name that fits with its project into what an engine's may have", () => {
    const problemsWith = (name: string): string[] =>
      problemsOf({ name: "p".repeat(63), services: { [name]: {} } });
    // 111 octets: 64 of the project with its length, 47 of the name with its own.
    expect(problemsWith("w".repeat(46))).toEqual([]);
    expect(problemsWith("w".repeat(47))).toEqual([
      `services: "${"w".repeat(47)}" cannot be the name of a service: with its project it has 112 octets, 111 are allowed`,
    ]);
  });
});

describe("the words of Rota", () => {
  test("are those of a services file, of the file as a whole too", () => {
    const web = {
      ports: ["8080:80"],
      healthcheck: { test: ["CMD", "true"], retries: "3" },
      "x-rota": {
        ttl: "7s",
        order: "random",
        max_answers: 2,
        when_empty: "all",
        healthcheck: { http: "/up" },
      },
    };
    const { services, zone, ttl, negativeTtl } = good({
      "x-rota": { zone: "shop.internal", ttl: 9, negative_ttl: "1m" },
      services: { web },
    });
    expect([zone && formatName(zone), ttl, negativeTtl]).toEqual(["shop.internal.", 9, 60]);
    expect(services[0]).toMatchObject({ ttl: 7, order: "random", maxAnswers: 2, whenEmpty: "all" });
    expect(services[0]?.check?.probe).toMatchObject({ kind: "http", path: "/up", port: { number: 80 } });
  });

  test.each<[object, object]>([
    [{ labels: { "rota.ttl": "7s" } }, { ttl: 7 }],
    [{ labels: ["rota.ttl=7s", "com.example.x=1", "bare"] }, { ttl: 7 }],
    [{ deploy: { labels: { "rota.max_answers": "2" } } }, { maxAnswers: 2 }],
    [
      { labels: { "rota.ttl": 7 }, "x-rota": { ttl: 3, order: "random" } },
      { ttl: 3, order: "random" },
    ],
    [{ labels: { "rota.labels.team.of": "shop" } }, { labels: ["team.of=shop"] }],
    [{ labels: { "rota.labels.version": "1.10" } }, { labels: ["version=1.10"] }],
    [{ labels: { "rota.weight": "2", "rota.slot": "1" } }, { labels: [] }],
  ])("may be labels: %j comes to %j", (service, expected) => {
    expect(outline(service)).toMatchObject(expected);
  });

  test("on a container that is not to be shown, or is another's, leave its service out", () => {
    const { services, warnings } = good({
      services: { web: { labels: { "rota.enable": "false" } }, db: { labels: ["rota.service=data"] } },
    });
    expect(services).toEqual([]);
    expect(warnings).toEqual([
      "services.db: is left out, as its label rota.service puts its containers into another service",
    ]);
  });
});

describe("what is wrong with a service is told:", () => {
  test.each<[unknown, string]>([
    [null, "must be a mapping, not empty: write {} for none"],
    [{ ports: "80:80" }, 'ports: must be a list, not "80:80"'],
    [{ ports: [{ published: 80 }] }, "ports[0].target: is missing"],
    [{ ports: [{ target: 70_000 }] }, "ports[0].target: must be a whole number from 1 to 65535, not 70000"],
    [{ ports: [{ target: 80, published: "x" }] }, 'ports[0].published: "x" is not a port: write "8080", or'],
    [{ ports: [true] }, 'ports[0]: must be a port number, text as "80:8080", or a mapping, not true'],
    [{ expose: ["1:2"] }, 'expose[0]: "1:2" is not a port to expose: write 3000'],
    [{ networks: "front" }, 'networks: must be a list or a mapping of networks, not "front"'],
    [{ networks: ["defalt"] }, 'networks[0]: network "defalt" is not declared: did you mean default?'],
    [
      { networks: { front: null } },
      'networks.front: network "front" is not declared: declare it under networks',
    ],
    [
      { network_mode: "host", networks: ["default"] },
      "networks: does not go with network_mode: write one of them",
    ],
    [{ hostname: 5 }, "hostname: must be text, not 5: put it in quotes"],
    [{ deploy: { endpoint_mode: "x" } }, 'deploy.endpoint_mode: "x" is not allowed: write vip or dnsrr'],
    [{ labels: 5 }, "labels: must be a mapping or a list of key=value, not 5"],
    [
      { healthcheck: { test: 5 } },
      "healthcheck.test: must be a list as Compose has it, or text for a shell, not 5",
    ],
    [{ healthcheck: { interval: "5 sec" } }, 'healthcheck.interval: "5 sec" is not a duration'],
    [{ healthcheck: { disable: 1 } }, "healthcheck.disable: must be true or false, not 1"],
    [{ "x-rota": { tll: 5 } }, 'x-rota: unknown key "tll": did you mean ttl?'],
    [{ "x-rota": { tasks: [] } }, 'x-rota: unknown key "tasks": leave it out, tasks come from the engine'],
    [{ "x-rota": { networks: [] } }, 'x-rota: unknown key "networks": write it beside x-rota'],
    [{ "x-rota": "x" }, 'x-rota: must be a mapping, not "x"'],
    [{ "x-rota": { healthcheck: { http: "/" } } }, "x-rota.healthcheck.http: "],
    [
      {
        "x-rota": {
          ports: [
            { name: "a", target: 1 },
            { name: "a", target: 2 },
          ],
        },
      },
      "x-rota.ports[1]: is named a over tcp, as ports[0] is: give each a name of its own",
    ],
    [{ "x-rota": { healthcheck: { exec: "true" } } }, "x-rota.healthcheck.exec: runs a command: allow it"],
    [{ labels: { "rota.ttl": "soon" } }, 'labels["rota.ttl"]: "soon" is not a duration'],
    [{ labels: ["a=b", "rota.order=x"] }, 'labels[1]: rota.order: "x" is not allowed: write rotate'],
    [
      { deploy: { labels: { "rota.tll": "5" } } },
      'deploy.labels["rota.tll"]: unknown key "tll": did you mean ttl?',
    ],
    [
      { labels: { "rota.healthcheck.exec": "true" } },
      'labels["rota.healthcheck.exec"]: runs a command of this machine, which no label may: write it under x-rota',
    ],
    [
      { labels: ["rota.healthcheck.test=true"] },
      "labels[0]: rota.healthcheck.test: runs a command of this machine, which no label may: write it under x-rota",
    ],
    [
      { expose: ["443"], labels: { "rota.healthcheck.http.ca": "/ca.pem" } },
      'labels["rota.healthcheck.http.ca"]: names a file of this machine, which no label may: write it under x-rota',
    ],
    [
      { labels: { "rota.port.http": "x" } },
      'labels["rota.port.http"]: "x" is not a port: write 8080, "80:8080" (published:target) or "80:8080/udp"',
    ],
  ])("%j", (service, message) => {
    expect(wrongWith(service)).toEqual([expect.stringContaining(message)]);
  });

  test.each<[unknown, string]>([
    [5, "must be a mapping, not 5"],
    [{ name: 5 }, "name: must be text, not 5: put it in quotes"],
    [{ services: [] }, "services: must be a mapping, not a list"],
    [
      { services: { "we b": {} } },
      'services: "we b" cannot be the name of a service: it has other characters than',
    ],
    [{ services: { "a..b": {} } }, 'services: "a..b" cannot be the name of a service: "a..b" is not a name'],
    [{ services: { ["a.".repeat(50) + "a"]: {} } }, "it has over 100 octets"],
    [{ services: { web: {}, WEB: {} } }, "services: is declared twice, as web too: names ignore case"],
    [{ "x-rota": { zon: "x" } }, 'x-rota: unknown key "zon": did you mean zone?'],
    [{ "x-rota": { services: {} } }, 'x-rota: unknown key "services": write x-rota into each service'],
    [{ networks: { f: { external: 5 } } }, "networks.f.external: "],
    [
      { networks: { f: { ipam: { config: [{ subnet: "x" }] } } } },
      'networks.f.ipam.config[0].subnet: "x" is not a subnet',
    ],
    [
      { networks: { f: { "x-rota": { vip: "x" } } } },
      'networks.f.x-rota: unknown key "vip": did you mean vips?',
    ],
  ])("%j", (file, message) => {
    expect(problemsOf(file)).toEqual([expect.stringContaining(message)]);
  });
});

test("what is let be is let be, and what is not seen is told", () => {
  const { services, warnings } = good({
    version: "3",
    include: ["other.yaml"],
    volumes: {},
    services: {
      web: { extends: { file: "x" }, profiles: ["dev"], volumes: [5], "x-other": 1, when_empty: "all" },
      db: { container_name: "d".repeat(64) },
    },
  });
  expect(services.map(({ name, whenEmpty }) => `${formatPrefix(name)} ${whenEmpty}`)).toEqual([
    "web nodata",
    "db nodata",
  ]);
  expect(warnings).toEqual([
    "include: is not followed: name those files to Rota, too",
    "services.web.extends: is not followed: what it brings is not seen here",
    "services.web.when_empty: is Rota's word, not Compose's, and is let be: write it under x-rota",
    expect.stringContaining(`services.db: nobody can ask for "${"d".repeat(64)}": `),
  ]);
});
