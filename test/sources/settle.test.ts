import { expect, test } from "vitest";
import { settle } from "../../src/sources/settle.ts";

test.each([
  ["stands still", ["whole"], "whole", 1],
  ["is being written", ["a", "ab", "abc", "abc"], "abc", 3],
  ["is replaced, and back", ["a", "gone", "a", "a"], "a", 3],
])("a file that %s has settled", async (_, found, expected, waits) => {
  const looks = [...found];
  let waited = 0;
  const look = async (): Promise<string> => (looks.length > 1 ? looks.shift() : looks[0]) ?? "";
  const wait = async (): Promise<void> => {
    waited += 1;
  };
  expect(await settle(look, wait)).toBe(expected);
  expect(waited).toBe(waits);
});
