import { expect, test } from "vitest";
import { parseSubnet } from "../../../src/model/address.ts";
import { elementsOf } from "../../../src/plane/nftables/diff.ts";
import { MAX_BACKENDS } from "../../../src/plane/nftables/slots.ts";
import { render } from "../../../src/plane/nftables/ruleset.ts";
import { OPEN_TERRAIN } from "../../../src/plane/nftables/terrain.ts";
import { renderText } from "../../../src/plane/nftables/text.ts";
import type { PlaneState } from "../../../src/plane/plane.ts";
import { testNeeding } from "../../needing.ts";
import { runnerIn } from "../../../src/plane/command.ts";
import { backend, published, service, stateOf, vip } from "./states.ts";

const A = backend("10.61.1.11", 8080);
const B = backend("10.61.1.12", 8080);
const A6 = backend("fd61::11", 8080);

/** What leads to tasks, as `set key value`, without the numbers by which it does. */
function elements(state: PlaneState, terrain = OPEN_TERRAIN): string[] {
  return [...elementsOf(render(state, terrain)).values()]
    .filter(({ set }) => !/^(?:pools|slots)/.test(set))
    .map(({ set, key, value }) =>
      `${set} ${key} ${value}`.trim().replace(/ \. [89a-f][0-9a-f]{3}:[0-9a-f]+ /, " # "),
    );
}

function classes(state: PlaneState): string[] {
  return [...render(state, OPEN_TERRAIN).classes.keys()];
}

function troubles(state: PlaneState): string[] {
  return [...render(state, OPEN_TERRAIN).services.values()].flatMap((one) =>
    one.troubles.map(({ message }) => message),
  );
}

const LEADS: readonly (readonly [what: string, state: PlaneState, elements: readonly string[]])[] = [
  [
    "a port of a VIP",
    stateOf(service("web", vip("10.64.0.1", 80, [A]))),
    [
      "tasks-vip4-tcp 10.64.0.1 . 80 # 10.61.1.11 . 8080",
      "vip4 10.64.0.1 . tcp . 80 goto vip4-tcp-random-1",
      "vips4 10.64.0.1",
      "local4 10.61.1.11 . 10.61.1.11",
    ],
  ],
  [
    "a port of an IPv6 VIP, to a task of another node at the port that was asked for",
    stateOf(
      service(
        "web",
        vip("fd64::1", 53, [backend("fd61::11", undefined, { node: "n2" })], { protocol: "udp" }),
      ),
    ),
    [
      "tasks-vip6-udp fd64::1 . 53 # fd61::11 . 53",
      "vip6 fd64::1 . udp . 53 goto vip6-udp-random-1",
      "vips6 fd64::1",
      "remote6 fd61::11",
    ],
  ],
  [
    "all ports of a VIP",
    stateOf(service("web", vip("10.64.0.1", undefined, [backend("10.61.1.11")]))),
    [
      "tasks-any4 10.64.0.1 # 10.61.1.11",
      "any4 10.64.0.1 goto any4-random-1",
      "vips4 10.64.0.1",
      "local4 10.61.1.11 . 10.61.1.11",
    ],
  ],
  [
    "a published port, by each family to its own tasks",
    stateOf(service("web", published(80, [A, A6]))),
    [
      "tasks-pub4-tcp 80 # 10.61.1.11 . 8080",
      "pub4 tcp . 80 goto pub4-tcp-random-1",
      "tasks-pub6-tcp 80 # fd61::11 . 8080",
      "pub6 tcp . 80 goto pub6-tcp-random-1",
      "local4 10.61.1.11 . 10.61.1.11",
      "local6 fd61::11 . fd61::11",
    ],
  ],
  [
    "a VIP without tasks: it is there, and its ports are not",
    stateOf(service("web", vip("10.64.0.1", 80, []))),
    ["vips4 10.64.0.1"],
  ],
  [
    "a published port without tasks: it is closed",
    stateOf(service("web", published(80, [backend("10.61.1.11", 8080, { duty: "down" })]))),
    ["closed4 tcp . 80", "closed6 tcp . 80", "local4 10.61.1.11 . 10.61.1.11"],
  ],
  [
    "a task that drains: it is counted, and nobody is led to it",
    stateOf(service("web", vip("10.64.0.1", 80, [{ ...A, duty: "draining" }]))),
    [
      "tasks-vip4-tcp 10.64.0.1 . 80 # 10.61.1.11 . 8080",
      "vips4 10.64.0.1",
      "local4 10.61.1.11 . 10.61.1.11",
    ],
  ],
  [
    "a task that drains, with affinity: no client may find it",
    stateOf(service("web", vip("10.64.0.1", 80, [{ ...A, duty: "draining" }], { affinityMs: 1000 }))),
    ["vips4 10.64.0.1", "local4 10.61.1.11 . 10.61.1.11"],
  ],
];
for (const [what, state, wanted] of LEADS) {
  test(`what leads to ${what}`, () => {
    expect(elements(state)).toEqual(wanted);
  });
}

const CLASSES: readonly (readonly [what: string, state: PlaneState, chain: string])[] = [
  [
    "weighted 3:1",
    stateOf(service("web", vip("10.64.0.1", 80, [{ ...A, weight: 3 }, B]))),
    "vip4-tcp-random-4",
  ],
  [
    "random, which knows no weights",
    stateOf(service("web", vip("10.64.0.1", 80, [{ ...A, weight: 3 }, B], { balance: "random" }))),
    "vip4-tcp-random-2",
  ],
  [
    "without the weightless",
    stateOf(service("web", vip("10.64.0.1", 80, [{ ...A, weight: 0 }, B]))),
    "vip4-tcp-random-1",
  ],
  [
    "source",
    stateOf(service("web", vip("10.64.0.1", 80, [A, B], { balance: "source" }))),
    "vip4-tcp-source-64",
  ],
  [
    "affinity",
    stateOf(service("web", vip("10.64.0.1", 80, [A, B], { affinityMs: 90_000 }))),
    "vip4-tcp-random-2-keep-90000ms",
  ],
];
for (const [what, state, chain] of CLASSES) {
  test(`the class of ${what} is ${chain}`, () => {
    expect(classes(state)).toEqual([chain]);
  });
}

test("frontends in turn are spread over turns of their own", () => {
  const services = Array.from({ length: 30 }, (_, at) =>
    service(`web${at}`, vip(`10.64.0.${at + 1}`, 80, [A, B], { balance: "rotate" })),
  );
  expect(classes(stateOf(...services)).length).toBeGreaterThan(15);
});

test("two tasks at one place get the share of both", () => {
  const state = stateOf(service("web", vip("10.64.0.1", 80, [A, { ...A, task: "twin" }, B])));
  expect(classes(state)).toEqual(["vip4-tcp-random-3"]);
});

const TROUBLES: readonly (readonly [what: string, state: PlaneState, trouble: RegExp])[] = [
  [
    "leastconn",
    stateOf(service("web", vip("10.64.0.1", 80, [A], { balance: "leastconn" }))),
    /^web: nftables counts no open flows, so 10\.64\.0\.1:80\/tcp is balanced by weight; for leastconn use /,
  ],
  [
    "a PROXY header",
    stateOf(service("web", published(80, [A], { proxyProtocol: 2 }))),
    /^web: port 80\/tcp is not carried: nftables sends tasks no PROXY header; /,
  ],
  [
    "tasks on loopback",
    stateOf(service("web", published(80, [backend("127.0.0.1", 8080), A]))),
    /^web: port 80\/tcp does not lead to tasks on loopback, as 127\.0\.0\.1: /,
  ],
  [
    "a port that another has",
    stateOf(service("web", published(80, [A])), service("shop", published(80, [B]))),
    /^shop: port 80\/tcp is not carried: another service has it already; /,
  ],
  [
    "a port that it has twice",
    stateOf(service("web", published(80, [A]), published(80, [B]))),
    /^web: port 80\/tcp is not carried: the same service has it already; /,
  ],
  [
    "more tasks than can be",
    stateOf(
      service(
        "web",
        vip(
          "10.64.0.1",
          80,
          Array.from({ length: MAX_BACKENDS + 1 }, (_, at) => backend(`10.9.${at >> 8}.${at & 255}`, 80)),
        ),
      ),
    ),
    /^web: of the 1025 tasks of 10\.64\.0\.1:80\/tcp, 1024 are given flows; /,
  ],
];
for (const [what, state, trouble] of TROUBLES) {
  test(`of ${what} it is told what becomes of it`, () => {
    expect(troubles(state)).toEqual([expect.stringMatching(trouble)]);
  });
}

test("as many tasks as can be are no trouble", () => {
  const backends = Array.from({ length: MAX_BACKENDS }, (_, at) =>
    backend(`10.9.${at >> 8}.${at & 255}`, 80),
  );
  expect(troubles(stateOf(service("web", vip("10.64.0.1", 80, backends))))).toEqual([]);
});

test("the first in the state has a port that two want, and the other when it is gone", () => {
  const [web, shop] = [service("web", published(80, [A])), service("shop", published(80, [B]))];
  const both = stateOf(web, shop);
  const wanted = (state: PlaneState): string[] => elements(state).filter((line) => line.startsWith("tasks-"));
  expect(wanted(both)).toEqual(["tasks-pub4-tcp 80 # 10.61.1.11 . 8080"]);
  const alone = render(stateOf(shop), OPEN_TERRAIN, render(both, OPEN_TERRAIN));
  expect([...elementsOf(alone)]).toEqual([...elementsOf(render(stateOf(shop), OPEN_TERRAIN))]);
});

test("pools on loopback, within others or led elsewhere are not carried, nor are the latter's VIPs", () => {
  const state = {
    ...stateOf(service("web", vip("10.64.0.1", 80, [A]), vip("10.65.0.1", 80, [A]))),
    pools: ["127.64.0.0/16", "10.64.0.0/24", "10.64.0.0/16", "10.65.0.0/16"].map(parseSubnet),
  };
  const ruleset = render(state, { ...OPEN_TERRAIN, elsewhere: [parseSubnet("10.65.0.0/16")] });
  expect(ruleset.base.map(({ key }) => key)).toEqual(["10.64.0.0/16"]);
  expect([...elementsOf(ruleset).keys()].filter((key) => key.includes("10.65."))).toEqual([]);
});

test("nothing of IPv6 is carried where there is none", () => {
  const state = stateOf(service("web", vip("fd64::1", 80, [A6]), published(80, [A, A6])));
  const keys = [...elementsOf(render(state, { ...OPEN_TERRAIN, hasIpv6: false })).keys()];
  expect(keys.filter((key) => /^\S*6/.test(key.split(" ")[0]?.replace("pools", "") ?? ""))).toEqual([]);
  expect(keys).toContain("pub4 tcp . 80");
});

test("rules of a service that did not change are the same object", () => {
  const [web, shop] = [service("web", published(80, [A])), service("shop", published(81, [B]))];
  const before = render(stateOf(web, shop), OPEN_TERRAIN);
  const after = render(stateOf(web, service("shop", published(82, [B]))), OPEN_TERRAIN, before);
  expect(after.services.get("web")).toBe(before.services.get("web"));
  expect(after.services.get("shop")).not.toBe(before.services.get("shop"));
});

testNeeding({ root: true, programs: ["nft", "unshare"] })(
  "nft takes the text of every kind of frontend",
  async () => {
    const kinds = (["weighted", "rotate", "random", "leastconn", "source"] as const).flatMap((balance, at) =>
      [0, 60_000].map((affinityMs, place) => {
        const more = { balance, affinityMs };
        const [low, port] = [at * 2 + place + 1, 8000 + at * 2 + place];
        return service(
          `s${low}`,
          vip(`10.64.0.${low}`, 80, [A, B], more),
          vip(`10.64.0.${low}`, 80, [A, B], { ...more, protocol: "udp" }),
          vip(`10.64.1.${low}`, undefined, [backend("10.61.1.11")], more),
          vip(`fd64::${low}`, 80, [A6], more),
          vip(`fd64::1${low}`, undefined, [backend("fd61::11")], more),
          published(port, [A, A6], more),
          published(port, [A, A6], { ...more, protocol: "udp" }),
        );
      }),
    );
    const text = renderText(stateOf(...kinds, service("none", published(79, []))));
    expect(text).toContain("10.64.0.0/16");
    // -c does not change anything; in a namespace of its own it could not, either.
    await runnerIn(["unshare", "--net"])("nft", ["-c", "-f", "-"], { input: text });
  },
);
