import { describe, expect, test } from "vitest";
import { createParty, createTurns, type Party, type Turns } from "../../src/health/turns.ts";

/** Parties by their letters, each with so many items: `a3 b1`. */
function waiting(
  text: string,
  concurrency: number,
): { turns: Turns<string>; parties: Map<string, Party<string>> } {
  const turns = createTurns<string>(concurrency);
  const parties = new Map<string, Party<string>>();
  for (const [letter = "", ...count] of text.split(" ")) {
    const party = createParty<string>();
    parties.set(letter, party);
    for (let item = 1; item <= Number(count.join("")); item++) turns.add(party, letter + item);
  }
  return { turns, parties };
}

/** Everybody who may run now. */
function started(turns: Turns<string>): string {
  const items: string[] = [];
  for (let item = turns.next(); item !== undefined; item = turns.next()) items.push(item);
  return items.join(" ");
}

describe("who runs", () => {
  test.each([
    ["parties take turns", "a3 b3", 100, "a1 b1 a2 b2 a3 b3"],
    ["in their own order", "a4", 100, "a1 a2 a3 a4"],
    ["one alone gets half, and one more", "a100", 8, "a1 a2 a3 a4 a5"],
    ["of two, each gets a third", "a100 b100", 9, "a1 b1 a2 b2 a3 b3 a4"],
    ["within the bound", "a1 b1 c1 d1", 3, "a1 b1 c1"],
    ["even where it is one", "a2", 1, "a1"],
    ["or none at all", "a2", 0, ""],
  ])("%s: %s within %d", (_, text, concurrency, expected) => {
    expect(started(waiting(text, concurrency).turns)).toBe(expected);
  });

  test("who comes last finds room beside one that hangs", () => {
    const { turns } = waiting("a1000", 100);
    expect(started(turns).split(" ")).toHaveLength(51);
    const late = createParty<string>();
    turns.add(late, "late");
    expect(started(turns)).toBe("late");
    expect([turns.running, turns.waiting]).toEqual([52, 949]);
  });

  test("who ends makes room", () => {
    const { turns, parties } = waiting("a4 b1", 2);
    expect(started(turns)).toBe("a1 b1");
    const [a, b] = parties.values();
    if (!a || !b) throw new Error("no parties");
    turns.end(a);
    expect(started(turns)).toBe("a2");
    turns.end(a);
    turns.end(b);
    expect(started(turns)).toBe("a3 a4");
    expect([turns.running, turns.waiting]).toEqual([2, 0]);
  });
});
