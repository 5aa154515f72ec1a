import { describe, expect, test } from "vitest";
import { measure, patienceOf } from "../../../src/dns/forward/rtt.ts";
import { ok, raced, servfail } from "./raced.ts";

describe("upstreams are asked", () => {
  test("one, when it answers in time", async () => {
    const { hand, asked, passed, outcome } = raced({ a: [ok(399)], b: [ok(1)] });
    await hand.pass(5000);
    expect(asked).toEqual(["a 0"]);
    expect(passed).toEqual([]);
    expect(outcome()).toBe("a 399 rcode 0");
    expect(hand.pending).toBe(0);
  });

  test("the next besides, when one is late, which is passed over from now on", async () => {
    const { hand, asked, passed, ended, counters, outcome } = raced({ a: ["silence"], b: [ok(20)] });
    await hand.pass(5000);
    expect(asked).toEqual(["a 0", "b 400"]);
    expect(passed).toEqual(["a"]);
    expect(outcome()).toBe("b 420 rcode 0");
    expect(ended).toContain("a");
    expect(counters.late).toBe(1);
    expect(hand.pending).toBe(0);
  });

  test("and the one that was late may still be first", async () => {
    const { hand, outcome } = raced({ a: [ok(500)], b: [ok(300)] });
    await hand.pass(5000);
    expect(outcome()).toBe("a 500 rcode 0");
  });

  test("nobody besides, when one that was late says SERVFAIL while another is asked", async () => {
    const { hand, asked, outcome } = raced({ a: [servfail(500)], b: [ok(350)], c: [ok(1)] });
    await hand.pass(5000);
    expect(asked).toEqual(["a 0", "b 400"]);
    expect(outcome()).toBe("b 750 rcode 0");
  });

  test("the next at once, when one fails", async () => {
    const { hand, asked, passed, outcome } = raced({ a: ["failure"], b: [ok(1)] });
    await hand.pass(5000);
    expect(asked).toEqual(["a 0", "b 0"]);
    expect(passed).toEqual(["a"]);
    expect(outcome()).toBe("b 1 rcode 0");
  });

  test.each([
    ["SERVFAIL", 2],
    ["NOTIMP", 4],
    ["REFUSED", 5],
  ])("the next at once, when one says %s, and nobody is passed over for it", async (_, rcode) => {
    const { hand, asked, passed, outcome } = raced({ a: [{ afterMs: 3, rcode }], b: [ok(1)] });
    await hand.pass(5000);
    expect(asked).toEqual(["a 0", "b 3"]);
    expect(passed).toEqual([]);
    expect(outcome()).toBe("b 4 rcode 0");
  });

  test.each([
    ["NOERROR", 0],
    ["FORMERR", 1],
    ["NXDOMAIN", 3],
    ["YXDOMAIN", 6],
  ])("nobody else, when one says %s", async (_, rcode) => {
    const { hand, asked, outcome } = raced({ a: [{ afterMs: 3, rcode }], b: [ok(1)] });
    await hand.pass(5000);
    expect(asked).toEqual(["a 0"]);
    expect(outcome()).toBe(`a 3 rcode ${rcode}`);
  });

  test("each once, when all say SERVFAIL: that is what the client is told", async () => {
    const { hand, asked, outcome } = raced({ a: [servfail(3)], b: [servfail(1)] });
    await hand.pass(5000);
    expect(asked).toEqual(["a 0", "b 3"]);
    expect(outcome()).toBe("a 4 rcode 2, no answer");
    expect(hand.pending).toBe(0);
  });

  test("those that are good first, in their order; those passed over after them; none that leads back here", async () => {
    const { hand, asked } = raced(
      { a: [ok(1)], b: ["failure"], c: [ok(1)], d: ["failure"] },
      { a: { standing: "passed over" }, c: { standing: "loop" } },
    );
    await hand.pass(5000);
    expect(asked).toEqual(["b 0", "d 0", "a 0"]);
  });

  test("one soon after the other, while none is known to be there, and nobody is late by that", async () => {
    const doubted = { standing: "passed over" } as const;
    const { hand, asked, passed, counters, outcome } = raced(
      { a: ["silence"], b: ["silence"], c: [ok(5)] },
      { a: doubted, b: doubted, c: doubted },
    );
    await hand.pass(5000);
    expect(asked).toEqual(["a 0", "b 20", "c 40"]);
    expect(outcome()).toBe("c 45 rcode 0");
    expect(passed).toEqual([]);
    expect(counters.late).toBe(0);
  });

  test("at most 4 s: one again and again, for longer each time, as datagrams get lost", async () => {
    const { hand, asked, outcome } = raced({ a: [] });
    await hand.pass(3999);
    expect(outcome()).toBe("still");
    await hand.pass(1);
    expect(asked).toEqual(["a 0", "a 400", "a 1200", "a 2800"]);
    expect(outcome()).toBe("nobody 4000");
    expect(hand.pending).toBe(0);
  });

  test("two in turns, when both are silent", async () => {
    const { hand, asked, outcome } = raced({ a: [], b: [] });
    await hand.pass(5000);
    expect(asked).toEqual(["a 0", "b 400", "a 800", "b 1600", "a 2400"]);
    expect(outcome()).toBe("nobody 4000");
  });

  test("no longer than 2 s for one reply", async () => {
    const { hand, ended } = raced({ a: [] });
    await hand.pass(1999);
    expect(ended).toEqual([]);
    await hand.pass(1);
    expect(ended).toEqual(["a"]);
  });

  test("SERVFAIL of one is told when the other stays silent", async () => {
    const { hand, outcome } = raced({ a: [], b: [servfail(1)] });
    await hand.pass(5000);
    expect(outcome()).toBe("b 4000 rcode 2, no answer");
  });

  test("the next, when this machine has no more files, and nobody is passed over for it", async () => {
    const { hand, passed, outcome } = raced({ a: ["no files"], b: [ok(1)] });
    await hand.pass(1);
    expect(outcome()).toBe("b 1 rcode 0");
    expect(passed).toEqual([]);
  });

  test("one that failed again, when all have; twice is enough", async () => {
    const { hand, asked, outcome } = raced({ a: ["failure", ok(1)], b: ["failure"] });
    await hand.pass(1);
    expect(asked).toEqual(["a 0", "b 0", "a 0"]);
    expect(outcome()).toBe("a 1 rcode 0");
  });

  test("nobody, at once, when all fail twice", async () => {
    const failing = ["failure", "failure", "failure"] as const;
    const { hand, asked, outcome } = raced({ a: failing, b: failing });
    await hand.pass(0);
    expect(asked).toEqual(["a 0", "b 0", "a 0", "b 0"]);
    expect(outcome()).toBe("nobody 0");
  });

  test("nobody, at once, when there is none", async () => {
    const { hand, outcome } = raced({});
    await hand.pass(0);
    expect(outcome()).toBe("nobody 0");
  });

  test("until the signal aborts: then nothing is left", async () => {
    const { hand, ended, outcome, abort } = raced({ a: [], b: [] });
    await hand.pass(500);
    abort();
    await hand.pass(0);
    expect(outcome()).toBe("nobody 500");
    expect(ended).toEqual(["a", "b"]);
    expect(hand.pending).toBe(0);
  });
});

describe("a reply is late", () => {
  const RTT = { smoothed: 60, variation: 20 };

  test.each([
    ["of one that never replied", undefined, 0, 400],
    ["of one that takes 60 ms", RTT, 0, 140],
    ["the second time", RTT, 1, 280],
    ["of one that takes no time", { smoothed: 0.3, variation: 0.1 }, 0, 100],
    ["of one that takes seconds", { smoothed: 1500, variation: 700 }, 0, 2000],
    ["the tenth time", RTT, 9, 2000],
  ])("%s", (_, rtt, tries, ms) => {
    expect(patienceOf(rtt, tries)).toBe(ms);
  });

  test("by what was measured, as RFC 6298 says", () => {
    const first = measure(undefined, 100);
    expect(first).toEqual({ smoothed: 100, variation: 50 });
    expect(measure(first, 180)).toEqual({ smoothed: 110, variation: 57.5 });
  });
});
