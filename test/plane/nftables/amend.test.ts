import { expect, test } from "vitest";
import { parseAddress } from "../../../src/model/address.ts";
import { withChanges } from "../../../src/plane/layers.ts";
import { elementsOf } from "../../../src/plane/nftables/diff.ts";
import { render, type Ruleset } from "../../../src/plane/nftables/ruleset.ts";
import { OPEN_TERRAIN } from "../../../src/plane/nftables/terrain.ts";
import type { PlaneService, PlaneState } from "../../../src/plane/plane.ts";

/** A service whose VIP and tasks are told by numbers: `service(1, 2, 3)` is 10.64.0.1 with two tasks. */
function service(vip: number, ...tasks: readonly number[]): PlaneService {
  const address = parseAddress(`10.64.0.${vip}`);
  const backends = tasks.map((task) => ({
    task: `t${task}`,
    address: parseAddress(`10.61.0.${task}`),
    port: 8080,
    weight: 1,
    duty: "serving" as const,
    node: undefined,
  }));
  const common = { protocol: "tcp", balance: "weighted", affinityMs: 0, proxyProtocol: 0 } as const;
  const frontend = { ...common, kind: "vip", vip: address, network: "front", port: 80, backends } as const;
  return { name: `s${vip}`, vips: [address], frontends: [frontend] };
}

const stateOf = (services: Readonly<Record<string, PlaneService>>): PlaneState => ({
  services: new Map(Object.entries(services)),
  pools: [],
  peers: new Map(),
});

const A = { a: service(1, 11, 12), b: service(2, 11, 12, 13), c: service(3, 14) };

test.each<[string, Readonly<Record<string, PlaneService>>]>([
  ["another task of one service", { ...A, b: service(2, 11, 12, 15) }],
  ["fewer tasks, of a class that is not there yet", { ...A, b: service(2, 11) }],
  ["no task at all", { ...A, b: service(2) }],
  ["several services", { a: service(1, 12), b: service(2, 11), c: service(3, 13, 14) }],
  ["another VIP, which none has", { ...A, b: service(9, 11) }],
  ["another VIP, which another has", { ...A, b: service(1, 11) }],
  ["two that give each other their VIPs", { ...A, a: service(2, 11), b: service(1, 11) }],
  ["another order", { b: A.b, a: A.a, c: A.c }],
  ["a service more", { ...A, d: service(4, 11) }],
  ["a service more, with the VIP of another", { ...A, d: service(1, 15) }],
  ["a service less", { a: A.a, c: A.c }],
  ["one that goes, and one that comes with its VIP", { a: A.a, c: A.c, d: service(2, 11) }],
])("what is worked out from the state before is what would be without it: %s", (_, changed) => {
  const before = render(stateOf(A), OPEN_TERRAIN);
  const after = render(stateOf(changed), OPEN_TERRAIN, before);
  expectAsAnew(after, changed);
  expectAsAnew(render(stateOf(A), OPEN_TERRAIN, after), A);
});

test("of two that want one place the first has it, also when they change places and when it goes", () => {
  const [first, second] = [service(1, 11), service(1, 12)];
  const story = [{ a: first, b: second }, { b: second, a: first }, { a: first }, { a: first, b: second }];
  let ruleset = render(stateOf({ b: second }), OPEN_TERRAIN);
  for (const services of story) {
    ruleset = render(stateOf(services), OPEN_TERRAIN, ruleset);
    expectAsAnew(ruleset, services);
  }
});

test("only services that differ are looked at, however many there are", () => {
  const before = render(stateOf(A), OPEN_TERRAIN);
  const services = withChanges(stateOf(A).services, new Map());
  const asked: string[] = [];
  const watched = withChanges(services, new Map([["b", service(2, 11)]]));
  const from = { ...before, of: services, services: spied(before.services, asked) };
  render({ services: watched, pools: [], peers: new Map() }, OPEN_TERRAIN, from);
  expect(new Set(asked)).toEqual(new Set(["b"]));
});

test("classes that nobody needs any more are forgotten", () => {
  const before = render(stateOf({ ...A, b: service(2, 11, 12, 13, 14, 15, 16, 17) }), OPEN_TERRAIN);
  expect([...before.classes.keys()].filter((chain) => chain.includes("7"))).toHaveLength(1);
  const after = render(stateOf(A), OPEN_TERRAIN, before);
  expect([...after.classes.keys()].filter((chain) => chain.includes("7"))).toEqual([]);
});

function expectAsAnew(ruleset: Ruleset, services: Readonly<Record<string, PlaneService>>): void {
  const anew = render(stateOf(services), OPEN_TERRAIN);
  expect(elementsOf(ruleset)).toEqual(elementsOf(anew));
  expect(new Map(ruleset.classes)).toEqual(new Map(anew.classes));
  expect([ruleset.carried, ruleset.lost]).toEqual([anew.carried, anew.lost]);
  expect(new Map(ruleset.troubles)).toEqual(new Map(anew.troubles));
}

/** The same map, which notes what it is asked for. */
function spied<Value>(map: ReadonlyMap<string, Value>, asked: string[]): ReadonlyMap<string, Value> {
  return new (class extends Map<string, Value> {
    override get(key: string): Value | undefined {
      asked.push(key);
      return super.get(key);
    }
  })(map);
}
