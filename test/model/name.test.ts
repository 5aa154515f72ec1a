import { describe, expect, test } from "vitest";
import {
  countLabels,
  formatName,
  formatPrefix,
  joinName,
  nameFromOctets,
  parentOf,
  parseName,
  parsePrefix,
  prefixOf,
} from "../../src/model/name.ts";

describe("a name is read as people write it", () => {
  test.each([
    ["web.rota.internal", "web.rota.internal."],
    ["web.rota.internal.", "web.rota.internal."],
    ["WEB.Rota", "web.rota."],
    [".", "."],
    [String.raw`a\.b.c`, String.raw`a\.b.c.`],
    [String.raw`a\\.c`, String.raw`a\\.c.`],
    [String.raw`\065\000x`, String.raw`a\000x.`],
    ["ü", String.raw`\195\188.`],
    ["a b", String.raw`a\032b.`],
    ["x".repeat(63), `${"x".repeat(63)}.`],
  ])("%s", (text, expected) => {
    expect(formatName(parseName(text))).toBe(expected);
    expect(parseName(formatName(parseName(text)))).toBe(parseName(text));
  });

  test.each([
    ["", '"" is not a name: it has an empty label'],
    ["..", '".." is not a name: it has an empty label'],
    ["a..b", '"a..b" is not a name: it has an empty label'],
    ["x".repeat(64), `the label "${"x".repeat(64)}" has 64 octets, 63 are allowed`],
    [`${"x".repeat(63)}.`.repeat(4), "it has over 255 octets"],
    ["a\\", "after a \\ comes one character or three digits up to 255"],
    [String.raw`\256`, "after a \\ comes one character or three digits up to 255"],
  ])('not "%s"', (text, message) => {
    expect(() => parseName(text)).toThrow(message);
  });

  test("255 octets are the most, lengths and the root's included", () => {
    const longest = `${"x".repeat(63)}.`.repeat(3) + "x".repeat(61);
    expect(parseName(longest)).toHaveLength(255);
    expect(() => parseName(`${longest}x`)).toThrow("it has over 255 octets");
    expect(() => joinName(parsePrefix("a"), parseName(longest))).toThrow("a name of 257 octets is too long");
  });
});

describe("what stands in front of an origin", () => {
  test.each([
    ["web.rota.internal", "web"],
    ["a.b.rota.internal", "a.b"],
    ["rota.internal", ""],
    ["xrota.internal", undefined],
    ["internal", undefined],
    ["rota.internal.example", undefined],
  ])("%s", (name, expected) => {
    const labels = prefixOf(parseName(name), parseName("rota.internal"));
    expect(labels === undefined ? undefined : formatPrefix(labels)).toBe(expected);
  });

  test("is told by labels, not by octets that look like them", () => {
    // One label that ends in what "rota" looks like in a message.
    const trap = nameFromOctets(`\u0006x\u0004rota\u0008internal\0`);
    expect(prefixOf(trap, parseName("rota.internal"))).toBeUndefined();
  });
});

test("labels are counted and taken off from the left", () => {
  expect(countLabels(parsePrefix("a.b.c"))).toBe(3);
  const above = parentOf(parsePrefix("a.b.c"));
  expect(above && formatPrefix(above)).toBe("b.c");
  expect(parentOf(parsePrefix("c"))).toBeUndefined();
  expect(() => parsePrefix("a.")).toThrow("it must not end in a dot here");
});
