import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Rota, type RotaOptions, type ServiceDeclaration, startRota } from "../../src/index.ts";
import { asking } from "./asking.ts";
import { refusalOf } from "./refusal.ts";

describe("a declaration that is wrong is refused, and changes nothing:", () => {
  let rota: Rota;
  let changes = 0;

  beforeAll(async () => {
    const web: ServiceDeclaration = { endpoint_mode: "dnsrr", ports: [80], tasks: ["10.0.0.1"] };
    rota = await startRota({ services: { web }, networks: { lan: { subnets: ["10.0.0.0/8"] } } });
    rota.follow(() => {
      changes += 1;
    });
  });

  afterAll(async () => rota.close());

  const NOT_A_NAME =
    'is not a name: write letters and digits, "-" and "_" between them, 63 at most in each part';

  test.each<[name: string, json: string, message: string]>([
    ["", "{}", `"" ${NOT_A_NAME}`],
    ["web.shop", "{}", `"web.shop" ${NOT_A_NAME}`],
    ["web", `{ "tasks": ["10.0.0.300"] }`, 'tasks[0]: "10.0.0.300" is not an IPv4 or IPv6 address'],
    ["web", `{ "tasks": "10.0.0.1" }`, 'tasks: must be a list, not "10.0.0.1"'],
    ["web", `{ "tasks": [{ "id": "a" }] }`, "tasks[0].address: is missing"],
    ["web", `{ "tasks": ["::1", "::1"] }`, "tasks[1]: address ::1 is that of tasks[0] already"],
    ["web", `{ "ttl": "5 minutes" }`, 'ttl: "5 minutes" is not a duration: write it as 5s, 1m30s or 500ms'],
    ["web", `{ "ttl": -1 }`, "ttl: -1 does not do: write whole seconds, from 0 to 86400 (24h)"],
    ["web", `{ "ports": [0] }`, "ports[0]: must be a whole number from 1 to 65535, not 0"],
    ["web", `{ "endpoint_mode": "drr" }`, 'endpoint_mode: "drr" is not allowed: write vip or dnsrr'],
    ["web", `{ "endpointMode": "vip" }`, 'unknown key "endpointMode": did you mean endpoint_mode?'],
    ["web", `{ "networks": ["lam"] }`, 'networks[0]: network "lam" is not declared: did you mean lan?'],
    [
      "web",
      `{ "networks": ["lan"] }`,
      "network lan has no vips to take a VIP from: give it vips: 10.0.1.128/25, or set endpoint_mode: dnsrr",
    ],
    [
      "web",
      `{ "ttl": "1.5s", "max_answers": 0 }`,
      'ttl: "1.5s" does not do: write whole seconds, from 0 to 86400 (24h); max_answers: must be a whole number from 1 to 65535, not 0',
    ],
  ])("%j %s", async (name, json, message) => {
    const before = rota.services();
    const declaration: ServiceDeclaration = JSON.parse(json);
    expect(await refusalOf(rota.declare(name, declaration))).toBe(
      `ERR_ROTA_DECLARATION: could not declare service "${name}": ${message}`,
    );
    expect(rota.services()).toEqual(before);
    expect(changes).toBe(0);
    expect(await asking(rota).addresses("web")).toEqual(["10.0.0.1"]);
  });
});

test("Rota does not start, and says why, with what only JavaScript can pass", async () => {
  const wrong: RotaOptions[] = [
    JSON.parse('{ "listen": "127.0.0.1:0" }'),
    JSON.parse('{ "files": [5] }'),
    JSON.parse('{ "trust": "127.0.0.1" }'),
    JSON.parse('{ "scope": "strickt" }'),
  ];
  const [listen, files, trust, scope] = await Promise.all(
    wrong.map((options) => refusalOf(startRota(options))),
  );
  expect(listen).toBe('ERR_ROTA_OPTION: could not take listen "127.0.0.1:0": it is a list of texts');
  expect(files).toBe("ERR_ROTA_OPTION: could not take files [5]: it is a list of texts");
  expect(trust).toBe('ERR_ROTA_OPTION: could not take trust "127.0.0.1": it is a list of texts');
  expect(scope).toBe('ERR_ROTA_OPTION: could not take scope "strickt": it is all or strict');
});

describe("Rota does not start, and says why, with", () => {
  test.each<[RotaOptions, code: string, message: string]>([
    [
      { services: { web: { tasks: ["web1"] }, "a b": {} } },
      "ERR_ROTA_DECLARATION",
      'could not declare the services: services.web.tasks[0]: "web1" is not an IPv4 or IPv6 address; ' +
        'services: "a b" is not a name: write letters and digits, "-" and "_" between them, 63 at most in each part',
    ],
    [
      { networks: { lan: { vips: "10.0.0.0/33" } } },
      "ERR_ROTA_DECLARATION",
      'could not declare the services: networks.lan.vips: "10.0.0.0/33" is not a subnet: its length goes from 0 to 32',
    ],
    [
      { files: ["/nowhere/services.yaml"] },
      "ERR_ROTA_SERVICES_FILE",
      "could not take the services files: /nowhere/services.yaml: could not be read: there is no such file or folder",
    ],
    [
      { listen: ["127.0.0.1:0", "localhost:53"] },
      "ERR_ROTA_OPTION",
      'could not listen on "localhost:53": write it as 127.0.0.1:5300, [::1]:5300 or 0.0.0.0:53',
    ],
    [
      { listen: ["127.0.0.1:0", "192.0.2.1:0"] },
      "ERR_ROTA_LISTEN",
      "could not listen on udp and tcp 192.0.2.1:0: this machine has no such address; see `ip address`",
    ],
    [
      { zone: `${"a".repeat(60)}.${"b".repeat(30)}` },
      "ERR_ROTA_OPTION",
      `could not take the zone: "${"a".repeat(60)}.${"b".repeat(30)}" is too long for a zone: it has 93 octets, 80 are allowed`,
    ],
    [
      { zone: "rota..internal" },
      "ERR_ROTA_OPTION",
      'could not take the zone: "rota..internal" is not a name: it has an empty label',
    ],
    [
      { zone: "." },
      "ERR_ROTA_OPTION",
      'could not take the zone: "." cannot be the zone: all names of others are beneath it',
    ],
    [
      { trust: ["10.0.0.0/8", "10.0.0.1/24"] },
      "ERR_ROTA_OPTION",
      'could not take trust: "10.0.0.1/24" is an address inside a subnet: write 10.0.0.0/24',
    ],
    [{ trust: ["proxy"] }, "ERR_ROTA_OPTION", 'could not take trust: "proxy" is not an IPv4 or IPv6 address'],
    [
      { idleMs: 0 },
      "ERR_ROTA_OPTION",
      "could not start with idleMs 0: it must be a whole number from 1 to 86400000",
    ],
    [
      { startWaitMs: -1 },
      "ERR_ROTA_OPTION",
      "could not start with startWaitMs -1: it must be a whole number from 0 to 86400000",
    ],
    [
      { drainGraceMs: 86_400_001 },
      "ERR_ROTA_OPTION",
      "could not start with drainGraceMs 86400001: it must be a whole number from 0 to 86400000",
    ],
    [
      { maxProbes: 0 },
      "ERR_ROTA_OPTION",
      "could not start with maxProbes 0: it must be a whole number from 1 to 1000000",
    ],
    [
      { maxConnections: 0.5 },
      "ERR_ROTA_OPTION",
      "could not start with maxConnections 0.5: it must be a whole number from 1 to 1000000",
    ],
  ])("%j", async (options, code, message) => {
    expect(await refusalOf(startRota(options))).toBe(`${code}: ${message}`);
  });
});

test.each<[RotaOptions, string]>([
  [{}, "there is no engine to tell of them: name one by docker"],
  [
    { docker: "tcp://127.0.0.1:1" },
    "tcp://127.0.0.1:1 is not this machine's: run Rota beside that engine, and reach it as unix:///PATH",
  ],
  [
    { docker: "ssh://root@127.0.0.1" },
    "ssh://root@127.0.0.1 is not this machine's: run Rota beside that engine, and reach it as unix:///PATH",
  ],
])("Rota does not enter the namespaces of tasks that are none of its machine: %j", async (options, why) => {
  expect(await refusalOf(startRota({ ...options, plane: "auto", planeNetns: ["tasks"] }))).toBe(
    `ERR_ROTA_OPTION: could not be in the namespaces of tasks: ${why}`,
  );
});

test("Rota does not take namespaces to carry nothing in them", async () => {
  expect(await refusalOf(startRota({ planeNetns: ["/run/netns/blue"] }))).toBe(
    "ERR_ROTA_OPTION: could not carry anything in /run/netns/blue: plane is none; say auto or nftables",
  );
});
