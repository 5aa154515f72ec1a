import { describe, expect, test } from "vitest";
import { nextPoint, NO_GRID } from "../../src/health/grid.ts";

const grid = { intervalMs: 1000, pointMs: 10_000 };

describe("the next point of a grid", () => {
  test.each([
    ["in the middle of what chance may say", 10_000, 0.5, 11_000, 0],
    ["a tenth before", 10_000, 0, 10_900, 0],
    ["a tenth after", 10_000, 1, 11_100, 0],
    ["where the probe came early", 9900, 0.5, 11_000, 0],
    ["where it took long", 10_999, 0.5, 11_000, 0],
    ["not before now", 10_999, 0, 10_999, 0],
    ["behind those that were missed", 13_100, 0.5, 14_000, 3],
    ["behind one that is missed to the millisecond", 11_000, 0.5, 12_000, 1],
  ])("%s", (_, nowMs, chance, dueMs, missed) => {
    const next = nextPoint(grid, 1000, nowMs, () => chance);
    expect([next.dueMs, next.missed]).toEqual([dueMs, missed]);
    expect(next.grid.pointMs % 1000, "what chance says shifts no grid").toBe(0);
  });

  test.each([
    [0, 500],
    [0.5, 1000],
    [1, 1500],
  ])("a grid begins half to one and a half intervals from now, at a chance of %d", (chance, laterMs) => {
    expect(nextPoint(NO_GRID, 1000, 7, () => chance).dueMs).toBe(7 + laterMs);
    expect(nextPoint(grid, 2000, 7, () => chance).dueMs, "with another interval, anew").toBe(7 + 2 * laterMs);
  });
});
