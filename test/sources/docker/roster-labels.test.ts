import { expect, test } from "vitest";
import { formatAddress } from "../../../src/model/address.ts";
import { formatPrefix } from "../../../src/model/name.ts";
import { createEngineRoster } from "../../../src/sources/docker/roster.ts";
import {
  compose,
  container,
  idOf,
  nameOf,
  network,
  rosterOf,
  serviceOf,
  shortIdOf,
  show,
  snapshot,
  taskNames,
} from "./snapshots.ts";

const ports = [
  { target: 8080, protocol: "tcp", published: 80 },
  { target: 53, protocol: "udp", published: undefined },
] as const;

/** What the labels of a container called web make of its service. */
function labelled(labels: Readonly<Record<string, string>>): ReturnType<typeof rosterOf> {
  return rosterOf({ containers: [container("web", { labels, ports, on: { back: "10.1.0.2" } })] });
}

test("labels have the words of a services file", () => {
  const roster = labelled({
    "rota.ttl": "1m30s",
    "rota.aliases": "www, a.b",
    "rota.order": "weighted",
    "rota.weight": "3",
    "rota.slot": "7",
    "rota.max_answers": "2",
    "rota.when_empty": "all",
    "rota.panic_threshold": "0.5",
    "rota.publish_not_ready": "true",
    "rota.labels.team": "shop",
    "rota.labels.version.text": "007",
    "rota.port.http": "8080",
    "rota.port.metrics": "9100",
    "rota.healthcheck.http.path": "/healthz",
    "rota.healthcheck.http.status": "200-299,301",
    "rota.healthcheck.http.headers.X-From": "007",
    "rota.healthcheck.interval": "10s",
    "rota.healthcheck.fall": "5",
  });
  expect(roster.warnings).toEqual([]);
  const service = serviceOf(roster, "web");
  expect(service).toMatchObject({
    ttl: 90,
    order: "weighted",
    maxAnswers: 2,
    whenEmpty: "all",
    panicThreshold: 0.5,
    publishNotReady: true,
    labels: ["team=shop", "version.text=007"],
    tasks: [{ weight: 3, slot: 7 }],
    ports: [
      { name: "http", protocol: "tcp", target: 8080, port: 8080, published: 80 },
      { name: "53", protocol: "udp", target: 53 },
      { name: "metrics", protocol: "tcp", target: 9100, published: undefined },
    ],
    check: {
      intervalMs: 10_000,
      fall: 5,
      probe: {
        kind: "http",
        path: "/healthz",
        port: { name: "http", number: 8080 },
        status: [
          { from: 200, to: 299 },
          { from: 301, to: 301 },
        ],
        headers: [["X-From", "007"]],
      },
    },
  });
  expect(service.aliases.map(formatPrefix)).toEqual(["www", "a.b"]);
});

test.each([
  ["true", "tcp", { kind: "tcp", port: { name: "8080" } }],
  ["8080", "tcp", { kind: "tcp", port: { name: "8080" } }],
  ["true", "grpc", { kind: "grpc", service: "" }],
  ["shop.Cart", "grpc", { kind: "grpc", service: "shop.Cart" }],
  ["example.org", "dns", { kind: "dns", port: { name: "53" } }],
])("the check %s of %s is understood as it is meant", (value, kind, probe) => {
  const roster = labelled({ [`rota.healthcheck.${kind}`]: value });
  expect(roster.warnings).toEqual([]);
  expect(serviceOf(roster, "web").check?.probe).toMatchObject(probe);
});

test.each([
  ["rota.ttl", "5 sec", 'label rota.ttl="5 sec": "5 sec" is not a duration: write it as 5s, 1m30s or 500ms'],
  ["rota.max_answers", "many", 'must be a whole number from 1 to 65535, not "many"'],
  ["rota.max_answers", "0", "must be a whole number from 1 to 65535, not 0"],
  ["rota.panic_threshold", "2", "must be a share from 0 to 1, not 2"],
  ["rota.order", "sorted", '"sorted" is not allowed: write rotate, random or weighted'],
  ["rota.aliases", "ok,not ok", '"not ok" is not a name'],
  ["rota.weight", "-1", 'must be a whole number from 0 to 65535, not "-1"'],
  ["rota.enable", "no", 'must be true or false, not "no"'],
  ["rota.service", "a b", '"a b" is not a name'],
  ["rota.ednpoint_mode", "vip", 'unknown key "ednpoint_mode": did you mean endpoint_mode?'],
  ["rota.healthcheck.intervall", "5s", 'unknown key "intervall": did you mean interval?'],
  ["rota.networks", "back", 'unknown key "networks": write enable, service'],
  ["rota.tasks", "10.0.0.1", 'unknown key "tasks": write enable, service'],
  ["rota.port", "8080", 'must have a name, not "8080": write rota.port.http=8080'],
  ["rota.port.http", "80:8080", "says where it is published, which the engine tells: write 8080 or 8080/udp"],
  ["rota.port.1", "8080", '"1" is not a port name'],
  ["rota.healthcheck.interval", "5s", "does not say how: write tcp"],
  ["rota.healthcheck.http", "healthz", '"healthz" is not a path: begin it with /'],
  ["rota.healthcheck.tcp", "http", 'no port is named "http"'],
  ["rota.healthcheck.exec", "true", "runs a command of this machine, which no label may"],
  ["rota.healthcheck.test", "true", "runs a command of this machine, which no label may"],
  ["rota.healthcheck.https.tls.ca", "/etc/passwd", "names a file of this machine, which no label may"],
  ["rota.__proto__.x", "1", "is not understood: write rota. and words with dots between"],
  ["rota.", "1", "is not understood: write rota. and words with dots between"],
  ["rota.address", "10.9.0.1", "label rota.address is for containers without a network"],
])("%s=%s is told, left out, and takes nothing else with it", (label, value, message) => {
  const roster = labelled({ [label]: value, "rota.when_empty": "all" });
  expect(roster.warnings).toHaveLength(1);
  expect(roster.warnings[0]).toContain("docker: container web: label rota.");
  expect(roster.warnings[0]).toContain(message);
  const service = serviceOf(roster, "web");
  expect(service).toMatchObject({ ttl: undefined, whenEmpty: "all", check: undefined, order: "rotate" });
  expect(service.tasks).toHaveLength(1);
});

test("no label runs a command", () => {
  const map = createEngineRoster();
  const labels = { "rota.healthcheck.exec": "touch /tmp/x" };
  const roster = map(snapshot({ containers: [container("web", { labels, on: { back: "10.1.0.2" } })] }));
  expect(serviceOf(roster, "web").check).toBeUndefined();
  expect(roster.warnings).toHaveLength(1);
});

test("labels that do not go together are left out together, and those beside them count", () => {
  const roster = labelled({
    "rota.healthcheck.http": "/",
    "rota.healthcheck.http.port": "8080",
    "rota.healthcheck.tcp": "true",
    "rota.ttl": "7s",
  });
  expect(serviceOf(roster, "web")).toMatchObject({ ttl: 7, check: undefined });
  expect(roster.warnings).toHaveLength(3);
  expect(roster.warnings[0]).toContain(
    'label rota.healthcheck.http="/": does not go with rota.healthcheck.http.port: write only what has dots behind it',
  );
  expect(roster.warnings[1]).toContain("has 2 probes, tcp and http: write one");
});

test("of one container's mistakes five are told, cut, and with nothing that a terminal would obey", () => {
  const many = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`rota.wrong${at}`, "x"]));
  const { warnings } = labelled(many);
  expect(warnings).toHaveLength(6);
  expect(warnings.at(-1)).toBe("docker: container web: and 4 more");
  const [warning = ""] = labelled({ [`rota.ttl`]: `\u001B[2J\u202E\n${"x".repeat(900)}` }).warnings;
  expect(warning).toContain('label rota.ttl="?[2J??xxx');
  expect(warning.length).toBeLessThan(450);
});

test.each([
  [{ [`rota.labels.k`]: "x".repeat(253) }, true],
  [{ [`rota.labels.k`]: "x".repeat(254) }, false],
  [{ [`rota.labels.k`]: "x".repeat(1025) }, false],
  [{ [`rota.labels.${"k".repeat(243)}`]: "x" }, true],
  [{ [`rota.labels.${"k".repeat(244)}`]: "x" }, false],
  [{ "rota.aliases": Array.from({ length: 32 }, (_, at) => `a${at}`).join(",") }, true],
  [{ "rota.aliases": Array.from({ length: 33 }, (_, at) => `a${at}`).join(",") }, false],
  [Object.fromEntries(Array.from({ length: 64 }, (_, at) => [`rota.labels.k${at}`, "x"])), true],
  [Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`rota.labels.k${at}`, "x"])), false],
])("labels have bounds %#", (labels, isTaken) => {
  expect(labelled(labels).warnings.length === 0).toBe(isTaken);
});

test("ports and aliases that an engine tells have bounds, which are told", () => {
  const of = (count: number): ReturnType<typeof rosterOf> => {
    const some = Array.from(
      { length: count },
      (_, at) => ({ target: at + 1, protocol: "tcp", published: undefined }) as const,
    );
    const names = Array.from({ length: count / 2 }, (_, at) => `n${at}`).join(" ");
    return rosterOf({ containers: [container("web", { ports: some, on: { back: `10.1.0.2 ${names}` } })] });
  };
  expect(of(64).warnings).toEqual([]);
  expect(of(66).warnings).toEqual([
    "docker: container web: it has 33 aliases on back: the first 32 are names",
    "docker: container web: it has 66 ports: the first 64 have names",
  ]);
  expect(serviceOf(of(66), "web").ports).toHaveLength(64);
  expect(serviceOf(of(66), "web").networkAliases).toHaveLength(32);
});

test("rota.enable=false leaves a container out, though it may ask", () => {
  const roster = labelled({ "rota.enable": "false" });
  expect(show(roster)).toEqual([]);
  expect(roster.roster.clients).toHaveLength(1);
});

test("rota.service puts containers into one service, beside those of Compose", () => {
  const roster = rosterOf({
    containers: [
      container("a", { createdAt: 1, labels: { "rota.service": "web.shop" }, on: { back: "10.1.0.2" } }),
      container("b", { createdAt: 2, labels: compose("web", 1), on: { back: "10.1.0.3" } }),
      container("c", {
        createdAt: 3,
        labels: compose("web", 2, "shop", { "rota.service": "Api" }),
        on: { back: "10.1.0.4" },
      }),
    ],
  });
  expect(show(roster).filter((line) => !line.includes("alias"))).toEqual([
    "web.shop dnsrr on back",
    "  task a at 10.1.0.2@back",
    "  task b slot 1 at 10.1.0.3@back",
    "api dnsrr on back",
    "  task c slot 2 at 10.1.0.4@back",
  ]);
  expect(roster.roster.clients.map(({ namespace }) => formatPrefix(namespace))).toEqual(["shop", "shop", ""]);
});

test("where containers of a service disagree the oldest counts, and a slot is the older's", () => {
  const of = (name: string, createdAt: number, ttl: string): ReturnType<typeof container> =>
    container(name, {
      createdAt,
      labels: { "rota.service": "web", "rota.ttl": ttl, "rota.slot": "1" },
      on: { back: `10.1.0.${createdAt}` },
    });
  const roster = rosterOf({ containers: [of("new", 2, "9s"), of("old", 1, "7s")] });
  expect(serviceOf(roster, "web").ttl).toBe(7);
  expect(serviceOf(roster, "web").tasks.map(({ slot }) => slot)).toEqual([1, undefined]);
  expect(roster.warnings).toEqual([
    "docker: container new: its rota labels are not those of container old, which count for all of service web: give all the same, and start the oldest anew",
    'docker: container new: label rota.slot="1": an older container of service web has it: give each a number of its own',
  ]);
});

test("a container on the machine's network is where its label says, on all networks, and nowhere without", () => {
  const at = { networkId: idOf("host"), addresses: [], aliases: [] };
  const networks = [network("host", { driver: "host" }), network("back"), network("front")];
  const containers = [
    {
      ...container("a", { hostname: "machine", labels: { "rota.address": "10.9.0.5,fd00::5" } }),
      endpoints: [at],
    },
    { ...container("b"), endpoints: [at] },
  ];
  const roster = rosterOf({ networks, containers });
  expect(roster.roster.services.map(nameOf)).toEqual(["a"]);
  const id = shortIdOf("a");
  expect(taskNames(roster, "a"), "not the machine's").toEqual({ a: [`${id}@back`, `${id}@front`] });
  expect(
    serviceOf(roster, "a").tasks[0]?.addresses.map(
      ({ network, address }) => `${formatAddress(address)}@${network}`,
    ),
  ).toEqual(["10.9.0.5@back", "fd00::5@back", "10.9.0.5@front", "fd00::5@front"]);
});

test("of as many labels as fit into an image a few are told", { timeout: 10_000 }, () => {
  const labels = Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`rota.x${at}`, "1"]));
  const { warnings } = labelled(labels);
  expect(warnings).toHaveLength(6);
  expect(warnings.at(-1)).toMatch(/^docker: container web: and \d{5,} more$/);
});
