import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createForwardCache, type ForwardCache } from "../../../src/dns/forward/cache.ts";
import { stillClock } from "../served.ts";
import { ask } from "./cached.ts";
import { reply } from "./replies.ts";

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");
const ENTRIES = 20_000;

/** Octets in use when everything is gone that nobody holds. */
function used(): number {
  for (let round = 0; round < 4; round++) if (typeof collect === "function") collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function fill(cache: ForwardCache, first: number, put: (cache: ForwardCache, name: string) => void): void {
  for (let index = first; index < first + ENTRIES; index++) {
    put(cache, `host${String(index).padStart(8, "0")}.example`);
  }
}

function answer(records: number): (cache: ForwardCache, name: string) => void {
  return (cache, name) => {
    const lines = Array.from({ length: records }, () => `${name} 300 A 192.0.2.1`);
    cache.keep(ask(name), reply(name, ["NOERROR", ...lines]));
  };
}

test.each([
  ["an address", answer(1)],
  ["eight addresses", answer(8)],
  ["a failure", (cache: ForwardCache, name: string) => cache.keepFailure(ask(name))],
])("the octets that are counted are those that are in use: %s", (_, put) => {
  const maxOctets = 400_000_000;
  // What is compiled and what grows once only is no part of it.
  fill(createForwardCache({ maxOctets, clock: stillClock() }), 0, put);
  const cache = createForwardCache({ maxOctets, clock: stillClock() });
  const before = used();
  fill(cache, ENTRIES, put);
  const real = (used() - before) / ENTRIES;
  const counted = cache.counters.octets / ENTRIES;
  expect(real / counted, `${real} octets an entry, ${counted} counted`).toBeGreaterThan(0.85);
  expect(real / counted, `${real} octets an entry, ${counted} counted`).toBeLessThan(1.1);
});
