import { expect, it } from "vitest";
import { createExcerpt } from "../../src/health/excerpt.ts";
import { parsePattern } from "../../src/model/pattern.ts";

const DASH = Buffer.from("-");

it("finds a text at the end of 64 KiB that come letter by letter", () => {
  const heard = createExcerpt({ kind: "text", text: "needle" }, "stream");
  for (let count = 0; count < 64 * 1024 - 6; count++) heard.add(DASH);
  heard.add(Buffer.from("need"));
  expect(heard.look()).toBe(false);
  heard.add(Buffer.from("le, and more"));
  expect(heard.look()).toBe(true);
  expect(heard.isFull).toBe(true);
  expect(heard.text).toHaveLength(64 * 1024);
});

it("tries a slow pattern now and then on letters that come one by one, and at the end", () => {
  // 90 ns a letter and look: half a GiB of them, at every letter, would take most of a minute.
  const heard = createExcerpt({ kind: "pattern", pattern: parsePattern("(?i)[a-z-]*needle") }, "stream");
  for (let count = 0; count < 32 * 1024; count++) {
    heard.add(DASH);
    heard.look();
  }
  heard.add(Buffer.from("needle"));
  expect(heard.isFound()).toBe(true);
});
