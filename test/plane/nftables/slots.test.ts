import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  MAX_BACKENDS,
  type Share,
  slotsByHash,
  slotsByWeight,
  slotsInTurn,
  WEIGHTED_SLOTS,
} from "../../../src/plane/nftables/slots.ts";

function shares(...weights: readonly number[]): readonly Share[] {
  return weights.map((weight, at) => ({ key: String.fromCharCode(97 + at), weight }));
}

function equal(count: number): readonly Share[] {
  return Array.from({ length: count }, (_, at) => ({ key: `task ${at}`, weight: 5 }));
}

function letters(slots: readonly Share[]): string {
  return slots.map(({ key }) => key).join("");
}

function counts(slots: readonly Share[]): number[] {
  const byKey = new Map<string, number>();
  for (const { key } of slots) byKey.set(key, (byKey.get(key) ?? 0) + 1);
  return [...byKey.keys()].toSorted().map((key) => byKey.get(key) ?? 0);
}

const BY_WEIGHT: readonly (readonly [weights: readonly number[], slots: string])[] = [
  [[], ""],
  [[9], "a"],
  [[1, 1, 1], "abc"],
  [[100, 100], "ab"],
  [[5, 1, 1], "aabacaa"], // nginx's own example
  [[20, 10], "aba"],
  [[63, 1], `${"a".repeat(32)}b${"a".repeat(31)}`],
];
for (const [weights, slots] of BY_WEIGHT) {
  test(`slots by weight ${weights.join(":")} are ${slots}`, () => {
    expect(letters(slotsByWeight(shares(...weights)))).toBe(slots);
  });
}

const ROUNDED: readonly (readonly [weights: readonly number[], counts: readonly number[]])[] = [
  [
    [64, 1],
    [63, 1],
  ],
  [
    [65_535, 1],
    [63, 1],
  ],
  [
    [65_535, 65_534],
    [32, 32],
  ],
  [
    [100, 50, 33],
    [35, 17, 12],
  ],
];
for (const [weights, wanted] of ROUNDED) {
  test(`weights ${weights.join(":")}, which take more slots than there are, get ${wanted.join(", ")}`, () => {
    expect(counts(slotsByWeight(shares(...weights)))).toEqual(wanted);
  });
}

test("every share has a slot, and there are few, whatever the weights", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 65_535 }), { minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(weights, (some) => {
      const slots = slotsByWeight(some.map((weight, at) => ({ key: String(at), weight })));
      expect(new Set(slots).size).toBe(some.length);
      expect(slots.length).toBeLessThanOrEqual(Math.max(WEIGHTED_SLOTS, some.length));
    }),
  );
});

test("beyond as many shares as slots, each has one", () => {
  expect(counts(slotsByWeight(shares(...Array.from({ length: 64 }, (_, at) => at + 1))))).toEqual(
    Array.from({ length: 64 }, () => 1),
  );
});

for (const fill of [slotsInTurn, slotsByWeight, slotsByHash]) {
  test(`${fill.name} takes ${MAX_BACKENDS} shares, and no more`, () => {
    const all = equal(MAX_BACKENDS + 1);
    expect(fill(all).includes(all[MAX_BACKENDS] ?? fail())).toBe(false);
    expect(fill(all)).toHaveLength(MAX_BACKENDS);
  });
}

function fail(): never {
  throw new Error("there is no such share");
}

for (const [count, slots] of [
  [1, 64],
  [32, 64],
  [33, 256],
  [256, 256],
  [257, 1024],
] as const) {
  test(`by hash, ${count} shares have ${slots} slots`, () => {
    expect(slotsByHash(equal(count))).toHaveLength(slots);
  });
}

test("by hash, a share that goes leaves its own slots alone to others", () => {
  const all = equal(7);
  const [before, after] = [slotsByHash(all), slotsByHash(all.slice(1))];
  const moved = before.filter((share, slot) => share !== after[slot]);
  expect(new Set(moved)).toEqual(new Set([all[0]]));
});

test("by hash, shares have slots by their weights", () => {
  const slots = slotsByHash([...equal(256).slice(0, 200), { key: "heavy", weight: 50 }]);
  const heavy = slots.filter(({ key }) => key === "heavy").length;
  expect(heavy).toBeGreaterThan(4); // 256 * 50 / 1050 is 12; equal ones have one or two
});
