import { expect, test } from "vitest";
import { parseAddress } from "../../../src/model/address.ts";
import { elementsOf } from "../../../src/plane/nftables/diff.ts";
import { render } from "../../../src/plane/nftables/ruleset.ts";
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

test.each<[string, Readonly<Record<string, PlaneService>>, boolean]>([
  ["another task of one service", { ...A, b: service(2, 11, 12, 15) }, true],
  ["fewer tasks, of a class that is not there yet", { ...A, b: service(2, 11) }, true],
  ["no task at all", { ...A, b: service(2) }, true],
  ["several services", { a: service(1, 12), b: service(2, 11), c: service(3, 13, 14) }, true],
  ["another VIP, which none has", { ...A, b: service(9, 11) }, false],
  ["another VIP, which another has", { ...A, b: service(1, 11) }, false],
  ["another order", { b: A.b, a: A.a, c: A.c }, false],
  ["a service more", { ...A, d: service(4, 11) }, false],
  ["a service less", { a: A.a, c: A.c }, false],
])("what is worked out from the state before is what would be without it: %s", (_, changed, isAmended) => {
  const before = render(stateOf(A), OPEN_TERRAIN);
  const after = render(stateOf(changed), OPEN_TERRAIN, before);
  const anew = render(stateOf(changed), OPEN_TERRAIN);
  expect(elementsOf(after)).toEqual(elementsOf(anew));
  for (const [chain, kind] of anew.classes) expect(after.classes.get(chain)).toEqual(kind);
  expect(after.age).toBe(isAmended ? 1 : 0);
});

test("classes that nobody needs any more are forgotten in the end", () => {
  let ruleset = render(stateOf(A), OPEN_TERRAIN);
  for (let change = 0; change < 65; change++) {
    const b = change === 0 ? service(2, 11, 12, 13, 14, 15, 16, 17) : service(2, 11 + (change % 2));
    ruleset = render(stateOf({ ...A, b }), OPEN_TERRAIN, ruleset);
  }
  expect(ruleset.age).toBe(0);
  expect([...ruleset.classes.keys()].filter((chain) => chain.includes("7"))).toEqual([]);
});
