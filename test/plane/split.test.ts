import { expect, test } from "vitest";
import { withChanges } from "../../src/plane/layers.ts";
import type { Frontend, PlaneService } from "../../src/plane/plane.ts";
import { createSift } from "../../src/plane/split.ts";

/** A service that publishes these ports. */
function service(...ports: readonly number[]): PlaneService {
  const common = { protocol: "tcp", balance: "weighted", affinityMs: 0, proxyProtocol: 0 } as const;
  const frontend = (port: number): Frontend => ({ ...common, kind: "published", port, backends: [] });
  return { name: "", vips: [], frontends: ports.map(frontend) };
}

/** Those above 1000. */
const isWanted = ({ port }: Frontend): boolean => port !== undefined && port > 1000;
const NONE: ReadonlySet<Frontend> = new Set();

const A = { a: service(80), b: service(80, 8080), c: service(8081), d: service(8082) };

test.each<[string, Readonly<Record<string, PlaneService>>]>([
  ["nothing else", A],
  ["another service", { ...A, c: service(8083, 80) }],
  ["one that is wanted no more", { ...A, b: service(80) }],
  ["one that is wanted now, between others", { ...A, a: service(8080) }],
  ["one that comes", { ...A, e: service(8084) }],
  ["one that goes", { a: A.a, c: A.c, d: A.d }],
])("what is left after a change is what would be left without anything before it: %s", (_, changed) => {
  const sift = createSift(isWanted);
  sift(new Map(Object.entries(A)), NONE);
  const left = sift(new Map(Object.entries(changed)), NONE);
  expect([...left]).toEqual([...createSift(isWanted)(new Map(Object.entries(changed)), NONE)]);
  const again = sift(new Map(Object.entries(A)), NONE);
  expect([...again]).toEqual([...createSift(isWanted)(new Map(Object.entries(A)), NONE)]);
});

test("where nothing that is wanted changes, what is left is the same", () => {
  const sift = createSift(isWanted);
  const services: ReadonlyMap<string, PlaneService> = new Map(Object.entries(A));
  const left = sift(services, NONE);
  expect(sift(withChanges(services, new Map([["a", service(81)]])), NONE)).toBe(left);
});

test("what is kept from it is left out for as long as it is kept", () => {
  const sift = createSift(isWanted);
  const services = new Map(Object.entries(A));
  const kept = sift(services, new Set(A.c.frontends));
  expect(kept.get("c")?.frontends).toEqual([]);
  expect(kept.get("d")).toBe(A.d);
  expect(sift(services, NONE).get("c")).toBe(A.c);
});
