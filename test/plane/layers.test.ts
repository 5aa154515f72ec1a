import * as fc from "fast-check";
import { expect, test } from "vitest";
import { changedBetween, withChanges } from "../../src/plane/layers.ts";

interface Thing {
  readonly name: string;
}

const KEY = fc.constantFrom("a", "b", "c", "d", "e");
const CHANGES = fc
  .array(fc.tuple(KEY, fc.option(fc.string(), { nil: undefined })))
  .map((list) => new Map(list.map(([key, name]) => [key, name === undefined ? undefined : { name }])));

/** What a map is after changes, worked out without layers. */
function plainly(
  map: ReadonlyMap<string, Thing>,
  changes: ReadonlyMap<string, Thing | undefined>,
): Map<string, Thing> {
  const plain = new Map(map);
  for (const [key, value] of changes) if (value) plain.set(key, value);
  for (const [key, value] of changes) if (!value) plain.delete(key);
  return plain;
}

test("a map with changes is what a plain one would be with them, and the one before stays what it was", () => {
  fc.assert(
    fc.property(fc.array(CHANGES, { maxLength: 8 }), (story) => {
      let layered: ReadonlyMap<string, Thing> = new Map();
      let plain = new Map<string, Thing>();
      for (const changes of story) {
        const [before, were] = [layered, new Map(layered)];
        layered = withChanges(layered, changes);
        plain = plainly(plain, changes);
        expect(new Map(layered)).toEqual(plain);
        expect(layered.size).toBe(plain.size);
        for (const key of ["a", "b", "c", "d", "e", "f"]) {
          expect([layered.get(key), layered.has(key)]).toEqual([plain.get(key), plain.has(key)]);
        }
        expect(new Set(layered.keys())).toEqual(new Set(plain.keys()));
        expect(new Set(layered.values())).toEqual(new Set(plain.values()));
        const visited = new Map<string, Thing>();
        for (const [key, value] of layered) visited.set(key, value);
        expect(visited).toEqual(plain);
        expect(new Map(before)).toEqual(were);
      }
    }),
  );
});

test("what differs between two maps is found, whether or not one was made of the other", () => {
  fc.assert(
    fc.property(fc.array(CHANGES, { minLength: 2, maxLength: 6 }), fc.boolean(), (story, isPlain) => {
      let map: ReadonlyMap<string, Thing> = new Map();
      const maps = story.map((changes) => {
        map = withChanges(map, changes);
        return isPlain ? new Map(map) : map;
      });
      for (const old of maps) {
        for (const now of maps) {
          const keys = new Set([...old.keys(), ...now.keys()]);
          const different = [...keys].filter((key) => old.get(key) !== now.get(key));
          expect(changedBetween(old, now).toSorted()).toEqual(different.toSorted());
        }
      }
    }),
  );
});

test("what is another stands where the one before it stood, and what is new behind all", () => {
  const abc = new Map(["a", "b", "c"].map((name) => [name, { name }]));
  const changed = withChanges(
    abc,
    new Map([
      ["d", { name: "d" }],
      ["b", { name: "B" }],
      ["a", undefined],
    ]),
  );
  expect([...changed.values()].map(({ name }) => name)).toEqual(["B", "c", "d"]);
});

test("a thousand changes are kept beside a map, and become one with it beyond that", () => {
  const many = new Map(Array.from({ length: 5_000 }, (_, at) => [`k${at}`, { name: "" }]));
  let map: ReadonlyMap<string, Thing> = many;
  const copies: boolean[] = [];
  for (let change = 0; change < 1_001; change++) {
    map = withChanges(map, new Map([[`k${change}`, { name: "x" }]]));
    copies.push(map instanceof Map);
  }
  expect(copies.indexOf(true)).toBe(1_000);
  expect([...map.values()].filter(({ name }) => name === "x")).toHaveLength(1_001);
});
