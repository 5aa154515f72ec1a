import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fnvOf } from "../../src/base/hash.ts";
import { createPresence, mayExist } from "../../src/registry/presence.ts";

const SETTLE = "settle";

test("whatever comes and goes, no name that exists is said not to", () => {
  const names = fc.constantFrom(SETTLE, ...Array.from({ length: 40 }, (_, at) => `name-${at}`));
  fc.assert(
    fc.property(fc.array(names, { maxLength: 200 }), (steps) => {
      const there = new Set<string>();
      const presence = createPresence(
        () => there,
        () => {},
      );
      for (const name of steps) {
        if (name === SETTLE) presence.settle();
        else if (there.delete(name)) presence.remove(name);
        else {
          there.add(name);
          presence.add(name);
        }
        for (const one of there) expect(mayExist(presence.shared, fnvOf(one)), one).toBe(true);
      }
    }),
  );
});

test("few that do not exist are taken for some that may, however many exist, and none once all are gone", () => {
  const there = new Set<string>();
  let grown = 0;
  const presence = createPresence(
    () => there,
    () => (grown += 1),
  );
  for (let at = 0; at < 20_000; at++) {
    there.add(`name-${at}`);
    presence.add(`name-${at}`);
  }
  expect(grown).toBeGreaterThan(0);
  const strangers = Array.from({ length: 10_000 }, (_, at) => fnvOf(`stranger-${at}`));
  const taken = (): number => strangers.filter((hash) => mayExist(presence.shared, hash)).length;
  expect(taken()).toBeLessThan(400);
  for (const name of there) expect(mayExist(presence.shared, fnvOf(name)), name).toBe(true);
  for (const name of there) presence.remove(name);
  expect(mayExist(presence.shared, fnvOf("name-1"))).toBe(true);
  presence.settle();
  expect(taken()).toBe(0);
});

test("a cell that is full stays so, as nobody knows any more how many names are in it", () => {
  const presence = createPresence(
    () => [],
    () => {},
  );
  for (let times = 0; times < 300; times++) presence.add("same");
  for (let times = 0; times < 299; times++) presence.remove("same");
  presence.settle();
  expect(mayExist(presence.shared, fnvOf("same"))).toBe(true);
});
