import { describe, expect, test } from "vitest";
import type { Balance } from "../../../src/model/declaration.ts";
import { createAffinity } from "../../../src/plane/userspace/affinity.ts";
import { type Candidate, createPicker } from "../../../src/plane/userspace/pick.ts";
import { turnedByHand } from "../../by-hand.ts";

type Counted = Candidate & { active: number };

/** `a:2` is one of weight 2. */
function crew(text: string): Counted[] {
  return text.split(" ").map((one) => {
    const [key = "", weight = "1"] = one.split(":");
    return { key, weight: Number(weight), active: 0 };
  });
}

/** Whom so many flows go to, of clients 10.0.0.0, 10.0.0.1 and so on; each stays. */
function picks(balance: Balance, text: string, count: number, dice = (): number => 0): string {
  const picker = createPicker<Counted>(balance, dice);
  picker.set(crew(text));
  return Array.from({ length: count }, (_, at) => {
    const picked = picker.pick(`10.0.${at >> 8}.${at & 255}`, []);
    if (picked) picked.active += 1;
    return picked?.key ?? "-";
  }).join("");
}

function shares(text: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const key of text) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}

describe("whom flows go to", () => {
  test.each<[Balance, string, string]>([
    ["rotate", "a b c", "bcabca"],
    ["rotate", "a:9 b c", "bcabca"],
    ["weighted", "a:5 b:1 c:1", "aabacaa"], // nginx's own example
    ["weighted", "a b c", "abcabc"],
    ["weighted", "a:60000 b:20000", "aabaaaba"],
    ["leastconn", "a b c", "abcabc"],
    ["leastconn", "a:2 b", "ababaa"],
    ["random", "a b c", "aaa"],
  ])("%s of %s: %s", (balance, text, expected) => {
    expect(picks(balance, text, expected.length)).toBe(expected);
  });

  test.each<Balance>(["rotate", "weighted", "leastconn", "random", "source"])(
    "nobody, by %s, where nobody is",
    (balance) => {
      const picker = createPicker<Counted>(balance, Math.random);
      expect(picker.pick("10.0.0.1", [])).toBeUndefined();
      picker.set(crew("a"));
      picker.set([]);
      expect(picker.pick("10.0.0.1", [])).toBeUndefined();
    },
  );

  test.each<Balance>(["rotate", "weighted", "leastconn", "random", "source"])(
    "each once, by %s, if those that were tried may not be",
    (balance) => {
      const picker = createPicker<Counted>(balance, Math.random);
      picker.set(crew("a:3 b c"));
      const tried: Counted[] = [];
      for (let next = picker.pick("10.0.0.1", tried); next; next = picker.pick("10.0.0.1", tried)) {
        tried.push(next);
      }
      expect(tried.map(({ key }) => key).toSorted()).toEqual(["a", "b", "c"]);
    },
  );
});

test("weighted is even in any window, whatever the weights", () => {
  const all = picks("weighted", "a:7 b:2 c:1", 1000);
  for (let from = 0; from + 10 <= all.length; from++) {
    expect(shares(all.slice(from, from + 10))).toEqual({ a: 7, b: 2, c: 1 });
  }
});

test("random uses the whole of the dice", () => {
  const dice = [0, 0.3, 0.34, 0.66, 0.67, 0.999].values();
  expect(picks("random", "a b c", 6, () => dice.next().value ?? 0)).toBe("aabbcc");
});

test("a change leaves the turn where it is", () => {
  const [a, b, c, d] = crew("a b c d");
  if (!a || !b || !c || !d) throw new Error("four were made");
  const picker = createPicker<Counted>("rotate", () => 0);
  const next = (): string => picker.pick("", [])?.key ?? "-";
  picker.set([a, b, c]);
  expect(next()).toBe("b");
  picker.set([a, b, c, d]);
  expect(next()).toBe("c");
  picker.set([a, b, d]); // it went to c, which is gone: d is next
  expect(next()).toBe("d");
  picker.set([b, a]);
  expect(next()).toBe("a"); // behind d came a
});

test("what the weighted owed each other beside one that left is soon forgotten", () => {
  const [a, b, heavy] = crew("a:1 b:1 heavy:100");
  if (!a || !b || !heavy) throw new Error("three were made");
  const picker = createPicker<Counted>("weighted", () => 0);
  picker.set([heavy, a]);
  for (let at = 0; at < 50; at++) picker.pick("", []);
  picker.set([a, b]);
  expect(Array.from({ length: 8 }, () => picker.pick("", [])?.key ?? "-").join("")).toBe("aabababa");
});

describe("source", () => {
  test("one client always has the same, also in another process", () => {
    expect(picks("source", "a b c", 12)).toBe("cbcbcbcaacac");
  });

  test("shares are by weight", () => {
    const { a = 0, b = 0, c = 0 } = shares(picks("source", "a:5 b:3 c:2", 20_000));
    for (const [share, of] of [
      [a, 0.5],
      [b, 0.3],
      [c, 0.2],
    ] as const) {
      expect(Math.abs(share / 20_000 - of)).toBeLessThan(0.02); // some 5 standard deviations
    }
  });

  test("only the clients of who leaves go elsewhere", () => {
    const before = picks("source", "a b c d", 5000);
    const after = picks("source", "a b d", 5000);
    const moved = before.split("").filter((key, at) => key !== after[at]);
    expect(new Set(moved)).toEqual(new Set(["c"]));
    expect(moved.length).toBe(shares(before)["c"]);
  });
});

describe("affinity", () => {
  test("lasts for so long after the last flow", async () => {
    const hand = turnedByHand();
    const owner = {};
    const affinity = createAffinity<object, string>(10, hand.clock);
    affinity.remember(owner, "10.0.0.1", "a");
    await hand.pass(999);
    expect(affinity.recall(owner, "10.0.0.1", 1000)).toBe("a");
    affinity.remember(owner, "10.0.0.1", "a");
    await hand.pass(999);
    expect(affinity.recall(owner, "10.0.0.1", 1000)).toBe("a");
    await hand.pass(1);
    expect(affinity.recall(owner, "10.0.0.1", 1000)).toBeUndefined();
  });

  test("is of one frontend alone", () => {
    const [one, other] = [{}, {}];
    const affinity = createAffinity<object, string>(10, turnedByHand().clock);
    affinity.remember(one, "10.0.0.1", "a");
    affinity.remember(other, "10.0.0.1", "b");
    affinity.forget(one, () => true);
    expect(affinity.recall(one, "10.0.0.1", 1000)).toBeUndefined();
    expect(affinity.recall(other, "10.0.0.1", 1000)).toBe("b");
  });

  test("of more clients than it may know, it forgets the oldest, and counts them", () => {
    const owner = {};
    const tally = { forgotten: 0 };
    const affinity = createAffinity<object, string>(3, turnedByHand().clock, tally);
    for (const client of ["a", "b", "c", "a", "d"]) affinity.remember(owner, client, client);
    const known = ["a", "b", "c", "d"].filter((client) => affinity.recall(owner, client, 1000));
    expect(known).toEqual(["a", "c", "d"]);
    expect(tally.forgotten).toBe(1);
  });
});
