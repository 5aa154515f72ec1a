import { expect, test } from "vitest";
import { formatAddress, formatSubnet } from "../../../src/model/address.ts";
import { formatPrefix } from "../../../src/model/name.ts";
import { createEngineRoster } from "../../../src/sources/docker/roster.ts";
import {
  compose,
  container,
  idOf,
  nameOf,
  network,
  rosterOf,
  shortIdOf,
  show,
  showVerdicts,
  snapshot,
  taskNames,
} from "./snapshots.ts";

const web = (number: number, told: object = {}): ReturnType<typeof container> =>
  container(`shop-web-${number}`, {
    labels: compose("web", number),
    on: { shop_default: `10.3.0.${number} web` },
    ...told,
  });

test("a container is a service of its own under its name, on all of its networks with both families", () => {
  const roster = rosterOf({
    containers: [
      container("C1.net_1", { hostname: "box", on: { front: "10.2.0.2,fd00::2 db", back: "10.1.0.2" } }),
    ],
  });
  expect(show(roster)).toEqual([
    "c1.net_1 dnsrr on back front",
    "  alias db@front",
    "  task c1.net_1 at 10.1.0.2@back 10.2.0.2@front fd00::2@front",
  ]);
  const id = shortIdOf("C1.net_1");
  expect(taskNames(roster, "c1.net_1")).toEqual({
    "c1.net_1": [`${id}@back`, "box@back", `${id}@front`, "box@front"],
  });
});

test("containers of a Compose service are its tasks, by their numbers, and share what all of them are called", () => {
  const roster = rosterOf({
    containers: [web(1), web(2, { on: { shop_default: "10.3.0.2 web canary" } })],
  });
  expect(show(roster)).toEqual([
    "web.shop dnsrr on shop_default",
    "  alias web@shop_default",
    "  task shop-web-1 slot 1 at 10.3.0.1@shop_default",
    "  task shop-web-2 slot 2 at 10.3.0.2@shop_default",
  ]);
  expect(taskNames(roster, "web.shop")).toEqual({
    "shop-web-1": [`shop-web-1@shop_default`, `${shortIdOf("shop-web-1")}@shop_default`],
    "shop-web-2": [
      `shop-web-2@shop_default`,
      `${shortIdOf("shop-web-2")}@shop_default`,
      `canary@shop_default`,
    ],
  });
});

test("a one-off container of Compose is in no service, and asks as its project does", () => {
  const once = compose("web", 1, "shop", { "com.docker.compose.oneoff": "True" });
  const roster = rosterOf({ containers: [container("run", { labels: once, on: { back: "10.1.0.9" } })] });
  expect(show(roster)).toEqual(["run dnsrr on back", "  task run at 10.1.0.9@back"]);
  expect(roster.roster.clients.map(({ namespace }) => formatPrefix(namespace))).toEqual(["shop"]);
});

test.each([
  ["running", "none", false, ["web.shop shop-web-1 passing"], false],
  ["running", "starting", false, ["web.shop shop-web-1 starting"], true],
  ["running", "healthy", false, ["web.shop shop-web-1 passing"], true],
  ["running", "unhealthy", false, ["web.shop shop-web-1 failing"], true],
  ["running", "none", true, ["web.shop shop-web-1 down, passing"], false],
  ["paused", "none", false, ["web.shop shop-web-1 down, passing"], false],
  ["paused", "healthy", false, ["web.shop shop-web-1 down, passing"], true],
  ["created", "none", false, [], undefined],
  ["restarting", "none", false, [], undefined],
  ["removing", "none", false, [], undefined],
  ["exited", "none", false, [], undefined],
  ["dead", "none", false, [], undefined],
] as const)("%s, %s, stopping %s: %j", (state, health, isStopping, verdicts, isChecked) => {
  const roster = rosterOf({ containers: [web(1, { state, health, isStopping })] });
  expect(roster.roster.services.map(nameOf)).toEqual(["web.shop"]);
  expect(showVerdicts(roster)).toEqual(verdicts);
  expect(roster.roster.services[0]?.tasks[0]?.isChecked).toBe(isChecked);
});

test("where Rota checks, the engine has no say but that a task is down", () => {
  const labels = compose("web", 1, "shop", { "rota.healthcheck.tcp": "80" });
  const states = (["running", "paused"] as const).map((state) => {
    const roster = rosterOf({ containers: [web(1, { labels, state, health: "unhealthy" })] });
    return [showVerdicts(roster), roster.roster.services[0]?.tasks[0]?.isChecked];
  });
  expect(states).toEqual([
    [[], true],
    [["web.shop shop-web-1 down"], true],
  ]);
});

test("a stopped container's service stays, without tasks, and so do its aliases", () => {
  const roster = rosterOf({ containers: [web(1, { state: "exited", on: { shop_default: "- web www" } })] });
  expect(show(roster)).toEqual([
    "web.shop dnsrr on shop_default",
    "  alias web@shop_default",
    "  alias www@shop_default",
  ]);
});

test("an alias of several containers leads to all of them, on that network alone", () => {
  const roster = rosterOf({
    containers: [
      container("a", { on: { back: "10.1.0.2 search", front: "10.2.0.2 search" } }),
      container("b", { on: { back: "10.1.0.3 search" }, health: "unhealthy" }),
      container("c", { on: { back: "- search" }, state: "exited" }),
    ],
  });
  expect(show(roster)).toEqual([
    "a dnsrr on back front",
    "  alias search@front",
    "  task a at 10.1.0.2@back 10.2.0.2@front",
    "b dnsrr on back",
    "  task b at 10.1.0.3@back",
    "c dnsrr on back",
    "search.back dnsrr on back",
    "  alias search@back",
    "  task a at 10.1.0.2@back",
    "  task b at 10.1.0.3@back",
  ]);
  expect(showVerdicts(roster)).toContain("search.back b failing");
});

test("whoever stopped has no say in whose an alias is while others run", () => {
  const roster = rosterOf({
    containers: [
      container("a", { on: { back: "- search" }, state: "exited" }),
      container("b", { on: { back: "10.1.0.3 search" } }),
    ],
  });
  expect(show(roster)).toEqual([
    "a dnsrr on back",
    "b dnsrr on back",
    "  alias search@back",
    "  task b at 10.1.0.3@back",
  ]);
});

test("some but not all containers of a service share an alias: it leads to those", () => {
  const roster = rosterOf({
    containers: [1, 2, 3].map((n) => web(n, n < 3 ? { on: { shop_default: `10.3.0.${n} web blue` } } : {})),
  });
  expect(show(roster).slice(-4), "behind the service itself, whose the addresses are").toEqual([
    "blue.shop_default.shop dnsrr on shop_default",
    "  alias blue@shop_default",
    "  task shop-web-1 at 10.3.0.1@shop_default",
    "  task shop-web-2 at 10.3.0.2@shop_default",
  ]);
});

test("an alias of two namespaces stays with each, the older first", () => {
  const roster = rosterOf({
    containers: [
      container("b-db-1", { createdAt: 1, labels: compose("db", 1, "b"), on: { back: "10.1.0.2 db" } }),
      container("a-db-1", { createdAt: 2, labels: compose("db", 1, "a"), on: { back: "10.1.0.3 db" } }),
    ],
  });
  expect(show(roster).filter((line) => !line.includes("task"))).toEqual([
    "db.b dnsrr on back",
    "  alias db@back",
    "db.a dnsrr on back",
    "  alias db@back",
  ]);
});

test("what cannot be asked for is no name, and nobody is told", () => {
  const roster = rosterOf({
    containers: [
      container("a", {
        hostname: "-bad",
        on: { back: `10.1.0.2 _http._tcp.web a..b ${"x".repeat(64)} tab\there ok` },
      }),
    ],
  });
  expect(show(roster)[1]).toBe("  alias ok@back");
  expect(show(roster)).toHaveLength(3);
  expect(taskNames(roster, "a")).toEqual({ a: [`${shortIdOf("a")}@back`] });
  expect(roster.warnings).toEqual([]);
});

test("names that differ in case alone make two services, and two tasks", () => {
  const roster = rosterOf({
    containers: [
      container("Web", { createdAt: 1, on: { back: "10.1.0.2" } }),
      container("web", { createdAt: 2, on: { back: "10.1.0.3" } }),
    ],
  });
  expect(showVerdicts(roster)).toEqual(["web web passing", `web ${shortIdOf("web")} passing`]);
});

test("networks are those that somebody meets on; of one name, the second has its id behind", () => {
  const twin = network("back", { id: `f${idOf("x")}` });
  const { roster, warnings } = rosterOf({
    networks: [
      network("none", { driver: "null" }),
      network("host", { driver: "host" }),
      network("ingress", { isIngress: true }),
      network("default"),
      twin,
      network("back", { id: "0", subnets: ["10.1.0.0/16", "10.1.0.0/99", "fd00::/64"] }),
    ],
  });
  expect(roster.networks.map(({ name, subnets, vips }) => [name, subnets.map(formatSubnet), vips])).toEqual([
    ["back", ["10.1.0.0/16", "fd00::/64"], []],
    [`back-${twin.id.slice(0, 12)}`, [], []],
    [`default-${shortIdOf("default")}`, [], []],
  ]);
  expect(warnings).toEqual([
    'docker: network back: its subnet "10.1.0.0/99" cannot be read, and is left out',
  ]);
});

test("whoever runs may ask, from each of its addresses and the node's, with all that it is on", () => {
  const { roster } = rosterOf({
    containers: [
      web(1, {
        on: { shop_default: "10.3.0.1", back: "10.1.0.1,fd00::1" },
        gatewayAddresses: ["172.18.0.3"],
      }),
      container("gone", { on: { back: "10.1.0.7" }, state: "exited" }),
    ],
  });
  expect(
    roster.clients.map(({ address, networks, namespace }) => [
      formatAddress(address),
      networks.join(" "),
      formatPrefix(namespace),
    ]),
  ).toEqual(
    ["10.1.0.1", "fd00::1", "10.3.0.1", "172.18.0.3"].map((address) => [
      address,
      "back shop_default",
      "shop",
    ]),
  );
});

test("what says the same is the same object again, and what does not is another", () => {
  const map = createEngineRoster();
  const sick = map(
    snapshot({ containers: [web(1, { health: "unhealthy" }), container("a", { on: { back: "10.1.0.2" } })] }),
  ).roster;
  const well = map(
    snapshot({ containers: [web(1, { health: "healthy" }), container("a", { on: { back: "10.1.0.2" } })] }),
  ).roster;
  expect(well, "a verdict is no declaration").toBe(sick);
  const first = map(snapshot({ containers: [web(1), container("a", { on: { back: "10.1.0.2" } })] })).roster;
  const again = map(snapshot({ containers: [container("a", { on: { back: "10.1.0.2" } }), web(1)] })).roster;
  expect(again).toBe(first);
  const grown = map(
    snapshot({ containers: [web(1), web(2), container("a", { on: { back: "10.1.0.2" } })] }),
  ).roster;
  expect(grown).not.toBe(first);
  expect(grown.networks[0]).toBe(first.networks[0]);
  const isKept = grown.services.map((service) => [nameOf(service), first.services.includes(service)]);
  expect(isKept).toEqual([
    ["a", true],
    ["web.shop", false],
  ]);
});

test("a task's network namespace is that of its container's first process, while it has one of its own", () => {
  const roster = rosterOf({ containers: [web(1, { pid: 4711 }), web(2, { pid: 0 })] });
  const tasks = roster.roster.services.flatMap((service) => service.tasks);
  expect(tasks.map(({ netns }) => netns)).toEqual(["/proc/4711/ns/net", undefined]);
});
