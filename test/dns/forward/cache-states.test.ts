import { describe, expect, test } from "vitest";
import { ask, cached, type Cached } from "./cached.ts";
import { reply } from "./replies.ts";

const WWW = "www.example A";
const ANSWER = ["NOERROR rd ra", "www.example 300 A 192.0.2.1"];
const SECOND = 1000;
const HOUR = 3600 * SECOND;

/** Keeps {@link ANSWER}, and turns the clock until it is over. */
function over(served: Cached = cached()): Cached {
  served.keep(WWW, ANSWER);
  served.clock.turn(300 * SECOND);
  return served;
}

describe("prefetch", () => {
  test("an answer asked for three times is wanted anew in the last tenth of its time, once", () => {
    const { keep, kind, clock, cache } = cached();
    keep(WWW, ANSWER);
    expect([kind(WWW), kind(WWW)]).toEqual(["fresh", "fresh"]);
    clock.turn(270 * SECOND);
    expect(kind(WWW), "a tenth is left").toBe("fresh");
    clock.turn(1);
    expect([kind(WWW), kind(WWW), kind(WWW)]).toEqual(["fresh prefetch", "fresh", "fresh"]);
    expect(cache.counters).toMatchObject({ hits: 6, prefetches: 1 });
  });

  test("one asked for twice is not", () => {
    const { keep, kind, clock } = cached();
    keep(WWW, ANSWER);
    expect(kind(WWW)).toBe("fresh");
    clock.turn(299 * SECOND);
    expect(kind(WWW)).toBe("fresh");
    expect(kind(WWW), "the third time").toBe("fresh prefetch");
  });

  test("what was fetched so must be asked for as often again", () => {
    const { keep, kind, clock } = cached();
    for (const round of [1, 2]) {
      keep(WWW, ANSWER);
      clock.turn(299 * SECOND);
      expect([kind(WWW), kind(WWW), kind(WWW)], `round ${round}`).toEqual([
        "fresh",
        "fresh",
        "fresh prefetch",
      ]);
    }
  });

  test("that it failed takes nothing from the answer while it is fresh", () => {
    const { keep, kind, fail, clock } = cached();
    keep(WWW, ANSWER);
    clock.turn(299 * SECOND);
    fail(WWW);
    expect(kind(WWW)).toBe("fresh");
    clock.turn(SECOND);
    expect(kind(WWW)).toBe("stale");
  });
});

describe("stale answers (RFC 8767)", () => {
  test("upstream is asked first; what it does not say in time is given for 30 seconds, with EDE 3", () => {
    const { kind, stale, cache } = over();
    expect(kind(WWW)).toBe("nothing");
    expect(stale(WWW)).toEqual(["NOERROR rd ra", "www.example 30 A 192.0.2.1"]);
    expect(stale(WWW, { opt: {}, id: 7 })).toEqual([
      "NOERROR rd ra edns 1232 ede 3 Stale Answer",
      "www.example 30 A 192.0.2.1",
    ]);
    expect(cache.counters).toMatchObject({ misses: 1, stale: 2 });
  });

  test("NXDOMAIN has a code of its own", () => {
    const { keep, stale, clock } = cached();
    keep(WWW, ["NXDOMAIN", "authority: example 60 SOA 60"]);
    clock.turn(60 * SECOND);
    expect(stale(WWW, { opt: {} })).toEqual([
      "NXDOMAIN rd ra edns 1232 ede 19 Stale NXDOMAIN Answer",
      "authority: example 30 SOA 60",
    ]);
  });

  test("an answer that has come meanwhile is given as it is", () => {
    const { keep, stale } = cached();
    keep(WWW, ANSWER);
    expect(stale(WWW, { opt: {} })).toEqual(["NOERROR rd ra edns 1232", "www.example 300 A 192.0.2.1"]);
  });

  test("for a day and no longer", () => {
    const { stale, clock } = over();
    clock.turn(24 * HOUR - 1);
    expect(stale(WWW)[0]).toBe("NOERROR rd ra");
    clock.turn(1);
    expect(stale(WWW)).toEqual(["nothing"]);
  });

  test.each([
    ["nobody answered", (served: Cached) => served.fail(WWW)],
    ["SERVFAIL", (served: Cached) => served.keep(WWW, ["SERVFAIL"])],
    ["REFUSED", (served: Cached) => served.keep(WWW, ["REFUSED"])],
  ])("%s: for 30 seconds it is given without asking", (_, happen) => {
    const served = over();
    happen(served);
    expect(served.find(WWW, { opt: {} })).toEqual([
      "stale",
      "NOERROR rd ra edns 1232 ede 3 Stale Answer",
      "www.example 30 A 192.0.2.1",
    ]);
    served.clock.turn(30 * SECOND - 1);
    expect(served.kind(WWW)).toBe("stale");
    served.clock.turn(1);
    expect(served.kind(WWW)).toBe("nothing");
  });

  test("upstream's answer ends it at once", () => {
    const served = over();
    served.fail(WWW);
    served.keep(WWW, ["NOERROR", "www.example 300 A 192.0.2.2"]);
    expect(served.find(WWW)).toEqual(["fresh", "NOERROR rd ra", "www.example 300 A 192.0.2.2"]);
  });
});

describe("failures (RFC 9520)", () => {
  test("SERVFAIL is given without asking for 1, 2, 4, 5 and 5 seconds as it goes on", () => {
    const { fail, kind, clock } = cached();
    const pauses = [1, 2, 4, 5, 5].map((seconds) => {
      fail(WWW);
      clock.turn(seconds * SECOND - 1);
      const before = kind(WWW);
      clock.turn(1);
      return [before, kind(WWW)].join(", then ");
    });
    expect(new Set(pauses)).toEqual(new Set(["failure, then nothing"]));
  });

  test("what it says", () => {
    const { fail, find, cache } = cached();
    fail(WWW);
    expect(find(WWW, { opt: {} })).toEqual(["failure", "SERVFAIL rd ra edns 1232 ede 13 Cached Error"]);
    expect(find("WWW.example A", { flags: 0x0100 })).toEqual(["failure", "SERVFAIL rd ra"]);
    expect(cache.counters).toMatchObject({ failures: 2, misses: 0, entries: 0 });
  });

  test("many who tell of one failure are one", () => {
    const { fail, kind, clock } = cached();
    for (let client = 0; client < 10; client++) fail(WWW);
    clock.turn(SECOND);
    expect(kind(WWW)).toBe("nothing");
  });

  test.each([
    ["an answer ends the row", (served: Cached) => served.keep(WWW, ["NXDOMAIN"]), "nothing"],
    ["a minute ends the row", (served: Cached) => served.clock.turn(60 * SECOND), "nothing"],
    ["less does not", (served: Cached) => served.clock.turn(60 * SECOND - 1), "failure"],
    ["garbage does not", (served: Cached) => served.keep(WWW, ["FORMERR"]), "failure"],
  ])("%s", (_, happen, expected) => {
    const served = cached();
    served.fail(WWW);
    served.clock.turn(SECOND);
    served.fail(WWW);
    happen(served);
    served.fail(WWW);
    served.clock.turn(SECOND);
    expect(served.kind(WWW)).toBe(expected);
  });

  test("of another question they say nothing", () => {
    const { fail, kind } = cached();
    fail(WWW);
    expect([kind("www.example AAAA"), kind(WWW, { flags: 0x0110 }), kind("example A")]).toEqual(
      Array.from({ length: 3 }, () => "nothing"),
    );
  });
});

describe("bounds", () => {
  const nameOf = (index: number): string => `host${String(index).padStart(6, "0")}.example`;
  const lines = (index: number): string[] => ["NOERROR", `${nameOf(index)} 300 A 192.0.2.1`];

  test("never more octets than allowed; who was not asked for longest goes, and is counted", () => {
    const served = cached(100_000);
    for (let index = 0; index < 1000; index++) {
      served.keep(`${nameOf(index)} A`, lines(index));
      expect(served.kind(`${nameOf(0)} A`), "asked for all the time").toBe("fresh");
      expect(served.cache.counters.octets).toBeLessThanOrEqual(100_000);
    }
    const { entries, evictions, octets } = served.cache.counters;
    expect(entries + evictions).toBe(1000);
    expect(octets, "what is allowed to answers is used").toBeGreaterThan(93_750 - 500);
    expect(served.kind(`${nameOf(1)} A`)).toBe("nothing");
    expect(served.kind(`${nameOf(999)} A`)).toBe("fresh");
  });

  test("failures displace no answer, and are bounded", () => {
    const served = cached(100_000);
    for (let index = 0; index < 300; index++) served.keep(`${nameOf(index)} A`, lines(index));
    const { entries, evictions } = served.cache.counters;
    for (let index = 1000; index < 3000; index++) served.fail(`${nameOf(index)} A`);
    expect(served.cache.counters.entries).toBe(entries);
    expect(served.cache.counters.evictions).toBeGreaterThan(evictions + 1900);
    expect(served.cache.counters.octets).toBeLessThanOrEqual(100_000);
    expect(served.kind(`${nameOf(2999)} A`)).toBe("failure");
    expect(served.kind(`${nameOf(1000)} A`)).toBe("nothing");
  });

  test("no answer takes more than a sixteenth", () => {
    const answer = ["NOERROR", `www.example 300 TYPE65280 ${"00".repeat(1000)}`];
    const roomy = cached();
    roomy.keep("www.example TYPE65280", answer);
    const cost = roomy.cache.counters.octets;
    expect(cost).toBeGreaterThan(1000);
    const fitting = cached(cost * 16);
    fitting.keep("www.example TYPE65280", answer);
    expect(fitting.kind("www.example TYPE65280")).toBe("fresh");
    const tight = cached(cost * 16 - 1);
    tight.keep("www.example TYPE65280", answer);
    expect(tight.kind("www.example TYPE65280")).toBe("nothing");
  });

  test("0 keeps nothing, failures neither", () => {
    const { keep, fail, kind, stale, cache } = cached(0);
    keep(WWW, ANSWER);
    fail("other.example A");
    expect([kind(WWW), kind("other.example A"), ...stale(WWW)]).toEqual(["nothing", "nothing", "nothing"]);
    expect(cache.counters).toMatchObject({ entries: 0, octets: 0, misses: 2 });
  });

  test("all is forgotten when it shall be", () => {
    const { keep, fail, kind, cache } = cached();
    keep(WWW, ANSWER);
    fail("other.example A");
    cache.clear();
    expect([kind(WWW), kind("other.example A")]).toEqual(["nothing", "nothing"]);
    expect(cache.counters).toMatchObject({ entries: 0, octets: 0, evictions: 0 });
  });

  test("every part of an answer counts", () => {
    const small = cached();
    small.cache.keep(ask(WWW), reply(WWW, ANSWER));
    const large = cached();
    large.cache.keep(ask(WWW), reply(WWW, [...ANSWER, "additional: ns.example 300 TYPE65280 00010203"]));
    // The record has 12 octets of owner, 10 that are fixed and 4 of data; its TTL is noted in 8.
    expect(large.cache.counters.octets - small.cache.counters.octets).toBe(12 + 10 + 4 + 8);
  });
});
